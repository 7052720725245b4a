//! Judging a device's certificate request. Knows nothing of the authority that may sign it.

use crate::digest::sha256_hex;
use rustls_pki_types::{CertificateSigningRequestDer, pem::PemObject};
use shared::Serial;
use std::fmt;
use x509_parser::{
    certification_request::X509CertificationRequest,
    oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_SIG_ED25519},
    prelude::FromDer,
    x509::SubjectPublicKeyInfo,
};

/// Most bytes that a request may have: one of ours has about 400.
pub const MAX_CSR: usize = 16 * 1024;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// Not a request, or one that does not prove that its sender has the key.
    #[error("csr: {0}: send a PKCS#10 request in PEM, signed with its own key")]
    Malformed(String),
    /// It asks for another device than the one that claims to send it.
    #[error("csr: its common name must be the serial {expected}, and it must have no other")]
    Mismatch {
        /// The serial in the enrolment request.
        expected: Serial,
    },
    /// A key that should not identify a device for years.
    #[error("csr: a key of type {0} is not accepted: use ECDSA P-256 (or P-384, or Ed25519)")]
    WeakKey(String),
}

/// SHA-256 of a public key (SubjectPublicKeyInfo), hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicKeySha256(String);

impl PublicKeySha256 {
    /// Of a SubjectPublicKeyInfo (DER).
    pub fn of(public_key: &[u8]) -> Self {
        Self(sha256_hex(public_key))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublicKeySha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is taken from a good request. Everything else that it asks for is ignored.
pub(super) struct Request {
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    pub fingerprint: PublicKeySha256,
}

pub(super) fn check(pem: &str, serial: Serial) -> Result<Request, CsrError> {
    let malformed = |why: &str| CsrError::Malformed(why.to_owned());
    if pem.len() > MAX_CSR {
        return Err(malformed("it is too long"));
    }
    let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes())
        .map_err(|e| CsrError::Malformed(format!("it can't be read ({e})")))?;
    let (rest, csr) = X509CertificationRequest::from_der(&der).map_err(|_| malformed("it is no PKCS#10 request"))?;
    if !rest.is_empty() {
        return Err(malformed("something follows the request"));
    }
    let info = &csr.certification_request_info;
    // Before the signature: a key that we would not take need not prove anything.
    check_key(&info.subject_pki)?;
    csr.verify_signature().map_err(|_| malformed("its signature is wrong"))?;

    let mut names = info.subject.iter_common_name();
    let only = names.next().and_then(|cn| cn.as_str().ok()).filter(|_| names.next().is_none());
    if only != Some(serial.to_string().as_str()) {
        return Err(CsrError::Mismatch { expected: serial });
    }
    let public_key = info.subject_pki.raw.to_vec();
    let fingerprint = PublicKeySha256::of(&public_key);
    Ok(Request { public_key, fingerprint })
}

fn check_key(key: &SubjectPublicKeyInfo<'_>) -> Result<(), CsrError> {
    let kind = &key.algorithm.algorithm;
    if *kind == OID_SIG_ED25519 {
        return Ok(());
    }
    if *kind != OID_KEY_TYPE_EC_PUBLIC_KEY {
        // RSA too: its keys and signatures are long, and a 1024-bit one would be weak.
        return Err(CsrError::WeakKey(kind.to_id_string()));
    }
    let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    match curve {
        Some(curve) if curve == OID_EC_P256 || curve == OID_NIST_EC_P384 => Ok(()),
        Some(curve) => Err(CsrError::WeakKey(format!("elliptic curve {}", curve.to_id_string()))),
        None => Err(CsrError::WeakKey("elliptic curve without a name".to_owned())),
    }
}
