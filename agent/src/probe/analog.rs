//! A probe that is a voltage: several conversions, rails, the conversion, and what the series says of it.
//! Knows no chip and no bus.

use super::burst::Burst;
use super::steady::{Pace, Stillness};
use super::{Circumstances, Probe, Sample};
use shared::reading::{Fault, Flag, Flags};
use shared::sensor::level::Level;
use shared::sensor::volume::Volume;
use shared::sensor::{Limits, Sensor};

/// Something that measures a voltage.
pub trait Converter: Send {
    /// The voltage against ground, in millivolts.
    ///
    /// # Errors
    /// The fault, within a bounded time.
    fn millivolts(&mut self) -> Result<f64, Fault>;
}

/// Voltages at which a sensor is not connected, shorted or without supply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rails {
    /// At or below it: [`Fault::RailLow`].
    pub low_mv: f64,
    /// At or above it: [`Fault::RailHigh`].
    pub high_mv: f64,
}

/// How a voltage is read and what is expected of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Conversions for one reading.
    pub samples: u32,
    /// What counts as no signal.
    pub rails: Rails,
    /// Flagged as unstable when the spread of the conversions is above it, in millivolts.
    pub unstable_mv: f64,
    /// Flagged as stuck when so many readings did not move at all; 0: never.
    pub stuck_after: u32,
    /// Flagged as unstable when the value changes faster, in the metric's unit; `None`: never.
    pub max_change_per_minute: Option<f64>,
}

/// A sensor that yields a voltage.
pub struct Analog<C> {
    converter: C,
    reading: Reading,
    sensor: Sensor,
    limits: Limits,
    stillness: Stillness,
    pace: Pace,
}

impl<C: Converter> Analog<C> {
    /// A sensor behind a converter.
    pub fn new(converter: C, reading: Reading, sensor: Sensor, limits: Limits) -> Self {
        let (stillness, pace) = (Stillness::new(reading.stuck_after), Pace::new(reading.max_change_per_minute));
        Self { converter, reading, sensor, limits, stillness, pace }
    }
}

impl<C: Converter> Probe for Analog<C> {
    fn sample(&mut self, circumstances: &Circumstances) -> Sample {
        let raw: Result<Vec<f64>, Fault> =
            (0..self.reading.samples.max(1)).map(|_| self.converter.millivolts()).collect();
        let raw = match raw {
            Ok(raw) => raw,
            Err(fault) => {
                self.stillness.interrupt();
                return Sample::fault(fault);
            }
        };
        let Some(burst) = Burst::of(&raw) else { return Sample::fault(Fault::NotReady) };
        let metric = self.sensor.metric();
        if let Some(fault) = self.reading.rails.judge(burst.millivolts) {
            // A shorted input does not move either, but that is the lesser news.
            self.stillness.interrupt();
            return Sample::new(metric, Err(fault), Some(burst.millivolts), Flags::NONE).with_spread(burst.spread);
        }
        let converted = self.sensor.measure(&circumstances.signal(burst.millivolts), &self.limits);
        let mut flags = converted.flags.union(self.stillness.judge(&raw));
        if burst.torn || burst.spread.is_some_and(|spread| spread > self.reading.unstable_mv) {
            flags = flags.with(Flag::Unstable);
        }
        if circumstances.water.is_some_and(|water| water.simulated) && depends_on_water(&self.sensor) {
            flags = flags.with(Flag::Simulated);
        }
        if let Ok(value) = converted.value {
            flags = flags.union(self.pace.judge(circumstances.now, value));
        }
        Sample::new(metric, converted.value, Some(burst.millivolts), flags).with_spread(burst.spread)
    }
}

impl Rails {
    fn judge(&self, millivolts: f64) -> Option<Fault> {
        if millivolts <= self.low_mv {
            Some(Fault::RailLow)
        } else if millivolts >= self.high_mv {
            Some(Fault::RailHigh)
        } else {
            None
        }
    }
}

