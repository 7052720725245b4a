//! A server announces itself: heard with a real search on the loopback of this machine.

use mdns_sd::{IfKind, ResolvedService, ServiceDaemon, ServiceEvent};
use server::discovery::{Announcement, Announcer};
use shared::fleet::MDNS_SERVICE;
use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

/// Tells this test's fleet from any other on this machine.
fn authority() -> String {
    std::iter::repeat_with(|| format!("{:02x}", fastrand::u8(..))).take(32).collect()
}

/// What is heard of the fleet's server, as often as it says something; `None` when it says good-bye.
struct Ears {
    daemon: ServiceDaemon,
    events: mdns_sd::Receiver<ServiceEvent>,
    fleet: String,
    fullname: Option<String>,
}

impl Ears {
    fn of(fleet: &str) -> Self {
        let daemon = ServiceDaemon::new().unwrap();
        daemon.disable_interface(IfKind::All).unwrap();
        daemon.enable_interface(IfKind::LoopbackV4).unwrap();
        let events = daemon.browse(MDNS_SERVICE).unwrap();
        Self { daemon, events, fleet: fleet.to_owned(), fullname: None }
    }

    async fn next(&mut self) -> Option<ResolvedService> {
        let heard = async {
            loop {
                match self.events.recv_async().await.unwrap() {
                    ServiceEvent::ServiceResolved(service)
                        if service.get_property_val_str("ca").is_some_and(|ca| ca.contains(&self.fleet)) =>
                    {
                        self.fullname = Some(service.fullname.clone());
                        return Some(*service);
                    }
                    ServiceEvent::ServiceRemoved(_, name) if self.fullname.as_ref() == Some(&name) => return None,
                    _ => {}
                }
            }
        };
        timeout(PATIENCE, heard).await.unwrap()
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        let _ = self.daemon.shutdown();
    }
}

#[tokio::test]
async fn a_server_is_heard_with_its_port_its_authority_and_its_name_until_it_says_good_bye() {
    let (old, new) = (authority(), authority());
    let announcement = Announcement {
        name: "tirta.example".to_owned(),
        label: format!("shed-{}", &old[..6]),
        https: "127.0.0.1:8443".parse().unwrap(),
        ca_sha256: vec![old.clone()],
    };
    let mut announcer = Announcer::start(&announcement).unwrap();
    let mut ears = Ears::of(&old);
    let service = ears.next().await.unwrap();
    assert_eq!((service.get_port(), service.get_property_val_str("name")), (8443, Some("tirta.example")));
    let addresses: Vec<_> = service.get_addresses().iter().map(mdns_sd::ScopedIp::to_ip_addr).collect();
    assert_eq!(addresses, ["127.0.0.1".parse::<std::net::IpAddr>().unwrap()]);

    // While the authority is replaced, devices that trust the old one must find it too.
    let both = vec![new.clone(), old.clone()];
    announcer.follow(announcement, Duration::from_millis(50), move || Some(both.clone()));
    while ears.next().await.unwrap().get_property_val_str("ca") != Some(&format!("{new},{old}")) {}

    announcer.stop().await;
    while ears.next().await.is_some() {}
}
