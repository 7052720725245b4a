//! The server's time, for a device whose own clock can't be trusted. Never retained: an old one is a lie.

use super::{Version, json_message};
use crate::UtcMillis;
use serde::{Deserialize, Serialize};

/// What the server's clock said when it sent this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerTime {
    v: Version,
    /// The time (UTC milliseconds).
    pub time: UtcMillis,
}

impl ServerTime {
    /// The server's time.
    pub fn new(time: UtcMillis) -> Self {
        Self { v: Version, time }
    }
}
json_message!(ServerTime);
