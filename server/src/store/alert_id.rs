//! Ids of alerts and of what belongs to them: they rise with time and need no lock. Knows no table.

use shared::UtcMillis;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// 2025-01-01T00:00:00Z.
const EPOCH_MS: i64 = 1_735_689_600_000;
/// Ids of a millisecond.
const STEP: i64 = 4096;

/// Makes ids: milliseconds since 2025 times 4096, and a little. They fit a float's 53 bits until 2094.
#[derive(Debug)]
pub(super) struct Ids {
    last: AtomicI64,
    /// Where this process begins within a millisecond: another one on the same database begins elsewhere.
    little: i64,
}

impl Ids {
    pub(super) fn new(random: u16) -> Self {
        Self { last: AtomicI64::new(0), little: i64::from(random) % STEP }
    }

    /// The next id; higher than all before of this process, also when the clock stands or was set back.
    pub(super) fn next(&self, now: UtcMillis) -> i64 {
        let least = (now.0 - EPOCH_MS).max(0) * STEP + self.little;
        let last = self.last.fetch_update(Relaxed, Relaxed, |last| Some(least.max(last + 1)));
        last.map_or(least, |last| least.max(last + 1))
    }
}

/// The least id of an instant.
pub fn first_of(at: UtcMillis) -> i64 {
    (at.0 - EPOCH_MS).max(0) * STEP
}

/// When an id was made (UTC ms).
pub(super) fn made_at(id: i64) -> i64 {
    id / STEP + EPOCH_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_also_when_the_clock_stands_or_is_set_back_and_fit_a_float() {
        let ids = Ids::new(77);
        let now = UtcMillis(EPOCH_MS + 5);
        let made = [ids.next(now), ids.next(now), ids.next(UtcMillis(0)), ids.next(UtcMillis(EPOCH_MS + 6))];
        assert_eq!(made, [5 * STEP + 77, 5 * STEP + 78, 5 * STEP + 79, 6 * STEP + 77]);
        assert!(ids.next(UtcMillis(3_900_000_000_000)) < 1 << 53);
    }
}
