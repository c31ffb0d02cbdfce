//! API keys over the verifier's own store: made, listed, revoked, recognised.

use std::fmt;
use std::sync::Arc;

use countersign::store::{Entry, Swap};
use countersign::{Clock, KeyRing, RecordKey, Stopwatch, StoreError, Tenant, Timestamp, Verifier};
use subtle::ConstantTimeEq;

use crate::api_key::{ApiKeyError, Kid, NewKey, hash, kid_of, random};
use crate::auth_limit::AuthLimit;
use crate::caller::{Caller, Scopes};
use crate::forwarded::TrustedProxies;
use crate::key_cache::{KeyCache, Ticker};
use crate::key_record::{KeyRecord, StoredKey, record_key};

/// How often a change is tried again when another one came first. Each lost swap means
/// that another one was done, so this many must have come at once.
const MAX_TRIES: usize = 64;

/// The API keys of a deployment. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct ApiKeys(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    verifier: Verifier,
    fixed: Vec<StaticKey>,
    cache: KeyCache,
    pub(crate) limit: AuthLimit,
    pub(crate) proxies: TrustedProxies,
}

/// A key from the configuration: it needs no store, and cannot be revoked by a call.
#[derive(Clone)]
pub struct StaticKey {
    tenant: Tenant,
    scopes: Scopes,
    sha256: [u8; 32],
}

impl StaticKey {
    /// The key whose text has this SHA-256.
    #[must_use]
    pub const fn new(tenant: Tenant, scopes: Scopes, sha256: [u8; 32]) -> Self {
        Self {
            tenant,
            scopes,
            sha256,
        }
    }

    /// Makes a fresh key that lives in this process only, and shows it once.
    ///
    /// # Errors
    /// [`ApiKeyError::Random`].
    pub fn draw(tenant: Tenant, scopes: Scopes) -> Result<(NewKey, Self), ApiKeyError> {
        let kid = Kid::new(RecordKey::from_bytes(random()?), random()?);
        // Known by its hash alone, so that its mark may be anybody's.
        let ring = KeyRing::generate().map_err(|_| ApiKeyError::Random)?;
        let key = NewKey::draw(&ring, kid, scopes)?;
        let sha256 = key.sha256();
        Ok((
            key,
            Self {
                tenant,
                scopes,
                sha256,
            },
        ))
    }
}

impl fmt::Debug for StaticKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, scopes, .. } = self;
        f.debug_struct("StaticKey")
            .field("tenant", tenant)
            .field("scopes", scopes)
            .finish()
    }
}

/// A stored key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Its name.
    pub kid: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Whether it was revoked.
    pub revoked: bool,
    /// When it was made, in whole seconds.
    pub created_at: Timestamp,
}

/// Collects the parts of [`ApiKeys`].
#[derive(Debug)]
pub struct ApiKeysBuilder {
    verifier: Verifier,
    fixed: Vec<StaticKey>,
    proxies: TrustedProxies,
    ticker: Ticker,
}

impl ApiKeysBuilder {
    /// Adds keys from the configuration.
    #[must_use]
    pub fn static_keys(mut self, keys: impl IntoIterator<Item = StaticKey>) -> Self {
        self.fixed.extend(keys);
        self
    }

    /// Believes what these proxies say about the source of a request.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Ages what is remembered by this clock instead of the monotonic one: for tests.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.ticker = Ticker::Clock(clock);
        self
    }

    /// The keys.
    #[must_use]
    pub fn build(self) -> ApiKeys {
        let Self {
            verifier,
            fixed,
            proxies,
            ticker,
        } = self;
        let limit = AuthLimit::new(ticker.clone());
        let cache = KeyCache::new(ticker);
        ApiKeys(Arc::new(Inner {
            verifier,
            fixed,
            cache,
            limit,
            proxies,
        }))
    }
}

impl ApiKeys {
    /// Keys kept in `verifier`'s store.
    #[must_use]
    pub fn builder(verifier: Verifier) -> ApiKeysBuilder {
        ApiKeysBuilder {
            verifier,
            fixed: Vec::new(),
            proxies: TrustedProxies::default(),
            ticker: Ticker::Monotonic(Stopwatch::start()),
        }
    }

