//! The task that owns the session: it takes orders and samples, shows views, and puts records into force.
//! Knows no network: [`super::Herald`] does.

use super::records::Records;
use super::session::{Beginning, Session, problem};
use crate::sampler::{Calibrations, Purpose, Tap, Tapped};
use crate::time::Time;
use shared::calibration::{CalibrationRecord, RecordId};
use shared::message::calibrate::{Order, Problem, Step, View};
use shared::sensor::Sensor;
use shared::{DeviceName, Metric, Settings};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Orders that may wait.
const ORDERS: usize = 16;
/// Views that a slow watcher may be behind; what is older is passed over.
const VIEWS: usize = 64;
/// How often it is asked whether the session has timed out.
const EVERY: Duration = Duration::from_secs(1);

/// Everything that the task needs.
pub struct Calibrator {
    /// What the probes' voltages mean.
    pub sensors: BTreeMap<Metric, Sensor>,
    /// To watch them.
    pub tap: Tap,
    /// To put calibrations into force.
    pub in_force: Calibrations,
    /// What the server says.
    pub settings: watch::Receiver<Settings>,
    /// What it does not know yet.
    pub records: Records,
    /// For the record's time.
    pub time: Time,
    /// Draws the id of a record.
    pub draw: fn() -> RecordId,
}

/// The handle.
#[derive(Clone)]
pub struct Desk {
    orders: mpsc::Sender<Call>,
    views: broadcast::Sender<View>,
    waiting: watch::Receiver<Vec<CalibrationRecord>>,
}

enum Call {
    Order(Order),
    /// The device has got its name.
    Named(DeviceName),
}

impl Desk {
    /// Gives an order; what becomes of it is in the views. One too many is dropped: whoever ordered sees that
    /// nothing happens, and orders again.
    pub fn order(&self, order: Order) {
        if self.orders.try_send(Call::Order(order)).is_err() {
            tracing::warn!("orders of a calibration come faster than they are taken: one is dropped");
        }
    }

    /// Tells whose the records are.
    pub async fn name(&self, device: DeviceName) {
        let _ = self.orders.send(Call::Named(device)).await;
    }

    /// The views from now on.
    pub fn views(&self) -> broadcast::Receiver<View> {
        self.views.subscribe()
    }

    /// A handle without a task, the orders that come through it, and where views go in.
    #[cfg(test)]
    pub(crate) fn without_task() -> (Self, impl FnMut() -> Option<Order>, broadcast::Sender<View>) {
        let (sender, mut calls) = mpsc::channel(ORDERS);
        let views = broadcast::Sender::new(VIEWS);
        let desk = Self { orders: sender, views: views.clone(), waiting: watch::channel(vec![]).1 };
        let next = move || match calls.try_recv() {
            Ok(Call::Order(order)) => Some(order),
            _ => None,
        };
        (desk, next, views)
    }

    /// The records that wait for the server, and whatever follows.
    pub fn waiting(&self) -> watch::Receiver<Vec<CalibrationRecord>> {
        self.waiting.clone()
    }
}

struct Running {
    session: Session,
    tapped: Tapped,
}

struct Task {
    with: Calibrator,
    views: broadcast::Sender<View>,
    waiting: watch::Sender<Vec<CalibrationRecord>>,
    running: Option<Running>,
    /// The last view of the last session: whoever missed how it ended may ask.
    last: Option<View>,
}

impl Calibrator {
    /// Starts the task. It ends with its last handle.
    pub fn start(self) -> Desk {
        let (sender, orders) = mpsc::channel(ORDERS);
        let views = broadcast::Sender::new(VIEWS);
        let (waiting_sender, waiting) = watch::channel(self.records.waiting().to_vec());
        let desk = Desk { orders: sender, views: views.clone(), waiting };
        let task = Task { with: self, views, waiting: waiting_sender, running: None, last: None };
        tokio::spawn(task.run(orders));
        desk
    }
}

impl Task {
    async fn run(mut self, mut calls: mpsc::Receiver<Call>) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut settings = self.with.settings.clone();
        let mut clock = self.with.time.quality();
        // What waits from before a restart may find its time known.
        clock.mark_changed();
        loop {
            let session = self.running.is_some();
            let sample = async {
                match &mut self.running {
                    Some(running) => running.tapped.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                call = calls.recv() => match call {
                    Some(Call::Order(order)) => self.order(order),
                    Some(Call::Named(device)) => self.with.records.adopt(&device),
                    None => return,
                },
                Some(observed) = sample => {
                    self.with_session(|session| session.observe(&observed, Instant::now().into_std()));
                }
                _ = tick.tick(), if session => {
                    if let Some(running) = &mut self.running {
                        running.session.time_out(Instant::now().into_std());
                    }
                    self.close_if_over();
                }
                Ok(()) = settings.changed() => self.settle(),
                Ok(()) = clock.changed() => self.repair(),
            }
        }
    }

