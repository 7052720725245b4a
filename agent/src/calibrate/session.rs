//! One calibration from its beginning to its record. Pure: samples, orders and the present come from outside,
//! and what it has to show or to keep is what it returns. Knows no bus, no network, no file and no clock.

use super::window::{Summary, Window};
use crate::sampler::Observed;
use shared::calibration::{Buffers, By, CalibrationRecord, Fit, FitError, Point, RecordId, fit};
use shared::message::calibrate::{LiveSignal, Problem, Step, View};
use shared::reading::{Fault, Flag, Flags, Outcome};
use shared::sensor::{Sensor, Signal};
use shared::{Metric, Stamp};
use std::time::{Duration, Instant};

/// Left alone for this long, a session ends: the technician went away.
const ALONE: Duration = Duration::from_secs(600);
/// Without a signal for this long, it ends: the probe is gone.
const NO_SIGNAL: Duration = Duration::from_secs(60);
/// Two nominal values closer than this are the same: labels have two decimals.
const SAME: f64 = 0.005;

/// Who calibrates what, with what.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// Drawn by whoever begins.
    pub session: RecordId,
    /// Which probe.
    pub metric: Metric,
    /// Who.
    pub by: By,
    /// The set of buffers, for pH; technical unless somebody says otherwise.
    pub buffers: Option<Buffers>,
    /// Lot or expiry date of the solutions.
    pub lot: Option<String>,
}

/// A session.
#[derive(Debug)]
pub struct Session {
    beginning: Beginning,
    sensor: Sensor,
    buffers: Buffers,
    window: Window,
    points: Vec<Point>,
    step: Step,
    /// Why the last order was refused, or what ended the session.
    refusal: Option<Problem>,
    /// The last sample, if it had a signal.
    seen: Option<Observed>,
    fault: Option<Fault>,
    last_order: Instant,
    last_signal: Instant,
}

/// Something that the technician has to know.
pub fn problem(code: &str, text: impl Into<String>) -> Problem {
    Problem { code: code.to_owned(), text: text.into() }
}

fn told(error: &FitError) -> Problem {
    problem(error.code(), error.to_string())
}

fn no_signal(what: &str) -> Problem {
    problem("no_signal", format!("the probe gives no signal: {what}"))
}

impl Session {
    /// Begins. `at` is only to judge who and what; the record gets the time of its last sample.
    ///
    /// # Errors
    /// When name or lot can't stand in a record.
    pub fn begin(beginning: Beginning, sensor: Sensor, at: Stamp, now: Instant) -> Result<Self, Problem> {
        let mut draft = CalibrationRecord::new(beginning.session, beginning.metric, at, beginning.by.clone(), None);
        draft.lot.clone_from(&beginning.lot);
        // An empty record is one only as an undo; here it is about the texts.
        draft.undoes = Some(beginning.session);
        draft.check().map_err(|(field, fix)| problem("bad_order", format!("{field}: {fix}")))?;
        Ok(Self {
            buffers: beginning.buffers.unwrap_or(Buffers::Technical),
            beginning,
            sensor,
            window: Window::default(),
            points: vec![],
            step: Step::Waiting,
            refusal: None,
            seen: None,
            fault: None,
            last_order: now,
            last_signal: now,
        })
    }

    /// Which one it is.
    pub fn id(&self) -> RecordId {
        self.beginning.session
    }

    /// Of which probe.
    pub fn metric(&self) -> Metric {
        self.beginning.metric
    }

    /// Whether it has ended, with a record or without.
    pub fn is_over(&self) -> bool {
        matches!(self.step, Step::Finished { .. } | Step::Ended)
    }

    /// Whether the point of this value is to be taken as soon as the signal has settled.
    pub fn waits_for(&self, nominal: f64) -> bool {
        matches!(self.step, Step::Settling { nominal: waited } if same(waited, nominal))
    }

