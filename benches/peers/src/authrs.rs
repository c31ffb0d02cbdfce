//! `authrs`: codes in clear in a map under a read-write lock.

use authrs::passwordless::otp::{OtpConfig, OtpManager, OtpPurpose};
use countersign_benches::{Contender, People, another_code, ready};

/// Its manager on its store in memory, with the codes that it drew.
pub struct Authrs {
    manager: OtpManager,
    codes: Vec<String>,
}

impl Contender for Authrs {
    const NAME: &'static str = "authrs";

    fn open(people: &People) -> Self {
        let manager = OtpManager::new(OtpConfig::default());
        let mut codes = vec![String::new(); people.count()];
        for person in people.order() {
            let sent = ready(manager.generate(people.number(person), OtpPurpose::Login));
            codes[person] = sent.expect("a code").code;
        }
        Self { manager, codes }
    }

    fn right(&mut self, people: &People, person: usize) -> bool {
        let code = &self.codes[person];
        ready(self.manager.verify(people.number(person), code, OtpPurpose::Login)).is_ok()
    }

    fn wrong(&mut self, people: &People, person: usize) -> bool {
        let code = another_code(&self.codes[person]);
        ready(self.manager.verify(people.number(person), code, OtpPurpose::Login)).is_err()
    }

    fn send(&mut self, people: &People, n: usize) -> bool {
        let number = people.number(people.count() + n);
        ready(self.manager.generate(number, OtpPurpose::Login)).is_ok()
    }
}
