//! Several conversions of one signal made into one voltage: what lies apart is left out, the rest is averaged.
//! Knows no converter and no sensor.
//!
//! Outliers are judged by the median absolute deviation, because a mean and its standard deviation are spoilt
//! by the very spike that they should find: C. Leys et al., "Detecting outliers: Do not use standard deviation
//! around the mean, use absolute deviation around the median", J. Exp. Soc. Psychol. 49 (2013) 764-766.

use super::DECIMALS_MV;
use shared::reading::Value;

/// Of how many deviations an outlier is (the strictest of the three that the source discusses).
const DEVIATIONS: f64 = 3.0;
/// Makes the median absolute deviation of a normal distribution its standard deviation.
const NORMAL: f64 = 1.4826;
/// Nearer than this to the median nothing is an outlier, in millivolts: the converter's own steps are not.
const FINE_MV: f64 = 0.5;

/// What a burst of conversions says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// The mean without outliers, in millivolts: rounded as it is recorded, so that whoever computes from the
    /// record begins with the same number.
    pub millivolts: f64,
    /// Sample standard deviation without outliers, in millivolts; `None` for a single conversion.
    pub spread: Option<f64>,
    /// Whether more than a quarter were outliers: the rest is then no safe majority.
    pub torn: bool,
}

impl Burst {
    /// Judges conversions, in millivolts; `None` if there is no number. What is none counts as an outlier.
    pub fn of(raw: &[f64]) -> Option<Self> {
        let mut finite: Vec<f64> = raw.iter().copied().filter(|mv| mv.is_finite()).collect();
        let median = median(&mut finite)?;
        let mut deviations: Vec<f64> = finite.iter().map(|mv| (mv - median).abs()).collect();
        let bound = (DEVIATIONS * NORMAL * self::median(&mut deviations)?).max(FINE_MV);
        finite.retain(|mv| (mv - median).abs() <= bound);
        let outliers = raw.len() - finite.len();
        let count = count(finite.len());
        let mean = finite.iter().sum::<f64>() / count;
        let squares: f64 = finite.iter().map(|mv| (mv - mean).powi(2)).sum();
        let spread = (finite.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        let millivolts = Value::rounded(mean, DECIMALS_MV).ok()?.get();
        Some(Self { millivolts, spread, torn: outliers * 4 > raw.len() })
    }
}

#[allow(clippy::cast_precision_loss)] // a burst has few conversions
fn count(conversions: usize) -> f64 {
    conversions as f64
}

/// Sorts, and takes the middle.
fn median(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let upper = *numbers.get(numbers.len() / 2)?;
    let lower = *numbers.get((numbers.len() - 1) / 2)?;
    Some((lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_without_noise_is_its_voltage() {
        assert_eq!(Burst::of(&[1500.0; 16]), Some(Burst { millivolts: 1500.0, spread: Some(0.0), torn: false }));
        assert_eq!(Burst::of(&[1500.0]), Some(Burst { millivolts: 1500.0, spread: None, torn: false }));
        assert_eq!(Burst::of(&[]), None);
    }

    #[test]
    fn the_spread_is_the_sample_standard_deviation() {
        // The squares of the distances from 3 sum up to 10, and 10 / 4 is 2.5.
        let burst = Burst::of(&[1.0, 5.0, 2.0, 4.0, 3.0]).unwrap();
        assert_eq!(burst.millivolts, 3.0);
        assert!((burst.spread.unwrap() - 2.5_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_pump_that_disturbs_many_conversions_is_not_hidden() {
        let mut raw = vec![1500.0; 11];
        raw.extend([2900.0; 5]);
        assert!(Burst::of(&raw).unwrap().torn);
    }

    fn steady() -> impl Strategy<Value = Vec<f64>> {
        proptest::collection::vec(1499.0..1501.0_f64, 7..32)
    }

    proptest! {
        #[test]
        fn no_raw_input_yields_nan_or_infinity(raw in proptest::collection::vec(any::<f64>(), 0..20)) {
            // What no converter has could still overflow a sum: the sample refuses it, see `Sample::new`.
            let raw: Vec<f64> = raw.into_iter().map(|mv| if mv.abs() > 1e9 { f64::NAN } else { mv }).collect();
            if let Some(burst) = Burst::of(&raw) {
                prop_assert!(burst.millivolts.is_finite());
                prop_assert!(burst.spread.is_none_or(|spread| spread.is_finite() && spread >= 0.0));
            }
        }

        #[test]
        fn a_spike_moves_nothing(mut raw in steady(), spike in prop_oneof![-300.0..1400.0, 1600.0..4096.0_f64], at in 0..7_usize) {
            raw[at] = spike;
            let burst = Burst::of(&raw).unwrap();
            prop_assert!((burst.millivolts - 1500.0).abs() <= 1.0, "{}", burst.millivolts);
            prop_assert!(burst.spread.unwrap() <= 2.0);
        }

        #[test]
        fn a_higher_signal_is_never_a_lower_voltage(raw in steady(), more in 0.0..2000.0_f64) {
            let higher: Vec<f64> = raw.iter().map(|mv| mv + more).collect();
            prop_assert!(Burst::of(&higher).unwrap().millivolts >= Burst::of(&raw).unwrap().millivolts - 0.001);
        }
    }
}
