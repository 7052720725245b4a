//! The comparison on which everything rests: what the agents recorded against what the database holds.

use crate::error::Error;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, fmt, ops::RangeInclusive};

/// How many examples of each kind of difference are worth printing.
const EXAMPLES: usize = 5;

/// A reading as its agent recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The buffer that holds it.
    pub buffer: String,
    /// Its place there.
    pub seq: u64,
    /// All of it, as it is on the wire.
    pub row: Vec<Value>,
}

/// A reading as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Whose it is.
    pub device: String,
    /// The reading itself.
    pub record: Record,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    device: String,
    buffer: String,
    reading: Vec<Value>,
}

impl Record {
    /// Reads a line of `tirta-agent records`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(line: &str) -> Result<Self, Error> {
        let wrong = || Error::Output { program: "tirta-agent records".to_owned(), line: line.to_owned() };
        let Line { buffer, reading, .. } = serde_json::from_str(line).map_err(|_| wrong())?;
        let seq = reading.first().and_then(Value::as_u64).ok_or_else(wrong)?;
        Ok(Self { buffer, seq, row: reading })
    }
}

impl Stored {
    /// Reads a line of `tirta-server export`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(line: &str) -> Result<Self, Error> {
        let wrong = || Error::Output { program: "tirta-server export".to_owned(), line: line.to_owned() };
        let Line { device, buffer, reading } = serde_json::from_str(line).map_err(|_| wrong())?;
        let seq = reading.first().and_then(Value::as_u64).ok_or_else(wrong)?;
        if device.is_empty() {
            return Err(wrong());
        }
        Ok(Self { device, record: Record { buffer, seq, row: reading } })
    }
}

/// What the comparison found. Its JSON is the last line of `demo` and `chaos`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Devices compared.
    pub devices: usize,
    /// Readings that the agents recorded.
    pub pushed: usize,
    /// Readings that the database holds.
    pub stored: usize,
    /// Recorded, and not stored.
    pub missing: usize,
    /// Stored more than once.
    pub duplicates: usize,
    /// Stored with another content than recorded.
    pub different: usize,
    /// Stored, and recorded by no agent.
    pub unknown: usize,
    /// Stored with a time that is said to be right and can't be; only where clocks are made to jump.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_times: Option<usize>,
    /// A few of each, for people.
    #[serde(skip)]
    pub examples: Vec<String>,
}

impl Verdict {
    /// Compares by device, buffer and sequence; `pushed` is by device.
    pub fn of(pushed: &BTreeMap<String, Vec<Record>>, stored: &[Stored]) -> Self {
        let mut verdict = Self {
            devices: pushed.len(),
            pushed: pushed.values().map(Vec::len).sum(),
            stored: stored.len(),
            ..Self::default()
        };
        let mut found: BTreeMap<(&str, &str, u64), Vec<&[Value]>> = BTreeMap::new();
        for Stored { device, record } in stored {
            found.entry((device, &record.buffer, record.seq)).or_default().push(&record.row);
        }
        let all = pushed.iter().flat_map(|(device, records)| records.iter().map(move |record| (device, record)));
        for (device, record) in all {
            let key = (device.as_str(), record.buffer.as_str(), record.seq);
            match found.remove(&key).as_deref() {
                None => verdict.count("missing", key, |v| &mut v.missing, 1),
                Some([first, again @ ..]) => {
                    verdict.count("stored again", key, |v| &mut v.duplicates, again.len());
                    let differs = !same(&record.row, first);
                    verdict.count("different", key, |v| &mut v.different, usize::from(differs));
                }
                Some([]) => {}
            }
        }
        for (key, rows) in found {
            verdict.count("unknown", key, |v| &mut v.unknown, rows.len());
        }
        verdict
    }

    /// Counts stored readings that are said to be synced or repaired and lie outside of `span` (UTC milliseconds).
    pub fn judge_times(&mut self, stored: &[Stored], span: &RangeInclusive<i64>) {
        let is_false = |row: &[Value]| {
            let (time, clock) = (row.get(1).and_then(Value::as_i64), row.get(2).and_then(Value::as_str));
            clock != Some("unsynced") && !time.is_some_and(|time| span.contains(&time))
        };
        let all: Vec<_> = stored.iter().filter(|stored| is_false(&stored.record.row)).collect();
        let shown =
            all.iter().take(EXAMPLES).map(|Stored { device, record }| format!("false time: {device}, {record:?}"));
        self.examples.extend(shown);
        self.false_times = Some(all.len());
    }

