//! Builds the probes that a configuration names: one lane for each bus, one driver for each chip.

use crate::config::{self, Source};
use crate::probe::Probe;
use crate::probe::ads1115::{Address, Ads1115, Input};
use crate::probe::analog::Analog;
use crate::probe::bus::LinuxBus;
use crate::probe::recovery::Recovery;
use crate::probe::simulated::Simulated;
use crate::probe::w1::{DEVICES, Ds18b20};
use crate::sampler::{Lane, Slot};
use linux_embedded_hal::Delay;
use shared::Metric;
use shared::message::{ProbeReport, Sensors};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

type Chip = Arc<Mutex<Ads1115<LinuxBus, Delay>>>;
type Chips = BTreeMap<(PathBuf, Address), Chip>;

/// The bus whose lines are on pins that `gpio` knows.
const FIRST_BUS: &str = "i2c-1";

/// The lanes of the configured probes.
pub(crate) fn lanes(probes: &[config::Probe]) -> Vec<Lane> {
    let mut chips = Chips::new();
    let mut lanes: BTreeMap<String, Vec<Slot>> = BTreeMap::new();
    for probe in probes {
        let Some((lane, built)) = build(probe, &mut chips) else { continue };
        let slot = Slot { metric: probe.metric, interval: probe.interval, probe: built };
        lanes.entry(lane).or_default().push(slot);
    }
    lanes
        .into_iter()
        .map(|(name, mut slots)| {
            // The temperature first: the others are computed with it.
            slots.sort_by_key(|slot| slot.metric != Metric::Temperature);
            let recovery = (name == FIRST_BUS).then(recovery);
            Lane { name, slots, recovery }
        })
        .collect()
}

/// What the server is told about the configured probes.
pub(super) fn sensors(probes: &[config::Probe]) -> Sensors {
    Sensors::new(probes.iter().map(|probe| (probe.metric, report(probe))).collect())
}

fn build(probe: &config::Probe, chips: &mut Chips) -> Option<(String, Box<dyn Probe>)> {
    Some(match &probe.source {
        Source::Simulated { seed, worn, water } => {
            ("simulated".to_owned(), Box::new(Simulated::new(probe.metric, *seed, *worn)?.holding(*water)))
        }
        // Each read blocks for most of a second.
        Source::W1(w1) => {
            let probe = Ds18b20::new(Path::new(DEVICES), w1.id.clone(), w1.limits, w1.max_change_per_minute);
            (w1_name(w1), Box::new(probe))
        }
        Source::Ads1115(ads) => {
            let new = || Arc::new(Mutex::new(Ads1115::new(ads.address, Delay, LinuxBus::opener(ads.bus.clone()))));
            let chip = Arc::clone(chips.entry((ads.bus.clone(), ads.address)).or_insert_with(new));
            let input = Input::new(chip, ads.channel, ads.range, ads.rate);
            (name(&ads.bus), Box::new(Analog::new(input, ads.reading, ads.sensor.clone(), ads.limits)))
        }
    })
}

fn report(probe: &config::Probe) -> ProbeReport {
    let sensor = probe.sensor();
    let (source, limits) = match &probe.source {
        Source::Simulated { .. } => ("simulated".to_owned(), sensor.as_ref().map(|sensor| sensor.law().limits())),
        Source::W1(w1) => (w1_name(w1), Some(w1.limits)),
        Source::Ads1115(ads) => (format!("ads1115 {} {:?}", ads.address, ads.channel), Some(ads.limits)),
    };
    ProbeReport { source, sensor, limits }
}

fn recovery() -> Recovery {
    Recovery::new(Box::new(|| crate::gpio::bus_lines().map_err(|error| error.to_string())), Delay)
}

fn w1_name(w1: &config::W1) -> String {
    w1.id.as_ref().map_or("w1".to_owned(), |id| format!("w1 {id}"))
}

fn name(bus: &Path) -> String {
    bus.file_name().unwrap_or(bus.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::sensor::Sensor;

    const CONFIG: &str = r#"
        data_dir = "/tmp/a"
        server = { url = "https://tirta.local", ca_sha256 = "00000000000000000000000000000000000000000000000000000000000000aa" }
        [[probe]]
        metric = "ph"
        kind = "ads1115"
        interval_ms = 1000
        bus = "/dev/i2c-1"
        address = 0x48
        channel = 0
        [[probe]]
        metric = "temperature"
        kind = "ads1115"
        interval_ms = 1000
        bus = "/dev/i2c-1"
        address = 0x48
        channel = 1
        [[probe]]
        metric = "volume"
        kind = "ads1115"
        interval_ms = 1000
        bus = "/dev/i2c-3"
        address = 0x49
        channel = 0
        [[probe]]
        metric = "tds"
        kind = "simulated"
        interval_ms = 1000
    "#;

    const THERMOMETER: &str = r#"
        data_dir = "/tmp/a"
        server = { url = "https://tirta.local", ca_sha256 = "00000000000000000000000000000000000000000000000000000000000000aa" }
        [[probe]]
        metric = "temperature"
        kind = "w1"
        interval_ms = 1000
        id = "28-0316a2798b2f"
        [[probe]]
        metric = "pressure"
        kind = "ads1115"
        interval_ms = 1000
        bus = "/dev/i2c-1"
        address = 0x4b
        channel = 3
        full_kpa = 600.0
    "#;

    #[test]
    fn each_bus_is_a_lane_of_its_own_and_the_temperature_comes_first() {
        let config: config::Config = CONFIG.parse().unwrap();
        let lanes = lanes(&config.probes);
        let found: Vec<_> = lanes
            .iter()
            .map(|lane| (lane.name.as_str(), lane.slots.iter().map(|slot| slot.metric).collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            found,
            [
                ("i2c-1", vec![Metric::Temperature, Metric::Ph]),
                ("i2c-3", vec![Metric::Volume]),
                ("simulated", vec![Metric::Tds])
            ]
        );
    }

    #[test]
    fn only_the_bus_whose_pins_are_known_can_be_freed() {
        let config: config::Config = CONFIG.parse().unwrap();
        let freed: Vec<_> = lanes(&config.probes).iter().map(|lane| lane.recovery.is_some()).collect();
        assert_eq!(freed, [true, false, false]);
    }

    #[test]
    fn a_thermometer_that_blocks_has_a_lane_of_its_own() {
        let config: config::Config = THERMOMETER.parse().unwrap();
        let names: Vec<_> = lanes(&config.probes).into_iter().map(|lane| lane.name).collect();
        assert_eq!(names, ["i2c-1", "w1 28-0316a2798b2f"]);
    }

    #[test]
    fn the_server_is_told_what_each_probe_is() {
        let config: config::Config = THERMOMETER.parse().unwrap();
        let probes = sensors(&config.probes).probes;
        let thermometer = &probes[&Metric::Temperature];
        assert_eq!((thermometer.source.as_str(), &thermometer.sensor), ("w1 28-0316a2798b2f", &None));
        let pressure = &probes[&Metric::Pressure];
        assert_eq!(pressure.source, "ads1115 0x4b A3");
        assert!(matches!(pressure.sensor, Some(Sensor::Pressure(law)) if law.full_kpa == 600.0));
        assert_eq!(pressure.limits.unwrap().usual.1, 600.0);
    }
}
