//! Readings of one device and metric summed up by periods while they pass by. Only the present period is in the making, so that
//! a year takes no more memory than a day.

use super::counted::Counted;
use crate::outage::Window;
use crate::store::Revised;
use shared::{ClockQuality, Flag, Flags, Metric, Outcome};

/// What a period holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// Which.
    pub time: Window,
    /// Measured, and nothing is to be known before trusting it but that it may be simulated.
    pub good: u64,
    /// Measured, with a flag that says what to know.
    pub flagged: u64,
    /// Measured while somebody calibrated: not of the water.
    pub calibrating: u64,
    /// Nothing measured.
    pub faults: u64,
    /// Of all of them, from a simulation.
    pub simulated: u64,
    /// Of all of them, with a time that nobody vouches for.
    pub unsynced: u64,
    /// Of good and flagged values; none if there is none.
    pub summary: Option<Summary>,
}

/// Values summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The least value, and when it was first measured.
    pub min: (f64, i64),
    /// The greatest.
    pub max: (f64, i64),
    /// The arithmetic mean.
    pub mean: f64,
    /// The standard deviation of a sample; none of a single value.
    pub deviation: Option<f64>,
    /// The 5th percentile, the median and the 95th percentile.
    pub quantiles: [f64; 3],
    /// How exact those are: a distance in the metric's unit.
    pub step: f64,
}

impl Statistics {
    /// Values that are summed up.
    pub fn values(&self) -> u64 {
        self.good + self.flagged
    }

    /// All that came.
    pub fn readings(&self) -> u64 {
        self.values() + self.calibrating + self.faults
    }
}

/// A period in the making.
#[derive(Debug)]
struct Tally {
    done: Statistics,
    min: (f64, i64),
    max: (f64, i64),
    /// Mean and sum of squared distances from it so far (Welford): exact where values lie far from 0 and close together.
    mean: f64,
    squares: f64,
    counted: Counted,
}

impl Tally {
    fn new(time: Window, metric: Metric) -> Self {
        let done = Statistics {
            time,
            good: 0,
            flagged: 0,
            calibrating: 0,
            faults: 0,
            simulated: 0,
            unsynced: 0,
            summary: None,
        };
        let (min, max) = ((f64::INFINITY, 0), (f64::NEG_INFINITY, 0));
        Self { done, min, max, mean: 0.0, squares: 0.0, counted: Counted::new(metric.decimals()) }
    }

    fn take(&mut self, Revised { reading, .. }: &Revised) {
        let done = &mut self.done;
        let flags = reading.flags;
        done.simulated += u64::from(flags.has(Flag::Simulated));
        done.unsynced += u64::from(reading.stamp.clock == ClockQuality::Unsynced);
        let value = match reading.outcome {
            Outcome::Fault(_) => {
                done.faults += 1;
                return;
            }
            Outcome::Measured(_) if flags.has(Flag::Calibrating) => {
                done.calibrating += 1;
                return;
            }
            Outcome::Measured(value) => value.get(),
        };
        let is_good = flags == Flags::NONE || flags == Flags::NONE.with(Flag::Simulated);
        *if is_good { &mut done.good } else { &mut done.flagged } += 1;
        let at = reading.stamp.at.0;
        if value < self.min.0 {
            self.min = (value, at);
        }
        if value > self.max.0 {
            self.max = (value, at);
        }
        let distance = value - self.mean;
        #[allow(clippy::cast_precision_loss)] // counts are far below 2^52
        let count = done.values() as f64;
        self.mean += distance / count;
        self.squares += distance * (value - self.mean);
        self.counted.add(value);
    }

    fn finish(mut self) -> Statistics {
        let values = self.done.values();
        let [low, middle, high] = self.counted.quantiles([0.05, 0.5, 0.95]).unwrap_or_default();
        #[allow(clippy::cast_precision_loss)]
        let deviation = (values > 1).then(|| (self.squares / (values - 1) as f64).sqrt());
        // Rounding may carry them beyond what they are of.
        let within = |value: f64| value.max(self.min.0).min(self.max.0);
        self.done.summary = (values > 0).then(|| Summary {
            min: self.min,
            max: self.max,
            mean: within(self.mean),
            deviation,
            quantiles: [low, middle, high].map(within),
            step: self.counted.step(),
        });
        self.done
    }
}

/// All periods of a time, as the readings of one device and metric pass by in the order of their times.
#[derive(Debug)]
pub struct Tallies {
    metric: Metric,
    periods: std::vec::IntoIter<Window>,
    present: Option<Tally>,
    done: Vec<Statistics>,
    last_at: Option<i64>,
    gaps: Counted,
}