    fn count(&mut self, what: &str, key: (&str, &str, u64), field: fn(&mut Self) -> &mut usize, n: usize) {
        let before = *field(self);
        *field(self) += n;
        if n > 0 && before < EXAMPLES {
            let (device, buffer, seq) = key;
            self.examples.push(format!("{what}: {device}, buffer {buffer}, sequence {seq}"));
        }
    }

    /// Nothing is missing, doubled, changed, invented or at a false time, and there was something to compare.
    pub fn is_good(&self) -> bool {
        let odd = self.missing + self.duplicates + self.different + self.unknown + self.false_times.unwrap_or(0);
        self.pushed > 0 && odd == 0
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// 7 and 7.0 are one number; everything else has to be the same.
fn same(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| a == b || a.as_f64().is_some_and(|number| Some(number) == b.as_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seq: u64, value: f64) -> Record {
        let row = serde_json::json!([seq, 1_763_690_400_000_u64, "synced", "ph", value, null, "simulated"]);
        Record { buffer: "00c0ffee00c0ffee".to_owned(), seq, row: row.as_array().unwrap().clone() }
    }

    fn stored(device: &str, record: Record) -> Stored {
        Stored { device: device.to_owned(), record }
    }

    fn pushed() -> BTreeMap<String, Vec<Record>> {
        [("pi-1".to_owned(), vec![record(1, 7.0), record(2, 7.1)]), ("pi-2".to_owned(), vec![record(1, 6.0)])].into()
    }

    #[test]
    fn all_that_was_recorded_and_nothing_else_is_good() {
        let all = [stored("pi-1", record(1, 7.0)), stored("pi-1", record(2, 7.1)), stored("pi-2", record(1, 6.0))];
        let verdict = Verdict::of(&pushed(), &all);
        assert!(verdict.is_good());
        let line = r#"{"devices":2,"pushed":3,"stored":3,"missing":0,"duplicates":0,"different":0,"unknown":0}"#;
        assert_eq!(verdict.to_string(), line);
    }

    #[test]
    fn each_kind_of_difference_is_counted_and_none_hides_another() {
        let odd = [
            stored("pi-1", record(1, 7.0)),
            stored("pi-1", record(1, 7.0)),
            stored("pi-1", record(1, 7.0)),
            stored("pi-2", record(1, 6.5)),
            stored("pi-3", record(1, 6.0)),
        ];
        let verdict = Verdict::of(&pushed(), &odd);
        let counts = (verdict.missing, verdict.duplicates, verdict.different, verdict.unknown);
        assert_eq!(counts, (1, 2, 1, 1));
        assert!(!verdict.is_good());
        assert_eq!(verdict.examples.len(), 4);
    }

    #[test]
    fn a_time_that_is_said_to_be_right_and_can_not_be_is_counted() {
        let at = |time: i64, clock: &str| {
            let row = serde_json::json!([1, time, clock, "ph", 7.0, null, ""]);
            let row = row.as_array().unwrap().clone();
            stored("pi-1", Record { row, ..record(1, 7.0) })
        };
        let mut verdict = Verdict::of(&pushed(), &[]);
        let rows = [at(5, "unsynced"), at(5, "repaired"), at(900, "synced"), at(150, "synced"), at(100, "repaired")];
        verdict.judge_times(&rows, &(100..=200));
        assert_eq!(verdict.false_times, Some(2));
        let good = Verdict { missing: 0, false_times: Some(0), ..verdict.clone() };
        assert!(good.is_good() && !Verdict { false_times: Some(1), ..good }.is_good());
    }

    #[test]
    fn a_comparison_of_nothing_proves_nothing() {
        assert!(!Verdict::of(&BTreeMap::new(), &[]).is_good());
    }

    #[test]
    fn a_whole_number_may_be_written_either_way_but_a_word_is_no_number() {
        let row = |text: &str| serde_json::from_str::<Vec<Value>>(text).unwrap();
        assert!(same(&row("[1,7]"), &row("[1,7.0]")));
        assert!(!same(&row("[1,7]"), &row("[1,\"7\"]")));
        assert!(!same(&row("[1,null]"), &row("[1,0]")));
        assert!(!same(&row("[1]"), &row("[1,2]")));
    }

    #[test]
    fn a_line_without_device_or_sequence_is_refused() {
        assert!(Stored::parse(r#"{"buffer":"x","reading":[1]}"#).is_err());
        assert!(Stored::parse(r#"{"device":"pi-1","buffer":"x","reading":["a"]}"#).is_err());
        assert!(Record::parse(r#"{"buffer":"x","reading":[]}"#).is_err());
    }
}
