//! The memory store, measured in a process of its own: the suite's other tests would be
//! counted with it.

use std::env;
use std::fs;
use std::process::Command;
use std::sync::Arc;

use countersign::{MemoryStore, SessionStore};

use super::filled::{self, fill};

const LENGTH: &str = "COUNTERSIGN_GROWTH_LENGTH";
const COUNT: &str = "COUNTERSIGN_GROWTH_COUNT";
const ANSWER: &str = "resident bytes each: ";

/// How many resident bytes each of `count` records adds to a process.
pub(crate) fn each(record: &[u8], count: u64) -> f64 {
    let child = Command::new(env::current_exe().expect("this program"))
        .args([
            "--exact",
            "growth::memory::the_child_fills_its_store",
            "--nocapture",
        ])
        .env(LENGTH, record.len().to_string())
        .env(COUNT, count.to_string())
        .output()
        .expect("it runs itself");
    let said = String::from_utf8_lossy(&child.stdout);
    let line = said.lines().find_map(|line| line.split_once(ANSWER));
    let (_, each) = line.unwrap_or_else(|| panic!("the child says nothing: {said}"));
    each.parse().expect("a number")
}

/// Does nothing unless it is the child of the test above.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_child_fills_its_store() {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let (Some(length), Some(count)) = (number(LENGTH), number(COUNT)) else {
        return;
    };
    let record = vec![7; usize::try_from(length).expect("it fits")];
    let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new());
    let before = resident();
    fill(&store, &record, count).await;
    println!("{ANSWER}{}", filled::each(before, resident(), count));
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.expect("a line").parse::<u64>().expect("a number") * 1024
}
