//! The fleet's certificate authority: makes itself on first start, signs devices, gives way to a next one. Knows no
//! database and no network.
//!
//! Everything can change while the server runs: listeners and connections that were set up with
//! [`Authority::server_tls`] and [`Authority::client_tls`] follow at their next hand-shake.

pub mod backup;
mod crl;
mod csr;
mod error;
mod files;
mod held;
mod pair;
mod service;
mod trust;

pub use csr::{CsrError, MAX_CSR, PublicKeySha256};
pub use error::CaError;

use crate::digest::hex;
use held::{Folder, Held};
use pair::Pair;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SerialNumber, SubjectPublicKeyInfo,
};
use service::Service;
use shared::{DeviceName, Serial, UtcMillis};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};
use trust::Trust;

/// Common name of the certificates of the server itself. Device names can't begin like this.
pub const SERVICE_NAME: &str = "tirta-server";

const DAY_MS: i64 = 86_400_000;

/// A device's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// PEM.
    pub certificate: String,
    /// Its serial number, lower-case hexadecimal: what a revocation list names it by.
    pub serial_number: String,
    /// When it was signed.
    pub issued_at: UtcMillis,
    /// Until when it is good: what the certificate says, in whole seconds.
    pub valid_until: UtcMillis,
    /// SHA-256 of the certificate of the authority that signed it.
    pub ca_sha256: String,
}

/// What can be said about an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// SHA-256 of its certificate.
    pub sha256: String,
    /// Its name.
    pub subject: String,
    /// Until when it is good.
    pub expires_at: UtcMillis,
}

/// Which authorities there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The one that signs.
    pub newest: Root,
    /// The one that is still accepted, between a rotation and the retirement.
    pub previous: Option<Root>,
}

