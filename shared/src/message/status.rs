//! What a device says about itself: retained, sent at each connection and change, and left behind as last will.

use super::{Version, json_message};
use crate::{BufferId, ClockQuality, id::RunId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether a device is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// It runs and is connected.
    Online,
    /// It said good-bye.
    Stopped,
    /// The broker lost it: this is the last will.
    Lost,
}

/// A device's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    v: Version,
    /// Whether it is connected.
    pub state: LinkState,
    /// The agent's version.
    #[serde(default)]
    pub agent: String,
    /// Identifies this boot of the device.
    #[serde(default)]
    pub boot: String,
    /// Identifies this run of the agent. One that comes back after another was heard shows that two boards use one key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// How far the device's clock can be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockQuality>,
    /// How long its machine has been running, in seconds: after an outage it tells a power cut from a lost network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_s: Option<u64>,
    /// How its connection before this one ended, as it saw it; absent if this is the first of its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// Version of the settings that it runs.
    #[serde(default)]
    pub settings: u32,
    /// Its buffer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer: Option<BufferStatus>,
    /// By metric: `ok` or the word of the fault that its last reading had. Names are not checked,
    /// so that a status of a newer agent can be read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub probes: BTreeMap<String, String>,
    /// The local alarm: `ok`, or `no_gpio` if it is configured and the machine has no such pin; absent if
    /// none is configured. Words are not checked either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
}

/// How a connection ended, or why the next one could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// How long ago that is, in seconds, by the device's ticks: no clock has to be right for it.
    pub ago_s: u64,
    /// In a word: `closed`, `given_up` (by the device itself), `timed_out`, `no_route`, `refused`, `dns`, `tls` or `other`.
    /// Words are not checked.
    pub why: String,
}

/// The state of a device's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferStatus {
    /// Which buffer; zeros if none could be opened since the agent began.
    pub id: BufferId,
    /// Readings that the server has not yet acknowledged.
    pub pending: u64,
    /// Readings that were dropped, oldest first, because the buffer was full.
    pub dropped: u64,
    /// Why readings can't be written down now and wait in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Broken buffers that were set aside on the card and wait for somebody to look at them.
    #[serde(default, skip_serializing_if = "is_none")]
    pub set_aside: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for it
fn is_none(count: &u32) -> bool {
    *count == 0
}

/// Why a device can't write down its readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// There is no room.
    DiskFull,
    /// The card fails, or can only be read.
    CardError,
    /// A newer agent's word.
    #[serde(other)]
    Other,
}

impl BufferStatus {
    /// A buffer without trouble.
    pub fn new(id: BufferId, pending: u64, dropped: u64) -> Self {
        Self { id, pending, dropped, trouble: None, set_aside: 0 }
    }
}

impl Status {
    /// A status that says only whether the device is connected; the other fields can be set after it.
    pub fn new(state: LinkState) -> Self {
        Self {
            v: Version,
            state,
            agent: String::new(),
            boot: String::new(),
            run: None,
            clock: None,
            up_s: None,
            cut: None,
            settings: 0,
            buffer: None,
            probes: BTreeMap::new(),
            alarm: None,
        }
    }

    /// The last will of this device's present boot.
    pub fn last_will(&self) -> Self {
        Self { agent: self.agent.clone(), boot: self.boot.clone(), run: self.run, ..Self::new(LinkState::Lost) }
    }
}
json_message!(Status);
