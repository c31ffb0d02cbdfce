//! Money: which numbers are served, at what price, and what a message to one costs.

use crate::destination::{Channel, Destination, DestinationError};
use crate::error::{LimitName, RandomUnavailable, SendError, StoreError};
use crate::keys::{Kind, Tag};
use crate::number_plan::Served;
use crate::policy::Mode;
use crate::record::{Action, Against, Effect, RecordKey};
use crate::tenant::Tenant;
use crate::verifier::sources::{Sender, Sources, about};
use crate::verifier::{Verifier, unexpected};

impl Verifier {
    /// Reads the destination of a channel as its number plan does, so that one number has
    /// one form however it was written.
    ///
    /// # Errors
    /// [`DestinationError`] for anything but exactly one well-formed destination.
    pub fn read_destination(
        &self,
        channel: Channel,
        text: &str,
    ) -> Result<Destination, DestinationError> {
        match (channel, &self.0.number_plan) {
            (Channel::Sms | Channel::Voice, Some(plan)) => plan.read(text).map(Destination::Phone),
            _ => Destination::parse(channel, text),
        }
    }

    /// Reads a destination of either sort: with an `@` an email address, else a number.
    ///
    /// # Errors
    /// [`DestinationError`] for anything but exactly one well-formed destination.
    pub fn read_any(&self, text: &str) -> Result<Destination, DestinationError> {
        self.read_destination(Channel::of_text(text), text)
    }

    /// What was spent today (of UTC) by a tenant, or by all of them; in millionths of the
    /// currency. It is counted only where a cap is set.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be read.
    pub async fn spent_today(&self, tenant: Option<&Tenant>) -> Result<u64, StoreError> {
        let tag = tenant.map_or_else(everybody, Tenant::tag);
        let key = self.0.keys.record_key(Kind::Spend, tag, DAY);
        match self.apply(key, tag, Action::LookSpend).await? {
            Effect::Spent(micros) => Ok(micros),
            _ => Err(unexpected()),
        }
    }

    /// Forgets what all tenants sent to the numbers that count together with this one, and
    /// how much of it was approved: the cap and the breaker of their prefix begin anew. Gives
    /// that prefix; none where the number is not served, and so none counts. Audit it.
    ///
    /// It is for the operator of the deployment: a prefix is nobody's own, so that no tenant
    /// may be let do this.
    ///
    /// # Errors
    /// [`StoreError`] when it may not have happened.
    pub async fn reset_prefix(&self, of: &Destination) -> Result<Option<String>, StoreError> {
        let served = |channel| self.serve([channel], of).ok().flatten();
        let Some(served) = [Channel::Sms, Channel::Voice].into_iter().find_map(served) else {
            return Ok(None);
        };
        let prefix = served.prefix.as_bytes();
        let sends = about(LimitName::PrefixSends, prefix);
        for (kind, about) in [(Kind::Limit, sends.as_slice()), (Kind::Conversion, prefix)] {
            let key = self.0.keys.record_key(kind, everybody(), about);
            match self.apply(key, everybody(), Action::Forget(kind)).await? {
                Effect::Done => {}
                _ => return Err(unexpected()),
            }
        }
        Ok(Some(served.prefix))
    }

    /// What the number plan says of a number that any of these channels may reach, at the
    /// price of the dearest; none for an email address, a test destination, or without a
    /// plan.
    pub(crate) fn serve(
        &self,
        channels: impl IntoIterator<Item = Channel>,
        to: &Destination,
    ) -> Result<Option<Served>, SendError> {
        let (Some(plan), Destination::Phone(number)) = (&self.0.number_plan, to) else {
            return Ok(None);
        };
        if self.is_test_destination(to) {
            return Ok(None);
        }
        let mut dearest: Option<Served> = None;
        for channel in channels {
            let served = plan.serve(channel, number).map_err(SendError::Unserved)?;
            let price = dearest.as_ref().map(|dearest| dearest.price_micros);
            if price.is_none_or(|price| price < served.price_micros) {
                dearest = Some(served);
            }
        }
        Ok(dearest)
    }

    /// Where the approval of a message to such a number is counted, if it is.
    pub(crate) fn conversion_key(&self, served: Option<&Served>) -> Option<RecordKey> {
        self.0.policy.prefix_conversion?;
        let prefix = served?.prefix.as_bytes();
        Some(
            self.0
                .keys
                .record_key(Kind::Conversion, everybody(), prefix),
        )
    }

    /// Counts an approval. Best effort: the caller knows its answer already.
    pub(crate) async fn count_approval(&self, prefix: RecordKey) {
        let count = Action::CountApproval;
        let _best_effort = self.apply(prefix, everybody(), count).await;
    }

    /// What a message to a number counts against: prefix, conversion, spend, in this order.
    pub(crate) fn charge_money(
        &self,
        sources: &mut Sources,
        sender: &Sender<'_>,
    ) -> Result<(), RandomUnavailable> {
        let (policy, all) = (&self.0.policy, everybody());
        let Some(served) = sender.served else {
            return Ok(());
        };
        let prefix = served.prefix.as_bytes();
        if let Some(limit) = policy.prefix_sends {
            self.charge_events(sources, all, LimitName::PrefixSends, limit, prefix)?;
        }
        if let Some(rule) = policy.prefix_conversion {
            let grace_seconds = policy.lifetime_seconds;
            let against = Against::Conversion {
                rule,
                grace_seconds,
            };
            let name = LimitName::PrefixConversion;
            self.charge_against(sources, all, name, against, prefix)?;
        }
        let price_micros = served.price_micros;
        for (name, tag, cap) in [
            (
                LimitName::TenantSpend,
                sender.tenant.tag(),
                policy.tenant_daily_spend_micros,
            ),
            (LimitName::TotalSpend, all, policy.total_daily_spend_micros),
        ] {
            let Some(cap_micros) = cap.filter(|_| price_micros > 0) else {
                continue;
            };
            let against = Against::Spend {
                price_micros,
                cap_micros,
            };
            self.charge_against(sources, tag, name, against, DAY)?;
        }
        Ok(())
    }

    /// Whether a limit refuses, or is in a dry run.
    pub(crate) fn mode_of(&self, name: LimitName) -> Mode {
        let policy = &self.0.policy;
        match name {
            LimitName::PrefixSends => policy.prefix_sends_mode,
            LimitName::PrefixConversion => policy.prefix_conversion_mode,
            LimitName::TenantSpend | LimitName::TotalSpend => policy.spend_mode,
            _ => Mode::Enforce,
        }
    }

    pub(crate) fn would_refuse(&self, limit: LimitName, prefix: Option<&str>) {
        if let Some(observer) = &self.0.observer {
            observer.would_refuse(limit, prefix);
        }
    }
}

/// What a spend record is about; its key has nothing else to tell.
const DAY: &[u8] = b"day";

/// Whose records are about all tenants together.
fn everybody() -> Tag {
    Tag::of("everybody", "")
}
