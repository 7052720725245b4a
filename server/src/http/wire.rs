//! What devices say about calibrations, as OpenAPI schemas: the messages of `shared` themselves are sent on as they
//! are. Nothing here exists at run time but [`Point`]; a test holds it against the messages.

use super::words;
use serde::Serialize;
use utoipa::ToSchema;

/// How a sensor departs from its law.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Calibration {
    /// A pH electrode with its amplifier.
    Ph {
        /// The amplifier's output at pH 7, in millivolts.
        zero_mv: f64,
        /// Slope below pH 7 in per cent of theory.
        acid_percent: f64,
        /// Slope above pH 7 in per cent of theory.
        base_percent: f64,
    },
    /// A conductivity cell.
    Cell {
        /// Correction of the cell constant.
        k: f64,
    },
    /// Everything whose value is off by a straight line.
    Linear {
        /// Without unit.
        slope: f64,
        /// In the unit of the points.
        offset: f64,
    },
}

/// One point of a calibration.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = CalibrationPoint)]
pub struct Point {
    /// What is known of the solution: the pH on its label, µS/cm at 25 °C, degrees Celsius, metres, ...
    pub nominal: f64,
    /// What the converter saw.
    pub millivolts: f64,
    /// The temperature at which it was measured, in degrees Celsius.
    pub celsius: Option<f64>,
    /// Standard deviation of the signal in millivolts while it was taken.
    pub spread: Option<f64>,
}

impl From<&shared::calibration::Point> for Point {
    fn from(point: &shared::calibration::Point) -> Self {
        let shared::calibration::Point { nominal, millivolts, celsius, spread } = *point;
        Self { nominal, millivolts, celsius, spread }
    }
}

/// How a pH electrode is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProbeHealth)]
pub struct Health {
    /// The lower of its slopes in per cent of theory.
    pub slope_percent: f64,
    /// What it yields at pH 7, in millivolts of the electrode.
    pub offset_mv: f64,
}

/// What points yield.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalibrationFit)]
pub struct Fit {
    /// To be put into force.
    pub calibration: Calibration,
    /// For a pH electrode.
    #[schema(nullable = false)]
    pub health: Option<Health>,
}

/// How a guided calibration stands: everything that a screen needs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalibrationView)]
pub struct View {
    /// Which session: 16 hexadecimal digits.
    pub session: String,
    /// Of which probe.
    #[schema(value_type = words::Metric)]
    pub metric: String,
    /// What happens now.
    pub step: Step,
    /// The set of buffers, for pH.
    #[schema(nullable = false, value_type = Option<words::Buffers>)]
    pub buffers: Option<String>,
    /// The signal now.
    #[schema(nullable = false)]
    pub live: Option<LiveSignal>,
    /// What was taken so far.
    pub points: Vec<Point>,
    /// What the points yield as they are.
    #[schema(nullable = false)]
    pub fit: Option<Fit>,
    /// Why they yield nothing, or why the last order was refused.
    #[schema(nullable = false, value_type = Option<CalibrationProblem>)]
    pub problem: Option<CalibrationProblem>,
}

/// What happens in a session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
#[schema(as = CalibrationStep)]
pub enum Step {
    /// Shows the live signal and waits for an order.
    Waiting,
    /// Waits until the signal has settled, to take a point.
    Settling {
        /// The point's value.
        nominal: f64,
    },
    /// Done: the record is in force.
    Finished {
        /// Its id.
        record: String,
    },
    /// Ended without a result.
    Ended,
}

/// The signal now.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveSignal {
    /// Mean of the last seconds.
    pub millivolts: f64,
    /// Standard deviation of the last seconds, in millivolts.
    pub spread: f64,
    /// Whether it has settled.
    pub settled: bool,
    /// The value with the calibration that is in force still.
    #[schema(nullable = false)]
    pub value: Option<f64>,
    /// The temperature in degrees Celsius, if it was measured.
    #[schema(nullable = false)]
    pub celsius: Option<f64>,
    /// Words of `Flag`, parted by spaces.
    pub flags: String,
}

/// Something that the technician has to know.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalibrationProblem {
    /// For programs and translations.
    pub code: String,
    /// In words.
    pub text: String,
}

/// Which values are believed; both ends belong to the range.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SensorLimits)]
pub struct Limits {
    /// Outside, the reading is a fault.
    pub possible: [f64; 2],
    /// Outside, it is flagged.
    pub usual: [f64; 2],
}
