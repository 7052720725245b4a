//! Where a device finds its server: real announcements and real searches, on the loopback of this machine. Fleets of
//! tests that run beside each other are told apart by their authorities, as on any network.

use crate::support::{Authority, Server, synced};
use agent::backoff::Backoff;
use agent::config::{Config, Token};
use agent::discover::Networks;
use agent::identity::{Home, Identity, Origin};
use agent::link::LinkState;
use agent::seek::{Follower, SeekError, Seeker};
use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};
use shared::fleet::{FLEET_FILE, MDNS_SERVICE};
use shared::{DeviceName, Serial, enrol::Broker};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// On a machine that does other things too, several searches may be needed.
const PATIENCE: Duration = Duration::from_secs(60);
const NAME: &str = "tirta.test";

fn hex(sum: [u8; 32]) -> String {
    sum.map(|byte| format!("{byte:02x}")).concat()
}

/// Says on the loopback that a server of this authority listens at this port, until it is dropped.
struct Announced(ServiceDaemon);

impl Announced {
    fn new(ca_sha256: &str, port: u16) -> Self {
        let daemon = ServiceDaemon::new().unwrap();
        daemon.disable_interface(IfKind::All).unwrap();
        daemon.enable_interface(IfKind::LoopbackV4).unwrap();
        let properties = [("ca", ca_sha256), ("name", NAME)];
        let label = format!("test {port}");
        let host = format!("test-{port}.local.");
        let service = ServiceInfo::new(MDNS_SERVICE, &label, &host, "127.0.0.1", port, &properties[..]).unwrap();
        daemon.register(service).unwrap();
        Self(daemon)
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        let _ = self.0.shutdown();
    }
}

/// A server of this authority that shakes hands with everybody.
async fn polite(authority: &Authority) -> (u16, JoinHandle<()>) {
    let server = Server::new(authority.tls(&authority.server(NAME, (2020, 2200)), false)).await;
    let port = server.address.port();
    let task = tokio::spawn(async move {
        loop {
            let _ = server.accept().await;
        }
    });
    (port, task)
}

/// A configuration without a word of the server, whose fleet file is on a stick below this folder.
fn config(folder: &Path) -> Config {
    let place = folder.join("media/*").join(FLEET_FILE);
    format!("data_dir = {:?}\n[fleet]\nfiles = [{place:?}]\n", folder.join("data")).parse().unwrap()
}

fn plug_in(folder: &Path, text: &str) {
    let stick = folder.join("media/stick");
    std::fs::create_dir_all(&stick).unwrap();
    std::fs::write(stick.join(FLEET_FILE), text).unwrap();
}

fn seeker(config: &Config) -> Seeker {
    Seeker::new(config, synced()).on(Networks::Loopback)
}

/// Looks until there is something.
async fn found(seeker: &Seeker) -> Vec<agent::seek::Server> {
    let search = async {
        loop {
            match seeker.servers().await {
                Err(SeekError::Nobody | SeekError::NoneGood(..)) => {}
                outcome => return outcome.unwrap(),
            }
        }
    };
    timeout(PATIENCE, search).await.unwrap()
}

#[tokio::test]
async fn a_stick_with_the_fleet_file_and_an_announcement_are_all_that_a_device_needs() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (Authority::new(), Authority::new());
    let (port, _server) = polite(&ours).await;
    let (others_port, _other_server) = polite(&other).await;
    let sum = hex(ours.sha256());
    // Another fleet's server, one that lies about its authority, and one that is gone.
    let _crowd = [
        Announced::new(&hex(other.sha256()), others_port),
        Announced::new(&sum, others_port),
        Announced::new(&sum, 1),
        Announced::new(&sum, port),
    ];
    let seeker = seeker(&config(folder.path()));
    let error = seeker.servers().await.unwrap_err().to_string();
    assert!(error.contains("USB stick") && error.contains("media"), "{error}");

    plug_in(folder.path(), &format!("ca_sha256 = \"{sum}\"\ntoken = \"s3cret\"\n"));
    let servers = found(&seeker).await;
    assert_eq!(servers.len(), 1, "only who proves it: {servers:?}");
    let server = &servers[0];
    let origin = Origin { host: "127.0.0.1".to_owned(), port, tls_name: NAME.to_owned() };
    assert_eq!((server.origin(), server.ca_sha256), (origin, ours.sha256()));
    assert!(matches!(&server.token, Some(Token::Inline(token)) if token == "s3cret"));
}

#[tokio::test]
async fn an_address_that_is_given_is_taken_at_its_word_and_the_configuration_wins() {
    let folder = tempfile::tempdir().unwrap();
    let sum = hex([7; 32]);
    plug_in(folder.path(), &format!("server = \"https://file.test\"\nca_sha256 = \"{sum}\"\ntoken = \"file\"\n"));
    let mut config = config(folder.path());
    let first = async |config: &Config| seeker(config).servers().await.unwrap().remove(0);
    let server = first(&config).await;
    assert_eq!((server.host.as_str(), server.port, server.dial, server.ca_sha256), ("file.test", 443, None, [7; 32]));
    config.server.address = Some(("config.test".to_owned(), 8443));
    let server = first(&config).await;
    assert_eq!((server.host.as_str(), server.port, server.ca_sha256), ("config.test", 8443, [7; 32]));
    // The file is of another fleet: its token must not be shown to this one's server.
    config.server.ca_sha256 = Some([8; 32]);
    let server = first(&config).await;
    assert_eq!((server.ca_sha256, server.token.is_none()), ([8; 32], true));
}

