//! Money, prefixes and test destinations.

use super::refusal;
use crate::config::Config;

#[test]
fn money_and_prefixes_are_read_exactly_and_tried_dry() {
    let config = Config::of(
        "[sms]\nvia = [\"webhook\"]\n[policy]\ntenant_daily_spend = \"25.5\"\n\
         prefix_sends = \"40/1h\"\nprefix_conversion = \"20%/30\"\ndry_run = [\"prefix_sends\"]",
    );
    let policy = config.unwrap().policy;
    assert_eq!(policy.tenant_daily_spend_micros, Some(25_500_000));
    assert_eq!(policy.total_daily_spend_micros, None);
    let conversion = policy.prefix_conversion.unwrap();
    assert_eq!((conversion.percent, conversion.messages), (20, 30));
    assert_eq!(policy.prefix_sends_mode, countersign::Mode::Report);
    assert_eq!(policy.spend_mode, countersign::Mode::Enforce);
    for (line, field) in [
        ("tenant_daily_spend = \"much\"", "tenant_daily_spend"),
        ("tenant_daily_spend = \"0\"", "policy.tenant_daily_spend"),
        ("prefix_conversion = \"half\"", "prefix_conversion"),
        ("prefix_conversion = \"10%/5\"", "policy.prefix_conversion"),
        ("dry_run = [\"everything\"]", "dry_run"),
    ] {
        let said = refusal(&format!("[policy]\n{line}"), &[]);
        assert!(said.contains(field), "{said}");
    }
}

#[test]
fn a_test_destination_shows_neither_number_nor_code_and_is_none_in_production() {
    let text = "[[test_destination]]\nto = \"+4740000001\"\ncode = \"918273\"";
    let config = Config::of(text).unwrap();
    assert_eq!(config.test_destinations.len(), 1);
    let shown = format!("{config:?}");
    assert!(
        !shown.contains("4740000001") && !shown.contains("918273"),
        "{shown}"
    );
    let said = refusal(&format!("production = true\n{text}"), &[]);
    assert!(said.starts_with("test_destination"), "{said}");
    let said = refusal(&text.replace("918273", "91"), &[]);
    assert!(
        said.starts_with("test_destination.code") && !said.contains("91:"),
        "{said}"
    );
}
