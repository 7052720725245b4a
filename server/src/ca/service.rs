//! The certificate that the server itself shows and connects with. Unlike the authority it can be made again at any time.

use super::{
    CaError, SERVICE_NAME, after, files,
    held::Held,
    leaf, pem_of, set_validity,
    trust::{Trust, provider},
};
use rcgen::{ExtendedKeyUsagePurpose, KeyPair, SanType};
use rustls::{
    ClientConfig, ServerConfig, SignatureScheme,
    client::ResolvesClientCert,
    crypto::ring,
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use shared::UtcMillis;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use x509_parser::extensions::GeneralName;

/// Days before now that the certificate begins: a board whose clock is months behind still takes it.
const BACKDATED_DAYS: i64 = 360;
/// Days that it is good from now on. Together below 825, beyond which Apple's browsers refuse it.
const GOOD_DAYS: i64 = 460;
/// Days before its end at which it is made again.
const RENEW_DAYS: i64 = 230;

/// The server's own certificate and key: one for all listeners, exchanged under them when renewed.
pub(super) struct Service {
    files: Files,
    shown: Arc<Shown>,
}

/// Where it lies, and for which names it is.
struct Files {
    key: PathBuf,
    certificate: PathBuf,
    names: Vec<SanType>,
}

impl Service {
    pub fn open(dir: &Path, hosts: &[String], held: &Held, now: UtcMillis) -> Result<Self, CaError> {
        let files = Files {
            key: dir.join(format!("{SERVICE_NAME}.key")),
            certificate: dir.join(format!("{SERVICE_NAME}.pem")),
            names: subject_names(hosts)?,
        };
        let current = match load(&files, held, now) {
            Some(good) => {
                files::keep_private(&files.key);
                good
            }
            None => issue(&files, held, now)?,
        };
        Ok(Self { files, shown: Arc::new(Shown(RwLock::new(Arc::new(current)))) })
    }

    /// Makes it again if it is getting old or the newest authority is not its own.
    pub fn renew(&self, held: &Held, now: UtcMillis) -> Result<bool, CaError> {
        if load(&self.files, held, now).is_some() {
            return Ok(false);
        }
        let fresh = issue(&self.files, held, now)?;
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(true)
    }

    /// Until when the one that is shown now is good.
    pub fn until(&self) -> Option<UtcMillis> {
        let shown = self.shown.now();
        let (_, leaf) = x509_parser::parse_x509_certificate(shown.cert.first()?).ok()?;
        Some(UtcMillis(leaf.validity().not_after.timestamp().saturating_mul(1000)))
    }

    /// TLS 1.3 and 1.2 for a listener. With `clients`, only those get in whose certificate is believed.
    pub fn server_tls(&self, clients: Option<&Arc<Trust>>) -> Result<Arc<ServerConfig>, CaError> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| CaError::Tls(e.to_string()))?;
        let shown = Arc::clone(&self.shown);
        let config = match clients {
            Some(trust) => {
                let mut config = builder.with_client_cert_verifier(Arc::clone(trust) as _).with_cert_resolver(shown);
                // A resumed session would not look at the client's certificate again, not even at its end of validity.
                config.session_storage = Arc::new(NoServerSessionStorage {});
                config.send_tls13_tickets = 0;
                config
            }
            None => {
                let mut config = builder.with_no_client_auth().with_cert_resolver(shown);
                config.alpn_protocols = vec![b"http/1.1".to_vec()];
                config
            }
        };
        Ok(Arc::new(config))
    }

    /// TLS for a connection that shows this certificate.
    pub fn client_tls(&self, servers: &Arc<Trust>) -> Result<Arc<ClientConfig>, CaError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| CaError::Tls(e.to_string()))?;
        let shown: Arc<dyn ResolvesClientCert> = Arc::clone(&self.shown) as _;
        // Not dangerous: it is the library's own verifier, with roots that can be exchanged.
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::clone(servers) as _);
        Ok(Arc::new(builder.with_client_cert_resolver(shown)))
    }
}

