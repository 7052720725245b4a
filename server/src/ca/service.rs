//! The certificate that the server itself shows and connects with. Unlike the authority it can be made again at any time.

use super::{CaError, SERVICE_NAME, after, files, leaf, set_validity};
use rcgen::{ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SignatureScheme,
    client::ResolvesClientCert,
    crypto::{CryptoProvider, ring},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier},
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
    key_path: PathBuf,
    certificate_path: PathBuf,
    names: Vec<SanType>,
    authority: CertificateDer<'static>,
    shown: Arc<Shown>,
    client: Arc<ClientConfig>,
}

impl Service {
    pub fn open(
        dir: &Path,
        hosts: &[String],
        issuer: &Issuer<'static, KeyPair>,
        authority: &CertificateDer<'static>,
        now: UtcMillis,
    ) -> Result<Self, CaError> {
        let key_path = dir.join(format!("{SERVICE_NAME}.key"));
        let certificate_path = dir.join(format!("{SERVICE_NAME}.pem"));
        let names = subject_names(hosts)?;
        let current = match load(&key_path, &certificate_path, &names, authority, now) {
            Some(good) => {
                files::keep_private(&key_path);
                good
            }
            None => issue(&key_path, &certificate_path, &names, issuer, authority, now)?,
        };
        let shown = Arc::new(Shown(RwLock::new(Arc::new(current))));
        let client = client_tls(&shown, authority)?;
        Ok(Self { key_path, certificate_path, names, authority: authority.clone(), shown, client })
    }

    pub fn renew(&self, issuer: &Issuer<'static, KeyPair>, now: UtcMillis) -> Result<bool, CaError> {
        if load(&self.key_path, &self.certificate_path, &self.names, &self.authority, now).is_some() {
            return Ok(false);
        }
        let fresh = issue(&self.key_path, &self.certificate_path, &self.names, issuer, &self.authority, now)?;
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(true)
    }

    pub fn client_tls(&self) -> &Arc<ClientConfig> {
        &self.client
    }
}

/// `ring`, by name: the process may have no default provider, or another.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// TLS 1.3 and 1.2 for a listener. With `clients_of`, only clients with a certificate of that authority get in.
pub(super) fn server_tls(
    service: &Service,
    clients_of: Option<&CertificateDer<'static>>,
) -> Result<Arc<ServerConfig>, CaError> {
    let tls = |e: &dyn std::fmt::Display| CaError::Tls(e.to_string());
    let builder =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(|e| tls(&e))?;
    let shown = Arc::clone(&service.shown);
    let config = match clients_of {
        Some(authority) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots(authority)?, provider())
                .build()
                .map_err(|e| tls(&e))?;
            let mut config = builder.with_client_cert_verifier(verifier).with_cert_resolver(shown);
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

fn client_tls(shown: &Arc<Shown>, authority: &CertificateDer<'static>) -> Result<Arc<ClientConfig>, CaError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| CaError::Tls(e.to_string()))?;
    let shown: Arc<dyn ResolvesClientCert> = Arc::clone(shown) as _;
    Ok(Arc::new(builder.with_root_certificates(roots(authority)?).with_client_cert_resolver(shown)))
}

fn roots(authority: &CertificateDer<'static>) -> Result<Arc<RootCertStore>, CaError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).map_err(|e| CaError::Tls(e.to_string()))?;
    Ok(Arc::new(roots))
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
fn load(
    key_path: &Path,
    certificate_path: &Path,
    names: &[SanType],
    authority: &CertificateDer<'static>,
    now: UtcMillis,
) -> Option<CertifiedKey> {
    let (Ok(Some(key)), Ok(Some(chain))) = (files::read(key_path), files::read(certificate_path)) else { return None };
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).ok()?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().ok()?;
    let [leaf, issuer] = chain.as_slice() else { return None };
    let (_, parsed) = x509_parser::parse_x509_certificate(leaf).ok()?;
    let (_, authority_parsed) = x509_parser::parse_x509_certificate(authority).ok()?;
    let good = issuer == authority
        && parsed.verify_signature(Some(authority_parsed.public_key())).is_ok()
        && parsed.validity().not_before.timestamp().saturating_mul(1000) <= now.0
        && parsed.validity().not_after.timestamp().saturating_mul(1000) > after(now, RENEW_DAYS).0
        && has_names(&parsed, names);
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
fn issue(
    key_path: &Path,
    certificate_path: &Path,
    names: &[SanType],
    issuer: &Issuer<'static, KeyPair>,
    authority: &CertificateDer<'static>,
    now: UtcMillis,
) -> Result<CertifiedKey, CaError> {
    let key = KeyPair::generate()?;
    let mut params =
        leaf(SERVICE_NAME, vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth])?;
    params.subject_alt_names = names.to_vec();
    set_validity(&mut params, after(now, -BACKDATED_DAYS), after(now, GOOD_DAYS));
    let certificate = params.signed_by(&key, issuer)?;
    // The authority follows in the chain: a new agent recognises it by its digest.
    let chain = vec![certificate.der().clone(), authority.clone()];
    let pem = chain.iter().map(|der| pem_of("CERTIFICATE", der)).collect::<String>();
    files::write_aside(key_path, &key.serialize_pem())?;
    files::write_aside(certificate_path, &pem)?;
    // Between these two a crash leaves a pair that does not fit: it is made again at the next start.
    files::put_in_place(key_path)?;
    files::put_in_place(certificate_path)?;
    tracing::info!(certificate = %certificate_path.display(), "the server's certificate was made");
    certified(chain, &PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
}

fn certified(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'static>) -> Result<CertifiedKey, CaError> {
    let key = ring::sign::any_supported_type(key).map_err(|e| CaError::Tls(e.to_string()))?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match().map_err(|e| CaError::Tls(e.to_string()))?;
    Ok(certified)
}

fn pem_of(label: &str, der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n").collect::<String>();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}
