//! `authx-plugins`: tokens of 32 bytes, hashed, in a map under one mutex. Its issue looks
//! at every token that there is, so sends are not measured at these numbers.

use std::time::Duration;

use authx_plugins::one_time_token::{OneTimeTokenStore, TokenKind};
use countersign_benches::{Contender, People};
use uuid::Uuid;

/// Its store, with the tokens that it drew.
pub struct Authx {
    store: OneTimeTokenStore,
    tokens: Vec<String>,
}

impl Contender for Authx {
    const NAME: &'static str = "authx-plugins";

    fn open(people: &People) -> Self {
        let store = OneTimeTokenStore::new(Duration::from_secs(600));
        let mut tokens = vec![String::new(); people.count()];
        for person in people.order() {
            tokens[person] = store.issue(Uuid::from_u128(person as u128), TokenKind::EmailOtp);
        }
        Self { store, tokens }
    }

    fn right(&mut self, _: &People, person: usize) -> bool {
        self.store.consume(&self.tokens[person], TokenKind::EmailOtp).is_some()
    }

    /// Its token is the session: a wrong one is one that is not there.
    fn wrong(&mut self, people: &People, person: usize) -> bool {
        let token = people.number(person);
        self.store.consume(token, TokenKind::EmailOtp).is_none()
    }

    fn send(&mut self, _: &People, n: usize) -> bool {
        !self.store.issue(Uuid::from_u128(n as u128), TokenKind::EmailOtp).is_empty()
    }
}
