//! How long to wait before trying again: doubling, with jitter, so that a fleet that lost its server
//! at the same moment does not come back at the same moment.

use std::time::Duration;

/// A growing delay.
#[derive(Debug, Clone)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
    random: fastrand::Rng,
}

impl Backoff {
    /// A delay that begins at `min` and never exceeds `max`.
    pub fn new(min: Duration, max: Duration) -> Self {
        Self::seeded(min, max, fastrand::Rng::new())
    }

    /// The same with a random source of the caller's, so that a test can repeat it.
    pub fn seeded(min: Duration, max: Duration, random: fastrand::Rng) -> Self {
        Self { min, max, next: min, random }
    }

    /// The next delay: between a half and the whole of the present step.
    pub fn next_delay(&mut self) -> Duration {
        let step = self.next;
        self.next = step.saturating_mul(2).min(self.max);
        step.mul_f64(0.5 + self.random.f64() / 2.0)
    }

    /// Begins anew: it worked.
    pub fn reset(&mut self) {
        self.next = self.min;
    }

    /// Goes to the longest delay at once: trying sooner would not help.
    pub fn exhaust(&mut self) {
        self.next = self.max;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_doubles_up_to_its_limit_with_jitter_and_begins_anew() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::seeded(ms(500), ms(60_000), fastrand::Rng::with_seed(1));
        let delays: Vec<_> = (0..12).map(|_| backoff.next_delay()).collect();
        for (i, delay) in delays.iter().enumerate() {
            let step = ms(500 << i.min(10)).min(ms(60_000));
            assert!(step / 2 <= *delay && *delay <= step, "{i}: {delay:?} of {step:?}");
        }
        backoff.reset();
        assert!(backoff.next_delay() <= ms(500));
        let mut other = Backoff::seeded(ms(500), ms(60_000), fastrand::Rng::with_seed(2));
        assert_ne!(other.next_delay(), delays[0], "two devices do not wait equally long");
    }
}
