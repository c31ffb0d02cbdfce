//! Messages: who is handed them, and what becomes of their sessions.

use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;

use super::scene::{Scene, number, tenant};
use crate::at_once::now;
use crate::{
    Channel, CheckRequest, Code, DeliverError, Deliverer, DeliveryMode, DeliveryOutcome,
    DeliveryState, Message, Opened, Permanent, Receipt, Report, ResendRequest, SendError,
    SendRequest, SessionId, SessionState, SessionView, Tenant, Verdict, Verifier,
};

/// Fails by the failures that it was given, in turns; then takes what comes.
#[derive(Debug, Default)]
struct Moody {
    failures: Mutex<Vec<DeliverError>>,
    handed: Mutex<Vec<(Channel, String, Option<String>)>>,
}

#[async_trait]
impl Deliverer for Moody {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let token = message.report_token.map(str::to_owned);
        let handed = (message.channel, message.message_id.to_owned(), token);
        self.handed.lock().unwrap().push(handed);
        match self.failures.lock().unwrap().pop() {
            Some(failure) => Err(failure),
            None => Ok(Receipt::new("moody")),
        }
    }
}

/// With a deliverer that fails like this, the first failure first.
fn moody(failures: &[DeliverError]) -> (Scene, Arc<Moody>) {
    let moody = Arc::new(Moody::default());
    let backwards = failures.iter().rev().copied();
    moody.failures.lock().unwrap().extend(backwards);
    let scene = Scene::with(|mut builder| {
        for channel in Channel::ALL {
            builder = builder.deliverer(channel, moody.clone());
        }
        builder
    });
    (scene, moody)
}

fn handed(moody: &Moody) -> Vec<Channel> {
    let handed = moody.handed.lock().unwrap();
    handed.iter().map(|(channel, ..)| *channel).collect()
}

/// What is told of a send by SMS and then voice, and how its session stands.
fn two_ways(scene: &Scene) -> (Result<Channel, (bool, DeliverError)>, SessionView) {
    let mut request = scene.request();
    request.fallbacks = &[Channel::Voice];
    match scene.try_send(&request) {
        Ok(sent) => (Ok(sent.channel), scene.status(&sent)),
        Err(SendError::Delivery {
            session_id,
            retryable,
            error,
        }) => {
            let id = session_id.to_string();
            let view = now(scene.verifier.status(&scene.tenant, &id)).unwrap();
            (Err((retryable, error)), view.unwrap())
        }
        Err(other) => panic!("{other}"),
    }
}

const LATER: DeliverError = DeliverError::transient();
const REFUSED: DeliverError = DeliverError::permanent(Permanent::Refused);
const NOBODY: DeliverError = DeliverError::permanent(Permanent::InvalidDestination);

#[test]
fn the_next_channel_is_tried_when_the_first_did_not_take_it() {
    for failure in [LATER, REFUSED] {
        let (scene, moody) = moody(&[failure]);
        let (told, view) = two_ways(&scene);
        assert_eq!(told, Ok(Channel::Voice));
        assert_eq!(
            (view.channel, view.delivery),
            (Channel::Voice, DeliveryState::Accepted)
        );
        assert_eq!(view.sends, 1);
        assert_eq!(handed(&moody), [Channel::Sms, Channel::Voice]);
    }
}

#[test]
fn no_other_is_when_the_message_may_have_left_or_nobody_is_there() {
    for (failure, state, delivery) in [
        (
            LATER.may_have_left(),
            SessionState::Live,
            DeliveryState::Unknown,
        ),
        (
            REFUSED.may_have_left(),
            SessionState::Live,
            DeliveryState::Unknown,
        ),
        (NOBODY, SessionState::Undeliverable, DeliveryState::Failed),
    ] {
        let (scene, moody) = moody(&[failure]);
        let (told, view) = two_ways(&scene);
        assert_eq!(told, Err((failure.is_transient(), failure)));
        assert_eq!(
            (view.state, view.delivery),
            (state, delivery),
            "{failure:?}"
        );
        assert_eq!(handed(&moody), [Channel::Sms]);
    }
}

/// Of two failures that one is told by which a resend makes sense.
#[test]
fn when_both_fail_the_better_failure_is_told() {
    for (first, second, told, state) in [
        (LATER, REFUSED, LATER, SessionState::Live),
        (REFUSED, LATER, LATER, SessionState::Live),
        (REFUSED, NOBODY, NOBODY, SessionState::Undeliverable),
        (LATER, NOBODY, LATER, SessionState::Live),
        (
            LATER,
            REFUSED.may_have_left(),
            REFUSED.may_have_left(),
            SessionState::Live,
        ),
    ] {
        let (scene, moody) = moody(&[first, second]);
        let (failed, view) = two_ways(&scene);
        assert_eq!(failed, Err((told.is_transient(), told)));
        assert_eq!((view.state, view.channel), (state, Channel::Voice));
        assert_eq!(handed(&moody), [Channel::Sms, Channel::Voice]);
    }
}

