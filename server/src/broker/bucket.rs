//! A rate limit that delays instead of refusing. Knows nothing of what it limits.

use std::{sync::Mutex, sync::PoisonError, time::Duration};
use tokio::time::Instant;

/// A token bucket: filled at a rate, never above its burst. Whoever takes more than there is waits for it.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: f64,
    burst: f64,
    level: Mutex<(f64, Instant)>,
}

impl Bucket {
    /// `rate` units a second, `burst` at once.
    pub fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, level: Mutex::new((burst, Instant::now())) }
    }

    /// Takes `units`, and waits as long as they take to be filled again if there were too few.
    pub async fn take(&self, units: f64) {
        let wait = self.owe(units, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// The bucket may go below empty: what is owed is waited for before anything else can be taken.
    fn owe(&self, units: f64, now: Instant) -> Duration {
        let mut guard = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let (level, at) = *guard;
        let filled = (level + self.rate * now.saturating_duration_since(at).as_secs_f64()).min(self.burst);
        let left = filled - units;
        *guard = (left, now);
        if left >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-left / self.rate) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_burst_is_free_and_what_exceeds_it_waits_at_the_rate() {
        let bucket = Bucket::new(10.0, 5.0);
        let start = Instant::now();
        assert_eq!(bucket.owe(5.0, start), Duration::ZERO);
        assert_eq!(bucket.owe(1.0, start), Duration::from_millis(100));
        assert_eq!(bucket.owe(1.0, start), Duration::from_millis(200));
        let later = start + Duration::from_secs(60);
        assert_eq!(bucket.owe(5.0, later), Duration::ZERO, "it fills up again, but not beyond its burst");
        assert_eq!(bucket.owe(1.0, later), Duration::from_millis(100));
    }
}