    fn order(&mut self, order: Order) {
        let now = Instant::now().into_std();
        match order {
            Order::Begin { session, metric, by, buffers, lot } => {
                self.begin(Beginning { session, metric, by, buffers, lot });
            }
            Order::Recorded { id, settings } => {
                self.with.records.confirm(id, settings);
                self.settle();
            }
            Order::Take { session, nominal } if self.runs(session) => {
                self.with_session(|session| session.take(nominal, now));
                if let Some(Running { session, tapped }) = &self.running
                    && session.waits_for(nominal)
                {
                    // A simulated probe can't be put anywhere by hand.
                    tapped.immerse(Some(nominal));
                }
            }
            Order::Drop { session, nominal } if self.runs(session) => {
                self.with_session(|session| session.drop_point(nominal, now));
            }
            Order::Finish { session } if self.runs(session) => self.finish(),
            Order::Cancel { session } if self.runs(session) => self.with_session(|session| session.end(None)),
            Order::Take { session, .. }
            | Order::Drop { session, .. }
            | Order::Finish { session }
            | Order::Cancel { session } => self.show(self.of_no_session(session)),
        }
    }

    fn runs(&self, id: RecordId) -> bool {
        self.running.as_ref().is_some_and(|running| running.session.id() == id)
    }

    fn begin(&mut self, beginning: Beginning) {
        let (id, metric) = (beginning.session, beginning.metric);
        if self.runs(id) {
            // The order came twice.
            return self.with_session(|_| {});
        }
        match self.try_begin(beginning) {
            Ok(running) => {
                let other = problem("busy", "somebody has begun another calibration");
                self.with_session(|session| session.end(Some(other)));
                tracing::info!(session = %id, %metric, "a calibration begins");
                self.running = Some(running);
                self.with_session(|_| {});
            }
            Err(why) => {
                tracing::info!(session = %id, %metric, why = why.text, "a calibration can't begin");
                let mut view = ended(id, metric);
                view.problem = Some(why);
                self.show(view);
            }
        }
    }

    fn try_begin(&self, beginning: Beginning) -> Result<Running, Problem> {
        let metric = beginning.metric;
        let none = || problem("no_such_probe", format!("this device has no probe for {metric} that can be calibrated"));
        let sensor = self.with.sensors.get(&metric).ok_or_else(none)?;
        if self.with.records.is_full() {
            let text = "100 calibrations wait for the server: no more can be kept until it has taken them";
            return Err(problem("full", text));
        }
        let session = Session::begin(beginning, sensor.clone(), self.with.time.stamp(), Instant::now().into_std())?;
        let tapped = self.with.tap.watch(metric, Purpose::Calibrate).ok_or_else(none)?;
        Ok(Running { session, tapped })
    }

    fn finish(&mut self) {
        let Some(Running { session, .. }) = &mut self.running else { return };
        let (id, moment) = ((self.with.draw)(), self.with.time.moment());
        if let Some(record) = session.finish(id, moment.stamp, Instant::now().into_std()) {
            match self.with.records.add(record, self.with.time.boot(), moment.ticks) {
                Ok(()) => {
                    tracing::info!(session = %session.id(), record = %id, metric = %session.metric(), "calibrated");
                    session.finished(id);
                    self.put_into_force();
                }
                Err(error) => {
                    tracing::error!(%error, "a calibration can't be saved");
                    session.refuse(problem("not_saved", format!("the calibration can't be saved: {error}")));
                }
            }
        }
        self.with_session(|_| {});
    }

    /// Does something to the session and shows how it stands then.
    fn with_session(&mut self, act: impl FnOnce(&mut Session)) {
        let Some(running) = &mut self.running else { return };
        act(&mut running.session);
        if !running.session.is_over() {
            let view = running.session.view();
            self.show(view);
        }
        self.close_if_over();
    }

    fn close_if_over(&mut self) {
        if let Some(running) = self.running.take_if(|running| running.session.is_over()) {
            let view = running.session.view();
            tracing::info!(session = %view.session, step = ?view.step, "a calibration ends");
            self.last = Some(view.clone());
            self.show(view);
        }
    }

    fn show(&self, view: View) {
        // Nobody may be watching.
        let _ = self.views.send(view);
    }

    /// What to say of a session that does not run: how it ended, if that is known.
    fn of_no_session(&self, id: RecordId) -> View {
        let last = self.last.as_ref().filter(|last| last.session == id);
        // The order does not say which probe it meant; whoever asks knows its session.
        let any = self.with.sensors.keys().next().copied().unwrap_or(Metric::Ph);
        last.cloned().unwrap_or_else(|| ended(id, any))
    }

    /// The settings or what the server says of a record have changed.
    fn settle(&mut self) {
        let version = self.with.settings.borrow().version;
        self.with.records.settle(version);
        self.put_into_force();
    }

    /// The clock is judged anew.
    fn repair(&mut self) {
        if let Some(offset) = self.with.time.reference()
            && self.with.records.repair(self.with.time.boot(), offset)
        {
            self.put_into_force();
        }
    }

    fn put_into_force(&self) {
        let all = self.with.records.over(&self.with.settings.borrow());
        self.with.in_force.apply(&all.in_force());
        self.waiting.send_if_modified(|waiting| {
            let changed = waiting.as_slice() != self.with.records.waiting();
            *waiting = self.with.records.waiting().to_vec();
            changed
        });
    }
}

fn ended(session: RecordId, metric: Metric) -> View {
    View { session, metric, step: Step::Ended, buffers: None, live: None, points: vec![], fit: None, problem: None }
}

#[cfg(test)]
mod tests;
