//! Quantiles of many values in little memory: how often each value occurs, at the resolution of its sensor. Knows no reading.

use std::collections::HashMap;

/// Different values that are told apart; beyond that neighbours are taken for one.
const MOST: usize = 16_384;

/// How often each value occurs. As sensors resolve few different values, this is exact for them, however many readings there
/// are; of what is finer it is exact to `step`.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Steps within 1: a power of ten, so that what was rounded so comes back as the very same number.
    scale: f64,
    /// Steps that are taken for one.
    factor: f64,
    counts: HashMap<i64, u64>,
    total: u64,
}

impl Counted {
    /// Of values with so many decimals.
    pub fn new(decimals: i32) -> Self {
        Self { scale: 10_f64.powi(decimals), factor: 1.0, counts: HashMap::new(), total: 0 }
    }

    /// Counts one more.
    pub fn add(&mut self, value: f64) {
        *self.counts.entry(key(value * self.scale / self.factor)).or_default() += 1;
        self.total += 1;
        while self.counts.len() > MOST {
            self.factor *= 2.0;
            for (at, count) in std::mem::take(&mut self.counts) {
                *self.counts.entry(halved(at)).or_default() += count;
            }
        }
    }

    /// How far a quantile may be from that of the values as they are.
    pub fn step(&self) -> f64 {
        self.factor / self.scale
    }

    /// Quantiles, for shares that rise: between two values by their distance, as a spreadsheet's PERCENTILE does. Of nothing
    /// there are none.
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> Option<[f64; N]> {
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // counts are far below 2^52
        let place = |share: f64| {
            let place = share * (self.total.checked_sub(1)? as f64);
            Some((place.floor() as u64, place.fract()))
        };
        let mut sorted: Vec<(i64, u64)> = self.counts.iter().map(|(at, count)| (*at, *count)).collect();
        sorted.sort_unstable();
        let mut through = 0;
        for (_, count) in &mut sorted {
            through += *count;
            *count = through;
        }
        // The value of a rank; ranks count from 0.
        let value = |rank: u64| {
            let at = sorted.partition_point(|(_, through)| *through <= rank);
            sorted.get(at).or(sorted.last()).map(|(at, _)| self.value(*at))
        };
        let mut found = [0.0; N];
        for (found, share) in found.iter_mut().zip(shares) {
            let (rank, beyond) = place(share)?;
            let (low, high) = (value(rank)?, value(rank + 1)?);
            *found = if beyond == 0.0 { low } else { low + (high - low) * beyond };
        }
        Some(found)
    }

    #[allow(clippy::cast_precision_loss)] // a step that is so large has lost more already
    fn value(&self, at: i64) -> f64 {
        at as f64 * self.factor / self.scale
    }
}

#[allow(clippy::cast_possible_truncation)] // it ends at the ends
fn key(steps: f64) -> i64 {
    steps.round() as i64
}

#[allow(clippy::cast_precision_loss)]
fn halved(at: i64) -> i64 {
    key(at as f64 / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Over all of them, sorted.
    fn plain(values: &[f64], share: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let place = share * (sorted.len() - 1) as f64;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        low + (high - low) * place.fract()
    }

    proptest! {
        #[test]
        fn quantiles_of_what_a_sensor_resolves_are_those_of_all_values(
            whole in prop::collection::vec(-20_000_i32..20_000, 1..300),
        ) {
            let values: Vec<f64> = whole.iter().map(|n| f64::from(*n) / 1000.0).collect();
            let mut counted = Counted::new(3);
            values.iter().for_each(|value| counted.add(*value));
            let shares = [0.0, 0.05, 0.5, 0.95, 1.0];
            for (found, share) in counted.quantiles(shares).unwrap().into_iter().zip(shares) {
                prop_assert!((found - plain(&values, share)).abs() < 1e-9, "{share}: {found}");
            }
            prop_assert_eq!(counted.step(), 0.001);
        }
    }

    #[test]
    fn many_different_values_take_no_more_memory_and_their_quantiles_are_as_exact_as_it_says() {
        let values: Vec<f64> = (0..200_000_u32).map(|n| f64::from(n.wrapping_mul(2_654_435_761)) / 1e4).collect();
        let mut counted = Counted::new(3);
        values.iter().for_each(|value| counted.add(*value));
        assert!(counted.counts.len() <= MOST);
        let [low, middle, high] = counted.quantiles([0.05, 0.5, 0.95]).unwrap();
        for (found, share) in [(low, 0.05), (middle, 0.5), (high, 0.95)] {
            let off = (found - plain(&values, share)).abs();
            assert!(off <= counted.step(), "{share}: {off} of {}", counted.step());
        }
        assert!(counted.step() < 100.0, "of a range of 430000");
    }

    #[test]
    fn of_nothing_there_is_no_quantile_and_of_one_value_it_is_that() {
        assert_eq!(Counted::new(3).quantiles([0.5]), None);
        let mut one = Counted::new(3);
        one.add(7.012);
        assert_eq!(one.quantiles([0.05, 0.5, 0.95]), Some([7.012; 3]));
        one.add(f64::MAX);
        assert!(one.quantiles([1.0]).is_some(), "what no probe measures breaks nothing");
    }
}
