//! Water that lives by the day: a pond with fish, and what a factory lets go. Times of the day are those of western
//! Indonesia.

use super::{DAY, HOUR, MINUTE, Tank, fraction, wave};
use shared::{Metric, UtcMillis};

/// Western Indonesia is so far ahead of UTC.
const ZONE: i64 = 7 * HOUR;
/// When fish are fed.
const MEALS: [i64; 3] = [7 * HOUR, 12 * HOUR, 17 * HOUR];
/// How long it takes until the water has forgotten a meal, about.
const MEAL: i64 = 3 * HOUR;

impl Tank {
    /// Warm and rich in algae: they make the water alkaline while the sun shines. Metrics that a pond has not are 0.
    pub(super) fn pond(&self, metric: Metric, now: UtcMillis) -> f64 {
        let character = self.random(metric, -1) * 2.0 - 1.0;
        let stirred = wave(now, 5 * MINUTE, character);
        let heat = heat(now);
        match metric {
            Metric::Temperature => {
                28.6 + 0.5 * character + (1.5 + 0.4 * heat) * sun(now, 15) + 0.8 * heat + 0.05 * stirred
            }
            Metric::Ph => {
                let algae = (0.34 + 0.08 * heat) * sun(now, 16);
                7.55 + 0.15 * character + algae - 0.06 * fed(now) + 0.015 * stirred
            }
            // Feed and droppings gather until a part of the water is changed, each week.
            Metric::Tds => {
                400.0 + 30.0 * character + 90.0 * self.sawtooth(now, 7 * DAY, metric) + 14.0 * fed(now) + stirred
            }
            // It evaporates and is filled up each morning.
            Metric::Volume => 930.0 + 25.0 * character - 60.0 * self.sawtooth(now, DAY, metric) + 1.2 * stirred,
            _ => 0.0,
        }
    }

    /// It comes in shifts, is evened out, and leaves. Metrics that it has not are 0.
    pub(super) fn effluent(&self, metric: Metric, now: UtcMillis) -> f64 {
        let character = self.random(metric, -1) * 2.0 - 1.0;
        let stirred = wave(now, 3 * MINUTE, character);
        let shift = wave(now, 8 * HOUR, 0.2 * character);
        // A little less of everything at the weekend: 1970-01-01 was a Thursday.
        let week = wave(UtcMillis(now.0 + ZONE - DAY), 7 * DAY, 0.0);
        match metric {
            Metric::Temperature => 30.8 + 0.6 * character + 1.1 * sun(now, 14) + 0.5 * shift + 0.5 * heat(now),
            Metric::Ph => 7.3 + 0.15 * character + 0.38 * shift + 0.12 * week + 0.03 * stirred,
            Metric::Tds => 640.0 + 40.0 * character + 85.0 * shift + 40.0 * week + 4.0 * stirred,
            Metric::Volume => 600.0 + 30.0 * character + 170.0 * wave(now, 4 * HOUR, character) + 3.0 * stirred,
            _ => 0.0,
        }
    }
}

/// Highest (1) at this hour of the day, lowest (-1) twelve hours later.
fn sun(now: UtcMillis, hour: i64) -> f64 {
    wave(UtcMillis(now.0 + ZONE - hour * HOUR), DAY, 0.25)
}

/// How much of the last meals is still to be noticed: 1 right after one.
fn fed(now: UtcMillis) -> f64 {
    let into = (now.0 + ZONE).rem_euclid(DAY);
    let since = |meal: &i64| (into - meal).rem_euclid(DAY);
    #[allow(clippy::cast_precision_loss)] // a day
    let left = |since: i64| {
        let eaten = (since as f64 / (20.0 * MINUTE as f64)).min(1.0);
        eaten * (-(since as f64) / MEAL as f64).exp()
    };
    MEALS.iter().map(since).map(left).sum()
}

/// The weather, which all tanks share: 1 in the middle of a hot spell, -1 on rainy days.
fn heat(now: UtcMillis) -> f64 {
    let weather = Tank { seed: 0, water: super::Water::Pond };
    let spell = 2 * DAY;
    let of = |n: i64| weather.random(Metric::Temperature, -1000 - n.rem_euclid(100_000)) * 2.0 - 1.0;
    let (n, into) = (now.0.div_euclid(spell), fraction(now.0, spell));
    let ease = into * into * (3.0 - 2.0 * into);
    of(n) + (of(n + 1) - of(n)) * ease
}
