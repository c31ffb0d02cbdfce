//! From the digits that somebody wrote to the one number that they mean.

use std::collections::BTreeSet;

use countersign::{DestinationError, PhoneNumber};
use rlibphonenumber::{PhoneNumberFormat, PhoneNumberUtil, Region};

use crate::spelling::Spelling;

/// The longest number in E.164, in digits.
const MAX_DIGITS: usize = 15;

/// A country whose national forms are read.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    pub(crate) region: Region,
    /// Its calling code, in digits.
    pub(crate) code: String,
}

/// Reads a number in international form, and in the national one of `home`.
///
/// Everything that the digits could mean is tried, and there must be exactly one number
/// that can exist. Only what begins with `+` or `00` may be a number that cannot exist:
/// it has one meaning all the same, and [`serve`](countersign::NumberPlan::serve) refuses it.
pub(crate) fn read(
    library: &PhoneNumberUtil,
    home: Option<&Home>,
    text: &str,
) -> Result<PhoneNumber, DestinationError> {
    let spelling = Spelling::read(library, text)?;
    if spelling.uri && !spelling.plus {
        return Err(DestinationError::NotE164);
    }
    let forms = spelling.forms();
    let international = |digits: &str| -> Option<String> {
        if spelling.plus {
            Some(digits.to_owned())
        } else {
            digits.strip_prefix("00").map(str::to_owned)
        }
    };
    let mut valid = BTreeSet::new();
    for digits in &forms {
        valid.extend(international(digits).and_then(|digits| existing(library, &digits)));
        if let Some(home) = home.filter(|_| !spelling.plus) {
            valid.extend(at_home(library, home, digits));
        }
    }
    let mut valid = valid.into_iter();
    match (valid.next(), valid.next(), forms.as_slice()) {
        (Some(one), None, _) => PhoneNumber::parse(&one),
        (None, None, [digits]) => {
            let digits = international(digits).ok_or(DestinationError::NotE164)?;
            PhoneNumber::parse(&canonical(library, &digits).unwrap_or(format!("+{digits}")))
        }
        // With a zero in brackets, of which nobody can tell whether it is dialled.
        (_, _, [_, _, ..]) => Err(DestinationError::TrunkZero),
        _ => Err(DestinationError::NotE164),
    }
}

/// The numbers that digits without `+` can mean in a country: its national form, the
/// calling code of the country without its `+`, or the country's own prefix for calls
/// abroad.
fn at_home(library: &PhoneNumberUtil, home: &Home, digits: &str) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(existing(library, &format!("{}{digits}", home.code)));
    if digits.starts_with(&home.code) {
        found.extend(existing(library, digits));
    }
    let dialled = library.parse(digits, Some(home.region)).ok();
    let dialled = dialled.map(|number| {
        library
            .format(&number, PhoneNumberFormat::E164)
            .into_owned()
    });
    found.extend(dialled.and_then(|e164| existing(library, e164.trim_start_matches('+'))));
    found
}

/// The canonical form of international digits, if there can be such a number.
fn existing(library: &PhoneNumberUtil, digits: &str) -> Option<String> {
    canonical(library, digits)
        .filter(|e164| is_valid(library, e164))
        .or_else(|| {
            let e164 = canonical(library, &without_old_mobile_digit(digits)?)?;
            is_valid(library, &e164).then_some(e164)
        })
}

/// What the library makes of international digits, if it makes the same of that.
fn canonical(library: &PhoneNumberUtil, digits: &str) -> Option<String> {
    let once = e164(library, &format!("+{digits}"))?;
    (e164(library, &once)? == once).then_some(once)
}

fn e164(library: &PhoneNumberUtil, text: &str) -> Option<String> {
    let number = library.parse(text, None).ok()?;
    let e164 = library
        .format(&number, PhoneNumberFormat::E164)
        .into_owned();
    (e164.len() <= 1 + MAX_DIGITS).then_some(e164)
}

fn is_valid(library: &PhoneNumberUtil, e164: &str) -> bool {
    library
        .parse(e164, None)
        .is_ok_and(|number| library.is_valid_number(&number))
}

/// Mexico's mobiles had a 1 after the country code until August 2019. Phone books still
/// hold it, and the metadata has forgotten it.
fn without_old_mobile_digit(digits: &str) -> Option<String> {
    let rest = digits.strip_prefix("521")?;
    (rest.len() == 10).then(|| format!("52{rest}"))
}
