//! Calibrate, then measure: the buffer's own value comes out.

use super::*;
use crate::Metric;
use crate::sensor::{Sensor, Signal, ph::Ph};
use proptest::prelude::*;

/// What the common board puts out in a solution.
fn board(ph: f64, celsius: f64, zero_mv: f64, acid: f64, base: f64) -> f64 {
    let percent = if ph < 7.0 { acid } else { base };
    zero_mv + Ph::default().slope_mv(celsius) * percent / 100.0 * (7.0 - ph)
}

fn sensor(metric: Metric) -> Sensor {
    Sensor::usual(metric).unwrap()
}

fn point(nominal: f64, millivolts: f64, celsius: f64) -> Point {
    Point { nominal, millivolts, celsius: Some(celsius), spread: None }
}

fn buffer(set: Buffers, label: f64, celsius: f64, probe: (f64, f64, f64)) -> Point {
    let ph = set.ph(label, celsius).unwrap();
    point(label, board(ph, celsius, probe.0, probe.1, probe.2), celsius)
}

fn fit_ph(points: &[Point], set: Buffers) -> Result<Fit, FitError> {
    fit(&sensor(Metric::Ph), points, set)
}

fn measured(metric: Metric, point: &Point, calibration: &Calibration) -> f64 {
    let signal = Signal { millivolts: point.millivolts, celsius: point.celsius, calibration: Some(calibration) };
    sensor(metric).law().estimate(&signal).value
}

#[test]
fn the_buffers_follow_their_published_tables() {
    for (set, label, celsius, ph) in [
        (Buffers::Technical, 4.00, 25.0, 4.00),
        (Buffers::Technical, 7.00, 0.0, 7.12),
        (Buffers::Technical, 7.00, 30.0, 6.99),
        (Buffers::Technical, 10.01, 10.0, 10.18),
        (Buffers::Technical, 10.01, 50.0, 9.83),
        (Buffers::Nist, 4.01, 25.0, 4.01),
        (Buffers::Nist, 6.86, 25.0, 6.86),
        (Buffers::Nist, 9.18, 25.0, 9.18),
        (Buffers::Nist, 9.18, 35.0, 9.10),
    ] {
        assert!((set.ph(label, celsius).unwrap() - ph).abs() < 1e-9, "{set} {label} {celsius}");
    }
    assert!((Buffers::Technical.ph(10.01, 27.5).unwrap() - 9.99).abs() < 1e-9, "between two rows");
    assert_eq!(Buffers::Technical.ph(6.86, 25.0), None, "of the other set");
    assert_eq!((Buffers::Nist.ph(6.86, -1.0), Buffers::Nist.ph(6.86, 50.1)), (None, None));
}

#[test]
fn two_points_give_zero_and_slope() {
    let probe = (1512.0, 97.0, 97.0);
    let points = [buffer(Buffers::Technical, 7.0, 25.0, probe), buffer(Buffers::Technical, 4.0, 25.0, probe)];
    let fit = fit_ph(&points, Buffers::Technical).unwrap();
    let Calibration::Ph { zero_mv, acid_percent, base_percent } = fit.calibration else { unreachable!() };
    assert!((zero_mv - 1512.0).abs() < 1e-6 && (acid_percent - 97.0).abs() < 1e-6 && acid_percent == base_percent);
    let health = fit.health.unwrap();
    assert!((health.slope_percent - 97.0).abs() < 1e-6 && (health.offset_mv - 4.0).abs() < 1e-6);
}

#[test]
fn impossible_points_are_refused_with_the_reason() {
    let set = Buffers::Technical;
    let good = |label| buffer(set, label, 25.0, (1500.0, 98.0, 98.0));
    let code = |points: &[Point]| fit_ph(points, set).unwrap_err().code();
    assert_eq!(code(&[good(7.0)]), "points");
    assert_eq!(code(&[]), "points");
    assert_eq!(code(&[good(7.0), good(7.0)]), "too_close");
    assert_eq!(code(&[good(7.0), Point { celsius: None, ..good(4.0) }]), "no_temperature");
    assert_eq!(code(&[good(7.0), Point { celsius: Some(51.0), ..good(4.0) }]), "temperature");
    assert_eq!(code(&[good(7.0), Point { nominal: 6.86, ..good(4.0) }]), "unknown_buffer");
    assert_eq!(code(&[good(7.0), Point { millivolts: f64::NAN, ..good(4.0) }]), "not_finite");
    // The probe stands in the same glass twice, or the two buffers are swapped.
    assert_eq!(code(&[good(7.0), Point { millivolts: 1500.0, ..good(4.0) }]), "slope");
    assert_eq!(code(&[Point { nominal: 4.0, ..good(7.0) }, Point { nominal: 7.0, ..good(4.0) }]), "slope");
    let shifted = |label| buffer(set, label, 25.0, (1600.0, 98.0, 98.0));
    assert_eq!(code(&[shifted(7.0), shifted(4.0)]), "offset");
    let worn = |label| buffer(set, label, 25.0, (1500.0, 80.0, 80.0));
    assert_eq!(code(&[worn(7.0), worn(4.0)]), "slope");
    let text = fit_ph(&[worn(7.0), worn(4.0)], set).unwrap_err().to_string();
    assert!(text.contains("80.0 %") && text.contains("worn"), "{text}");
}