/// Does something to the session that it was handed a message of, and fails.
#[derive(Debug)]
struct Meddler {
    does: fn(&Verifier, &Tenant, &SessionId),
    /// The verifier that calls it.
    verifier: OnceLock<Verifier>,
    handed: Mutex<Vec<Channel>>,
}

#[async_trait]
impl Deliverer for Meddler {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        self.handed.lock().unwrap().push(message.channel);
        let verifier = self.verifier.get().unwrap();
        let (tenant, to) = (tenant(message.tenant), message.destination);
        let seen = verifier.inspect(&tenant, to).await.unwrap();
        let id = verifier.session_id(&tenant, to, &seen.sessions[0]);
        (self.does)(verifier, &tenant, &id.unwrap());
        Err(DeliverError::transient())
    }
}

/// By which channels the message was tried.
fn tried(does: fn(&Verifier, &Tenant, &SessionId)) -> Vec<Channel> {
    let (verifier, handed) = (OnceLock::new(), Mutex::default());
    let meddler = Arc::new(Meddler {
        does,
        verifier,
        handed,
    });
    let scene = Scene::with(|mut builder| {
        for channel in Channel::ALL {
            builder = builder.deliverer(channel, meddler.clone());
        }
        builder
    });
    meddler.verifier.set(scene.verifier.clone()).unwrap();
    let (told, _) = two_ways(&scene);
    assert!(told.is_err());
    let handed = meddler.handed.lock().unwrap();
    handed.clone()
}

#[test]
fn nothing_leaves_by_the_next_channel_for_a_session_that_is_over() {
    assert_eq!(tried(|_, _, _| ()), [Channel::Sms, Channel::Voice]);
    let cancelled = tried(|verifier, tenant, id| {
        now(verifier.cancel(tenant, &id.to_string())).unwrap();
    });
    assert_eq!(cancelled, [Channel::Sms]);
    let guessed_away = tried(|verifier, tenant, id| {
        let id = id.to_string();
        // One of ten may be right, and ends the session as well.
        for digit in 0..10 {
            let code = format!("00000{digit}");
            let _any = now(verifier.check(&CheckRequest::new(tenant, &id, &code)));
        }
    });
    assert_eq!(guessed_away, [Channel::Sms]);
}

