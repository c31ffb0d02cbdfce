//! Encrypted connections: the server's certificate must be by a known authority, and for
//! the host in the URL.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::Error;

/// What makes connections to servers whose certificate one of these authorities signed.
pub(crate) fn connector(ca_pem: Option<&[u8]>) -> Result<MakeRustlsConnect, Error> {
    let roots = match ca_pem {
        Some(pem) => named(pem)?,
        None => usual(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn named(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| Error::Ca)?;
        roots.add(certificate).map_err(|_| Error::Ca)?;
    }
    if roots.is_empty() {
        return Err(Error::Ca);
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
