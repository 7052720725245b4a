//! The probes: each is read once, or its last reading is taken from the running agent.

use super::{Finding, Machine};
use crate::cli::read::read;
use crate::config::{Config, Source};
use crate::local::Row;
use crate::time::Time;
use shared::reading::{Fault, Flag};

pub(super) async fn probes(config: &Config, time: &Time) -> Vec<Finding> {
    if config.probes.is_empty() {
        let advice = "add a [[probe]] to the configuration; agent.example.toml shows how";
        return vec![Finding::warning("probes", "none is configured", advice)];
    }
    match read(config, time).await {
        Ok(rows) => rows.iter().map(judge).collect(),
        Err(error) => vec![Finding::bad("probes", format!("they can't be read: {error}"), "see the agent's log")],
    }
}

fn judge(row: &Row) -> Finding {
    let about = format!("probe {}", row.metric);
    if let Some(fault) = &row.fault {
        let (text, advice) = in_words(Fault::from_wire(fault));
        return Finding::bad(about, format!("{text} ({fault})"), advice);
    }
    let volts = row.millivolts.map_or(String::new(), |mv| format!(" ({mv:.1} mV)"));
    let text = format!("{row}{volts}");
    let flags = row.flags();
    let advice = [
        (Flag::Simulated, ""),
        (Flag::Calibrating, "somebody calibrates it just now"),
        (Flag::NoTemperature, "no water temperature is measured: check the temperature probe"),
        (Flag::Saturated, "the probe is at the end of its range: the water may have more"),
        (Flag::Stuck, "the signal has not moved for long: check the probe's plug and whether it is in the water"),
        (Flag::Unstable, "the signal is noisy: check its cable, its shield and the other probes in the same tank"),
        (Flag::OutOfRange, "the value is unusual: check the probe and the water"),
        (Flag::Uncalibrated, "calibrate it: tirta-agent calibrate"),
    ];
    match advice.into_iter().find(|(flag, _)| flags.has(*flag)) {
        None => Finding::ok(about, text),
        Some((Flag::Simulated, _)) => Finding::ok(about, format!("{text}, simulated")),
        Some((_, advice)) => Finding::warning(about, format!("{text}, {flags}"), advice),
    }
}

/// What a fault means, and what to do about it.
fn in_words(fault: Fault) -> (&'static str, &'static str) {
    match fault {
        Fault::NoBus => ("its bus is not there", "see the lines about I2C"),
        Fault::NoAnswer => ("no answer", "check its supply, its wires and its address"),
        Fault::BusError => {
            ("the bus fails or hangs", "look for a short circuit or a loose wire; see the lines about I2C")
        }
        Fault::NotReady => ("it answers and never finishes", "check that it gets 3.3 V; if it does, replace the chip"),
        Fault::RailLow => ("no voltage", "look for a short circuit, or a sensor board without supply"),
        Fault::RailHigh => ("the voltage is at the upper end", "the probe is not plugged in, or a wire is broken"),
        Fault::OutOfRange => ("the value is impossible", "check what is connected to this input, and calibrate it"),
        Fault::Other => ("it fails in a way that this version does not know", "see the agent's log"),
    }
}

