mod guesses;

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// Gives the seeds 1, 2, 3, … and counts how often it is asked.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Randomness for Counter {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        let count = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        bytes.fill(0);
        bytes[..8].copy_from_slice(&count.to_le_bytes());
        Ok(())
    }
}

/// Fills half of what is asked for, then fails.
#[derive(Debug)]
struct Broken;

impl Randomness for Broken {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        let half = bytes.len() / 2;
        bytes[..half].fill(7);
        Err(RandomUnavailable)
    }
}

fn seed(count: u64) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&count.to_le_bytes());
    seed
}

fn letters(length: u8) -> CodeForm {
    CodeForm::new(length, Alphabet::Alphanumeric).unwrap()
}

#[test]
fn an_alphabet_has_its_symbols_and_no_other_byte() {
    for alphabet in [Alphabet::Digits, Alphabet::Alphanumeric] {
        for byte in 0..=u8::MAX {
            let listed = alphabet.symbols().contains(&byte);
            assert_eq!(alphabet.has(byte), listed, "{alphabet:?} {byte}");
        }
    }
}

#[test]
fn a20_every_code_has_a_seed_of_its_own() {
    let source = Counter::default();
    let form = CodeForm::new(10, Alphabet::Digits).unwrap();
    let codes: Vec<_> = (0..100)
        .map(|_| Code::draw_from(form, &source).unwrap())
        .collect();
    assert_eq!(source.0.load(Ordering::SeqCst), 100, "one seed a code");
    for (n, code) in codes.iter().enumerate() {
        // The seed alone decides: no state is left over from the code before.
        assert_eq!(
            code.reveal(),
            Code::from_seed(form, &seed(n as u64 + 1)).reveal()
        );
        assert!(
            codes[..n]
                .iter()
                .all(|earlier| earlier.reveal() != code.reveal())
        );
    }
}

#[test]
fn a20_the_system_draws_different_codes() {
    let form = CodeForm::new(10, Alphabet::Digits).unwrap();
    let mut codes: Vec<_> = (0..1000)
        .map(|_| Code::draw(form).unwrap().reveal().to_owned())
        .collect();
    codes.sort();
    codes.dedup();
    // Two alike among a thousand of 10^10: once in twenty thousand runs.
    assert!(codes.len() >= 999);
}

#[test]
fn a23_a_failing_source_gives_no_code() {
    for form in [CodeForm::SIX_DIGITS, letters(8)] {
        assert!(matches!(
            Code::draw_from(form, &Broken),
            Err(RandomUnavailable)
        ));
    }
}

#[test]
fn a21_words_beyond_the_last_multiple_are_thrown_away() {
    // 2^32 = 10 × 429,496,729 + 6: the last six words would favour 0 to 5.
    let words = [
        u32::MAX,
        4_294_967_290,
        4_294_967_289,
        0,
        4_294_967_291,
        10,
        11,
        u32::MAX,
        25,
        9,
    ];
    let mut taken = 0;
    let code = Code::from_words(CodeForm::SIX_DIGITS, || {
        taken += 1;
        words[taken - 1]
    });
    assert_eq!(code.reveal(), "900159");
    assert_eq!(taken, words.len());

    // 2^32 = 23 × 186,737,708 + 12.
    let words = [4_294_967_284, 4_294_967_283, u32::MAX, 0, 22, 23];
    let mut taken = 0;
    let code = Code::from_words(letters(4), || {
        taken += 1;
        words[taken - 1]
    });
    assert_eq!(code.reveal(), "Y3Y3");
    assert_eq!(taken, words.len());
}

#[test]
fn a21_the_last_multiple_is_right_for_every_size_of_alphabet() {
    for alphabet in [Alphabet::Digits, Alphabet::Alphanumeric] {
        let size = alphabet.symbols().len() as u64;
        let fair = (1u64 << 32) / size * size;
        let form = CodeForm::new(4, alphabet).unwrap();
        for (word, kept) in [(fair - 1, true), (fair, false)] {
            let mut asked = 0;
            Code::from_words(form, || {
                asked += 1;
                if asked == 1 {
                    u32::try_from(word).unwrap()
                } else {
                    0
                }
            });
            assert_eq!(asked == 4, kept, "{word}");
        }
    }
}

/// Draws codes by the seeds 1, 2, 3, … (so that the test is no lottery), and returns how
/// often each symbol stands at each place, and how often each triple comes first.
fn tally(form: CodeForm, codes: u32) -> (Vec<Vec<u32>>, Vec<u32>) {
    let symbols = form.alphabet().symbols();
    let mut places = vec![vec![0; symbols.len()]; usize::from(form.length())];
    let mut triples = vec![0; symbols.len().pow(3)];
    for n in 1..=codes {
        let code = Code::from_seed(form, &seed(u64::from(n)));
        let values: Vec<_> = code
            .reveal()
            .bytes()
            .map(|byte| symbols.iter().position(|symbol| *symbol == byte).unwrap())
            .collect();
        assert_eq!(values.len(), usize::from(form.length()));
        for (place, value) in values.iter().enumerate() {
            places[place][*value] += 1;
        }
        triples[(values[0] * symbols.len() + values[1]) * symbols.len() + values[2]] += 1;
    }
    (places, triples)
}

fn chi_squared(counts: &[u32]) -> f64 {
    let all: u32 = counts.iter().sum();
    let expected = f64::from(all) / f64::from(u32::try_from(counts.len()).unwrap());
    counts
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum()
}

/// Chi-squared values that a fair draw exceeds once in a thousand times (`SciPy`'s
/// `chi2.ppf(0.999, df)`), for 9, 22 and 999 degrees of freedom.
const ONE_IN_A_THOUSAND: [f64; 3] = [27.877, 48.268, 1142.848];