#[test]
fn a_message_has_one_id_and_each_message_another() {
    let (scene, moody) = moody(&[]);
    let sent = scene.send();
    scene.clock.advance_secs(30);
    let again = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    scene.try_resend(&again).unwrap();
    scene.send();
    let handed = moody.handed.lock().unwrap();
    let mut ids: Vec<_> = handed.iter().map(|(_, id, _)| id.as_str()).collect();
    assert!(ids.iter().all(|id| id.len() == 16), "{ids:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_report_moves_the_session_of_its_own_message_only() {
    let (scene, moody) = moody(&[]);
    let sent = scene.send();
    scene.clock.advance_secs(30);
    let again = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    scene.try_resend(&again).unwrap();
    let tokens: Vec<_> = {
        let handed = moody.handed.lock().unwrap();
        handed
            .iter()
            .map(|(.., token)| token.clone().unwrap())
            .collect()
    };
    let report = |token: &str, outcome| {
        let token = token.to_owned();
        now(scene.verifier.report(&Report { token, outcome })).unwrap()
    };
    assert_eq!(report("rep_none", DeliveryOutcome::Failed), None);
    let late = report(&tokens[0], DeliveryOutcome::Failed).unwrap();
    assert_eq!(late.delivery, DeliveryState::Accepted);
    let arrived = report(&tokens[1], DeliveryOutcome::Delivered).unwrap();
    assert_eq!(
        (arrived.delivery, arrived.status()),
        (DeliveryState::Delivered, "delivered")
    );
    let denied = report(&tokens[1], DeliveryOutcome::Failed).unwrap();
    assert_eq!(denied.delivery, DeliveryState::Delivered);
}

#[test]
fn a_decoy_reaches_nobody_and_no_code_is_its() {
    let code = "707070";
    let scene = Scene::new();
    let mut request = scene.request();
    request.decoy = true;
    request.delivery = DeliveryMode::Background;
    request.custom_code = Code::from_custom(code).ok();
    let sent = scene.try_send(&request).unwrap();
    assert!(scene.inbox.is_empty());
    assert_eq!(scene.status(&sent).delivery, DeliveryState::Accepted);
    let attempts_remaining = 4;
    assert_eq!(
        scene.check(&sent, code),
        Verdict::WrongCode { attempts_remaining }
    );
    scene.clock.advance_secs(30);
    let mut again = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    again.delivery = DeliveryMode::Background;
    assert!(scene.try_resend(&again).is_ok());
    assert!(scene.inbox.is_empty());
}

#[test]
fn a_message_that_was_not_delivered_yet_is_its_caller_s() {
    let scene = Scene::new();
    let Opened::Pending(pending) = now(scene.verifier.open(&scene.request())).unwrap() else {
        panic!("nothing was answered before");
    };
    assert!(!pending.is_test());
    assert_eq!(
        scene.status(pending.sent()).delivery,
        DeliveryState::Unknown
    );
    assert!(scene.inbox.is_empty());
    let sent = now(pending.deliver()).unwrap();
    assert_eq!(scene.status(&sent).delivery, DeliveryState::Accepted);
    let message = scene.inbox.messages().remove(0);
    assert_eq!(message.destination, number(1).exact());
    assert_eq!((message.channel, message.expires_in), (Channel::Sms, 300));
}

#[test]
fn a_message_to_a_test_destination_says_so() {
    let code = Code::from_custom("918273").unwrap();
    let scene = Scene::with(|builder| builder.test_destination(number(1), code));
    let Opened::Pending(pending) = now(scene.verifier.open(&scene.request())).unwrap() else {
        panic!("nothing was answered before");
    };
    assert!(pending.is_test());
    let sent = now(pending.deliver()).unwrap();
    assert!(scene.inbox.is_empty());
    assert!(scene.check(&sent, "918273").is_verified());
}

#[test]
fn the_later_of_two_codes_for_one_test_destination_is_its_code() {
    let code = |text| Code::from_custom(text).unwrap();
    let scene = Scene::with(|builder| {
        builder
            .test_destination(number(1), code("111111"))
            .test_destination(number(2), code("222222"))
            .test_destination(number(1), code("333333"))
    });
    for (n, right) in [(1, "333333"), (2, "222222")] {
        let to = number(n);
        let request = SendRequest::new(&scene.tenant, Channel::Sms, &to);
        let sent = scene.try_send(&request).unwrap();
        assert!(scene.check(&sent, right).is_verified(), "{n}");
        let id = sent.session_id.to_string();
        let of = |tenant| scene.verifier.test_destination_of(tenant, &id);
        assert_eq!(of(&scene.tenant), Some(&to));
        assert_eq!(of(&tenant("stranger")), None);
    }
    let to = number(3);
    let request = SendRequest::new(&scene.tenant, Channel::Sms, &to);
    let real = scene.try_send(&request).unwrap().session_id.to_string();
    assert_eq!(
        scene.verifier.test_destination_of(&scene.tenant, &real),
        None
    );
}

#[test]
fn what_the_caller_wants_in_the_message_is_in_it() {
    #[derive(Debug)]
    struct Reads(Mutex<String>);

    #[async_trait]
    impl Deliverer for Reads {
        async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
            *self.0.lock().unwrap() = format!(
                "{} {} {:?} {:?} {:?}",
                message.tenant, message.purpose, message.locale, message.app_hash, message.origin
            );
            Ok(Receipt::new("reads"))
        }
    }

    let reads = Arc::new(Reads(Mutex::default()));
    let scene = Scene::with(|builder| builder.deliverer(Channel::Sms, reads.clone()));
    let mut request = scene.request();
    request.locale = Some("nb");
    request.app_hash = Some("FA+9qCX9VSu");
    request.origin = Some("example.com");
    let sent = scene.try_send(&request).unwrap();
    let all = "acme verify Some(\"nb\") Some(\"FA+9qCX9VSu\") Some(\"example.com\")";
    assert_eq!(*reads.0.lock().unwrap(), all);
    scene.clock.advance_secs(30);
    let mut again = ResendRequest::new(&scene.tenant, sent.session_id, &scene.to);
    again.locale = Some("en");
    again.app_hash = Some("01234567890");
    again.origin = Some("a.example");
    scene.try_resend(&again).unwrap();
    let all = "acme verify Some(\"en\") Some(\"01234567890\") Some(\"a.example\")";
    assert_eq!(*reads.0.lock().unwrap(), all);
}
