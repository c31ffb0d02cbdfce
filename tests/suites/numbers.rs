//! Phone numbers beside another implementation: Python's `phonenumbers`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a suite fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use countersign::{DestinationError, NumberPlan, PhoneNumber};
use countersign_numbers::{Numbers, NumbersConfig};
use serde_json::Value;

/// What `tests/parts/number_oracle.py` says about one number.
struct Known(Value);

impl Known {
    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    fn is(&self, field: &str) -> bool {
        self.0[field].as_bool().unwrap()
    }

    fn texts(&self, field: &str) -> impl Iterator<Item = &str> {
        let texts = self.0[field].as_array().unwrap().iter();
        texts.map(|text| text.as_str().unwrap())
    }

    /// Core's reading: it refuses what is shorter than seven digits, or begins with a zero
    /// where no line is dialled with one.
    fn in_core(&self) -> Result<PhoneNumber, DestinationError> {
        PhoneNumber::parse(self.text("e164"))
    }
}

fn known() -> &'static [Known] {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let own = tests.join(".parts/venv/bin/python");
        let python = std::env::var_os("COUNTERSIGN_PYTHON").map_or(own, PathBuf::from);
        let told = Command::new(python)
            .arg(tests.join("parts/number_oracle.py"))
            .output()
            .expect("Python is missing: ./tests/run parts");
        let problem = String::from_utf8_lossy(&told.stderr);
        assert!(
            told.status.success(),
            "run ./tests/run parts, then again: {problem}"
        );
        let lines = String::from_utf8(told.stdout).unwrap();
        lines
            .lines()
            .map(|line| Known(serde_json::from_str(line).unwrap()))
            .collect()
    })
}

fn plan(region: Option<&str>) -> Numbers {
    let config = region.map_or(NumbersConfig::new(), |region| {
        NumbersConfig::new().region(region)
    });
    Numbers::new(&config).unwrap()
}

#[test]
fn a44_every_spelling_of_every_regions_numbers_is_read_as_python_reads_it() {
    let numbers = plan(None);
    let (mut examples, mut spellings, mut refused) = (0, 0, BTreeMap::new());
    for known in known().iter().filter(|known| known.is("example")) {
        examples += 1;
        for spelling in known.texts("spellings") {
            spellings += 1;
            match numbers.read(spelling) {
                Ok(number) => assert_eq!(number.as_str(), known.text("e164"), "{spelling}"),
                Err(error) => {
                    assert_eq!(Err(error), known.in_core(), "{spelling}");
                    *refused.entry(known.text("e164")).or_insert(0) += 1;
                    // None of them would ever be served.
                    let sort = known.text("sort");
                    let never = ["TollFree", "Premium", "SharedCost", "CompanyWide"];
                    assert!(never.contains(&sort), "{spelling}: {sort}");
                }
            }
        }
    }
    println!("{examples} numbers in {spellings} spellings; refused: {refused:?}");
    assert!(
        examples >= 1_380 && spellings >= 12_000,
        "{examples} numbers, {spellings} spellings"
    );
    assert_eq!(refused.len(), 11, "{refused:?}");
}

#[test]
fn region_sort_and_validity_are_what_python_says() {
    let numbers = plan(None);
    let mut compared = BTreeSet::new();
    let mut valid = 0;
    for known in known() {
        let Ok(number) = known.in_core() else {
            continue;
        };
        let facts = numbers.facts(&number);
        let e164 = known.text("e164");
        assert_eq!(
            facts.country.unwrap_or_default(),
            known.text("region"),
            "{e164}"
        );
        assert_eq!(format!("{:?}", facts.sort), known.text("sort"), "{e164}");
        assert_eq!(facts.valid, known.is("valid"), "{e164}");
        let read = numbers.read(e164).unwrap();
        assert!(!facts.valid || read == number, "{e164} was read as another");
        valid += usize::from(facts.valid);
        compared.insert(e164);
    }
    println!(
        "{} numbers compared, of which {valid} are valid",
        compared.len()
    );
    assert!(
        compared.len() >= 4_000 && valid >= 3_000,
        "{} {valid}",
        compared.len()
    );
}

#[test]
fn a44_national_forms_are_read_at_home_as_python_reads_them() {
    let mut read = 0;
    let mut plans: BTreeMap<&str, Numbers> = BTreeMap::new();
    for known in known().iter().filter(|known| known.in_core().is_ok()) {
        let region = known.text("region");
        for spelling in known.texts("national") {
            let numbers = plans.entry(region).or_insert_with(|| plan(Some(region)));
            let number = numbers
                .read(spelling)
                .map(|number| number.as_str().to_owned());
            let expected = known.text("e164").to_owned();
            assert_eq!(number, Ok(expected), "{spelling} in {region}");
            read += 1;
        }
    }
    println!("{read} national forms read in {} regions", plans.len());
    assert!(
        read >= 1_360 && plans.len() >= 240,
        "{read} in {}",
        plans.len()
    );
}
