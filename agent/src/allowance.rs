//! How often something may be written at once: each write wears the card. Pure: the present is an argument.

use std::time::{Duration, Instant};

/// So many may follow each other at once ...
const AT_ONCE: u32 = 10;
/// ... and how long it takes until one more may: at most 288 a day.
const EVERY: Duration = Duration::from_secs(300);

/// What has been used of it.
#[derive(Debug, Default)]
pub struct Allowance {
    /// Runs ahead of the present by [`EVERY`] for each one that was taken.
    ahead: Option<Instant>,
}

impl Allowance {
    /// Takes one, if one is left.
    pub fn take(&mut self, now: Instant) -> bool {
        let ahead = self.ahead.map_or(now, |ahead| ahead.max(now));
        let may = ahead + EVERY <= now + EVERY * AT_ONCE;
        if may {
            self.ahead = Some(ahead + EVERY);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_may_follow_each_other_and_then_one_every_five_minutes() {
        let (mut allowance, start) = (Allowance::default(), Instant::now());
        assert_eq!((0..20).filter(|_| allowance.take(start)).count(), 10);
        assert!(!allowance.take(start + EVERY - Duration::from_secs(1)));
        assert!(allowance.take(start + EVERY) && !allowance.take(start + EVERY));
        let day = (0..86_400).filter(|s| allowance.take(start + Duration::from_secs(s + 1000))).count();
        assert!((285..=300).contains(&day), "{day}");
    }
}