    /// Makes a key for `tenant` and shows it once.
    ///
    /// # Errors
    /// [`ApiKeyError::TooMany`] with 8 live ones, or that of the store: with
    /// [`StoreError::Indeterminate`] a key may have been made that nobody will be shown.
    pub async fn create(&self, tenant: &Tenant, scopes: Scopes) -> Result<NewKey, ApiKeyError> {
        self.add(tenant, scopes, |_| Ok(())).await
    }

    /// Makes the first key of `tenant`, with the scopes `send` and `check`: once. Of
    /// many calls at the same time exactly one is given the key.
    ///
    /// # Errors
    /// [`ApiKeyError::AlreadyActivated`] ever after.
    pub async fn activate(&self, tenant: &Tenant) -> Result<NewKey, ApiKeyError> {
        let once = |record: &mut KeyRecord| {
            if std::mem::replace(&mut record.activated, true) {
                return Err(ApiKeyError::AlreadyActivated);
            }
            Ok(())
        };
        self.add(tenant, Scopes::SEND_AND_CHECK, once).await
    }

    /// The stored keys of `tenant`, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when they could not be read.
    pub async fn list(&self, tenant: &Tenant) -> Result<Vec<KeyInfo>, StoreError> {
        let at = record_key(self.0.verifier.keys(), tenant);
        let keys = self
            .read(at)
            .await?
            .map(|record| record.keys)
            .unwrap_or_default();
        let info = |key: StoredKey| KeyInfo {
            kid: Kid::new(at, key.nonce).to_string(),
            scopes: key.scopes,
            revoked: key.revoked,
            created_at: key.created_at(),
        };
        Ok(keys.into_iter().map(info).collect())
    }

    /// Revokes the key called `kid`, within a second everywhere; says whether there was
    /// such a key. Revoking twice is no error.
    ///
    /// # Errors
    /// [`StoreError`] when it may not have happened.
    pub async fn revoke(&self, kid: &str) -> Result<bool, ApiKeyError> {
        let Some(kid) = Kid::parse(kid) else {
            return Ok(false);
        };
        let changed = self.change(kid.record, None, |record, _| {
            let key = record.keys.iter_mut().find(|key| key.nonce == kid.nonce);
            Ok(key.map(|key| key.revoked = true))
        });
        Ok(changed.await?.is_some())
    }

    /// Who holds this key; none for any that is unknown, wrong or revoked.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be told.
    pub async fn authenticate(&self, key: &str) -> Result<Option<Caller>, StoreError> {
        let sha256 = hash(key);
        if let Some(caller) = self.find_fixed(&sha256) {
            return Ok(Some(caller));
        }
        // What was never issued ends here, whatever its kid names.
        let Some(kid) = kid_of(self.0.verifier.keys(), key) else {
            return Ok(None);
        };
        if let Some(caller) = self.remembered(kid, &sha256) {
            return Ok(Some(caller));
        }
        // A revocation is for ever. Without this, a key that leaked and was revoked would be
        // a read of the store for each request of whoever found it.
        let remembered = self.0.cache.get(kid.record);
        if remembered.is_some_and(|record| record.has_revoked(kid.nonce, &sha256)) {
            return Ok(None);
        }
        // What the cache does not confirm is always read afresh: so a new key works at once.
        let began = self.0.cache.now();
        let Some(record) = self.read(kid.record).await? else {
            return Ok(None);
        };
        let scopes = record.scopes_of(kid.nonce, &sha256);
        let tenant = record.tenant.clone();
        self.0.cache.put(kid.record, began, Arc::new(record));
        Ok(scopes.map(|scopes| Caller::new(tenant, scopes)))
    }

    /// The holder of `key` as far as it is known without the store.
    pub(crate) fn recall(&self, key: &str) -> Option<Caller> {
        let sha256 = hash(key);
        self.find_fixed(&sha256)
            .or_else(|| self.remembered(kid_of(self.0.verifier.keys(), key)?, &sha256))
    }

    /// Whether this deployment made `key`, whatever has become of it since.
    pub(crate) fn is_issued(&self, key: &str) -> bool {
        kid_of(self.0.verifier.keys(), key).is_some()
    }

    fn find_fixed(&self, sha256: &[u8; 32]) -> Option<Caller> {
        let fits = |key: &&StaticKey| bool::from(key.sha256.ct_eq(sha256));
        self.0
            .fixed
            .iter()
            .find(fits)
            .map(|key| Caller::new(key.tenant.clone(), key.scopes))
    }

