//! One line of a table of readings: words of the wire, numbers with a point, times in UTC and in a zone, whatever the reader's
//! language is. Knows no file.

use crate::registry::cell::neutralised;
use crate::store::Revised;
use jiff::{Timestamp, tz::TimeZone};
use shared::{DeviceName, Flag, Outcome};
use std::fmt::{self, Write};

/// The columns. Signals and their spread are in millivolts.
pub const HEADING: &str =
    "time_utc,time_local,device,location,metric,value,unit,fault,clock,flags,signal_mv,spread_mv,revision\r\n";

/// By this a spreadsheet knows that a file is UTF-8.
pub const MARK: &str = "\u{feff}";

/// What stands in every line of a device: its name and place.
pub fn place(device: &DeviceName, location: Option<&str>) -> String {
    format!("{device},{}", cell(location.unwrap_or_default()))
}

/// A text as a cell (RFC 4180) that no spreadsheet takes for a formula.
pub fn cell(text: &str) -> String {
    let text = neutralised(text);
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Adds the line of a reading. All but the place are numbers and words of the contract, which need no quotation marks.
///
/// # Errors
/// None: a text takes whatever is written to it.
pub fn put(out: &mut String, place: &str, revised: &Revised, zone: &TimeZone) -> fmt::Result {
    let reading = &revised.reading;
    put_times(out, reading.stamp.at.0, zone)?;
    write!(out, ",{place},{},", reading.metric)?;
    match reading.outcome {
        Outcome::Measured(value) => write!(out, "{},{},", value.get(), reading.metric.unit().symbol())?,
        Outcome::Fault(fault) => write!(out, ",{},{}", reading.metric.unit().symbol(), fault.as_str())?,
    }
    write!(out, ",{},", reading.stamp.clock.as_str())?;
    for (n, flag) in reading.flags.iter().enumerate() {
        write!(out, "{}{}", if n == 0 { "" } else { " " }, Flag::as_str(flag))?;
    }
    for number in [reading.millivolts, reading.spread] {
        out.push(',');
        if let Some(number) = number {
            write!(out, "{}", number.get())?;
        }
    }
    write!(out, ",{}\r\n", revised.revision)
}

/// The same instant in UTC and in the zone, with what the zone is ahead.
fn put_times(out: &mut String, at: i64, zone: &TimeZone) -> fmt::Result {
    let Ok(at) = Timestamp::from_millisecond(at) else { return write!(out, "{at},") };
    write!(out, "{at:.3},{:.3}", at.display_with_offset(zone.to_offset(at)))
}

/// An instant in UTC (ISO 8601).
pub fn utc(at: i64) -> String {
    Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{BufferId, ClockQuality, Fault, Flags, Metric, Reading, Stamp, UtcMillis, Value};

    fn shown(reading: Reading, location: &str) -> String {
        let revised = Revised { reading, buffer: BufferId::from_random(1), revision: 2 };
        let zone = TimeZone::get("Asia/Jakarta").unwrap();
        let mut out = String::new();
        put(&mut out, &place(&DeviceName::numbered(7), Some(location)), &revised, &zone).unwrap();
        out
    }

    #[test]
    fn a_line_says_all_of_a_reading_in_words_that_no_language_changes() {
        let measured = Reading {
            seq: 1,
            stamp: Stamp { at: UtcMillis(1_763_690_400_005), clock: ClockQuality::Synced },
            metric: Metric::Temperature,
            outcome: Outcome::Measured(Value::new(-1.5).unwrap()),
            millivolts: Some(Value::new(1497.25).unwrap()),
            flags: Flags::NONE.with(Flag::Simulated).with(Flag::Stuck),
            spread: None,
        };
        let times = "2025-11-21T02:00:00.005Z,2025-11-21T09:00:00.005+07:00";
        assert_eq!(
            shown(measured, "Kolam 1, utara"),
            format!("{times},pi-7,\"Kolam 1, utara\",temperature,-1.5,°C,,synced,simulated stuck,1497.25,,2\r\n")
        );
        let fault = Reading { outcome: Outcome::Fault(Fault::NoAnswer), flags: Flags::NONE, ..measured };
        let line = shown(fault, "=cmd()|\"x\"");
        assert!(line.contains(",\"'=cmd()|\"\"x\"\"\",temperature,,°C,no_answer,synced,,1497.25,,2"), "{line}");
        assert_eq!(line.matches(',').count(), HEADING.matches(',').count());
    }
}
