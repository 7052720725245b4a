//! Readings packed into bytes, and what can be known of them without unpacking. Knows no database.
//!
//! The form, version 2: the version's byte, then for each metric its name and the length of its
//! part, and in that part the number of readings and one column after the other: sequences, times,
//! clock and flags, outcomes, values, which of them have millivolts, millivolts, which of them have a spread,
//! spreads. Version 1 ends before the spreads. The metric stands
//! by name and everything else by codes that are only ever appended to, so that old rows stay readable.

use super::{
    StoreError,
    column::{Damage, Reader, Trend, put_floats, put_ints, put_runs, put_varint},
};
use shared::{ClockQuality, Fault, Flags, Metric, Outcome, Reading, Stamp, UtcMillis, Value};

const VERSION: u8 = 2;
/// The form before readings had a spread.
const WITHOUT_SPREAD: u8 = 1;
/// Most readings that a segment is given: enough to make its row's own bytes count for little.
const MOST: usize = 2_000;
/// Most readings that one part can hold. Bounds what a damaged length can make us reserve.
const LIMIT: usize = 100_000;
/// A UTC day, the longest time that a segment spans.
pub(super) const DAY_MS: i64 = 86_400_000;

const MEASURED: u64 = 0;
/// A fault that only a newer version could name. It has a code of its own below the others, so that
/// new faults can be appended.
const UNNAMED: u64 = 1;

/// What is known of some readings without unpacking them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary {
    pub first_seq: i64,
    pub last_seq: i64,
    pub first_at: i64,
    pub last_at: i64,
    pub readings: i64,
    pub measured: i64,
    /// Least, greatest and sum of what was measured.
    pub range: Option<(f64, f64, f64)>,
}

impl Summary {
    /// `None` of nothing.
    pub(super) fn of(readings: &[Reading]) -> Option<Self> {
        let (first, last) = (readings.first()?, readings.last()?);
        let mut summary = Self {
            first_seq: first.seq.cast_signed(),
            last_seq: last.seq.cast_signed(),
            first_at: first.stamp.at.0,
            last_at: first.stamp.at.0,
            readings: readings.len() as i64,
            measured: 0,
            range: None,
        };
        for reading in readings {
            // Times may step back where a clock was set; sequences never do.
            summary.first_at = summary.first_at.min(reading.stamp.at.0);
            summary.last_at = summary.last_at.max(reading.stamp.at.0);
            if let Outcome::Measured(value) = reading.outcome {
                let v = value.get();
                let (low, high, total) = summary.range.unwrap_or((v, v, 0.0));
                summary.measured += 1;
                summary.range = Some((low.min(v), high.max(v), total + v));
            }
        }
        Some(summary)
    }
}

/// Parts readings, in the order of their sequence, by metric and UTC day.
pub(super) fn split(readings: &[Reading]) -> Vec<(Metric, Vec<Reading>)> {
    let mut parts: Vec<(Metric, i64, Vec<Reading>)> = Vec::new();
    for reading in readings {
        let (metric, day) = (reading.metric, reading.stamp.at.0.div_euclid(DAY_MS));
        match parts.iter_mut().find(|(m, d, part)| (*m, *d) == (metric, day) && part.len() < MOST) {
            Some((.., part)) => part.push(*reading),
            None => parts.push((metric, day, vec![*reading])),
        }
    }
    parts.into_iter().map(|(metric, _, part)| (metric, part)).collect()
}

/// Packs readings of any metrics.
pub(super) fn pack(readings: &[Reading]) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + readings.len() * 8);
    out.push(VERSION);
    let mut part: Vec<&Reading> = Vec::with_capacity(readings.len());
    let mut body = Vec::new();
    for &metric in Metric::ALL {
        part.clear();
        part.extend(readings.iter().filter(|r| r.metric == metric));
        for part in part.chunks(LIMIT) {
            body.clear();
            pack_part(&mut body, part);
            let name = metric.as_str().as_bytes();
            put_varint(&mut out, name.len() as u64);
            out.extend_from_slice(name);
            put_varint(&mut out, body.len() as u64);
            out.extend_from_slice(&body);
        }
    }
    out
}

