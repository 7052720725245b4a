//! A reading as a row of the buffer, in both directions. Knows no transaction.

use super::Measured;
use super::file::FileError;
use crate::time::Moment;
use rusqlite::{Transaction, params};
use shared::reading::{Fault, Flags, Outcome, Value};
use shared::{ClockQuality, Metric, Reading, Seq, Stamp, UtcMillis};

/// The columns as [`to_reading`] expects them.
pub(super) const SELECT: &str = "SELECT seq, at, clock, metric, value, fault, millivolts, flags, spread FROM reading";

/// Writes what was measured in a boot under a sequence.
pub(super) fn insert(transaction: &Transaction<'_>, seq: Seq, boot: i64, measured: &Measured) -> Result<(), FileError> {
    let Measured { moment: Moment { stamp, ticks }, metric, sample } = measured;
    let (value, fault) = match sample.outcome {
        Outcome::Measured(value) => (Some(value.get()), None),
        Outcome::Fault(fault) => (None, Some(fault.as_str())),
    };
    let row = params![
        whole(seq),
        stamp.at.0,
        stamp.clock.as_str(),
        metric.as_str(),
        value,
        fault,
        sample.millivolts.map(Value::get),
        sample.flags.bits(),
        sample.spread.map(Value::get),
        boot,
        ticks.0
    ];
    let insert = "INSERT INTO reading VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    transaction.prepare_cached(insert)?.execute(row)?;
    Ok(())
}

/// A row of [`SELECT`].
pub(super) fn to_reading(row: &rusqlite::Row<'_>) -> rusqlite::Result<Reading> {
    let clock = row.get_ref(2)?.as_str()?;
    let metric = row.get_ref(3)?.as_str()?;
    let unknown =
        |column| rusqlite::Error::InvalidColumnType(column, "unknown word".to_owned(), rusqlite::types::Type::Text);
    let not_finite = |column| {
        move |_| rusqlite::Error::InvalidColumnType(column, "not finite".to_owned(), rusqlite::types::Type::Real)
    };
    let outcome = match row.get::<_, Option<f64>>(4)? {
        Some(value) => Outcome::Measured(Value::new(value).map_err(not_finite(4))?),
        None => Outcome::Fault(Fault::from_wire(row.get_ref(5)?.as_str()?)),
    };
    let volts = |column| row.get::<_, Option<f64>>(column)?.map(Value::new).transpose().map_err(not_finite(column));
    Ok(Reading {
        seq: count(row, 0)?,
        stamp: Stamp { at: UtcMillis(row.get(1)?), clock: ClockQuality::from_wire(clock).ok_or_else(|| unknown(2))? },
        metric: Metric::from_wire(metric).ok_or_else(|| unknown(3))?,
        outcome,
        millivolts: volts(6)?,
        flags: Flags::from_bits(row.get(7)?),
        spread: volts(8)?,
    })
}

/// SQLite's integers have a sign; no count of readings comes near the end of them.
pub(super) fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A count as it is in the database.
pub(super) fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let n: i64 = row.get(column)?;
    u64::try_from(n).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, n))
}
