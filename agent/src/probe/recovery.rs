//! Frees an I2C bus that a chip holds: one that was interrupted while it sent a zero holds the data line low
//! and waits for the rest of its clock, which nobody gives. Knows neither GPIO nor chip.
//!
//! Nine clock pulses bring it to the end of any byte: NXP UM10204, I2C-bus specification, section 3.1.16.

use embedded_hal::delay::DelayNs;
use shared::reading::Fault;
use std::time::{Duration, Instant};

/// So many failures in a row are no accident.
const PATIENCE: u32 = 3;
/// Not more often than this: it disturbs whoever else uses the bus.
const EVERY: Duration = Duration::from_secs(60);
/// Half a clock period: the bus then runs at 100 kHz.
const HALF_US: u32 = 5;

/// The two lines of a bus, open-drain: low is driven, high is let go. The bus's own driver has them back
/// when it is dropped.
pub trait Lines {
    /// The clock.
    fn scl(&mut self, high: bool);
    /// The data.
    fn sda(&mut self, high: bool);
    /// Whether nobody holds the data line low.
    fn sda_is_high(&mut self) -> bool;
}

/// Takes the lines from the bus's driver, or says why that can't be done.
pub type Claim = Box<dyn FnMut() -> Result<Box<dyn Lines>, String> + Send>;

/// What a lane does about its bus.
pub struct Recovery {
    claim: Claim,
    delay: Box<dyn DelayNs + Send>,
    failures: u32,
    last: Option<Instant>,
    /// It is said once for each time that the bus hangs, not each minute.
    said: bool,
}

impl Recovery {
    /// For a bus whose lines can be claimed.
    pub fn new(claim: Claim, delay: impl DelayNs + Send + 'static) -> Self {
        Self { claim, delay: Box::new(delay), failures: 0, last: None, said: false }
    }

    /// Notes how a read went, and frees the bus if it has failed repeatedly. A missing acknowledgement is no
    /// such failure: the bus works, the chip is absent.
    pub fn note(&mut self, fault: Option<Fault>, now: Instant) {
        if fault != Some(Fault::BusError) {
            (self.failures, self.said) = (0, false);
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let due = self.last.is_none_or(|last| now.saturating_duration_since(last) >= EVERY);
        if self.failures < PATIENCE || !due {
            return;
        }
        self.last = Some(now);
        let first = !std::mem::replace(&mut self.said, true);
        match (self.claim)() {
            Ok(mut lines) => {
                let free = free(lines.as_mut(), self.delay.as_mut());
                if first {
                    tracing::warn!(free, "the I2C bus hangs: it got nine clock pulses");
                }
            }
            Err(why) if first => tracing::warn!(%why, "the I2C bus hangs, and can't be freed from here"),
            Err(_) => {}
        }
    }
}

/// Nine clock pulses and a stop. Returns whether the data line is free.
fn free(lines: &mut dyn Lines, delay: &mut dyn DelayNs) -> bool {
    lines.sda(true);
    for _ in 0..9 {
        lines.scl(false);
        delay.delay_us(HALF_US);
        lines.scl(true);
        delay.delay_us(HALF_US);
    }
    // Stop: the data line rises while the clock is high.
    lines.scl(false);
    lines.sda(false);
    delay.delay_us(HALF_US);
    lines.scl(true);
    delay.delay_us(HALF_US);
    lines.sda(true);
    delay.delay_us(HALF_US);
    lines.sda_is_high()
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal_mock::eh1::delay::NoopDelay;
    use std::sync::{Arc, Mutex};

    /// Writes down every change: `c` and `C` are the clock low and high, `d` and `D` the data, `.` the end.
    #[derive(Clone, Default)]
    struct Scope(Arc<Mutex<String>>);

    impl Scope {
        fn note(&self, mark: char) {
            self.0.lock().unwrap().push(mark);
        }

        fn seen(&self) -> String {
            self.0.lock().unwrap().clone()
        }
    }

    impl Lines for Scope {
        fn scl(&mut self, high: bool) {
            self.note(if high { 'C' } else { 'c' });
        }
        fn sda(&mut self, high: bool) {
            self.note(if high { 'D' } else { 'd' });
        }
        fn sda_is_high(&mut self) -> bool {
            true
        }
    }

    /// On drop the lines go back.
    struct Claimed(Scope);
    impl Drop for Claimed {
        fn drop(&mut self) {
            self.0.note('.');
        }
    }
    impl Lines for Claimed {
        fn scl(&mut self, high: bool) {
            self.0.scl(high);
        }
        fn sda(&mut self, high: bool) {
            self.0.sda(high);
        }
        fn sda_is_high(&mut self) -> bool {
            self.0.sda_is_high()
        }
    }

    const SEQUENCE: &str = "DcCcCcCcCcCcCcCcCcCcdCD.";

    fn bench() -> (Recovery, Scope) {
        let scope = Scope::default();
        let lines = scope.clone();
        (Recovery::new(Box::new(move || Ok(Box::new(Claimed(lines.clone())))), NoopDelay::new()), scope)
    }

    #[test]
    fn a_bus_that_fails_repeatedly_gets_nine_pulses_and_a_stop_and_its_lines_go_back() {
        let (mut recovery, scope) = bench();
        let now = Instant::now();
        recovery.note(Some(Fault::BusError), now);
        recovery.note(Some(Fault::BusError), now);
        assert_eq!(scope.seen(), "");
        recovery.note(Some(Fault::BusError), now);
        assert_eq!(scope.seen(), SEQUENCE);
    }

    #[test]
    fn it_is_tried_at_most_once_a_minute() {
        let (mut recovery, scope) = bench();
        let start = Instant::now();
        for second in 0..=122 {
            // Also when it works between.
            let works = second % 30 == 7;
            recovery.note((!works).then_some(Fault::BusError), start + Duration::from_secs(second));
        }
        // At 2, 62 and 122 seconds.
        assert_eq!(scope.seen(), SEQUENCE.repeat(3));
    }

    #[test]
    fn an_absent_chip_and_a_bus_that_works_between_are_left_alone() {
        let (mut recovery, scope) = bench();
        let now = Instant::now();
        for fault in [Fault::NoAnswer, Fault::NotReady, Fault::RailHigh, Fault::NoBus] {
            for _ in 0..5 {
                recovery.note(Some(fault), now);
            }
        }
        for _ in 0..5 {
            recovery.note(Some(Fault::BusError), now);
            recovery.note(Some(Fault::BusError), now);
            recovery.note(None, now);
        }
        assert_eq!(scope.seen(), "");
    }

    #[test]
    fn a_machine_without_gpio_goes_on() {
        let mut recovery = Recovery::new(Box::new(|| Err("unknown model".to_owned())), NoopDelay::new());
        let start = Instant::now();
        for second in 0..200 {
            recovery.note(Some(Fault::BusError), start + Duration::from_secs(second));
        }
        assert_eq!(recovery.failures, 200);
    }
}
