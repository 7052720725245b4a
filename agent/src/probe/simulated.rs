//! A plausible tank for machines without sensors. Its values are a pure function of seed and time, so
//! they go on where they were after a restart; every sample of it says that it is simulated.
//!
//! What the tank "has" becomes the voltage that the usual sensor would put out, quantised as the
//! converter does, and then goes through the real conversion.

use super::{Circumstances, Probe, Sample};
use shared::reading::{Fault, Flag, Flags};
use shared::sensor::{Sensor, Signal};
use shared::{Metric, UtcMillis};
use std::f64::consts::TAU;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The converter's step at 4.096 V.
const STEP_MV: f64 = 0.125;

/// One metric of a simulated tank.
pub struct Simulated {
    seed: u64,
    sensor: Sensor,
}

impl Simulated {
    /// The simulation of a metric; `None` for one that has no usual sensor.
    pub fn new(metric: Metric, seed: u64) -> Option<Self> {
        let simulated = [Metric::Ph, Metric::Tds, Metric::Temperature, Metric::Volume].contains(&metric);
        Some(Self { seed, sensor: Sensor::usual(metric).filter(|_| simulated)? })
    }
}

impl Probe for Simulated {
    fn sample(&mut self, circumstances: &Circumstances) -> Sample {
        let metric = self.sensor.metric();
        let tank = Tank { seed: self.seed };
        let simulated = Flags::NONE.with(Flag::Simulated);
        if let Some(fault) = tank.fault(metric, circumstances.now) {
            return Sample { flags: simulated, ..Sample::fault(fault) };
        }
        let (truth, noise) = tank.state(metric, circumstances.now);
        let celsius = tank.state(Metric::Temperature, circumstances.now).0;
        let exact = voltage_for(&self.sensor, truth + noise, celsius);
        let millivolts = (exact / STEP_MV).round() * STEP_MV;
        let signal = Signal {
            millivolts,
            celsius: circumstances.water.map(|water| water.celsius),
            calibration: circumstances.calibration.as_ref(),
        };
        let converted = self.sensor.measure(&signal, &self.sensor.law().limits());
        // The conversion of a simulated sensor is exact by construction, so "uncalibrated" says nothing.
        let flags = converted.flags.iter().filter(|flag| *flag != Flag::Uncalibrated).fold(simulated, Flags::with);
        Sample::new(metric, converted.value, Some(millivolts), flags)
    }
}

/// A tank with water, as it would be at any time.
struct Tank {
    seed: u64,
}

impl Tank {
    /// What the water has, and the noise of its sensor.
    fn state(&self, metric: Metric, now: UtcMillis) -> (f64, f64) {
        // Tanks differ a little from each other, always in the same way.
        let character = self.random(metric, -1) * 2.0 - 1.0;
        let noise = self.bell(metric, now.0);
        // The pump goes every five minutes and stirs the water.
        let stirred = wave(now, 5 * MINUTE, character);
        match metric {
            // Coldest at dawn, warmest in the afternoon (23 and 8 o'clock UTC in Indonesia).
            Metric::Temperature => {
                let day = wave(UtcMillis(now.0 - 2 * HOUR), DAY, 0.0);
                (27.0 + 1.5 * character + 2.5 * day + 0.12 * stirred, 0.03 * noise)
            }
            // It drifts up until acid is dosed.
            Metric::Ph => {
                (5.9 + 0.2 * character + 0.8 * self.sawtooth(now, 5 * HOUR, metric) + 0.02 * stirred, 0.008 * noise)
            }
            // Plants eat until fertiliser is dosed.
            Metric::Tds => {
                let eaten = self.sawtooth(now, 9 * HOUR, metric);
                (820.0 + 60.0 * character - 220.0 * eaten + 4.0 * stirred, 1.5 * noise)
            }
            // It evaporates and is used until the float valve opens.
            _ => {
                let used = self.sawtooth(now, 7 * HOUR, metric);
                (900.0 + 40.0 * character - 350.0 * used + 1.5 * stirred, 0.6 * noise)
            }
        }
    }

    /// Rises slowly from 0 to 1 and falls back within the last fortieth of the period.
    fn sawtooth(&self, now: UtcMillis, period: i64, metric: Metric) -> f64 {
        let offset = self.random(metric, -2);
        let phase = (fraction(now.0, period) + offset).fract();
        const DOSING: f64 = 1.0 / 40.0;
        if phase < 1.0 - DOSING { phase / (1.0 - DOSING) } else { (1.0 - phase) / DOSING }
    }

    /// A loose plug now and then: for eight seconds in about every fortieth minute.
    fn fault(&self, metric: Metric, now: UtcMillis) -> Option<Fault> {
        let minute = now.0.div_euclid(MINUTE);
        let into = now.0.rem_euclid(MINUTE);
        let start = 10_000;
        if !(start..start + 8_000).contains(&into) || self.random(metric, minute) >= 1.0 / 40.0 {
            return None;
        }
        const KINDS: [Fault; 4] = [Fault::NoAnswer, Fault::RailLow, Fault::RailHigh, Fault::NotReady];
        let kind = mix(self.seed ^ minute.unsigned_abs()) % 4;
        usize::try_from(kind).ok().and_then(|kind| KINDS.get(kind)).copied()
    }

