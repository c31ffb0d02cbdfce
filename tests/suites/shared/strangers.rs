//! A34, A43, A44, A45, A47, A49, A50, A51, A69: what a stranger does to somebody else's number, and
//! what he learns of it.

use countersign::Stopwatch;
use serde_json::{Value, json};

use super::caller::{Answer, Caller, wrong};
use super::fleet::{Fleet, SERVERS, Session};
use super::four_servers::{each_round, rounds};
use crate::parts::dice::Dice;
use crate::parts::long::progress;

/// Ids of the form of a live one, which somebody makes up: none names a session.
pub(crate) async fn a34_made_up_ids_name_nothing(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a34"), Stopwatch::start());
    let live = fleet.send(&caller, 0, "+4746000000").await;
    let mut dice = Dice::seeded(34);
    for round in each_round("a34") {
        for at in 0..SERVERS {
            let id = made_up(&live.id, &mut dice);
            let made_up = Session { id, ..live.clone() };
            let answer = caller.check(at, &made_up, &live.code).await;
            assert_eq!(answer, Answer::NotFound, "{}, {round}", fleet.kind);
        }
    }
    assert_eq!(caller.charged(&live).await, 0, "{}", fleet.kind);
    let right = caller.check(1, &live, &live.code).await;
    assert_eq!(right, Answer::Verified, "{}", fleet.kind);
    let tried = format!("{} made-up ids with a live code", SERVERS * rounds());
    fleet.tell("a34", &tried, "0 hits, 0 charges", &clock);
}

/// Another id of the same key, which names nothing.
pub(crate) fn made_up(live: &str, dice: &mut Dice) -> String {
    const SYMBOLS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // "sess_" and the id of the key are no secret: whoever has seen one id knows them.
    let mut id = live[..7].to_owned();
    while id.len() < live.len() - 1 {
        id.push(char::from(SYMBOLS[dice.below(64)]));
    }
    // The last bits that an id has no use for are zeros.
    id.push(char::from(SYMBOLS[dice.below(16) << 2]));
    id
}

/// One number in other spellings, at one server after the other: one budget of sends.
pub(crate) async fn a44_spellings_of_a_number_share_its_budget(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a44"), Stopwatch::start());
    for round in each_round("a44") {
        let digits = format!("4747{round:06}");
        let (a, b) = digits.split_at(4);
        let spelt = [
            format!("+{digits}"),
            format!("+{a} {b}"),
            format!("+{a}-{b}"),
            format!("tel:+{digits}"),
            format!("\u{ff0b}{digits}"),
        ];
        let all = spelt.into_iter().cycle().take(20);
        let sent = sends(
            fleet,
            &caller,
            "destination_sends",
            all.map(|to| (to, json!({}))),
        )
        .await;
        assert_eq!(sent, 5, "{}, {round}: in ten minutes", fleet.kind);
    }
    let tried = format!("{} × 20 sends in 5 spellings", rounds());
    fleet.tell("a44", &tried, "5 messages each", &clock);
}

/// One mailbox in other spellings, at one server after the other: one budget of sends.
pub(crate) async fn a43_spellings_of_a_mailbox_share_its_budget(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a43"), Stopwatch::start());
    let rounds = rounds().min(200);
    for round in 0..rounds {
        let gmail = [
            format!("a43.{round}@gmail.com"),
            format!("A43{round}@gmail.com"),
            format!("a.4.3.{round}@GMAIL.com"),
            format!("a43{round}+one@gmail.com"),
            format!("A43.{round}+x@GoogleMail.Com"),
        ];
        let elsewhere = [
            format!("a43{round}@xn--bcher-kva.example"),
            format!("A43{round}@XN--BCHER-KVA.example"),
            format!("a43{round}+1@xn--bcher-kva.EXAMPLE"),
            format!("a43{round}+2@xn--bcher-kva.example"),
            format!("A43{round}+x@Xn--Bcher-kva.example"),
        ];
        for spelt in [gmail, elsewhere] {
            let all = spelt.into_iter().cycle().take(20);
            let by_email = all.map(|to| (to, json!({ "channel": "email" })));
            let sent = sends(fleet, &caller, "destination_sends", by_email).await;
            assert_eq!(sent, 5, "{}, {round}: in ten minutes", fleet.kind);
        }
        progress("a43", round + 1, rounds);
    }
    let tried = format!("{} × 20 sends in 5 spellings", 2 * rounds);
    fleet.tell("a43", &tried, "5 messages each", &clock);
}

/// Addresses of one /64, each used once: one source.
pub(crate) async fn a45_addresses_of_one_network_are_one_source(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a45"), Stopwatch::start());
    let networks = rounds().min(100);
    for network in 0..networks {
        let all = (0..30).map(|n| {
            let ip = format!("2001:db8:{network:x}:1:{n:x}::1");
            let to = format!("+4748{:06}", 30 * network + n);
            (to, json!({ "end_user_ip": ip }))
        });
        let taken = sends(fleet, &caller, "source_sends", all).await;
        assert_eq!(taken, 20, "{}, {network}: in an hour", fleet.kind);
    }
    let tried = format!("{networks} × 30 sends from 30 addresses of a /64");
    fleet.tell("a45", &tried, "20 messages each", &clock);
}

