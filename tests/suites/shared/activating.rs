//! A66: one token, with which a tenant is shown its first key.

use countersign::Stopwatch;
use serde_json::Value;

use super::caller::Caller;
use super::fleet::{Fleet, SERVERS};
use super::four_servers::rounds;
use crate::parts::long::progress;

const AT_ONCE: usize = 100;

/// 100 activations at once, over all servers: one is shown the key, and nobody later.
pub(crate) async fn a66_of_a_hundred_activations_at_once_one_is_shown_the_key(fleet: &Fleet) {
    let clock = Stopwatch::start();
    let rounds = rounds().min(100);
    let client = crate::parts::http_client();
    for round in 0..rounds {
        let tenant = format!("a66-{round}");
        let token = fleet.home(0).run_ok(&["token", "--tenant", &tenant]);
        let activate = |at: usize| {
            let url = format!("{}/v1/dashboard/verify/activate", fleet.home(at).base());
            let request = client.post(url).bearer_auth(token.trim_end());
            async move {
                let response = request.send().await.expect("the server answers");
                let status = response.status().as_u16();
                (status, response.json::<Value>().await.expect("JSON"))
            }
        };
        let tasks: Vec<_> = (0..AT_ONCE)
            .map(|n| tokio::spawn(activate(n % SERVERS)))
            .collect();
        let mut shown = Vec::new();
        for task in tasks {
            match task.await.expect("no panic") {
                (200, told) => shown.push(told["api_key"].as_str().expect("a key").to_owned()),
                (status, told) => assert_eq!(status, 409, "{}: {told}", fleet.kind),
            }
        }
        assert_eq!(
            shown.len(),
            1,
            "{}, {round}: it was shown so often",
            fleet.kind
        );
        let caller = Caller::new((0..SERVERS).map(|at| fleet.home(at).base()), &shown[0]);
        for at in 0..SERVERS {
            let (status, told) = activate(at).await;
            assert_eq!(status, 409, "{}: {told}", fleet.kind);
            assert!(!told.to_string().contains(&shown[0]), "{}", fleet.kind);
            assert_eq!(
                caller.status_code(at).await,
                404,
                "{}: it works",
                fleet.kind
            );
        }
        progress("a66", round + 1, rounds);
    }
    let tried = format!("{rounds} tokens, each {AT_ONCE} times at once");
    fleet.tell(
        "a66",
        &tried,
        "one is shown the key, and nobody again",
        &clock,
    );
}
