//! Slows down who tries passwords, codes, tokens or invitations, or asks for accounts, by address. Bounded: a flood of addresses costs the guessers their own entries,
//! and nobody else is kept out. Knows no account: locking an account would let anybody lock out its owner.

use shared::UtcMillis;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Failures that cost nothing: people mistype.
const FREE: u32 = 5;
/// More failures than these lengthen no wait, and would only take longer to be forgiven.
const MOST_FAILED: u32 = FREE + 6;
/// The longest wait between two attempts of one address, in milliseconds.
const LONGEST_MS: i64 = 60_000;
/// An address that has been quiet for this long is forgotten, in milliseconds.
const FORGET_MS: i64 = 15 * 60_000;
/// Addresses that are remembered at most.
const MOST: usize = 4096;

/// Attempts by address.
#[derive(Debug, Default)]
pub struct Throttle {
    attempts: Mutex<HashMap<IpAddr, Attempts>>,
}

#[derive(Debug, Clone, Copy)]
struct Attempts {
    failed: u32,
    last: UtcMillis,
    /// Up to when the time has been counted for forgiving; later than now while the address has to wait anyway.
    forgiven: UtcMillis,
    /// No attempt is looked at before.
    next: UtcMillis,
}

impl Throttle {
    /// Counts an attempt of `address` as failed, before it is looked at: attempts sent at once shall not
    /// slip through together. [`Self::take_back`] does so when the password was right.
    ///
    /// # Errors
    /// When the address must wait: milliseconds until its next attempt.
    pub fn attempt(&self, address: IpAddr, now: UtcMillis) -> Result<(), i64> {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = network(address);
        if attempts.len() >= MOST && !attempts.contains_key(&key) {
            make_room(&mut attempts, now);
        }
        let entry = attempts.entry(key).or_insert(Attempts { failed: 0, last: now, forgiven: now, next: now });
        // A clock that was set back must not make the wait longer.
        let set_back = (entry.last.0 - now.0).max(0);
        entry.next.0 -= set_back;
        entry.last.0 -= set_back;
        entry.forgiven.0 -= set_back;
        let wait = entry.next.0 - now.0;
        if wait > 0 {
            return Err(wait);
        }
        if now.0.saturating_sub(entry.last.0) > FORGET_MS {
            entry.failed = 0;
        }
        entry.forgive(now);
        entry.failed += 1;
        let pause = pause_ms(entry.failed);
        (entry.last, entry.next) = (now, UtcMillis(now.0 + pause));
        entry.forgiven.0 += pause;
        Ok(())
    }

    /// The password was right: that attempt did not fail. Those before it stay counted, or whoever knows one password
    /// could guess all others as fast as they like.
    pub fn take_back(&self, address: IpAddr) {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = attempts.get_mut(&network(address)) {
            entry.failed = entry.failed.saturating_sub(1);
            entry.forgiven.0 -= entry.next.0 - entry.last.0;
            entry.next = entry.last;
        }
    }

    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.attempts.lock().unwrap().len()
    }
}

impl Attempts {
    /// One is forgiven for each of the longest waits: that many could have been tried anyway. The time since the last
    /// forgiving counts, whatever was tried meanwhile: people of a busy site sign in all day. Nobody saves up, and a pause that
    /// had to be made counts for nothing.
    fn forgive(&mut self, now: UtcMillis) {
        let waits = (now.0 - self.forgiven.0).max(0) / LONGEST_MS;
        let forgiven = u32::try_from(waits).unwrap_or(u32::MAX);
        self.failed = self.failed.min(MOST_FAILED).saturating_sub(forgiven);
        self.forgiven.0 += waits * LONGEST_MS;
        if self.failed == 0 {
            self.forgiven = now;
        }
    }
}

/// The pause after so many failures: none at first, then 1, 2, 4, ... seconds.
fn pause_ms(failed: u32) -> i64 {
    match failed.checked_sub(FREE) {
        None => 0,
        Some(over) => (1000_i64 << over.min(16)).min(LONGEST_MS),
    }
}

/// Forgets who has been quiet, or else those who failed least: one who guesses hard stays remembered.
fn make_room(attempts: &mut HashMap<IpAddr, Attempts>, now: UtcMillis) {
    attempts.retain(|_, a| now.0.saturating_sub(a.last.0) <= FORGET_MS);
    if attempts.len() < MOST {
        return;
    }
    let mut by_failures: Vec<_> = attempts.iter().map(|(address, a)| (a.failed, a.last, *address)).collect();
    by_failures.sort_unstable();
    for (_, _, address) in by_failures.into_iter().take(MOST / 4) {
        attempts.remove(&address);
    }
}

