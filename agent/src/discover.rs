//! Servers that announce themselves on the local network, by multicast DNS. What is found is an address to try,
//! never a reason to trust: anybody can announce anything. Knows no TLS.

use mdns_sd::{DaemonEvent, IfKind, ResolvedService, ServiceDaemon, ServiceEvent};
use shared::fleet::{MDNS_CA, MDNS_NAME, MDNS_SERVICE};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long is listened at all.
const LISTEN: Duration = Duration::from_secs(4);
/// How long is listened for others once one was found.
const OTHERS: Duration = Duration::from_millis(700);
/// More servers of one fleet are not believed to be there.
const MAX_FOUND: usize = 32;

/// On which of this machine's networks is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Networks {
    /// All.
    #[default]
    All,
    /// The loopback only: a test stays on its machine.
    Loopback,
}

/// A server that says that it belongs to the fleet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The name that its certificate has.
    pub name: String,
    /// Where it listens: each of its addresses, the likelier ones first.
    pub addresses: Vec<SocketAddr>,
}

/// Why nothing can be looked for.
#[derive(Debug, thiserror::Error)]
#[error("multicast DNS: {0}")]
pub struct DiscoverError(String);

/// The thread that speaks on the network; it ends with this.
struct Daemon(ServiceDaemon);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.shutdown();
    }
}

/// Listens for servers whose announcement names this authority. Nobody there: an empty list.
///
/// # Errors
/// When the network can't be listened to and nothing was heard.
pub async fn browse(ca_sha256: &[u8; 32], networks: Networks) -> Result<Vec<Found>, DiscoverError> {
    let failed = |error: mdns_sd::Error| DiscoverError(error.to_string());
    let daemon = Daemon(ServiceDaemon::new().map_err(failed)?);
    if networks == Networks::Loopback {
        daemon.0.disable_interface(IfKind::All).map_err(failed)?;
        daemon.0.enable_interface(IfKind::LoopbackV4).map_err(failed)?;
    }
    let troubles = daemon.0.monitor().map_err(failed)?;
    let events = daemon.0.browse(MDNS_SERVICE).map_err(failed)?;
    let mut found = BTreeMap::new();
    let mut until = Instant::now() + LISTEN;
    while let Ok(Ok(event)) = timeout_at(until, events.recv_async()).await {
        match event {
            ServiceEvent::ServiceResolved(service) if belongs(&service, ca_sha256) => {
                if let Some(server) = server(&service) {
                    until = until.min(Instant::now() + OTHERS);
                    found.insert(service.fullname.clone(), server);
                }
            }
            ServiceEvent::ServiceRemoved(_, fullname) => drop(found.remove(&fullname)),
            _ => {}
        }
        if found.len() >= MAX_FOUND {
            break;
        }
    }
    if found.is_empty()
        && let Some(DaemonEvent::Error(error)) =
            troubles.try_iter().find(|event| matches!(event, DaemonEvent::Error(_)))
    {
        return Err(failed(error));
    }
    Ok(found.into_values().collect())
}

/// Whether it names the authority. While an authority is replaced, a server names the old one too.
fn belongs(service: &ResolvedService, ca_sha256: &[u8; 32]) -> bool {
    let sums = service.get_property_val_str(MDNS_CA).unwrap_or_default();
    sums.split(',').any(|sum| crate::config::parse_sha256(sum).is_ok_and(|sum| sum == *ca_sha256))
}

fn server(service: &ResolvedService) -> Option<Found> {
    let name = service.get_property_val_str(MDNS_NAME).filter(|name| !name.is_empty())?.to_owned();
    let addresses = service.get_addresses().iter().map(mdns_sd::ScopedIp::to_ip_addr);
    let addresses = in_order(addresses.collect(), service.get_port());
    (!addresses.is_empty()).then_some(Found { name, addresses })
}

/// So many of one server are tried: all at once, so somebody who announces thousands must not use up this device's files.
const MOST_ADDRESSES: usize = 4;

/// IPv4 first. An IPv6 address of the link alone is no use without the interface, which changes from boot to boot.
fn in_order(mut addresses: Vec<IpAddr>, port: u16) -> Vec<SocketAddr> {
    addresses.retain(|ip| match ip {
        IpAddr::V4(ip) => !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_unicast_link_local(),
    });
    addresses.sort_by_key(|ip| (ip.is_ipv6(), *ip));
    addresses.dedup();
    addresses.into_iter().take(MOST_ADDRESSES).map(|ip| SocketAddr::new(ip, port)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mdns_sd::ServiceInfo;

    fn announced(properties: &[(&str, &str)]) -> ResolvedService {
        let ips = "192.0.2.7,fe80::1,2001:db8::7,10.0.0.7";
        ServiceInfo::new(MDNS_SERVICE, "any", "tirta.local.", ips, 8443, properties).unwrap().as_resolved_service()
    }

    #[test]
    fn only_a_server_that_names_the_authority_belongs_to_the_fleet() {
        let (ours, other) = ([0xab; 32], "cd".repeat(32));
        let sum = "ab".repeat(32);
        assert!(belongs(&announced(&[("ca", &sum)]), &ours));
        assert!(belongs(&announced(&[("ca", &format!("{other},{sum}"))]), &ours), "while the authority is replaced");
        for foreign in ["", "ab", &other, &sum[..63], &format!("{sum}0")] {
            assert!(!belongs(&announced(&[("ca", foreign)]), &ours), "{foreign}");
        }
        assert!(!belongs(&announced(&[("name", "tirta.local")]), &ours));
    }

    #[test]
    fn its_addresses_come_in_order_and_a_server_without_a_name_is_none() {
        let found = server(&announced(&[("name", "tirta.local")])).unwrap();
        assert_eq!(found.name, "tirta.local");
        let addresses = ["10.0.0.7:8443", "192.0.2.7:8443", "[2001:db8::7]:8443"].map(|text| text.parse().unwrap());
        assert_eq!(found.addresses, addresses);
        assert_eq!(server(&announced(&[("name", "")])), None);
        assert_eq!(server(&announced(&[])), None);
    }
}
