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

/// What is no TOML may be a secret, and so may what looks like a key within it.
#[test]
fn what_is_no_toml_is_not_shown() {
    let key = "-----BEGIN KEY-----\ns3cretAAs3cret==\ns3cret=\n-----END KEY-----";
    for text in [
        "[store]\nurl = postgres://app:s3cret@db/x".to_owned(),
        "[store]\nurl = postgres://app:s3cret@db/x?s3cret=1".to_owned(),
        "[store]\nurl =\ns3cret=1".to_owned(),
        "[store]\nurl = redis://s3cret".to_owned(),
        "[store]\nurl = \"redis://s3cret".to_owned(),
        "[store]\nurl = 's3cret\n".to_owned(),
        "[store]\nurl = [s3cret]".to_owned(),
        "[store]\nurl = {s3cret = 1}".to_owned(),
        "[store]\nurl = 12s3cret".to_owned(),
        "[store]\nurl = 1234-s3cret".to_owned(),
        "[store]\nurl = s3cret".to_owned(),
        "[store]\nurl: s3cret".to_owned(),
        "[store]\nurl s3cret = 1".to_owned(),
        "[smtp]\npassword = \"s3cret\"s3cret".to_owned(),
        "[smtp]\npassword = \"\\s3cret\"".to_owned(),
        "[smtp]\npassword = \"s3cret\"\npassword = \"s3cret\"".to_owned(),
        format!("[vonage]\nprivate_key = \"{key}\""),
        format!("[vonage]\nprivate_key = '{key}'"),
        format!("[vonage]\nprivate_key = {key}"),
        format!("[vonage]\nprivate_key =\n{key}"),
        format!("[vonage]\nprivate_key = \"\"\"\n{key}\n\"\"\"\n\"from\" = 5"),
        format!("[vonage]\nprivate_key = \"\"\"\n{key}\n\"\"\"\n\"of\" = 5"),
        format!("[vonage]\nprivate_key = \"\"\"\n{key}\n"),
        "[store]\n\"postgres://app:s3cret@db\" = 1".to_owned(),
        "\"s3cret@db\".url = 1".to_owned(),
    ] {
        let sentence = refusal(&text, &[]);
        assert!(sentence.contains("line "), "{sentence}");
        assert!(!sentence.contains("s3cret"), "{text:?}: {sentence}");
    }
}

/// A secret where the name of its file is expected.
#[test]
fn a_file_that_is_not_there_is_called_by_its_key_alone() {
    for (text, field) in [
        ("[smtp]\npassword_file = \"s3cret\"", "smtp.password_file"),
        (
            "[store]\nurl_file = \"postgres://app:s3cret@db/x\"",
            "store.url_file",
        ),
        (
            "[jwt]\nhs256_secret_file = \"/s3cret+/==\"",
            "jwt.hs256_secret_file",
        ),
    ] {
        let sentence = refusal(text, &[]);
        let named =
            format!("{field} (countersign.toml line 2): cannot read the file that it names");
        assert!(sentence.starts_with(&named), "{sentence}");
        assert!(!sentence.contains("s3cret"), "{sentence}");
    }
}
