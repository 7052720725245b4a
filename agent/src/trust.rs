//! Which server is believed: the one whose certificate the fleet's own authority signed, nobody else.
//!
//! On the first contact the authority is known only by the SHA-256 of its certificate, which must be in
//! the chain that the server presents.
//!
//! A device whose clock is wrong (no battery, no network time yet) must not be locked out, or it would never
//! learn the time. While its clock is not synced, certificates are judged at a time that is surely not in the
//! past: the latest of the wall clock, the build, the last good time and the server's. "Not yet valid" is
//! passed over then; "expired" is judged once more without the wall clock, which may be far ahead.
//! A synced clock insists on everything.

use crate::repeats::Repeats;
use crate::time::Time;
use ring::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring::default_provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use shared::UtcMillis;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why no TLS configuration can be made.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A certificate or key is no PEM.
    #[error("{what}: {problem}")]
    Pem {
        /// Which one.
        what: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// TLS refuses it.
    #[error("TLS: {0}")]
    Tls(#[from] Error),
}

fn pem_error(what: &'static str) -> impl Fn(rustls::pki_types::pem::Error) -> TrustError {
    move |error| TrustError::Pem { what, problem: error.to_string() }
}

/// For the enrolment: believes the authority with this SHA-256, if the server presents it.
///
/// # Errors
/// When TLS can't be set up.
pub fn pinned(ca_sha256: [u8; 32], time: Time) -> Result<ClientConfig, TrustError> {
    let provider = Arc::new(default_provider());
    let verifier = Verifier { anchor: Anchor::Pinned(ca_sha256), provider: Arc::clone(&provider), time };
    Ok(builder(provider, verifier)?.with_no_client_auth())
}

/// For a device whose certificate may have expired: believes the authority that it knows, and also the one with this
/// SHA-256 if the server presents it.
///
/// # Errors
/// When TLS can't be set up.
pub fn known_or_pinned(ca: &str, ca_sha256: [u8; 32], time: Time) -> Result<ClientConfig, TrustError> {
    let ca = CertificateDer::from_pem_slice(ca.as_bytes()).map_err(pem_error("ca.pem"))?;
    let provider = Arc::new(default_provider());
    let anchor = Anchor::Either(ca, ca_sha256);
    let verifier = Verifier { anchor, provider: Arc::clone(&provider), time };
    Ok(builder(provider, verifier)?.with_no_client_auth())
}

/// For the broker: believes this authority, and shows this device's certificate.
///
/// # Errors
/// When one of the PEM texts is none, or key and certificate do not belong together.
pub fn mutual(ca: &str, certificate: &str, key: &str, time: Time) -> Result<ClientConfig, TrustError> {
    let ca = CertificateDer::from_pem_slice(ca.as_bytes()).map_err(pem_error("ca.pem"))?;
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(pem_error("device.pem"))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(pem_error("device.key"))?;
    let provider = Arc::new(default_provider());
    let verifier = Verifier { anchor: Anchor::Known(ca), provider: Arc::clone(&provider), time };
    Ok(builder(provider, verifier)?.with_client_auth_cert(chain, key)?)
}

/// SHA-256 of the one certificate in a PEM text.
///
/// # Errors
/// When there is none.
pub fn fingerprint(ca: &str) -> Result<[u8; 32], TrustError> {
    let der = CertificateDer::from_pem_slice(ca.as_bytes()).map_err(pem_error("the authority's certificate"))?;
    Ok(sha256(&der))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sum
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>;

fn builder(provider: Arc<CryptoProvider>, verifier: Verifier) -> Result<Builder, Error> {
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)))
}

enum Anchor {
    Known(CertificateDer<'static>),
    Pinned([u8; 32]),
    Either(CertificateDer<'static>, [u8; 32]),
}

/// What was said of handshakes: each has a verifier of its own, and there may be one a minute for years.
static REPEATS: Repeats = Repeats::new();

struct Verifier {
    anchor: Anchor,
    provider: Arc<CryptoProvider>,
    time: Time,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    /// The authorities to believe in this handshake.
    fn anchors(&self, presented: &[CertificateDer<'_>]) -> Result<RootCertStore, Error> {
        let pinned = |sum: &[u8; 32]| presented.iter().find(|certificate| sha256(certificate) == *sum);
        let (known, pinned) = match &self.anchor {
            Anchor::Known(ca) => (Some(ca), None),
            Anchor::Pinned(sum) => (None, pinned(sum)),
            Anchor::Either(ca, sum) => (Some(ca), pinned(sum)),
        };
        let mut roots = RootCertStore::empty();
        for root in [known, pinned].into_iter().flatten() {
            roots.add(root.clone().into_owned())?;
        }
        if roots.is_empty() { Err(CertificateError::UnknownIssuer.into()) } else { Ok(roots) }
    }
}

fn unix(time: UtcMillis) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(time.0).unwrap_or(0)))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _system: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let roots = self.anchors(intermediates)?;
        let strict = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        let at = |now| strict.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let (wall, floor) = (self.time.now(), self.time.floor());
        if self.time.is_synced() {
            return at(unix(wall));
        }
        match at(unix(wall.max(floor))) {
            Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
                if let Some(unsaid) = REPEATS.say("before", Instant::now()) {
                    tracing::warn!(clock = %wall, %floor, unsaid, "this device's clock is before the server's certificate; its date is not checked");
                }
                at(not_before)
            }
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext { .. })) if wall > floor => {
                if let Some(unsaid) = REPEATS.say("expired", Instant::now()) {
                    tracing::warn!(clock = %wall, last_good = %floor, unsaid, "by this device's clock, which is not synced, the server's certificate has expired; it is judged at the last good time");
                }
                at(unix(floor))
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
