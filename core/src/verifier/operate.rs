//! Status, cancel, reset, inspect, sweep: what owners and operators do.

use crate::destination::Destination;
use crate::error::StoreError;
use crate::record::{Action, Effect, Inspection, SessionView};
use crate::session_id::{Nonce, Pointer, SessionId};
use crate::tenant::Tenant;
use crate::verifier::{Verifier, unexpected};

impl Verifier {
    /// Looks at a session; none if this tenant has no such session.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be told.
    pub async fn status(
        &self,
        tenant: &Tenant,
        session_id: &str,
    ) -> Result<Option<SessionView>, StoreError> {
        self.look(tenant, session_id, Action::Look).await
    }

    /// Ends a live session and shows how it now stands; none if there is no such session.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be told.
    pub async fn cancel(
        &self,
        tenant: &Tenant,
        session_id: &str,
    ) -> Result<Option<SessionView>, StoreError> {
        self.look(tenant, session_id, Action::Cancel).await
    }

    /// Forgets failures, sends and locks of a destination; its sessions stay. Audit it.
    ///
    /// # Errors
    /// [`StoreError`] when it may not have happened.
    pub async fn reset(&self, tenant: &Tenant, to: &Destination) -> Result<(), StoreError> {
        let key = self.destination_key(tenant, to);
        match self.apply(key, tenant.tag(), Action::Reset).await? {
            Effect::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// All that is known of a destination. Audit it.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be read.
    pub async fn inspect(
        &self,
        tenant: &Tenant,
        to: &Destination,
    ) -> Result<Inspection, StoreError> {
        let key = self.destination_key(tenant, to);
        let policy = &self.0.policy;
        let action = Action::Inspect(policy.destination, policy.known_device);
        match self.apply(key, tenant.tag(), action).await? {
            Effect::Inspection(inspection) => Ok(*inspection),
            _ => Err(unexpected()),
        }
    }

    /// The public id of a session of this destination, as `inspect` found it; none when
    /// the key that it was opened with is gone from the ring.
    #[must_use]
    pub fn session_id(
        &self,
        tenant: &Tenant,
        to: &Destination,
        view: &SessionView,
    ) -> Option<SessionId> {
        let place = Pointer {
            record: self.destination_key(tenant, to),
            nonce: view.nonce,
        };
        Some(SessionId::seal(self.0.keys.find(view.key)?, place))
    }

    /// Removes at most `max` values that mean nothing any more, and says how many.
    ///
    /// # Errors
    /// [`StoreError`]; try again later.
    pub async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        self.0.store.sweep(max).await
    }

    async fn look(
        &self,
        tenant: &Tenant,
        session_id: &str,
        action: fn(Nonce) -> Action,
    ) -> Result<Option<SessionView>, StoreError> {
        let Some((_, place)) = self.unseal(session_id) else {
            return Ok(None);
        };
        match self
            .apply(place.record, tenant.tag(), action(place.nonce))
            .await?
        {
            Effect::Session(session) => Ok(session),
            _ => Err(unexpected()),
        }
    }
}
