//! Money: what was spent is what left, to the last millionth, and never above the cap.

use std::sync::Arc;

use countersign::{
    Builder, Channel, Destination, NumberPlan, PhoneNumber, Policy, Served, Unserved,
};
use proptest::prelude::*;

use super::world::{Ground, Tested, World};

const PRICE: u64 = 7;
/// Five messages, and a little that buys none.
const CAP: u64 = 5 * PRICE + 3;
const DAY: u64 = 24 * 3600 * 1000;

#[derive(Debug)]
struct OnePrice;

impl NumberPlan for OnePrice {
    fn serve(&self, _: Channel, _: &PhoneNumber) -> Result<Served, Unserved> {
        Ok(Served::new("+4712", PRICE))
    }
}

/// What the model knows of a day's spend.
#[derive(Default)]
pub(crate) struct Purse {
    day: u64,
    spent: u64,
    /// The day in which the message that is about to leave was paid for.
    paid: Option<u64>,
}

/// Prices and caps, where the store does not fail: a failing one may leave more charged than
/// was sent, and its first swap would no longer be the session's.
pub(crate) fn with_prices(ground: Ground, mut policy: Policy, builder: Builder) -> Builder {
    if ground != Ground::Memory {
        return builder.policy(policy);
    }
    policy.tenant_daily_spend_micros = Some(CAP + PRICE);
    policy.total_daily_spend_micros = Some(CAP);
    builder.policy(policy).number_plan(Arc::new(OnePrice))
}

impl World {
    /// Whether another message to this place is within the day's cap.
    pub(crate) fn affords(&self, place: usize) -> bool {
        !self.costs(place) || self.spent_today() + PRICE <= CAP
    }

    /// A message was charged; whether it leaves is not known yet.
    pub(crate) fn pay(&mut self, place: usize, decoy: bool) {
        let today = self.now().as_millis() / DAY;
        self.purse.paid = None;
        if !self.costs(place) {
            return;
        }
        // The clock may go back over midnight: a day that has begun is not left again.
        if today > self.purse.day {
            (self.purse.day, self.purse.spent) = (today, 0);
        }
        if !decoy {
            self.purse.spent += PRICE;
            self.purse.paid = Some(self.purse.day);
        }
    }

    /// It did not leave.
    pub(crate) fn get_back(&mut self) {
        if self.purse.paid.take() == Some(self.purse.day) {
            self.purse.spent -= PRICE;
        }
    }

    pub(crate) fn observe_money(&self) -> Tested {
        let (verifier, own) = (&self.verifier, &self.tenant);
        let spent = |tenant| self.drive(verifier.spent_today(tenant)).unwrap().unwrap();
        let all = spent(None);
        prop_assert_eq!(all, self.spent_today(), "other than what left was spent");
        prop_assert_eq!(spent(Some(own)), all, "tenants spent another sum than all");
        prop_assert_eq!(spent(Some(&self.stranger)), 0, "a stranger paid");
        prop_assert!(all <= CAP, "{} above the cap", all);
        Ok(())
    }

    fn costs(&self, place: usize) -> bool {
        let phone = matches!(self.places[place], Destination::Phone(_));
        phone && self.ground == Ground::Memory
    }

    fn spent_today(&self) -> u64 {
        if self.now().as_millis() / DAY > self.purse.day {
            0
        } else {
            self.purse.spent
        }
    }
}
