//! A21, A22: the codes of a server's messages are uniform, and keep their leading zeros.

use countersign::Stopwatch;

use super::crowds::{nowhere, sent};
use super::fleet::Fleet;
use super::setup::Setup;
use super::store::Kind;
use crate::parts::long::{long, progress};
use crate::parts::uniform::{ONE_IN_A_THOUSAND, chi_squared};

/// Digits of a code.
const PLACES: usize = 6;
/// A server draws without a seed of the test's. Of fair draws one in 270 is too far from its mean
/// (one in 1000 by chi-squared, one in 370 by its zeros): then there is another, and both are it
/// one time in 73,000.
const DRAWS: usize = 2;

/// Of a byte's remainder by ten, the classical mistake, six digits are more likely than the other
/// four by one in 25: that adds 0.0022 to the sum of chi-squared for each code. In a short run it
/// is found out seven times in eight, and what is half as far again from fair always; in a long
/// one it always is, and what is half as far from fair two times in three.
fn many() -> usize {
    if long() { 100_000 } else { 30_000 }
}

/// How often each digit stands at each place of some codes.
struct Draw {
    places: [[u32; 10]; PLACES],
    codes: u32,
}

impl Draw {
    fn of(codes: &[String]) -> Self {
        let mut places = [[0; 10]; PLACES];
        for code in codes {
            assert_eq!(code.len(), PLACES, "{code}: it keeps its zeros");
            for (digit, counts) in code.bytes().zip(&mut places) {
                counts[usize::from(digit - b'0')] += 1;
            }
        }
        let codes = u32::try_from(codes.len()).expect("some thousand");
        Self { places, codes }
    }

    /// The sum of chi-squared over all places, each of which has nine degrees of freedom.
    fn off(&self) -> f64 {
        self.places.iter().map(|counts| chi_squared(counts)).sum()
    }

    /// By how many standard deviations of the binomial distribution too many or too few codes
    /// begin with 0: one in ten should.
    fn zeros_off(&self) -> f64 {
        let (codes, zeros) = (f64::from(self.codes), f64::from(self.places[0][0]));
        (zeros - 0.1 * codes).abs() / (0.09 * codes).sqrt()
    }

    fn is_fair(&self) -> bool {
        self.off() < ONE_IN_A_THOUSAND[2] && self.zeros_off() < 3.0
    }
}

/// In memory: a draw is the same wherever its session is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_are_uniform_and_keep_their_leading_zeros() {
    let fleet = Fleet::start(Kind::Memory, Setup::default()).await;
    let (caller, clock) = (fleet.tenant("a21"), Stopwatch::start());
    let (many, mut unfair) = (many(), Vec::new());
    for nth in 0..DRAWS {
        let people = nth * many..(nth + 1) * many;
        assert_eq!(sent(&caller, people.clone(), nowhere).await, many);
        fleet.has_shown(many, people.start).await;
        progress("a21, draws", nth, DRAWS);
        let draw = fleet.codes(0, |codes| Draw::of(&codes[people]));
        let (off, zeros_off) = (draw.off(), draw.zeros_off());
        let fair = ONE_IN_A_THOUSAND[2];
        let uniform = format!("chi-squared {off:.1} of {fair} over {PLACES} places");
        let zeros = format!(
            "{} begin with 0, {zeros_off:.1} standard deviations from one in ten",
            draw.places[0][0]
        );
        if draw.is_fair() {
            let tried = format!("{many} codes of as many messages");
            fleet.tell("a21", &tried, &uniform, &clock);
            fleet.tell("a22", &tried, &zeros, &clock);
            return;
        }
        unfair.push(format!("{uniform}; {zeros}"));
    }
    panic!("{DRAWS} draws in a row are not fair: {unfair:?}");
}
