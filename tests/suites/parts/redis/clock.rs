//! A server whose clock a test moves, as far as the store's functions read it.

use super::Redis;

/// How the functions read the server's time, in milliseconds.
const READ: &str = "return time[1] * 1000 + floor(time[2] / 1000)";

/// The longest time that a key has left, in milliseconds; -1 if one has no end.
const LAST: &str = "
    local last = 0
    for _, key in ipairs(redis.call('KEYS', '*')) do
      local left = redis.call('PTTL', key)
      if left == -1 then return -1 end
      last = math.max(last, left)
    end
    return last";

impl Redis {
    /// Lets the functions of the store that is connected read the time so many milliseconds
    /// ahead of the server's, or behind it. Keys expire by the server's own time still.
    pub(crate) fn set_ahead(&self, millis: i64) {
        let listed = self.cli(&["FUNCTION", "LIST", "WITHCODE"]);
        let (_, code) = listed.split_once("library_code\n").expect("a library");
        let mut lines: Vec<_> = code.lines().map(str::to_owned).collect();
        let read = lines.iter_mut().find(|line| line.trim().starts_with(READ));
        *read.expect("the functions read the time") = format!("{READ} + ({millis})");
        let said = self.cli(&["FUNCTION", "LOAD", "REPLACE", &lines.join("\n")]);
        assert!(said.starts_with("countersign_"), "{said}");
    }

    /// The server's own time, in milliseconds since 1970.
    pub(crate) fn millis(&self) -> i64 {
        let told = self.cli(&["TIME"]);
        let (seconds, micros) = told.split_once('\n').expect("seconds and microseconds");
        let number = |text: &str| text.trim().parse::<i64>().expect("a number");
        number(seconds) * 1000 + number(micros) / 1000
    }

    /// After how many milliseconds its last key is gone by itself; none if one stays.
    pub(crate) fn last_expiry(&self) -> Option<u64> {
        self.cli(&["EVAL", LAST, "0"]).parse().ok()
    }
}
