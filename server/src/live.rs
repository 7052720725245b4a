//! Events for whoever watches now. Nothing here is stored; a slow watcher is told that it missed something.

use crate::alert::News;
use shared::{DeviceName, Reading, message::calibrate::View};
use std::sync::Arc;
use tokio::sync::broadcast;

/// How many events a watcher may be behind before it misses some.
const BEHIND: usize = 1024;

/// Something that a watcher wants to know.
#[derive(Debug, Clone)]
pub enum Event {
    /// New readings have been committed.
    Readings {
        /// Whose.
        device: DeviceName,
        /// In the order of their sequence.
        readings: Arc<[Reading]>,
    },
    /// A device's status, settings, probes or registration changed: a watcher reads it again.
    Device {
        /// Which.
        name: DeviceName,
    },
    /// A board waits for approval, or does not any more.
    Waiting,
    /// Somebody asks for an account, or does not any more.
    SignUps,
    /// A guided calibration goes on.
    Calibration {
        /// On which device.
        device: DeviceName,
        /// How it stands.
        view: Arc<View>,
    },
    /// Something happened to an alert.
    Alert {
        /// What is told of it.
        news: Arc<News>,
        /// Why nobody is to be disturbed by it.
        withheld: Option<String>,
    },
}

/// Spreads events to all watchers.
#[derive(Debug, Clone)]
pub struct Live {
    sender: broadcast::Sender<Event>,
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Live {
    /// Without a watcher yet.
    pub fn new() -> Self {
        Self { sender: broadcast::Sender::new(BEHIND) }
    }

    /// Whether anybody watches: if not, an event need not be made.
    pub fn is_watched(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// How many watch.
    pub fn watchers(&self) -> usize {
        self.sender.receiver_count()
    }

    /// Tells every watcher. It never waits for one.
    pub fn publish(&self, event: Event) {
        // An error only says that nobody watches.
        let _ = self.sender.send(event);
    }

    /// Begins to watch. A watcher that falls behind is told so once (`RecvError::Lagged`) and goes on with what is new.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::broadcast::error::TryRecvError;

    #[test]
    fn a_slow_watcher_is_told_that_it_missed_something_and_stops_nobody() {
        let live = Live::new();
        assert!(!live.is_watched());
        let mut watcher = live.subscribe();
        for n in 1..=BEHIND + 5 {
            live.publish(Event::Device { name: DeviceName::numbered(n as u32) });
        }
        assert!(live.is_watched());
        assert!(matches!(watcher.try_recv(), Err(TryRecvError::Lagged(5))));
        assert!(matches!(watcher.try_recv(), Ok(Event::Device { name }) if name.number() == Some(6)));
    }
}
