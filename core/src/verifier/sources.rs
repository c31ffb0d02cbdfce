//! Limits about others than the destination: which of them a request counts against.

use std::net::IpAddr;

use crate::error::{LimitName, RandomUnavailable, StoreError};
use crate::keys::{Kind, Tag};
use crate::number_plan::Served;
use crate::policy::{Limit, Mode};
use crate::record::{Action, Against, Charge, Effect, RecordKey, Refusal};
use crate::tenant::Tenant;
use crate::verifier::{Verifier, unexpected};

/// The limits that one send or check counts against, each in a record of its own.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    entries: Vec<Entry>,
    /// What the observer is told of a dry run.
    prefix: Option<String>,
}

#[derive(Debug)]
struct Entry {
    key: RecordKey,
    tag: Tag,
    charge: Charge,
}

/// A message to be charged: whose, from where, and to what sort of number.
pub(crate) struct Sender<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) served: Option<&'a Served>,
    pub(crate) decoy: bool,
}

impl Verifier {
    /// What a send counts against: source, network, tenant, prefix, spend.
    pub(crate) fn send_sources(&self, sender: &Sender<'_>) -> Result<Sources, RandomUnavailable> {
        let (policy, own) = (&self.0.policy, sender.tenant.tag());
        let mut sources = Sources {
            entries: Vec::new(),
            prefix: sender.served.map(|served| served.prefix.clone()),
        };
        let source = sender.ip.map(source);
        let network = sender.ip.and_then(network);
        for (name, limit, about) in [
            (LimitName::SourceSends, policy.source_sends, source),
            (LimitName::NetworkSends, policy.network_sends, network),
            (
                LimitName::TenantSends,
                policy.tenant_sends,
                Some(Vec::new()),
            ),
        ] {
            if let (Some(limit), Some(about)) = (limit, about) {
                self.charge_events(&mut sources, own, name, limit, &about)?;
            }
        }
        self.charge_money(&mut sources, sender)?;
        for entry in &mut sources.entries {
            entry.charge.decoy = sender.decoy;
        }
        Ok(sources)
    }

    /// What a check from `ip` counts against.
    pub(crate) fn check_sources(
        &self,
        tenant: &Tenant,
        ip: IpAddr,
    ) -> Result<Sources, RandomUnavailable> {
        let mut sources = Sources::default();
        if let Some(limit) = self.0.policy.source_checks {
            let name = LimitName::SourceChecks;
            self.charge_events(&mut sources, tenant.tag(), name, limit, &source(ip))?;
        }
        Ok(sources)
    }

    pub(crate) fn charge_events(
        &self,
        sources: &mut Sources,
        tag: Tag,
        name: LimitName,
        limit: Limit,
        whose: &[u8],
    ) -> Result<(), RandomUnavailable> {
        self.charge_against(
            sources,
            tag,
            name,
            Against::Events(limit),
            &about(name, whose),
        )
    }

    /// Adds a charge with an operation id of its own.
    pub(crate) fn charge_against(
        &self,
        sources: &mut Sources,
        tag: Tag,
        name: LimitName,
        against: Against,
        about: &[u8],
    ) -> Result<(), RandomUnavailable> {
        let mut operation = [0; 4];
        self.0.random.fill(&mut operation)?;
        sources.entries.push(Entry {
            key: self.0.keys.record_key(against.kind(), tag, about),
            tag,
            charge: Charge {
                operation: u32::from_be_bytes(operation),
                name,
                against,
                mode: self.mode_of(name),
                decoy: false,
            },
        });
        Ok(())
    }

    /// Whether every limit would allow it now. Nothing is charged: else hammering one
    /// refused destination would burn the limits of its tenant.
    pub(crate) async fn peek(&self, sources: &Sources) -> Result<Option<Refusal>, StoreError> {
        for entry in &sources.entries {
            // A dry run refuses nothing, and is told once: when it is charged.
            if entry.charge.mode == Mode::Report {
                continue;
            }
            let peek = Action::PeekCharge(entry.charge);
            match self.apply(entry.key, entry.tag, peek).await? {
                Effect::Done => {}
                Effect::Refused(refusal) => return Ok(Some(refusal)),
                _ => return Err(unexpected()),
            }
        }
        Ok(None)
    }

    /// Charges every limit, or none: what was charged before a refusal is given back.
    pub(crate) async fn charge(&self, sources: &Sources) -> Result<Option<Refusal>, StoreError> {
        for entry in &sources.entries {
            let charge = Action::Charge(entry.charge);
            let refusal = match self.apply(entry.key, entry.tag, charge).await {
                Ok(Effect::Done) => continue,
                Ok(Effect::Refused(_)) if entry.charge.mode == Mode::Report => {
                    self.would_refuse(entry.charge.name, sources.prefix.as_deref());
                    continue;
                }
                Ok(Effect::Refused(refusal)) => Ok(Some(refusal)),
                Ok(_) => Err(unexpected()),
                Err(error) => Err(error),
            };
            self.refund(sources).await;
            return refusal;
        }
        Ok(None)
    }

    /// Gives back what a lost race or a refusal left charged, as well as it can: what
    /// cannot be given back stays charged, so no cap is ever passed.
    pub(crate) async fn refund(&self, sources: &Sources) {
        self.give_back(sources, |_| true).await;
    }

    /// Gives back what a message costs that was handed to no provider. Its send stays
    /// charged: who makes deliveries fail sends no more for it.
    pub(crate) async fn refund_money(&self, sources: &Sources) {
        self.give_back(sources, |kind| kind != Kind::Limit).await;
    }

    async fn give_back(&self, sources: &Sources, which: fn(Kind) -> bool) {
        for entry in &sources.entries {
            if which(entry.charge.against.kind()) {
                let refund = Action::Refund(entry.charge);
                let _best_effort = self.apply(entry.key, entry.tag, refund).await;
            }
        }
    }
}

/// What a record of events is about: each limit has its own of the same source.
pub(crate) fn about(name: LimitName, whose: &[u8]) -> Vec<u8> {
    [name.as_str().as_bytes(), b"\0", whose].concat()
}

/// One source: an IPv4 address, or an IPv6 /64, which one person commands alone.
fn source(ip: IpAddr) -> Vec<u8> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets()[..8].to_vec(),
    }
}

/// The wider IPv6 /48, which one customer of a provider may command.
fn network(ip: IpAddr) -> Option<Vec<u8>> {
    match ip.to_canonical() {
        IpAddr::V4(_) => None,
        IpAddr::V6(ip) => Some(ip.octets()[..6].to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a45_spellings_and_neighbours_are_one_source() {
        let of = |text: &str| source(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_eq!(
            of("2001:db8:0:1::1"),
            of("2001:0db8::1:ffff:ffff:ffff:ffff")
        );
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        let wide = |text: &str| network(text.parse().unwrap());
        assert_eq!(wide("2001:db8:0:1::1"), wide("2001:db8:0:2::1"));
        assert_ne!(wide("2001:db8:0:1::1"), wide("2001:db8:1:1::1"));
        assert_eq!(wide("192.0.2.1"), None);
    }
}
