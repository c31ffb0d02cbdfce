//! `pylon-auth`: codes in clear in two maps, each under one mutex.

use countersign_benches::{Contender, People, another_code};
use pylon_auth::{MagicCodeError, MagicCodeStore};

/// Its store of codes, with the codes that it drew.
pub struct Pylon {
    store: MagicCodeStore,
    codes: Vec<String>,
}

impl Contender for Pylon {
    const NAME: &'static str = "pylon-auth";

    fn open(people: &People) -> Self {
        let store = MagicCodeStore::new();
        let mut codes = vec![String::new(); people.count()];
        for person in people.order() {
            codes[person] = store.create(people.number(person));
        }
        Self { store, codes }
    }

    fn right(&mut self, people: &People, person: usize) -> bool {
        let code = &self.codes[person];
        self.store.try_verify(people.number(person), code).is_ok()
    }

    fn wrong(&mut self, people: &People, person: usize) -> bool {
        let code = another_code(&self.codes[person]);
        let judged = self.store.try_verify(people.number(person), code);
        judged == Err(MagicCodeError::BadCode)
    }

    fn send(&mut self, people: &People, n: usize) -> bool {
        let number = people.number(people.count() + n);
        self.store.try_create(number).is_ok()
    }
}