/// The authority of one fleet, and the certificate that the server itself shows.
pub struct Authority {
    dir: PathBuf,
    folder: Folder,
    held: RwLock<Arc<Held>>,
    trust: Arc<Trust>,
    service: Service,
    client: Arc<rustls::ClientConfig>,
    /// Held by whoever changes anything.
    changing: Mutex<()>,
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
        let folder = Folder::of(dir);
        let held = folder.load_or_begin(now)?;
        let trust = Trust::of(&held)?;
        let service = Service::open(dir, hosts, &held, now)?;
        let client = service.client_tls(&trust)?;
        let (held, changing) = (RwLock::new(Arc::new(held)), Mutex::new(()));
        Ok(Self { dir: dir.to_owned(), folder, held, trust, service, client, changing })
    }

    /// The newest authority's certificate.
    pub fn ca_pem(&self) -> String {
        self.held().newest.pem.clone()
    }

    /// SHA-256 of the newest authority's certificate (DER), hexadecimal: what a new agent is given to recognise it by.
    pub fn ca_sha256(&self) -> String {
        self.held().newest.sha256()
    }

    /// Which authorities there are.
    ///
    /// # Errors
    /// When a certificate can't be read.
    pub fn status(&self) -> Result<Status, CaError> {
        let about = |pair: &Pair| {
            let (sha256, subject) = (pair.sha256(), pair.subject());
            Ok::<_, CaError>(Root { sha256, subject, expires_at: pair.until()? })
        };
        let held = self.held();
        let previous = held.previous.as_ref().map(|previous| about(&previous.pair)).transpose()?;
        Ok(Status { newest: about(&held.newest)?, previous })
    }

    /// Judges a device's request without signing it: that it proves its key, that its common name is `serial`
    /// and that the key is strong.
    ///
    /// # Errors
    /// [`CaError::Csr`] with the reason.
    pub fn check_csr(&self, csr_pem: &str, serial: Serial) -> Result<PublicKeySha256, CaError> {
        Ok(csr::check(csr_pem, serial)?.fingerprint)
    }

    /// Signs a device's request, with the newest authority. Only its key is taken: name, use and validity are the
    /// server's to say.
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
        let mut params = leaf(name.as_str(), vec![ExtendedKeyUsagePurpose::ClientAuth])?;
        // From yesterday on, however short its life: server and broker may disagree a little about the time.
        let valid_until = set_validity(&mut params, after(now, -1), UtcMillis(now.0.saturating_add(life)));
        let serial_number = params.serial_number.as_ref().map(|number| hex(&number.to_bytes())).unwrap_or_default();
        let held = self.held();
        let certificate = params.signed_by(&public_key, &held.newest.issuer)?.pem();
        Ok(Signed { certificate, serial_number, issued_at: now, valid_until, ca_sha256: held.newest.sha256() })
    }

    /// TLS for a listener, with the server's certificate. `client_auth`: whoever has no certificate of this
    /// authority or of the previous one is refused (the broker); otherwise none is asked for (HTTPS).
    ///
    /// # Errors
    /// When the TLS library does not accept the authority.
    pub fn server_tls(&self, client_auth: bool) -> Result<Arc<rustls::ServerConfig>, CaError> {
        self.service.server_tls(client_auth.then_some(&self.trust))
    }

    /// TLS for a connection as [`SERVICE_NAME`] to a broker whose certificate this authority or the previous one
    /// signed.
    pub fn client_tls(&self) -> Arc<rustls::ClientConfig> {
        Arc::clone(&self.client)
    }

    /// Makes the server's own certificate again if it is getting old, for all listeners at once; connections
    /// stay. To be called now and then, because a server may run for longer than its certificate.
    ///
    /// # Errors
    /// When it can't be made or written.
    pub fn renew_service(&self, now: UtcMillis) -> Result<bool, CaError> {
        let _alone = self.change();
        self.service.renew(&self.held(), now)
    }

    /// Until when the server's own certificate is good; `None` if it can't be read.
    pub fn service_until(&self) -> Option<UtcMillis> {
        self.service.until()
    }

    /// Makes a new authority, which signs from now on. The one that signed until now stays as the previous: its
    /// devices are accepted, and those who know only it find their way to the server. Returns what there is now.
    ///
    /// # Errors
    /// [`CaError::StillPrevious`] when the last rotation is not over; when a file can't be written, and then either
    /// nothing has changed, or everything has at the next attempt or start.
    pub fn rotate(&self, now: UtcMillis) -> Result<Status, CaError> {
        let _alone = self.change();
        let _alone_on_disk = files::lock(&self.dir)?;
        let held = self.folder.load_or_begin(now)?;
        // Otherwise an earlier attempt went further than it could tell: that was the rotation.
        if held.newest.certificate == self.held().newest.certificate {
            if let Some(previous) = &held.previous {
                return Err(CaError::StillPrevious { sha256: previous.pair.sha256() });
            }
            self.folder.rotate(&held.newest, &Pair::make(now)?, &mut || Ok(()))?;
        }
        self.follow_disk(now)
    }

    /// Ends the previous authority: whoever has only its certificate gets no new connection, and is not found by
    /// those who know only it. Connections that are there stay. Returns what there is now.
    ///
    /// # Errors
    /// [`CaError::NoPrevious`] when there is none; when a file can't be changed, as [`Authority::rotate`].
    pub fn retire(&self, now: UtcMillis) -> Result<Status, CaError> {
        let _alone = self.change();
        let _alone_on_disk = files::lock(&self.dir)?;
        let held = self.folder.load_or_begin(now)?;
        match (&held.previous, &self.held().previous) {
            (None, None) => return Err(CaError::NoPrevious),
            (Some(_), _) => self.folder.retire(&mut || Ok(()))?,
            // An earlier attempt went further than it could tell.
            (None, Some(_)) => {}
        }
        self.follow_disk(now)
    }

    /// What the files say is what holds. New certificates are believed before one is shown.
    fn follow_disk(&self, now: UtcMillis) -> Result<Status, CaError> {
        let held = Arc::new(self.folder.load_or_begin(now)?);
        self.trust.follow(&held)?;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&held);
        self.service.renew(&held, now)?;
        self.status()
    }

    fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

/// Returns the end as it stands in the certificate.
fn set_validity(params: &mut CertificateParams, from: UtcMillis, until: UtcMillis) -> UtcMillis {
    params.not_before = date(from);
    params.not_after = date(until);
    UtcMillis(params.not_after.unix_timestamp().saturating_mul(1000))
}

/// As a certificate says it.
fn date(at: UtcMillis) -> time::OffsetDateTime {
    // A clock beyond the year 9000 is none: it must not panic in the calendar.
    let since_1970 = Duration::from_millis(u64::try_from(at.0).unwrap_or(0).min(220_000_000_000_000));
    rcgen::date_time_ymd(1970, 1, 1) + since_1970
}

/// DER as PEM.
fn pem_of(label: &str, der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n").collect::<String>();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}
