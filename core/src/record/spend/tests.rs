use super::*;
use crate::error::LimitName;
use crate::keys::Kind;
use crate::policy::Mode;
use crate::record::kept::Kept;

const CAP: u64 = 1000;
const MIDNIGHT: u64 = 20_000 * 86_400;

fn charge(operation: u32, price_micros: u64) -> Charge {
    Charge {
        operation,
        name: LimitName::TenantSpend,
        against: Against::Spend {
            price_micros,
            cap_micros: CAP,
        },
        mode: Mode::Enforce,
        decoy: false,
    }
}

struct Purse(Kept);

impl Purse {
    fn at(secs: u64) -> Self {
        Self(Kept::absent(Action::LookSpend, secs))
    }

    fn take(&mut self, action: Action) -> Effect {
        self.0.take(action)
    }

    fn spent(&mut self) -> u64 {
        match self.take(Action::LookSpend) {
            Effect::Spent(micros) => micros,
            other => panic!("{other:?}"),
        }
    }
}

fn refused(retry_after: u64) -> Effect {
    Effect::Refused(Refusal::Throttled {
        limit: LimitName::TenantSpend,
        retry_after,
    })
}

#[test]
fn a48_spend_reaches_its_cap_exactly_and_never_passes_it() {
    let mut purse = Purse::at(MIDNIGHT + 60);
    for operation in 0..9 {
        assert_eq!(
            purse.take(Action::Charge(charge(operation, 110))),
            Effect::Done
        );
    }
    assert_eq!(purse.spent(), 990);
    let left = 86_400 - 60;
    assert_eq!(purse.take(Action::PeekCharge(charge(9, 11))), refused(left));
    assert_eq!(purse.take(Action::Charge(charge(9, 11))), refused(left));
    assert_eq!(purse.take(Action::PeekCharge(charge(10, 10))), Effect::Done);
    assert_eq!(purse.spent(), 990, "a peek costs nothing");
    assert_eq!(purse.take(Action::Charge(charge(10, 10))), Effect::Done);
    assert_eq!(purse.spent(), CAP);
    let huge = charge(11, u64::MAX);
    assert_eq!(
        purse.take(Action::Charge(huge)),
        refused(left),
        "no overflow"
    );
}

#[test]
fn one_operation_costs_once_and_is_given_back_once() {
    let mut purse = Purse::at(MIDNIGHT);
    let (one, two) = (charge(1, 300), charge(2, 400));
    for charge in [one, one, two] {
        assert_eq!(purse.take(Action::Charge(charge)), Effect::Done);
    }
    assert_eq!(purse.spent(), 700);
    for _ in 0..2 {
        assert_eq!(purse.take(Action::Refund(one)), Effect::Done);
        assert_eq!(purse.spent(), 400);
    }
    for operation in 100..100 + u32::try_from(OPERATIONS).unwrap() {
        assert_eq!(
            purse.take(Action::Charge(charge(operation, 1))),
            Effect::Done
        );
    }
    let before = purse.spent();
    assert_eq!(purse.take(Action::Refund(two)), Effect::Done);
    assert_eq!(purse.spent(), before, "what is no longer known stays spent");
}

#[test]
fn a_day_ends_at_midnight_of_utc_and_never_comes_back() {
    let mut purse = Purse::at(MIDNIGHT);
    assert_eq!(purse.take(Action::Charge(charge(1, CAP))), Effect::Done);
    purse.0.now = Timestamp::from_millis((MIDNIGHT + DAY) * 1000 - 1);
    assert_eq!(purse.take(Action::Charge(charge(2, 1))), refused(1));
    purse.0.now = purse.0.now.plus_millis(1);
    assert_eq!(purse.spent(), 0);
    assert_eq!(purse.take(Action::Charge(charge(2, 900))), Effect::Done);
    assert_eq!(purse.take(Action::Refund(charge(1, CAP))), Effect::Done);
    assert_eq!(purse.spent(), 900, "yesterday's money is not today's");
    purse.0.now = Timestamp::from_secs(MIDNIGHT + DAY - 10);
    assert_eq!(
        purse.take(Action::Charge(charge(3, 101))),
        refused(DAY + 10)
    );
    assert_eq!(purse.spent(), 900, "the clock went back: no second purse");
    assert_eq!(purse.take(Action::Charge(charge(4, 100))), Effect::Done);
    assert_eq!(purse.spent(), CAP, "nor is this one begun anew");
    let kept = Timestamp::from_secs(MIDNIGHT + 2 * DAY + SLACK_SECONDS);
    assert_eq!(purse.0.record.keep_until(), Some(kept));
}

#[test]
fn a_decoy_is_refused_like_a_message_and_writes_like_one_but_costs_nothing() {
    let mut purse = Purse::at(MIDNIGHT);
    let decoy = |operation, price| Charge {
        decoy: true,
        ..charge(operation, price)
    };
    let before = purse.0.record.encode().len();
    assert_eq!(purse.take(Action::Charge(decoy(1, 600))), Effect::Done);
    assert_eq!(purse.take(Action::Charge(decoy(2, 600))), Effect::Done);
    assert!(purse.0.record.encode().len() > before);
    assert_eq!(purse.spent(), 0);
    assert_eq!(purse.take(Action::Charge(charge(3, 600))), Effect::Done);
    assert_eq!(purse.take(Action::Charge(decoy(4, 600))), refused(DAY));
}

#[test]
fn a_full_record_fits_and_another_s_charge_is_foreign() {
    let mut purse = Purse::at(MIDNIGHT);
    for operation in 0..1000 {
        assert_eq!(
            purse.take(Action::Charge(charge(operation, 1))),
            Effect::Done
        );
    }
    assert!(purse.0.record.encode().len() <= crate::record::MAX_RECORD_BYTES);
    let events = Charge {
        against: Against::Events(crate::policy::Limit::new(1, 1)),
        ..charge(1, 1)
    };
    let forget = Action::Forget(Kind::Spend);
    for action in [Action::Charge(events), Action::CountApproval, forget] {
        let taken = purse.0.clone().step(action);
        assert_eq!(taken.unwrap_err(), CorruptRecord::Foreign);
    }
}
