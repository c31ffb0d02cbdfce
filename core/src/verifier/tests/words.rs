//! Options that are words, at their bounds.

use super::scene::{Scene, change, number};
use crate::code::{Alphabet, Code, CodeForm};
use crate::verifier::options::validate_words;
use crate::{
    Callback, Channel, CheckRequest, DeliveryMode, DeliveryOutcome, Report, SendError, SendRequest,
    Verdict,
};

fn refused(answer: &Result<impl Sized, SendError>) -> &'static str {
    match answer {
        Err(SendError::Option { option, .. }) => option,
        _ => "",
    }
}

#[test]
fn a_language_tag_has_parts_of_1_to_8_letters_or_digits_and_35_characters() {
    let of = |tag: &str| refused(&validate_words(Some(tag), None, None));
    let longest = format!("{}-{}-{}-1234567", "a2345678", "b2345678", "c2345678");
    assert_eq!(longest.len(), 34);
    for tag in [
        "e",
        "en",
        "nb",
        "pt-BR",
        "zh-Hant-TW",
        &longest,
        &format!("{longest}8"),
    ] {
        assert_eq!(of(tag), "", "{tag}");
    }
    let too_long = format!("{longest}-8");
    assert_eq!(too_long.len(), 36);
    for tag in [
        "",
        "-",
        "en-",
        "-en",
        "en--US",
        "en_US",
        "a23456789",
        "é",
        "en US",
        &too_long,
    ] {
        assert_eq!(of(tag), "locale", "{tag}");
    }
}

#[test]
fn an_app_hash_has_11_characters_of_base64() {
    let of = |hash: &str| refused(&validate_words(None, Some(hash), None));
    for hash in ["FA+9qCX9VSu", "01234567890", "///////////"] {
        assert_eq!(of(hash), "", "{hash}");
    }
    for hash in [
        "",
        "FA+9qCX9VS",
        "FA+9qCX9VSu1",
        "FA+9qCX9VS=",
        "FA-9qCX9VSu",
        "FA 9qCX9VSu",
    ] {
        assert_eq!(of(hash), "app_hash", "{hash}");
    }
}

#[test]
fn an_origin_is_a_domain_of_at_most_253_characters() {
    let of = |origin: &str| refused(&validate_words(None, None, Some(origin)));
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", &label[..61]);
    assert_eq!(longest.len(), 253);
    for origin in ["example.com", "a.b", "x-1.example", "1.2", &longest] {
        assert_eq!(of(origin), "", "{origin}");
    }
    let long_label = format!("{label}a.com");
    let too_long = format!("{longest}a");
    for origin in [
        "",
        "example",
        "Example.com",
        "-a.com",
        "a-.com",
        "a..com",
        ".com",
        "com.",
        "a_b.com",
        "a b.com",
        "https://a.com",
        "é.com",
        &long_label,
        &too_long,
    ] {
        assert_eq!(of(origin), "origin", "{origin}");
    }
}

/// What is refused has sent nothing and left nothing behind.
#[test]
fn options_that_make_no_sense_are_refused_by_name_before_anything_is_stored() {
    const KEY: &str = "0123456789abcdef";
    let scene = Scene::new();
    let long_key = KEY.repeat(16);
    let long_binding = [0; 1025];
    for (name, change) in [
        ("decoy", change(|request| request.decoy = true)),
        (
            "ttl_seconds",
            change(|request| request.ttl_seconds = Some(0)),
        ),
        (
            "idempotency_key",
            change(|request| request.idempotency_key = Some("")),
        ),
        (
            "idempotency_key",
            change(|request| request.idempotency_key = Some("a b")),
        ),
        ("locale", change(|request| request.locale = Some("e_"))),
        (
            "app_hash",
            change(|request| request.app_hash = Some("short")),
        ),
        ("origin", change(|request| request.origin = Some("nowhere"))),
        (
            "channel",
            change(|request| request.fallbacks = &[Channel::Sms]),
        ),
        (
            "channel",
            change(|request| request.fallbacks = &[Channel::Voice, Channel::Voice]),
        ),
        (
            "custom_code",
            change(|request| {
                request.custom_code = Code::from_custom("123456").ok();
                request.form = CodeForm::new(6, Alphabet::Digits).ok();
            }),
        ),
    ] {
        let mut request = scene.request();
        change(&mut request);
        assert_eq!(refused(&scene.try_send(&request)), name);
    }
    let mut request = scene.request();
    request.idempotency_key = Some(&long_key);
    assert_eq!(refused(&scene.try_send(&request)), "idempotency_key");
    let mut request = scene.request();
    request.binding = Some(&long_binding);
    assert_eq!(refused(&scene.try_send(&request)), "binding");
    assert_eq!((scene.records(), scene.inbox.len()), (0, 0));
}

#[test]
fn options_at_their_bounds_are_taken() {
    let scene = Scene::new();
    let (longest_key, longest_binding) = ("k".repeat(255), [0; 1024]);
    let mut request = scene.request();
    request.ttl_seconds = Some(1);
    request.idempotency_key = Some(&longest_key);
    request.binding = Some(&longest_binding);
    assert_eq!(scene.try_send(&request).unwrap().expires_in, 1);
    let other = number(2);
    let mut request = SendRequest::new(&scene.tenant, Channel::Sms, &other);
    request.decoy = true;
    request.delivery = DeliveryMode::Background;
    assert!(scene.try_send(&request).is_ok());
    assert_eq!(scene.inbox.len(), 1, "a decoy is sent to nobody");
}