/// The thermometers on the 1-wire bus.
pub(super) fn w1(config: &Config, machine: &Machine) -> Vec<Finding> {
    let wanted = config.probes.iter().find_map(|probe| match &probe.source {
        Source::W1(w1) => Some(w1.id.as_deref()),
        _ => None,
    });
    let devices = machine.root.join("sys/bus/w1/devices");
    let Ok(entries) = std::fs::read_dir(devices) else {
        let advice =
            "enable 1-wire (sudo raspi-config, Interface Options; or dtoverlay=w1-gpio in config.txt) and restart";
        return wanted.map(|_| Finding::bad("1-wire", "the bus is not there", advice)).into_iter().collect();
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut found: Vec<_> = names.filter(|name| name.starts_with("28-")).collect();
    found.sort();
    let all = found.join(", ");
    let finding = match (wanted, found.len()) {
        (None, 0) => return vec![],
        (None, _) => {
            let advice = "add a [[probe]] with kind = \"w1\", or take it away";
            Finding::warning("1-wire", format!("{all} is there, and no probe is configured for it"), advice)
        }
        (Some(_), 0) => {
            let advice = "check its three wires and the 4.7 kOhm resistor between data and 3.3 V";
            Finding::bad("1-wire", "no thermometer answers", advice)
        }
        (Some(None), 1) => Finding::ok("1-wire", format!("{all} answers")),
        (Some(None), _) => {
            let advice = "say in the configuration which one is meant: id = \"28-...\"";
            Finding::bad("1-wire", format!("there are several: {all}"), advice)
        }
        (Some(Some(id)), _) if found.iter().any(|name| name == id) => Finding::ok("1-wire", format!("{id} answers")),
        (Some(Some(id)), _) => {
            let advice = "check its wires, or correct the id in the configuration";
            Finding::bad("1-wire", format!("{id} does not answer; there is {all}"), advice)
        }
    };
    vec![finding]
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::tests::{config, machine};
    use super::*;
    use shared::{ClockQuality, Metric, Stamp, UtcMillis};

    fn row(value: Option<f64>, fault: Option<&str>, flags: &str) -> Row {
        Row {
            metric: Metric::Ph,
            value,
            unit: "pH".to_owned(),
            fault: fault.map(str::to_owned),
            millivolts: value.map(|_| 1497.25),
            spread: None,
            flags: flags.to_owned(),
            stamp: Stamp { at: UtcMillis(0), clock: ClockQuality::Synced },
            age_ms: 0,
        }
    }

    #[test]
    fn a_reading_is_judged_by_what_somebody_has_to_do() {
        for (row, verdict, word) in [
            (row(Some(7.02), None, ""), Verdict::Ok, "7.02 pH"),
            (row(Some(7.02), None, "simulated uncalibrated"), Verdict::Ok, "simulated"),
            (row(Some(7.02), None, "uncalibrated"), Verdict::Warning, "uncalibrated"),
            (row(None, Some("rail_high"), ""), Verdict::Bad, "rail_high"),
        ] {
            let finding = judge(&row);
            assert_eq!(finding.verdict, verdict, "{finding:?}");
            assert!(finding.text.contains(word) && finding.advice.is_some() == (verdict != Verdict::Ok), "{finding:?}");
        }
    }

    #[test]
    fn every_fault_has_words_and_advice() {
        let all: std::collections::BTreeSet<_> = Fault::ALL.iter().map(|fault| in_words(*fault)).collect();
        assert_eq!(all.len(), Fault::ALL.len());
    }

    #[test]
    fn the_thermometer_that_is_meant_must_be_there() {
        let none = config("");
        let any = config("[[probe]]\nmetric = \"temperature\"\nkind = \"w1\"\ninterval_ms = 1000\n");
        let one = config("[[probe]]\nmetric = \"temperature\"\nkind = \"w1\"\nid = \"28-00aa\"\ninterval_ms = 1000\n");
        let (folder, machine) = machine();
        assert!(w1(&none, &machine).is_empty());
        assert!(w1(&any, &machine)[0].text.contains("the bus is not there"));
        let devices = folder.path().join("sys/bus/w1/devices");
        std::fs::create_dir_all(&devices).unwrap();
        assert!(w1(&any, &machine)[0].text.contains("no thermometer"));
        std::fs::create_dir(devices.join("28-00bb")).unwrap();
        assert_eq!(w1(&any, &machine)[0].verdict, Verdict::Ok);
        assert_eq!(w1(&none, &machine)[0].verdict, Verdict::Warning);
        assert!(w1(&one, &machine)[0].text.contains("28-00aa does not answer; there is 28-00bb"));
        std::fs::create_dir(devices.join("28-00aa")).unwrap();
        assert_eq!(w1(&one, &machine)[0].verdict, Verdict::Ok);
        assert!(w1(&any, &machine)[0].text.contains("several"));
    }
}
