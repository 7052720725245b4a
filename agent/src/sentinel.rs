//! The rules on the device itself: judges each sample as it is taken, drives the alarm beside the tank, and says which
//! samples are news. It needs no network and no right hour. People are told by the server, which judges the same readings.
//! Knows nothing of where thresholds come from, and no pin.

use crate::alarm::AlarmHandle;
use crate::allowance::Allowance;
use crate::buffer::Measured;
use crate::files::{remove, write_atomically};
use crate::repeats::Repeats;
use crate::time::{Ticks, Time};
use shared::rule::{Seen, Severity, Thresholds, Transition, Watches};
use shared::{Settings, UtcMillis};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::time::interval;

/// The file's name below `data_dir`.
const FILE_NAME: &str = "watches.json";
/// How often it is looked for what is missing, and tried again to save.
const LOOK: Duration = Duration::from_secs(10);
/// When the clock departs from the ticks by more than this it was set.
const SET_MS: i64 = 60_000;

/// Whoever drives the alarm, and from which severity on.
pub struct Outlet {
    /// The alarm.
    pub alarm: AlarmHandle,
    /// It is given for this and for what is worse.
    pub from: Severity,
}

/// Watches the samples of this device. Clones share their state.
#[derive(Clone)]
pub struct Sentinel {
    path: PathBuf,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    outlet: Arc<Outlet>,
}

struct State {
    rules: Thresholds,
    watches: Watches,
    /// The last moment, to notice when the clock is set.
    last: Option<(Ticks, UtcMillis)>,
    /// Whether something was raised or ended that is not saved yet.
    unsaved: bool,
}

impl Sentinel {
    /// Goes on where the last run ended: what was raised sounds at once, also after a power cut.
    pub fn open(data_dir: &Path, settings: &Settings, outlet: Outlet) -> Self {
        let path = data_dir.join(FILE_NAME);
        // A broken file costs no more than the waiting times: what is still wrong is raised again.
        let saved: Option<Watches> = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let (rules, mut watches) = (settings.thresholds.clone(), saved.unwrap_or_default());
        // What no rule asks for any more, because the power was cut before that was saved, must not sound for ever.
        watches.change(&rules, UtcMillis::default(), &mut vec![]);
        let state = State { rules, watches, last: None, unsaved: false };
        let sentinel =
            Self { path, state: Arc::new(Mutex::new(state)), changed: Arc::default(), outlet: Arc::new(outlet) };
        sentinel.sound(&sentinel.lock());
        sentinel
    }

    /// Judges a sample. Returns whether it is news: something begins, changes or ends by it.
    pub fn take(&self, measured: &Measured) -> bool {
        let Measured { moment, metric, sample } = *measured;
        let mut state = self.lock();
        state.look_at_clock(moment.ticks, moment.stamp.at);
        let seen = Seen { metric, at: moment.stamp.at, outcome: sample.outcome, flags: sample.flags };
        let mut told = vec![];
        let State { rules, watches, .. } = &mut *state;
        watches.take(rules, &seen, &mut told);
        self.tell(&mut state, &told)
    }

    /// Follows the settings and the time until it is aborted.
    pub async fn run(self, mut settings: watch::Receiver<Settings>, time: Time) {
        let (mut look, mut allowance, repeats) = (interval(LOOK), Allowance::default(), Repeats::default());
        loop {
            tokio::select! {
                changed = settings.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.change(&settings.borrow_and_update().thresholds, &time);
                }
                _ = look.tick() => self.pass(&time),
                () = self.changed.notified() => {}
            }
            if self.lock().unsaved && allowance.take(Instant::now()) {
                let saving = self.clone();
                let saved = tokio::task::spawn_blocking(move || saving.save()).await;
                if let Ok(Err(error)) = saved
                    && let Some(unsaid) = repeats.say("not saved", Instant::now())
                {
                    tracing::warn!(path = %self.path.display(), %error, unsaid, "what is raised can't be saved; it is tried again");
                }
            }
        }
    }

    /// Saves what is not saved yet: at the end of the agent.
    ///
    /// # Errors
    /// When the card fails.
    pub fn save(&self) -> std::io::Result<()> {
        let (watches, empty) = {
            let mut state = self.lock();
            // Marked before: what happens while it is written must be saved again.
            if !std::mem::take(&mut state.unsaved) {
                return Ok(());
            }
            (serde_json::to_vec(&state.watches).unwrap_or_default(), state.rules.is_empty())
        };
        let saved = if empty { remove(&self.path) } else { write_atomically(&self.path, &watches, 0o644) };
        saved.inspect_err(|_| self.lock().unsaved = true)
    }

    fn change(&self, rules: &Thresholds, time: &Time) {
        let mut state = self.lock();
        if state.rules == *rules {
            return;
        }
        state.rules.clone_from(rules);
        let mut told = vec![];
        let State { rules, watches, .. } = &mut *state;
        watches.change(rules, time.now(), &mut told);
        state.unsaved = true;
        self.tell(&mut state, &told);
        self.changed.notify_one();
    }

    /// Notices what does not come any more: a bus that hangs delivers nothing that could be taken.
    fn pass(&self, time: &Time) {
        let moment = time.moment();
        let mut state = self.lock();
        state.look_at_clock(moment.ticks, moment.stamp.at);
        let mut told = vec![];
        let State { rules, watches, .. } = &mut *state;
        watches.pass(rules, moment.stamp.at, &mut told);
        self.tell(&mut state, &told);
    }

    fn tell(&self, state: &mut State, told: &[Transition]) -> bool {
        for Transition { metric, kind, before, after, value, .. } in told {
            let value = value.map(shared::Value::get);
            tracing::info!(%metric, %kind, ?before, ?after, ?value, "a rule");
        }
        if told.is_empty() {
            return false;
        }
        state.unsaved = true;
        self.sound(state);
        self.changed.notify_one();
        true
    }

    fn sound(&self, state: &State) {
        let worst = state.watches.worst();
        self.outlet.alarm.set(worst.is_some_and(|worst| worst >= self.outlet.from));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A clock that was set says nothing about how long something has lasted.
    fn look_at_clock(&mut self, ticks: Ticks, at: UtcMillis) {
        let last = self.last.replace((ticks, at));
        if last.is_some_and(|(then, was)| ((at.0 - was.0) - (ticks.0 - then.0)).abs() > SET_MS) {
            self.watches.wait_anew();
        }
    }
}

#[cfg(test)]
mod tests;
