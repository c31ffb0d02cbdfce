//! `fraiseql-auth`: codes in clear in one concurrent map, counts in another.

use countersign_benches::{Contender, People, another_code, ready};
use fraiseql_auth::otp::{InMemoryOtpStore, OtpStore};

/// Its store in memory, with the codes that it drew.
pub struct Fraiseql {
    store: InMemoryOtpStore,
    codes: Vec<String>,
}

impl Contender for Fraiseql {
    const NAME: &'static str = "fraiseql-auth";

    fn open(people: &People) -> Self {
        let store = InMemoryOtpStore::new();
        let mut codes = vec![String::new(); people.count()];
        for person in people.order() {
            codes[person] = ready(store.create_otp(people.number(person))).expect("a code");
        }
        Self { store, codes }
    }

    fn right(&mut self, people: &People, person: usize) -> bool {
        ready(self.store.verify_otp(people.number(person), &self.codes[person])).is_ok()
    }

    fn wrong(&mut self, people: &People, person: usize) -> bool {
        let code = another_code(&self.codes[person]);
        ready(self.store.verify_otp(people.number(person), code)).is_err()
    }

    fn send(&mut self, people: &People, n: usize) -> bool {
        ready(self.store.create_otp(people.number(people.count() + n))).is_ok()
    }
}
