//! A probe that is a voltage on a converter's channel: rails first, then the conversion.
//! Knows no chip and no bus.

use super::{Circumstances, Probe, Sample};
use shared::reading::{Fault, Flag, Flags};
use shared::sensor::{Limits, Sensor, Signal};
use std::sync::{Arc, Mutex, PoisonError};

/// One of a converter's four inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the number says it
pub enum Channel {
    A0,
    A1,
    A2,
    A3,
}

/// Something that measures voltages: one at a time, so it is shared behind a lock.
pub trait Converter: Send {
    /// The voltage of a channel against ground, in millivolts.
    ///
    /// # Errors
    /// The fault, within a bounded time.
    fn millivolts(&mut self, channel: Channel) -> Result<f64, Fault>;
}

/// Voltages at which a sensor is not connected, shorted or without supply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rails {
    /// At or below it: [`Fault::RailLow`].
    pub low_mv: f64,
    /// At or above it: [`Fault::RailHigh`].
    pub high_mv: f64,
}

/// A sensor on a channel.
pub struct Analog<C> {
    /// Shared by the probes of one chip.
    pub converter: Arc<Mutex<C>>,
    /// Its input.
    pub channel: Channel,
    /// What counts as no signal.
    pub rails: Rails,
    /// What the voltage means.
    pub sensor: Sensor,
    /// Which values are believed.
    pub limits: Limits,
}

impl<C: Converter> Probe for Analog<C> {
    fn sample(&mut self, circumstances: &Circumstances) -> Sample {
        let read = self.converter.lock().unwrap_or_else(PoisonError::into_inner).millivolts(self.channel);
        let millivolts = match read {
            Ok(millivolts) => millivolts,
            Err(fault) => return Sample::fault(fault),
        };
        let metric = self.sensor.metric();
        if let Some(fault) = self.rails.judge(millivolts) {
            return Sample::new(metric, Err(fault), Some(millivolts), Flags::NONE);
        }
        let signal = Signal {
            millivolts,
            celsius: circumstances.water.map(|water| water.celsius),
            calibration: circumstances.calibration.as_ref(),
        };
        let converted = self.sensor.measure(&signal, &self.limits);
        let made_up = circumstances.water.is_some_and(|water| water.simulated) && depends_on_water(&self.sensor);
        let flags = if made_up { converted.flags.with(Flag::Simulated) } else { converted.flags };
        Sample::new(metric, converted.value, Some(millivolts), flags)
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
    matches!(sensor, Sensor::Ph(_) | Sensor::Tds(_) | Sensor::Ec(_))
}

#[cfg(test)]
mod tests {
    use super::super::Water;
    use super::*;
    use shared::reading::{Outcome, Value};
    use shared::{Metric, UtcMillis};

    struct Fixed(Result<f64, Fault>);
    impl Converter for Fixed {
        fn millivolts(&mut self, _: Channel) -> Result<f64, Fault> {
            self.0
        }
    }

    fn sample(read: Result<f64, Fault>, water: Option<Water>) -> Sample {
        let sensor = Sensor::usual(Metric::Ph).unwrap();
        Analog {
            converter: Arc::new(Mutex::new(Fixed(read))),
            channel: Channel::A0,
            rails: Rails { low_mv: 5.0, high_mv: 3250.0 },
            limits: sensor.law().limits(),
            sensor,
        }
        .sample(&Circumstances { now: UtcMillis(0), water, calibration: None })
    }

    const WARM: Option<Water> = Some(Water { celsius: 25.0, simulated: false });

    #[test]
    fn a_voltage_becomes_a_value_and_travels_beside_it() {
        let sample = sample(Ok(2032.375), WARM);
        assert_eq!(sample.outcome, Outcome::Measured(Value::new(4.0).unwrap()));
        assert_eq!(sample.millivolts.unwrap().get(), 2032.375);
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
    }

    #[test]
    fn a_value_computed_from_a_simulated_temperature_is_simulated() {
        let made_up = Some(Water { celsius: 25.0, simulated: true });
        assert!(sample(Ok(2032.375), made_up).flags.has(Flag::Simulated));
        assert!(sample(Ok(2032.375), None).flags.has(Flag::NoTemperature));
    }
}
