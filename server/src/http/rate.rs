//! How often somebody who is let in may do a thing: so many at once, then so many a second. Bounded by forgetting who has
//! been quiet. Knows neither addresses nor what is done.

use shared::UtcMillis;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// From so many on, those who have been quiet are forgotten.
const MANY: usize = 1024;

/// A limit that counts for each name apart.
#[derive(Debug)]
pub struct Rate {
    /// Milliseconds that one costs.
    each_ms: i64,
    /// Milliseconds that may be owed.
    most_ms: i64,
    /// By name: when all is paid (UTC ms).
    paid_at: Mutex<HashMap<String, i64>>,
}

impl Rate {
    /// So many a second, and so many at once before that counts.
    pub fn new(per_second: u16, at_once: u16) -> Self {
        let each_ms = 1000 / i64::from(per_second.max(1));
        Self { each_ms, most_ms: each_ms * i64::from(at_once), paid_at: Mutex::default() }
    }

    /// Takes one.
    ///
    /// # Errors
    /// When it is too much: milliseconds until the next one. Nothing is taken then.
    pub fn take(&self, name: &str, now: UtcMillis) -> Result<(), i64> {
        let mut paid_at = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
        if paid_at.len() >= MANY {
            paid_at.retain(|_, at| *at > now.0);
        }
        let paid_at = paid_at.entry(name.to_owned()).or_default();
        // A clock that was set back must not make the wait longer.
        *paid_at = (*paid_at).clamp(now.0, now.0 + self.most_ms);
        let wait = *paid_at + self.each_ms - self.most_ms - now.0;
        if wait > 0 {
            return Err(wait);
        }
        *paid_at += self.each_ms;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_000_000;

    fn taken(rate: &Rate, name: &str, at: i64) -> usize {
        (0..1000).take_while(|_| rate.take(name, UtcMillis(at)).is_ok()).count()
    }

    #[test]
    fn a_hundred_at_once_are_taken_and_then_ten_a_second_of_each_name() {
        let rate = Rate::new(10, 100);
        assert_eq!(taken(&rate, "a", START), 100);
        assert_eq!(rate.take("a", UtcMillis(START)), Err(100));
        assert_eq!(taken(&rate, "b", START), 100, "another one has its own");
        assert_eq!(taken(&rate, "a", START + 1000), 10);
        assert_eq!(taken(&rate, "a", START + 3_600_000), 100, "being quiet saves up no more than that");
    }

    #[test]
    fn a_clock_set_back_makes_no_wait_longer() {
        let rate = Rate::new(10, 100);
        assert_eq!(taken(&rate, "a", START), 100);
        assert_eq!(rate.take("a", UtcMillis(5)), Err(100));
        assert_eq!(rate.take("a", UtcMillis(105)), Ok(()));
    }

    #[test]
    fn who_has_been_quiet_is_forgotten_when_there_are_many() {
        let rate = Rate::new(10, 100);
        for n in 0..10 * i64::try_from(MANY).unwrap() {
            assert_eq!(rate.take(&n.to_string(), UtcMillis(START + 1000 * n)), Ok(()));
        }
        assert!(rate.paid_at.lock().unwrap().len() <= MANY);
    }
}
