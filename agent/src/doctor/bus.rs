//! The I2C buses: are they there, may they be used, and which converters answer?

use super::{Finding, Machine};
use crate::config::{Config, Source};
use crate::probe::ads1115::Address;
use crate::probe::bus::LinuxBus;
use embedded_hal::i2c::{Error, ErrorKind, I2c};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// Where an ADS1115 can be.
const ADDRESSES: std::ops::RangeInclusive<u8> = 0x48..=0x4b;

pub(super) fn buses(config: &Config, machine: &Machine) -> Vec<Finding> {
    let mut needed: BTreeMap<&PathBuf, BTreeSet<Address>> = BTreeMap::new();
    for probe in &config.probes {
        if let Source::Ads1115(ads) = &probe.source {
            needed.entry(&ads.bus).or_default().insert(ads.address);
        }
    }
    if needed.is_empty() {
        return vec![Finding::ok("I2C", "no probe needs it")];
    }
    needed.into_iter().flat_map(|(path, configured)| bus(path, &configured, machine)).collect()
}

fn bus(path: &Path, configured: &BTreeSet<Address>, machine: &Machine) -> Vec<Finding> {
    let about = format!("I2C {}", path.display());
    match LinuxBus::open(path) {
        Ok(mut bus) => scan(&about, &mut bus, configured),
        Err(error) => vec![closed(&about, &error, machine)],
    }
}

fn closed(about: &str, error: &io::Error, machine: &Machine) -> Finding {
    match error.kind() {
        io::ErrorKind::NotFound if machine.root.join("sys/module/i2c_dev").exists() => Finding::bad(
            about,
            "the bus is not there",
            "enable I2C (sudo raspi-config, Interface Options, I2C; or dtparam=i2c_arm=on in config.txt) and restart",
        ),
        io::ErrorKind::NotFound => Finding::bad(
            about,
            "the bus is not there and the kernel's module is not loaded",
            "enable I2C (sudo raspi-config, Interface Options, I2C) and restart; for now: sudo modprobe i2c-dev",
        ),
        io::ErrorKind::PermissionDenied => Finding::bad(
            about,
            "this user may not use the bus",
            "run this as root (sudo), and put the agent's user into the group i2c: sudo adduser tirta-agent i2c",
        ),
        _ => Finding::bad(about, format!("it can't be opened: {error}"), "restart the device"),
    }
}

/// Asks each address where a converter can be. A byte that is read changes nothing in the chip.
fn scan<B: I2c>(about: &str, bus: &mut B, configured: &BTreeSet<Address>) -> Vec<Finding> {
    let mut findings = vec![];
    for address in ADDRESSES {
        let known = Address::new(address).is_some_and(|address| configured.contains(&address));
        match (bus.read(address, &mut [0]).map_err(|error| error.kind()), known) {
            (Ok(()), true) => findings.push(Finding::ok(about, format!("the converter at {address:#04x} answers"))),
            (Ok(()), false) => findings.push(Finding::warning(
                about,
                format!("something answers at {address:#04x}, and no probe is configured there"),
                "add its probes to the configuration, or take the converter away",
            )),
            (Err(ErrorKind::NoAcknowledge(_)), true) => findings.push(Finding::bad(
                about,
                format!("no answer from the converter at {address:#04x}"),
                "check its supply, the wires SDA and SCL, and where its pin ADDR goes \
                 (GND 0x48, VDD 0x49, SDA 0x4a, SCL 0x4b)",
            )),
            (Err(ErrorKind::NoAcknowledge(_)), false) => {}
            (Err(kind), _) => {
                findings.push(Finding::bad(
                    about,
                    format!("the bus is stuck ({kind})"),
                    "look for a short circuit between SDA, SCL and ground; unplug one chip after the other; \
                     switch the device off and on",
                ));
                return findings;
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use embedded_hal::i2c::NoAcknowledgeSource;
    use embedded_hal_mock::eh1::i2c::{Mock, Transaction};

    fn answers(address: u8) -> Transaction {
        Transaction::read(address, vec![0])
    }

    fn silent(address: u8) -> Transaction {
        answers(address).with_error(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address))
    }

    fn scanned(expected: &[Transaction], configured: &[u8]) -> Vec<(Verdict, String)> {
        let mut bus = Mock::new(expected);
        let configured = configured.iter().filter_map(|address| Address::new(*address)).collect();
        let findings = scan("I2C", &mut bus, &configured);
        bus.done();
        findings.into_iter().map(|finding| (finding.verdict, finding.text)).collect()
    }

    #[test]
    fn each_converter_is_found_missing_or_unknown() {
        let found = scanned(&[answers(0x48), silent(0x49), answers(0x4a), silent(0x4b)], &[0x48, 0x49]);
        let verdicts: Vec<_> = found.iter().map(|(verdict, _)| *verdict).collect();
        assert_eq!(verdicts, [Verdict::Ok, Verdict::Bad, Verdict::Warning]);
        assert!(found[1].1.contains("no answer from the converter at 0x49") && found[2].1.contains("0x4a"));
    }

    #[test]
    fn a_stuck_bus_is_said_once() {
        let found = scanned(&[answers(0x48).with_error(ErrorKind::Bus)], &[0x48, 0x49]);
        assert_eq!(found.len(), 1);
        assert!(found[0].1.contains("stuck"), "{found:?}");
    }

    #[test]
    fn a_bus_that_is_not_there_says_how_to_get_one() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine { root: folder.path().to_owned() };
        let found = bus(&folder.path().join("i2c-1"), &BTreeSet::new(), &machine);
        assert!(found[0].advice.as_ref().unwrap().contains("modprobe"), "{found:?}");
        std::fs::create_dir_all(folder.path().join("sys/module/i2c_dev")).unwrap();
        let found = bus(&folder.path().join("i2c-1"), &BTreeSet::new(), &machine);
        assert!(found[0].advice.as_ref().unwrap().contains("raspi-config"), "{found:?}");
        let denied = closed("I2C", &io::ErrorKind::PermissionDenied.into(), &machine);
        assert!(denied.advice.unwrap().contains("group i2c"));
    }
}
