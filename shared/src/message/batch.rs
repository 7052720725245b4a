//! A batch of readings: one header, then one short row per reading.
//!
//! ```json
//! {"v":1,"buffer":"00c0ffee00c0ffee","units":{"ph":"pH"},
//!  "columns":["seq","time","clock","metric","value","millivolts","flags","spread"],
//!  "readings":[[1,1763690400000,"synced","ph",7.02,1497.25,"simulated",0.125],
//!              [2,1763690400010,"synced","ph","no_answer",null,"simulated",null]]}
//! ```
//! A value that is a word is a fault: a failed read is never a number. `spread` may be absent: agents of
//! the first version do not know it. A row that can't be taken is refused alone, with its reason; it never stops the rows beside it.

use super::{PROTOCOL_VERSION, Version};
use crate::reading::{Fault, Flags, Outcome, Value};
use crate::{BufferId, ClockQuality, Metric, Reading, Seq, Stamp, UtcMillis};
use serde::de::{self, IgnoredAny, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeTuple};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap, fmt, marker::PhantomData};

/// Most bytes that a batch may have.
pub const MAX_PAYLOAD: usize = 256 * 1024;
/// Most readings that a batch may have.
pub const MAX_READINGS: usize = 1000;

/// Highest sequence: the databases have no larger whole numbers.
const MAX_SEQ: Seq = i64::MAX.cast_unsigned();

const COLUMNS: [&str; 8] = ["seq", "time", "clock", "metric", "value", "millivolts", "flags", "spread"];

/// Readings of one buffer, in the order of their sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The buffer that holds them.
    pub buffer: BufferId,
    /// At least one, at most [`MAX_READINGS`].
    pub readings: Vec<Reading>,
}

/// What a receiver makes of a batch: every row is in one of the two lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The buffer that holds them.
    pub buffer: BufferId,
    /// Lowest sequence of the batch, refused rows included.
    pub first: Seq,
    /// Highest sequence of the batch, refused rows included.
    pub last: Seq,
    /// What can be stored as readings.
    pub readings: Vec<Reading>,
    /// What can't: kept as it came, never dropped.
    pub refused: Vec<Refused>,
}

/// A row that is no reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Its sequence.
    pub seq: Seq,
    /// Why.
    pub reason: Refusal,
    /// The row as it was sent.
    pub row: String,
}

/// Why a row is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The row has not the columns of this version, or one of a wrong type.
    Malformed,
    /// A metric that the receiver does not know.
    UnknownMetric,
    /// The batch gives another unit for the metric than the one it is stored in.
    WrongUnit,
    /// A number beyond what a float can hold.
    NotFinite,
    /// A trusted time before Tirta existed or in the future.
    ImplausibleTime,
    /// A reason of a newer version.
    #[serde(other)]
    Other,
}

impl Refusal {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownMetric => "unknown_metric",
            Self::WrongUnit => "wrong_unit",
            Self::NotFinite => "not_finite",
            Self::ImplausibleTime => "implausible_time",
            Self::Other => "other",
        }
    }
}

/// Why a whole batch is rejected. The sender keeps its readings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// More than [`MAX_PAYLOAD`] bytes or [`MAX_READINGS`] rows.
    #[error("the batch is too large: at most {MAX_PAYLOAD} bytes and {MAX_READINGS} readings")]
    TooLarge,
    /// Another version of the protocol.
    #[error("protocol version {0} is not supported, this server speaks {PROTOCOL_VERSION}")]
    UnsupportedVersion(u64),
    /// Not a batch.
    #[error("the batch can't be read: {0}")]
    Malformed(String),
}

impl Rejection {
    /// The word on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::UnsupportedVersion(_) => "unsupported_version",
            Self::Malformed(_) => "malformed",
        }
    }
}

