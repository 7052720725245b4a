//! The fleet's certificate authority: makes itself on first start, signs devices. Knows no database and no network.
//!
//! Renewal of device certificates and revocation lists are later work: a device is signed for two years, and a
//! revoked one is refused by the embedded broker because of its name.

mod csr;
mod files;
mod service;

pub use csr::{CsrError, MAX_CSR, PublicKeySha256};

use crate::digest::sha256_hex;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SerialNumber, SubjectPublicKeyInfo,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use service::Service;
use shared::{DeviceName, Serial, UtcMillis, clock};
use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Common name of the certificates of the server itself. Device names can't begin like this.
pub const SERVICE_NAME: &str = "tirta-server";

const DAY_MS: i64 = 86_400_000;
/// How long the authority itself is good: longer than the boards will live.
const AUTHORITY_DAYS: i64 = 30 * 365;

/// What can go wrong with the authority.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A file or folder can't be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One of the two files of the authority is missing.
    #[error(
        "{} is missing, but {} is there: restore it from a backup, or move the other away to begin with a new authority (every device has then to enrol again)",
        missing.display(), present.display()
    )]
    Half {
        /// The file that should be there.
        missing: PathBuf,
        /// The file that is.
        present: PathBuf,
    },
    /// A file is there but is not what it should be, perhaps half-written.
    #[error("{}: {why}: restore it from a backup", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Key and certificate of the authority are both fine but do not belong together.
    #[error("{} is not the key of {}: restore both from the same backup", key.display(), certificate.display())]
    Mismatch {
        /// The key.
        key: PathBuf,
        /// The certificate.
        certificate: PathBuf,
    },
    /// A name that no certificate can carry.
    #[error("public_hosts: {0:?} is neither a host name nor an address")]
    Host(String),
    /// A device's request was refused.
    #[error("{0}")]
    Csr(#[from] CsrError),
    /// A certificate could not be made.
    #[error("making a certificate: {0}")]
    Sign(#[from] rcgen::Error),
    /// The TLS library refused what was made.
    #[error("setting up TLS: {0}")]
    Tls(String),
    /// The system gave no random numbers.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// A device's certificate.
#[derive(Debug, Clone)]
pub struct Signed {
    /// PEM.
    pub certificate: String,
    /// Hexadecimal.
    pub serial_number: String,
    /// When it was signed.
    pub issued_at: UtcMillis,
    /// Until when it is good.
    pub valid_until: UtcMillis,
    /// SHA-256 of the authority that signed it.
    pub ca_sha256: String,
}

/// The authority of one fleet, and the certificate that the server itself shows.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    service: Arc<Service>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("sha256", &self.ca_sha256()).finish_non_exhaustive()
    }
}

impl Authority {
    /// Opens the authority in `dir`, or makes it when neither of its files is there. `hosts` are the names and
    /// addresses, besides those of this machine to itself, under which the server is reached: its own certificate
    /// is made again when they change or when it gets old.
    ///
    /// # Errors
    /// When a file can't be read or written or is damaged, or a host is none. A damaged authority is never
    /// replaced: every device out there trusts only this one.
    pub fn open(dir: &Path, hosts: &[String], now: UtcMillis) -> Result<Self, CaError> {
        files::make_private_dir(dir)?;
        // Two servers that start at once on one folder must not make half an authority each.
        let _alone = files::lock(dir)?;
        let paths = Paths::of(dir);
        finish_interrupted_start(&paths)?;
        let (key_pem, pem) = match (files::read(&paths.key)?, files::read(&paths.certificate)?) {
            (Some(key), Some(certificate)) => (key, certificate),
            (None, None) => create(&paths, now)?,
            (Some(_), None) => return Err(CaError::Half { missing: paths.certificate, present: paths.key }),
            (None, Some(_)) => return Err(CaError::Half { missing: paths.key, present: paths.certificate }),
        };
        files::keep_private(&paths.key);
        let (key, certificate) = check_pair(&paths, &key_pem, &pem)?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        let service = Arc::new(Service::open(dir, hosts, &issuer, &certificate, now)?);
        Ok(Self { issuer, certificate, pem, service })
    }

    /// The authority's certificate.
    pub fn ca_pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of the authority's certificate (DER), hexadecimal: what a new agent is given to recognise it by.
    pub fn ca_sha256(&self) -> String {
        sha256_hex(&self.certificate)
    }

    /// Judges a device's request without signing it: that it proves its key, that its common name is `serial`
    /// and that the key is strong.
    ///
    /// # Errors
    /// [`CaError::Csr`] with the reason.
    pub fn check_csr(&self, csr_pem: &str, serial: Serial) -> Result<PublicKeySha256, CaError> {
        Ok(csr::check(csr_pem, serial)?.fingerprint)
    }

    /// Signs a device's request. Only its key is taken: name, use and validity are the server's to say.
    ///
    /// # Errors
    /// As [`Authority::check_csr`], or when signing fails.
    pub fn sign_device(
        &self,
        csr_pem: &str,
        serial: Serial,
        name: &DeviceName,
        life: Duration,
        now: UtcMillis,
    ) -> Result<Signed, CaError> {
        let request = csr::check(csr_pem, serial)?;
        let public_key = SubjectPublicKeyInfo::from_der(&request.public_key)?;
        let life = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
        let valid_until = UtcMillis(now.0.saturating_add(life));
        let mut params = leaf(name.as_str(), vec![ExtendedKeyUsagePurpose::ClientAuth])?;
        // From yesterday on: server and broker may disagree a little about the time.
        set_validity(&mut params, after(now, -1), valid_until);
        let serial_number = params.serial_number.as_ref().map(|n| crate::digest::hex(n.as_ref())).unwrap_or_default();
        let certificate = params.signed_by(&public_key, &self.issuer)?.pem();
        Ok(Signed { certificate, serial_number, issued_at: now, valid_until, ca_sha256: self.ca_sha256() })
    }

