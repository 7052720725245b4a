//! When which probe is due. Pure: the present is an argument.

use std::time::{Duration, Instant};

/// Due times of several intervals, without drift: each is a multiple of its interval after the start.
#[derive(Debug)]
pub(super) struct Schedule(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    every: Duration,
    due: Instant,
}

impl Schedule {
    /// All are due at once.
    pub(super) fn new(every: Vec<Duration>, now: Instant) -> Self {
        Self(every.into_iter().map(|every| Entry { every, due: now }).collect())
    }

    /// The first that is due, and when.
    pub(super) fn next(&self) -> Option<(usize, Instant)> {
        self.0.iter().enumerate().min_by_key(|(i, entry)| (entry.due, *i)).map(|(i, entry)| (i, entry.due))
    }

    /// The interval of one.
    pub(super) fn every(&self, index: usize) -> Duration {
        self.0.get(index).map_or(Duration::MAX / 8, |entry| entry.every)
    }

    /// One was sampled. Turns that were missed (the bus was slow, the machine slept) are not made up for.
    pub(super) fn done(&mut self, index: usize, now: Instant) {
        let Some(entry) = self.0.get_mut(index) else { return };
        entry.due += entry.every;
        if entry.due <= now {
            let behind = now.duration_since(entry.due).as_nanos() / entry.every.as_nanos().max(1);
            entry.due += entry.every * u32::try_from(behind + 1).unwrap_or(u32::MAX);
        }
    }

    /// Changes an interval; one that stays the same keeps its rhythm.
    pub(super) fn set(&mut self, index: usize, every: Duration, now: Instant) {
        let Some(entry) = self.0.get_mut(index) else { return };
        if entry.every != every {
            *entry = Entry { every, due: entry.due.min(now + every) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn intervals_do_not_drift_however_long_a_sample_takes() {
        let start = Instant::now();
        let mut schedule = Schedule::new(vec![ms(100)], start);
        for turn in 0..50 {
            assert_eq!(schedule.next(), Some((0, start + ms(100) * turn)));
            schedule.done(0, start + ms(100) * turn + ms(37));
        }
    }

    #[test]
    fn turns_that_were_missed_are_not_made_up_for() {
        let start = Instant::now();
        let mut schedule = Schedule::new(vec![ms(100)], start);
        schedule.done(0, start + ms(1234));
        assert_eq!(schedule.next(), Some((0, start + ms(1300))));
        schedule.done(0, start + ms(1400));
        assert_eq!(schedule.next(), Some((0, start + ms(1500))));
    }

    #[test]
    fn the_most_urgent_comes_first_and_the_order_decides_between_equals() {
        let start = Instant::now();
        let mut schedule = Schedule::new(vec![ms(100), ms(250)], start);
        let mut turns = vec![];
        for _ in 0..8 {
            let (index, due) = schedule.next().unwrap();
            turns.push((index, due.duration_since(start).as_millis()));
            schedule.done(index, due);
        }
        assert_eq!(turns, [(0, 0), (1, 0), (0, 100), (0, 200), (1, 250), (0, 300), (0, 400), (0, 500)]);
    }

    #[test]
    fn a_shorter_interval_is_in_force_at_once_and_the_same_one_changes_nothing() {
        let start = Instant::now();
        let mut schedule = Schedule::new(vec![ms(60_000)], start);
        schedule.done(0, start);
        schedule.set(0, ms(60_000), start + ms(500));
        assert_eq!(schedule.next(), Some((0, start + ms(60_000))));
        schedule.set(0, ms(1000), start + ms(500));
        assert_eq!(schedule.next(), Some((0, start + ms(1500))));
    }
}