impl Batch {
    /// The batch as JSON.
    pub fn encode(&self) -> String {
        // Every part is text or a finite number, which JSON can always say.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a batch and judges each row; `now` is the receiver's clock.
    ///
    /// # Errors
    /// When nothing of it can be attributed: not JSON, no buffer, another version, a row without a
    /// sequence, sequences that do not rise, or too much.
    pub fn decode(payload: &[u8], now: UtcMillis) -> Result<Received, Rejection> {
        if payload.len() > MAX_PAYLOAD {
            return Err(Rejection::TooLarge);
        }
        let whole = serde_json::from_slice::<Whole<'_>>(payload).ok().and_then(|batch| batch.accept(now));
        if let Some(received) = whole {
            return Ok(received);
        }
        let head: Header<'_> = serde_json::from_slice(payload).map_err(|e| why_unreadable(payload, &e))?;
        if head.readings.len() > MAX_READINGS {
            return Err(Rejection::TooLarge);
        }
        let mut readings = Vec::with_capacity(head.readings.len());
        let mut refused = Vec::new();
        let (mut first, mut last) = (0, 0);
        for raw in &head.readings {
            let (seq, row) = match serde_json::from_str::<Row>(raw.get()) {
                Ok(row) => (row.seq, row.judge(&head.units, now)),
                Err(e) => (seq_of(raw)?, Err(why_refused(&e))),
            };
            if seq > MAX_SEQ {
                return Err(Rejection::Malformed(format!("sequence {seq} is beyond {MAX_SEQ}")));
            }
            if seq <= last {
                return Err(Rejection::Malformed(format!("sequence {seq} follows {last}")));
            }
            first = if first == 0 { seq } else { first };
            last = seq;
            match row {
                Ok(reading) => readings.push(reading),
                Err(reason) => refused.push(Refused { seq, reason, row: raw.get().to_owned() }),
            }
        }
        if last == 0 {
            return Err(Rejection::Malformed("it has no readings".to_owned()));
        }
        Ok(Received { buffer: head.buffer, first, last, readings, refused })
    }
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(rename = "v")]
    _version: Version,
    buffer: BufferId,
    #[serde(borrow, default)]
    units: Units<'a>,
    #[serde(borrow)]
    readings: Vec<&'a RawValue>,
}

type Units<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// A batch all of whose rows have the right types, which is nearly every batch: read in one pass.
#[derive(Deserialize)]
struct Whole<'a> {
    #[serde(rename = "v")]
    _version: Version,
    buffer: BufferId,
    #[serde(borrow, default)]
    units: Units<'a>,
    readings: Vec<Row>,
}

impl Whole<'_> {
    /// `None` if there is anything to object to: then the batch is read again, row by row.
    fn accept(&self, now: UtcMillis) -> Option<Received> {
        let (first, last) = (self.readings.first()?.seq, self.readings.last()?.seq);
        let rising = first > 0 && last <= MAX_SEQ && self.readings.is_sorted_by(|a, b| a.seq < b.seq);
        let readings: Vec<_> = self.readings.iter().map_while(|row| row.judge(&self.units, now).ok()).collect();
        let whole = rising && readings.len() == self.readings.len() && readings.len() <= MAX_READINGS;
        whole.then_some(Received { buffer: self.buffer, first, last, readings, refused: vec![] })
    }
}

/// Tells another version from plain nonsense, so that the sender gets a clear answer.
fn why_unreadable(payload: &[u8], error: &serde_json::Error) -> Rejection {
    #[derive(Deserialize)]
    struct OnlyVersion {
        v: u64,
    }
    match serde_json::from_slice::<OnlyVersion>(payload) {
        Ok(OnlyVersion { v }) if v != u64::from(PROTOCOL_VERSION) => Rejection::UnsupportedVersion(v),
        _ => Rejection::Malformed(error.to_string()),
    }
}

fn why_refused(error: &serde_json::Error) -> Refusal {
    // serde_json has no kind for this; a test holds the wording.
    if error.to_string().starts_with("number out of range") { Refusal::NotFinite } else { Refusal::Malformed }
}

fn seq_of(raw: &RawValue) -> Result<Seq, Rejection> {
    let column: Vec<&RawValue> =
        serde_json::from_str(raw.get()).map_err(|_| Rejection::Malformed("a row is not an array".to_owned()))?;
    column
        .first()
        .and_then(|seq| seq.get().parse().ok())
        .ok_or_else(|| Rejection::Malformed("a row has no sequence".to_owned()))
}

/// A row whose columns have the right types, not yet judged.
struct Row {
    seq: Seq,
    at: i64,
    clock: Option<ClockQuality>,
    metric: Option<Metric>,
    outcome: Outcome,
    millivolts: Option<Value>,
    flags: Flags,
    spread: Option<Value>,
}

