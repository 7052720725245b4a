//! Places for connections: a bounded number in all, and fewer for one address, so that nobody takes them all. Knows no HTTP.

use super::throttle::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of one listener.
#[derive(Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    most: u32,
    most_of_one: u32,
    taken: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

/// A place. Whoever takes a connection over (a WebSocket) keeps it until the end.
#[derive(Debug, Clone)]
pub struct Place(#[allow(dead_code)] Arc<Held>); // held, never looked at

#[derive(Debug)]
struct Held {
    address: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, u32>>>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// So many in all, so many of one address.
    pub fn new(most: u32, most_of_one: u32) -> Self {
        Self { free: Arc::new(Semaphore::new(most as usize)), most, most_of_one, taken: Arc::default() }
    }

    /// Waits until a place is free; whose it will be is not known yet.
    pub async fn free(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().acquire_owned().await.ok()
    }

    /// Gives a free place to an address, unless that has enough.
    pub fn give(&self, permit: OwnedSemaphorePermit, address: IpAddr) -> Option<Place> {
        let address = network(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = taken.entry(address).or_default();
        if *of_one >= self.most_of_one {
            return None;
        }
        *of_one += 1;
        Some(Place(Arc::new(Held { address, taken: Arc::clone(&self.taken), _permit: permit })))
    }

    /// Waits until every place is free.
    pub async fn all_free(&self) {
        let _ = self.free.acquire_many(self.most).await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_one) = taken.get_mut(&self.address) {
            *of_one -= 1;
            if *of_one == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_address_gets_its_share_and_leaves_room_for_others() {
        let places = Places::new(10, 3);
        let (greedy, other): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let mut held = vec![];
        for _ in 0..3 {
            held.push(places.give(places.free().await.unwrap(), greedy).unwrap());
        }
        assert!(places.give(places.free().await.unwrap(), greedy).is_none());
        held.push(places.give(places.free().await.unwrap(), other).unwrap());
        assert_eq!(places.free.available_permits(), 6, "what was refused was given back");
        let kept = held[0].clone();
        held.clear();
        assert_eq!((places.free.available_permits(), places.taken.lock().unwrap().len()), (9, 1));
        drop(kept);
        places.all_free().await;
        assert!(places.taken.lock().unwrap().is_empty(), "nothing is remembered of who has gone");
    }
}
