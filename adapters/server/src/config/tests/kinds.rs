//! Values of another kind than is expected.

use super::refusal;

/// Where a section is expected, an address with its password may stand.
#[test]
fn a_value_of_another_kind_is_not_shown() {
    for line in [
        "store = \"postgres://app:s3cret@db/x, expected s3cret\"",
        "smtp = \"smtp://s3cret@mail\"",
        "jwt = \"s3cret\"",
        "log_format = \"s3cret\"",
        "policy.max_attempts = \"s3cret\"",
    ] {
        let sentence = refusal(line, &[]);
        assert!(!sentence.contains("s3cret"), "{sentence}");
        assert!(sentence.contains("line 1"), "{sentence}");
    }
    let sentence = refusal("store = \"sqlite:x\"", &[]);
    assert!(sentence.contains("below a line [section]"), "{sentence}");
}

#[test]
fn a_variable_that_names_a_section_is_refused() {
    for name in ["COUNTERSIGN_STORE", "COUNTERSIGN_SMTP", "COUNTERSIGN_JWT"] {
        let sentence = refusal("", &[(name, "sqlite:s3cret")]);
        assert!(sentence.contains(name), "{sentence}");
        assert!(sentence.contains("SECTION__KEY"), "{sentence}");
        assert!(!sentence.contains("s3cret"), "{sentence}");
    }
}
