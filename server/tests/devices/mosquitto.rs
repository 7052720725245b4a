//! The same attacks against Mosquitto with the configuration that we hand out: `server/mosquitto/`.

use crate::fleet::{Fleet, access::Target, client::Client, now, until};
use server::link::{LinkConfig, throw_out};
use std::{path::Path, process::Stdio};
use tokio::process::{Child, Command};

struct Running {
    target: Target,
    // Ended when dropped.
    mosquitto: Child,
}

async fn mosquitto() -> Running {
    started(|fleet, port| example(fleet.dir.path(), port)).await
}

async fn started(configuration: impl FnOnce(&Fleet, u16) -> String) -> Running {
    let fleet = Fleet::new().await;
    fleet.authority.write_crl(&[], now()).unwrap();
    let port = free_port();
    let folder = fleet.dir.path();
    let config = folder.join("mosquitto.conf");
    std::fs::write(&config, configuration(&fleet, port)).unwrap();
    let mut mosquitto = Command::new("mosquitto")
        .arg("-c")
        .arg(&config)
        .stdin(Stdio::null())
        .stderr(std::fs::File::create(folder.join("mosquitto.log")).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|e| panic!("mosquitto: {e}: apt install mosquitto mosquitto-clients"));
    until("Mosquitto listens", async || {
        let ended = mosquitto.try_wait().unwrap();
        let log = || std::fs::read_to_string(folder.join("mosquitto.log")).unwrap_or_default();
        assert!(ended.is_none(), "Mosquitto ended: {}", log());
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await;
    Running { target: Target { fleet, port }, mosquitto }
}

/// What we hand out, with the paths and the port of this test.
fn example(folder: &Path, port: u16) -> String {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("mosquitto");
    std::fs::copy(ours.join("acl"), folder.join("acl")).unwrap();
    let text = std::fs::read_to_string(ours.join("mosquitto.conf")).unwrap();
    let there = |file: &str| folder.join(file).display().to_string();
    let text = text
        .replace("\nlistener 8883\n", &format!("\nlistener {port} 127.0.0.1\n"))
        .replace("/etc/mosquitto/tirta/acl", &there("acl"))
        .replace("/etc/mosquitto/tirta/clients.pem", &there("clients.pem"))
        .replace("/etc/mosquitto/tirta/crl.pem", &there("crl.pem"))
        .replace("/etc/mosquitto/tirta/broker.pem", &there("tirta-server.pem"))
        .replace("/etc/mosquitto/tirta/broker.key", &there("tirta-server.key"));
    // Run by root it would become another user, who may not read this test's folder.
    format!("{text}\nuser root\n")
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

crate::access_tests!(mosquitto);

#[tokio::test]
async fn servers_can_share_what_devices_say() {
    let running = mosquitto().await;
    let Target { fleet, port } = &running.target;
    let pi_1 = fleet.device().await;
    let mut server = Client::connect(*port, &fleet.service()).await.unwrap();
    server.subscribe("$share/servers/tirta/+/up/readings").await.unwrap();
    let device = Client::connect(*port, &pi_1).await.unwrap();
    device.publish("tirta/pi-1/up/readings", "batch", false).await.unwrap();
    assert_eq!(server.next().await, ("tirta/pi-1/up/readings".to_owned(), "batch".to_owned()));
}

#[tokio::test]
async fn the_largest_batch_passes() {
    let running = mosquitto().await;
    let Target { fleet, port } = &running.target;
    let pi_1 = fleet.device().await;
    let mut server = Client::connect(*port, &fleet.service()).await.unwrap();
    server.subscribe("tirta/+/up/readings").await.unwrap();
    let device = Client::connect(*port, &pi_1).await.unwrap();
    let largest = vec![b'x'; shared::message::MAX_PAYLOAD];
    device.publish("tirta/pi-1/up/readings", largest.clone(), false).await.unwrap();
    assert_eq!(server.next().await.1.len(), largest.len());
}

#[tokio::test]
async fn what_the_server_retains_reaches_a_device_that_comes_later() {
    let running = mosquitto().await;
    let Target { fleet, port } = &running.target;
    let pi_1 = fleet.device().await;
    let server = Client::connect(*port, &fleet.service()).await.unwrap();
    server.publish("tirta/pi-1/down/settings", "settings", true).await.unwrap();
    let mut device = Client::connect(*port, &pi_1).await.unwrap();
    device.subscribe("tirta/pi-1/down/#").await.unwrap();
    assert_eq!(device.next().await, ("tirta/pi-1/down/settings".to_owned(), "settings".to_owned()));
}

/// Mosquitto with a revocation list and the listener on which a service chooses its client id.
async fn with_list() -> (Running, u16) {
    let services = free_port();
    let running = started(|fleet, port| {
        let folder = fleet.dir.path();
        let text = example(folder, port).replace("\n# crlfile ", "\ncrlfile ");
        let (before, block) = text.split_once("# listener 8884 127.0.0.1\n").unwrap();
        let (block, after) = block.split_once("\n\n").unwrap();
        let block = format!("\n{block}").replace("\n# ", "\n");
        let file = folder.join("crl.pem");
        format!("{before}listener {services} 127.0.0.1{block}\ncrlfile {}\n\n{after}", file.display())
    });
    (running.await, services)
}

fn reload(running: &Running) {
    let pid = running.mosquitto.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
}

fn serial_number(card: &crate::fleet::Card) -> String {
    use rustls_pki_types::pem::PemObject;
    let der = rustls_pki_types::CertificateDer::from_pem_slice(card.certificate.as_bytes()).unwrap();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    certificate.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The server's own connection, where it may choose its client id.
fn link(fleet: &Fleet, services: u16) -> LinkConfig {
    LinkConfig {
        host: "localhost".to_owned(),
        port: services,
        tls: fleet.authority.client_tls(),
        client_id: "tirta-server-test".to_owned(),
        share: None,
    }
}

#[tokio::test]
async fn a_revoked_device_is_cut_off_and_stays_out() {
    let (running, services) = with_list().await;
    let Target { fleet, port } = &running.target;
    let (kept, gone, signal) = (fleet.device().await, fleet.device().await, fleet.device().await);
    let kept_client = Client::connect(*port, &kept).await.unwrap();
    let mut gone_client = Client::connect(*port, &gone).await.unwrap();
    Client::connect(*port, &signal).await.unwrap();

    let revoked = [&gone, &signal].map(|card| (serial_number(card), now()));
    fleet.authority.write_crl(&revoked, now()).unwrap();
    reload(&running);
    // One of them shows when Mosquitto has read the list, without disturbing the other's connection.
    until("the list is read", async || Client::connect(*port, &signal).await.is_err()).await;
    gone_client.publish("tirta/pi-2/up/status", "still here", false).await.expect("the list alone ends no connection");

    throw_out(&link(fleet, services), &gone.device()).await.unwrap();
    gone_client.ended().await;
    let log = std::fs::read_to_string(fleet.dir.path().join("mosquitto.log")).unwrap();
    assert!(log.contains("Client pi-2 already connected, closing old connection"), "{log}");
    let why = Client::connect(*port, &gone).await.err().expect("it must stay out");
    assert!(why.contains("CertificateRevoked"), "{why}");

    kept_client.publish("tirta/pi-1/up/status", "well", false).await.expect("nobody else is disturbed");
    drop(kept_client);
    Client::connect(*port, &kept).await.unwrap();
}

#[tokio::test]
async fn a_rotation_and_a_retirement_reach_mosquitto_with_a_hang_up() {
    let (running, services) = with_list().await;
    let Target { fleet, port } = &running.target;
    let old = fleet.device().await;
    fleet.authority.rotate(now()).unwrap();
    fleet.authority.write_crl(&[], now()).unwrap();
    let new = fleet.device().await;
    Client::connect(*port, &old).await.unwrap();
    reload(&running);
    // In the test Mosquitto shows the server's own certificate, which the new authority has signed.
    until("devices of the new authority get in", async || Client::connect(*port, &new).await.is_ok()).await;
    Client::connect(*port, &old).await.expect("devices of the old one too");
    throw_out(&link(fleet, services), &old.device()).await.expect("and the server");

    fleet.authority.retire(now()).unwrap();
    fleet.authority.write_crl(&[], now()).unwrap();
    reload(&running);
    let mut late = old;
    late.ca = fleet.authority.ca_pem();
    until("the old authority is over", async || Client::connect(*port, &late).await.is_err()).await;
    Client::connect(*port, &new).await.unwrap();
}