fn pack_part(out: &mut Vec<u8>, part: &[&Reading]) {
    let (mut values, mut millivolts) = (Vec::with_capacity(part.len()), Vec::with_capacity(part.len()));
    let mut spreads = Vec::with_capacity(part.len());
    for reading in part {
        if let Outcome::Measured(value) = reading.outcome {
            values.push(value.get());
        }
        millivolts.extend(reading.millivolts.map(Value::get));
        spreads.extend(reading.spread.map(Value::get));
    }
    put_varint(out, part.len() as u64);
    put_ints(out, Trend::Steady, part.iter().map(|r| r.seq.cast_signed()));
    put_ints(out, Trend::Steady, part.iter().map(|r| r.stamp.at.0));
    put_runs(out, part.iter().map(|r| clock_code(r.stamp.clock) | u64::from(r.flags.bits()) << 2));
    put_runs(out, part.iter().map(|r| outcome_code(r.outcome)));
    put_floats(out, &values);
    put_runs(out, part.iter().map(|r| u64::from(r.millivolts.is_some())));
    put_floats(out, &millivolts);
    put_runs(out, part.iter().map(|r| u64::from(r.spread.is_some())));
    put_floats(out, &spreads);
}

/// Unpacks the readings of one metric, or of all: then metric after metric.
pub(super) fn unpack(packed: &[u8], only: Option<Metric>) -> Result<Vec<Reading>, StoreError> {
    let mut readings = Vec::new();
    let mut reader = Reader(packed);
    unpack_parts(&mut reader, only, &mut readings)
        .map_err(|why| StoreError::Corrupt { what: "segment", why: why.to_owned() })?;
    Ok(readings)
}

fn unpack_parts(reader: &mut Reader<'_>, only: Option<Metric>, into: &mut Vec<Reading>) -> Result<(), Damage> {
    let version = reader.byte()?;
    if !(WITHOUT_SPREAD..=VERSION).contains(&version) {
        return Err("its form is of a newer version");
    }
    while !reader.is_empty() {
        let length = reader.varint()?;
        let name = reader.bytes(length)?;
        let metric = str::from_utf8(name).ok().and_then(Metric::from_wire).ok_or("its metric is unknown")?;
        let length = reader.varint()?;
        let mut body = Reader(reader.bytes(length)?);
        if only.is_none_or(|wanted| wanted == metric) {
            unpack_part(&mut body, version, metric, into)?;
            if !body.is_empty() {
                return Err("bytes are left over");
            }
        }
    }
    Ok(())
}

fn unpack_part(reader: &mut Reader<'_>, version: u8, metric: Metric, into: &mut Vec<Reading>) -> Result<(), Damage> {
    let count = usize::try_from(reader.varint()?).ok().filter(|n| *n <= LIMIT).ok_or("it is too long")?;
    let seqs = reader.ints(Trend::Steady, count)?;
    let times = reader.ints(Trend::Steady, count)?;
    let states = reader.runs(count)?;
    let outcomes = reader.runs(count)?;
    let mut values = reader.floats(outcomes.iter().filter(|o| **o == MEASURED).count())?.into_iter();
    let has_millivolts = reader.runs(count)?;
    let mut millivolts = reader.floats(has_millivolts.iter().filter(|m| **m != 0).count())?.into_iter();
    let has_spread = if version == WITHOUT_SPREAD { vec![0; count] } else { reader.runs(count)? };
    let mut spreads = match version {
        WITHOUT_SPREAD => vec![],
        _ => reader.floats(has_spread.iter().filter(|s| **s != 0).count())?,
    }
    .into_iter();
    let next =
        |from: &mut std::vec::IntoIter<f64>| from.next().and_then(|n| Value::new(n).ok()).ok_or("a value is no number");
    into.reserve(count);
    for i in 0..count {
        into.push(Reading {
            seq: u64::try_from(seqs[i]).map_err(|_| "a sequence is negative")?,
            stamp: Stamp { at: UtcMillis(times[i]), clock: clock_of(states[i] & 3)? },
            metric,
            outcome: match outcomes[i] {
                MEASURED => Outcome::Measured(next(&mut values)?),
                code => Outcome::Fault(fault_of(code)?),
            },
            millivolts: if has_millivolts[i] == 0 { None } else { Some(next(&mut millivolts)?) },
            flags: Flags::from_bits(u16::try_from(states[i] >> 2).map_err(|_| "its flags are unknown")?),
            spread: if has_spread[i] == 0 { None } else { Some(next(&mut spreads)?) },
        });
    }
    Ok(())
}

