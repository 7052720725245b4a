//! The simulated tank is plausible, and says what it is.

use super::*;
use crate::probe;
use shared::calibration::{Point, fit};
use shared::reading::Outcome;
use std::ops::RangeInclusive;

const METRICS: [Metric; 8] = [
    Metric::Ph,
    Metric::Tds,
    Metric::Temperature,
    Metric::Volume,
    Metric::Ec,
    Metric::Level,
    Metric::Pressure,
    Metric::Flow,
];
const RANGES: [RangeInclusive<f64>; 8] =
    [5.5..=7.2, 500.0..=900.0, 22.0..=32.0, 450.0..=960.0, 1000.0..=1800.0, 0.45..=0.96, 30.0..=70.0, 25.0..=55.0];
const NOON: i64 = 1_763_690_400_000;

fn one_day(metric: Metric, seed: u64) -> Vec<Sample> {
    let mut probe = Simulated::new(metric, seed, false).unwrap();
    (0..24 * 60 * 6)
        .map(|i| {
            let now = UtcMillis(NOON + i * 10_000);
            let celsius = Tank { seed, water: Water::Rack }.truth(Metric::Temperature, now);
            probe.sample(&Circumstances {
                now,
                water: Some(probe::Water { celsius, simulated: true }),
                calibration: None,
            })
        })
        .collect()
}

fn values(samples: &[Sample]) -> Vec<f64> {
    samples
        .iter()
        .filter_map(|s| match s.outcome {
            Outcome::Measured(value) => Some(value.get()),
            Outcome::Fault(_) => None,
        })
        .collect()
}

#[test]
fn a_day_of_any_tank_is_plausible_moves_and_has_a_few_faults() {
    for seed in 0..3 {
        for (metric, range) in METRICS.into_iter().zip(RANGES) {
            let samples = one_day(metric, seed);
            let good = values(&samples);
            let (low, high) = good.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            assert!(range.contains(&low) && range.contains(&high), "{metric} {seed}: {low}..{high}");
            assert!(high - low > 0.1 * (range.end() - range.start()), "{metric} {seed} does not move");
            let faults = samples.len() - good.len();
            assert!(faults > 0 && faults < samples.len() / 50, "{metric} {seed}: {faults} faults");
        }
    }
}

#[test]
fn everything_simulated_says_so_also_its_faults() {
    for metric in METRICS {
        assert!(one_day(metric, 3).iter().all(|sample| sample.flags.has(Flag::Simulated)), "{metric}");
    }
}

#[test]
fn a_seed_repeats_and_another_differs() {
    assert_eq!(one_day(Metric::Ph, 7), one_day(Metric::Ph, 7));
    assert_ne!(one_day(Metric::Ph, 7), one_day(Metric::Ph, 8));
}

#[test]
fn a_value_changes_within_seconds_but_never_jumps() {
    let good = values(&one_day(Metric::Volume, 1));
    assert!(good.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 30.0));
    assert!(good.windows(2).filter(|pair| pair[0] != pair[1]).count() > good.len() / 2);
}

/// What a month of other water has, hour by hour.
fn a_month_of(water: Water, metric: Metric, seed: u64) -> (f64, f64) {
    let tank = Tank { seed, water };
    let hours = (0..30 * 24).map(|hour| tank.truth(metric, UtcMillis(NOON + hour * 3_600_000)));
    hours.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
}

#[test]
fn a_month_of_a_pond_and_of_an_effluent_is_plausible_and_moves() {
    type Ranges = [(Metric, RangeInclusive<f64>); 4];
    let ranges: [(Water, Ranges); 2] = [
        (
            Water::Pond,
            [
                (Metric::Temperature, 25.0..=32.5),
                (Metric::Ph, 6.9..=8.2),
                (Metric::Tds, 350.0..=560.0),
                (Metric::Volume, 800.0..=960.0),
            ],
        ),
        (
            Water::Effluent,
            [
                (Metric::Temperature, 27.0..=34.5),
                (Metric::Ph, 6.5..=8.1),
                (Metric::Tds, 430.0..=850.0),
                (Metric::Volume, 380.0..=820.0),
            ],
        ),
    ];
    for (water, metrics) in ranges {
        for ((metric, range), seed) in metrics.into_iter().flat_map(|of| (1..=20).map(move |seed| (of.clone(), seed))) {
            let (low, high) = a_month_of(water, metric, seed);
            assert!(range.contains(&low) && range.contains(&high), "{water:?} {metric} {seed}: {low}..{high}");
            assert!(high - low > 0.1 * (range.end() - range.start()), "{water:?} {metric} {seed} does not move");
        }
    }
}

#[test]
fn fish_are_warmest_in_the_afternoon_and_the_algae_make_their_water_alkaline_then() {
    let tank = Tank { seed: 3, water: Water::Pond };
    // 15:00 and 03:00 in western Indonesia.
    let [afternoon, night] = [8, 20].map(|hour| UtcMillis(1_763_683_200_000 + hour * 3_600_000));
    for metric in [Metric::Temperature, Metric::Ph] {
        assert!(tank.truth(metric, afternoon) > tank.truth(metric, night) + 0.3, "{metric}");
    }
}

