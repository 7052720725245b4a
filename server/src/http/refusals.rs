//! Sign-ins that were refused, counted for the audit log: one entry for each address and minute, and for a limited number of
//! addresses, so that nobody fills the disk by guessing. It stays here until it is written down.

use super::throttle::network;
use crate::audit::{Act, Actor, Entry};
use crate::store::{Store, StoreError};
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

/// Refusals of one address, to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refused {
    /// As it came: the key is that of the whole network.
    address: IpAddr,
    count: u32,
    accounts: BTreeSet<String>,
}

#[derive(Debug)]
struct Gathered {
    refused: Refused,
    /// When it was last tried to write them down.
    tried: Option<UtcMillis>,
}

impl Refused {
    fn entry(&self, now: UtcMillis) -> Entry {
        let actor = if self.address == OTHERS { Actor::server() } else { Actor::server().at(self.address) };
        let entry = actor.did(Act::SessionRefused, now).with("count", self.count);
        let names = self.accounts.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        if names.is_empty() { entry } else { entry.with("user", names) }
    }
}

impl Gathered {
    fn is_due(&self, now: UtcMillis) -> bool {
        self.tried.is_none_or(|at| (now.0 - at.0).abs() >= GATHER_MS)
    }

    /// All that was gathered. It stays until [`Refusals::forget`]: whoever writes it may fail or be cut off.
    fn tell(&mut self, now: UtcMillis) -> Refused {
        self.tried = Some(now);
        self.refused.clone()
    }
}

impl Refusals {
    /// Counts one, of an account if the name is that of one, and writes down what can't wait.
    ///
    /// # Errors
    /// When the database fails; the refusals are written down a minute later then.
    pub async fn count(
        &self,
        store: &Store,
        address: IpAddr,
        account: Option<&str>,
        now: UtcMillis,
    ) -> Result<(), StoreError> {
        self.write(store, self.gather(address, account, now), now).await
    }

    /// Writes down what has waited for long enough; who has been quiet is forgotten.
    ///
    /// # Errors
    /// When the database fails for any; the others are written down, and those later.
    pub async fn write_due(&self, store: &Store, now: UtcMillis) -> Result<(), StoreError> {
        self.write(store, self.due(now), now).await
    }

    /// Writes down all that is left, before the server stops.
    ///
    /// # Errors
    /// When the database fails for any; the others are written down.
    pub async fn write_all(&self, store: &Store, now: UtcMillis) -> Result<(), StoreError> {
        self.write(store, self.left(now), now).await
    }

    async fn write(
        &self,
        store: &Store,
        refused: impl IntoIterator<Item = Refused>,
        now: UtcMillis,
    ) -> Result<(), StoreError> {
        let mut failed = Ok(());
        for one in refused {
            match store.note(one.entry(now)).await {
                Ok(()) => self.forget(&one),
                Err(error) => failed = Err(error),
            }
        }
        failed
    }

