//! A DS18B20 thermometer on the 1-wire bus, through the files of the kernel's driver. It yields degrees and
//! no voltage, and comes calibrated from its factory. Knows no bus timing: a read takes 750 ms at 12 bit.

use super::steady::Pace;
use super::{Circumstances, Probe, Sample};
use shared::Metric;
use shared::reading::{Fault, Flags};
use shared::sensor::Limits;
use std::io;
use std::path::{Path, PathBuf};

/// Where the kernel lists the bus.
pub const DEVICES: &str = "/sys/bus/w1/devices";
/// The family of the DS18B20, with which the names of its kind begin.
const FAMILY: &str = "28-";
/// What it says after it got power and before it has measured (data sheet, "power-on reset value").
const POWER_ON: f64 = 85.0;
/// Water that really has 85 degrees had nearly as many before.
const NEIGHBOUR: f64 = 5.0;

/// A thermometer.
pub struct Ds18b20 {
    devices: PathBuf,
    id: Option<String>,
    limits: Limits,
    pace: Pace,
    last: Option<f64>,
    complained: bool,
}

impl Ds18b20 {
    /// The thermometer of this name below `devices`; without a name the only one there. A change of more
    /// than `max_change_per_minute` degrees is flagged.
    pub fn new(devices: &Path, id: Option<String>, limits: Limits, max_change_per_minute: Option<f64>) -> Self {
        let pace = Pace::new(max_change_per_minute);
        Self { devices: devices.to_owned(), id, limits, pace, last: None, complained: false }
    }

    fn celsius(&mut self) -> Result<f64, Fault> {
        let name = match &self.id {
            Some(id) => id.clone(),
            None => self.only()?,
        };
        let text =
            std::fs::read_to_string(self.devices.join(name).join("w1_slave")).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Fault::NoAnswer,
                _ => Fault::BusError,
            })?;
        let celsius = parse(&text)?;
        let close = |last: f64| (last - celsius).abs() <= NEIGHBOUR;
        #[allow(clippy::float_cmp)] // it says exactly that
        if celsius == POWER_ON && !self.last.is_some_and(close) {
            return Err(Fault::NotReady);
        }
        self.last = Some(celsius);
        Ok(celsius)
    }

    /// The name of the only thermometer on the bus.
    fn only(&mut self) -> Result<String, Fault> {
        let entries = std::fs::read_dir(&self.devices).map_err(|_| Fault::NoBus)?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut found: Vec<String> = names.filter(|name| name.starts_with(FAMILY)).collect();
        if found.len() > 1 && !self.complained {
            found.sort();
            tracing::warn!(?found, "there are several thermometers on the 1-wire bus: say which one with `id`");
            self.complained = true;
        }
        match found.pop() {
            Some(only) if found.is_empty() => Ok(only),
            _ => Err(Fault::NoAnswer),
        }
    }
}

impl Probe for Ds18b20 {
    fn sample(&mut self, circumstances: &Circumstances) -> Sample {
        let celsius = match self.celsius() {
            Ok(celsius) => celsius,
            Err(fault) => return Sample::fault(fault),
        };
        let converted = self.limits.judge(celsius);
        let pace = converted.value.map_or(Flags::NONE, |value| self.pace.judge(circumstances.now, value));
        Sample::new(Metric::Temperature, converted.value, None, converted.flags.union(pace))
    }
}