    /// A sample came. It may complete the point that is waited for.
    pub fn observe(&mut self, observed: &Observed, now: Instant) {
        if self.is_over() {
            return;
        }
        self.fault = match observed.sample.outcome {
            // The voltage is there, only the calibration that is to be replaced makes nonsense of it.
            Outcome::Fault(Fault::OutOfRange) | Outcome::Measured(_) => None,
            Outcome::Fault(fault) => Some(fault),
        };
        let millivolts = observed.sample.millivolts.filter(|_| self.fault.is_none());
        let Some(millivolts) = millivolts else {
            // A contact that was open for a moment: what was before it is no part of what comes now.
            self.window.clear();
            self.seen = None;
            self.time_out(now);
            return;
        };
        self.last_signal = now;
        self.seen = Some(*observed);
        self.window.push(now, millivolts.get(), observed.water.map(|water| water.celsius));
        if let (Step::Settling { nominal }, Some(summary)) = (self.step, self.summary())
            && summary.settled
            && !self.misses_temperature(&summary)
        {
            self.take_now(nominal, &summary);
        }
        self.time_out(now);
    }

    /// Ends it if nobody cares any more or the probe is gone. To be called now and then, because a bus that
    /// hangs delivers nothing that could be observed.
    pub fn time_out(&mut self, now: Instant) {
        if self.is_over() {
            return;
        }
        if now.saturating_duration_since(self.last_order) >= ALONE {
            self.end(Some(problem("left_alone", "nobody has given an order for ten minutes: begin again")));
        } else if now.saturating_duration_since(self.last_signal) >= NO_SIGNAL {
            let why = self.fault.map_or("it does not answer", Fault::as_str);
            self.end(Some(no_signal(&format!("{why}, for a minute now; mend it and begin again"))));
        }
    }

    /// The probe is in something of this value: the point is taken as soon as a window that begins now has
    /// settled. What was before may be the solution that the probe has just left.
    pub fn take(&mut self, nominal: f64, now: Instant) {
        self.ordered(now);
        match self.acceptable(nominal) {
            Ok(()) => {
                self.window.clear();
                self.step = Step::Settling { nominal };
            }
            Err(problem) => self.refuse(problem),
        }
    }

    /// Forgets a point, or stops waiting for it.
    pub fn drop_point(&mut self, nominal: f64, now: Instant) {
        self.ordered(now);
        if self.waits_for(nominal) {
            self.step = Step::Waiting;
        } else {
            self.points.retain(|point| !same(point.nominal, nominal));
        }
    }

    /// The record, if the points yield one; otherwise the reason is in the view. The session goes on until
    /// [`Session::finished`] says that the record is kept.
    pub fn finish(&mut self, id: RecordId, at: Stamp, now: Instant) -> Option<CalibrationRecord> {
        self.ordered(now);
        if let Step::Settling { nominal } = self.step {
            let text = format!("the point {nominal} has not been taken yet: wait for it, or drop it");
            self.refusal = Some(problem("not_settled", text));
            return None;
        }
        match self.fit() {
            Ok(Fit { calibration, health }) => {
                let beginning = &self.beginning;
                let mut record =
                    CalibrationRecord::new(id, beginning.metric, at, beginning.by.clone(), Some(calibration));
                record.buffers = self.buffers();
                record.lot.clone_from(&beginning.lot);
                record.points.clone_from(&self.points);
                record.health = health;
                Some(record)
            }
            Err(error) => {
                self.refuse(told(&error));
                None
            }
        }
    }

    /// The record is kept and in force.
    pub fn finished(&mut self, record: RecordId) {
        self.step = Step::Finished { record };
    }

    /// Says why something could not be done.
    pub fn refuse(&mut self, why: Problem) {
        self.refusal = Some(why);
    }

    /// Ends without a result.
    pub fn end(&mut self, why: Option<Problem>) {
        self.step = Step::Ended;
        self.refusal = why;
    }

    /// How it stands.
    pub fn view(&self) -> View {
        let fit = self.fit();
        let contradiction = fit.as_ref().err().filter(|error| !is_missing(error)).map(told);
        let fault = self.fault.filter(|_| !self.is_over());
        let silent = fault.map(|fault| no_signal(&format!("{fault}; check its plug and its cable")));
        View {
            session: self.id(),
            metric: self.metric(),
            step: self.step,
            buffers: self.buffers(),
            live: self.live(),
            points: self.points.clone(),
            fit: fit.ok(),
            problem: self.refusal.clone().or(silent).or_else(|| self.missing_temperature()).or(contradiction),
        }
    }

