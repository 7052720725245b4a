//! Takes samples at their intervals and gives them a time. Knows no storage and no network.
//!
//! I2C blocks, so each bus has a thread of its own: a bus that hangs stops only its own probes. All
//! simulated probes share one.

mod schedule;

use crate::buffer::Measured;
use crate::probe::{Circumstances, Probe, Water};
use crate::time::Time;
use schedule::Schedule;
use shared::reading::{Fault, Flag, Outcome};
use shared::{Metric, message};
use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
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

/// A thread may take this much longer than its interval before its probes count as silent, and itself as hung.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// How long a stopping thread is waited for: it may hang in its bus.
const PATIENCE: Duration = Duration::from_secs(2);

enum Control {
    Intervals(message::Intervals),
    Stop,
}

/// Changes the intervals of a running sampler.
#[derive(Clone)]
pub struct Intervals(Vec<Sender<Control>>);

impl Intervals {
    /// Puts intervals into force; metrics that are absent go back to the configured ones.
    pub fn apply(&self, intervals: &message::Intervals) {
        for lane in &self.0 {
            let _ = lane.send(Control::Intervals(intervals.clone()));
        }
    }
}

/// Whether the threads make progress.
#[derive(Clone, Default)]
pub struct Pulse(Vec<Beat>);

/// By when a thread is expected to have gone on.
type Beat = Arc<Mutex<Instant>>;

impl Pulse {
    /// Whether each thread waits for its next sample, or began the present one lately.
    pub fn beats(&self, now: Instant) -> bool {
        self.0.iter().all(|beat| *beat.lock().unwrap_or_else(PoisonError::into_inner) >= now)
    }
}

/// The running threads.
pub struct Sampler {
    controls: Vec<Sender<Control>>,
    threads: Vec<JoinHandle<()>>,
    vitals: watch::Receiver<Vitals>,
    pulse: Pulse,
}

/// Where samples go. It must not block.
pub trait Sink: Fn(Measured) + Send + Sync + 'static {}
impl<F: Fn(Measured) + Send + Sync + 'static> Sink for F {}

impl Sampler {
    /// Starts a thread for each lane.
    ///
    /// # Errors
    /// When a thread can't be started.
    pub fn start(lanes: Vec<Lane>, intervals: &message::Intervals, time: &Time, sink: impl Sink) -> io::Result<Self> {
        // A probe whose first sample never comes is silent too.
        let expected = |slot: &Slot| Instant::now() + slot.interval + GRACE;
        let slots = lanes.iter().flat_map(|lane| &lane.slots);
        let unknown: Vitals =
            slots.map(|slot| (slot.metric, Vital { fault: None, expected: expected(slot) })).collect();
        let (vitals_sender, vitals) = watch::channel(unknown);
        let common = Common {
            time: time.clone(),
            sink: Arc::new(sink),
            vitals: Arc::new(vitals_sender),
            water: Arc::new(Mutex::new(None)),
        };
        let (mut controls, mut threads, mut pulse) = (vec![], vec![], Pulse::default());
        for lane in lanes.into_iter().filter(|lane| !lane.slots.is_empty()) {
            let (control, orders) = channel();
            let _ = control.send(Control::Intervals(intervals.clone()));
            let common = common.clone();
            let name = format!("sample {}", lane.name);
            let beat: Beat = Arc::new(Mutex::new(Instant::now() + GRACE));
            pulse.0.push(Arc::clone(&beat));
            threads.push(std::thread::Builder::new().name(name).spawn(move || common.run(lane, &orders, &beat))?);
            controls.push(control);
        }
        Ok(Self { controls, threads, vitals, pulse })
    }

    /// A handle to change the intervals.
    pub fn intervals(&self) -> Intervals {
        Intervals(self.controls.clone())
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
    /// The latest water temperature and when it is too old to be used.
    water: Arc<Mutex<Option<(Water, Instant)>>>,
}

impl Common {
    fn run(self, mut lane: Lane, orders: &Receiver<Control>, beat: &Beat) {
        let expect = |at: Instant| *beat.lock().unwrap_or_else(PoisonError::into_inner) = at + GRACE;
        let own: Vec<Duration> = lane.slots.iter().map(|slot| slot.interval).collect();
        let mut schedule = Schedule::new(own.clone(), Instant::now());
        loop {
            let Some((index, due)) = schedule.next() else { return };
            expect(due.max(Instant::now()));
            match orders.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Control::Intervals(intervals)) => {
                    for (i, slot) in lane.slots.iter().enumerate() {
                        let every = intervals.get(slot.metric).or(own.get(i).copied()).unwrap_or(slot.interval);
                        schedule.set(i, every, Instant::now());
                    }
                }
                Ok(Control::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    expect(Instant::now());
                    if let Some(slot) = lane.slots.get_mut(index) {
                        self.sample(slot, schedule.every(index));
                    }
                    schedule.done(index, Instant::now());
                }
            }
        }
    }

    fn sample(&self, slot: &mut Slot, every: Duration) {
        let moment = self.time.moment();
        let circumstances = Circumstances { now: moment.stamp.at, water: self.water(), calibration: None };
        let sample = slot.probe.sample(&circumstances);
        let fault = match sample.outcome {
            Outcome::Fault(fault) => Some(fault),
            Outcome::Measured(value) => {
                if slot.metric == Metric::Temperature {
                    let water = Water { celsius: value.get(), simulated: sample.flags.has(Flag::Simulated) };
                    // One or two samples may fail before it is too old.
                    self.set_water(water, Instant::now() + every * 3 + Duration::from_secs(1));
                }
                None
            }
        };
        self.note(slot.metric, Vital { fault, expected: Instant::now() + every + GRACE });
        (self.sink)(Measured { moment, metric: slot.metric, sample });
    }

    fn water(&self) -> Option<Water> {
        let latest = *self.water.lock().unwrap_or_else(PoisonError::into_inner);
        latest.filter(|(_, until)| Instant::now() < *until).map(|(water, _)| water)
    }

    fn set_water(&self, water: Water, until: Instant) {
        *self.water.lock().unwrap_or_else(PoisonError::into_inner) = Some((water, until));
    }

    /// Notes how a probe is; only a change of its fault is news.
    fn note(&self, metric: Metric, vital: Vital) {
        self.vitals.send_if_modified(|vitals| {
            let former = vitals.insert(metric, vital);
            let former = former.and_then(|former| former.fault);
            match (former, vital.fault) {
                (was, Some(fault)) if was != Some(fault) => tracing::warn!(%metric, %fault, "the probe fails"),
                (Some(fault), None) => tracing::info!(%metric, former = %fault, "the probe works again"),
                _ => {}
            }
            former != vital.fault
        });
    }
}

#[cfg(test)]
mod tests;