/// Reads what the driver says: two lines with the nine bytes of the thermometer's memory, the first one
/// ending with the verdict on their checksum, the second one with thousandths of a degree.
fn parse(text: &str) -> Result<f64, Fault> {
    // The driver says nothing at all if the thermometer went away just now.
    let (first, second) = text.trim_end().split_once('\n').ok_or(Fault::NoAnswer)?;
    let (bytes, verdict) = first.split_once(':').ok_or(Fault::BusError)?;
    // A data line that is shorted to ground reads as zeros, whose checksum is right.
    let silent = bytes.split_ascii_whitespace().all(|byte| byte == "00");
    if silent || !verdict.trim_end().ends_with("YES") {
        return Err(Fault::BusError);
    }
    let thousandths = second.rsplit_once("t=").and_then(|(_, number)| number.trim().parse::<i32>().ok());
    thousandths.map(|thousandths| f64::from(thousandths) / 1000.0).ok_or(Fault::BusError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::UtcMillis;
    use shared::reading::{Flag, Outcome, Value};
    use tempfile::TempDir;

    const ID: &str = "28-0316a2798b2f";

    struct Bench {
        devices: TempDir,
        probe: Ds18b20,
    }

    fn bench(id: Option<&str>) -> Bench {
        let devices = tempfile::tempdir().unwrap();
        let limits = Limits { possible: (-5.0, 100.0), usual: (5.0, 45.0) };
        let probe = Ds18b20::new(devices.path(), id.map(str::to_owned), limits, Some(10.0));
        Bench { devices, probe }
    }

    impl Bench {
        fn says(&self, id: &str, text: &str) {
            let folder = self.devices.path().join(id);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("w1_slave"), text).unwrap();
        }

        fn has(&self, thousandths: i32) {
            self.says(
                ID,
                &format!("73 01 4b 46 7f ff 0d 10 41 : crc=41 YES\n73 01 4b 46 7f ff 0d 10 41 t={thousandths}\n"),
            );
        }

        fn sample(&mut self) -> Sample {
            self.probe.sample(&Circumstances { now: UtcMillis(0), water: None, calibration: None })
        }

        fn fault(&mut self) -> Fault {
            match self.sample().outcome {
                Outcome::Fault(fault) => fault,
                Outcome::Measured(value) => panic!("{value:?}"),
            }
        }
    }

    #[test]
    fn the_only_thermometer_is_found_and_yields_degrees_without_a_voltage() {
        let mut bench = bench(None);
        bench.has(23_187);
        bench.says("w1_bus_master1", "");
        let sample = bench.sample();
        assert_eq!(sample.outcome, Outcome::Measured(Value::new(23.19).unwrap()));
        assert_eq!((sample.millivolts, sample.flags), (None, Flags::NONE));
        bench.has(-1_250);
        assert_eq!(bench.sample().outcome, Outcome::Measured(Value::new(-1.25).unwrap()));
    }

    #[test]
    fn one_of_several_has_to_be_named() {
        let mut bench = bench(None);
        bench.has(20_000);
        bench.says("28-000000000001", "");
        assert_eq!(bench.fault(), Fault::NoAnswer);
        bench.probe.id = Some(ID.to_owned());
        assert_eq!(bench.sample().outcome, Outcome::Measured(Value::new(20.0).unwrap()));
    }

    #[test]
    fn a_thermometer_that_is_not_there_and_a_bus_that_is_not_there_are_two_faults() {
        let mut bench = bench(Some(ID));
        assert_eq!(bench.fault(), Fault::NoAnswer);
        bench.says(ID, "");
        assert_eq!(bench.fault(), Fault::NoAnswer, "the driver says nothing when it has just gone");
        bench.probe = Ds18b20::new(Path::new("/nowhere"), None, bench.probe.limits, None);
        assert_eq!(bench.fault(), Fault::NoBus);
    }

    #[test]
    fn a_wrong_checksum_and_a_shorted_wire_are_faults_and_never_zero_degrees() {
        let mut bench = bench(Some(ID));
        for text in [
            "73 01 4b 46 7f ff 0d 10 41 : crc=99 NO\n73 01 4b 46 7f ff 0d 10 41 t=23187\n",
            "00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n",
            "73 01 4b 46 7f ff 0d 10 41 : crc=41 YES\n73 01 4b 46 7f ff 0d 10 41 t=warm\n",
            "\u{0}\n\u{0}",
        ] {
            bench.says(ID, text);
            assert_eq!(bench.fault(), Fault::BusError, "{text}");
        }
    }

    #[test]
    fn the_power_on_value_is_no_temperature_unless_its_neighbour_agrees() {
        let mut bench = bench(Some(ID));
        bench.has(85_000);
        assert_eq!(bench.fault(), Fault::NotReady);
        bench.has(25_000);
        bench.sample();
        bench.has(85_000);
        assert_eq!(bench.fault(), Fault::NotReady);
        bench.has(83_500);
        bench.sample();
        bench.has(85_000);
        assert_eq!(bench.sample().outcome, Outcome::Measured(Value::new(85.0).unwrap()));
    }

    #[test]
    fn impossible_unusual_and_sudden_temperatures_are_told() {
        let mut bench = bench(Some(ID));
        bench.has(125_000);
        assert_eq!(bench.fault(), Fault::OutOfRange);
        bench.has(44_000);
        assert_eq!(bench.sample().flags, Flags::NONE);
        bench.has(60_000);
        assert_eq!(bench.sample().flags, Flags::NONE.with(Flag::OutOfRange).with(Flag::Unstable));
    }
}