impl Tallies {
    /// Periods in their order, without overlaps.
    pub fn new(metric: Metric, periods: Vec<Window>) -> Self {
        let mut periods = periods.into_iter();
        let present = periods.next().map(|time| Tally::new(time, metric));
        Self { metric, periods, present, done: vec![], last_at: None, gaps: Counted::new(0) }
    }

    /// Takes the next reading.
    pub fn take(&mut self, revised: &Revised) {
        let at = revised.reading.stamp.at.0;
        if let Some(last) = self.last_at.replace(at) {
            #[allow(clippy::cast_precision_loss)] // a pause is far below 2^52
            self.gaps.add((at - last) as f64);
        }
        while self.present.as_ref().is_some_and(|tally| tally.done.time.to <= at) {
            self.next();
        }
        if let Some(tally) = self.present.as_mut().filter(|tally| tally.done.time.from <= at) {
            tally.take(revised);
        }
    }

    fn next(&mut self) {
        let next = self.periods.next().map(|time| Tally::new(time, self.metric));
        self.done.extend(std::mem::replace(&mut self.present, next).map(Tally::finish));
    }

    /// Each period, and how far apart readings usually were, in milliseconds.
    pub fn finish(mut self) -> (Vec<Statistics>, Option<f64>) {
        while self.present.is_some() {
            self.next();
        }
        (self.done, self.gaps.quantiles([0.5]).map(|[usual]| usual))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{BufferId, Fault, Reading, Stamp, UtcMillis, Value};

    fn at(ms: i64, outcome: Result<f64, Fault>, flags: Flags) -> Revised {
        let outcome = outcome.map_or_else(Outcome::Fault, |value| Outcome::Measured(Value::new(value).unwrap()));
        let stamp = Stamp { at: UtcMillis(ms), clock: ClockQuality::Synced };
        let reading = Reading { seq: 1, stamp, metric: Metric::Ph, outcome, millivolts: None, flags, spread: None };
        Revised { reading, buffer: BufferId::from_random(1), revision: 0 }
    }

    #[test]
    fn each_period_has_its_own_readings_and_one_without_any_has_none() {
        let periods = [(0, 100), (100, 200), (200, 300)].map(|(from, to)| Window { from, to });
        let mut tallies = Tallies::new(Metric::Ph, periods.to_vec());
        for (ms, value) in [(0, 7.0), (99, 7.5), (200, 6.0), (299, 6.5)] {
            tallies.take(&at(ms, Ok(value), Flags::NONE));
        }
        let (done, usual) = tallies.finish();
        let counts: Vec<u64> = done.iter().map(Statistics::readings).collect();
        assert_eq!((counts, usual), (vec![2, 0, 2], Some(99.0)));
        assert_eq!(done[1].summary, None);
        let summary = done[0].summary.unwrap();
        assert_eq!((summary.min, summary.max, summary.mean), ((7.0, 0), (7.5, 99), 7.25));
        assert!((summary.deviation.unwrap() - 0.353_553_390_6).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_water_is_counted_and_not_summed_up() {
        let mut tallies = Tallies::new(Metric::Ph, vec![Window { from: 0, to: 100 }]);
        let flag = |flag| Flags::NONE.with(flag);
        for (outcome, flags) in [
            (Ok(7.0), Flags::NONE),
            (Ok(7.2), flag(Flag::Simulated)),
            (Ok(7.4), flag(Flag::Simulated).with(Flag::Stuck)),
            (Ok(4.0), flag(Flag::Calibrating)),
            (Err(Fault::NoAnswer), flag(Flag::Simulated)),
        ] {
            tallies.take(&at(50, outcome, flags));
        }
        let (done, _) = tallies.finish();
        let Statistics { good, flagged, calibrating, faults, simulated, .. } = done[0];
        assert_eq!((good, flagged, calibrating, faults, simulated), (2, 1, 1, 1, 3));
        let summary = done[0].summary.unwrap();
        assert!((summary.mean - 7.2).abs() < 1e-12 && summary.min.0 == 7.0, "{summary:?}");
    }

    #[test]
    fn a_single_value_has_no_deviation() {
        let mut tallies = Tallies::new(Metric::Ph, vec![Window { from: 0, to: 100 }]);
        tallies.take(&at(5, Ok(7.012), Flags::NONE));
        let summary = tallies.finish().0[0].summary.unwrap();
        assert_eq!((summary.deviation, summary.quantiles), (None, [7.012; 3]));
    }
}
