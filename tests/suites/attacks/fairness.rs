//! A21, A22: codes are uniform, and keep their leading zeros.

use std::sync::Mutex;

use countersign::{Code, CodeForm, RandomUnavailable, Randomness};

use crate::parts::dice::Dice;
use crate::parts::ledger::{From, note};
use crate::parts::long::{long, progress};
use crate::parts::uniform::{ONE_IN_A_THOUSAND, chi_squared};

/// Seeds that a seed repeats, so that the test is no lottery.
#[derive(Debug)]
struct Seeds(Mutex<Dice>);

impl Randomness for Seeds {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        let drawn = self.0.lock().unwrap().noise(bytes.len());
        bytes.copy_from_slice(&drawn);
        Ok(())
    }
}

#[test]
fn a21_a22_codes_are_uniform_and_keep_their_leading_zeros() {
    let codes: u32 = if long() { 10_000_000 } else { 500_000 };
    let seeds = Seeds(Mutex::new(Dice::seeded(21)));
    // How often each digit stands at each place, and each triple at either end.
    let mut places = [[0; 10]; 6];
    let mut triples = [vec![0; 1000], vec![0; 1000]];
    for n in 0..codes {
        progress("a21", n as usize, codes as usize);
        let code = Code::draw_from(CodeForm::SIX_DIGITS, &seeds).unwrap();
        let digits: [u8; 6] = code.reveal().as_bytes().try_into().unwrap();
        let digits = digits.map(|digit| usize::from(digit - b'0'));
        for (place, digit) in digits.iter().enumerate() {
            places[place][*digit] += 1;
        }
        for (ends, three) in triples.iter_mut().zip(digits.chunks(3)) {
            ends[three[0] * 100 + three[1] * 10 + three[2]] += 1;
        }
    }
    let of_places = places.map(|counts| chi_squared(&counts));
    let of_triples = triples.map(|counts| chi_squared(&counts));
    let [most, most_of_triples] =
        [&of_places[..], &of_triples[..]].map(|all| all.iter().copied().fold(0.0, f64::max));
    assert!(most < ONE_IN_A_THOUSAND[0], "{of_places:?}");
    assert!(most_of_triples < ONE_IN_A_THOUSAND[1], "{of_triples:?}");
    let zeros = f64::from(places[0][0]) / f64::from(codes);
    // Three standard deviations of their share.
    let tolerance = 3.0 * (0.09 / f64::from(codes)).sqrt();
    assert!((zeros - 0.1).abs() < tolerance, "{zeros}");
    let tried = format!("{codes} codes");
    let showed = format!(
        "chi-squared at most {most:.1} of {} at 6 places, {most_of_triples:.0} of {} at 2 triples",
        ONE_IN_A_THOUSAND[0], ONE_IN_A_THOUSAND[1]
    );
    note("a21", "none", From::Inside, &tried, &showed);
    let showed = format!("{:.3} % begin with 0", zeros * 100.0);
    note("a22", "none", From::Inside, &tried, &showed);
}
