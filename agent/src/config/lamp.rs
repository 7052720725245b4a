//! The `[lamp]` table: which LED of the board shows how the device is.

use super::ConfigError;
use serde::Deserialize;

/// The LED of the board that is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Lamp {
    /// The one beside the card slot, if there is one.
    #[default]
    Usual,
    /// The one of this name below `/sys/class/leds`.
    Led(String),
    /// None.
    Off,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLamp {
    led: Option<String>,
}

impl RawLamp {
    pub(super) fn check(self) -> Result<Lamp, ConfigError> {
        match self.led.as_deref() {
            None => Ok(Lamp::Usual),
            Some("off") => Ok(Lamp::Off),
            Some(name) if !name.is_empty() && !name.starts_with('.') && !name.contains('/') => {
                Ok(Lamp::Led(name.to_owned()))
            }
            Some(_) => {
                Err(ConfigError::field("lamp.led", "give a name below /sys/class/leds, such as \"ACT\", or \"off\""))
            }
        }
    }
}
