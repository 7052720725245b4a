//! What holds for every law.

use super::*;
use proptest::prelude::*;

fn every() -> impl Iterator<Item = Sensor> {
    Metric::ALL.iter().filter_map(|metric| Sensor::usual(*metric))
}

fn signal(millivolts: f64, celsius: Option<f64>) -> Signal<'static> {
    Signal { millivolts, celsius, calibration: None }
}

#[test]
fn the_usual_settings_of_every_sensor_are_sound_and_survive_json() {
    for sensor in every() {
        assert_eq!(sensor.law().check(), Ok(()), "{sensor:?}");
        assert_eq!(sensor.law().limits().check(), Ok(()), "{sensor:?}");
        let json = serde_json::to_string(&sensor).unwrap();
        assert_eq!(serde_json::from_str::<Sensor>(&json).unwrap(), sensor);
        assert!(json.starts_with(&format!("{{\"{}\":", sensor.metric())), "{json}");
    }
}

#[test]
fn settings_are_read_by_metric_and_an_unknown_field_is_refused() {
    let read = |metric, json: &str| Sensor::read(metric, &mut serde_json::Deserializer::from_str(json));
    assert_eq!(read(Metric::Ph, r#"{"gain":5}"#).unwrap(), Sensor::Ph(ph::Ph { gain: 5.0, ..ph::Ph::default() }));
    assert!(read(Metric::Ph, r#"{"gian":5}"#).unwrap_err().to_string().contains("gian"));
    assert!(read(Metric::Speed, "{}").unwrap_err().to_string().contains("speed"));
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    let limits = |possible, usual| Limits { possible, usual }.check();
    assert_eq!(limits((0.0, 14.0), (2.0, 12.0)), Ok(()));
    assert_eq!(limits((14.0, 0.0), (2.0, 12.0)).unwrap_err().0, "possible");
    assert_eq!(limits((0.0, f64::INFINITY), (2.0, 12.0)).unwrap_err().0, "possible");
    assert_eq!(limits((0.0, 14.0), (2.0, 15.0)).unwrap_err().0, "usual");
}

fn monotonic(sensor: &Sensor, low: f64, high: f64, celsius: f64) -> bool {
    let value = |mv| sensor.law().estimate(&signal(mv, Some(celsius))).value;
    let rising = value(2000.0) > value(600.0);
    if value(low).is_nan() || value(high).is_nan() {
        return true; // an impossible level has no litres
    }
    // Up to the last bits, which rounding may take either way.
    if rising { value(low) <= value(high) + 1e-9 } else { value(low) + 1e-9 >= value(high) }
}

proptest! {
    #[test]
    fn no_voltage_and_no_temperature_ever_yields_nan_or_an_impossible_value(
        millivolts in prop_oneof![-7000.0..7000.0, any::<f64>()],
        celsius in proptest::option::of(prop_oneof![-50.0..150.0, any::<f64>()]),
    ) {
        for sensor in every() {
            let limits = sensor.law().limits();
            if let Ok(value) = sensor.measure(&signal(millivolts, celsius), &limits).value {
                prop_assert!(value.is_finite() && limits.possible.0 <= value && value <= limits.possible.1, "{sensor:?} {value}");
            }
        }
    }

    #[test]
    fn every_law_is_monotonic_between_the_rails(a in 20.0..3250.0_f64, b in 20.0..3250.0_f64, celsius in 0.0..50.0_f64) {
        for sensor in every() {
            prop_assert!(monotonic(&sensor, a.min(b), a.max(b), celsius), "{sensor:?} {a} {b}");
        }
    }
}
