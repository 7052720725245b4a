//! Whether the sampler's threads make progress, for a watchdog. Knows no probe.

use super::GRACE;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Whether the threads make progress.
#[derive(Clone, Default)]
pub struct Pulse(Vec<Beat>);

/// By when a thread is expected to have gone on.
#[derive(Clone)]
pub(super) struct Beat(Arc<Mutex<Instant>>);

impl Pulse {
    /// Whether each thread waits for its next sample, or began the present one lately.
    pub fn beats(&self, now: Instant) -> bool {
        self.0.iter().all(|Beat(beat)| *beat.lock().unwrap_or_else(PoisonError::into_inner) >= now)
    }

    /// The beat of one more thread.
    pub(super) fn begin(&mut self, now: Instant) -> Beat {
        let beat = Beat(Arc::new(Mutex::new(now + GRACE)));
        self.0.push(beat.clone());
        beat
    }
}

impl Beat {
    /// The thread will go on by then.
    pub(super) fn expect(&self, at: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at + GRACE;
    }
}
