//! Takes samples at their intervals and gives them a time. Knows no storage and no network.
//!
//! I2C blocks, so each bus has a thread of its own: a bus that hangs stops only its own probes. All
//! simulated probes share one.

mod control;
mod pulse;
mod schedule;
mod tap;

pub use control::{Calibrations, Intervals};
pub use pulse::Pulse;
pub use tap::{Observed, Purpose, Tap, Tapped};

use crate::buffer::Measured;
use crate::probe::recovery::Recovery;
use crate::probe::{Circumstances, Probe, Water};
use crate::repeats::Repeats;
use crate::time::Time;
use control::Control;
use pulse::Beat;
use schedule::Schedule;
use shared::calibration::Calibration;
use shared::reading::{Fault, Flag, Outcome};
use shared::{Metric, Settings};
use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tap::Taps;
use tokio::sync::watch;

/// A probe with its interval.
pub struct Slot {
    /// What it measures.
    pub metric: Metric,
    /// How often, unless the server's settings say otherwise.
    pub interval: Duration,
    /// The probe.
    pub probe: Box<dyn Probe>,
}

/// Probes that share a thread because they share a bus.
pub struct Lane {
    /// For the thread and the log.
    pub name: String,
    /// In the order in which they are sampled when they are due together.
    pub slots: Vec<Slot>,
    /// What is done when the bus hangs, if anything can be done.
    pub recovery: Option<Recovery>,
}

impl Lane {
    /// Says what a probe is in.
    fn immerse(&mut self, metric: Metric, nominal: Option<f64>) {
        let same_probe = |slot: &Slot| slot.metric == metric || metric.sibling() == Some(slot.metric);
        for slot in self.slots.iter_mut().filter(|slot| same_probe(slot)) {
            slot.probe.immerse(nominal);
        }
    }

    fn recover(&mut self, outcome: Outcome) {
        if let Some(recovery) = &mut self.recovery {
            let fault = match outcome {
                Outcome::Fault(fault) => Some(fault),
                Outcome::Measured(_) => None,
            };
            recovery.note(fault, Instant::now());
        }
    }
}

/// How a probe is.
#[derive(Debug, Clone, Copy)]
pub struct Vital {
    /// What its last sample failed with.
    pub fault: Option<Fault>,
    /// When the next sample should be there at the latest.
    pub expected: Instant,
}

impl Vital {
    /// Whether samples are overdue: its bus hangs.
    pub fn silent(&self, now: Instant) -> bool {
        now > self.expected
    }
}

/// How the probes are.
pub type Vitals = BTreeMap<Metric, Vital>;

/// The last sample of each metric, as it went to the sink.
pub type Latest = BTreeMap<Metric, Measured>;

/// A thread may take this much longer than its interval before its probes count as silent, and itself as hung.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// How long a stopping thread is waited for: it may hang in its bus.
const PATIENCE: Duration = Duration::from_secs(2);

/// The running threads.
pub struct Sampler {
    controls: Vec<Sender<Control>>,
    threads: Vec<JoinHandle<()>>,
    tap: Tap,
    vitals: watch::Receiver<Vitals>,
    latest: watch::Receiver<Latest>,
    pulse: Pulse,
}

/// Where samples go. It must not block.
pub trait Sink: Fn(Measured) + Send + Sync + 'static {}
impl<F: Fn(Measured) + Send + Sync + 'static> Sink for F {}