/// One subscriber: an IPv4 address, or the /64 that a subscriber of IPv6 has to himself.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n))
    }

    #[test]
    fn the_sixth_wrong_password_waits_and_each_further_one_longer() {
        let throttle = Throttle::default();
        let mut now = UtcMillis(1_000_000);
        for _ in 0..FREE {
            assert_eq!(throttle.attempt(address(1), now), Ok(()));
        }
        assert_eq!(throttle.attempt(address(1), now), Err(1000));
        let mut waits = vec![];
        for _ in 0..8 {
            let wait = throttle.attempt(address(1), now).unwrap_err();
            waits.push(wait);
            now.0 += wait;
            assert_eq!(throttle.attempt(address(1), now), Ok(()));
        }
        assert_eq!(waits, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    }

    #[test]
    fn one_who_guesses_keeps_nobody_else_out() {
        let throttle = Throttle::default();
        let now = UtcMillis(1_000_000);
        while throttle.attempt(address(1), now).is_ok() {}
        assert_eq!(throttle.attempt(address(2), now), Ok(()));
    }

    #[test]
    fn a_right_password_costs_nothing_and_does_not_let_its_owner_guess_others_faster() {
        let throttle = Throttle::default();
        let now = UtcMillis(1_000_000);
        for _ in 0..20 {
            assert_eq!(throttle.attempt(address(1), now), Ok(()));
            throttle.take_back(address(1));
        }
        let mut wrong = 0;
        while throttle.attempt(address(1), now).is_ok() {
            wrong += 1;
            // The own password between two guesses of another's.
            if throttle.attempt(address(1), now).is_ok() {
                throttle.take_back(address(1));
            }
        }
        assert!(wrong <= FREE + 1, "{wrong}");
    }

    #[test]
    fn mistakes_of_a_whole_site_behind_one_address_do_not_add_up_over_a_day() {
        let throttle = Throttle::default();
        for minute in 0..600 {
            assert_eq!(throttle.attempt(address(1), UtcMillis(minute * LONGEST_MS)), Ok(()));
        }
        assert_eq!(throttle.attempt(address(1), UtcMillis(600 * LONGEST_MS)), Ok(()));
        assert_eq!(throttle.attempt(address(1), UtcMillis(600 * LONGEST_MS)), Ok(()), "still free");
    }

    #[test]
    fn a_flood_of_addresses_neither_grows_without_bound_nor_clears_who_guessed_hard() {
        let throttle = Throttle::default();
        let now = UtcMillis(1_000_000);
        while throttle.attempt(address(1), now).is_ok() {}
        for n in 2..20_000 {
            assert_eq!(throttle.attempt(address(n), now), Ok(()), "a newcomer is always let in");
        }
        assert!(throttle.remembered() <= MOST);
        assert!(throttle.attempt(address(1), now).is_err());
    }

    #[test]
    fn a_clock_set_back_makes_no_wait_longer() {
        let throttle = Throttle::default();
        while throttle.attempt(address(1), UtcMillis(9_000_000_000)).is_ok() {}
        assert_eq!(throttle.attempt(address(1), UtcMillis(1_000_000)), Err(1000));
        assert_eq!(throttle.attempt(address(1), UtcMillis(1_001_000)), Ok(()));
    }

    #[test]
    fn a_busy_site_is_forgiven_too_and_a_guesser_beside_it_gets_no_more_than_one_a_minute() {
        let throttle = Throttle::default();
        let mut now = UtcMillis(1_000_000);
        for _ in 0..8 {
            while let Err(wait) = throttle.attempt(address(1), now) {
                now.0 += wait;
            }
        }
        // Somebody signs in every twenty seconds, rightly: nobody is ever quiet for a minute.
        for _ in 0..60 {
            now.0 += 20_000;
            assert_eq!(throttle.attempt(address(1), now), Ok(()));
            throttle.take_back(address(1));
        }
        for _ in 0..FREE {
            assert_eq!(throttle.attempt(address(1), now), Ok(()), "twenty minutes later, people may mistype again");
        }
        let mut guesses = 0;
        let end = now.0 + 3_600_000;
        while now.0 < end {
            guesses += i64::from(throttle.attempt(address(1), now).is_ok());
            now.0 += 500;
        }
        assert!(guesses <= 60 + 16, "{guesses} in an hour");
    }

    #[test]
    fn all_addresses_of_one_ipv6_subscriber_count_as_one() {
        let throttle = Throttle::default();
        let now = UtcMillis(0);
        for n in 0..FREE {
            assert_eq!(throttle.attempt(format!("2001:db8::{n}").parse().unwrap(), now), Ok(()));
        }
        assert!(throttle.attempt("2001:db8::ffff".parse().unwrap(), now).is_err());
    }
}
