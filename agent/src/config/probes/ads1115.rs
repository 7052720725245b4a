//! A `[[probe]]` on an ADS1115: what is set for the channel, and the rest is for the sensor itself.

use super::{Believed, ConfigError, pace, table, unreadable};
use crate::probe::ads1115::{Address, Channel, Range, Rate, Scale};
use crate::probe::analog::{Rails, Reading};
use serde::Deserialize;
use shared::Metric;
use shared::sensor::{Law, Limits, Sensor};
use std::path::PathBuf;
use std::time::Duration;

/// A channel of an ADS1115 and what is connected to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ads1115 {
    /// The bus's device file.
    pub bus: PathBuf,
    /// The chip.
    pub address: Address,
    /// Its input.
    pub channel: Channel,
    /// The full scale.
    pub range: Range,
    /// Conversions in a second.
    pub rate: Rate,
    /// How the voltage is read.
    pub reading: Reading,
    /// What it means.
    pub sensor: Sensor,
    /// Which values are believed.
    pub limits: Limits,
}

impl Ads1115 {
    pub(super) fn same_channel(&self, other: &Self) -> bool {
        (&self.bus, self.address, self.channel) == (&other.bus, other.address, other.channel)
    }
}

/// What every probe on an ADS1115 has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    bus: PathBuf,
    address: u8,
    channel: u8,
    full_scale_mv: Option<toml::Value>,
    #[serde(default = "rate")]
    rate: u32,
    samples: Option<u32>,
    /// Of the sensor's board: an open input sits near it.
    #[serde(default = "supply")]
    supply_mv: f64,
    #[serde(default = "rail_low")]
    rail_low_mv: f64,
    rail_high_mv: Option<f64>,
    unstable_mv: Option<f64>,
    #[serde(default = "stuck_after")]
    stuck_after: u32,
    max_change_per_minute: Option<f64>,
}

const FIELDS: [&str; 12] = [
    "bus",
    "address",
    "channel",
    "full_scale_mv",
    "rate",
    "samples",
    "supply_mv",
    "rail_low_mv",
    "rail_high_mv",
    "unstable_mv",
    "stuck_after",
    "max_change_per_minute",
];

/// Suits a supply of 3.3 V.
const FULL_SCALE: u16 = 4096;

fn rate() -> u32 {
    128
}
fn supply() -> f64 {
    3300.0
}
fn rail_low() -> f64 {
    5.0
}
/// An hour at a reading every ten seconds.
fn stuck_after() -> u32 {
    360
}
/// Conversions of a reading, if their time allows.
const SAMPLES: u32 = 16;
/// Beyond so many times what counts as settled, a signal counts as unstable.
const UNSETTLED: f64 = 10.0;

pub(super) fn check(
    name: &str,
    metric: Metric,
    interval: Duration,
    mut rest: toml::Table,
) -> Result<Ads1115, ConfigError> {
    let complain = |(field, problem): (&str, &str)| ConfigError::field(format!("{name}.{field}"), problem);
    let own = FIELDS.iter().filter_map(|field| Some(((*field).to_owned(), rest.remove(*field)?))).collect();
    let raw: Raw = table(name, own)?;
    let believed = Believed::take(name, &mut rest)?;
    let sensor = Sensor::read(metric, rest).map_err(|error| unreadable(name, &error))?;
    sensor.law().check().map_err(complain)?;
    let limits = believed.of(name, &sensor)?;

    let address = Address::new(raw.address).ok_or_else(|| complain(("address", "0x48, 0x49, 0x4a or 0x4b")))?;
    let channel = match raw.channel {
        0 => Channel::A0,
        1 => Channel::A1,
        2 => Channel::A2,
        3 => Channel::A3,
        _ => return Err(complain(("channel", "0, 1, 2 or 3"))),
    };
    let rate = Rate::new(raw.rate).ok_or_else(|| complain(("rate", "8, 16, 32, 64, 128, 250, 475 or 860 a second")))?;
    let range = raw.range().map_err(complain)?;
    let reading = raw.reading(range, rate, interval, sensor.law()).map_err(complain)?;
    pace(name, raw.max_change_per_minute)?;
    Ok(Ads1115 { bus: raw.bus, address, channel, range, rate, reading, sensor, limits })
}

impl Raw {
    fn range(&self) -> Result<Range, (&'static str, &'static str)> {
        if !(500.0..=6000.0).contains(&self.supply_mv) {
            return Err(("supply_mv", "500 to 6000 mV, usually 3300 or 5000"));
        }
        let fix = "6144, 4096, 2048, 1024, 512, 256 or \"auto\"; 4096 suits a 3.3 V supply";
        match &self.full_scale_mv {
            // No input can be above the supply, so no wider scale is of use.
            Some(toml::Value::String(word)) if word == "auto" => {
                return Ok(Range::Auto { widest: Scale::for_voltage(self.supply_mv) });
            }
            Some(toml::Value::Integer(millivolts)) => u16::try_from(*millivolts).ok().and_then(Scale::new),
            Some(_) => None,
            None => Scale::new(FULL_SCALE),
        }
        .map(Range::Fixed)
        .ok_or(("full_scale_mv", fix))
    }

    fn reading(
        &self,
        range: Range,
        rate: Rate,
        interval: Duration,
        law: &dyn Law,
    ) -> Result<Reading, (&'static str, &'static str)> {
        // An open input sits near the supply, which is seldom exact.
        let high_mv = self.rail_high_mv.unwrap_or(self.supply_mv - 50.0).min(range.widest().highest());
        if self.rail_low_mv.is_nan() || high_mv.is_nan() || self.rail_low_mv >= high_mv {
            return Err(("rail_high_mv", "it must be above rail_low_mv"));
        }
        let fit = |interval: Duration| u32::try_from(interval.as_millis() * u128::from(rate.per_second()) / 1000);
        // A chip has four channels, and one converter for them.
        let samples = self.samples.unwrap_or(fit(interval / 4).unwrap_or(SAMPLES).clamp(1, SAMPLES));
        if !(1..=32).contains(&samples) {
            return Err(("samples", "1 to 32 conversions for a reading"));
        }
        if fit(interval).is_ok_and(|most| samples > most.max(1)) {
            return Err(("samples", "so many take longer than interval_ms at this rate; take fewer or raise the rate"));
        }
        let unstable_mv = self.unstable_mv.unwrap_or(UNSETTLED * law.settled_mv());
        if !(0.0..=6000.0).contains(&unstable_mv) {
            return Err(("unstable_mv", "0 to 6000 mV; usually ten times the signal's noise"));
        }
        let rails = Rails { low_mv: self.rail_low_mv, high_mv };
        let (stuck_after, max_change_per_minute) = (self.stuck_after, self.max_change_per_minute);
        Ok(Reading { samples, rails, unstable_mv, stuck_after, max_change_per_minute })
    }
}
