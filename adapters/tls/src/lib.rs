//! Whom Countersign's encrypted connections trust, to stores and providers alike: the server's
//! certificate must be by a known authority, and for the host that was dialled.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

/// Why no connection can be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The authority's certificates are none.
    #[error(
        "its CA holds no certificate in PEM: name a ca.pem that begins with \
         -----BEGIN CERTIFICATE-----"
    )]
    Ca,
    /// The settings were refused.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// The settings of connections to servers whose certificate one of these authorities signed:
/// those in `ca_pem` (PEM) and no others, or else the usual ones. They name their provider of
/// cryptography, so that no default of the process is needed, or changed.
///
/// # Errors
/// [`TlsError`] says what is wrong with `ca_pem`.
pub fn client_config(ca_pem: Option<&[u8]>) -> Result<ClientConfig, TlsError> {
    let roots = match ca_pem {
        Some(pem) => named(pem)?,
        None => usual(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn named(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| TlsError::Ca)?;
        roots.add(certificate).map_err(|_| TlsError::Ca)?;
    }
    if roots.is_empty() {
        return Err(TlsError::Ca);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_trusted_where_nobody_is_named() {
        assert!(!usual().is_empty());
        assert!(client_config(None).is_ok());
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        for pem in [
            &b""[..],
            b"/etc/ssl/ca.pem",
            b"-----BEGIN CERTIFICATE-----\n",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        ] {
            let refused = client_config(Some(pem)).err();
            assert!(matches!(refused, Some(TlsError::Ca)), "{refused:?}");
        }
    }
}
