//! `countersign inspect`: why somebody gets no code.

use std::fmt::Write as _;

use countersign::{
    Clock as _, Destination, Inspection, LaneLimits, LaneView, Limit, SystemClock, Tenant,
    Timestamp, Verifier,
};

use crate::cli::Whose;
use crate::config::Config;
use crate::failure::Failure;
use crate::wiring::FirstStart;

/// Shows all that is known of a destination.
pub(crate) async fn run(config: &Config, whose: &Whose) -> Result<(), Failure> {
    let verifier = super::beside_the_server(config, FirstStart::Refuse).await?;
    let (tenant, destination) = (
        &whose.tenant,
        super::destination(&verifier, &whose.destination)?,
    );
    let found = verifier
        .inspect(tenant, &destination)
        .await
        .map_err(|error| Failure::runtime("the destination could not be read", &error));
    let (masked, outcome) = (destination.masked(), super::outcome(&found));
    tracing::info!(
        target: "audit",
        operation = "inspect", tenant = tenant.name(), destination = masked, outcome, "audited"
    );
    let found = found?;
    let now = SystemClock::default().now();
    super::print(&page(&verifier, tenant, &destination, &found, now))
}

/// The page as it is printed, times told from `now` on.
fn page(
    verifier: &Verifier,
    tenant: &Tenant,
    destination: &Destination,
    found: &Inspection,
    now: Timestamp,
) -> String {
    let policy = verifier.policy();
    let mut page = format!("{} of tenant {}\n", destination.masked(), tenant.name());
    lane(&mut page, "everybody", &policy.destination, &found.open);
    lane(
        &mut page,
        "known devices",
        &policy.known_device,
        &found.known_device,
    );
    if found.sessions.is_empty() {
        page.push_str("\nno sessions in the last 15 minutes\n");
        return page;
    }
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        page,
        "\n{:<30}{:<15}{:<9}{:<11}{:<12}{:<12}{:<10}sends",
        "session", "state", "channel", "delivery", "opened", "expires", "attempts"
    );
    for view in &found.sessions {
        let _ = writeln!(
            page,
            "{:<30}{:<15}{:<9}{:<11}{:<12}{:<12}{:<10}{}",
            verifier
                .session_id(tenant, destination, view)
                .map_or_else(|| "-".to_owned(), |id| id.to_string()),
            view.state.name(),
            view.channel.name(),
            view.delivery.name(),
            ago(now, view.opened_at),
            until(now, view.expires_at),
            format!("{} left", view.attempts_remaining),
            view.sends,
        );
    }
    page
}

fn lane(page: &mut String, name: &str, limits: &LaneLimits, view: &LaneView) {
    let windows = |left: [u16; 2], limits: [Limit; 2]| {
        let one = |left: u16, limit: Limit| {
            format!("{left} of {} in {}", limit.max, span(limit.seconds.into()))
        };
        let [short, long] = limits;
        if short == long {
            return one(left[0], short);
        }
        format!("{}, {}", one(left[0], short), one(left[1], long))
    };
    let next = |seconds: u64, what: &str| match seconds {
        0 => String::new(),
        seconds => format!("; the next {what} in {}", span(seconds)),
    };
    let lock = if view.locked {
        "LOCKED: `countersign reset` opens it".to_owned()
    } else {
        format!(
            "open, {} of {} wrong guesses in a row",
            view.streak, limits.lock_after
        )
    };
    // Writing to a `String` cannot fail.
    let _ = write!(
        page,
        "\n{name}\n  sends left    {}{}\n  guesses left  {}{}\n  lock          {lock}\n",
        windows(view.sends_left, limits.sends),
        next(view.next_send_in, "send"),
        windows(view.failures_left, limits.failures),
        next(view.next_check_in, "check"),
    );
}

/// How long ago `then` was.
pub(crate) fn ago(now: Timestamp, then: Timestamp) -> String {
    format!("{} ago", span(now.millis_since(then) / 1000))
}

fn until(now: Timestamp, then: Timestamp) -> String {
    match now.secs_until(then) {
        0 => ago(now, then),
        seconds => format!("in {}", span(seconds)),
    }
}

/// Seconds in the largest unit that leaves at least two of it, or one exactly.
fn span(seconds: u64) -> String {
    for (name, unit) in [("d", 24 * 3600), ("h", 3600), ("min", 60)] {
        if seconds >= 2 * unit || seconds == unit {
            return format!("{} {name}", seconds / unit);
        }
    }
    format!("{seconds} s")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use countersign::{
        Channel, CheckRequest, FakeClock, KeyRing, MemoryStore, Recorder, SendRequest,
    };

    use super::*;

    #[test]
    fn a_span_is_told_in_the_unit_that_fits() {
        for (seconds, told) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (119, "119 s"),
            (600, "10 min"),
            (3600, "1 h"),
            (86_400, "1 d"),
            (90_000, "25 h"),
        ] {
            assert_eq!(span(seconds), told);
        }
    }

    #[tokio::test]
    async fn the_page_answers_why_somebody_gets_no_code() {
        let start = Timestamp::from_secs(1_800_000_000);
        let clock = Arc::new(FakeClock::at(start));
        let store = Arc::new(MemoryStore::with_clock(clock.clone()));
        let verifier = Verifier::builder(KeyRing::generate().unwrap(), store)
            .deliverer(Channel::Sms, Arc::new(Recorder::new()))
            .build()
            .unwrap();
        let tenant = Tenant::new("acme").unwrap();
        let destination = Destination::parse_any("+4712345678").unwrap();
        let request = SendRequest::new(&tenant, Channel::Sms, &destination);
        let sent = verifier.send(&request).await.unwrap();
        let id = sent.session_id.to_string();
        for _ in 0..2 {
            // A guess of another length is none; this one is charged unless it is right.
            let _ = verifier
                .check(&CheckRequest::new(&tenant, &id, "000000"))
                .await
                .unwrap();
        }
        clock.advance_secs(125);
        let found = verifier.inspect(&tenant, &destination).await.unwrap();
        let now = start.plus_secs(125);
        let page = page(&verifier, &tenant, &destination, &found, now);
        let lines: Vec<_> = page.lines().collect();
        assert_eq!(lines[0], "+47••••••78 of tenant acme");
        assert_eq!(lines[3], "  sends left    4 of 5 in 10 min, 9 of 10 in 1 d");
        assert_eq!(lines[4], "  guesses left  8 of 10 in 1 h, 18 of 20 in 1 d");
        assert_eq!(
            lines[5],
            "  lock          open, 2 of 100 wrong guesses in a row"
        );
        let session = lines.last().unwrap();
        for part in [
            id.as_str(),
            "live",
            "sms",
            "accepted",
            "2 min ago",
            "in 2 min",
            "3 left",
        ] {
            assert!(session.contains(part), "{part}: {session}");
        }
        assert!(!page.contains("+4712345678"));
    }
}
