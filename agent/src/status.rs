//! What this device says about itself: at each connection, at each change and now and then, retained.

use crate::buffer::{Health, Ledger};
use crate::link::{Link, LinkState};
use crate::sampler::Vitals;
use crate::time::{Ticks, Time};
use shared::id::RunId;
use shared::message::{BufferStatus, Cut, LinkState as State};
use shared::reading::Fault;
use shared::{BufferId, DeviceName, Settings, Status, Topic};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// At least this often.
const EVERY: Duration = Duration::from_secs(30);
/// Changes that come in quick succession are said together.
const CALM: Duration = Duration::from_secs(2);
/// After a connection it is said twice: the broker may only now notice that the former connection is
/// gone, and publish its last will over the first one.
const AGAIN: Duration = Duration::from_secs(3);

/// Everything that a status is made of.
#[derive(Clone)]
pub struct Reporter {
    /// Who speaks.
    pub device: DeviceName,
    /// This boot of the machine.
    pub boot: String,
    /// This run of the agent.
    pub run: RunId,
    /// The clock.
    pub time: Time,
    /// The settings in force.
    pub settings: watch::Receiver<Settings>,
    /// The buffer.
    pub buffer: watch::Receiver<Option<Ledger>>,
    /// The card.
    pub health: watch::Receiver<Health>,
    /// Buffers of other boards that came with the card and stay on it.
    pub kept_for_others: u32,
    /// The probes.
    pub vitals: watch::Receiver<Vitals>,
    /// The local alarm, see [`Status::alarm`].
    pub alarm: Option<&'static str>,
    /// The end of the connection before this one, and the word for it.
    pub cut: Option<(Ticks, &'static str)>,
}

impl Reporter {
    /// The status now.
    pub fn status(&self, state: State) -> Status {
        let mut status = Status::new(state);
        status.agent = env!("CARGO_PKG_VERSION").to_owned();
        status.boot.clone_from(&self.boot);
        status.run = Some(self.run);
        let moment = self.time.moment();
        let seconds = |ticks: i64| u64::try_from(ticks / 1000).unwrap_or(0);
        status.clock = Some(moment.stamp.clock);
        status.up_s = Some(seconds(moment.ticks.0));
        status.cut = self.cut.map(|(at, why)| Cut { ago_s: seconds(moment.ticks.0 - at.0), why: why.to_owned() });
        status.settings = self.settings.borrow().version;
        let Health { trouble, set_aside } = *self.health.borrow();
        let set_aside = set_aside.saturating_add(self.kept_for_others);
        let buffer = self.buffer.borrow().map(|ledger| (ledger.id, ledger.pending(), ledger.dropped));
        // Trouble is said even if there was never a buffer that could be opened.
        let buffer = buffer.or(trouble.map(|_| (BufferId::from_random(0), 0, 0)));
        status.buffer = buffer.map(|(id, pending, dropped)| BufferStatus { id, pending, dropped, trouble, set_aside });
        status.alarm = self.alarm.map(str::to_owned);
        let now = Instant::now().into_std();
        for (metric, vital) in self.vitals.borrow().iter() {
            let fault = if vital.silent(now) { Some(Fault::BusError) } else { vital.fault };
            let word = fault.map_or("ok", Fault::as_str);
            status.probes.insert(metric.as_str().to_owned(), word.to_owned());
        }
        status
    }

    /// Says it for as long as the link lives.
    pub async fn run(mut self, link: Link) {
        let mut state = link.state();
        loop {
            if state.wait_for(|state| matches!(state, LinkState::Up(_))).await.is_err() {
                return;
            }
            // What went wrong while there was none is known only now.
            self.cut = self.cut.map(|(at, _)| (at, link.trouble()));
            self.while_up(&link, &mut state).await;
            self.cut = Some((self.time.moment().ticks, link.trouble()));
        }
    }

    async fn while_up(&mut self, link: &Link, state: &mut watch::Receiver<LinkState>) {
        let connection = *state.borrow_and_update();
        let mut said = self.say(link, State::Online).await;
        let mut clock = self.time.quality(); // changes after what was said
        let mut next = Instant::now() + AGAIN;
        let mut earliest = Instant::now() + CALM;
        while *state.borrow() == connection {
            tokio::select! {
                changed = state.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    continue;
                }
                () = sleep_until(next) => {}
                _ = self.settings.changed() => next = next.min(earliest),
                Ok(()) = clock.changed() => next = next.min(earliest),
                _ = self.health.changed() => next = next.min(earliest),
                _ = self.vitals.changed() => next = next.min(earliest),
                // The buffer changes with every commit: only what was dropped, or a new buffer, is news.
                _ = self.buffer.changed() => {
                    let now = *self.buffer.borrow_and_update();
                    let news = |ledger: Option<Ledger>| ledger.map(|l| (l.id, l.dropped));
                    let known = said.buffer.map(|b| (b.id, b.dropped));
                    if news(now) != known {
                        next = next.min(earliest);
                    }
                }
            }
            if Instant::now() >= next {
                said = self.say(link, State::Online).await;
                (next, earliest) = (Instant::now() + EVERY, Instant::now() + CALM);
            }
        }
    }

    async fn say(&self, link: &Link, state: State) -> Status {
        let status = self.status(state);
        link.publish(Topic::Status(self.device.clone()), status.encode(), true).await;
        status
    }

    /// The last words before the agent ends. Waits until the broker has them, or `patience` is over.
    pub async fn say_stopped(&self, link: &Link, patience: Duration) {
        if matches!(*link.state().borrow(), LinkState::Up(_)) {
            let payload = self.status(State::Stopped).encode();
            let delivery = link.publish(Topic::Status(self.device.clone()), payload, true).await;
            let _ = timeout(patience, delivery).await;
        }
    }
}

#[cfg(test)]
mod tests;
