//! Keeps the log small: what happens again and again is said once, then counted, and said again with the count
//! after an hour at the earliest. A card and a journal must bear a network that is gone for a year.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The same thing is said again after this time at the earliest.
const AGAIN: Duration = Duration::from_secs(3600);
/// Different things that are told apart in one place; texts of other programs may be of any number.
const KINDS: usize = 16;
/// All that are too many are one.
const OTHERS: &str = "others";

/// What was said in one place of the program.
#[derive(Debug, Default)]
pub struct Repeats(Mutex<BTreeMap<String, Said>>);

#[derive(Debug)]
struct Said {
    at: Instant,
    unsaid: u64,
}

impl Repeats {
    /// Nothing was said yet.
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Whether to say this now: then, how often it has happened unsaid since it was said last.
    pub fn say(&self, what: &str, now: Instant) -> Option<u64> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kinds.contains_key(what) || kinds.len() < KINDS;
        match kinds.get_mut(if known { what } else { OTHERS }) {
            Some(said) if now < said.at + AGAIN => {
                said.unsaid += 1;
                None
            }
            Some(said) => {
                said.at = now;
                Some(std::mem::take(&mut said.unsaid))
            }
            None => {
                kinds.insert(if known { what } else { OTHERS }.to_owned(), Said { at: now, unsaid: 0 });
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_and_then_counted_for_an_hour() {
        let (repeats, start) = (Repeats::default(), Instant::now());
        let said: Vec<_> =
            (0..10_000).filter_map(|n| repeats.say("no route", start + Duration::from_secs(n))).collect();
        assert_eq!(said, [0, 3599, 3599]);
    }

    #[test]
    fn another_thing_is_said_at_once_also_between_two_that_alternate() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        let said: Vec<_> = ["a", "b", "a", "b", "c"].map(|what| repeats.say(what, now).is_some()).to_vec();
        assert_eq!(said, [true, true, false, false, true]);
    }

    #[test]
    fn texts_that_always_differ_take_neither_the_log_nor_the_memory() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        let said = (0..10_000).filter(|n| repeats.say(&format!("error {n}"), now).is_some()).count();
        assert_eq!(said, KINDS + 1);
        assert_eq!(repeats.0.lock().unwrap().len(), KINDS + 1);
    }
}
