//! Compiled templates by locale and part.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use crate::brand::is_invisible;
use crate::error::{RenderError, TemplateError};
use crate::locale;
use crate::part::Part;

/// Instructions for one rendering: plenty for a message, and the end of a loop that
/// never ends.
const FUEL: u64 = 50_000;

/// The names that a template knows.
const NAMES: [&str; 4] = ["brand", "code", "minutes", "lang"];

/// The values of one message.
pub(crate) struct Words<'a> {
    pub(crate) brand: &'a str,
    pub(crate) code: &'a str,
    pub(crate) minutes: u64,
    pub(crate) lang: &'a str,
}

/// Every template, compiled.
pub(crate) struct Catalogue {
    environment: Environment<'static>,
    /// Locale, then the file's name for error messages by part's file name.
    files: BTreeMap<String, BTreeMap<&'static str, String>>,
}

impl Catalogue {
    pub(crate) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|name| {
            if name.ends_with(Part::EmailHtml.file()) {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        Self {
            environment,
            files: BTreeMap::new(),
        }
    }

    /// Compiles a template, in place of an earlier one of the same locale and part.
    pub(crate) fn add(
        &mut self,
        locale: &str,
        part: Part,
        file: &str,
        source: &str,
    ) -> Result<(), TemplateError> {
        let name = template_name(locale, part);
        self.environment
            .add_template_owned(name.clone(), source.to_owned())
            .map_err(|error| TemplateError::Syntax {
                file: file.to_owned(),
                line: error.line().unwrap_or(1),
                problem: problem(&error),
            })?;
        self.refuse_unknown_names(&name, file)?;
        self.files
            .entry(locale.to_owned())
            .or_default()
            .insert(part.file(), file.to_owned());
        Ok(())
    }

    /// A branch that a test rendering never takes could hold an unknown name, so the
    /// names are read from the compiled template.
    fn refuse_unknown_names(&self, name: &str, file: &str) -> Result<(), TemplateError> {
        let Ok(template) = self.environment.get_template(name) else {
            return Ok(());
        };
        let globals: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        let used: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
        for name in used {
            if !NAMES.contains(&name.as_str()) && !globals.contains(name.as_str()) {
                return Err(TemplateError::UnknownName {
                    file: file.to_owned(),
                    name,
                });
            }
        }
        Ok(())
    }

    /// Forgets the short text of a locale, which belongs to the long one that is about to
    /// be replaced: it would say something else.
    pub(crate) fn forget_short(&mut self, locale: &str) {
        if let Some(files) = self.files.get_mut(locale) {
            files.remove(Part::SmsShort.file());
        }
        self.environment
            .remove_template(&template_name(locale, Part::SmsShort));
    }

    /// Checks that no locale has half an email, or a short text without a long one: it
    /// would never be used.
    pub(crate) fn complete(&self) -> Result<(), TemplateError> {
        for (locale, files) in &self.files {
            let has = |part: &Part| files.contains_key(part.file());
            if Part::EMAIL.iter().any(has)
                && let Some(missing) = Part::EMAIL.iter().find(|part| !has(part))
            {
                return Err(TemplateError::Incomplete {
                    locale: locale.clone(),
                    file: missing.file(),
                });
            }
            if has(&Part::SmsShort) && !has(&Part::Sms) {
                return Err(TemplateError::Incomplete {
                    locale: locale.clone(),
                    file: Part::Sms.file(),
                });
            }
        }
        Ok(())
    }

    /// Renders every template with short and long values.
    pub(crate) fn try_all(&self, brand: &str) -> Result<(), TemplateError> {
        for (locale, files) in &self.files {
            for part in Part::ALL {
                let Some(file) = files.get(part.file()) else {
                    continue;
                };
                for (code, minutes) in [("0000", 1), ("012345", 5), ("ACDEFGHJKM", 1440)] {
                    let words = Words {
                        brand,
                        code,
                        minutes,
                        lang: locale,
                    };
                    self.try_one(part, &words).map_err(|(line, problem)| {
                        TemplateError::Rendering {
                            file: file.clone(),
                            line,
                            problem,
                        }
                    })?;
                }
            }
        }
        Ok(())
    }

    /// The first locale of the chain that has all these parts.
    pub(crate) fn best(&self, tag: Option<&str>, parts: &[Part]) -> Option<&str> {
        locale::chain(tag).iter().find_map(|locale| {
            let (name, files) = self.files.get_key_value(locale)?;
            parts
                .iter()
                .all(|part| files.contains_key(part.file()))
                .then_some(name.as_str())
        })
    }

    pub(crate) fn has(&self, locale: &str, part: Part) -> bool {
        let files = self.files.get(locale);
        files.is_some_and(|files| files.contains_key(part.file()))
    }

    pub(crate) fn locales(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }

    /// One part in the locale `words.lang`.
    pub(crate) fn render(&self, part: Part, words: &Words<'_>) -> Result<String, RenderError> {
        self.try_one(part, words).map_err(|_| RenderError)
    }

    fn try_one(&self, part: Part, words: &Words<'_>) -> Result<String, (usize, String)> {
        let Words {
            brand,
            code,
            minutes,
            lang,
        } = *words;
        let rendered = self
            .environment
            .get_template(&template_name(lang, part))
            .and_then(|template| template.render(context! { brand, code, minutes, lang }))
            .map_err(|error| (error.line().unwrap_or(0), problem(&error)))?;
        settled(part, &rendered, code).map_err(|problem| (0, problem.to_owned()))
    }
}

/// The rendering with uniform line ends, or what is wrong with it.
fn settled(part: Part, rendered: &str, code: &str) -> Result<String, &'static str> {
    let text = rendered
        .replace("\r\n", "\n")
        .replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n");
    let text = text.trim_matches(['\n', ' ', '\t']);
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        return Err("it holds a control character");
    }
    if part.is_one_line() && text.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err("a subject is one line without invisible characters");
    }
    if text.chars().count() > part.max_chars() {
        return Err("it is too long for its channel");
    }
    // Voice spells the code, so there it is not found in one piece.
    if part != Part::Voice && !text.contains(code) {
        return Err("it does not hold the code");
    }
    Ok(text.to_owned())
}

fn template_name(locale: &str, part: Part) -> String {
    format!("{locale}/{}", part.file())
}

/// What the engine found, without the values of a rendering.
fn problem(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}