fn depends_on_water(sensor: &Sensor) -> bool {
    match sensor {
        Sensor::Ph(_) | Sensor::Tds(_) | Sensor::Ec(_) => true,
        Sensor::Level(level) | Sensor::Volume(Volume { level, .. }) => matches!(level, Level::Ultrasonic { .. }),
        Sensor::Temperature(_) | Sensor::Pressure(_) | Sensor::Flow(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Water;
    use super::*;
    use crate::probe::ads1115::Scale;
    use proptest::prelude::*;
    use shared::reading::{Outcome, Value};
    use shared::{Metric, UtcMillis};
    use std::collections::VecDeque;

    /// Yields its script, and then its last voltage for ever.
    struct Script(VecDeque<Result<f64, Fault>>);
    impl Converter for Script {
        fn millivolts(&mut self) -> Result<f64, Fault> {
            if self.0.len() > 1 { self.0.pop_front().unwrap() } else { self.0[0] }
        }
    }

    const READING: Reading = Reading {
        samples: 1,
        rails: Rails { low_mv: 5.0, high_mv: 3250.0 },
        unstable_mv: 15.0,
        stuck_after: 0,
        max_change_per_minute: None,
    };

    fn probe(reading: Reading, script: &[Result<f64, Fault>]) -> Analog<Script> {
        let sensor = Sensor::usual(Metric::Ph).unwrap();
        let limits = sensor.law().limits();
        Analog::new(Script(script.iter().copied().collect()), reading, sensor, limits)
    }

    fn at(water: Option<Water>) -> Circumstances {
        Circumstances { now: UtcMillis(0), water, calibration: None }
    }

    fn sample(read: Result<f64, Fault>, water: Option<Water>) -> Sample {
        probe(READING, &[read]).sample(&at(water))
    }

    const WARM: Option<Water> = Some(Water { celsius: 25.0, simulated: false });

    #[test]
    fn a_voltage_becomes_a_value_and_travels_beside_it() {
        let sample = sample(Ok(2032.375), WARM);
        assert_eq!(sample.outcome, Outcome::Measured(Value::new(4.0).unwrap()));
        assert_eq!((sample.millivolts.unwrap().get(), sample.spread), (2032.375, None));
        assert_eq!(sample.flags, Flags::NONE.with(Flag::Uncalibrated));
    }

    #[test]
    fn the_two_rails_are_two_faults_and_the_voltage_is_kept() {
        for (mv, fault) in [(-0.125, Fault::RailLow), (5.0, Fault::RailLow), (3250.0, Fault::RailHigh)] {
            let sample = sample(Ok(mv), WARM);
            assert_eq!((sample.outcome, sample.millivolts.unwrap().get()), (Outcome::Fault(fault), mv));
        }
    }

    #[test]
    fn a_converters_fault_has_no_voltage() {
        assert_eq!(sample(Err(Fault::NoAnswer), WARM), Sample::fault(Fault::NoAnswer));
        let late = [Ok(1500.0), Ok(1500.0), Err(Fault::BusError)];
        let mut probe = probe(Reading { samples: 4, ..READING }, &late);
        assert_eq!(probe.sample(&at(WARM)), Sample::fault(Fault::BusError), "also in the middle of its conversions");
    }

    #[test]
    fn a_value_computed_from_a_simulated_temperature_is_simulated() {
        let made_up = Some(Water { celsius: 25.0, simulated: true });
        assert!(sample(Ok(2032.375), made_up).flags.has(Flag::Simulated));
        assert!(sample(Ok(2032.375), None).flags.has(Flag::NoTemperature));
    }

    #[test]
    fn a_spike_among_the_conversions_changes_nothing_and_the_spread_is_told() {
        let script = [1500.0, 1500.25, 2900.0, 1499.75, 1500.0].map(Ok);
        let sample = probe(Reading { samples: 5, ..READING }, &script).sample(&at(WARM));
        assert_eq!(sample.outcome, Outcome::Measured(Value::new(7.0).unwrap()));
        assert_eq!(sample.spread.unwrap().get(), 0.204);
        assert!(!sample.flags.has(Flag::Unstable));
    }

    #[test]
    fn conversions_that_disagree_are_unstable() {
        let script = [1480.0, 1520.0, 1500.0, 1475.0, 1525.0].map(Ok);
        let sample = probe(Reading { samples: 5, ..READING }, &script).sample(&at(WARM));
        assert!(sample.flags.has(Flag::Unstable));
    }

    #[test]
    fn a_signal_that_never_moves_is_flagged_and_at_a_rail_it_is_a_fault_instead() {
        let still = Reading { samples: 2, stuck_after: 2, ..READING };
        let stuck = |millivolts| {
            let mut probe = probe(still, &[Ok(millivolts)]);
            [(); 4].map(|()| probe.sample(&at(WARM))).map(|sample| sample.flags.has(Flag::Stuck))
        };
        assert_eq!(stuck(1500.0), [false, false, true, true]);
        assert_eq!(stuck(3300.0), [false; 4]);
    }

    #[test]
    fn a_value_that_changes_too_fast_is_unstable() {
        let mut probe = probe(Reading { max_change_per_minute: Some(0.5), ..READING }, &[Ok(1500.0), Ok(1700.0)]);
        assert!(!probe.sample(&at(WARM)).flags.has(Flag::Unstable));
        assert!(probe.sample(&at(WARM)).flags.has(Flag::Unstable));
    }

    proptest! {
        #[test]
        fn no_codes_of_a_converter_yield_anything_but_a_possible_value_or_a_fault(
            codes in proptest::collection::vec(any::<i16>(), 1..12),
            scale in proptest::sample::select(Scale::ALL.to_vec()),
            celsius in proptest::option::of(any::<f64>()),
            noisy in any::<bool>(),
        ) {
            let script: VecDeque<_> = codes.iter().map(|code| Ok(scale.millivolts(*code))).collect();
            let samples = if noisy { 8 } else { 1 };
            let reading = Reading { samples, stuck_after: 2, max_change_per_minute: Some(0.1), ..READING };
            let circumstances = at(celsius.map(|celsius| Water { celsius, simulated: false }));
            for sensor in Metric::ALL.iter().filter_map(|metric| Sensor::usual(*metric)) {
                let limits = sensor.law().limits();
                let mut probe = Analog::new(Script(script.clone()), reading, sensor, limits);
                for _ in 0..3 {
                    let sample = probe.sample(&circumstances);
                    if let Outcome::Measured(value) = sample.outcome {
                        // It is rounded to what a sensor resolves.
                        let possible = limits.possible.0 - 0.05..=limits.possible.1 + 0.05;
                        prop_assert!(possible.contains(&value.get()), "{value:?}");
                    }
                    prop_assert_eq!(sample.spread.is_some(), samples > 1);
                    // Computed again from the record alone, it is the same to the last digit.
                    let millivolts = sample.millivolts.unwrap().get();
                    if READING.rails.judge(millivolts).is_none() {
                        let again = probe.sensor.measure(&circumstances.signal(millivolts), &limits);
                        prop_assert_eq!(Outcome::rounded(probe.sensor.metric(), again.value), sample.outcome);
                    }
                }
            }
        }
    }
}
