//! The `[alarm]` table: where the local alarm is connected.

use super::{ConfigError, Probe, Source};
use serde::Deserialize;
use shared::rule::Severity;

/// A relay, a buzzer or a lamp beside the tank.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// The pin, by its BCM number.
    pub pin: u8,
    /// Whether it is switched on by a low level, as most relay boards are.
    #[serde(default)]
    pub active_low: bool,
    /// How the pin is left when the agent ends.
    #[serde(default)]
    pub fail_safe: FailSafe,
    /// It is given for what is as bad as this, or worse.
    #[serde(default = "critical")]
    pub severity: Severity,
    /// What is connected, in a word for people.
    #[serde(default)]
    pub kind: AlarmKind,
}

fn critical() -> Severity {
    Severity::Critical
}

/// A state to be left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailSafe {
    /// An agent that does not run is a reason for an alarm.
    On,
    /// It is not.
    #[default]
    Off,
}

/// What is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the word says it
pub enum AlarmKind {
    #[default]
    Relay,
    Buzzer,
    Led,
}

pub(super) fn check(alarm: &Alarm, probes: &[Probe]) -> Result<(), ConfigError> {
    let bad = |problem: &str| Err(ConfigError::field("alarm.pin", problem));
    let w1 = probes.iter().any(|probe| matches!(probe.source, Source::W1(_)));
    match alarm.pin {
        2 | 3 => bad("GPIO 2 and 3 are the I2C bus; use another, such as 17"),
        4 if w1 => bad("GPIO 4 is the 1-wire bus; use another, such as 17"),
        0..=27 => Ok(()),
        _ => bad("give the BCM number of a pin, 0 to 27, such as 17"),
    }
}
