//! Counts connections that have not shaken hands yet, and says which must go when there are too many. Knows no TLS.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// All connections in their hand-shake.
///
/// A new one is never refused: an honest hand-shake takes milliseconds, so the oldest is the one that only
/// holds a place. And it is taken from whoever has most, so that one address can crowd out only itself.
#[derive(Debug, Clone)]
pub(super) struct HalfOpen(Arc<Mutex<Table>>);

#[derive(Debug)]
struct Table {
    max: usize,
    max_of_one: usize,
    total: usize,
    next: u64,
    /// By address, the oldest first. Dropping a sender tells the connection to go.
    waiting: HashMap<IpAddr, BTreeMap<u64, oneshot::Sender<()>>>,
}

/// A connection's place in the table, free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    table: HalfOpen,
    address: IpAddr,
    number: u64,
    evicted: oneshot::Receiver<()>,
}

impl HalfOpen {
    pub fn new(max: usize, max_of_one: usize) -> Self {
        Self(Arc::new(Mutex::new(Table { max, max_of_one, total: 0, next: 0, waiting: HashMap::new() })))
    }

    /// Takes a place, from another connection if need be.
    pub fn enter(&self, address: IpAddr) -> Place {
        let mut table = self.lock();
        let own = table.waiting.get(&address).map_or(0, BTreeMap::len);
        if own >= table.max_of_one {
            table.evict_oldest_of(address);
        } else if table.total >= table.max {
            table.evict_from_the_greediest();
        }
        let number = table.next;
        table.next += 1;
        table.total += 1;
        let (keep, evicted) = oneshot::channel();
        table.waiting.entry(address).or_default().insert(number, keep);
        drop(table);
        Place { table: self.clone(), address, number, evicted }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// From whoever has most; among those, from whoever has waited longest.
    fn evict_from_the_greediest(&mut self) {
        let greed = |waiting: &BTreeMap<u64, _>| (waiting.len(), Reverse(waiting.keys().next().copied()));
        let greediest = self.waiting.iter().max_by_key(|(_, waiting)| greed(waiting)).map(|(address, _)| *address);
        if let Some(address) = greediest {
            self.evict_oldest_of(address);
        }
    }

    fn evict_oldest_of(&mut self, address: IpAddr) {
        if let Some(oldest) = self.waiting.get(&address).and_then(|waiting| waiting.keys().next().copied()) {
            self.remove(address, oldest);
        }
    }

    fn remove(&mut self, address: IpAddr, number: u64) {
        let Some(waiting) = self.waiting.get_mut(&address) else { return };
        if waiting.remove(&number).is_some() {
            self.total -= 1;
        }
        if waiting.is_empty() {
            self.waiting.remove(&address);
        }
    }
}

impl Place {
    /// Waits until this connection has to make room.
    pub async fn evicted(&mut self) {
        let _ = (&mut self.evicted).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.table.lock().remove(self.address, self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
    }

    fn is_evicted(place: &mut Place) -> bool {
        matches!(place.evicted.try_recv(), Err(oneshot::error::TryRecvError::Closed))
    }

    #[test]
    fn one_address_crowds_out_only_its_own_oldest() {
        let table = HalfOpen::new(100, 2);
        let mut other = table.enter(address(9));
        let mut flood: Vec<_> = (0..4).map(|_| table.enter(address(1))).collect();
        let evicted: Vec<bool> = flood.iter_mut().map(is_evicted).collect();
        assert_eq!(evicted, [true, true, false, false]);
        assert!(!is_evicted(&mut other));
    }

    #[test]
    fn a_full_table_makes_room_at_the_expense_of_whoever_has_most() {
        let table = HalfOpen::new(4, 3);
        let mut flood: Vec<_> = (0..3).map(|_| table.enter(address(1))).collect();
        let mut lone = table.enter(address(2));
        let mut newcomer = table.enter(address(3));
        assert!(is_evicted(&mut flood[0]));
        assert!(!is_evicted(&mut flood[1]) && !is_evicted(&mut lone) && !is_evicted(&mut newcomer));
    }

    #[test]
    fn among_equals_the_one_that_has_waited_longest_makes_room() {
        let table = HalfOpen::new(5, 3);
        let mut waiting: Vec<_> = (1..=5).map(|last| table.enter(address(last))).collect();
        let _newcomer = table.enter(address(9));
        let evicted: Vec<bool> = waiting.iter_mut().map(is_evicted).collect();
        assert_eq!(evicted, [true, false, false, false, false]);
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_is_gone() {
        let table = HalfOpen::new(1, 1);
        for _ in 0..3 {
            let mut only = table.enter(address(1));
            assert!(!is_evicted(&mut only));
        }
        let guard = table.lock();
        assert_eq!((guard.total, guard.waiting.len()), (0, 0));
    }
}
