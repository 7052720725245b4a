//! The life of a certificate against a broker and a server that are the test: renewed in time, after the end, never
//! for a worse one.

use crate::support::{Authority, PATIENT, Server, Session, synced};
use agent::backoff::Backoff;
use agent::identity::{Home, Identity, certificate_request};
use agent::link::{self, LinkConfig, LinkState};
use agent::renew::Renewer;
use agent::seek::Seeker;
use agent::{certificate, trust};
use rcgen::PublicKeyData;
use serde_json::{Value, json};
use shared::enrol::Broker;
use shared::message::{Certificate, Renewal};
use shared::{DeviceName, Serial, Topic, UtcMillis};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const FOR_YEARS: (i32, i32) = (2020, 2200);
const HOUR: i64 = 3600;

struct Bench {
    authority: Authority,
    broker: Server,
    https: Server,
    folder: TempDir,
    key: String,
    state: watch::Receiver<LinkState>,
    ended: JoinHandle<String>,
}

fn serial() -> Serial {
    "10000000deadbeef".parse().unwrap()
}

fn pi7() -> DeviceName {
    DeviceName::numbered(7)
}

fn now() -> i64 {
    synced().now().0
}

/// What this key's owner would ask with.
fn csr(key: &str) -> String {
    certificate_request(&rcgen::KeyPair::from_pem(key).unwrap(), serial()).unwrap()
}

fn der(pem: &str) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

fn key_of(csr: &str) -> Vec<u8> {
    rcgen::CertificateSigningRequestParams::from_pem(csr).unwrap().public_key.der_bytes().to_vec()
}

impl Bench {
    /// A device whose certificate is valid for these seconds, counted from now.
    async fn new(seconds: (i64, i64)) -> Self {
        let authority = Authority::new();
        let server = authority.server("localhost", FOR_YEARS);
        let broker = Server::new(authority.tls(&server, true)).await;
        let https = Server::new(authority.tls(&server, false)).await;
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        let key = home.key_pair(serial()).unwrap().serialize_pem();
        let certificate = authority.sign_for(&csr(&key), "pi-7", seconds);
        let identity = Identity {
            name: pi7(),
            broker: Broker { host: None, port: broker.address.port() },
            server: None,
            key: key.clone(),
            certificate: certificate::obtained(&certificate, UtcMillis(now() + seconds.0 * 1000)),
            ca: authority.pem(),
        };
        home.save(serial(), &identity).unwrap();
        let quick = Backoff::new(Duration::from_millis(5), Duration::from_millis(20));
        let tls = trust::mutual(&identity.ca, &identity.certificate, &identity.key, synced()).unwrap();
        let (link, mut inbox, _) = link::start(LinkConfig {
            device: pi7(),
            dial: watch::channel(("127.0.0.1".to_owned(), broker.address.port())).1,
            tls_name: "localhost".to_owned(),
            tls: Arc::new(tls),
            last_will: String::new(),
            backoff: quick.clone(),
        });
        let (certificates, offers) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(message) = inbox.recv().await {
                assert_eq!(message.topic, Topic::Certificate(pi7()).to_string());
                certificates.send(Certificate::decode(&message.payload).unwrap()).await.unwrap();
            }
        });
        let sum = authority.sha256().map(|byte| format!("{byte:02x}")).concat();
        let port = https.address.port();
        let text = format!(
            "data_dir = {:?}\nserver = {{ url = \"https://localhost:{port}\", ca_sha256 = \"{sum}\" }}\n",
            folder.path()
        );
        let seeker = Arc::new(Seeker::new(&text.parse().unwrap(), synced()));
        let state = link.state();
        let renewer =
            Renewer { serial: serial(), seeker, home, identity, link, offers, time: synced(), backoff: quick };
        let ended = tokio::spawn(renewer.run());
        Self { authority, broker, https, folder, key, state, ended }
    }

    fn saved(&self) -> Identity {
        Home::new(self.folder.path()).load(serial()).unwrap().unwrap()
    }

    async fn until_saved(&self, certificate: &str) {
        let saved = async {
            while der(&self.saved().certificate) != der(certificate) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENT, saved).await.unwrap();
    }

    async fn until_up(&self) {
        let mut state = self.state.clone();
        timeout(PATIENT, state.wait_for(|state| *state != LinkState::Down)).await.unwrap().unwrap();
    }

    fn reply(&self, body: &Value, seconds: (i64, i64)) -> (String, Value) {
        let certificate = self.authority.sign_for(body["csr"].as_str().unwrap(), "pi-7", seconds);
        let reply = json!({
            "name": "pi-7", "certificate": certificate, "ca": self.authority.pem(),
            "broker": { "port": self.broker.address.port() }, "server_time": now(),
        });
        (certificate, reply)
    }
}