#[test]
fn a_standard_solution_gives_the_cell_constant_and_a_wrong_one_is_refused() {
    let tds = sensor(Metric::Tds);
    // 1800 mV is 1490.7 µS/cm on the published curve.
    let fit_one = |nominal, mv, celsius| fit(&tds, &[point(nominal, mv, celsius)], Buffers::Technical);
    let fit = fit_one(1413.0, 1800.0, 27.0).unwrap();
    let value = measured(Metric::Tds, &point(1413.0, 1800.0, 27.0), &fit.calibration);
    assert!((value - 706.5).abs() < 1e-9, "{value}");
    assert_eq!(fit_one(1413.0, 100.0, 25.0).unwrap_err().code(), "cell");
    assert_eq!(fit_one(1413.0, 0.0, 25.0).unwrap_err().code(), "cell");
    assert_eq!(fit_one(1413.0, 2300.0, 25.0).unwrap_err().code(), "saturated");
    assert_eq!(fit_one(1413.0, 1800.0, 90.0).unwrap_err().code(), "temperature");
}

#[test]
fn one_point_shifts_a_thermometer_and_two_turn_it() {
    let thermometer = sensor(Metric::Temperature);
    let cold = point(20.0, 1836.0, 20.0);
    let one = fit(&thermometer, &[cold], Buffers::Technical).unwrap();
    assert!(matches!(one.calibration, Calibration::Linear { slope: 1.0, .. }));
    assert!((measured(Metric::Temperature, &cold, &one.calibration) - 20.0).abs() < 1e-9);
    let warm = point(35.0, 1270.0, 35.0);
    let two = fit(&thermometer, &[warm, cold], Buffers::Technical).unwrap();
    for known in [cold, warm] {
        assert!((measured(Metric::Temperature, &known, &two.calibration) - known.nominal).abs() < 1e-9);
    }
    assert_eq!(
        fit(&thermometer, &[cold, point(20.5, 1800.0, 20.5)], Buffers::Technical).unwrap_err().code(),
        "too_close"
    );
    assert_eq!(fit(&thermometer, &[point(45.0, 1836.0, 45.0)], Buffers::Technical).unwrap_err().code(), "shift");
    assert_eq!(
        fit(&thermometer, &[cold, Point { nominal: 35.0, ..cold }], Buffers::Technical).unwrap_err().code(),
        "line"
    );
}

#[test]
fn a_tank_is_calibrated_by_the_height_of_its_water() {
    let tank = sensor(Metric::Volume);
    let points = [point(0.0, 540.0, 25.0), point(0.9, 2310.0, 25.0)];
    let fit = fit(&tank, &points, Buffers::Technical).unwrap();
    assert!((measured(Metric::Volume, &points[1], &fit.calibration) - 900.0).abs() < 1e-6);
    assert!(measured(Metric::Volume, &points[0], &fit.calibration).abs() < 1e-6);
}

proptest! {
    #[test]
    fn calibrated_probes_read_the_buffers_they_were_calibrated_in(
        zero in 1420.0..1580.0_f64,
        acid in 86.0..104.0_f64,
        base in 86.0..104.0_f64,
        t in proptest::array::uniform3(5.0..45.0_f64),
        nist in any::<bool>(),
        order in 0..6_usize,
    ) {
        let set = if nist { Buffers::Nist } else { Buffers::Technical };
        let mut points: Vec<_> = set.labels().into_iter().zip(t).map(|(label, t)| buffer(set, label, t, (zero, acid, base))).collect();
        points.rotate_left(order % 3);
        if order > 2 { points.swap(0, 1); }
        let fit = fit_ph(&points, set).unwrap();
        for point in points {
            let expected = set.ph(point.nominal, point.celsius.unwrap()).unwrap();
            let got = measured(Metric::Ph, &point, &fit.calibration);
            prop_assert!((got - expected).abs() < 1e-6, "{expected} {got}");
        }
        let health = fit.health.unwrap();
        prop_assert!((health.slope_percent - acid.min(base)).abs() < 1e-6);
    }

    #[test]
    fn no_points_ever_yield_a_calibration_that_is_no_number(
        raw in proptest::collection::vec((any::<f64>(), prop_oneof![any::<f64>(), -100.0..5000.0_f64], proptest::option::of(-20.0..80.0_f64)), 0..4),
        labels in proptest::collection::vec(proptest::sample::select(vec![4.0, 7.0, 10.01, 4.01, 6.86, 9.18, 1413.0, 0.0]), 4),
        labelled in any::<bool>(),
    ) {
        let points: Vec<_> = raw.iter().zip(&labels).map(|((nominal, millivolts, celsius), label)| Point {
            nominal: if labelled { *label } else { *nominal }, millivolts: *millivolts, celsius: *celsius, spread: None,
        }).collect();
        for metric in Metric::ALL {
            let Some(sensor) = Sensor::usual(*metric) else { continue };
            for set in [Buffers::Technical, Buffers::Nist] {
                if let Ok(fit) = fit(&sensor, &points, set) {
                    let numbers = match fit.calibration {
                        Calibration::Ph { zero_mv, acid_percent, base_percent } => vec![zero_mv, acid_percent, base_percent],
                        Calibration::Cell { k } => vec![k],
                        Calibration::Linear { slope, offset } => vec![slope, offset],
                    };
                    prop_assert!(numbers.iter().all(|n| n.is_finite()), "{fit:?}");
                }
            }
        }
    }
}
