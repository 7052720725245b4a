//! Sign-ins that were refused, counted for the audit log: one entry for each address and minute, and for a limited number of
//! addresses, so that nobody fills the disk by guessing. Knows no table.

use super::throttle::network;
use crate::audit::{Act, Actor, Entry};
use shared::UtcMillis;
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// For how long refusals of one address are gathered in one entry, in milliseconds.
const GATHER_MS: i64 = 60_000;
/// Addresses that have entries of their own within a minute; all others share one.
const MOST: usize = 32;
/// Accounts that one entry names.
const MOST_NAMED: usize = 5;
/// Stands for all addresses that have no entry of their own.
const OTHERS: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// What has been refused and is not written down.
#[derive(Debug, Default)]
pub struct Refusals {
    gathered: Mutex<HashMap<IpAddr, Gathered>>,
}

#[derive(Debug)]
struct Gathered {
    /// As it came: the key is that of the whole network.
    address: IpAddr,
    count: u32,
    accounts: BTreeSet<String>,
    written: Option<UtcMillis>,
}

impl Gathered {
    fn is_due(&self, now: UtcMillis) -> bool {
        self.written.is_none_or(|at| (now.0 - at.0).abs() >= GATHER_MS)
    }

    /// The entry about all that was gathered.
    fn write(&mut self, now: UtcMillis) -> Entry {
        let actor = if self.address == OTHERS { Actor::server() } else { Actor::server().at(self.address) };
        let mut entry = actor.did(Act::SessionRefused, now).with("count", self.count);
        if !self.accounts.is_empty() {
            let names = std::mem::take(&mut self.accounts).into_iter().collect::<Vec<_>>();
            entry = entry.with("user", names.join(", "));
        }
        (self.count, self.written) = (0, Some(now));
        entry
    }
}

impl Refusals {
    /// Counts one, of an account if the name is that of one. The entry that is to be written now, unless it can wait.
    pub fn count(&self, address: IpAddr, account: Option<&str>, now: UtcMillis) -> Option<Entry> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let key = network(address);
        let has_room = gathered.contains_key(&key) || gathered.len() < MOST;
        let (key, address) = if has_room { (key, address) } else { (OTHERS, OTHERS) };
        let new = || Gathered { address, count: 0, accounts: BTreeSet::new(), written: None };
        let one = gathered.entry(key).or_insert_with(new);
        one.count = one.count.saturating_add(1);
        if one.accounts.len() < MOST_NAMED {
            one.accounts.extend(account.map(str::to_owned));
        }
        one.is_due(now).then(|| one.write(now))
    }

    /// The entries that have waited for long enough; who has been quiet is forgotten.
    pub fn due(&self, now: UtcMillis) -> Vec<Entry> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let due = gathered.values_mut().filter(|one| one.count > 0 && one.is_due(now));
        let entries = due.map(|one| one.write(now)).collect();
        gathered.retain(|_, one| !one.is_due(now));
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_first_is_written_at_once_and_those_of_the_next_minute_as_one() {
        let refusals = Refusals::default();
        let first = refusals.count(HOME, Some("admin"), UtcMillis(0)).unwrap();
        assert_eq!((&first.detail["count"], &first.detail["user"]), (&1.into(), &"admin".into()));
        assert_eq!(first.address.as_deref(), Some("127.0.0.1"));
        for n in 1..60 {
            assert_eq!(refusals.count(HOME, if n % 2 == 0 { Some("tono") } else { None }, UtcMillis(n * 1000)), None);
        }
        assert_eq!(refusals.due(UtcMillis(59_999)), []);
        let gathered = refusals.due(UtcMillis(60_000));
        assert_eq!((gathered.len(), &gathered[0].detail["count"]), (1, &59.into()));
        assert_eq!(gathered[0].detail["user"], "tono");
        assert_eq!(refusals.due(UtcMillis(200_000)), [], "nothing has come since");
        assert!(refusals.gathered.lock().unwrap().is_empty());
    }

    #[test]
    fn a_flood_of_addresses_writes_few_entries_and_loses_no_count() {
        let refusals = Refusals::default();
        let mut entries = vec![];
        for minute in 0..3 {
            for n in 0..1000_u32 {
                let address = IpAddr::V4(std::net::Ipv4Addr::from(0x0a00_0000 + n));
                entries.extend(refusals.count(address, None, UtcMillis(minute * 60_000)));
            }
        }
        entries.extend(refusals.due(UtcMillis(200_000)));
        assert!(entries.len() <= 4 * (MOST + 1), "{}", entries.len());
        let counted: u64 = entries.iter().map(|entry| entry.detail["count"].as_u64().unwrap()).sum();
        assert_eq!(counted, 3000);
    }
}
