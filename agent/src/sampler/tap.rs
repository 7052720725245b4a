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
/// So long after a calibration its probe counts as not yet back in the water: it is still in the solution when
/// somebody types `finish`, and has to be rinsed, put back and left to settle.
const LINGER: Duration = Duration::from_secs(180);

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
pub(super) struct Taps {
    open: Vec<Tapping>,
    /// The metrics that were calibrated, until their probes are back in the water.
    lingering: BTreeMap<Metric, Instant>,
}

impl Taps {
    pub(super) fn add(&mut self, tapping: Tapping) {
        self.open.push(tapping);
    }

    /// When the next extra sample is due, and of which metric.
    pub(super) fn next(&self, now: Instant) -> Option<(Instant, Metric)> {
        self.open.iter().map(|tap| (tap.due.unwrap_or(now), tap.metric)).min_by_key(|(due, _)| *due)
    }

    /// Gives a sample to everybody who looks at its metric.
    pub(super) fn give(&mut self, measured: &Measured, water: Option<Water>, now: Instant) {
        let Measured { moment, metric, sample } = *measured;
        for tap in self.open.iter_mut().filter(|tap| tap.metric == metric) {
            let _ = tap.samples.try_send(Observed { metric, stamp: moment.stamp, sample, water });
            tap.due = Some(now + EVERY);
        }
    }

    /// Whether the probe of a metric is being calibrated or was just now, also as another metric that is read
    /// from it.
    pub(super) fn calibrates(&self, metric: Metric, now: Instant) -> bool {
        let open = self.open.iter().filter(|tap| tap.purpose == Purpose::Calibrate).map(|tap| tap.metric);
        let lingering = self.lingering.iter().filter(|(_, until)| now < **until).map(|(metric, _)| *metric);
        open.chain(lingering).any(|calibrated| calibrated == metric || calibrated.sibling() == Some(metric))
    }

    /// Forgets the taps that nobody holds any more.
    pub(super) fn forget_ended(&mut self, now: Instant) {
        for ended in self.open.extract_if(.., |tap| tap.samples.is_closed()) {
            if ended.purpose == Purpose::Calibrate {
                self.lingering.insert(ended.metric, now + LINGER);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tapping(metric: Metric, purpose: Purpose) -> (Tapping, mpsc::Receiver<Observed>) {
        let (samples, observed) = mpsc::channel(QUEUE);
        (Tapping { metric, purpose, samples, due: None }, observed)
    }

    #[test]
    fn a_probe_is_back_in_the_water_three_minutes_after_its_calibration() {
        let (mut taps, now) = (Taps::default(), Instant::now());
        let (tapping, observed) = tapping(Metric::Tds, Purpose::Calibrate);
        taps.add(tapping);
        drop(observed);
        taps.forget_ended(now);
        assert_eq!(taps.next(now), None, "it is not sampled more any longer");
        for (seconds, calibrates) in [(0, true), (179, true), (180, false)] {
            let then = now + Duration::from_secs(seconds);
            taps.forget_ended(then);
            let flagged = [Metric::Tds, Metric::Ec, Metric::Ph].map(|metric| taps.calibrates(metric, then));
            assert_eq!(flagged, [calibrates, calibrates, false], "after {seconds} s");
        }
    }

    #[test]
    fn a_probe_that_somebody_looked_at_was_in_the_water_all_the_time() {
        let (mut taps, now) = (Taps::default(), Instant::now());
        let (tapping, observed) = tapping(Metric::Tds, Purpose::Look);
        taps.add(tapping);
        drop(observed);
        taps.forget_ended(now);
        assert!(!taps.calibrates(Metric::Tds, now));
    }
}