/// Waits until the device asks over the link.
async fn asked(session: &mut Session) -> String {
    let published = session.published().await.unwrap();
    session.acknowledge(published.id).await;
    assert_eq!((published.topic.as_str(), published.retain), ("tirta/pi-7/up/renewal", false));
    Renewal::decode(published.payload.as_bytes()).unwrap().csr
}

async fn offer(session: &mut Session, certificate: &str, ca: &str) {
    let message = Certificate::new(certificate.to_owned(), ca.to_owned());
    session.publish("tirta/pi-7/down/certificate", &message.encode()).await;
}

#[tokio::test]
async fn a_certificate_is_renewed_in_time_and_replaced_only_once_the_link_is_up_with_the_next() {
    let bench = Bench::new((-HOUR, 60)).await;
    let mut first = Session::ready(&bench.broker).await;
    let csr = asked(&mut first).await;
    assert_eq!(key_of(&csr), key_of(&self::csr(&bench.key)), "with the same key");
    let old = bench.saved();
    let next = bench.authority.sign_for(&csr, "pi-7", (-10, HOUR));
    offer(&mut first, &next, &bench.authority.pem()).await;
    let mut second = Session::accept(&bench.broker).await;
    assert_eq!(second.shown(), der(&next));
    second.send(&[0x20, 3, 0, 0, 0]).await;
    assert_eq!(bench.saved().certificate, old.certificate, "not proven yet");
    second.subscribed(1).await;
    bench.until_saved(&next).await;
    assert_eq!(bench.saved().key, bench.key);
}

#[tokio::test]
async fn a_certificate_that_is_not_due_is_left_alone() {
    let bench = Bench::new((-HOUR, 3 * HOUR)).await;
    let mut session = Session::ready(&bench.broker).await;
    bench.until_up().await;
    // Whatever it would ask comes before the answer to this.
    offer(&mut session, "no certificate", "no authority").await;
    let older = bench.authority.sign_for(&csr(&bench.key), "pi-7", (-2 * HOUR, 9 * HOUR));
    offer(&mut session, &older, &bench.authority.pem()).await;
    let foreign = bench.authority.device("pi-7").certificate;
    offer(&mut session, &foreign, &bench.authority.pem()).await;
    let anothers = bench.authority.sign_for(&csr(&bench.key), "pi-8", (-10, 9 * HOUR));
    offer(&mut session, &anothers, &bench.authority.pem()).await;
    let good = bench.authority.sign_for(&csr(&bench.key), "pi-7", (-10, 9 * HOUR));
    offer(&mut session, &good, &bench.authority.pem()).await;
    assert_eq!(session.published().await, None, "it asked nothing, and left for the good one");
    let second = Session::ready(&bench.broker).await;
    assert_eq!(second.shown(), der(&good));
    bench.until_saved(&good).await;
}

