//! What a series of readings says of its probe: that the signal stands still, or that it moves faster than
//! water can. Knows no converter and no sensor.

use shared::UtcMillis;
use shared::reading::{Flag, Flags};

const MINUTE_MS: i64 = 60_000;

/// Notices a signal that does not move at all: every real one has noise.
#[derive(Debug)]
pub struct Stillness {
    after: u32,
    last: Option<f64>,
    same: u32,
}

impl Stillness {
    /// Flags after so many readings; 0: never.
    pub fn new(after: u32) -> Self {
        Self { after, last: None, same: 0 }
    }

    /// Judges a reading by its conversions.
    pub fn judge(&mut self, raw: &[f64]) -> Flags {
        // The very same numbers: they are codes times a step.
        let still = raw.iter().all(|mv| Some(*mv) == self.last);
        self.same = if still { self.same.saturating_add(1) } else { 0 };
        self.last = raw.last().copied();
        if self.after > 0 && self.same >= self.after { Flags::NONE.with(Flag::Stuck) } else { Flags::NONE }
    }

    /// There was no signal.
    pub fn interrupt(&mut self) {
        (self.last, self.same) = (None, 0);
    }
}

/// Notices a value that changes faster than it can.
#[derive(Debug)]
pub struct Pace {
    per_minute: Option<f64>,
    /// Compared with what was up to a minute ago: from one reading to the next, noise alone looks fast.
    since: Option<(UtcMillis, f64)>,
}

impl Pace {
    /// Flags a change of more than so much a minute, in the metric's unit; `None`: never.
    pub fn new(per_minute: Option<f64>) -> Self {
        Self { per_minute, since: None }
    }

    /// Judges a value.
    pub fn judge(&mut self, now: UtcMillis, value: f64) -> Flags {
        let Some(per_minute) = self.per_minute else { return Flags::NONE };
        let (then, former) = *self.since.get_or_insert((now, value));
        let elapsed = now.0.saturating_sub(then.0);
        // Also when the clock was set back: then nothing is known of the time between.
        if !(0..MINUTE_MS).contains(&elapsed) {
            self.since = Some((now, value));
        }
        #[allow(clippy::cast_precision_loss)] // a few minutes
        let minutes = (elapsed as f64 / 60_000.0).max(1.0);
        let fast = (value - former).abs() > per_minute * minutes;
        if fast && elapsed >= 0 { Flags::NONE.with(Flag::Unstable) } else { Flags::NONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_never_moves_is_stuck_and_one_step_frees_it() {
        let mut stillness = Stillness::new(3);
        let stuck: Vec<bool> = [1500.0, 1500.0, 1500.0, 1500.0, 1500.125, 1500.125]
            .map(|mv| stillness.judge(&[mv; 4]).has(Flag::Stuck))
            .into();
        assert_eq!(stuck, [false, false, false, true, false, false]);
    }

    #[test]
    fn noise_within_one_reading_is_movement() {
        let mut stillness = Stillness::new(1);
        for _ in 0..5 {
            assert_eq!(stillness.judge(&[1500.0, 1500.125]), Flags::NONE);
        }
        assert_eq!(Stillness::new(0).judge(&[1.0]), Flags::NONE, "0 is never");
    }

    #[test]
    fn an_interruption_begins_anew() {
        let mut stillness = Stillness::new(1);
        stillness.judge(&[5.0]);
        stillness.interrupt();
        assert_eq!(stillness.judge(&[5.0]), Flags::NONE);
        assert!(stillness.judge(&[5.0]).has(Flag::Stuck));
    }

    fn fast(pace: &mut Pace, seconds: i64, value: f64) -> bool {
        pace.judge(UtcMillis(seconds * 1000), value).has(Flag::Unstable)
    }

    #[test]
    fn a_jump_is_flagged_and_a_slow_change_is_not() {
        let mut pace = Pace::new(Some(0.5));
        assert!(!fast(&mut pace, 0, 7.0) && !fast(&mut pace, 10, 7.4));
        assert!(fast(&mut pace, 20, 7.6));
        let mut pace = Pace::new(Some(0.5));
        assert!((0..100).all(|i| !fast(&mut pace, i * 10, 7.0 + 0.08 * f64::from(u32::try_from(i).unwrap()))));
    }

    #[test]
    fn after_a_gap_as_much_is_allowed_as_the_time_allows() {
        let mut pace = Pace::new(Some(0.5));
        assert!(!fast(&mut pace, 0, 7.0) && !fast(&mut pace, 600, 9.0));
        assert!(fast(&mut pace, 1200, 3.0));
    }

    #[test]
    fn a_clock_that_is_set_back_flags_nothing_and_without_a_limit_nothing_is_fast() {
        let mut pace = Pace::new(Some(0.5));
        assert!(!fast(&mut pace, 1_000_000, 7.0) && !fast(&mut pace, 10, 12.0));
        let mut pace = Pace::new(None);
        assert!(!fast(&mut pace, 0, 0.0) && !fast(&mut pace, 1, 1000.0));
    }
}
