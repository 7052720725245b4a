//! A tank with water: what it has at any time, and when a plug is loose. Knows no sensor.

mod pond;

use serde::Deserialize;
use shared::reading::Fault;
use shared::{Metric, UtcMillis};
use std::f64::consts::TAU;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What a tank is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Water {
    /// Plants stand in it: acid and fertiliser are dosed.
    #[default]
    Rack,
    /// Fish live in it.
    Pond,
    /// It comes from a plant and is treated.
    Effluent,
}

/// A tank with water, as it would be at any time.
#[derive(Clone, Copy)]
pub(super) struct Tank {
    pub(super) seed: u64,
    pub(super) water: Water,
}

impl Tank {
    /// What the water has.
    pub(super) fn truth(&self, metric: Metric, now: UtcMillis) -> f64 {
        match (self.water, metric) {
            (Water::Pond, Metric::Temperature | Metric::Ph | Metric::Tds | Metric::Volume) => self.pond(metric, now),
            (Water::Effluent, Metric::Temperature | Metric::Ph | Metric::Tds | Metric::Volume) => {
                self.effluent(metric, now)
            }
            _ => self.rack(metric, now),
        }
    }

    fn rack(&self, metric: Metric, now: UtcMillis) -> f64 {
        // Tanks differ a little from each other, always in the same way.
        let character = self.random(metric, -1) * 2.0 - 1.0;
        // The pump goes every five minutes and stirs the water.
        let stirred = wave(now, 5 * MINUTE, character);
        match metric {
            // Coldest at dawn, warmest in the afternoon (23 and 8 o'clock UTC in Indonesia).
            Metric::Temperature => {
                let day = wave(UtcMillis(now.0 - 2 * HOUR), DAY, 0.0);
                27.0 + 1.5 * character + 2.5 * day + 0.12 * stirred
            }
            // It drifts up until acid is dosed.
            Metric::Ph => 5.9 + 0.2 * character + 0.8 * self.sawtooth(now, 5 * HOUR, metric) + 0.02 * stirred,
            // Plants eat until fertiliser is dosed.
            Metric::Tds => 820.0 + 60.0 * character - 220.0 * self.sawtooth(now, 9 * HOUR, metric) + 4.0 * stirred,
            // The filter clogs until it is washed back.
            Metric::Pressure => 38.0 + 4.0 * character + 22.0 * self.sawtooth(now, 11 * HOUR, metric) + 1.5 * stirred,
            Metric::Flow => 46.0 + 4.0 * character - 12.0 * self.sawtooth(now, 11 * HOUR, metric) + 2.0 * stirred,
            // It evaporates and is used until the float valve opens.
            _ => 900.0 + 40.0 * character - 350.0 * self.sawtooth(now, 7 * HOUR, metric) + 1.5 * stirred,
        }
    }

    /// Rises slowly from 0 to 1 and falls back within the last fortieth of the period.
    fn sawtooth(&self, now: UtcMillis, period: i64, metric: Metric) -> f64 {
        let offset = self.random(metric, -2);
        let phase = (fraction(now.0, period) + offset).fract();
        const DOSING: f64 = 1.0 / 40.0;
        if phase < 1.0 - DOSING { phase / (1.0 - DOSING) } else { (1.0 - phase) / DOSING }
    }

    /// A loose plug now and then: for eight seconds in about every fortieth minute.
    pub(super) fn fault(&self, metric: Metric, now: UtcMillis) -> Option<Fault> {
        let minute = now.0.div_euclid(MINUTE);
        let into = now.0.rem_euclid(MINUTE);
        let start = 10_000;
        if !(start..start + 8_000).contains(&into) || self.random(metric, minute) >= 1.0 / 40.0 {
            return None;
        }
        const KINDS: [Fault; 4] = [Fault::NoAnswer, Fault::RailLow, Fault::RailHigh, Fault::NotReady];
        let kind = mix(self.seed ^ minute.unsigned_abs()) % 4;
        usize::try_from(kind).ok().and_then(|kind| KINDS.get(kind)).copied()
    }

    /// A number in 0..1 that belongs to this tank, metric and `n`.
    pub(super) fn random(&self, metric: Metric, n: i64) -> f64 {
        let name =
            metric.as_str().bytes().fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let bits = mix(mix(self.seed ^ name.rotate_left(32)) ^ u64::from_ne_bytes(n.to_ne_bytes()));
        f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
    }

    /// Noise in the shape of a bell, within -2..2.
    pub(super) fn bell(&self, metric: Metric, n: i64) -> f64 {
        let sum: f64 = (0..4).map(|i| self.random(metric, n.wrapping_mul(4).wrapping_add(i))).sum();
        sum - 2.0
    }
}

fn wave(now: UtcMillis, period: i64, phase: f64) -> f64 {
    (TAU * (fraction(now.0, period) + phase)).sin()
}

/// How far into its period an instant is: 0 to 1.
fn fraction(at: i64, period: i64) -> f64 {
    #[allow(clippy::cast_precision_loss)] // a day has few milliseconds
    let (into, period) = (at.rem_euclid(period) as f64, period as f64);
    into / period
}

/// SplitMix64: turns similar numbers into unrelated ones.
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
