//! Test destinations: a fixed code, and no message.

use std::fmt;

use async_trait::async_trait;

use crate::code::Code;
use crate::deliver::{DeliverError, Deliverer, Message, Receipt};
use crate::destination::Destination;
use crate::tenant::Tenant;
use crate::verifier::Verifier;

/// The configured test destinations, each with its code.
///
/// Found by the canonical form, by which records are found too: a destination is a test
/// destination exactly when its sessions are those of one. Neither form shows in `Debug`.
#[derive(Default)]
pub(crate) struct TestDestinations(Vec<(Destination, Code)>);

impl TestDestinations {
    /// The later of two codes for one destination is its code.
    pub(crate) fn insert(&mut self, to: Destination, code: Code) {
        let canonical = to.canonical();
        self.0.retain(|(known, _)| known.canonical() != canonical);
        self.0.push((to, code));
    }

    fn code(&self, to: &Destination) -> Option<&Code> {
        let same = |known: &Destination| known.canonical() == to.canonical();
        let found = self.0.iter().find(|(known, _)| same(known));
        found.map(|(_, code)| code)
    }
}

impl fmt::Debug for TestDestinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestDestinations({})", self.0.len())
    }
}

impl Verifier {
    /// Whether sends to this destination have a fixed code and reach nobody: audit them.
    #[must_use]
    pub fn is_test_destination(&self, to: &Destination) -> bool {
        self.0.tests.code(to).is_some()
    }

    /// The test destination whose session this is; none of a real destination's session,
    /// and none of what is no session id. Audit each approval of one.
    #[must_use]
    pub fn test_destination_of(&self, tenant: &Tenant, session_id: &str) -> Option<&Destination> {
        let tests = &self.0.tests.0;
        if tests.is_empty() {
            return None;
        }
        let (_, place) = self.unseal(session_id)?;
        let own = |to: &&Destination| self.destination_key(tenant, to) == place.record;
        tests.iter().map(|(to, _)| to).find(own)
    }

    /// The code of a test destination; none of a real one.
    pub(crate) fn fixed_code(&self, to: &Destination) -> Option<Code> {
        self.0.tests.code(to).map(Code::duplicate)
    }
}

/// Takes every message to a test destination, and keeps nothing of it.
#[derive(Debug)]
pub(crate) struct Nobody;

#[async_trait]
impl Deliverer for Nobody {
    async fn deliver(&self, _: Message<'_>) -> Result<Receipt, DeliverError> {
        Ok(Receipt::new("test"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::at_once::now;
    use crate::destination::Channel;
    use crate::error::SendError;
    use crate::keys::KeyRing;
    use crate::memory::MemoryStore;
    use crate::verifier::{Builder, CheckRequest, SendRequest};

    const CODE: &str = "918273";

    fn builder(test: &str) -> Builder {
        let to = Destination::parse_any(test).unwrap();
        let code = Code::from_custom(CODE).unwrap();
        Verifier::builder(KeyRing::generate().unwrap(), Arc::new(MemoryStore::new()))
            .test_destination(to, code)
    }

    #[test]
    fn a_test_destination_needs_no_deliverer_and_others_do() {
        let verifier = builder("+4740000001").build().unwrap();
        let tenant = Tenant::new("acme").unwrap();
        let to = Destination::parse_any("+4740000001").unwrap();
        let sent = now(verifier.send(&SendRequest::new(&tenant, Channel::Voice, &to))).unwrap();
        let id = sent.session_id.to_string();
        let check = CheckRequest::new(&tenant, &id, CODE);
        assert!(now(verifier.check(&check)).unwrap().is_verified());
        let other = Destination::parse_any("+4740000002").unwrap();
        let refused = now(verifier.send(&SendRequest::new(&tenant, Channel::Voice, &other)));
        assert!(matches!(
            refused,
            Err(SendError::NoDeliverer(Channel::Voice))
        ));
        let by_email = now(verifier.send(&SendRequest::new(&tenant, Channel::Email, &to)));
        assert!(matches!(
            by_email,
            Err(SendError::WrongChannel(Channel::Email))
        ));
    }

    #[test]
    fn a37_neither_code_nor_destination_shows_in_debug() {
        let builder = builder("secret.tester@example.com");
        let shown = format!("{builder:?}");
        let text = format!("{shown} {:?}", builder.build().unwrap());
        assert!(!text.contains(CODE) && !text.contains("tester"), "{text}");
    }
}