impl Sampler {
    /// Starts a thread for each lane, with the intervals and calibrations of the settings.
    ///
    /// # Errors
    /// When a thread can't be started.
    pub fn start(lanes: Vec<Lane>, settings: &Settings, time: &Time, sink: impl Sink) -> io::Result<Self> {
        // A probe whose first sample never comes is silent too.
        let expected = |slot: &Slot| Instant::now() + slot.interval + GRACE;
        let slots = lanes.iter().flat_map(|lane| &lane.slots);
        let unknown: Vitals =
            slots.map(|slot| (slot.metric, Vital { fault: None, expected: expected(slot) })).collect();
        let (vitals_sender, vitals) = watch::channel(unknown);
        let (latest_sender, latest) = watch::channel(Latest::new());
        let common = Common {
            time: time.clone(),
            sink: Arc::new(sink),
            vitals: Arc::new(vitals_sender),
            latest: Arc::new(latest_sender),
            water: Arc::new(Mutex::new(None)),
            repeats: Arc::default(),
        };
        let (mut controls, mut threads, mut taps, mut pulse) = (vec![], vec![], BTreeMap::new(), Pulse::default());
        for lane in lanes.into_iter().filter(|lane| !lane.slots.is_empty()) {
            let (control, orders) = channel();
            let _ = control.send(Control::Intervals(settings.intervals.clone()));
            let _ = control.send(Control::Calibrations(settings.in_force()));
            taps.extend(lane.slots.iter().map(|slot| (slot.metric, control.clone())));
            let common = common.clone();
            let name = format!("sample {}", lane.name);
            let beat = pulse.begin(Instant::now());
            threads.push(std::thread::Builder::new().name(name).spawn(move || common.run(lane, &orders, &beat))?);
            controls.push(control);
        }
        Ok(Self { controls, threads, tap: Tap(taps), vitals, latest, pulse })
    }

    /// A handle to change the intervals.
    pub fn intervals(&self) -> Intervals {
        Intervals(self.controls.clone())
    }

    /// A handle to change the calibrations.
    pub fn calibrations(&self) -> Calibrations {
        Calibrations(self.controls.clone())
    }

    /// A handle to look at probes.
    pub fn tap(&self) -> Tap {
        self.tap.clone()
    }

    /// The last samples, and whatever follows.
    pub fn latest(&self) -> watch::Receiver<Latest> {
        self.latest.clone()
    }

    /// How the probes are, and whatever follows.
    pub fn vitals(&self) -> watch::Receiver<Vitals> {
        self.vitals.clone()
    }

    /// Whether the threads make progress.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Ends the threads; one that hangs in its bus is left behind.
    pub fn stop(self) {
        for control in &self.controls {
            let _ = control.send(Control::Stop);
        }
        let (done, finished) = channel::<()>();
        let waiter = std::thread::Builder::new().name("stop".to_owned()).spawn(move || {
            for thread in self.threads {
                let _ = thread.join();
            }
            drop(done);
        });
        if waiter.is_ok() && finished.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("a probe hangs; the agent ends without it");
        }
    }
}

/// What the threads share.
#[derive(Clone)]
struct Common {
    time: Time,
    sink: Arc<dyn Fn(Measured) + Send + Sync>,
    vitals: Arc<watch::Sender<Vitals>>,
    latest: Arc<watch::Sender<Latest>>,
    /// The latest water temperature and when it is too old to be used.
    water: Arc<Mutex<Option<(Water, Instant)>>>,
    repeats: Arc<Repeats>,
}

impl Common {
    fn run(self, mut lane: Lane, orders: &Receiver<Control>, beat: &Beat) {
        let own: Vec<Duration> = lane.slots.iter().map(|slot| slot.interval).collect();
        let mut schedule = Schedule::new(own.clone(), Instant::now());
        let mut calibrations = BTreeMap::new();
        let mut taps = Taps::default();
        loop {
            taps.forget_ended(Instant::now());
            let Some((index, due)) = schedule.next() else { return };
            // What is stored comes first.
            let extra = taps.next(Instant::now()).filter(|(at, _)| *at < due);
            let wake = extra.map_or(due, |(at, _)| at);
            beat.expect(wake.max(Instant::now()));
            match orders.recv_timeout(wake.saturating_duration_since(Instant::now())) {
                Ok(Control::Intervals(intervals)) => {
                    for (i, slot) in lane.slots.iter().enumerate() {
                        let every = intervals.get(slot.metric).or(own.get(i).copied()).unwrap_or(slot.interval);
                        schedule.set(i, every, Instant::now());
                    }
                }
                Ok(Control::Calibrations(in_force)) => calibrations = in_force,
                Ok(Control::Tap(tapping)) => {
                    taps.add(tapping);
                    if taps.calibrates(Metric::Temperature, Instant::now()) {
                        // It leaves the water.
                        self.set_water(None);
                    }
                }
                Ok(Control::Immerse(metric, nominal)) => lane.immerse(metric, nominal),
                Ok(Control::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    beat.expect(Instant::now());
                    let tapped = extra.and_then(|(_, metric)| lane.slots.iter().position(|slot| slot.metric == metric));
                    let Some(slot) = lane.slots.get_mut(tapped.unwrap_or(index)) else { return };
                    let every = schedule.every(tapped.unwrap_or(index));
                    let (measured, water) = self.sample(slot, calibrations.get(&slot.metric).copied(), every);
                    lane.recover(measured.sample.outcome);
                    if tapped.is_some() {
                        taps.give(&measured, water, Instant::now());
                    } else {
                        let calibrates = taps.calibrates(measured.metric, Instant::now());
                        if !calibrates {
                            self.note_water(&measured, every);
                        }
                        self.deliver(measured, calibrates);
                        schedule.done(index, Instant::now());
                    }
                }
            }
        }
    }