#[test]
fn a_code_s_form_is_the_request_s_else_the_policy_s() {
    let scene = Scene::new();
    let form = CodeForm::new(8, Alphabet::Alphanumeric).unwrap();
    assert_eq!(scene.send().form, CodeForm::SIX_DIGITS);
    let mut request = scene.request();
    request.form = Some(form);
    assert_eq!(scene.try_send(&request).unwrap().form, form);
    assert_eq!(scene.code().len(), 8);
    let mut request = scene.request();
    request.custom_code = Code::from_custom("70707").ok();
    let sent = scene.try_send(&request).unwrap();
    assert_eq!((sent.form.length(), scene.code().as_str()), (5, "70707"));
    assert!(scene.check(&sent, "70707").is_verified());
}

/// They are in APIs, metrics and databases: none may change.
#[test]
fn names_are_stable() {
    use crate::{DeliveryState as D, LimitName as L, SentDelivery as S, SessionState as N};
    let states = [
        N::Live,
        N::Verified,
        N::Exhausted,
        N::Expired,
        N::Cancelled,
        N::Undeliverable,
    ];
    assert_eq!(
        states.map(N::name),
        [
            "live",
            "verified",
            "exhausted",
            "expired",
            "cancelled",
            "undeliverable"
        ]
    );
    let deliveries = [D::Unknown, D::Accepted, D::Failed, D::Delivered];
    assert_eq!(
        deliveries.map(D::name),
        ["unknown", "accepted", "failed", "delivered"]
    );
    let sent = [S::Accepted, S::Background, S::Unknown];
    assert_eq!(sent.map(S::name), ["accepted", "background", "unknown"]);
    assert_eq!(Channel::ALL.map(Channel::name), ["sms", "voice", "email"]);
    let limits = [
        (L::DestinationSends, "destination_sends"),
        (L::LiveSessions, "live_sessions"),
        (L::ResendCooldown, "resend_cooldown"),
        (L::SessionSends, "session_sends"),
        (L::SourceSends, "source_sends"),
        (L::NetworkSends, "network_sends"),
        (L::SourceChecks, "source_checks"),
        (L::TenantSends, "tenant_sends"),
        (L::PrefixSends, "prefix_sends"),
        (L::PrefixConversion, "prefix_conversion"),
        (L::TenantSpend, "tenant_spend"),
        (L::TotalSpend, "total_spend"),
    ];
    for (limit, name) in limits {
        assert_eq!(limit.as_str(), name);
    }
}

#[test]
fn each_verdict_has_its_reason_and_what_is_left() {
    let attempts_remaining = 3;
    let channel = Channel::Sms;
    let retry_after = 60;
    for (verdict, reason, left) in [
        (Verdict::Verified { channel }, "verified", 0),
        (Verdict::WrongCode { attempts_remaining }, "wrong_code", 3),
        (Verdict::Exhausted, "too_many_attempts", 0),
        (Verdict::Malformed { attempts_remaining }, "malformed", 3),
        (Verdict::Expired, "expired", 0),
        (Verdict::AlreadyUsed, "already_used", 0),
        (Verdict::Cancelled, "cancelled", 0),
        (Verdict::Undeliverable, "undeliverable", 0),
        (
            Verdict::Throttled {
                retry_after,
                attempts_remaining,
            },
            "throttled",
            3,
        ),
        (Verdict::Locked { attempts_remaining }, "locked", 3),
        (Verdict::Unknown, "unknown", 0),
    ] {
        let seen = (verdict.reason(), verdict.attempts_remaining());
        assert_eq!(seen, (reason, left));
        assert_eq!(verdict.is_verified(), reason == "verified");
    }
}

#[test]
fn a_callback_s_header_is_found_by_its_name_and_nothing_of_it_shows() {
    let callback = Callback {
        url: "https://example.com/?token=rep_secret",
        headers: &[("x-a", "1"), ("x-b", "2"), ("x-b", "3")],
        body: b"secret",
    };
    assert_eq!(callback.header("x-b"), Some("2"));
    assert_eq!(callback.header("x-c"), None);
    assert_eq!(format!("{callback:?}"), "Callback { .. }");
    let (token, outcome) = ("rep_secret".to_owned(), DeliveryOutcome::Failed);
    let shown = format!("{:?}", Report { token, outcome });
    assert_eq!(shown, "Report { outcome: Failed, .. }");
}

#[test]
fn a_session_id_shows_as_what_it_is() {
    let scene = Scene::new();
    let id = scene.send().session_id;
    assert_eq!(format!("{id:?}"), id.to_string());
    assert_eq!(id.to_string().len(), 28);
}

#[test]
fn a_guess_does_not_show() {
    let scene = Scene::new();
    let request = CheckRequest::new(&scene.tenant, "sess_x", "918273");
    let shown = format!("{request:?}");
    assert!(
        shown.contains("acme") && shown.contains("sess_x"),
        "{shown}"
    );
    assert!(!shown.contains("918273"), "{shown}");
}
