//! Phone numbers by a plan: how they are read, and which are sent nothing.

use std::sync::Arc;

use countersign::{
    Channel, DestinationError, KeyRing, NumberPlan, PhoneNumber, Policy, Recorder, Served,
    Unserved, Verifier,
};
use countersign_http::DryRun;
use serde_json::json;

use crate::desk::Desk;

/// Norway in its national form as well; other countries for some reason or other not.
#[derive(Debug)]
struct Plan;

impl NumberPlan for Plan {
    fn read(&self, text: &str) -> Result<PhoneNumber, DestinationError> {
        let national = text.len() == 8;
        PhoneNumber::parse(&if national {
            format!("+47{text}")
        } else {
            text.to_owned()
        })
    }

    fn serve(&self, _: Channel, number: &PhoneNumber) -> Result<Served, Unserved> {
        match number.as_str().get(..3) {
            Some("+47") => Ok(Served::new("+4712", 100)),
            Some("+46") => Err(Unserved::Country("SE".to_owned())),
            Some("+45") => Err(Unserved::NoPrice("DK".to_owned())),
            Some("+44") => Err(Unserved::Sort("premium-rate")),
            _ => Err(Unserved::Invalid),
        }
    }
}

pub(crate) fn desk(change: impl FnOnce(&mut Policy)) -> Desk {
    let (clock, store) = Desk::memory();
    let recorder = Arc::new(Recorder::new());
    let mut policy = Policy::default();
    change(&mut policy);
    let mut builder = Verifier::builder(KeyRing::generate().unwrap(), store)
        .policy(policy)
        .number_plan(Arc::new(Plan))
        .observer(Arc::new(DryRun::new()));
    for channel in Channel::ALL {
        builder = builder.deliverer(channel, Arc::clone(&recorder) as _);
    }
    Desk::of(clock, recorder, builder.build().unwrap(), |api| api)
}

#[tokio::test]
async fn a48_a_number_that_is_not_served_is_a_problem_of_its_own() {
    let desk = desk(|_| ());
    for (to, reason) in [
        ("+46701234567", "country"),
        ("+4520123456", "no_price"),
        ("+447412345678", "sort"),
        ("+33612345678", "invalid"),
    ] {
        for (path, field) in [("send", "to"), ("start", "recipient")] {
            let body = json!({field: to, "channel": "sms"});
            let answer = desk.post(&format!("/v1/verify/{path}"), &body).await;
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (422, "unserved"),
                "{to}"
            );
            assert_eq!(answer.body["reason"], reason);
            assert!(
                !answer.body.to_string().contains(&to[3..]),
                "{}",
                answer.body
            );
        }
    }
    assert!(desk.recorder.is_empty());
}

#[tokio::test]
async fn every_call_reads_a_number_as_the_plan_does() {
    let desk = desk(|_| ());
    let body = json!({"to": "12345678", "channel": "sms"});
    let sent = desk.post("/v1/verify/send", &body).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    desk.clock.advance_secs(31);
    let resend = json!({"session_id": sent.text("session_id"), "to": "+4712345678"});
    assert_eq!(desk.post("/v1/verify/resend", &resend).await.status, 200);
    let seen = desk.get("/v1/verify/destination?to=12345678").await;
    assert_eq!(seen.body["sessions"][0]["sends"], 2, "{}", seen.body);
    let reset = json!({"to": "12345678"});
    assert_eq!(desk.post("/v1/verify/reset", &reset).await.status, 204);
    let seen = desk.get("/v1/verify/destination?to=%2B4712345678").await;
    assert_eq!(seen.status, 200, "{}", seen.body);
}

#[tokio::test]
async fn a48_a_cap_on_spend_is_a_limit_by_name_until_the_day_ends() {
    let desk = desk(|policy| policy.tenant_daily_spend_micros = Some(250));
    for n in 0..2 {
        desk.send("sms", &format!("+471234567{n}")).await;
    }
    let body = json!({"to": "+4712345679", "channel": "sms"});
    let refused = desk.post("/v1/verify/send", &body).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (429, "throttled")
    );
    assert_eq!(refused.body["limit"], "tenant_spend");
    assert_eq!(refused.header("retry-after"), (16 * 3600).to_string());
    desk.send("email", "user@example.com").await;
}
