//! The last seconds of a signal, and whether it has settled. Pure: the present is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How much of the signal is looked at.
const LENGTH: Duration = Duration::from_secs(10);
/// A window is full when it reaches back this far: samples come about once a second, never exactly.
const FULL: Duration = Duration::from_millis(8500);
/// Fewer samples say nothing about noise.
const FEWEST: usize = 5;

/// One sample of the signal.
#[derive(Debug, Clone, Copy)]
struct Point {
    at: Instant,
    millivolts: f64,
    celsius: Option<f64>,
}

/// The last ten seconds.
#[derive(Debug, Default)]
pub(super) struct Window(VecDeque<Point>);

/// What a window says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary {
    /// Mean, in millivolts.
    pub(super) millivolts: f64,
    /// Standard deviation, in millivolts.
    pub(super) spread: f64,
    /// Mean of the temperatures, in degrees Celsius; `None` if one of the samples had none.
    pub(super) celsius: Option<f64>,
    /// Whether it neither moves nor drifts.
    pub(super) settled: bool,
}

impl Window {
    /// Takes a sample and forgets what is too old.
    pub(super) fn push(&mut self, at: Instant, millivolts: f64, celsius: Option<f64>) {
        self.0.push_back(Point { at, millivolts, celsius });
        while self.0.front().is_some_and(|first| at.saturating_duration_since(first.at) > LENGTH) {
            self.0.pop_front();
        }
    }

    /// Forgets everything: the probe is in something else.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What it says; `None` while it is empty. `limit` is the sensor's, see `Law::settled_mv`.
    ///
    /// The noise must be below the limit, and a line through the window must rise or fall by less than half
    /// of it: a slow electrode that creeps by that much in ten seconds is still a few times as far from its end.
    pub(super) fn summary(&self, limit: f64) -> Option<Summary> {
        let (first, last) = (self.0.front()?, self.0.back()?);
        let count = self.count();
        let millivolts = self.0.iter().map(|p| p.millivolts).sum::<f64>() / count;
        let squares: f64 = self.0.iter().map(|p| (p.millivolts - millivolts).powi(2)).sum();
        let spread = (squares / (count - 1.0).max(1.0)).sqrt();
        let celsius = self.0.iter().map(|p| p.celsius).sum::<Option<f64>>().map(|sum| sum / count);
        let full = self.0.len() >= FEWEST && last.at.saturating_duration_since(first.at) >= FULL;
        let drift = self.slope(millivolts) * LENGTH.as_secs_f64();
        Some(Summary { millivolts, spread, celsius, settled: full && spread < limit && drift.abs() < limit / 2.0 })
    }

    /// Millivolts a second, by least squares.
    fn slope(&self, mean: f64) -> f64 {
        let Some(start) = self.0.front().map(|first| first.at) else { return 0.0 };
        let seconds = |point: &Point| point.at.saturating_duration_since(start).as_secs_f64();
        let middle = self.0.iter().map(seconds).sum::<f64>() / self.count();
        let (mut both, mut along) = (0.0, 0.0);
        for point in &self.0 {
            let x = seconds(point) - middle;
            both += x * (point.millivolts - mean);
            along += x * x;
        }
        if along > 0.0 { both / along } else { 0.0 }
    }

    fn count(&self) -> f64 {
        u32::try_from(self.0.len()).map_or(f64::MAX, f64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(seconds: u32, signal: impl Fn(f64) -> f64) -> Window {
        let start = Instant::now();
        let mut window = Window::default();
        for second in 0..=seconds {
            window.push(start + Duration::from_secs(second.into()), signal(second.into()), Some(25.0));
        }
        window
    }

    #[test]
    fn a_quiet_signal_settles_once_the_window_is_full() {
        let noise = |second: f64| 1500.0 + if second % 2.0 == 0.0 { 0.3 } else { -0.3 };
        assert!(!window(7, noise).summary(1.5).unwrap().settled);
        let summary = window(10, noise).summary(1.5).unwrap();
        assert!(summary.settled && (summary.millivolts - 1500.0).abs() < 0.1, "{summary:?}");
        assert!((summary.spread - 0.3).abs() < 0.05 && summary.celsius == Some(25.0), "{summary:?}");
    }

    #[test]
    fn noise_and_drift_keep_it_from_settling() {
        let noisy = |second: f64| 1500.0 + if second % 2.0 == 0.0 { 2.0 } else { -2.0 };
        assert!(!window(30, noisy).summary(1.5).unwrap().settled);
        let creeping = |second: f64| 1500.0 + 0.1 * second;
        let summary = window(30, creeping).summary(1.5).unwrap();
        assert!(!summary.settled && summary.spread < 0.5, "{summary:?}");
    }

    #[test]
    fn what_was_longer_ago_does_not_matter() {
        let arriving = |second: f64| if second < 20.0 { 1500.0 } else { 2032.0 };
        assert!(window(19, arriving).summary(1.5).unwrap().settled);
        assert!(!window(25, arriving).summary(1.5).unwrap().settled);
        let settled = window(31, arriving).summary(1.5).unwrap();
        assert!(settled.settled && settled.millivolts == 2032.0 && settled.spread == 0.0);
    }

    #[test]
    fn a_temperature_that_was_missing_once_is_missing() {
        let mut window = window(9, |_| 1500.0);
        window.push(Instant::now() + Duration::from_secs(10), 1500.0, None);
        assert_eq!(window.summary(1.5).unwrap().celsius, None);
        window.clear();
        assert_eq!(window.summary(1.5), None);
    }

    #[test]
    fn a_single_sample_is_a_signal_but_has_not_settled() {
        let summary = window(0, |_| 7.0).summary(1.5).unwrap();
        assert_eq!((summary.millivolts, summary.spread, summary.settled), (7.0, 0.0, false));
    }
}
