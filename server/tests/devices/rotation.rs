//! A new authority takes over while everything runs: who knows only the old one or only the new one still gets in.

use crate::fleet::{Fleet, SOON, client::Client, now, trusting};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring::default_provider,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use server::{
    broker::Broker,
    ca::{Authority, CaError, Status},
    digest::sha256_hex,
    tls::{HANDSHAKE_TIMEOUT, TlsListener},
};
use std::{path::Path, sync::Arc};

fn open(dir: &Path) -> Authority {
    Authority::open(dir, &[], now()).unwrap()
}

/// What the server shows: its own certificate and what follows it.
fn shown(dir: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(dir.join("tirta-server.pem")).unwrap().map(Result::unwrap).collect()
}

/// As an agent does it that knows the authority by its digest only (`agent/src/trust.rs`): it must be among what
/// is shown after the server's own certificate, and is then the only root.
fn accepted_by_pin(chain: &[CertificateDer<'static>], pin: &str) -> Result<(), String> {
    let (leaf, rest) = chain.split_first().unwrap();
    let root = rest.iter().find(|der| sha256_hex(der) == pin).ok_or("what it pins is not shown")?;
    accepted_by_root(leaf, rest, root)
}

fn accepted_by_root(
    leaf: &CertificateDer<'_>,
    rest: &[CertificateDer<'_>],
    root: &CertificateDer<'_>,
) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone().into_owned()).unwrap();
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider())).build();
    let name = ServerName::try_from("localhost").unwrap();
    let verified = verifier.unwrap().verify_server_cert(leaf, rest, &name, &[], UnixTime::now());
    verified.map(drop).map_err(|e| e.to_string())
}

#[test]
fn agents_that_know_only_the_old_or_only_the_new_authority_believe_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let authority = open(dir.path());
    let old = authority.ca_sha256();
    accepted_by_pin(&shown(dir.path()), &old).unwrap();
    let Status { newest, previous } = authority.rotate(now()).unwrap();
    assert_eq!((newest.sha256.clone(), authority.ca_sha256()), (authority.ca_sha256(), newest.sha256.clone()));
    assert_eq!(previous.as_ref().map(|root| root.sha256.as_str()), Some(old.as_str()));
    assert_ne!(newest.sha256, old);
    assert_ne!(newest.subject, previous.unwrap().subject);
    accepted_by_pin(&shown(dir.path()), &old).unwrap();
    accepted_by_pin(&shown(dir.path()), &newest.sha256).unwrap();
    // Without the cross certificate the old one would lead nowhere: it is what makes the difference.
    let without: Vec<_> =
        shown(dir.path()).into_iter().enumerate().filter(|(n, _)| *n != 1).map(|(_, der)| der).collect();
    accepted_by_pin(&without, &old).unwrap_err();

    // A start finds the same.
    let again = open(dir.path());
    assert_eq!(again.status().unwrap(), authority.status().unwrap());
    accepted_by_pin(&shown(dir.path()), &old).unwrap();

    let status = authority.retire(now()).unwrap();
    assert_eq!((status.newest.sha256, status.previous), (newest.sha256.clone(), None));
    accepted_by_pin(&shown(dir.path()), &newest.sha256).unwrap();
    accepted_by_pin(&shown(dir.path()), &old).unwrap_err();
    assert_eq!(open(dir.path()).status().unwrap(), authority.status().unwrap());
}

#[test]
fn there_are_never_three_and_never_none_to_retire() {
    let dir = tempfile::tempdir().unwrap();
    let authority = open(dir.path());
    assert!(matches!(authority.retire(now()), Err(CaError::NoPrevious)));
    authority.rotate(now()).unwrap();
    let error = authority.rotate(now()).unwrap_err();
    assert!(matches!(error, CaError::StillPrevious { .. }) && error.to_string().contains("retire"), "{error}");
    let second = authority.ca_sha256();
    authority.retire(now()).unwrap();
    let third = authority.rotate(now()).unwrap();
    assert_eq!(third.previous.unwrap().sha256, second);
}

#[test]
fn what_another_process_did_on_the_folder_is_taken_over_and_not_done_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (open(dir.path()), open(dir.path()));
    let done = one.rotate(now()).unwrap();
    assert_eq!(other.rotate(now()).unwrap(), done);
    let done = other.retire(now()).unwrap();
    assert_eq!(one.retire(now()).unwrap(), done);
}

