mod kinds;
mod money;
mod store;

use std::ffi::OsString;

use countersign::{Limit, ResendPolicy};

use super::*;

impl Config {
    /// The configuration that a file of `text` alone makes.
    pub(crate) fn of(text: &str) -> Result<Self, ConfigError> {
        with(text, &[])
    }
}

fn with(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables = variables
        .iter()
        .map(|(name, value)| (OsString::from(name), value.into()));
    Config::layered(Some(&file::File::of("countersign.toml", text)), variables)
}

fn refusal(text: &str, variables: &[(&str, &str)]) -> String {
    with(text, variables).map(drop).unwrap_err().to_string()
}

#[test]
fn nothing_at_all_is_a_configuration() {
    let config = Config::layered(None, []).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.admin_listen.to_string(), "127.0.0.1:9464");
    assert_eq!(config.store.url.to_string(), "sqlite:./data/countersign.db");
    assert!(!config.production && config.only_console());
    assert_eq!(config.routes.len(), 3);
    assert_eq!(config.policy, Policy::for_console());
}

#[test]
fn the_environment_weighs_more_than_the_file_and_the_file_more_than_the_default() {
    let text = "listen = \"127.0.0.1:1000\"\n[policy]\nmax_attempts = 4\ncode_length = 7";
    let variables = [
        ("COUNTERSIGN_LISTEN", "127.0.0.1:2000"),
        ("COUNTERSIGN_POLICY__MAX_ATTEMPTS", "3"),
        ("COUNTERSIGN_PRODUCTION", "true"),
        ("COUNTERSIGN_EMAIL__VIA", "smtp, console"),
        ("COUNTERSIGN_TRUSTED_PROXIES", "10.0.0.0/8,fd00::/8"),
        ("COUNTERSIGN_MESSAGES__BRAND", "42"),
        ("COUNTERSIGN_POLICY__DESTINATION_SENDS", "6/10m,12/1d"),
        ("PATH", "/bin"),
    ];
    let config = with(text, &variables).unwrap();
    assert_eq!(config.listen.port(), 2000);
    assert_eq!(config.policy.max_attempts, 3);
    assert_eq!(config.policy.code.length(), 7);
    assert_eq!(config.policy.lifetime_seconds, 300);
    assert!(config.production);
    assert_eq!(config.messages.brand, "42", "text stays text");
    assert_eq!(config.trusted_proxies.len(), 2);
    let email = config
        .routes
        .iter()
        .find(|route| route.channel.name() == "email")
        .unwrap();
    assert_eq!(email.via, [Provider::Smtp, Provider::Console]);
    let sends = [Limit::new(6, 600), Limit::new(12, 24 * 3600)];
    assert_eq!(config.policy.destination.sends, sends);
}

#[test]
fn an_unknown_key_is_named_with_file_and_line() {
    let sentence = refusal(
        "production = false\n\n[policy]\n# fewer\nmax_atempts = 3\n",
        &[],
    );
    assert!(
        sentence.starts_with("policy.max_atempts (countersign.toml line 5): unknown field"),
        "{sentence}"
    );
    let sentence = refusal("[sotre]\nurl = \"memory:\"", &[]);
    assert!(
        sentence.contains("line 1") && sentence.contains("sotre"),
        "{sentence}"
    );
    let sentence = refusal("listen = \"127.0.0.1:1\"\nlisten", &[]);
    assert!(sentence.contains("countersign.toml line 2"), "{sentence}");
}

#[test]
fn an_unknown_variable_is_named() {
    for name in [
        "COUNTERSIGN_LISTENN",
        "COUNTERSIGN_POLICY__NONE",
        "COUNTERSIGN_STORE_URL",
    ] {
        let sentence = refusal("", &[(name, "1")]);
        assert!(
            sentence.contains(name) && sentence.contains("unknown field"),
            "{sentence}"
        );
    }
    let not_ours = [
        ("VERIFY_API_KEY", "x"),
        ("JWT_TOKEN", "x"),
        ("COUNTERSIGN_LONG", "1"),
        ("COUNTERSIGN_PYTHON", "python3"),
        ("COUNTERSIGN_LOG", "debug"),
        ("COUNTERSIGN_CONFIG", "x.toml"),
        ("COUNTERSIGN_TEST_ROUNDS", "9"),
    ];
    with("", &not_ours).unwrap();
}

