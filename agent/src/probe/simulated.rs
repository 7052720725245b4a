//! A plausible tank for machines without sensors. Its values are a pure function of seed and time, so
//! they go on where they were after a restart; every sample of it says that it is simulated.
//!
//! What the tank "has" becomes the voltage that the usual sensor would put out, quantised as the
//! converter does, and then goes through the real conversion.

mod tank;

pub use tank::Water;

use super::burst::Burst;
use super::{Circumstances, Probe, Sample};
use shared::calibration::{Buffers, Calibration};
use shared::reading::{Fault, Flag, Flags};
use shared::sensor::conductivity::Ec;
use shared::sensor::{Sensor, Signal};
use shared::{Metric, UtcMillis};
use tank::Tank;

/// The converter's step at 4.096 V.
const STEP_MV: f64 = 0.125;

/// Conversions of a reading.
const SAMPLES: i64 = 16;
/// Noise of a conversion in millivolts, about.
const NOISE_MV: f64 = 0.4;
/// How fast a probe follows when it is put into a solution, in milliseconds.
const FOLLOWS_MS: f64 = 2000.0;

/// One metric of a simulated tank.
pub struct Simulated {
    tank: Tank,
    sensor: Sensor,
    /// What is wrong with its electrode, as a calibration would find out.
    wear: Option<Calibration>,
    bath: Option<Bath>,
    trouble: Trouble,
    millivolts: f64,
}

/// What happens to a tank and its probe that neither knows of: whoever tells a story says it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trouble {
    /// The water has so much more of what is measured, in the metric's unit.
    pub more: f64,
    /// How far the electrode of a worn probe has worn by now: 0 as new, 1 as worn as it gets.
    pub worn: f64,
    /// What keeps the probe from measuring.
    pub fault: Option<Fault>,
}

impl Default for Trouble {
    fn default() -> Self {
        Self { more: 0.0, worn: 1.0, fault: None }
    }
}

/// A solution that the probe was put into.
struct Bath {
    nominal: f64,
    /// Since when, and what it said then; `None`: it is in it only from the next sample on.
    since: Option<(UtcMillis, f64)>,
}

impl Simulated {
    /// The simulation of a metric; `None` for one that has no usual sensor. The electrode of a `worn` one
    /// needs a calibration; otherwise it is as new.
    pub fn new(metric: Metric, seed: u64, worn: bool) -> Option<Self> {
        let tank = Tank { seed, water: Water::default() };
        let sensor = Sensor::usual(metric)?;
        let wear = worn.then(|| wear(tank, &sensor)).flatten();
        Some(Self { tank, sensor, wear, bath: None, trouble: Trouble::default(), millivolts: 0.0 })
    }

    /// The same in other water.
    #[must_use]
    pub fn holding(mut self, water: Water) -> Self {
        self.tank.water = water;
        self
    }

    /// From now on, until something else is said.
    pub fn suffer(&mut self, trouble: Trouble) {
        self.trouble = trouble;
    }

    /// How the electrode departs from a new one now.
    fn wear(&self) -> Option<Calibration> {
        let (worn, toward) = (self.trouble.worn, |new: f64, old: f64| new + (old - new) * self.trouble.worn);
        match (self.wear?, &self.sensor) {
            (wear, _) if worn >= 1.0 => Some(wear),
            (Calibration::Ph { zero_mv, acid_percent, base_percent }, Sensor::Ph(ph)) => Some(Calibration::Ph {
                zero_mv: toward(ph.midpoint_mv, zero_mv),
                acid_percent: toward(100.0, acid_percent),
                base_percent: toward(100.0, base_percent),
            }),
            (Calibration::Cell { k }, _) => Some(Calibration::Cell { k: toward(1.0, k) }),
            (wear, _) => Some(wear),
        }
    }

    /// What the probe puts out without noise, in millivolts.
    fn voltage(&mut self, now: UtcMillis) -> f64 {
        let celsius = self.tank.truth(Metric::Temperature, now);
        let metric = self.sensor.metric();
        let wear = self.wear();
        let Some(bath) = &mut self.bath else {
            // Two metrics of one probe have one voltage.
            let source = source(metric);
            let sensor = Sensor::usual(source).unwrap_or(self.sensor.clone());
            return voltage_for(&sensor, self.tank.truth(source, now) + self.trouble.more, celsius, wear.as_ref());
        };
        let (since, from) = *bath.since.get_or_insert((now, self.millivolts));
        let (sensor, value) = in_solution(&self.sensor, bath.nominal, celsius);
        let there = voltage_for(&sensor, value, celsius, wear.as_ref());
        #[allow(clippy::cast_precision_loss)] // some minutes
        let elapsed = now.0.saturating_sub(since.0).max(0) as f64;
        there + (from - there) * (-elapsed / FOLLOWS_MS).exp()
    }
}