async fn broker(fleet: &Fleet) -> Broker {
    let tls = fleet.authority.server_tls(true).unwrap();
    let listener = TlsListener::bind("127.0.0.1:0".parse().unwrap(), tls, HANDSHAKE_TIMEOUT).await.unwrap();
    Broker::start(listener, fleet.store.clone()).unwrap()
}

/// Whether a hand-shake succeeds, as the server with its own connection.
async fn shakes_hands(tls: Arc<rustls::ClientConfig>, port: u16) -> Result<(), String> {
    use tokio::io::AsyncReadExt;
    let tcp = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let shaken = tokio_rustls::TlsConnector::from(tls).connect(name, tcp).await;
    let mut stream = shaken.map_err(|e| e.to_string())?;
    // With TLS 1.3 the refusal of one's own certificate comes only now; a broker that accepts it waits.
    match tokio::time::timeout(std::time::Duration::from_millis(300), stream.read(&mut [0; 1])).await {
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(_)) => Err("closed".to_owned()),
        Err(_) => Ok(()),
    }
}

#[tokio::test]
async fn a_running_broker_takes_devices_of_both_until_the_old_one_is_retired() {
    let fleet = Fleet::new().await;
    let broker = broker(&fleet).await;
    let port = broker.local_addr().port();
    let link = fleet.authority.client_tls();
    let old = fleet.device().await;
    let there = Client::connect(port, &old).await.unwrap();
    fleet.authority.rotate(now()).unwrap();
    let new = fleet.device().await;
    assert_ne!(old.ca, new.ca);
    there.subscribe("tirta/pi-1/down/#").await.expect("connections stay");
    drop(there);
    // Each believes the authority that it got with its certificate.
    Client::connect(port, &old).await.unwrap();
    Client::connect(port, &new).await.unwrap();
    shakes_hands(Arc::clone(&link), port).await.unwrap();

    fleet.authority.retire(now()).unwrap();
    Client::connect(port, &new).await.unwrap();
    let mut late = old;
    late.ca = fleet.authority.ca_pem();
    assert!(Client::connect(port, &late).await.is_err(), "its authority is over");
    shakes_hands(link, port).await.unwrap();
    broker.stop().await;
}

#[tokio::test]
async fn the_servers_own_link_believes_a_broker_of_either_authority() {
    let dir = tempfile::tempdir().unwrap();
    let authority = open(dir.path());
    let link = authority.client_tls();
    // An external broker keeps showing what it was given, alone.
    let given = shown(dir.path());
    let key = rustls_pki_types::PrivateKeyDer::from_pem_file(dir.path().join("tirta-server.key")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(given[..1].to_vec(), key)
        .unwrap();
    let listener = TlsListener::bind("127.0.0.1:0".parse().unwrap(), Arc::new(config), SOON).await.unwrap();
    let port = listener.local_addr().port();
    let accepted = async |tls: Arc<rustls::ClientConfig>| {
        let tcp = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        tokio_rustls::TlsConnector::from(tls).connect(name, tcp).await.map(drop)
    };
    accepted(Arc::clone(&link)).await.unwrap();
    authority.rotate(now()).unwrap();
    accepted(Arc::clone(&link)).await.unwrap();
    authority.retire(now()).unwrap();
    accepted(link).await.unwrap_err();
    accepted(Arc::new(trusting(&authority.ca_pem()).with_no_client_auth())).await.unwrap_err();
}

#[test]
fn a_certificates_end_is_what_was_asked_for_however_soon() {
    let dir = tempfile::tempdir().unwrap();
    let authority = open(dir.path());
    let key = crate::fleet::p256();
    let serial = crate::fleet::random_serial();
    let csr = crate::fleet::request(&key, &serial.to_string());
    let at = shared::UtcMillis(now().0 / 1000 * 1000 + 250);
    for seconds in [1, 90, 86_400, 365 * 86_400] {
        let life = std::time::Duration::from_secs(seconds);
        let signed = authority.sign_device(&csr, serial, &"pi-1".parse().unwrap(), life, at).unwrap();
        let der = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap();
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
        let validity = certificate.validity();
        assert_eq!(signed.valid_until.0, validity.not_after.timestamp() * 1000);
        assert_eq!(signed.valid_until.0, at.0 - 250 + i64::try_from(seconds).unwrap() * 1000);
        assert_eq!(validity.not_before.timestamp() * 1000, at.0 - 250 - 86_400_000, "clocks differ a little");
        assert_eq!(
            signed.serial_number,
            certificate.raw_serial().iter().map(|b| format!("{b:02x}")).collect::<String>()
        );
        assert_eq!((signed.issued_at, signed.ca_sha256), (at, authority.ca_sha256()));
    }
}