fn clock_code(clock: ClockQuality) -> u64 {
    match clock {
        ClockQuality::Synced => 0,
        ClockQuality::Repaired => 1,
        ClockQuality::Unsynced => 2,
    }
}

fn clock_of(code: u64) -> Result<ClockQuality, Damage> {
    match code {
        0 => Ok(ClockQuality::Synced),
        1 => Ok(ClockQuality::Repaired),
        2 => Ok(ClockQuality::Unsynced),
        _ => Err("its clock is unknown"),
    }
}

fn outcome_code(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Measured(_) => MEASURED,
        Outcome::Fault(Fault::Other) => UNNAMED,
        Outcome::Fault(fault) => UNNAMED + 1 + fault as u64,
    }
}

fn fault_of(code: u64) -> Result<Fault, Damage> {
    if code == UNNAMED {
        return Ok(Fault::Other);
    }
    let named = Fault::ALL.iter().copied().filter(|f| *f != Fault::Other);
    let place = usize::try_from(code - UNNAMED - 1).map_err(|_| "its fault is unknown")?;
    named.into_iter().nth(place).ok_or("its fault is unknown")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::Flag;

    fn measured(seq: u64, at: i64, metric: Metric, value: f64) -> Reading {
        Reading {
            seq,
            stamp: Stamp { at: UtcMillis(at), clock: ClockQuality::Synced },
            metric,
            outcome: Outcome::Measured(Value::new(value).unwrap()),
            millivolts: Some(Value::new(1497.25).unwrap()),
            flags: Flags::NONE.with(Flag::Simulated),
            spread: Some(Value::new(0.375).unwrap()),
        }
    }

    fn sorted(mut readings: Vec<Reading>) -> Vec<Reading> {
        readings.sort_by_key(|r| r.seq);
        readings
    }

    fn any_reading() -> impl Strategy<Value = Reading> {
        let number = prop_oneof![
            any::<f64>().prop_filter("finite", |n| n.is_finite()),
            (-100_000_i32..100_000).prop_map(|n| f64::from(n) / 100.0)
        ];
        let number = number.prop_map(|n| Value::new(n).unwrap());
        let outcome = prop_oneof![
            number.clone().prop_map(Outcome::Measured),
            prop::sample::select(Fault::ALL).prop_map(Outcome::Fault)
        ];
        let clocks = vec![ClockQuality::Synced, ClockQuality::Repaired, ClockQuality::Unsynced];
        (
            0..7_258_118_400_000_i64,
            prop::sample::select(clocks),
            prop::sample::select(Metric::ALL),
            outcome,
            prop::option::of(number.clone()),
            prop::option::of(number),
            any::<u16>(),
        )
            .prop_map(|(at, clock, metric, outcome, millivolts, spread, flags)| Reading {
                seq: 0,
                stamp: Stamp { at: UtcMillis(at), clock },
                metric,
                outcome,
                millivolts,
                flags: Flags::from_bits(flags),
                spread,
            })
    }

    proptest! {
        #[test]
        fn every_reading_comes_back_exactly(
            first in 1_u64..(1 << 62),
            mut readings in prop::collection::vec(any_reading(), 0..60),
        ) {
            readings.iter_mut().zip(first..).for_each(|(r, seq)| r.seq = seq);
            let packed = pack(&readings);
            prop_assert_eq!(sorted(unpack(&packed, None).unwrap()), readings.clone());
            let ph: Vec<_> = readings.iter().copied().filter(|r| r.metric == Metric::Ph).collect();
            prop_assert_eq!(unpack(&packed, Some(Metric::Ph)).unwrap(), ph);
            let parts: Vec<_> = split(&readings).into_iter().flat_map(|(_, part)| part).collect();
            prop_assert_eq!(sorted(parts), readings);
        }

        #[test]
        fn damaged_bytes_are_an_error_or_readings_but_never_a_panic(
            at in 0_usize..200, byte: u8, cut in 0_usize..200, noise: Vec<u8>,
        ) {
            let readings: Vec<_> = (1..50).map(|n| measured(n, n as i64 * 1000, Metric::Tds, n as f64)).collect();
            let mut packed = pack(&readings);
            let at = at % packed.len();
            packed[at] = byte;
            let _ = unpack(&packed, None);
            packed.truncate(cut);
            let _ = unpack(&packed, None);
            let _ = unpack(&noise, None);
        }
    }

    #[test]
    fn an_hour_of_one_probe_takes_about_seven_bytes_a_reading() {
        let readings: Vec<_> = (0..360_u32)
            .map(|n| Reading {
                millivolts: Some(Value::new(f64::from(1490 + n * 7919 % 16) + 0.25).unwrap()),
                spread: Some(Value::new(f64::from(n * 7919 % 400) / 1000.0).unwrap()),
                ..measured(
                    u64::from(n) * 4 + 1,
                    1_763_690_400_000 + i64::from(n * 10_000 + n * 31 % 7),
                    Metric::Ph,
                    f64::from(700 + n * 7919 % 11) / 100.0,
                )
            })
            .collect();
        let packed = pack(&readings);
        assert!(packed.len() < 7 * readings.len() + 64, "{}", packed.len());
        assert_eq!(unpack(&packed, None).unwrap(), readings);
    }

    #[test]
    fn stored_segments_of_both_forms_stay_readable() {
        let fault = Reading {
            outcome: Outcome::Fault(Fault::NoAnswer),
            millivolts: None,
            spread: None,
            ..measured(6, 1_763_690_401_000, Metric::Ph, 0.0)
        };
        let mut readings = [measured(2, 1_763_690_400_000, Metric::Ph, 7.02), fault];
        let second = [
            2, 2, 112, 104, 35, 2, 4, 8, 128, 164, 158, 194, 212, 102, 208, 15, 4, 2, 0, 1, 3, 1, 2, 252, 10, 1, 1, 0,
            1, 2, 186, 163, 18, 1, 1, 0, 1, 3, 238, 5,
        ];
        assert_eq!(pack(&readings), second);
        assert_eq!(unpack(&second, None).unwrap(), readings);
        let first = [
            1, 2, 112, 104, 28, 2, 4, 8, 128, 164, 158, 194, 212, 102, 208, 15, 4, 2, 0, 1, 3, 1, 2, 252, 10, 1, 1, 0,
            1, 2, 186, 163, 18,
        ];
        readings[0].spread = None;
        assert_eq!(unpack(&first, None).unwrap(), readings);
    }

    #[test]
    fn a_segment_of_a_newer_form_is_called_corrupt_with_the_reason() {
        let error = unpack(&[9, 0, 0], None).unwrap_err().to_string();
        assert!(error.contains("newer version"), "{error}");
    }

    #[test]
    fn a_summary_knows_extremes_and_counts_faults_apart() {
        let mut readings = vec![
            measured(5, 2000, Metric::Ph, 7.0),
            measured(6, 1000, Metric::Ph, 9.0),
            measured(7, 3000, Metric::Ph, 8.0),
        ];
        readings[2].outcome = Outcome::Fault(Fault::NoAnswer);
        let summary = Summary::of(&readings).unwrap();
        assert_eq!((summary.first_at, summary.last_at, summary.first_seq, summary.last_seq), (1000, 3000, 5, 7));
        assert_eq!((summary.readings, summary.measured, summary.range), (3, 2, Some((7.0, 9.0, 16.0))));
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn a_part_ends_with_the_day() {
        let readings = [measured(1, DAY_MS - 1, Metric::Ph, 7.0), measured(2, DAY_MS, Metric::Ph, 7.0)];
        assert_eq!(split(&readings).len(), 2);
    }
}
