//! One authority: a key with its self-signed certificate, made or read. Knows nothing of a second one.

use super::{CaError, after, files, random_serial, set_validity};
use crate::digest::sha256_hex;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use shared::{UtcMillis, clock};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// How long an authority itself is good: longer than the boards will live.
const AUTHORITY_DAYS: i64 = 30 * 365;

/// Where an authority's two files lie.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    pub key: PathBuf,
    pub certificate: PathBuf,
}

impl Paths {
    pub fn of(dir: &Path, name: &str) -> Self {
        Self { key: dir.join(format!("{name}.key")), certificate: dir.join(format!("{name}.pem")) }
    }
}

/// An authority that can sign.
pub(super) struct Pair {
    pub issuer: Issuer<'static, KeyPair>,
    pub certificate: CertificateDer<'static>,
    pub pem: String,
    pub key_pem: String,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("sha256", &self.sha256()).finish_non_exhaustive()
    }
}

impl Pair {
    /// A new one, only in memory.
    pub fn make(now: UtcMillis) -> Result<Self, CaError> {
        let key = KeyPair::generate()?;
        let mut random = [0; 4];
        getrandom::fill(&mut random)?;
        // A name of its own, so that two fleets on one network, or an authority and the next one, are not taken
        // for each other.
        let mut params = root(&format!("Tirta fleet {:08x}", u32::from_be_bytes(random)))?;
        // The next authority's certificate, signed by this one, stands between this one and a device's.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
        // A board without a battery clock that thinks it is last year must still accept its authority.
        set_validity(&mut params, clock::EARLIEST.min(after(now, -1)), after(now, AUTHORITY_DAYS));
        let made = params.self_signed(&key)?;
        let (certificate, pem, key_pem) = (made.der().clone(), made.pem(), key.serialize_pem());
        Ok(Self { issuer: Issuer::from_ca_cert_der(&certificate, key)?, certificate, pem, key_pem })
    }

    /// What the two texts say, if they belong together. `paths` are named in the error.
    pub fn read(paths: &Paths, key_pem: String, pem: String) -> Result<Self, CaError> {
        let broken = |path: &Path, why: String| CaError::Unreadable { path: path.to_owned(), why };
        let key = KeyPair::from_pem(&key_pem).map_err(|e| broken(&paths.key, format!("no private key ({e})")))?;
        let not_ca = |why: String| broken(&paths.certificate, why);
        let der =
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| not_ca(format!("no certificate ({e})")))?;
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&der).map_err(|e| not_ca(format!("no certificate ({e})")))?;
        if !parsed.is_ca() {
            return Err(not_ca("not the certificate of an authority".to_owned()));
        }
        parsed.verify_signature(None).map_err(|_| not_ca("its signature is wrong".to_owned()))?;
        if parsed.public_key().raw != rcgen::PublicKeyData::subject_public_key_info(&key) {
            return Err(CaError::Mismatch { key: paths.key.clone(), certificate: paths.certificate.clone() });
        }
        Ok(Self { issuer: Issuer::from_ca_cert_der(&der, key)?, certificate: der, pem, key_pem })
    }

    /// Reads both files; `None` if neither is there.
    pub fn load(paths: &Paths) -> Result<Option<Self>, CaError> {
        let half =
            |missing: &Path, present: &Path| CaError::Half { missing: missing.to_owned(), present: present.to_owned() };
        let pair = match (files::read(&paths.key)?, files::read(&paths.certificate)?) {
            (Some(key), Some(certificate)) => Self::read(paths, key, certificate)?,
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(half(&paths.certificate, &paths.key)),
            (None, Some(_)) => return Err(half(&paths.key, &paths.certificate)),
        };
        files::keep_private(&paths.key);
        Ok(Some(pair))
    }

    /// SHA-256 of the certificate, hexadecimal.
    pub fn sha256(&self) -> String {
        sha256_hex(&self.certificate)
    }

    /// This authority's name and key under the signature of `older`: what leads whoever knows only `older` here.
    pub fn crossed_by(&self, older: &Self) -> Result<CertificateDer<'static>, CaError> {
        let (_, parsed) = x509_parser::parse_x509_certificate(&self.certificate)
            .map_err(|e| CaError::Tls(format!("the authority's own certificate: {e}")))?;
        let name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).unwrap_or_default();
        let mut params = root(name)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.use_authority_key_identifier_extension = true;
        let until = self.until()?.min(older.until()?);
        set_validity(&mut params, UtcMillis(parsed.validity().not_before.timestamp().saturating_mul(1000)), until);
        let cross = params.signed_by(self.issuer.key(), &older.issuer)?.der().clone();
        if !self.is_crossed_by(older, &cross) {
            return Err(CaError::Tls("the new authority's name can't be signed by the old one".to_owned()));
        }
        Ok(cross)
    }

    /// Whether `cross` is what [`Pair::crossed_by`] makes.
    pub fn is_crossed_by(&self, older: &Self, cross: &CertificateDer<'_>) -> bool {
        let parse = |der| x509_parser::parse_x509_certificate(der).ok().map(|(_, parsed)| parsed);
        let (Some(ours), Some(theirs), Some(cross)) =
            (parse(&self.certificate), parse(&older.certificate), parse(cross))
        else {
            return false;
        };
        cross.subject().as_raw() == ours.subject().as_raw()
            && cross.public_key().raw == ours.public_key().raw
            && cross.issuer().as_raw() == theirs.subject().as_raw()
            && cross.verify_signature(Some(theirs.public_key())).is_ok()
    }

    /// Subject, as text.
    pub fn subject(&self) -> String {
        x509_parser::parse_x509_certificate(&self.certificate)
            .map(|(_, parsed)| parsed.subject().to_string())
            .unwrap_or_default()
    }

    /// Until when it is good.
    pub fn until(&self) -> Result<UtcMillis, CaError> {
        let (_, parsed) = x509_parser::parse_x509_certificate(&self.certificate)
            .map_err(|e| CaError::Tls(format!("the authority's own certificate: {e}")))?;
        Ok(UtcMillis(parsed.validity().not_after.timestamp().saturating_mul(1000)))
    }
}

/// What every certificate of an authority has in common.
fn root(common_name: &str) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(random_serial()?);
    Ok(params)
}