#[test]
fn a_bad_value_is_named_where_it_was_set() {
    let sentence = refusal("[policy]\ncode_length = 3", &[]);
    assert!(
        sentence.starts_with("policy.code_length (countersign.toml line 2): 3"),
        "{sentence}"
    );
    let sentence = refusal("", &[("COUNTERSIGN_LISTEN", "here")]);
    assert!(
        sentence.starts_with("listen (COUNTERSIGN_LISTEN): "),
        "{sentence}"
    );
    let sentence = refusal(
        "[policy]\ncode_length = 5",
        &[("COUNTERSIGN_POLICY__CODE_LENGTH", "3")],
    );
    assert!(
        sentence.contains("(COUNTERSIGN_POLICY__CODE_LENGTH)"),
        "{sentence}"
    );
}

#[test]
fn a71_nonsense_in_the_policy_stops_the_start_and_names_the_field() {
    for (key, values) in [
        (
            "max_attempts",
            &["0", "256", "-1", "5.5", "inf", "\"5\"", "[5]", "true"] as &[&str],
        ),
        (
            "lifetime_seconds",
            &[
                "0",
                "-300",
                "300.0",
                "inf",
                "\"300\"",
                "4294967296",
                "100000",
            ],
        ),
        (
            "code_length",
            &["0", "1", "3", "11", "64", "256", "-6", "6.0", "\"six\""],
        ),
        ("max_sends", &["0", "256", "-1"]),
        ("phone_ceiling_seconds", &["0", "601", "-1"]),
        ("email_ceiling_seconds", &["0", "86401", "-1"]),
        ("live_sessions", &["0", "256"]),
        ("lock_after", &["0", "65536"]),
        ("resend", &["\"keep-last-4\"", "\"keep-last-0\"", "3"]),
        (
            "destination_sends",
            &[
                "[]",
                "[\"5/1m\", \"6/1h\", \"7/1d\"]",
                "[\"0/10m\"]",
                "[\"5\", \"6\"]",
                "[\"5/1d\", \"9/10m\"]",
                "[\"5/32d\"]",
                "5",
            ],
        ),
        ("known_device_failures", &["[\"5/1d\", \"9/10m\"]"]),
        ("known_device_live_sessions", &["0"]),
        (
            "source_sends",
            &[
                "\"70000/1h\"",
                "\"1/0s\"",
                "\"-1/1h\"",
                "\"1/1000000d\"",
                "0",
            ],
        ),
    ] {
        for value in values {
            let sentence = refusal(&format!("[policy]\n{key} = {value}"), &[]);
            let named = format!("policy.{key} (countersign.toml line 2): ");
            assert!(sentence.starts_with(&named), "{key} = {value}: {sentence}");
        }
    }
}

#[test]
fn a71_nonsense_in_the_environment_stops_the_start_and_names_the_variable() {
    for value in ["0", "256", "-1", "5.5", "inf", "five", "", "1,2"] {
        let sentence = refusal("", &[("COUNTERSIGN_POLICY__MAX_ATTEMPTS", value)]);
        let named = "policy.max_attempts (COUNTERSIGN_POLICY__MAX_ATTEMPTS): ";
        assert!(sentence.starts_with(named), "{value:?}: {sentence}");
    }
}

#[test]
fn every_secret_comes_from_a_file_too_but_not_from_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "a secret of more than thirty-two bytes\n").unwrap();
    let shown = path.display();
    let config = Config::of(&format!("[smtp]\npassword_file = \"{shown}\"")).unwrap();
    let password = config.smtp.unwrap().password.unwrap();
    assert_eq!(password.reveal(), "a secret of more than thirty-two bytes");

    let from_environment = [("COUNTERSIGN_JWT__HS256_SECRET_FILE", path.to_str().unwrap())];
    let JwtKey::Hs256(secret) = with("", &from_environment).unwrap().jwt.key else {
        panic!("the secret is read");
    };
    assert_eq!(secret.reveal(), "a secret of more than thirty-two bytes");

    for (field, section) in [
        ("smtp.password", "[smtp]\npassword = \"p\""),
        ("jwt.hs256_secret", "[jwt]\nhs256_secret = \"h\""),
        ("twilio.auth_token", "[twilio]\nauth_token = \"t\""),
        ("vonage.api_secret", "[vonage]\napi_secret = \"v\""),
        (
            "vonage.signature_secret",
            "[vonage]\nsignature_secret = \"v\"",
        ),
        ("vonage.private_key", "[vonage]\nprivate_key = \"v\""),
        ("sns.secret_access_key", "[sns]\nsecret_access_key = \"v\""),
        ("smpp.password", "[smpp]\npassword = \"v\""),
        ("webhook.secret", "[webhook]\nsecret = \"v\""),
        ("webhook.older_secret", "[webhook]\nolder_secret = \"v\""),
        ("store.url", "[store]\nurl = \"memory:\""),
        (
            "store.sentinel_password",
            "[store]\nurl = \"redis+sentinel://h/m\"\nsentinel_password = \"p\"",
        ),
    ] {
        let variable = format!(
            "COUNTERSIGN_{}_FILE",
            field.replace('.', "__").to_uppercase()
        );
        let sentence = refusal(section, &[(&variable, path.to_str().unwrap())]);
        assert!(
            sentence.starts_with(field) && sentence.contains("set one of them"),
            "{sentence}"
        );
    }
    let sentence = refusal("[smtp]\npassword_file = \"/nowhere/at/all\"", &[]);
    assert!(
        sentence.starts_with("smtp.password_file (countersign.toml line 2): "),
        "{sentence}"
    );
}

