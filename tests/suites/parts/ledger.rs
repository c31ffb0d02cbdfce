//! The ledger: what each row of the catalogue of attacks was shown to do, on which store, as
//! one line of JSON in the file that `COUNTERSIGN_LEDGER` names. Without it nothing is kept.

use std::fs::OpenOptions;
use std::io::Write as _;

use serde_json::json;

/// Where the attacker stood.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    /// In another process, over HTTP.
    Outside,
    /// In the test's own process.
    Inside,
}

/// Notes a row that held: the rows' ids as they begin a test's name (`a01_a03_…`; none for
/// what is no row), the store, how much was tried, and what it showed. A row that does not
/// hold fails its test, and is missing here.
pub(crate) fn note(rows: &str, store: &str, from: From, tried: &str, showed: &str) {
    let Some(path) = std::env::var_os("COUNTERSIGN_LEDGER") else {
        return;
    };
    let from = match from {
        From::Outside => "outside",
        From::Inside => "inside",
    };
    let line = json!({
        "rows": ids(rows),
        "store": store,
        "from": from,
        "tried": tried,
        "showed": showed,
    });
    let file = OpenOptions::new().create(true).append(true).open(&path);
    // One write: tests run side by side.
    let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.unwrap_or_else(|error| panic!("the ledger {}: {error}", path.display()));
}

/// The ids that a name begins with, of whatever module: `races::a01_a03_at_once` has two.
pub(crate) fn ids(name: &str) -> Vec<String> {
    let name = name.rsplit("::").next().unwrap_or(name);
    name.split(['_', ',', ' '])
        .filter(|part| !part.is_empty())
        .map_while(|part| {
            let digits = part.strip_prefix(['a', 'A'])?;
            let is_id = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_id.then(|| format!("A{digits}"))
        })
        .collect()
}
