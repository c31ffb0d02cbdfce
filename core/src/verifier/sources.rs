//! Limits about others than the destination: which of them a request counts against.

use std::net::IpAddr;

use crate::error::{LimitName, RandomUnavailable, StoreError};
use crate::keys::Kind;
use crate::policy::Limit;
use crate::record::{Action, Charge, Effect, RecordKey, Refusal};
use crate::tenant::Tenant;
use crate::verifier::{Verifier, unexpected};

/// The limits that one send or check counts against, each in a record of its own.
pub(crate) struct Sources<'a> {
    tenant: &'a Tenant,
    charges: Vec<(RecordKey, Charge)>,
}

impl Verifier {
    /// What a send from `ip` counts against: source, network, tenant.
    pub(crate) fn send_sources<'a>(
        &self,
        tenant: &'a Tenant,
        ip: Option<IpAddr>,
    ) -> Result<Sources<'a>, RandomUnavailable> {
        let policy = &self.0.policy;
        let mut named = Vec::new();
        if let Some(ip) = ip {
            named.push((LimitName::SourceSends, policy.source_sends, source(ip)));
            if let Some(network) = network(ip) {
                named.push((LimitName::NetworkSends, policy.network_sends, network));
            }
        }
        named.push((LimitName::TenantSends, policy.tenant_sends, Vec::new()));
        self.sources(tenant, named)
    }

    /// What a check from `ip` counts against.
    pub(crate) fn check_sources<'a>(
        &self,
        tenant: &'a Tenant,
        ip: Option<IpAddr>,
    ) -> Result<Sources<'a>, RandomUnavailable> {
        let limit = self.0.policy.source_checks;
        let named = ip.map(|ip| (LimitName::SourceChecks, limit, source(ip)));
        self.sources(tenant, named.into_iter().collect())
    }

    fn sources<'a>(
        &self,
        tenant: &'a Tenant,
        named: Vec<(LimitName, Option<Limit>, Vec<u8>)>,
    ) -> Result<Sources<'a>, RandomUnavailable> {
        let mut charges = Vec::with_capacity(named.len());
        for (name, limit, about) in named {
            let Some(limit) = limit else { continue };
            let about = [name.as_str().as_bytes(), b"\0", &about].concat();
            let key = self.0.keys.record_key(Kind::Limit, tenant.tag(), &about);
            let mut operation = [0; 4];
            self.0.random.fill(&mut operation)?;
            let operation = u32::from_be_bytes(operation);
            charges.push((
                key,
                Charge {
                    operation,
                    limit,
                    name,
                },
            ));
        }
        Ok(Sources { tenant, charges })
    }

    /// Whether every limit would allow it now. Nothing is charged: else hammering one
    /// refused destination would burn the limits of its tenant.
    pub(crate) async fn peek(&self, sources: &Sources<'_>) -> Result<Option<Refusal>, StoreError> {
        for (key, charge) in &sources.charges {
            let peek = Action::PeekCharge(*charge);
            match self.apply(*key, sources.tenant.tag(), peek).await? {
                Effect::Done => {}
                Effect::Refused(refusal) => return Ok(Some(refusal)),
                _ => return Err(unexpected()),
            }
        }
        Ok(None)
    }

    /// Charges every limit, or none: what was charged before a refusal is given back.
    pub(crate) async fn charge(
        &self,
        sources: &Sources<'_>,
    ) -> Result<Option<Refusal>, StoreError> {
        for (key, charge) in &sources.charges {
            let refusal = match self
                .apply(*key, sources.tenant.tag(), Action::Charge(*charge))
                .await
            {
                Ok(Effect::Done) => continue,
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
    pub(crate) async fn refund(&self, sources: &Sources<'_>) {
        for (key, charge) in &sources.charges {
            let refund = Action::Refund(charge.operation);
            let _best_effort = self.apply(*key, sources.tenant.tag(), refund).await;
        }
    }
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
        assert_eq!(wide("192.0.2.1"), None);
    }
}