    /// Counts one; what is to be written down now, unless it can wait.
    fn gather(&self, address: IpAddr, account: Option<&str>, now: UtcMillis) -> Option<Refused> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let key = network(address);
        let has_room = gathered.contains_key(&key) || gathered.len() < MOST;
        let (key, address) = if has_room { (key, address) } else { (OTHERS, OTHERS) };
        let new = || Gathered { refused: Refused { address, count: 0, accounts: BTreeSet::new() }, tried: None };
        let one = gathered.entry(key).or_insert_with(new);
        one.refused.count = one.refused.count.saturating_add(1);
        if one.refused.accounts.len() < MOST_NAMED {
            one.refused.accounts.extend(account.map(str::to_owned));
        }
        one.is_due(now).then(|| one.tell(now))
    }

    fn due(&self, now: UtcMillis) -> Vec<Refused> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let due = gathered.values_mut().filter(|one| one.refused.count > 0 && one.is_due(now));
        let due = due.map(|one| one.tell(now)).collect();
        gathered.retain(|_, one| !one.is_due(now));
        due
    }

    fn left(&self, now: UtcMillis) -> Vec<Refused> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.values_mut().filter(|one| one.refused.count > 0).map(|one| one.tell(now)).collect()
    }

    /// These are written down; what came meanwhile is not.
    fn forget(&self, written: &Refused) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = gathered.get_mut(&network(written.address)) {
            one.refused.count = one.refused.count.saturating_sub(written.count);
            one.refused.accounts.retain(|name| one.refused.count > 0 && !written.accounts.contains(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// As if all that is to be written were.
    fn written(refusals: &Refusals, refused: impl IntoIterator<Item = Refused>, now: i64) -> Vec<Entry> {
        let refused: Vec<_> = refused.into_iter().collect();
        refused.iter().for_each(|one| refusals.forget(one));
        refused.iter().map(|one| one.entry(UtcMillis(now))).collect()
    }

    #[test]
    fn the_first_is_written_at_once_and_those_of_the_next_minute_as_one() {
        let refusals = Refusals::default();
        let first = &written(&refusals, refusals.gather(HOME, Some("admin"), UtcMillis(0)), 0)[0];
        assert_eq!((&first.detail["count"], &first.detail["user"]), (&1.into(), &"admin".into()));
        assert_eq!(first.address.as_deref(), Some("127.0.0.1"));
        for n in 1..60 {
            assert_eq!(refusals.gather(HOME, if n % 2 == 0 { Some("tono") } else { None }, UtcMillis(n * 1000)), None);
        }
        assert_eq!(refusals.due(UtcMillis(59_999)), []);
        let gathered = written(&refusals, refusals.due(UtcMillis(60_000)), 60_000);
        assert_eq!((gathered.len(), &gathered[0].detail["count"]), (1, &59.into()));
        assert_eq!(gathered[0].detail["user"], "tono");
        assert_eq!(refusals.due(UtcMillis(200_000)), [], "nothing has come since");
        assert!(refusals.gathered.lock().unwrap().is_empty());
    }

    #[test]
    fn what_could_not_be_written_is_written_later_with_what_has_come_since() {
        let refusals = Refusals::default();
        // The database fails each time, or whoever wrote was cut off.
        assert_eq!(refusals.gather(HOME, Some("admin"), UtcMillis(0)).unwrap().count, 1);
        assert_eq!(refusals.gather(HOME, None, UtcMillis(1000)), None);
        assert_eq!(refusals.due(UtcMillis(60_000))[0].count, 2);
        assert_eq!(refusals.due(UtcMillis(60_500)), [], "and not at every turn");
        assert_eq!(refusals.due(UtcMillis(120_000))[0].count, 2);
        assert_eq!(refusals.gather(HOME, Some("tono"), UtcMillis(121_000)), None);
        let at_the_end = written(&refusals, refusals.left(UtcMillis(122_000)), 122_000);
        assert_eq!((&at_the_end[0].detail["count"], &at_the_end[0].detail["user"]), (&3.into(), &"admin, tono".into()));
        assert_eq!(refusals.left(UtcMillis(123_000)), []);
    }

    #[test]
    fn a_flood_of_addresses_writes_few_entries_and_loses_no_count() {
        let refusals = Refusals::default();
        let mut entries = vec![];
        for minute in 0..3 {
            for n in 0..1000_u32 {
                let address = IpAddr::V4(std::net::Ipv4Addr::from(0x0a00_0000 + n));
                let now = minute * 60_000;
                entries.extend(written(&refusals, refusals.gather(address, None, UtcMillis(now)), now));
            }
        }
        entries.extend(written(&refusals, refusals.due(UtcMillis(200_000)), 200_000));
        assert!(entries.len() <= 4 * (MOST + 1), "{}", entries.len());
        let counted: u64 = entries.iter().map(|entry| entry.detail["count"].as_u64().unwrap()).sum();
        assert_eq!(counted, 3000);
    }
}
