//! Announces the server on the local network by multicast DNS, so that nobody has to type its address into a device.
//! It gives an address only: a device believes nobody but the fleet's authority. Knows no TLS and no database.

use crate::config::Config;
use mdns_sd::{DaemonEvent, IfKind, ServiceDaemon, ServiceInfo};
use shared::fleet::{MDNS_CA, MDNS_NAME, MDNS_SERVICE};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Where Linux keeps the machine's name.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
/// How long the good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(2);
/// How soon another authority is announced.
const FOLLOW_EVERY: Duration = Duration::from_secs(5);
/// So many different troubles are reported, each once.
const TROUBLES: usize = 8;

/// What is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The name that the certificate has, by which a device checks it.
    pub name: String,
    /// The label that tells this server from others of the network.
    pub label: String,
    /// Where HTTPS listens; unspecified: all addresses of this machine that are not the loopback.
    pub https: SocketAddr,
    /// SHA-256 of the authority's certificate in hexadecimal, and of its predecessor while there is one.
    pub ca_sha256: Vec<String>,
}

impl Announcement {
    /// What follows from the configuration; `None`: nothing shall or can be announced.
    pub fn planned(config: &Config, https: SocketAddr, ca_sha256: Vec<String>) -> Option<Self> {
        Self::of_host(config, host_label(), https, ca_sha256)
    }

    fn of_host(config: &Config, host: Option<String>, https: SocketAddr, ca_sha256: Vec<String>) -> Option<Self> {
        if !announces(config) {
            return None;
        }
        let own = host.as_ref().map(|label| format!("{label}.local"));
        let listens = (!https.ip().is_unspecified()).then(|| https.ip().to_string());
        let Some(name) = config.public_hosts.first().cloned().or(own).or(listens) else {
            tracing::warn!(
                "not announced on the local network: this machine has no name of its own; give one in public_hosts"
            );
            return None;
        };
        let label = host.unwrap_or_else(|| "server".to_owned());
        Some(Self { name, label, https, ca_sha256 })
    }

    /// The name under which the addresses are announced. The machine's own is left to whatever else announces it;
    /// another name of the local network that devices are told is made known here.
    fn host(&self) -> String {
        let ours = |name: &&str| *name != self.label && host_label_in(name).is_some_and(|label| label == **name);
        match self.name.strip_suffix(".local").filter(ours) {
            Some(label) => format!("{label}.local."),
            None => format!("{}-tirta.local.", self.label),
        }
    }

    fn service(&self) -> Result<ServiceInfo, mdns_sd::Error> {
        // Several servers may be on one machine. Never the authority: the name has to outlive it.
        let instance = format!("Tirta {} {}", self.label, self.https.port());
        let sums = self.ca_sha256.join(",");
        let properties = [(MDNS_CA, sums.as_str()), (MDNS_NAME, self.name.as_str())];
        let (ip, port) = (self.https.ip(), self.https.port());
        let at = |ips: &[IpAddr]| ServiceInfo::new(MDNS_SERVICE, &instance, &self.host(), ips, port, &properties[..]);
        if ip.is_unspecified() { Ok(at(&[])?.enable_addr_auto()) } else { at(&[ip]) }
    }
}

/// Whether this configuration is announced: a server that only its own machine reaches is not.
pub fn announces(config: &Config) -> bool {
    config.announce && !config.https.ip().is_loopback()
}

/// The name of this machine on the local network, if the announcement may need it: for the certificate.
pub fn own_name(config: &Config) -> Option<String> {
    if announces(config) { host_label().map(|label| format!("{label}.local")) } else { None }
}

fn host_label() -> Option<String> {
    std::fs::read_to_string(HOST_NAME).ok().and_then(|text| host_label_in(&text))
}

/// The first label of a host name, if it can be one on a network.
fn host_label_in(text: &str) -> Option<String> {
    let label = text.trim().split('.').next().unwrap_or_default().to_ascii_lowercase();
    let fits =
        (1..=48).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let fits = fits && !label.starts_with('-') && !label.ends_with('-') && label != "localhost";
    fits.then_some(label)
}

/// An announcement that is being made; it ends with this.
pub struct Announcer {
    daemon: ServiceDaemon,
    fullname: String,
    following: Option<JoinHandle<()>>,
}

impl Announcer {
    /// Begins to announce.
    ///
    /// # Errors
    /// When it can't; the server is reached by its address all the same.
    pub fn start(announcement: &Announcement) -> Result<Self, mdns_sd::Error> {
        let service = announcement.service()?;
        let fullname = service.get_fullname().to_owned();
        let announcer = Self { daemon: ServiceDaemon::new()?, fullname, following: None };
        let daemon = &announcer.daemon;
        match announcement.https.ip() {
            ip if !ip.is_unspecified() => {
                daemon.disable_interface(IfKind::All)?;
                daemon.enable_interface(IfKind::Addr(ip))?;
            }
            ip => {
                daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
                if ip.is_ipv4() {
                    daemon.disable_interface(IfKind::IPv6)?;
                }
            }
        }
        let events = daemon.monitor()?;
        tokio::spawn(async move {
            let mut said = BTreeSet::new();
            while let Ok(event) = events.recv_async().await {
                let trouble = match event {
                    DaemonEvent::Error(error) => error.to_string(),
                    DaemonEvent::NameChange(change) => {
                        format!("{} was taken: {} instead", change.original, change.new_name)
                    }
                    _ => continue,
                };
                if said.len() < TROUBLES && said.insert(trouble.clone()) {
                    tracing::warn!(trouble, "announcing the server on the local network");
                }
            }
        });
        daemon.register(service)?;
        Ok(announcer)
    }