#[test]
fn no_error_and_no_debug_output_quotes_a_secret() {
    for (text, hidden) in [
        ("[smtp]\npassword = 31415926", "31415926"),
        ("[jwt]\nhs256_secret = \"31415926\"", "31415926"),
        ("[smtp]\npassword = \"31415926\" x", "31415926"),
        ("[store]\nurl = \"http://:31415926@localhost\"", "31415926"),
    ] {
        let sentence = refusal(text, &[]);
        assert!(!sentence.contains(hidden), "{sentence}");
    }
    let text = "[smtp]\npassword = \"31415926\"\n\
                [store]\nurl = \"rediss+cluster://cs:31415926@a:1,b:2?x=31415926\"";
    let config = Config::of(text).unwrap();
    assert!(!format!("{config:?}").contains("31415926"));
    assert_eq!(config.store.url.to_string(), "rediss+cluster://a:1,b:2");
}

#[test]
fn a_deliverer_that_cannot_carry_a_channel_is_told_with_those_that_can() {
    for (text, sentence) in [
        (
            "[sms]\nvia = [\"smtp\"]",
            "smtp carries no sms: set some of twilio, vonage, sns, smpp, webhook, console",
        ),
        (
            "[voice]\nvia = [\"sns\"]",
            "sns carries no voice: set some of twilio, vonage, webhook, console",
        ),
        (
            "[email]\nvia = [\"twilio\"]",
            "twilio carries no email: set some of smtp, webhook, console",
        ),
    ] {
        let said = refusal(text, &[]);
        assert!(said.contains(sentence), "{said}");
    }
    for text in ["[sms]\nvia = [\"smtp\"]", "[email]\nvia = [\"pigeon\"]"] {
        let sentence = refusal(text, &[]);
        assert!(
            sentence.contains(".via (countersign.toml line 2)"),
            "{sentence}"
        );
    }
}

#[test]
fn the_same_code_again_needs_its_dangerous_name_in_production() {
    let reuse = |name: &str| format!("[policy]\nresend = \"{name}\"");
    assert_eq!(
        Config::of(&reuse("reuse")).unwrap().policy.resend,
        ResendPolicy::Reuse
    );
    let sentence = refusal(&format!("production = true\n{}", reuse("reuse")), &[]);
    assert!(
        sentence.starts_with("policy.resend (countersign.toml line 3)"),
        "{sentence}"
    );
    let named = format!("production = true\n{}", reuse("dangerous_reuse"));
    assert_eq!(
        Config::of(&named).unwrap().policy.resend,
        ResendPolicy::Reuse
    );
    assert_eq!(
        Config::of(&reuse("keep-last-3")).unwrap().policy.resend,
        ResendPolicy::KeepLast(3)
    );
}

#[test]
fn limits_are_the_real_ones_as_soon_as_a_message_costs() {
    let config = Config::of("[sms]\nvia = [\"twilio\"]").unwrap();
    assert!(!config.only_console());
    assert_eq!(config.policy, Policy::default());
    // Nobody is paid by codes in the terminal, so none needs to be answered.
    let config = Config::of("[email]\nvia = [\"smtp\"]\n[sms]\nvia = [\"console\"]");
    let mut expected = Policy::default();
    expected.prefix_conversion = None;
    assert_eq!(config.unwrap().policy, expected);
}

#[test]
fn static_keys_are_a_tenant_scopes_and_a_hash() {
    let hash = "ab".repeat(32);
    let key = |scopes: &str, hash: &str| {
        format!("[[api_key]]\ntenant = \"acme\"\nscopes = {scopes}\nsha256 = \"{hash}\"")
    };
    let config = Config::of(&key("[\"send\", \"check\"]", &hash)).unwrap();
    assert_eq!(config.api_keys[0].sha256, [0xab; 32]);
    for (text, field) in [
        (key("[]", &hash), "api_key.scopes"),
        (key("[\"root\"]", &hash), "api_key.scopes"),
        (key("[\"send\"]", "abc"), "api_key.sha256"),
        (key("[\"send\"]", &"zz".repeat(32)), "api_key.sha256"),
    ] {
        let sentence = refusal(&text, &[]);
        assert!(sentence.starts_with(field), "{sentence}");
    }
}
