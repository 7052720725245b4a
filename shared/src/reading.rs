//! One reading: a finite value or a fault, never a number for a failure. Knows nothing of probes or storage.

use crate::{Metric, Seq, Stamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A finite number in the unit of its metric. It can't hold NaN or an infinity.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Value(f64);

/// A number that is no measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value must be finite")]
pub struct NotFinite;

impl Value {
    /// Takes a number if it is finite.
    pub fn new(number: f64) -> Result<Self, NotFinite> {
        if number.is_finite() { Ok(Self(number)) } else { Err(NotFinite) }
    }

    /// The same, rounded to so many decimals.
    pub fn rounded(number: f64, decimals: i32) -> Result<Self, NotFinite> {
        let scale = 10_f64.powi(decimals);
        // Adding zero turns -0.0 into 0.0, which is shorter and reads better.
        Self::new((number * scale).round() / scale + 0.0)
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Value {
    type Error = NotFinite;
    fn try_from(number: f64) -> Result<Self, NotFinite> {
        Self::new(number)
    }
}

impl From<Value> for f64 {
    fn from(value: Value) -> f64 {
        value.0
    }
}

/// What a probe delivered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// A calibrated value in the metric's unit.
    Measured(Value),
    /// The reason why there is none.
    Fault(Fault),
}

impl Outcome {
    /// What was measured, rounded to what a sensor of `metric` can resolve so that rows stay short. A number that is
    /// none becomes a fault.
    pub fn rounded(metric: Metric, value: Result<f64, Fault>) -> Self {
        match value.map(|value| Value::rounded(value, metric.decimals())) {
            Ok(Ok(value)) => Self::Measured(value),
            Ok(Err(NotFinite)) => Self::Fault(Fault::OutOfRange),
            Err(fault) => Self::Fault(fault),
        }
    }
}

/// One reading of one metric, as it is buffered, sent and stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Its place in the buffer that holds it.
    pub seq: Seq,
    /// When it was taken.
    pub stamp: Stamp,
    /// What was measured; the unit follows from it.
    pub metric: Metric,
    /// The value, or why there is none.
    pub outcome: Outcome,
    /// What the converter saw, in millivolts, so that history can be computed again after a better
    /// calibration. `None` for a probe without a voltage.
    pub millivolts: Option<Value>,
    /// What a reader should know before trusting it.
    pub flags: Flags,
    /// How far the samples behind it disagreed: the sample standard deviation of the oversampled raw
    /// signal, in millivolts. `None` for a probe without a voltage, or a reading of a single sample.
    pub spread: Option<Value>,
}

macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $( $(#[$doc:meta])* $variant:ident = $word:literal, )* } else $other:ident) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$doc])* $variant, )*
            /// A word of a newer version: something is to be known that this version can't name.
            $other,
        }

        impl $name {
            /// All of them, in the order of their codes.
            pub const ALL: &[$name] = &[ $( $name::$variant, )* $name::$other ];

            /// The word on the wire and in the interface.
            pub fn as_str(self) -> &'static str {
                match self { $( $name::$variant => $word, )* $name::$other => "other" }
            }

            /// Reads a word; one that this version does not know is kept as [`Self::Other`],
            /// so that nothing looks better than its sender said.
            pub fn from_wire(word: &str) -> $name {
                match word { $( $word => $name::$variant, )* _ => $name::$other }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Why a probe delivered no value.
    Fault {
        /// The I2C bus itself is not there or can't be opened.
        NoBus = "no_bus",
        /// The chip did not acknowledge its address (NACK): absent or unplugged.
        NoAnswer = "no_answer",
        /// The bus is stuck or failed in the middle of a transfer.
        BusError = "bus_error",
        /// The converter never reported that it was ready before its deadline.
        NotReady = "not_ready",
        /// The voltage sits at the lower end of the range: short circuit or no supply.
        RailLow = "rail_low",
        /// The voltage sits at the upper end of the range: open circuit or over-range.
        RailHigh = "rail_high",
        /// The voltage can't be converted to a value that is physically possible.
        OutOfRange = "out_of_range",
    } else Other
}

words! {
    /// One thing to know before trusting a value. The order is that of the bits that are stored:
    /// append only.
    Flag {
        /// It comes from a simulation, not from water.
        Simulated = "simulated",
        /// No calibration of this probe was used.
        Uncalibrated = "uncalibrated",
        /// It depends on temperature and none was measured.
        NoTemperature = "no_temperature",
        /// The probe is at the end of its range: the true value may be higher.
        Saturated = "saturated",
        /// The raw signal has not moved for suspiciously long.
        Stuck = "stuck",
        /// It is outside what is usual for this metric.
        OutOfRange = "out_of_range",
        /// The samples behind it disagreed.
        Unstable = "unstable",
        /// Somebody calibrates the probe: it is in a standard solution, not in the water.
        Calibrating = "calibrating",
    } else Other
}

/// A set of [`Flag`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Flags(u16);

impl Flags {
    /// No flag at all.
    pub const NONE: Flags = Flags(0);

    /// This set and one flag more.
    #[must_use]
    pub fn with(self, flag: Flag) -> Self {
        // `Other` is the highest bit, so that new flags can be appended below it.
        let bit = if flag == Flag::Other { 15 } else { flag as u16 };
        Self(self.0 | 1 << bit)
    }

    /// The flags of both sets.
    #[must_use]
    pub fn union(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// Whether a flag is set.
    pub fn has(self, flag: Flag) -> bool {
        self.with(flag) == self
    }

    /// The flags of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.iter().copied().filter(move |flag| self.has(*flag))
    }

    /// The bits, for storage.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// From stored bits.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// Reads words parted by white space.
    pub fn from_wire(words: &str) -> Self {
        words.split_ascii_whitespace().map(Flag::from_wire).fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Flags {
    /// The words parted by a space: the wire form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, flag) in self.iter().enumerate() {
            write!(f, "{}{flag}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

/// Flags in JSON that is not a batch.
pub(crate) mod flags_as_text {
    use super::Flags;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(flags: &Flags, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(flags)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Flags, D::Error> {
        String::deserialize(from).map(|words| Flags::from_wire(&words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_can_never_be_nan_or_infinite() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Value::new(bad), Err(NotFinite));
        }
        assert_eq!(Value::new(-0.5).unwrap().get(), -0.5);
    }

    #[test]
    fn a_value_is_rounded_to_what_its_sensor_resolves_and_a_number_that_is_none_becomes_a_fault() {
        assert_eq!(Outcome::rounded(Metric::Ph, Ok(7.012_345)), Outcome::Measured(Value::new(7.012).unwrap()));
        assert_eq!(Outcome::rounded(Metric::Ph, Err(Fault::RailLow)), Outcome::Fault(Fault::RailLow));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Outcome::rounded(Metric::Tds, Ok(bad)), Outcome::Fault(Fault::OutOfRange));
        }
        assert!(Value::rounded(-0.0001, 3).unwrap().get().is_sign_positive());
    }

    #[test]
    fn flags_survive_their_words_and_their_bits() {
        let flags = Flags::NONE.with(Flag::Simulated).with(Flag::Stuck);
        assert_eq!(flags.to_string(), "simulated stuck");
        assert_eq!(Flags::from_wire("stuck  simulated"), flags);
        assert_eq!(Flags::from_bits(flags.bits()), flags);
        assert_eq!(Flags::NONE.to_string(), "");
    }

    #[test]
    fn a_flag_or_fault_of_a_newer_version_is_kept_as_a_warning() {
        assert!(Flags::from_wire("contaminated").has(Flag::Other));
        assert_eq!(Fault::from_wire("eaten_by_fish"), Fault::Other);
        for &fault in Fault::ALL {
            assert_eq!(Fault::from_wire(fault.as_str()), fault);
        }
    }
}
