//! Builds the probes that a configuration names: one lane for each bus, one driver for each chip.

use crate::config;
use crate::probe::Probe;
use crate::probe::ads1115::{Address, Ads1115, LinuxBus};
use crate::probe::analog::Analog;
use crate::probe::simulated::Simulated;
use crate::sampler::{Lane, Slot};
use linux_embedded_hal::Delay;
use shared::Metric;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

type Chip = Arc<Mutex<Ads1115<LinuxBus, Delay>>>;

/// The lanes of the configured probes.
pub(crate) fn lanes(probes: &[config::Probe]) -> Vec<Lane> {
    let mut chips: BTreeMap<(PathBuf, Address), Chip> = BTreeMap::new();
    let mut lanes: BTreeMap<String, Vec<Slot>> = BTreeMap::new();
    for probe in probes {
        let (lane, built) = build(probe, &mut chips);
        let Some(built) = built else { continue };
        let slot = Slot { metric: probe.metric, interval: probe.interval, probe: built };
        lanes.entry(lane).or_default().push(slot);
    }
    lanes
        .into_iter()
        .map(|(name, mut slots)| {
            // The temperature first: the others are computed with it.
            slots.sort_by_key(|slot| slot.metric != Metric::Temperature);
            Lane { name, slots }
        })
        .collect()
}

fn build(probe: &config::Probe, chips: &mut BTreeMap<(PathBuf, Address), Chip>) -> (String, Option<Box<dyn Probe>>) {
    match &probe.source {
        config::Source::Simulated { seed } => {
            let simulated = Simulated::new(probe.metric, *seed);
            ("simulated".to_owned(), simulated.map(|simulated| Box::new(simulated) as Box<dyn Probe>))
        }
        config::Source::Ads1115 { bus, chip, channel, rails, sensor, limits } => {
            let driver = chips
                .entry((bus.clone(), chip.address))
                .or_insert_with(|| Arc::new(Mutex::new(Ads1115::new(*chip, Delay, LinuxBus::opener(bus.clone())))));
            let (converter, channel, rails) = (Arc::clone(driver), *channel, *rails);
            let analog = Analog { converter, channel, rails, sensor: sensor.clone(), limits: *limits };
            (name(bus), Some(Box::new(analog)))
        }
    }
}

fn name(bus: &Path) -> String {
    bus.file_name().unwrap_or(bus.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