fn enrolled(ca: &Authority, folder: &Path, origin: Origin) -> (Home, Serial, Identity) {
    let (home, serial) = (Home::new(folder), "10000000deadbeef".parse::<Serial>().unwrap());
    home.key_pair(serial).unwrap();
    let identity = Identity {
        name: DeviceName::numbered(7),
        broker: Broker { host: None, port: 8883 },
        server: Some(origin),
        key: String::new(),
        certificate: "certificate".to_owned(),
        ca: ca.pem(),
    };
    home.save(serial, &identity).unwrap();
    (home, serial, identity)
}

#[tokio::test]
async fn the_last_good_address_is_used_without_any_announcement_or_stick() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new();
    let (port, _server) = polite(&ours).await;
    let origin = Origin { host: "127.0.0.1".to_owned(), port, tls_name: NAME.to_owned() };
    let (_, _, identity) = enrolled(&ours, folder.path(), origin.clone());
    let servers = seeker(&config(folder.path())).servers_of(&identity).await.unwrap();
    assert_eq!(servers[0].origin(), origin);
}

#[tokio::test]
async fn a_server_that_moved_is_followed_while_the_agent_runs_and_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new();
    let (port, _server) = polite(&ours).await;
    let _announced = Announced::new(&hex(ours.sha256()), port);
    // Nobody is there any more: the address after the loopback's usual one, where nothing listens.
    let old = Origin { host: "127.0.0.2".to_owned(), port: 1, tls_name: NAME.to_owned() };
    let (home, serial, _) = enrolled(&ours, folder.path(), old);
    let (_up, link) = watch::channel(LinkState::Down);
    let (dial, mut dialled) = watch::channel(("127.0.0.2".to_owned(), 8883));
    let follower = Follower {
        seeker: Arc::new(seeker(&config(folder.path()))),
        home: home.clone(),
        serial,
        link,
        dial,
        patience: Backoff::new(Duration::from_millis(10), Duration::from_millis(50)),
    };
    let task = tokio::spawn(follower.run());
    let moved = timeout(PATIENCE, dialled.wait_for(|(host, _)| host == "127.0.0.1")).await.unwrap().unwrap().clone();
    assert_eq!(moved.1, 8883, "the broker's port is not the server's");
    let origin = Origin { host: "127.0.0.1".to_owned(), port, tls_name: NAME.to_owned() };
    let remembered = async {
        while home.load(serial).unwrap().unwrap().server.as_ref() != Some(&origin) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, remembered).await.unwrap();
    task.abort();
}

#[tokio::test]
async fn an_address_that_is_changed_in_the_fleet_file_is_dialled_once_the_link_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new();
    let (sum, others) = (hex(ours.sha256()), hex([7; 32]));
    let old = Origin { host: "127.0.0.2".to_owned(), port: 1, tls_name: "127.0.0.2".to_owned() };
    let (home, serial, identity) = enrolled(&ours, folder.path(), old);
    let write = |sum: &str, host: &str| {
        plug_in(folder.path(), &format!("server = \"https://{host}:8443\"\nca_sha256 = \"{sum}\"\ntoken = \"x\"\n"));
    };
    write(&sum, "127.0.0.2");
    let (up, link) = watch::channel(LinkState::Up(1));
    let (dial, mut dialled) = watch::channel(("127.0.0.2".to_owned(), 8883));
    let seeker = Arc::new(seeker(&config(folder.path())));
    let patience = Backoff::new(Duration::from_millis(10), Duration::from_millis(50));
    let follower = Follower { seeker: Arc::clone(&seeker), home: home.clone(), serial, link, dial, patience };
    let task = tokio::spawn(follower.run());
    // A device stays with the authority that it enrolled with, whatever file somebody puts there.
    write(&others, "127.0.0.9");
    let strange = seeker.servers_of(&identity).await;
    assert!(matches!(strange, Err(SeekError::Nobody)), "{strange:?}");
    write(&sum, "127.0.0.3");
    up.send_replace(LinkState::Down);
    let moved = timeout(PATIENCE, dialled.wait_for(|(host, _)| host == "127.0.0.3")).await.unwrap().unwrap().clone();
    assert_eq!(moved.1, 8883);
    let origin = Origin { host: "127.0.0.3".to_owned(), port: 8443, tls_name: "127.0.0.3".to_owned() };
    let remembered = async {
        while home.load(serial).unwrap().unwrap().server.as_ref() != Some(&origin) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, remembered).await.unwrap();
    task.abort();
}
