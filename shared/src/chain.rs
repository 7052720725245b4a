//! The chain of hashes over the audit log: what is hashed of an entry, and who walks along the chain and says where it is
//! broken. Server and `tirta` share it, so that nobody has to believe the server. Knows no database, no file and no clock.

mod broken;
mod walk;

pub use broken::Broken;
pub use walk::Walk;

use ring::digest;
use serde::{Deserialize, Serialize};
use std::{fmt, fmt::Write, str::FromStr};

/// The hash before the first entry.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry of the audit log as it is hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// 1, 2, 3, ... without a gap.
    pub id: i64,
    /// When (UTC milliseconds).
    pub at: i64,
    /// Who.
    pub who: String,
    /// What.
    pub act: String,
    /// To which device.
    pub device: Option<String>,
    /// To which board.
    pub serial: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// A JSON object, to the letter as it was written: another order of its keys is another text.
    #[serde(with = "as_written")]
    pub detail: String,
    /// The hash of this entry, lower-case hexadecimal; none if it never got one.
    pub hash: Option<String>,
}

impl Row {
    /// What is hashed: the hash before as 64 letters, then number, time, who, act, device, serial, address and detail, each
    /// as its length in bytes, a colon, itself and a comma; `-,` stands for what is not there. No two entries give the same.
    pub fn bytes(&self, before: &str) -> Vec<u8> {
        let mut bytes = before.as_bytes().to_vec();
        let mut put = |field: Option<&str>| match field {
            None => bytes.extend_from_slice(b"-,"),
            Some(text) => {
                bytes.extend_from_slice(text.len().to_string().as_bytes());
                bytes.push(b':');
                bytes.extend_from_slice(text.as_bytes());
                bytes.push(b',');
            }
        };
        put(Some(&self.id.to_string()));
        put(Some(&self.at.to_string()));
        put(Some(&self.who));
        put(Some(&self.act));
        put(self.device.as_deref());
        put(self.serial.as_deref());
        put(self.address.as_deref());
        put(Some(&self.detail));
        bytes
    }

    /// The hash that it must have if the one before it has the hash `before`: SHA-256 of [`Row::bytes`].
    pub fn hash_after(&self, before: &str) -> String {
        let digest = digest::digest(&digest::SHA256, &self.bytes(before));
        digest.as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// An end of the chain: a number and its hash, which stand for everything before them. As text `12:9f86d0...`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the entry; 0 before the first.
    pub id: i64,
    /// Its hash.
    pub hash: String,
}

impl Head {
    /// That of a log without an entry.
    pub fn of_nothing() -> Self {
        Self { id: 0, hash: NOTHING.to_owned() }
    }

    /// That of an entry. One that has no hash has one that fits nothing.
    pub fn of(id: i64, hash: Option<String>) -> Self {
        Self { id, hash: hash.unwrap_or_default() }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, self.hash)
    }
}

/// A text that is no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write it as NUMBER:HASH, the hash with 64 letters of 0-9 and a-f, as the server shows it")]
pub struct NoHead;

impl FromStr for Head {
    type Err = NoHead;

    fn from_str(text: &str) -> Result<Self, NoHead> {
        let (id, hash) = text.trim().split_once(':').ok_or(NoHead)?;
        let id = id.parse().ok().filter(|id| *id >= 0).ok_or(NoHead)?;
        let hash = hash.to_ascii_lowercase();
        let is_hash = hash.len() == NOTHING.len() && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash { Ok(Self { id, hash }) } else { Err(NoHead) }
    }
}

/// The first line of an export; each further one is a [`Row`], oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The version of this form: [`Opening::VERSION`].
    pub tirta_audit: u32,
    /// The entry before the first of this export.
    pub after: Head,
    /// The last entry of this export.
    pub through: Head,
    /// The last entry of the log when it was exported.
    pub head: Head,
}

impl Opening {
    /// The only version that there is.
    pub const VERSION: u32 = 1;
}

/// JSON within JSON, to the letter. What is none (somebody was at the database) is written as a text, and so is no longer
/// what was hashed.
mod as_written {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::value::RawValue;

    pub(super) fn serialize<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(text.to_owned()).ok();
        match raw.filter(|raw| raw.get().len() == text.len() && !text.contains(['\n', '\r'])) {
            Some(raw) => raw.serialize(to),
            None => to.serialize_str(text),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        Box::<RawValue>::deserialize(from).map(|raw| raw.get().to_owned())
    }
}
