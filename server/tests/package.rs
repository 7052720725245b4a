//! The configurations that are shipped: in the Debian package, in the container image, and in the example for compose.
#![allow(clippy::unwrap_used)] // a test may

use server::config::{BrokerConfig, Config};
use std::path::Path;

fn load(file: &str) -> Config {
    Config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap()
}

#[test]
fn the_configurations_of_container_and_compose_load_and_can_be_asked_for_their_health() {
    let (container, compose) = (load("images/oci/server.toml"), load("images/compose/server.toml"));
    assert!(matches!(container.broker, BrokerConfig::Embedded { .. }));
    let BrokerConfig::External { host, services_port, .. } = compose.broker else { unreachable!() };
    assert!(compose.public_hosts.contains(&host), "the broker shows the server's certificate under its name");
    assert_eq!(services_port, Some(8884));
    // `tirta-server health` asks there, and multicast does not leave a container's network.
    assert!([container.plain, compose.plain].iter().all(Option::is_some) && !container.announce && !compose.announce);
}

#[test]
fn the_service_needs_no_right_for_the_packaged_configuration_and_keeps_its_data_where_that_says() {
    let config = load("server/server.example.toml");
    let unit = include_str!("../../systemd/tirta-server.service");
    let says = |line: &str| unit.lines().any(|found| found == line);
    assert!(says("CapabilityBoundingSet=") && config.https.port() > 1024);
    assert!(says("StateDirectory=tirta-server") && config.data_dir == Path::new("/var/lib/tirta-server"));
    // A password is printed there at the first start.
    assert!(says("StandardOutput=null"));
}
