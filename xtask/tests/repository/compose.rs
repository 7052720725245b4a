//! The example of production: the form of `compose.yaml`, and that what it mounts is there. No container engine is needed.

use serde_json::Value;
use std::{fs, path::PathBuf};
use xtask::prepare::root;

fn folder() -> PathBuf {
    root().join("images/compose")
}

fn compose() -> Value {
    serde_saphyr::from_str(&fs::read_to_string(folder().join("compose.yaml")).unwrap()).unwrap()
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|word| word.as_str().unwrap()).collect()
}

#[test]
fn every_file_network_volume_and_secret_that_a_service_names_is_there() {
    let compose = compose();
    let services = compose["services"].as_object().unwrap();
    assert_eq!(services.len(), 3);
    for (name, service) in services {
        for mount in words(&service["volumes"]) {
            let from = mount.split(':').next().unwrap();
            let there = match from.strip_prefix("./") {
                Some(file) => folder().join(file).is_file(),
                None => compose["volumes"].get(from).is_some(),
            };
            assert!(there, "{name}: {mount}");
        }
        for (kind, list) in [("networks", &service["networks"]), ("secrets", &service["secrets"])] {
            assert!(words(list).iter().all(|one| compose[kind].get(one).is_some()), "{name}: {kind}");
        }
        assert!(service["healthcheck"]["test"].is_array(), "{name} says whether it is well");
    }
}

#[test]
fn only_browsers_and_devices_get_in_and_no_secret_stands_in_the_files() {
    let compose = compose();
    let services = compose["services"].as_object().unwrap();
    let published: Vec<&str> = services.values().flat_map(|service| words(&service["ports"])).collect();
    assert_eq!(published, ["8883:8883", "8443:8443"]);
    assert_eq!(compose["networks"]["database"]["internal"], true);
    assert_eq!(compose["networks"]["broker"]["internal"], true);
    let server = fs::read_to_string(folder().join("server.toml")).unwrap();
    assert!(server.contains("database_url = \"postgres://tirta@postgres/tirta\""), "the password is a secret");
}

#[test]
fn the_image_is_the_one_of_this_version_and_the_broker_uses_the_documented_access_list() {
    let image = format!("tirta-server:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(compose()["services"]["server"]["image"], image);
    let acl = |file: PathBuf| fs::read_to_string(file).unwrap();
    assert_eq!(acl(folder().join("acl")), acl(root().join("server/mosquitto/acl")));
    let broker = fs::read_to_string(folder().join("mosquitto.conf")).unwrap();
    let listeners = broker.matches("\nlistener ").count();
    for wanted in ["crlfile /etc/mosquitto/tirta/crl.pem", "require_certificate true"] {
        assert_eq!(broker.lines().filter(|line| *line == wanted).count(), listeners, "{wanted}");
    }
}