/// A number flooded from very many sources: its own budget holds.
pub(crate) async fn a47_one_target_of_many_sources_gets_five(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a47"), Stopwatch::start());
    let all = (0..1000).map(|n| {
        let ip = format!("192.0.2.{}", n % 100);
        ("+4749000000".to_owned(), json!({ "end_user_ip": ip }))
    });
    let taken = sends(fleet, &caller, "destination_sends", all).await;
    assert_eq!(taken, 5, "{}", fleet.kind);
    let tried = "1,000 sends to one number from 100 sources";
    fleet.tell("a47", tried, "5 messages", &clock);
}

/// A stranger uses up all guesses of a number and all its sends: its owner's device has its
/// own, and what the owner was sent before is still good.
pub(crate) async fn a49_a51_the_known_device_has_a_lane_of_its_own(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a49"), Stopwatch::start());
    let known = json!({ "known_device": true });
    for round in each_round("a49, a51") {
        let to = format!("+4761{round:06}");
        for at in 0..2 {
            let strangers = fleet.send(&caller, at, &to).await;
            let guesses = (0..5).map(|n| wrong(&strangers.code, n));
            caller.check_at_once(&strangers, guesses).await;
        }
        let taken = sends(fleet, &caller, "destination_sends", again(&to, 10)).await;
        assert_eq!(taken, 3, "{}, {round}: five in all", fleet.kind);
        let owners = fleet.send_with(&caller, 2, &to, known.clone()).await;
        let right = caller.check(3, &owners, &owners.code).await;
        assert_eq!(right, Answer::Verified, "{}, {round}", fleet.kind);
    }
    let tried = format!("{} numbers without a guess or a send left", rounds());
    fleet.tell("a49, a51", &tried, "the known device approved", &clock);
}

/// However often a stranger sends to a number, its owner's code stays good.
pub(crate) async fn a50_sends_of_strangers_end_no_session(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a50"), Stopwatch::start());
    for round in each_round("a50") {
        let to = format!("+4762{round:06}");
        let owners = fleet.send(&caller, 0, &to).await;
        sends(fleet, &caller, "destination_sends", again(&to, 20)).await;
        let right = caller.check(1, &owners, &owners.code).await;
        assert_eq!(right, Answer::Verified, "{}, {round}", fleet.kind);
    }
    let tried = format!("{} × 20 more sends to the number", rounds());
    fleet.tell("a50", &tried, "the owner's code approved", &clock);
}

/// A whole life of a decoy and of a real session: the same answers.
pub(crate) async fn a69_a_decoy_answers_as_a_session_does(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a69"), Stopwatch::start());
    for round in each_round("a69") {
        let (mut lives, before) = (Vec::new(), fleet.messages());
        for (nth, decoy) in [false, true].into_iter().enumerate() {
            let to = format!("+476{}{round:06}", 3 + nth);
            let mut told = life(&caller, &to, decoy, 2).await;
            told.extend(life(&caller, &to, decoy, 6).await);
            lives.push(told);
        }
        assert_eq!(lives[0], lives[1], "{}, {round}", fleet.kind);
        // Of the real one's two sends and one resend; an ended session has none.
        fleet.has_shown(3, before).await;
    }
    let tried = format!("{} lives of a decoy and of a session", 2 * rounds());
    fleet.tell("a69", &tried, "the same answers", &clock);
}

/// The answers to a send, so many wrong guesses and a resend, without what differs between any
/// two sessions. The code is the caller's own, so that no guess is right; the resend's is not.
async fn life(caller: &Caller, to: &str, decoy: bool, guesses: usize) -> Vec<String> {
    let request = json!({
        "to": to, "channel": "sms", "delivery": "background", "decoy": decoy,
        "custom_code": "918273",
    });
    let sent = caller.post(0, "/v1/verify/send", &request).await;
    let sent = sent.expect("the server answers");
    let id = sent["session_id"].as_str().expect("an id").to_owned();
    let mut told = vec![sent];
    for at in 0..guesses {
        let guess = json!({ "session_id": id, "code": format!("00000{at}") });
        let answer = caller.post(at % SERVERS, "/v1/verify/check", &guess).await;
        told.push(answer.expect("the server answers"));
    }
    let once_more = json!({ "session_id": id, "to": to });
    let resent = caller.post(1, "/v1/verify/resend", &once_more).await;
    told.push(resent.expect("the server answers"));
    let plain = |mut answer: Value| {
        let fields = answer.as_object_mut().expect("an object");
        fields.remove("session_id");
        answer.to_string()
    };
    told.into_iter().map(plain).collect()
}

/// How many of these sends, at one server after the other, were taken; the others must be refused
/// by this limit.
pub(crate) async fn sends(
    fleet: &Fleet,
    caller: &Caller,
    limit: &str,
    all: impl Iterator<Item = (String, Value)>,
) -> usize {
    let (mut taken, before) = (0, fleet.messages());
    for (at, (to, more)) in all.enumerate() {
        taken += sends_at(caller, at, limit, (&to, more)).await;
    }
    fleet.has_shown(taken, before).await;
    taken
}

/// The same send, again and again.
fn again(to: &str, count: usize) -> impl Iterator<Item = (String, Value)> {
    std::iter::repeat_n((to.to_owned(), json!({})), count)
}

/// Sends, and gives 1 if it was taken; it must be refused by this limit otherwise.
async fn sends_at(caller: &Caller, at: usize, limit: &str, (to, more): (&str, Value)) -> usize {
    let sent = caller.send(at % SERVERS, to, more).await;
    if sent["status"] == "sent" {
        return 1;
    }
    assert_eq!(sent["limit"], limit, "{sent}");
    0
}