    /// A number in 0..1 that belongs to this tank, metric and `n`.
    fn random(&self, metric: Metric, n: i64) -> f64 {
        let name =
            metric.as_str().bytes().fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let bits = mix(mix(self.seed ^ name.rotate_left(32)) ^ u64::from_ne_bytes(n.to_ne_bytes()));
        f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
    }

    /// Noise in the shape of a bell, within -2..2.
    fn bell(&self, metric: Metric, n: i64) -> f64 {
        let sum: f64 = (0..4).map(|i| self.random(metric, n.wrapping_mul(4).wrapping_add(i))).sum();
        sum - 2.0
    }
}

/// The voltage at which the conversion yields `value`: its formulas are monotonic between the rails.
fn voltage_for(sensor: &Sensor, value: f64, celsius: f64) -> f64 {
    let (mut low, mut high) = (20.0, 3200.0);
    let estimate =
        |millivolts| sensor.law().estimate(&Signal { millivolts, celsius: Some(celsius), calibration: None }).value;
    let rising = estimate(3000.0) > estimate(1000.0);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if (estimate(middle) < value) == rising {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

fn wave(now: UtcMillis, period: i64, phase: f64) -> f64 {
    (TAU * (fraction(now.0, period) + phase)).sin()
}

/// How far into its period an instant is: 0 to 1.
fn fraction(at: i64, period: i64) -> f64 {
    #[allow(clippy::cast_precision_loss)] // a day has few milliseconds
    let (into, period) = (at.rem_euclid(period) as f64, period as f64);
    into / period
}

/// SplitMix64: turns similar numbers into unrelated ones.
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::super::Water;
    use super::*;
    use shared::reading::Outcome;

    const METRICS: [Metric; 4] = [Metric::Ph, Metric::Tds, Metric::Temperature, Metric::Volume];
    const NOON: i64 = 1_763_690_400_000;

    fn three_days(metric: Metric, seed: u64) -> Vec<Sample> {
        let mut probe = Simulated::new(metric, seed).unwrap();
        (0..3 * 24 * 60 * 6)
            .map(|i| {
                let now = UtcMillis(NOON + i * 10_000);
                let celsius = Tank { seed }.state(Metric::Temperature, now).0;
                probe.sample(&Circumstances { now, water: Some(Water { celsius, simulated: true }), calibration: None })
            })
            .collect()
    }

    fn values(samples: &[Sample]) -> Vec<f64> {
        samples
            .iter()
            .filter_map(|s| match s.outcome {
                Outcome::Measured(value) => Some(value.get()),
                Outcome::Fault(_) => None,
            })
            .collect()
    }

    #[test]
    fn three_days_of_any_tank_are_plausible_move_and_have_a_few_faults() {
        for seed in 0..5 {
            for (metric, range) in METRICS.into_iter().zip([5.5..=7.2, 500.0..=900.0, 22.0..=32.0, 450.0..=960.0]) {
                let samples = three_days(metric, seed);
                let good = values(&samples);
                let (low, high) = good.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
                assert!(range.contains(&low) && range.contains(&high), "{metric} {seed}: {low}..{high}");
                assert!(high - low > 0.1 * (range.end() - range.start()), "{metric} {seed} does not move");
                let faults = samples.len() - good.len();
                assert!(faults > 0 && faults < samples.len() / 50, "{metric} {seed}: {faults} faults");
            }
        }
    }

    #[test]
    fn everything_simulated_says_so_also_its_faults() {
        for metric in METRICS {
            assert!(three_days(metric, 3).iter().all(|sample| sample.flags.has(Flag::Simulated)), "{metric}");
        }
    }

    #[test]
    fn a_seed_repeats_and_another_differs() {
        assert_eq!(three_days(Metric::Ph, 7), three_days(Metric::Ph, 7));
        assert_ne!(three_days(Metric::Ph, 7), three_days(Metric::Ph, 8));
    }

    #[test]
    fn a_value_changes_within_seconds_but_never_jumps() {
        let good = values(&three_days(Metric::Volume, 1));
        assert!(good.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 30.0));
        assert!(good.windows(2).filter(|pair| pair[0] != pair[1]).count() > good.len() / 2);
    }

    #[test]
    fn without_a_temperature_probe_a_simulated_ph_says_so() {
        let now = UtcMillis(NOON);
        let sample =
            Simulated::new(Metric::Ph, 1).unwrap().sample(&Circumstances { now, water: None, calibration: None });
        assert!(sample.flags.has(Flag::NoTemperature));
    }

    #[test]
    fn a_metric_without_a_usual_sensor_is_not_simulated() {
        assert!(Simulated::new(Metric::Flow, 1).is_none());
    }
}