impl Row {
    fn judge(&self, units: &Units<'_>, now: UtcMillis) -> Result<Reading, Refusal> {
        let metric = self.metric.ok_or(Refusal::UnknownMetric)?;
        if units.get(metric.as_str()).map(|u| &**u) != Some(metric.unit().symbol()) {
            return Err(Refusal::WrongUnit);
        }
        let clock = self.clock.ok_or(Refusal::Malformed)?;
        let stamp = Stamp { at: UtcMillis(self.at), clock };
        if !stamp.is_plausible(now) {
            return Err(Refusal::ImplausibleTime);
        }
        let Row { seq, outcome, millivolts, flags, spread, .. } = *self;
        Ok(Reading { seq, stamp, metric, outcome, millivolts, flags, spread })
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Columns;
        impl<'de> Visitor<'de> for Columns {
            type Value = Row;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a row of {} or {} columns", COLUMNS.len() - 1, COLUMNS.len())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<Row, A::Error> {
                fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(row: &mut A, at: usize) -> Result<T, A::Error> {
                    row.next_element()?.ok_or_else(|| de::Error::invalid_length(at, &"a row of 7 columns"))
                }
                let seq = next(&mut row, 0)?;
                let at = next(&mut row, 1)?;
                let clock = next::<Word<_>, _>(&mut row, 2)?.0;
                let metric = next::<Word<_>, _>(&mut row, 3)?.0;
                let outcome = next::<Cell, _>(&mut row, 4)?.0;
                let millivolts = next(&mut row, 5)?;
                let flags = next::<Word<_>, _>(&mut row, 6)?.0;
                let spread = row.next_element()?.flatten();
                while row.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Row { seq, at, clock, metric, outcome, millivolts, flags, spread })
            }
        }
        from.deserialize_seq(Columns)
    }
}

/// A column that is a word, read without copying it.
struct Word<T>(T);

/// What a word can mean.
trait FromWord {
    fn from_word(word: &str) -> Self;
}

impl FromWord for Option<ClockQuality> {
    fn from_word(word: &str) -> Self {
        ClockQuality::from_wire(word)
    }
}

impl FromWord for Option<Metric> {
    fn from_word(word: &str) -> Self {
        Metric::from_wire(word)
    }
}

impl FromWord for Flags {
    fn from_word(word: &str) -> Self {
        Flags::from_wire(word)
    }
}

impl<'de, T: FromWord> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct AnyWord<T>(PhantomData<T>);
        impl<T: FromWord> Visitor<'_> for AnyWord<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word")
            }
            fn visit_str<E: de::Error>(self, word: &str) -> Result<T, E> {
                Ok(T::from_word(word))
            }
        }
        from.deserialize_str(AnyWord(PhantomData)).map(Word)
    }
}

/// The column `value`: a number, or the word of a fault.
struct Cell(Outcome);

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct NumberOrWord;
        impl Visitor<'_> for NumberOrWord {
            type Value = Outcome;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a finite number or the word of a fault")
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Outcome, E> {
                Value::new(number).map(Outcome::Measured).map_err(E::custom)
            }
            #[allow(clippy::cast_precision_loss)] // a whole number on the wire is a measurement all the same
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Outcome, E> {
                self.visit_f64(number as f64)
            }
            #[allow(clippy::cast_precision_loss)]
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Outcome, E> {
                self.visit_f64(number as f64)
            }
            fn visit_str<E: de::Error>(self, word: &str) -> Result<Outcome, E> {
                Ok(Outcome::Fault(Fault::from_wire(word)))
            }
        }
        from.deserialize_any(NumberOrWord).map(Cell)
    }
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let units: BTreeMap<_, _> = self.readings.iter().map(|r| (r.metric, r.metric.unit())).collect();
        let mut map = to.serialize_map(Some(5))?;
        map.serialize_entry("v", &Version)?;
        map.serialize_entry("buffer", &self.buffer)?;
        map.serialize_entry("units", &units)?;
        map.serialize_entry("columns", &COLUMNS)?;
        map.serialize_entry("readings", &self.readings)?;
        map.end()
    }
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut row = to.serialize_tuple(COLUMNS.len())?;
        row.serialize_element(&self.seq)?;
        row.serialize_element(&self.stamp.at)?;
        row.serialize_element(&self.stamp.clock)?;
        row.serialize_element(&self.metric)?;
        match self.outcome {
            Outcome::Measured(value) => row.serialize_element(&value)?,
            Outcome::Fault(fault) => row.serialize_element(fault.as_str())?,
        }
        row.serialize_element(&self.millivolts)?;
        row.serialize_element(&format_args!("{}", self.flags))?;
        row.serialize_element(&self.spread)?;
        row.end()
    }
}
