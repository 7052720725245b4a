//! Who speaks: device names, CPU serials, buffer ids. Knows only their syntax, never who owns one.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Position of a reading in its buffer: 1, 2, 3, ... without reuse for the life of the buffer.
pub type Seq = u64;

/// An identifier that does not have the required form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not usable as a device name.
    #[error(
        "device name {0:?}: use 1 to 32 of a-z, 0-9 and '-', beginning with a letter, not ending with '-', not beginning with \"tirta\""
    )]
    Name(String),
    /// Not a Raspberry Pi serial.
    #[error("serial {0:?}: a Raspberry Pi's serial is 8 or 16 hexadecimal digits, not all zero")]
    Serial(String),
    /// Not a buffer id.
    #[error("buffer id {0:?}: 16 hexadecimal digits are needed")]
    Buffer(String),
    /// Not the id of a calibration.
    #[error("record id {0:?}: 16 hexadecimal digits are needed")]
    Record(String),
    /// Not the id of a run.
    #[error("run id {0:?}: 16 hexadecimal digits are needed")]
    Run(String),
}

/// The name that the server allocates to a device, such as `pi-7`. It is the common name of the
/// device's certificate, its MQTT client id and a level of its topics, hence the narrow alphabet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceName(String);

impl DeviceName {
    /// The name of the `n`-th device of the standard series: `pi-1`, `pi-2`, ...
    pub fn numbered(n: u32) -> Self {
        Self(format!("pi-{n}"))
    }

    /// The number of a name of the standard series: 7 for `pi-7`.
    pub fn number(&self) -> Option<u32> {
        let digits = self.0.strip_prefix("pi-")?;
        let canonical = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        if canonical { digits.parse().ok() } else { None }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceName {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let good = (1..=32).contains(&s.len())
            && s.starts_with(|c: char| c.is_ascii_lowercase())
            && !s.ends_with('-')
            && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            // The server's own certificates are called tirta-...: a device must never be.
            && !s.starts_with("tirta");
        if good { Ok(Self(s.to_owned())) } else { Err(IdError::Name(s.to_owned())) }
    }
}

/// The CPU serial of a Raspberry Pi: 64 bits, written as 16 lower-case hexadecimal digits.
/// An identifier, not a secret: anybody who can see the board can read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial(u64);

impl FromStr for Serial {
    type Err = IdError;
    /// Accepts what the kernel prints: white space and a final NUL (device tree) are dropped.
    fn from_str(s: &str) -> Result<Self, IdError> {
        let digits = s.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        match (digits.len(), u64::from_str_radix(digits, 16)) {
            (8 | 16, Ok(n)) if n != 0 && !digits.starts_with('+') => Ok(Self(n)),
            _ => Err(IdError::Serial(s.to_owned())),
        }
    }
}

/// Drawn at random when an agent creates its buffer file. Together with the sequence it names a
/// reading for ever; without it a re-flashed Pi would start at 1 again and its data would vanish
/// as duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BufferId(u64);

/// Names the record of a calibration, or a session in which one is made, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordId(u64);

/// Names one run of an agent, from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(u64);

macro_rules! random_id {
    ($type:ident, $error:ident) => {
        impl $type {
            /// Makes an id of 64 bits that the caller drew from a good random source.
            pub fn from_random(bits: u64) -> Self {
                Self(bits)
            }
        }

        impl FromStr for $type {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                let plain = s.len() == 16 && s.bytes().all(|b| b.is_ascii_hexdigit());
                match u64::from_str_radix(s, 16) {
                    Ok(n) if plain => Ok(Self(n)),
                    _ => Err(IdError::$error(s.to_owned())),
                }
            }
        }
    };
}
random_id!(BufferId, Buffer);
random_id!(RecordId, Record);
random_id!(RunId, Run);

macro_rules! text_form {
    ($type:ty, $format:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, $format, self.0)
            }
        }
        impl TryFrom<String> for $type {
            type Error = IdError;
            fn try_from(s: String) -> Result<Self, IdError> {
                s.parse()
            }
        }
        impl From<$type> for String {
            fn from(id: $type) -> String {
                id.to_string()
            }
        }
    };
}
text_form!(DeviceName, "{}");
text_form!(Serial, "{:016x}");
text_form!(BufferId, "{:016x}");
text_form!(RecordId, "{:016x}");
text_form!(RunId, "{:016x}");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_name_is_safe_as_topic_level_client_id_and_common_name() {
        for good in ["pi-1", "pi-99", "greenhouse-2", "a"] {
            assert_eq!(good.parse::<DeviceName>().unwrap().as_str(), good);
        }
        for bad in ["", "pi/1", "+", "#", "Pi-1", "pi 1", "pi-", "1pi", "tirta-server", "pi-\u{e9}", &"a".repeat(33)] {
            assert!(bad.parse::<DeviceName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_canonical_names_of_the_series_have_a_number() {
        assert_eq!(DeviceName::numbered(7).number(), Some(7));
        for other in ["pi-07", "pi-0", "pi-x", "tank-7"] {
            assert_eq!(other.parse::<DeviceName>().unwrap().number(), None, "{other}");
        }
    }

    #[test]
    fn a_serial_reads_what_the_kernel_prints_and_refuses_the_rest() {
        let serial: Serial = "10000000deadbeef\0".parse().unwrap();
        assert_eq!(serial.to_string(), "10000000deadbeef");
        assert_eq!("deadbeef\n".parse::<Serial>().unwrap().to_string(), "00000000deadbeef");
        for bad in ["", "0000000000000000", "xyz", "10000000deadbee", "+0000000deadbeef"] {
            assert!(bad.parse::<Serial>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_buffer_id_survives_its_text_form() {
        let id = BufferId::from_random(0x00ff_1234_5678_9abc);
        assert_eq!(id.to_string(), "00ff123456789abc");
        assert_eq!(id.to_string().parse::<BufferId>().unwrap(), id);
        assert!("ff".parse::<BufferId>().is_err());
    }
}