#[tokio::test]
async fn a_next_one_that_the_broker_refuses_changes_nothing_and_is_asked_for_again() {
    let bench = Bench::new((-HOUR, 60)).await;
    let mut first = Session::ready(&bench.broker).await;
    let old = bench.saved();
    let csr = asked(&mut first).await;
    let next = bench.authority.sign_for(&csr, "pi-7", (-10, HOUR));
    offer(&mut first, &next, &bench.authority.pem()).await;
    for _ in 0..link::TRIES {
        assert_eq!(Session::accept(&bench.broker).await.shown(), der(&next));
    }
    let mut again = Session::ready(&bench.broker).await;
    assert_eq!(again.shown(), der(&old.certificate));
    assert_eq!(bench.saved().certificate, old.certificate);
    assert!(!bench.ended.is_finished());
    let asks = bench.authority.sign_for(&csr, "pi-7", (-5, HOUR));
    offer(&mut again, &asks, &bench.authority.pem()).await;
    let last = Session::ready(&bench.broker).await;
    assert_eq!(last.shown(), der(&asks));
    bench.until_saved(&asks).await;
}

#[tokio::test]
async fn the_next_one_may_come_from_a_new_authority() {
    let mut bench = Bench::new((-HOUR, 60)).await;
    let mut first = Session::ready(&bench.broker).await;
    let csr = asked(&mut first).await;
    let successor = Authority::new();
    bench.broker.become_another(successor.tls(&successor.server("localhost", FOR_YEARS), true));
    let next = successor.sign_for(&csr, "pi-7", (-10, HOUR));
    offer(&mut first, &next, &successor.pem()).await;
    let second = Session::ready(&bench.broker).await;
    assert_eq!(second.shown(), der(&next));
    bench.until_saved(&next).await;
    assert_eq!(bench.saved().ca, successor.pem());
}

#[tokio::test]
async fn a_device_that_slept_past_the_end_renews_over_https_with_the_same_key() {
    let bench = Bench::new((-3 * HOUR, -HOUR)).await;
    let broker = async {
        // The broker's TLS refuses what has expired.
        loop {
            if let Ok(_stream) = bench.broker.accept().await {
                panic!("an expired certificate was let in");
            }
        }
    };
    let (path, body, reply_to) = tokio::select! {
        question = bench.https.asked() => question,
        () = broker => unreachable!(),
    };
    assert_eq!((path.as_str(), body["name"].as_str()), ("/api/v1/renew", Some("pi-7")));
    assert_eq!(key_of(body["csr"].as_str().unwrap()), key_of(&csr(&bench.key)));
    let (next, reply) = bench.reply(&body, (-10, HOUR));
    reply_to.answer(200, &reply).await;
    // An attempt with the old one may still be under way.
    let session = loop {
        if let Some(session) = Session::try_ready(&bench.broker).await {
            break session;
        }
    };
    assert_eq!(session.shown(), der(&next));
    bench.until_saved(&next).await;
}

#[tokio::test]
async fn a_device_that_the_broker_bans_asks_why_and_ends_only_when_its_key_is_unknown() {
    let bench = Bench::new((-HOUR, 9 * HOUR)).await;
    let mut banned = Session::accept(&bench.broker).await;
    banned.send(&[0x20, 3, 0, 0x8a, 0]).await;
    // First it was thrown out: that may be taken back, so it goes on, slowly. Then the server's clock is years ahead.
    for code in ["revoked", "too_late"] {
        let (path, _, reply_to) = bench.https.asked().await;
        assert_eq!(path, "/api/v1/renew");
        reply_to.answer(403, &json!({ "code": code, "detail": "no" })).await;
    }
    let (_, _, reply_to) = bench.https.asked().await;
    assert!(!bench.ended.is_finished());
    reply_to.answer(403, &json!({ "code": "unknown_key" })).await;
    assert_eq!(timeout(PATIENT, bench.ended).await.unwrap().unwrap(), "unknown_key");
}

#[tokio::test]
async fn a_device_whose_certificate_ended_too_long_ago_gives_its_identity_up() {
    let bench = Bench::new((-10 * HOUR, -HOUR)).await;
    let (path, _, reply_to) = bench.https.asked().await;
    assert_eq!(path, "/api/v1/renew");
    reply_to.answer(403, &json!({ "code": "too_late" })).await;
    assert_eq!(timeout(PATIENT, bench.ended).await.unwrap().unwrap(), "too_late");
}