    /// Looks again and again which authorities there are, and announces them when they change: devices that trust
    /// either of two must find the server while one replaces the other.
    pub fn follow(
        &mut self,
        mut announcement: Announcement,
        every: Duration,
        authorities: impl Fn() -> Option<Vec<String>> + Send + 'static,
    ) {
        let daemon = self.daemon.clone();
        self.following = Some(tokio::spawn(async move {
            loop {
                sleep(every).await;
                let Some(now) = authorities().filter(|now| *now != announcement.ca_sha256) else { continue };
                announcement.ca_sha256 = now;
                let said = announcement.service().and_then(|service| daemon.register(service));
                if let Err(error) = said {
                    tracing::warn!(%error, "the new authority is not announced on the local network");
                }
            }
        }));
    }

    /// Says good-bye, so that nobody tries an address that is gone.
    pub async fn stop(self) {
        self.stop_following();
        let Ok(gone) = self.daemon.unregister(&self.fullname) else { return };
        let _ = timeout(GOOD_BYE, gone.recv_async()).await;
    }

    fn stop_following(&self) {
        if let Some(following) = &self.following {
            following.abort();
        }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.stop_following();
        let _ = self.daemon.shutdown();
    }
}

/// Announces what follows from the configuration. A network that does not allow it stops nobody.
pub fn start(
    config: &Config,
    https: SocketAddr,
    authorities: impl Fn() -> Option<Vec<String>> + Send + 'static,
) -> Option<Announcer> {
    let announcement = Announcement::planned(config, https, authorities()?)?;
    match Announcer::start(&announcement) {
        Ok(mut announcer) => {
            tracing::info!(name = announcement.name, port = https.port(), "announced on the local network");
            announcer.follow(announcement, FOLLOW_EVERY, authorities);
            Some(announcer)
        }
        Err(error) => {
            tracing::warn!(%error, "not announced on the local network: devices need the server's address");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(https: &str, more: &str) -> Config {
        let text = format!(
            "data_dir = \"/nowhere\"\n{more}\n[http]\nhttps = \"{https}\"\n\
             [broker]\nkind = \"embedded\"\nlisten = \"{https}\"\n"
        );
        Config::parse(&text).unwrap()
    }

    fn planned(config: &Config, host: Option<&str>) -> Option<Announcement> {
        Announcement::of_host(config, host.map(str::to_owned), config.https, vec!["ab".repeat(32)])
    }

    #[test]
    fn a_server_on_the_loopback_or_told_not_to_is_not_announced() {
        let off = "discovery = { announce = false }";
        for (config, expected) in [
            (config("0.0.0.0:8443", ""), true),
            (config("[::]:8443", ""), true),
            (config("192.0.2.7:8443", ""), true),
            (config("127.0.0.1:8443", ""), false),
            (config("[::1]:8443", ""), false),
            (config("0.0.0.0:8443", off), false),
        ] {
            assert_eq!(planned(&config, Some("shed")).is_some(), expected, "{config:?}");
            assert_eq!(announces(&config), expected);
        }
    }

    #[test]
    fn the_name_is_the_first_public_one_or_the_machines_or_its_address() {
        let named = config("192.0.2.7:8443", "public_hosts = [\"tirta.local\", \"b\"]");
        let bare = config("192.0.2.7:8443", "");
        let name = |config, host| planned(config, host).unwrap().name;
        assert_eq!(name(&named, Some("shed")), "tirta.local");
        assert_eq!(name(&bare, Some("shed")), "shed.local");
        assert_eq!(name(&bare, None), "192.0.2.7");
        assert_eq!(planned(&config("0.0.0.0:8443", ""), None), None, "nothing that a certificate could have");
    }

    #[test]
    fn addresses_are_announced_under_a_name_that_nobody_else_announces() {
        let host = |public: &str, own| {
            let config = config("0.0.0.0:8443", &format!("public_hosts = [{public:?}]"));
            planned(&config, own).unwrap().host()
        };
        assert_eq!(host("tirta.local", Some("shed")), "tirta.local.");
        assert_eq!(host("shed.local", Some("shed")), "shed-tirta.local.");
        assert_eq!(host("tirta.example", Some("shed")), "shed-tirta.local.");
        assert_eq!(host("a.b.local", None), "server-tirta.local.");
    }

    #[test]
    fn a_host_name_that_no_certificate_can_carry_is_none() {
        assert_eq!(host_label_in("Shed-2.example.org\n").as_deref(), Some("shed-2"));
        for none in ["", "localhost", "(none)", "a_b", "-a", "ä"] {
            assert_eq!(host_label_in(none), None, "{none}");
        }
    }

    #[test]
    fn old_and_new_authority_fit_in_one_announcement() {
        let mut announcement = planned(&config("0.0.0.0:8443", ""), Some("shed")).unwrap();
        announcement.ca_sha256.push("cd".repeat(32));
        let service = announcement.service().unwrap();
        let expected = format!("{},{}", "ab".repeat(32), "cd".repeat(32));
        assert_eq!(service.get_property_val_str(MDNS_CA), Some(expected.as_str()));
        assert_eq!(service.get_property_val_str(MDNS_NAME), Some("shed.local"));
    }
}