    fn remembered(&self, kid: Kid, sha256: &[u8; 32]) -> Option<Caller> {
        let record = self.0.cache.get(kid.record)?;
        let scopes = record.scopes_of(kid.nonce, sha256)?;
        Some(Caller::new(record.tenant.clone(), scopes))
    }

    async fn read(&self, at: RecordKey) -> Result<Option<KeyRecord>, StoreError> {
        let value = self.0.verifier.store().load(at).await?.value;
        let decode = |value: Vec<u8>| KeyRecord::decode(self.0.verifier.keys(), at, &value);
        Ok(value.map(decode).transpose()?)
    }

    async fn add(
        &self,
        tenant: &Tenant,
        scopes: Scopes,
        mut allow: impl FnMut(&mut KeyRecord) -> Result<(), ApiKeyError>,
    ) -> Result<NewKey, ApiKeyError> {
        let at = record_key(self.0.verifier.keys(), tenant);
        let mut drawn = None;
        let added = self.change(at, Some(tenant), |record, now| {
            allow(record)?;
            let nonce = fresh_nonce(record)?;
            let key = NewKey::draw(self.0.verifier.keys(), Kid::new(at, nonce), scopes)?;
            let created = u32::try_from(now.as_millis() / 1000).unwrap_or(u32::MAX);
            let sha256 = key.sha256();
            let stored = StoredKey {
                nonce,
                scopes,
                revoked: false,
                created,
                sha256,
            };
            if record.add(stored) {
                drawn = Some(key);
                Ok(Some(()))
            } else {
                Err(ApiKeyError::TooMany)
            }
        });
        let added = added.await;
        let Some(key) = drawn else {
            added?;
            // A record is made for the tenant where there was none, so there always is one.
            return Err(StoreError::unavailable("the record of keys was not made").into());
        };
        match added {
            Ok(_) => Ok(key),
            Err(error) if self.was_made(&key, &error).await => Ok(key),
            Err(error) => Err(error),
        }
    }

    /// Whether `key` is in the store though the store's answer was lost. It is in hand, and
    /// will not be again: unshown, it would be nobody's, and its tenant activated for ever.
    ///
    /// Asked as its holder would ask, and not by the record's bytes, which others may have
    /// changed since. If it is not there now, it may be yet: then the error stands. Should
    /// the store forget it again, it is refused as any unknown key; a revocation that was
    /// forgotten would let somebody in, so those are not looked for like this.
    async fn was_made(&self, key: &NewKey, error: &ApiKeyError) -> bool {
        let lost = matches!(error, ApiKeyError::Store(StoreError::Indeterminate { .. }));
        lost && matches!(self.authenticate(key.reveal()).await, Ok(Some(_)))
    }

    /// Changes the record under `at` by compare-and-swap; `owner` makes it if absent.
    async fn change<T>(
        &self,
        at: RecordKey,
        owner: Option<&Tenant>,
        mut step: impl FnMut(&mut KeyRecord, Timestamp) -> Result<Option<T>, ApiKeyError>,
    ) -> Result<Option<T>, ApiKeyError> {
        let store = self.0.verifier.store();
        for _ in 0..MAX_TRIES {
            let loaded = store.load(at).await?;
            let held = loaded.value.as_deref();
            let decode = |value| KeyRecord::decode(self.0.verifier.keys(), at, value);
            let record = held.map(decode).transpose().map_err(StoreError::from)?;
            let Some(mut record) = record.or_else(|| owner.cloned().map(KeyRecord::new)) else {
                return Ok(None);
            };
            let Some(done) = step(&mut record, loaded.now)? else {
                return Ok(None);
            };
            let bytes = record.encode();
            let next = Entry {
                bytes: &bytes,
                garbage_after: None,
            };
            let swapped = store.swap(at, held, next, loaded.incarnation).await;
            self.0.cache.forget(at);
            if swapped? == Swap::Done {
                return Ok(Some(done));
            }
        }
        Err(StoreError::Contended.into())
    }
}

/// Two bytes that no key of the record has.
fn fresh_nonce(record: &KeyRecord) -> Result<[u8; 2], ApiKeyError> {
    loop {
        let nonce = random()?;
        if record.keys.iter().all(|key| key.nonce != nonce) {
            return Ok(nonce);
        }
    }
}