/// What the listeners show and the connections present now.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl Shown {
    fn now(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now())
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.now())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// This machine to itself, and what the configuration says.
fn subject_names(hosts: &[String]) -> Result<Vec<SanType>, CaError> {
    let mut names = vec![
        dns("localhost")?,
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ];
    for host in hosts {
        let name = match host.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => dns(host)?,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn dns(host: &str) -> Result<SanType, CaError> {
    let bad = || CaError::Host(host.to_owned());
    rustls_pki_types::DnsName::try_from(host).map_err(|_| bad())?;
    Ok(SanType::DnsName(host.to_owned().try_into().map_err(|_| bad())?))
}

/// The certificate on disk, if it is complete, ours, for these names and not about to end.
fn load(files: &Files, held: &Held, now: UtcMillis) -> Option<CertifiedKey> {
    let (Ok(Some(key)), Ok(Some(chain))) = (files::read(&files.key), files::read(&files.certificate)) else {
        return None;
    };
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).ok()?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().ok()?;
    let (leaf, rest) = chain.split_first()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(leaf).ok()?;
    let (_, authority) = x509_parser::parse_x509_certificate(&held.newest.certificate).ok()?;
    let good = rest == held.chain()
        && parsed.verify_signature(Some(authority.public_key())).is_ok()
        && parsed.validity().not_before.timestamp().saturating_mul(1000) <= now.0
        && parsed.validity().not_after.timestamp().saturating_mul(1000) > after(now, RENEW_DAYS).0
        && has_names(&parsed, &files.names);
    if !good {
        return None;
    }
    certified(chain, &key).ok()
}

fn has_names(certificate: &x509_parser::certificate::X509Certificate<'_>, names: &[SanType]) -> bool {
    let Ok(Some(found)) = certificate.subject_alternative_name() else { return false };
    let wanted = |name: &GeneralName<'_>| {
        names.iter().any(|wanted| match (wanted, name) {
            (SanType::DnsName(wanted), GeneralName::DNSName(name)) => wanted.as_str() == *name,
            (SanType::IpAddress(IpAddr::V4(wanted)), GeneralName::IPAddress(name)) => wanted.octets() == **name,
            (SanType::IpAddress(IpAddr::V6(wanted)), GeneralName::IPAddress(name)) => wanted.octets() == **name,
            _ => false,
        })
    };
    found.value.general_names.len() == names.len() && found.value.general_names.iter().all(wanted)
}

/// Makes key and certificate, keeps them on disk (other tools connect with them too), and returns them.
fn issue(files: &Files, held: &Held, now: UtcMillis) -> Result<CertifiedKey, CaError> {
    let key = KeyPair::generate()?;
    let mut params =
        leaf(SERVICE_NAME, vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth])?;
    params.subject_alt_names = files.names.clone();
    set_validity(&mut params, after(now, -BACKDATED_DAYS), after(now, GOOD_DAYS));
    let mut chain = vec![params.signed_by(&key, &held.newest.issuer)?.der().clone()];
    // The authority follows in the chain: a new agent recognises it by its digest.
    chain.extend(held.chain());
    let pem = chain.iter().map(|der| pem_of("CERTIFICATE", der)).collect::<String>();
    files::write_aside(&files.key, &key.serialize_pem())?;
    files::write_aside(&files.certificate, &pem)?;
    // Between these two a crash leaves a pair that does not fit: it is made again at the next start.
    files::put_in_place(&files.key)?;
    files::put_in_place(&files.certificate)?;
    tracing::info!(certificate = %files.certificate.display(), "the server's certificate was made");
    certified(chain, &PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
}

fn certified(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'static>) -> Result<CertifiedKey, CaError> {
    let key = ring::sign::any_supported_type(key).map_err(|e| CaError::Tls(e.to_string()))?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match().map_err(|e| CaError::Tls(e.to_string()))?;
    Ok(certified)
}
