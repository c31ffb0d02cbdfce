//! Templates of one's own: `<directory>/<locale>/<file>`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::TemplateError;
use crate::locale;
use crate::part::Part;

/// No message needs more, and it bounds what a mistaken path can read.
const MAX_BYTES: u64 = 64 * 1024;

/// A template file that was read.
pub(crate) struct OwnTemplate {
    pub(crate) locale: String,
    pub(crate) part: Part,
    pub(crate) path: PathBuf,
    pub(crate) source: String,
}

/// Reads every template under `dir`. Names that begin with a dot are skipped, any other
/// surprise is an error: a template that is silently not used is worse.
pub(crate) fn read(dir: &Path) -> Result<Vec<OwnTemplate>, TemplateError> {
    let mut found = Vec::new();
    for folder in entries(dir)? {
        let tag = folder
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(locale::canonical);
        let Some(tag) = tag.filter(|_| folder.is_dir()) else {
            return Err(TemplateError::Locale { path: folder });
        };
        for path in entries(&folder)? {
            let Some(part) = path
                .file_name()
                .and_then(|name| name.to_str())
                .and_then(Part::from_file)
            else {
                let expected = Part::ALL.map(Part::file).join(", ");
                return Err(TemplateError::UnknownFile { path, expected });
            };
            let source = text_of(&path)?;
            found.push(OwnTemplate {
                locale: tag.clone(),
                part,
                path,
                source,
            });
        }
    }
    Ok(found)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, TemplateError> {
    let unreadable = |source| TemplateError::Unreadable {
        path: dir.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn text_of(path: &Path) -> Result<String, TemplateError> {
    let unreadable = |source| TemplateError::Unreadable {
        path: path.to_owned(),
        source,
    };
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
        return Err(TemplateError::NotText {
            path: path.to_owned(),
        });
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| TemplateError::NotText {
        path: path.to_owned(),
    })
}
