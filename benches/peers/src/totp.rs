//! `totp-rs`: no state at all, so a code is as good the second time, and guesses are free.

use countersign_benches::{Contender, People, another_code};
use totp_rs::{Algorithm, Builder, Totp as Generator};

/// A generator with a secret of its own for each person, and the codes of this minute.
pub struct Totp {
    people: Vec<(Generator, String)>,
}

impl Contender for Totp {
    const NAME: &'static str = "totp-rs";

    fn open(people: &People) -> Self {
        let generator = |person: usize| {
            let mut secret = vec![7; 20];
            secret[..8].copy_from_slice(&(person as u64).to_be_bytes());
            let built = Builder::new().with_algorithm(Algorithm::SHA256).with_secret(secret);
            let built = built.build().expect("a generator");
            let code = built.generate_current().to_string();
            (built, code)
        };
        let mut all: Vec<Option<(Generator, String)>> = Vec::new();
        all.resize_with(people.count(), || None);
        for person in people.order() {
            all[person] = Some(generator(person));
        }
        Self {
            people: all.into_iter().flatten().collect(),
        }
    }

    fn right(&mut self, _: &People, person: usize) -> bool {
        let (generator, code) = &self.people[person];
        generator.check_current(code).is_some()
    }

    fn wrong(&mut self, _: &People, person: usize) -> bool {
        let (generator, code) = &self.people[person];
        let wrong = another_code(code);
        generator.check_current(wrong).is_none()
    }

    /// What it has of a send is a code.
    fn send(&mut self, _: &People, n: usize) -> bool {
        let (generator, _) = &self.people[n % self.people.len()];
        !generator.generate_current().to_string().is_empty()
    }
}
