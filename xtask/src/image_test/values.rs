//! Whether what the server has is what the played chips gave, all of it and once. Pure.

use crate::verify::Stored;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A chip's four inputs.
pub(super) type Channels = [Steps; 4];

/// The voltages that an input goes through, in millivolts: a step at each reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pub(super) base: f64,
    pub(super) step: f64,
    pub(super) count: u32,
}

impl Steps {
    /// Whether it gave this, as far as the converter resolves at 4.096 V.
    fn gave(&self, millivolts: f64) -> bool {
        (0..self.count).any(|n| (self.base + self.step * f64::from(n) - millivolts).abs() < 0.126)
    }
}

/// Which input each metric is read from, in the configuration that is shipped.
const INPUTS: [(&str, usize); 4] = [("ph", 0), ("tds", 1), ("temperature", 2), ("volume", 3)];

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Sequence numbers that are not there, below one that is.
    pub(super) missing: usize,
    /// Stored again.
    pub(super) duplicates: usize,
    /// Readings with a voltage that the board's chip can't have given, or of a board that there is not.
    pub(super) foreign: usize,
}

/// Compares. `chips` is by serial, `names` says which serial has which name.
pub(super) fn judge(stored: &[Stored], chips: &BTreeMap<String, Channels>, names: &BTreeMap<String, String>) -> Found {
    let chip_of: BTreeMap<&str, &Channels> =
        names.iter().filter_map(|(serial, name)| Some((name.as_str(), chips.get(serial)?))).collect();
    let mut found = Found::default();
    let mut seen: BTreeMap<(&str, &str), BTreeSet<u64>> = BTreeMap::new();
    for Stored { device, record } in stored {
        if !seen.entry((device, &record.buffer)).or_default().insert(record.seq) {
            found.duplicates += 1;
        }
        let is_its_own = chip_of.get(device.as_str()).is_some_and(|chip| fits(&record.row, chip));
        found.foreign += usize::from(!is_its_own);
    }
    // A board that came back with another buffer has lost the one that it had.
    let boards: BTreeSet<&str> = seen.keys().map(|(device, _)| *device).collect();
    found.missing += seen.len() - boards.len();
    for numbers in seen.values() {
        // The first reading of a buffer has the number 1.
        let last = numbers.last().copied().unwrap_or_default();
        found.missing += usize::try_from(last).unwrap_or(usize::MAX).saturating_sub(numbers.len());
    }
    found
}

fn fits(row: &[Value], chip: &Channels) -> bool {
    let metric = row.get(3).and_then(Value::as_str);
    let input = INPUTS.iter().find(|(name, _)| Some(*name) == metric).map(|(_, input)| *input);
    let millivolts = row.get(5).and_then(Value::as_f64);
    let flags = row.get(6).and_then(Value::as_str).unwrap_or_default();
    let steps = input.and_then(|input| chip.get(input));
    !flags.contains("simulated") && steps.zip(millivolts).is_some_and(|(steps, mv)| steps.gave(mv))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Record;

    fn stored(device: &str, seq: u64, metric: &str, millivolts: f64, flags: &str) -> Stored {
        let row = serde_json::json!([seq, 1_763_690_400_000_u64, "synced", metric, 7.0, millivolts, flags]);
        let row = row.as_array().unwrap().clone();
        Stored { device: device.to_owned(), record: Record { buffer: "00c0ffee00c0ffee".to_owned(), seq, row } }
    }

    fn found(stored: &[Stored]) -> Found {
        let chip = [1500.0, 900.0, 1600.0, 1200.0].map(|base| Steps { base, step: 20.0, count: 5 });
        let chips = [("10000000deadbee1".to_owned(), chip)].into();
        judge(stored, &chips, &[("10000000deadbee1".to_owned(), "pi-1".to_owned())].into())
    }

    #[test]
    fn what_the_chip_gave_once_and_without_a_gap_is_good() {
        let all = [stored("pi-1", 1, "ph", 1520.125, ""), stored("pi-1", 2, "volume", 1280.0, "unstable")];
        assert_eq!(found(&all), Found::default());
    }

    #[test]
    fn gaps_doubles_and_what_is_not_the_chip_s_are_counted() {
        let ph = |seq, millivolts, flags| stored("pi-1", seq, "ph", millivolts, flags);
        let all = [
            ph(2, 1520.125, ""),
            ph(5, 1520.125, ""),
            ph(5, 1520.125, ""),
            ph(6, 1531.0, ""),
            ph(7, 1520.125, "simulated"),
            stored("pi-9", 1, "ph", 1520.125, ""),
        ];
        assert_eq!(found(&all), Found { missing: 3, duplicates: 1, foreign: 3 });
    }

    #[test]
    fn a_board_that_came_back_with_another_buffer_has_lost_something() {
        let mut other = stored("pi-1", 1, "ph", 1520.125, "");
        other.record.buffer = "00decade00decade".to_owned();
        assert_eq!(found(&[stored("pi-1", 1, "ph", 1520.125, ""), other]).missing, 1);
    }
}