#[test]
fn what_happens_to_a_tank_is_measured_and_is_over_when_it_is_over() {
    let mut probe = Simulated::new(Metric::Ph, 7, true).unwrap();
    let [as_new, usual] = [0.0, 1.0].map(|worn| {
        probe.suffer(Trouble { worn, ..Trouble::default() });
        value(&mut probe, &at(NOON, None))
    });
    let truth = Tank { seed: 7, water: Water::Rack }.truth(Metric::Ph, UtcMillis(NOON));
    assert!((as_new - truth).abs() < 0.02 && (usual - truth).abs() > 0.02, "{as_new} {usual} {truth}");
    probe.suffer(Trouble { more: 1.5, worn: 0.0, fault: None });
    assert!((value(&mut probe, &at(NOON, None)) - truth - 1.5).abs() < 0.02);
    probe.suffer(Trouble { fault: Some(Fault::NoAnswer), ..Trouble::default() });
    let sample = probe.sample(&at(NOON, None));
    assert_eq!(sample.outcome, Outcome::Fault(Fault::NoAnswer));
    assert!(sample.flags.has(Flag::Simulated));
    probe.suffer(Trouble::default());
    assert_eq!(value(&mut probe, &at(NOON, None)), usual);
}

#[test]
fn without_a_temperature_probe_a_simulated_ph_says_so() {
    let now = UtcMillis(NOON);
    let sample =
        Simulated::new(Metric::Ph, 1, false).unwrap().sample(&Circumstances { now, water: None, calibration: None });
    assert!(sample.flags.has(Flag::NoTemperature));
}

#[test]
fn a_metric_without_a_usual_sensor_is_not_simulated() {
    assert!(Simulated::new(Metric::Speed, 1, false).is_none());
}
fn at(now: i64, calibration: Option<Calibration>) -> Circumstances {
    let celsius = Tank { seed: 7, water: Water::Rack }.truth(Metric::Temperature, UtcMillis(now));
    Circumstances { now: UtcMillis(now), water: Some(probe::Water { celsius, simulated: true }), calibration }
}

fn value(probe: &mut Simulated, circumstances: &Circumstances) -> f64 {
    values(&[probe.sample(circumstances)])[0]
}

#[test]
fn two_metrics_of_one_probe_agree_also_when_it_is_worn() {
    for (one, other, factor) in [(Metric::Tds, Metric::Ec, 2.0), (Metric::Volume, Metric::Level, 0.001)] {
        for worn in [false, true] {
            let [mut one, mut other] = [one, other].map(|metric| Simulated::new(metric, 7, worn).unwrap());
            let (one, other) = (one.sample(&at(NOON, None)), other.sample(&at(NOON, None)));
            assert_eq!((one.millivolts, one.spread), (other.millivolts, other.spread));
            let (one, other) = (values(&[one])[0], values(&[other])[0]);
            assert!((one * factor - other).abs() < 0.001 * other, "{one} {other}");
        }
    }
}

#[test]
fn every_sample_has_a_spread_as_real_ones_have() {
    let sample = Simulated::new(Metric::Ph, 7, false).unwrap().sample(&at(NOON, None));
    assert!((0.05..1.0).contains(&sample.spread.unwrap().get()), "{sample:?}");
}

#[test]
fn a_probe_in_a_solution_goes_there_within_seconds_and_comes_back() {
    let solutions = [(Metric::Ph, 4.0, 4.0, 0.05), (Metric::Ph, 9.18, 9.14, 0.1), (Metric::Tds, 1413.0, 706.5, 5.0)];
    for (metric, nominal, expected, near) in solutions {
        let mut probe = Simulated::new(metric, 7, false).unwrap();
        let in_water = value(&mut probe, &at(NOON, None));
        probe.immerse(Some(nominal));
        let first = value(&mut probe, &at(NOON, None));
        assert!((first - in_water).abs() < near, "{metric}: it does not jump, {in_water} {first}");
        let later = probe.sample(&at(NOON + 20_000, None));
        assert!(later.flags.has(Flag::Simulated));
        assert!((values(&[later])[0] - expected).abs() < near, "{metric}: {later:?}");
        probe.immerse(None);
        assert!((value(&mut probe, &at(NOON, None)) - in_water).abs() < near);
    }
}

#[test]
fn a_worn_electrode_says_that_it_is_not_calibrated_and_can_be() {
    let mut probe = Simulated::new(Metric::Ph, 7, true).unwrap();
    let mut points = vec![];
    for nominal in [7.0, 4.0, 10.01] {
        probe.immerse(Some(nominal));
        probe.sample(&at(NOON, None));
        let settled = probe.sample(&at(NOON + 60_000, None));
        assert!(settled.flags.has(Flag::Uncalibrated));
        let millivolts = settled.millivolts.unwrap().get();
        let celsius = Some(Tank { seed: 7, water: Water::Rack }.truth(Metric::Temperature, UtcMillis(NOON + 60_000)));
        points.push(Point { nominal, millivolts, celsius, spread: None });
    }
    let fit = fit(&probe.sensor, &points, Buffers::Technical).unwrap();
    assert!((93.0..99.5).contains(&fit.health.unwrap().slope_percent), "{fit:?}");
    probe.immerse(None);
    let truth = Tank { seed: 7, water: Water::Rack }.truth(Metric::Ph, UtcMillis(NOON));
    let calibrated = at(NOON, Some(fit.calibration));
    assert!((value(&mut probe, &calibrated) - truth).abs() < 0.02);
    assert!((value(&mut probe, &at(NOON, None)) - truth).abs() > 0.02);
}
