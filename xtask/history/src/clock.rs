//! The clock that is turned by hand.

use shared::{Clock, UtcMillis};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

/// Stands still until somebody turns it; it never goes back.
#[derive(Debug)]
pub struct PlayedClock(AtomicI64);

impl PlayedClock {
    /// Begins at a time.
    pub fn new(at: UtcMillis) -> Self {
        Self(AtomicI64::new(at.0))
    }

    /// Turns it forward to a time.
    pub fn turn(&self, to: UtcMillis) {
        self.0.fetch_max(to.0, SeqCst);
    }
}

impl Clock for PlayedClock {
    fn now(&self) -> UtcMillis {
        UtcMillis(self.0.load(SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_forward_alone() {
        let clock = PlayedClock::new(UtcMillis(5));
        clock.turn(UtcMillis(9));
        clock.turn(UtcMillis(7));
        assert_eq!(clock.now(), UtcMillis(9));
    }
}
