//! A20: each code that leaves is drawn from a seed of its own, for which the server has asked the
//! system: nothing is kept from which another code could be told.
//!
//! Over a server's memory alone: no store has a part in what is drawn.

use countersign::{Code, CodeForm, RandomUnavailable, Randomness, Stopwatch};
use serde_json::json;

use super::fleet::Fleet;
use super::four_servers::each_round;
use super::setup::Setup;
use super::store::Kind;
use super::tracer::{Seen, Tracer};

/// Sends under way together, whose draws come in between each other's.
const AT_ONCE: usize = 4;

/// The 32 bytes that the system gave to the server.
#[derive(Debug)]
struct Given(Vec<u8>);

impl Randomness for Given {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        bytes.copy_from_slice(&self.0);
        Ok(())
    }
}

impl Given {
    fn code(&self) -> String {
        let code = Code::draw_from(CodeForm::SIX_DIGITS, self);
        code.expect("a seed").reveal().to_owned()
    }
}

/// Sees each seed that the system gives to the server, and each code that the server shows: every
/// code is that of a seed which was given before, and which no other code had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_code_has_a_seed_of_its_own() {
    let (fleet, clock) = (
        Fleet::start(Kind::Memory, Setup::default()).await,
        Stopwatch::start(),
    );
    let (caller, mut codes) = (fleet.tenant("a20"), 0);
    for round in each_round("a20") {
        let to = |what: usize| format!("+4740{what}{round:05}");
        let tracer = Tracer::watch(fleet.process(0), "getrandom,write");
        let session = fleet.send(&caller, 0, &to(0)).await;
        fleet.resend(&caller, 0, &session).await;
        let shown = fleet.messages();
        let [a, b, c, d] = [1, 2, 3, 4].map(to);
        let sent = tokio::join!(
            caller.send(0, &a, json!({})),
            caller.send(1, &b, json!({})),
            caller.send(2, &c, json!({})),
            caller.send(3, &d, json!({})),
        );
        for sent in <[_; AT_ONCE]>::from(sent) {
            assert_eq!(sent["status"], "sent", "{sent}");
        }
        fleet.has_shown(AT_ONCE, shown).await;
        let seen = tracer.detach();
        assert_eq!(seeded(&seen), AT_ONCE + 2, "{seen:?}");
        codes += AT_ONCE + 2;
    }
    let tried =
        format!("{codes} codes, four in six at once, and all that the system gave for them");
    let showed = "each that of a fresh seed of 32 bytes, and no two of one seed";
    fleet.tell("a20", &tried, showed, &clock);
}

/// How many codes were shown, each of a seed of its own.
fn seeded(seen: &Seen) -> usize {
    let (mut fresh, mut codes) = (Vec::new(), 0);
    for line in seen.0.lines() {
        if line.contains("getrandom") && line.ends_with("= 32") {
            fresh.push(Given(bytes(line)).code());
        }
        if line.contains("write(1,") {
            let text = String::from_utf8_lossy(&bytes(line)).into_owned();
            let shown = text.lines().find_map(|line| line.strip_prefix("  code   "));
            if let Some(code) = shown {
                let own = fresh.iter().position(|fresh| fresh == code);
                fresh.swap_remove(own.expect("a seed that was not used, for each code"));
                codes += 1;
            }
        }
    }
    codes
}

/// What a call was given or gave, as the tracer writes it: `"\x2b\x00…"`.
fn bytes(line: &str) -> Vec<u8> {
    let text = line.split('"').nth(1).expect("bytes");
    let byte = |hex| u8::from_str_radix(hex, 16).expect("two digits");
    text.split("\\x").skip(1).map(byte).collect()
}
