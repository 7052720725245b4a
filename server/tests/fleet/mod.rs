//! A fleet for tests: a real authority, a real database, really enrolled devices. Knows no broker.
#![allow(dead_code)] // each test file uses its part

pub mod access;
pub mod client;
pub mod databases;
pub mod raw;
pub mod tools;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SignatureAlgorithm};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use server::{
    audit::Actor,
    ca::Authority,
    clock::SystemClock,
    enrol::{self, Enrolled, Lifetimes},
    store::{NewToken, Store},
};
use shared::{Clock, DeviceName, Serial, UtcMillis, enrol::EnrolRequest};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;

/// How long a test waits for what must come. Long, because the machine may be busy; nothing waits for it to pass.
pub const SOON: Duration = Duration::from_secs(30);

/// Of a certificate that a test makes.
pub const LIFE: Duration = Duration::from_secs(86_400);

pub fn now() -> UtcMillis {
    SystemClock.now()
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + SOON;
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A certificate with its key, in memory and as files.
pub struct Card {
    pub name: String,
    pub certificate: String,
    pub key: String,
    pub ca: String,
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
    pub ca_file: PathBuf,
}

impl Card {
    pub fn device(&self) -> DeviceName {
        self.name.parse().unwrap()
    }

    /// TLS as the owner of this card.
    pub fn tls(&self) -> Arc<ClientConfig> {
        let chain = CertificateDer::pem_slice_iter(self.certificate.as_bytes()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        Arc::new(trusting(&self.ca).with_client_auth_cert(chain, key).unwrap())
    }
}

pub fn trusting(ca: &str) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}

pub struct Fleet {
    pub dir: TempDir,
    pub authority: Authority,
    pub store: Store,
    pub token: String,
}

impl Fleet {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::open(dir.path(), &[], now()).unwrap();
        let store = Store::open(&format!("sqlite:{}/tirta.db", dir.path().display())).await.unwrap();
        let (_, token) = store
            .create_token(&NewToken::open(1000, UtcMillis(now().0 + 3_600_000)), &Actor::server(), now())
            .await
            .unwrap();
        Self { dir, authority, store, token }
    }

    /// Enrols the next device.
    pub async fn device(&self) -> Card {
        let key = KeyPair::generate().unwrap();
        let serial = random_serial();
        let csr = request(&key, &serial.to_string());
        let request = EnrolRequest { serial, token: self.token.clone(), csr, model: None, copied_from: None };
        let lifetimes = Lifetimes::default();
        let done = enrol::enrol(&self.store, &self.authority, lifetimes, &request, "127.0.0.1", now(), async |_| ())
            .await
            .unwrap();
        let Enrolled::As(credentials) = done else { panic!("{done:?}") };
        self.card(credentials.name.as_str(), credentials.certificate, key.serialize_pem())
    }

    /// A certificate for a name of one's choice, made at a time of one's choice: what nobody gets by enrolling.
    pub fn forge(&self, authority: &Authority, name: &DeviceName, at: UtcMillis) -> Card {
        let key = KeyPair::generate().unwrap();
        let serial = random_serial();
        let csr = request(&key, &serial.to_string());
        let certificate = authority.sign_device(&csr, serial, name, LIFE, at).unwrap().certificate;
        self.card(&format!("{name}-forged-{serial}"), certificate, key.serialize_pem())
    }

    /// The server's own card.
    pub fn service(&self) -> Card {
        let read = |name: &str| std::fs::read_to_string(self.dir.path().join(name)).unwrap();
        let mut card = self.card("service", read("tirta-server.pem"), read("tirta-server.key"));
        card.name = "tirta-server".to_owned();
        card
    }

    fn card(&self, name: &str, certificate: String, key: String) -> Card {
        let file = |ending: &str, text: &str| {
            let path = self.dir.path().join(format!("card-{name}.{ending}"));
            std::fs::write(&path, text).unwrap();
            path
        };
        Card {
            name: name.to_owned(),
            certificate_file: file("pem", &certificate),
            key_file: file("key", &key),
            ca_file: self.dir.path().join("ca.pem"),
            ca: self.authority.ca_pem(),
            certificate,
            key,
        }
    }

    /// TLS of somebody who trusts the fleet's authority but has no certificate.
    pub fn anonymous_tls(&self) -> Arc<ClientConfig> {
        Arc::new(trusting(&self.authority.ca_pem()).with_no_client_auth())
    }
}

pub fn random_serial() -> Serial {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    format!("{:016x}", u64::from_be_bytes(bytes) | 1).parse().unwrap()
}

/// A certificate request in PEM.
pub fn request(key: &KeyPair, common_name: &str) -> String {
    params(common_name).serialize_request(key).unwrap().pem().unwrap()
}

pub fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

pub fn key_of(algorithm: &'static SignatureAlgorithm) -> KeyPair {
    KeyPair::generate_for(algorithm).unwrap()
}

pub fn p256() -> KeyPair {
    key_of(&PKCS_ECDSA_P256_SHA256)
}