    fn ordered(&mut self, now: Instant) {
        self.last_order = now;
        self.refusal = None;
    }

    fn buffers(&self) -> Option<Buffers> {
        matches!(self.sensor, Sensor::Ph(_)).then_some(self.buffers)
    }

    fn fit(&self) -> Result<Fit, FitError> {
        fit(&self.sensor, &self.points, self.buffers)
    }

    fn summary(&self) -> Option<Summary> {
        self.window.summary(self.sensor.law().settled_mv())
    }

    fn live(&self) -> Option<LiveSignal> {
        let (summary, seen) = (self.summary()?, self.seen?);
        let value = match seen.sample.outcome {
            Outcome::Measured(value) => Some(value.get()),
            Outcome::Fault(_) => None,
        };
        Some(LiveSignal {
            millivolts: summary.millivolts,
            spread: summary.spread,
            settled: summary.settled,
            value,
            celsius: seen.water.map(|water| water.celsius),
            flags: seen.sample.flags.iter().filter(|f| *f != Flag::Calibrating).fold(Flags::NONE, Flags::with),
        })
    }

    /// Whether a point of this value can be waited for at all. The signal may still be that of the solution
    /// before, so only what does not depend on it is judged.
    fn acceptable(&self, nominal: f64) -> Result<(), Problem> {
        let (Some(now), None) = (self.summary(), self.fault) else {
            return Err(no_signal("check its plug and its cable, and wait a second"));
        };
        match self.alone(self.point(nominal, &now)) {
            Err(FitError::Cell(_) | FitError::Saturated(_) | FitError::NoTemperature(_)) | Ok(()) => Ok(()),
            Err(error) => Err(told(&error)),
        }
    }

    fn take_now(&mut self, nominal: f64, summary: &Summary) {
        let point = self.point(nominal, summary);
        self.step = Step::Waiting;
        if let Err(error) = self.alone(point) {
            return self.refuse(told(&error));
        }
        self.points.retain(|other| !same(other.nominal, nominal));
        self.points.push(point);
    }

    fn point(&self, nominal: f64, summary: &Summary) -> Point {
        // To what the converter resolves: people read the record, and it is what the fit is made from.
        let round = |number: f64| (number * 1000.0).round() / 1000.0;
        let (millivolts, celsius) = (round(summary.millivolts), summary.celsius.map(round));
        Point { nominal, millivolts, celsius, spread: Some(round(summary.spread)) }
    }

    /// What is wrong with a point whatever the others are. Two points may yet make a line of what alone would
    /// be too large a shift.
    fn alone(&self, point: Point) -> Result<(), FitError> {
        match fit(&self.sensor, &[point], self.buffers) {
            Ok(_) | Err(FitError::Points { .. } | FitError::Shift(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Why a point that is waited for does not come although the signal may have settled: the thermometer
    /// failed, maybe for a second only. It is told until it is over, and the technician need not begin again.
    fn missing_temperature(&self) -> Option<Problem> {
        let Step::Settling { nominal } = self.step else { return None };
        let missing = self.misses_temperature(&self.summary()?);
        missing.then(|| told(&FitError::NoTemperature(nominal)))
    }

    fn misses_temperature(&self, summary: &Summary) -> bool {
        summary.celsius.is_none() && self.needs_temperature()
    }

    fn needs_temperature(&self) -> bool {
        let signal = Signal { millivolts: 1000.0, celsius: None, calibration: None };
        self.sensor.law().estimate(&signal).flags.has(Flag::NoTemperature)
    }
}

/// Whether points are only too few yet.
fn is_missing(error: &FitError) -> bool {
    matches!(error, FitError::Points { have: 0 | 1, .. })
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < SAME
}

#[cfg(test)]
mod tests;
