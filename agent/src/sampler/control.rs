//! What a running sampler can be told, and the handles that tell it. Knows no probe.

use super::tap::Tapping;
use shared::calibration::Calibration;
use shared::{Metric, message};
use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

/// An order to the thread of a lane.
pub(super) enum Control {
    Intervals(message::Intervals),
    Calibrations(BTreeMap<Metric, Calibration>),
    Tap(Tapping),
    Immerse(Metric, Option<f64>),
    Stop,
}

/// Changes the intervals of a running sampler.
#[derive(Clone)]
pub struct Intervals(pub(super) Vec<Sender<Control>>);

impl Intervals {
    /// Puts intervals into force; metrics that are absent go back to the configured ones.
    pub fn apply(&self, intervals: &message::Intervals) {
        for lane in &self.0 {
            let _ = lane.send(Control::Intervals(intervals.clone()));
        }
    }
}

/// Changes the calibrations of a running sampler.
#[derive(Clone)]
pub struct Calibrations(pub(super) Vec<Sender<Control>>);

impl Calibrations {
    /// Puts calibrations into force, see [`shared::Settings::in_force`]; a probe that is absent has none.
    pub fn apply(&self, in_force: &BTreeMap<Metric, Calibration>) {
        for lane in &self.0 {
            let _ = lane.send(Control::Calibrations(in_force.clone()));
        }
    }
}
