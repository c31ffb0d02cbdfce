//! The documented file has every key, with its default.

use countersign::Policy;

use super::{policy, raw, resolve};

/// The documented file: a commented key stands as `#key = value`, prose after `# `. A
/// line that ends in `# example` shows a value; every other one shows the default.
const DOCUMENTED: &str = include_str!("../../deploy/countersign.toml");

fn uncommented(examples: bool) -> String {
    let key = |line: &&str| {
        line.starts_with('#') && !line.starts_with("# ") && *line != "#" || line.starts_with('[') // a heading that stands already
    };
    let lines: Vec<_> = DOCUMENTED
        .lines()
        .filter(key)
        .filter(|line| examples || !line.contains("# example"))
        .map(|line| line.trim_start_matches('#'))
        .collect();
    lines.join("\n")
}

#[test]
fn the_documented_file_has_every_key() {
    let raw: raw::Raw = toml::from_str(&uncommented(true)).unwrap();
    let shown = format!("{raw:#?}");
    let missing: Vec<_> = shown
        .lines()
        .filter(|line| line.contains(": None"))
        .collect();
    assert!(missing.is_empty(), "not documented: {missing:?}");
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    let written: raw::Raw = toml::from_str(&uncommented(false)).unwrap();
    let policy = written.policy.over(Policy::for_console(), false).unwrap();
    assert_eq!(
        policy,
        Policy::default(),
        "every rule is documented with its default"
    );
    let said = |policy: raw::Raw| {
        let config = resolve::resolve(raw::Raw {
            policy: policy::RawPolicy::default(),
            ..policy
        });
        format!("{:#?}", config.unwrap())
    };
    let documented =
        said(written).replace("Some(\n        \"http://127.0.0.1:8080\",\n    )", "None");
    assert_eq!(documented, said(raw::Raw::default()));
    // As it stands, with everything commented, it changes nothing.
    assert_eq!(
        said(toml::from_str(DOCUMENTED).unwrap()),
        said(raw::Raw::default())
    );
}
