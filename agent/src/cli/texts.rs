//! Every sentence that the terminal shows while somebody calibrates.

use shared::Metric;
use shared::calibration::{Buffers, Calibration, Fit, Health, Point};
use shared::message::calibrate::{LiveSignal, Step, View};

pub(super) const PUT_INTO_FORCE: &str = "Put this into force? [y/N]";
pub(super) const HELP: &str = "\
Type what the probe stands in and press Enter; it is taken once the signal has settled.
  undo 7.00   forget a point, or stop waiting for it
  finish      look at the result and put it into force
  cancel      end without a result (Ctrl-C does the same)
  help        this";
pub(super) const NOT_UNDERSTOOD: &str = "Not understood. Type a value, or: undo VALUE, finish, cancel, help.";
pub(super) const NOT_YET: &str = "The points do not yield a calibration yet.";
pub(super) const KEPT_OPEN: &str = "Not put into force. Go on, or type cancel.";
pub(super) const CANCELLED: &str = "Ended. The former calibration stays in force.";
pub(super) const FINISHED: &str = "In force from now on. The server gets the record as soon as it can be reached.";

/// The unit in which a metric's points are given.
pub(super) fn unit(metric: Metric) -> &'static str {
    match metric {
        Metric::Ph => "pH",
        Metric::Tds | Metric::Ec => "µS/cm",
        Metric::Volume | Metric::Level => "m",
        other => other.unit().symbol(),
    }
}

/// A point's value with its unit.
pub(super) fn nominal(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Ph => format!("pH {value:.2}"),
        _ => format!("{value} {}", unit(metric)),
    }
}

/// What to do, at the beginning.
pub(super) fn welcome(view: &View) -> String {
    let metric = view.metric;
    let needed = match (metric, view.buffers) {
        (Metric::Ph, Some(buffers)) => {
            let labels = buffers.labels().map(|label| format!("{label:.2}")).join(", ");
            format!("Take two or three of the {} buffers: {labels}. Begin with the one near pH 7.", word(buffers))
        }
        (Metric::Tds | Metric::Ec, _) => {
            "Take one standard solution; its value in µS/cm at 25 °C is on the bottle, usually 1413.".to_owned()
        }
        (Metric::Volume | Metric::Level, _) => {
            "Measure the water's height with a stick, in metres, at one or two levels far apart.".to_owned()
        }
        _ => format!("Compare with a good instrument at one or two values far apart, in {}.", unit(metric)),
    };
    format!("Calibrating {metric}.\n{needed}\nRinse the probe with clean water before each solution.")
}

fn word(buffers: Buffers) -> &'static str {
    match buffers {
        Buffers::Technical => "technical",
        Buffers::Nist => "NIST",
    }
}

/// The line that changes all the time.
pub(super) fn live(view: &View) -> String {
    let Some(LiveSignal { millivolts, spread, settled, value, celsius, flags }) = view.live else {
        return "waiting for the signal ...".to_owned();
    };
    let mut line = format!("{millivolts:8.1} mV ± {spread:.1}");
    if let Some(value) = value {
        line += &format!("   {value} {}", view.metric.unit().symbol());
    }
    if let Some(celsius) = celsius {
        line += &format!("   {celsius:.1} °C");
    }
    line += match (view.step, settled) {
        (Step::Settling { .. }, _) => "   settling ...",
        (_, true) => "   settled",
        (_, false) => "   moving",
    };
    let flags = flags.to_string();
    if flags.is_empty() { line } else { format!("{line}   [{flags}]") }
}

pub(super) fn put_into(metric: Metric, value: f64) -> String {
    format!("Put the probe into {}, then press Enter.", nominal(metric, value))
}

pub(super) fn waiting(metric: Metric, value: f64) -> String {
    format!("{}: waiting until the signal has settled. Keep the probe still.", nominal(metric, value))
}

pub(super) fn taken(metric: Metric, point: &Point) -> String {
    let celsius = point.celsius.map_or(String::new(), |celsius| format!(" at {celsius:.1} °C"));
    format!("Taken: {} is {:.1} mV{celsius}.", nominal(metric, point.nominal), point.millivolts)
}

pub(super) fn problem(text: &str) -> String {
    format!("Not good: {text}.")
}

pub(super) fn wrong_value(metric: Metric, buffers: Option<Buffers>) -> String {
    match buffers {
        Some(buffers) => format!("That is no buffer of the set {buffers}."),
        None => format!("Give a number in {}.", unit(metric)),
    }
}

/// What the points yield, and what that means.
pub(super) fn result(fit: &Fit) -> String {
    match (fit.calibration, fit.health) {
        (Calibration::Ph { acid_percent, base_percent, .. }, Some(health)) => {
            let slopes = if (acid_percent - base_percent).abs() < 0.05 {
                format!("Slope {:.1} %", health.slope_percent)
            } else {
                format!("Slope {acid_percent:.1} % below and {base_percent:.1} % above pH 7")
            };
            format!("{slopes}, offset {:+.1} mV: {}", health.offset_mv, meaning(&health))
        }
        (Calibration::Ph { zero_mv, .. }, None) => format!("pH 7 is {zero_mv:.1} mV."),
        (Calibration::Cell { k }, _) => {
            format!("The cell constant is corrected by {k:.3} (1 is a new probe; dirt makes it differ).")
        }
        (Calibration::Linear { slope, offset }, _) => {
            format!("Corrected value = {slope:.4} x measured value {offset:+.4}.")
        }
    }
}

/// What slope and offset say of an electrode.
fn meaning(health: &Health) -> &'static str {
    let offset = health.offset_mv.abs();
    if health.slope_percent >= 95.0 && offset <= 15.0 {
        "the electrode is in good order."
    } else if health.slope_percent >= 90.0 && offset <= 25.0 {
        "the electrode has aged and is still good to use."
    } else {
        "the electrode is near its end. Clean it and try again, or order a new one."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slope_and_offset_are_explained() {
        let fit = |slope_percent, offset_mv| Fit {
            calibration: Calibration::Ph { zero_mv: 1500.0, acid_percent: slope_percent, base_percent: slope_percent },
            health: Some(Health { slope_percent, offset_mv }),
        };
        assert_eq!(result(&fit(98.2, -4.0)), "Slope 98.2 %, offset -4.0 mV: the electrode is in good order.");
        assert!(result(&fit(92.0, 4.0)).contains("aged"));
        assert!(result(&fit(87.0, 4.0)).contains("near its end"));
        assert!(result(&fit(99.0, 28.0)).contains("near its end"));
        let two_sided = Fit {
            calibration: Calibration::Ph { zero_mv: 1500.0, acid_percent: 97.0, base_percent: 95.0 },
            health: Some(Health { slope_percent: 95.0, offset_mv: 0.0 }),
        };
        assert!(result(&two_sided).starts_with("Slope 97.0 % below and 95.0 % above pH 7"));
    }
}
