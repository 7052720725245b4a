//! Units that programs use, and how they become the one that a metric is stored in: the symbols that people read, those of
//! SenML (RFC 8428, RFC 8798), and a few that are usual for water.

use super::Refusal;
use shared::{Metric, Value};

/// Decimals that are kept of a value that was turned into another unit: more would be noise of the arithmetic.
const DECIMALS: i32 = 6;

/// How a number in a unit becomes one in the unit of the metric: times the first, plus the second.
type Into = (f64, f64);
const SAME: Into = (1.0, 0.0);

/// What each unit means for a metric. A concentration is per litre of water, which weighs a kilogram.
fn into(metric: Metric, unit: &str) -> Option<Into> {
    let unit = unit.replace('\u{3bc}', "\u{b5}");
    Some(match (metric, unit.as_str()) {
        (metric, unit) if unit == metric.unit().symbol() => SAME,
        (Metric::Tds, "mg/l" | "ppm" | "g/m3") => SAME,
        (Metric::Tds, "g/L" | "g/l" | "kg/m3") => (1000.0, 0.0),
        (Metric::Temperature, "Cel" | "C" | "degC") => SAME,
        (Metric::Temperature, "K") => (1.0, -273.15),
        (Metric::Volume, "l") => SAME,
        (Metric::Volume, "m3") => (1000.0, 0.0),
        (Metric::Ec, "uS/cm") => SAME,
        (Metric::Ec, "mS/cm") => (1000.0, 0.0),
        (Metric::Ec, "S/m") => (10_000.0, 0.0),
        (Metric::Level, "cm") => (0.01, 0.0),
        (Metric::Level, "mm") => (0.001, 0.0),
        (Metric::Pressure, "Pa") => (0.001, 0.0),
        (Metric::Pressure, "hPa" | "mbar") => (0.1, 0.0),
        (Metric::Pressure, "bar") => (100.0, 0.0),
        (Metric::Flow, "l/min") => SAME,
        (Metric::Flow, "L/s" | "l/s") => (60.0, 0.0),
        (Metric::Flow, "m3/s") => (60_000.0, 0.0),
        (Metric::Speed, "km/h") => (1.0 / 3.6, 0.0),
        _ => return None,
    })
}

/// A number in the unit of its metric; `field`: where the unit stands.
///
/// # Errors
/// When the unit is missing or none of this metric's, or the number is none.
pub(super) fn measured(metric: Metric, number: f64, unit: Option<&str>, field: &str) -> Result<Value, Refusal> {
    let symbol = metric.unit().symbol();
    let Some(unit) = unit else {
        return Err(Refusal::new("wrong_unit", field, format!("say the unit of the value: {metric} is in {symbol}")));
    };
    let Some((factor, offset)) = into(metric, unit) else {
        return Err(Refusal::new(
            "wrong_unit",
            field,
            format!("{unit:?} is no unit of {metric}, which is in {symbol}"),
        ));
    };
    let value =
        if (factor, offset) == SAME { Value::new(number) } else { Value::rounded(number * factor + offset, DECIMALS) };
    value.map_err(|error| Refusal::new("not_finite", "value", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn becomes(metric: Metric, number: f64, unit: &str) -> f64 {
        measured(metric, number, Some(unit), "unit").unwrap().get()
    }

    #[test]
    fn every_metric_takes_its_own_unit_and_changes_nothing() {
        for &metric in Metric::ALL {
            assert_eq!(becomes(metric, 7.123_456_789, metric.unit().symbol()), 7.123_456_789);
        }
    }

    #[test]
    fn other_units_become_the_one_that_is_stored() {
        for (metric, number, unit, wanted) in [
            (Metric::Temperature, 293.15, "K", 20.0),
            (Metric::Temperature, 23.1, "Cel", 23.1),
            (Metric::Tds, 412.0, "ppm", 412.0),
            (Metric::Tds, 0.35, "g/L", 350.0),
            (Metric::Tds, 0.5, "kg/m3", 500.0),
            (Metric::Ec, 0.12, "S/m", 1200.0),
            (Metric::Ec, 1.2, "mS/cm", 1200.0),
            (Metric::Ec, 1200.0, "\u{3bc}S/cm", 1200.0),
            (Metric::Volume, 1.5, "m3", 1500.0),
            (Metric::Level, 123.0, "cm", 1.23),
            (Metric::Pressure, 1013.25, "hPa", 101.325),
            (Metric::Flow, 0.001, "m3/s", 60.0),
            (Metric::Flow, 0.5, "l/s", 30.0),
            (Metric::Speed, 36.0, "km/h", 10.0),
        ] {
            assert_eq!(becomes(metric, number, unit), wanted, "{number} {unit}");
        }
    }

    #[test]
    fn a_unit_of_another_metric_none_at_all_and_what_no_float_holds_are_refused() {
        let refused = |metric, number, unit| measured(metric, number, unit, "u").unwrap_err();
        assert_eq!(refused(Metric::Ph, 7.0, Some("mg/L")).code, "wrong_unit");
        assert_eq!(refused(Metric::Ph, 7.0, None).field, "u");
        assert_eq!(refused(Metric::Volume, f64::MAX, Some("m3")).code, "not_finite");
        assert_eq!(refused(Metric::Ph, f64::NAN, Some("pH")).code, "not_finite");
    }
}