fn assert_fair_digits(codes: u32, leading_zero_tolerance: f64) {
    let (places, triples) = tally(CodeForm::SIX_DIGITS, codes);
    for counts in &places {
        assert!(chi_squared(counts) < ONE_IN_A_THOUSAND[0], "{counts:?}");
    }
    assert!(
        chi_squared(&triples) < ONE_IN_A_THOUSAND[2],
        "{}",
        chi_squared(&triples)
    );
    let zeros = f64::from(places[0][0]) / f64::from(codes);
    assert!((zeros - 0.1).abs() < leading_zero_tolerance, "{zeros}");
}

#[test]
fn a21_a22_a_million_codes_are_fair_and_keep_their_leading_zeros() {
    // Three standard deviations of the share of leading zeros.
    assert_fair_digits(1_000_000, 0.000_9);
    if std::env::var_os("COUNTERSIGN_LONG").is_some() {
        assert_fair_digits(10_000_000, 0.000_5);
    }
    let (places, _) = tally(letters(6), 200_000);
    for counts in &places {
        assert!(chi_squared(counts) < ONE_IN_A_THOUSAND[1], "{counts:?}");
    }
}

#[test]
fn a21_the_measure_of_fairness_sees_a_plain_remainder() {
    // The bias that a byte's remainder has: 0 to 5 come 26 times in 256, 6 to 9 25 times.
    let counts: Vec<_> = (0..10)
        .map(|n| if n < 6 { 101_562 } else { 97_657 })
        .collect();
    assert!(chi_squared(&counts) > ONE_IN_A_THOUSAND[0]);
}

#[test]
fn alphabets_have_their_names() {
    assert_eq!(Alphabet::Digits.name(), "digits");
    assert_eq!(Alphabet::Alphanumeric.name(), "alphanumeric");
}

#[test]
fn alphanumeric_codes_have_no_look_alikes() {
    let symbols = Alphabet::Alphanumeric.symbols();
    for pair in ["0O", "1I", "1L", "2Z", "5S", "8B", "UV"] {
        assert!(
            !pair.bytes().any(|symbol| symbols.contains(&symbol)),
            "{pair}"
        );
    }
    assert!(symbols.is_sorted_by(|left, right| left < right));
    assert_eq!(symbols.len(), 23);
}

#[test]
fn forms_have_4_to_10_characters() {
    for alphabet in [Alphabet::Digits, Alphabet::Alphanumeric] {
        for length in [0, 1, 3, 11, 64, 255] {
            assert_eq!(CodeForm::new(length, alphabet), Err(InvalidCode::Length));
        }
        for length in 4..=10 {
            let code = Code::draw(CodeForm::new(length, alphabet).unwrap()).unwrap();
            assert_eq!(code.reveal().len(), usize::from(length));
            assert!(
                code.reveal()
                    .bytes()
                    .all(|byte| alphabet.symbols().contains(&byte))
            );
        }
    }
}

#[test]
fn custom_codes_are_taken_as_they_are_or_not_at_all() {
    for (text, alphabet) in [
        ("0000", Alphabet::Digits),
        ("0123456789", Alphabet::Digits),
        ("3467", Alphabet::Digits),
        ("ACDEF346", Alphabet::Alphanumeric),
    ] {
        let code = Code::from_custom(text).unwrap();
        assert_eq!(code.reveal(), text);
        assert_eq!(code.form().alphabet(), alphabet);
    }
    for text in [
        "",
        "123",
        "12345678901",
        "12 34",
        "1234\n",
        "acde",
        "１２３４",
        "0ACD",
        "pass",
    ] {
        assert!(Code::from_custom(text).is_err(), "{text:?}");
    }
}

fn pack(text: &str) -> u64 {
    let number = text.bytes().fold(0, append);
    with_length(number, u8::try_from(text.len()).unwrap())
}

#[test]
fn a_code_and_its_guess_pack_alike() {
    for text in ["0123", "9999999999", "34679ACDEF", "WXY7"] {
        let code = Code::from_custom(text).unwrap();
        let typed = Guess::parse(&format!(" {}", text.to_lowercase())).unwrap();
        let plain = Guess::parse(text).unwrap();
        assert_eq!((code.packed(), plain.packed()), (pack(text), pack(text)));
        assert_eq!((typed.packed(), typed.fit()), (pack(text), plain.fit()));
    }
}

#[test]
fn different_codes_pack_to_different_numbers() {
    let texts = [
        "0000",
        "00000",
        "0001",
        "1000",
        "000A",
        "A000",
        "ZZZZZZZZZZ",
        "9999999999",
        "AAAA",
    ];
    let mut packed: Vec<_> = texts.iter().map(|text| pack(text)).collect();
    packed.sort_unstable();
    packed.dedup();
    assert_eq!(packed.len(), texts.len());
    assert_eq!(
        pack("012345"),
        (6 << 56) | ((((36 + 2) * 36 + 3) * 36 + 4) * 36 + 5)
    );
}

#[test]
fn a37_neither_codes_nor_guesses_show_in_debug() {
    let code = Code::from_custom("918273").unwrap();
    let guess = Guess::parse("918273").unwrap();
    for text in [
        format!("{code:?}"),
        format!("{guess:?}"),
        format!("{code:#?}{guess:#?}"),
    ] {
        assert!(!text.contains("918"), "{text}");
        assert!(text.contains("redacted"), "{text}");
    }
}

#[test]
fn codes_and_guesses_are_wiped() {
    let mut code = Code::from_custom("918273").unwrap();
    code.zeroize();
    assert_eq!(code.text, [0; 10]);
    let mut guess = Guess::parse("918273").unwrap();
    guess.zeroize();
    assert_eq!(guess.packed(), 0);
}