    /// TLS for a listener, with the server's certificate. `client_auth`: whoever has no certificate of this
    /// authority is refused (the broker); otherwise none is asked for (HTTPS).
    ///
    /// # Errors
    /// When the TLS library does not accept the authority.
    pub fn server_tls(&self, client_auth: bool) -> Result<Arc<rustls::ServerConfig>, CaError> {
        service::server_tls(&self.service, client_auth.then_some(&self.certificate))
    }

    /// TLS for a connection as [`SERVICE_NAME`] to a broker whose certificate this authority signed.
    pub fn client_tls(&self) -> Arc<rustls::ClientConfig> {
        Arc::clone(self.service.client_tls())
    }

    /// Makes the server's own certificate again if it is getting old, for all listeners at once; connections
    /// stay. To be called now and then, because a server may run for longer than its certificate.
    ///
    /// # Errors
    /// When it can't be made or written.
    pub fn renew_service(&self, now: UtcMillis) -> Result<bool, CaError> {
        self.service.renew(&self.issuer, now)
    }
}

struct Paths {
    key: PathBuf,
    certificate: PathBuf,
}

impl Paths {
    fn of(dir: &Path) -> Self {
        Self { key: dir.join("ca.key"), certificate: dir.join("ca.pem") }
    }
}

/// The key is moved into place first, the certificate second: what a crash can leave is a key whose certificate
/// still waits beside it, complete.
fn create(paths: &Paths, now: UtcMillis) -> Result<(String, String), CaError> {
    let key = KeyPair::generate()?;
    let mut random = [0; 4];
    getrandom::fill(&mut random)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    // A name of its own, so that two fleets on one network are not taken for each other.
    params.distinguished_name.push(DnType::CommonName, format!("Tirta fleet {:08x}", u32::from_be_bytes(random)));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(random_serial()?);
    // A board without a battery clock that thinks it is last year must still accept its authority.
    set_validity(&mut params, clock::EARLIEST.min(after(now, -1)), after(now, AUTHORITY_DAYS));
    let (key_pem, pem) = (key.serialize_pem(), params.self_signed(&key)?.pem());
    files::write_aside(&paths.certificate, &pem)?;
    files::write_aside(&paths.key, &key_pem)?;
    files::put_in_place(&paths.key)?;
    files::put_in_place(&paths.certificate)?;
    Ok((key_pem, pem))
}

fn finish_interrupted_start(paths: &Paths) -> Result<(), CaError> {
    let (Some(key), None) = (files::read(&paths.key)?, files::read(&paths.certificate)?) else { return Ok(()) };
    let Some(waiting) = files::read(&files::aside(&paths.certificate))? else { return Ok(()) };
    match check_pair(paths, &key, &waiting) {
        Ok(_) => files::put_in_place(&paths.certificate),
        // Then it is not what was interrupted: the caller reports what is missing.
        Err(_) => Ok(()),
    }
}

fn check_pair(paths: &Paths, key_pem: &str, pem: &str) -> Result<(KeyPair, CertificateDer<'static>), CaError> {
    let broken = |path: &Path, why: String| CaError::Unreadable { path: path.to_owned(), why };
    let key = KeyPair::from_pem(key_pem).map_err(|e| broken(&paths.key, format!("no private key ({e})")))?;
    let not_ca = |why: String| broken(&paths.certificate, why);
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| not_ca(format!("no certificate ({e})")))?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(|e| not_ca(format!("no certificate ({e})")))?;
    if !parsed.is_ca() {
        return Err(not_ca("not the certificate of an authority".to_owned()));
    }
    parsed.verify_signature(None).map_err(|_| not_ca("its signature is wrong".to_owned()))?;
    if parsed.public_key().raw != rcgen::PublicKeyData::subject_public_key_info(&key) {
        return Err(CaError::Mismatch { key: paths.key.clone(), certificate: paths.certificate.clone() });
    }
    Ok((key, der))
}

/// The parts that all certificates of this authority share.
fn leaf(common_name: &str, usage: Vec<ExtendedKeyUsagePurpose>) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = usage;
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(random_serial()?);
    Ok(params)
}

fn random_serial() -> Result<SerialNumber, CaError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    // Positive and of constant length, as RFC 5280 wants it.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn after(now: UtcMillis, days: i64) -> UtcMillis {
    UtcMillis(now.0.saturating_add(days.saturating_mul(DAY_MS)))
}

fn set_validity(params: &mut CertificateParams, from: UtcMillis, until: UtcMillis) {
    // A clock beyond the year 9000 is none: it must not panic in the calendar.
    let since_1970 = |at: UtcMillis| Duration::from_millis(u64::try_from(at.0).unwrap_or(0).min(220_000_000_000_000));
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + since_1970(from);
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + since_1970(until);
}
