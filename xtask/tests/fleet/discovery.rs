//! Devices that are told no address find their server, with the binaries that are shipped, in a network of the test's
//! own: nobody else hears the announcement.
//!
//! They have to be built: `cargo test --workspace` does, `cargo test --package xtask` does not.

use std::{fs, process::Command, time::Duration};
use xtask::fleet::{Fleet, FleetSetup, Folder, Programs, until};

const PATIENCE: Duration = Duration::from_secs(120);
/// Tells the test that it runs in a network of its own.
const OWN_NETWORK: &str = "TIRTA_TEST_OWN_NETWORK";
/// Where the server is first, and where it moves.
const ADDRESSES: [&str; 2] = ["10.77.0.1", "10.77.0.2"];

/// A network with one address, then the rest of the line as a command in it.
const NETWORK: &str = "ip link set lo up && ip link add v0 type veth peer name v1 && ip addr add 10.77.0.1/24 dev v0 \
                       && ip link set v0 up && ip link set v1 up && exec \"$@\"";

fn in_own_network(command: &[&str]) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--net", "sh", "-c", NETWORK, "sh"]).args(command);
    unshare
}

#[test]
fn a_device_without_an_address_finds_its_server_and_follows_it_to_another() {
    if std::env::var_os(OWN_NETWORK).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        return runtime.block_on(finds_and_follows());
    }
    if !in_own_network(&["true"]).output().is_ok_and(|made| made.status.success()) {
        println!("No network of its own can be made here (unshare, ip), so no device looks for a server");
        return;
    }
    let us = std::env::current_exe().unwrap();
    let test = "discovery::a_device_without_an_address_finds_its_server_and_follows_it_to_another";
    let output =
        in_own_network(&[us.to_str().unwrap(), "--exact", test, "--nocapture"]).env(OWN_NETWORK, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

async fn finds_and_follows() {
    let folder = Folder::open(None, "discovery").unwrap();
    let setup = FleetSetup { discovered: true, ..FleetSetup::new(&folder.path, 2).unwrap() };
    let mut fleet = Fleet::start(&Programs::beside_us().unwrap(), &setup).await.unwrap();
    for agent in &fleet.agents {
        let config = fs::read_to_string(agent.config()).unwrap();
        assert!(!config.contains("url") && !config.contains("broker") && !config.contains("10.77"), "{config}");
    }
    let [first, second] = ADDRESSES;
    let remembered = |fleet: &Fleet, address: &str| {
        let files = fleet.agents.iter().map(|agent| fs::read_to_string(agent.data_dir().join("identity.toml")));
        let all: Result<Vec<_>, _> = files.collect();
        all.is_ok_and(|all| all.iter().all(|text| text.contains(&format!("{address:?}"))))
    };
    assert!(remembered(&fleet, first));

    // The server gets another address, as from DHCP; the agents run on.
    fleet.server.kill().await.unwrap();
    for arguments in [["del", first], ["add", second]] {
        let [verb, address] = arguments;
        let done = Command::new("ip").args(["addr", verb, &format!("{address}/24"), "dev", "v0"]).status().unwrap();
        assert!(done.success(), "{arguments:?}");
    }
    fleet.server.start_again().await.unwrap();
    until("the agents have followed", PATIENCE, async || Ok(remembered(&fleet, second).then_some(()))).await.unwrap();

    fleet.drain(PATIENCE).await.unwrap();
    fleet.stop().await.unwrap();
    let verdict = fleet.verdict().await.unwrap();
    assert!(verdict.is_good(), "{verdict} {:?}", verdict.examples);
}