impl Probe for Simulated {
    fn sample(&mut self, circumstances: &Circumstances) -> Sample {
        let metric = self.sensor.metric();
        let now = circumstances.now;
        let simulated = Flags::NONE.with(Flag::Simulated);
        if self.bath.is_none()
            && let Some(fault) = self.trouble.fault.or_else(|| self.tank.fault(source(metric), now))
        {
            return Sample { flags: simulated, ..Sample::fault(fault) };
        }
        self.millivolts = self.voltage(now);
        let conversion = |i| {
            let noise = NOISE_MV * self.tank.bell(source(metric), now.0.wrapping_mul(SAMPLES).wrapping_add(i));
            ((self.millivolts + noise) / STEP_MV).round() * STEP_MV
        };
        let raw: Vec<f64> = (0..SAMPLES).map(conversion).collect();
        let Some(burst) = Burst::of(&raw) else { return Sample { flags: simulated, ..Sample::fault(Fault::NotReady) } };
        let converted = self.sensor.measure(&circumstances.signal(burst.millivolts), &self.sensor.law().limits());
        // The conversion of a sensor that is as new is exact by construction, so "uncalibrated" says nothing.
        let telling = |flag: &Flag| *flag != Flag::Uncalibrated || self.wear.is_some();
        let flags = converted.flags.iter().filter(telling).fold(simulated, Flags::with);
        Sample::new(metric, converted.value, Some(burst.millivolts), flags).with_spread(burst.spread)
    }

    fn immerse(&mut self, nominal: Option<f64>) {
        self.bath = nominal.map(|nominal| Bath { nominal, since: None });
    }
}

/// The metric whose truth a probe's voltage comes from: that of two metrics which the tank knows.
fn source(metric: Metric) -> Metric {
    match metric {
        Metric::Ec => Metric::Tds,
        Metric::Level => Metric::Volume,
        other => other,
    }
}

/// What a probe is told about when it is calibrated (see `shared::calibration::Point::nominal`): the sensor
/// that the point is for, and what that sensor would say of it.
fn in_solution(sensor: &Sensor, nominal: f64, celsius: f64) -> (Sensor, f64) {
    match sensor {
        Sensor::Ph(_) => {
            let sets = [Buffers::Technical, Buffers::Nist];
            let known = |set: &Buffers| set.labels().iter().any(|label| (label - nominal).abs() < 0.005);
            let ph = sets.into_iter().find(known).and_then(|set| set.ph(nominal, celsius));
            (sensor.clone(), ph.unwrap_or(nominal))
        }
        Sensor::Tds(tds) => (Sensor::Ec(Ec { saturation_mv: tds.saturation_mv }), nominal),
        Sensor::Volume(volume) => (Sensor::Level(volume.level), nominal),
        _ => (sensor.clone(), nominal),
    }
}

/// How far the electrode of a used probe departs from a new one: always in the same way.
fn wear(tank: Tank, sensor: &Sensor) -> Option<Calibration> {
    let random = |n| tank.random(source(sensor.metric()), n);
    match sensor {
        Sensor::Ph(ph) => Some(Calibration::Ph {
            zero_mv: ph.midpoint_mv + ph.gain * (16.0 * random(-3) - 8.0),
            acid_percent: 95.0 + 4.0 * random(-4),
            base_percent: 94.0 + 4.0 * random(-5),
        }),
        Sensor::Tds(_) | Sensor::Ec(_) => Some(Calibration::Cell { k: 0.9 + 0.2 * random(-3) }),
        _ => None,
    }
}

/// The voltage at which the conversion yields `value`, if `calibration` is what the sensor is really like:
/// the formulas are monotonic between the rails.
fn voltage_for(sensor: &Sensor, value: f64, celsius: f64, calibration: Option<&Calibration>) -> f64 {
    let (mut low, mut high) = (20.0, 3200.0);
    let estimate =
        |millivolts| sensor.law().estimate(&Signal { millivolts, celsius: Some(celsius), calibration }).value;
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

#[cfg(test)]
mod tests;
