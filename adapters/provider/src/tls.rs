//! Encrypted connections: the provider's certificate must be by a known authority, and for
//! the host in the URL.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::client::ClientConfigError;

/// The settings of connections to servers whose certificate one of these authorities
/// signed: the named ones, or the usual ones. They name their provider of cryptography, so
/// that no default of the process is needed.
///
/// # Errors
/// [`ClientConfigError::Ca`] or [`ClientConfigError::Tls`].
pub fn config(ca_pem: Option<&[u8]>) -> Result<ClientConfig, ClientConfigError> {
    let roots = match ca_pem {
        Some(pem) => named(pem)?,
        None => usual(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ClientConfigError::Tls)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn named(pem: &[u8]) -> Result<RootCertStore, ClientConfigError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| ClientConfigError::Ca)?;
        roots.add(certificate).map_err(|_| ClientConfigError::Ca)?;
    }
    if roots.is_empty() {
        return Err(ClientConfigError::Ca);
    }
    Ok(roots)
}

/// Those of the system; in a container that has none, Mozilla's.
fn usual() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}
