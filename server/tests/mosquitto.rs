//! The same attacks against Mosquitto with the configuration that we hand out: `server/mosquitto/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may

mod fleet;

use fleet::{Fleet, access::Target, client::Client, until};
use std::{path::Path, process::Stdio};
use tokio::process::{Child, Command};

struct Running {
    target: Target,
    // Ended when dropped.
    _mosquitto: Child,
}

async fn mosquitto() -> Running {
    let fleet = Fleet::new().await;
    let port = free_port();
    let folder = fleet.dir.path();
    let config = folder.join("mosquitto.conf");
    std::fs::write(&config, example(folder, port)).unwrap();
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
    Running { target: Target { fleet, port }, _mosquitto: mosquitto }
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
        .replace("/etc/mosquitto/tirta/ca.pem", &there("ca.pem"))
        .replace("/etc/mosquitto/tirta/broker.pem", &there("tirta-server.pem"))
        .replace("/etc/mosquitto/tirta/broker.key", &there("tirta-server.key"));
    // Run by root it would become another user, who may not read this test's folder.
    format!("{text}\nuser root\n")
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

access_tests!(mosquitto);

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
