//! Nonsense in the configuration stops the start and names its field.

use crate::parts::server::{Home, write_secret};

/// Only the console delivers, and sends are limited per source all the same.
pub(crate) const LIMITED_CONSOLE: &str = "[policy]\nsource_sends = \"20/1h\"\n";

/// Lines of a configuration, and the field that the refusal must name.
const NONSENSE: &[(&str, &str)] = &[
    ("[policy]\nmax_attempts = 0", "max_attempts"),
    ("[policy]\nmax_attempts = 256", "max_attempts"),
    ("[policy]\nmax_attempts = -1", "max_attempts"),
    ("[policy]\nlifetime_seconds = 0", "lifetime_seconds"),
    (
        "[policy]\nlifetime_seconds = 4294967295",
        "lifetime_seconds",
    ),
    ("[policy]\nlifetime_seconds = inf", "lifetime_seconds"),
    ("[policy]\nlifetime_seconds = -300", "lifetime_seconds"),
    (
        "[policy]\nlifetime_seconds = 99999999999999999999",
        "lifetime_seconds",
    ),
    (
        "[policy]\nphone_ceiling_seconds = 86400",
        "phone_ceiling_seconds",
    ),
    (
        "[policy]\nemail_ceiling_seconds = 86401",
        "email_ceiling_seconds",
    ),
    ("[policy]\ncode_length = 1", "code_length"),
    ("[policy]\ncode_length = 3", "code_length"),
    ("[policy]\ncode_length = 11", "code_length"),
    ("[policy]\ncode_length = 64", "code_length"),
    ("[policy]\ncode_length = -6", "code_length"),
    ("[policy]\ncode_length = \"six\"", "code_length"),
    ("[policy]\nmax_sends = 0", "max_sends"),
    ("[policy]\nlive_sessions = 0", "live_sessions"),
    ("[policy]\nlive_sessions = 255", "live sessions"),
    ("[policy]\nlock_after = 0", "lock_after"),
    ("[policy]\nresend = \"never\"", "resend"),
    (
        "[policy]\ndestination_sends = [\"0/10m\", \"10/1d\"]",
        "destination_sends",
    ),
    (
        "[policy]\ndestination_failures = [\"10/1d\", \"20/1h\"]",
        "destination_failures",
    ),
    ("[policy]\nsource_sends = \"many\"", "source_sends"),
    ("[policy]\nno_such_rule = 1", "no_such_rule"),
    ("no_such_key = 1", "no_such_key"),
    ("listen = \"everywhere\"", "listen"),
    ("listen = \"0.0.0.0:1\"", "dangerous_console"),
    ("production = true", "production"),
    ("public_url = \"ftp://example.com\"", "public_url"),
    ("trusted_proxies = [\"proxy\"]", "trusted_proxies"),
    ("[store]\nurl = \"mysql://x\"", "store.url"),
    ("[sms]\nvia = [\"twilio\"]", "twilio"),
    ("[sms]\nvia = [\"pigeon\"]", "pigeon"),
    ("[email]\nvia = [\"smtp\"]", "smtp.url"),
    ("[jwt]\nhs256_secret = \"short\"", "jwt.hs256_secret"),
    (
        "[[api_key]]\ntenant = \"a b\"\nscopes = [\"send\"]\nsha256 = \"00\"",
        "tenant",
    ),
];

/// That a server does not start so, says why, and leaves nothing behind.
pub(crate) fn refused(home: &Home, what: &str, field: &str) {
    let output = home.run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{what}: {said}");
    assert!(said.contains(field), "{what} does not name {field}: {said}");
    assert!(
        !home.path().join("data").exists(),
        "{what}: something was made"
    );
}

#[test]
fn a71_nonsense_in_the_file_refuses_to_start_and_names_the_field() {
    for (lines, field) in NONSENSE {
        // The listener comes from the file here.
        let home = Home::with_config(lines).without_listen(lines.starts_with("listen"));
        refused(&home, lines, field);
    }
}

/// That is no mistake: whoever restarts the server when it ends so may try again.
#[test]
fn a_store_that_is_not_up_yet_ends_the_start_otherwise_than_a_mistake() {
    let home = Home::with_config("[store]\nurl = \"redis://127.0.0.1:1\"\n");
    let secret = home.path().join("secret");
    write_secret(&secret);
    let home = home.env("COUNTERSIGN_SECRET_FILE", &secret.display().to_string());
    let output = home.run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot be reached"), "{said}");
}

#[test]
fn a71_nonsense_in_the_environment_refuses_to_start_and_names_the_variable() {
    for (name, value) in [
        ("COUNTERSIGN_POLICY__MAX_ATTEMPTS", "0"),
        ("COUNTERSIGN_POLICY__MAX_ATTEMPTS", "256"),
        ("COUNTERSIGN_POLICY__MAX_ATTEMPTS", "-1"),
        ("COUNTERSIGN_POLICY__LIFETIME_SECONDS", "0"),
        ("COUNTERSIGN_POLICY__LIFETIME_SECONDS", "inf"),
        ("COUNTERSIGN_POLICY__CODE_LENGTH", "1"),
        ("COUNTERSIGN_POLICY__CODE_LENGTH", "64"),
        ("COUNTERSIGN_POLICY__NO_SUCH_RULE", "1"),
        ("COUNTERSIGN_LISTEN_ON", "127.0.0.1:1"),
    ] {
        refused(
            &Home::empty().env(name, value),
            &format!("{name}={value}"),
            name,
        );
    }
}

#[test]
fn a71_a_file_is_overruled_by_the_environment() {
    let home = Home::with_config("[policy]\nmax_attempts = 0\n")
        .env("COUNTERSIGN_POLICY__MAX_ATTEMPTS", "3");
    let said = home.run_ok(&["check-config"]);
    assert!(said.contains("ok      configuration"), "{said}");
}