    fn sample(&self, slot: &mut Slot, calibration: Option<Calibration>, every: Duration) -> (Measured, Option<Water>) {
        let moment = self.time.moment();
        let water = self.water();
        let sample = slot.probe.sample(&Circumstances { now: moment.stamp.at, water, calibration });
        let fault = match sample.outcome {
            Outcome::Fault(fault) => Some(fault),
            Outcome::Measured(_) => None,
        };
        self.note(slot.metric, Vital { fault, expected: Instant::now() + every + GRACE });
        (Measured { moment, metric: slot.metric, sample }, water)
    }

    /// Gives a sample to the sink, flagged if the probe was not in the water.
    fn deliver(&self, mut measured: Measured, calibrates: bool) {
        if calibrates {
            measured.sample.flags = measured.sample.flags.with(Flag::Calibrating);
        }
        self.latest.send_modify(|latest| {
            latest.insert(measured.metric, measured);
        });
        (self.sink)(measured);
    }

    fn water(&self) -> Option<Water> {
        let latest = *self.water.lock().unwrap_or_else(PoisonError::into_inner);
        latest.filter(|(_, until)| Instant::now() < *until).map(|(water, _)| water)
    }

    /// Keeps the temperature of a thermometer that is in the water, for all lanes.
    fn note_water(&self, measured: &Measured, every: Duration) {
        let Measured { metric: Metric::Temperature, sample, .. } = measured else { return };
        if let Outcome::Measured(value) = sample.outcome {
            let water = Water { celsius: value.get(), simulated: sample.flags.has(Flag::Simulated) };
            // One or two samples may fail before it is too old.
            self.set_water(Some((water, Instant::now() + every * 3 + Duration::from_secs(1))));
        }
    }

    fn set_water(&self, water: Option<(Water, Instant)>) {
        *self.water.lock().unwrap_or_else(PoisonError::into_inner) = water;
    }

    /// A loose contact may come and go with every sample.
    fn say(&self, metric: Metric, former: Option<Fault>, fault: Option<Fault>) {
        let what = format!("{metric} {}", fault.map_or("ok", Fault::as_str));
        match (self.repeats.say(&what, Instant::now()), fault) {
            (Some(unsaid), Some(fault)) => tracing::warn!(%metric, %fault, unsaid, "the probe fails"),
            (Some(unsaid), None) => {
                let former = former.map_or("", Fault::as_str);
                tracing::info!(%metric, former, unsaid, "the probe works again");
            }
            (None, _) => {}
        }
    }

    /// Notes how a probe is; only a change of its fault is news.
    fn note(&self, metric: Metric, vital: Vital) {
        self.vitals.send_if_modified(|vitals| {
            let former = vitals.insert(metric, vital);
            let former = former.and_then(|former| former.fault);
            if former != vital.fault {
                self.say(metric, former, vital.fault);
            }
            former != vital.fault
        });
    }
}

#[cfg(test)]
mod tests;
