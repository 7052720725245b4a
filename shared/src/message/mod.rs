//! The messages that travel over MQTT, as JSON that a person with `mosquitto_sub` can read.
//!
//! Each carries the protocol version. Fields, flags and trailing columns that this version does not
//! know are tolerated; another version is refused by name.

mod ack;
mod batch;
pub mod calibrate;
mod renewal;
mod sensors;
mod server_time;
mod settings;
mod status;

pub use ack::Ack;
pub use batch::{Batch, MAX_PAYLOAD, MAX_READINGS, Received, Refusal, Refused, Rejection};
pub use renewal::{Certificate, Renewal};
pub use sensors::{ProbeReport, Sensors};
pub use server_time::ServerTime;
pub use settings::{IntervalError, Intervals, Settings};
pub use status::{BufferStatus, Cut, LinkState, Status, Trouble};

use crate::Metric;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// The version of the messages in this module.
pub const PROTOCOL_VERSION: u32 = 1;

/// The field `v`: always written as [`PROTOCOL_VERSION`], and nothing else is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(PROTOCOL_VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match u32::deserialize(from)? {
            PROTOCOL_VERSION => Ok(Version),
            got => Err(serde::de::Error::custom(format!(
                "protocol version {got} is not supported, this side speaks {PROTOCOL_VERSION}"
            ))),
        }
    }
}

/// Something for each metric. What a newer peer says of a metric, or in a form, that this version does not
/// know is passed over: it could not be used here.
fn known<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<BTreeMap<Metric, T>, D::Error> {
    let all = BTreeMap::<String, serde_json::Value>::deserialize(from)?;
    let read = |(name, item): (String, serde_json::Value)| {
        Some((Metric::from_wire(&name)?, serde_json::from_value(item).ok()?))
    };
    Ok(all.into_iter().filter_map(read).collect())
}

/// A message that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MessageError(#[from] serde_json::Error);

/// Encoding and decoding for the messages that are plain structs.
macro_rules! json_message {
    ($type:ty) => {
        impl $type {
            /// The message as JSON.
            pub fn encode(&self) -> String {
                // Such a struct has nothing that JSON can't say: no non-string key, no failing field.
                serde_json::to_string(self).unwrap_or_default()
            }

            /// Reads a message.
            ///
            /// # Errors
            /// When it is not JSON, lacks a field or has another protocol version.
            pub fn decode(payload: &[u8]) -> Result<Self, $crate::message::MessageError> {
                Ok(serde_json::from_slice(payload)?)
            }
        }
    };
}
use json_message;
