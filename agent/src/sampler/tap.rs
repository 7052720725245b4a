//! Looking over a sampler's shoulder: while somebody calibrates a probe or just looks at it, it is sampled
//! about once a second more. These samples are not stored.

use super::control::Control;
use crate::buffer::Measured;
use crate::probe::{Sample, Water};
use shared::{Metric, Stamp};
use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How often a probe is sampled for a tap.
const EVERY: Duration = Duration::from_secs(1);
/// Samples that may wait for whoever looks; what comes beyond is dropped.
const QUEUE: usize = 16;

/// Why somebody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The probe is in a standard solution: its readings are flagged.
    Calibrate,
    /// Just looking.
    Look,
}

/// A sample that is not stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// What was measured.
    pub metric: Metric,
    /// When.
    pub stamp: Stamp,
    /// What the probe delivered, with the calibration that is in force.
    pub sample: Sample,
    /// The water's temperature that it was computed with.
    pub water: Option<Water>,
}

/// The handle. Clones reach the same probes.
#[derive(Clone)]
pub struct Tap(pub(super) BTreeMap<Metric, Sender<Control>>);

impl Tap {
    /// Begins to look at a probe; `None` if there is none of this metric. It ends when the guard is dropped.
    pub fn watch(&self, metric: Metric, purpose: Purpose) -> Option<Tapped> {
        let lane = self.0.get(&metric)?.clone();
        let (samples, observed) = mpsc::channel(QUEUE);
        lane.send(Control::Tap(Tapping { metric, purpose, samples, due: None })).ok()?;
        Some(Tapped { metric, purpose, lane, observed })
    }
}

/// While it lives, the probe is sampled about once a second.
pub struct Tapped {
    metric: Metric,
    purpose: Purpose,
    lane: Sender<Control>,
    observed: mpsc::Receiver<Observed>,
}

impl Tapped {
    /// The next sample; `None` once the sampler has ended.
    pub async fn next(&mut self) -> Option<Observed> {
        self.observed.recv().await
    }

    /// Says what the probe is in now (see `shared::calibration::Point::nominal`), for a simulated one that
    /// nobody can put anywhere.
    pub fn immerse(&self, nominal: Option<f64>) {
        let _ = self.lane.send(Control::Immerse(self.metric, nominal));
    }
}

impl Drop for Tapped {
    fn drop(&mut self) {
        if self.purpose == Purpose::Calibrate {
            self.immerse(None);
        }
    }
}

/// A tap as the lane's thread has it.
pub(super) struct Tapping {
    metric: Metric,
    purpose: Purpose,
    samples: mpsc::Sender<Observed>,
    /// `None`: at once.
    due: Option<Instant>,
}

/// The taps of a lane.
#[derive(Default)]
pub(super) struct Taps(Vec<Tapping>);

impl Taps {
    pub(super) fn add(&mut self, tapping: Tapping) {
        self.0.push(tapping);
    }

    /// When the next extra sample is due, and of which metric.
    pub(super) fn next(&self, now: Instant) -> Option<(Instant, Metric)> {
        self.0.iter().map(|tap| (tap.due.unwrap_or(now), tap.metric)).min_by_key(|(due, _)| *due)
    }

    /// Gives a sample to everybody who looks at its metric.
    pub(super) fn give(&mut self, measured: &Measured, water: Option<Water>, now: Instant) {
        let Measured { moment, metric, sample } = *measured;
        for tap in self.0.iter_mut().filter(|tap| tap.metric == metric) {
            let _ = tap.samples.try_send(Observed { metric, stamp: moment.stamp, sample, water });
            tap.due = Some(now + EVERY);
        }
    }

    /// Whether the probe of a metric is being calibrated, also as another metric that is read from it.
    pub(super) fn calibrates(&self, metric: Metric) -> bool {
        self.0.iter().any(|tap| {
            tap.purpose == Purpose::Calibrate
                && !tap.samples.is_closed()
                && (tap.metric == metric || tap.metric.sibling() == Some(metric))
        })
    }

    /// Forgets the taps that nobody holds any more.
    pub(super) fn forget_ended(&mut self) {
        self.0.retain(|tap| !tap.samples.is_closed());
    }
}
