//! Gets readings to the server: one batch in flight, sent again with the same bytes until the server
//! itself says that it has committed it. Each state returns the next.
//!
//! The broker's PUBACK proves nothing about the readings. It shows one thing: whether the connection is
//! alive. A batch that is not even taken by the broker in time makes the uplink ask for another one.

use crate::backoff::Backoff;
use crate::buffer::{Buffer, Ledger};
use crate::config;
use crate::link::{Delivery, Link, LinkState};
use crate::repeats::Repeats;
use shared::{Ack, BufferId, ClockQuality, DeviceName, Seq, Topic};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// So many batches without an answer of the server, and the connection is made anew although the
/// broker takes them: the subscription may be gone.
const PATIENCE: u32 = 3;

/// So long after a connection was made, or the clock was lost, readings whose time may yet be repaired wait: the
/// server's time comes within seconds, but one that offers none must not stop data.
pub(crate) const HOLD: Duration = Duration::from_secs(30);

/// A batch on its way.
#[derive(Debug, Clone)]
struct InFlight {
    buffer: BufferId,
    first: Seq,
    last: Seq,
    payload: String,
    /// How often it was sent.
    sent: u32,
}

#[derive(Debug)]
enum State {
    /// No connection; a batch may be under way.
    Offline(Option<InFlight>),
    /// The server has everything.
    Idle,
    /// A batch is to be sent.
    Sending(InFlight),
    /// It was sent: the server's word is waited for.
    Waiting(InFlight, Delivery),
    /// It was not acknowledged, or refused: it is sent again at this time.
    Pausing(InFlight, Instant),
}

/// What an acknowledgement means for a batch.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The server has it, or a part of it from its beginning on.
    Done,
    /// The server takes nothing of it.
    Rejected,
    /// It is about something else.
    Stale,
}

impl InFlight {
    fn judge(&self, ack: &Ack) -> Verdict {
        let ours = ack.buffer == Some(self.buffer);
        match ack.through {
            Some(through) if ours && through >= self.first => Verdict::Done,
            // A batch that could not be read has no buffer in its rejection; one is in flight.
            None if ack.rejected.is_some() && (ours || ack.buffer.is_none()) => Verdict::Rejected,
            _ => Verdict::Stale,
        }
    }
}

/// The way up.
pub struct Uplink {
    device: DeviceName,
    link: Link,
    link_state: watch::Receiver<LinkState>,
    /// The connection that is used now.
    connection: LinkState,
    clock: watch::Receiver<ClockQuality>,
    /// Until then readings wait for their times.
    hold_until: Instant,
    buffer: Buffer,
    buffer_state: watch::Receiver<Option<Ledger>>,
    acks: mpsc::Receiver<Ack>,
    batch: usize,
    ack_timeout: Duration,
    backoff: Backoff,
    repeats: Repeats,
}

impl Uplink {
    /// The uplink of a device.
    pub fn new(
        device: DeviceName,
        link: Link,
        buffer: Buffer,
        acks: mpsc::Receiver<Ack>,
        clock: watch::Receiver<ClockQuality>,
        settings: &config::Uplink,
    ) -> Self {
        Self {
            device,
            link_state: link.state(),
            link,
            connection: LinkState::Down,
            clock,
            hold_until: Instant::now(),
            buffer_state: buffer.state(),
            buffer,
            acks,
            batch: settings.batch,
            ack_timeout: settings.ack_timeout(),
            backoff: settings.backoff(),
            repeats: Repeats::default(),
        }
    }

    /// Sends for ever.
    pub async fn run(mut self) {
        let mut state = State::Offline(None);
        loop {
            state = match state {
                State::Offline(in_flight) => self.offline(in_flight).await,
                State::Idle => self.idle().await,
                State::Sending(in_flight) => self.send(in_flight).await,
                State::Waiting(in_flight, delivery) => self.wait(in_flight, delivery).await,
                State::Pausing(in_flight, until) => self.pause(in_flight, until).await,
            };
        }
    }

    async fn offline(&mut self, in_flight: Option<InFlight>) -> State {
        match self.link_state.wait_for(|state| *state != LinkState::Down).await.map(|state| *state) {
            Ok(connection) => (self.connection, self.hold_until) = (connection, Instant::now() + HOLD),
            // The link has ended, and so will this task.
            Err(_) => std::future::pending().await,
        }
        // Where it was left: with the batch that may or may not have arrived.
        in_flight.map_or(State::Idle, State::Sending)
    }

    async fn idle(&mut self) -> State {
        // What is committed after this look wakes the wait below.
        self.buffer_state.borrow_and_update();
        let lost =
            self.clock.has_changed().unwrap_or(false) && *self.clock.borrow_and_update() == ClockQuality::Unsynced;
        if lost {
            self.hold_until = Instant::now() + HOLD;
        }
        let hold = Instant::now() < self.hold_until;
        if let Some(batch) = self.buffer.next_batch(self.batch, hold).await {
            let (first, last) = (batch.readings.first(), batch.readings.last());
            if let (Some(first), Some(last)) = (first.map(|r| r.seq), last.map(|r| r.seq)) {
                let payload = batch.encode();
                return State::Sending(InFlight { buffer: batch.buffer, first, last, payload, sent: 0 });
            }
        }
        tokio::select! {
            () = end_of(self.connection, &mut self.link_state) => State::Offline(None),
            () = sleep_until(self.hold_until), if hold => State::Idle,
            Some(ack) = self.acks.recv() => {
                self.note(&ack).await;
                State::Idle
            }
            changed = self.buffer_state.changed() => match changed {
                Ok(()) => State::Idle,
                Err(_) => std::future::pending().await,
            },
        }
    }

    async fn send(&mut self, mut in_flight: InFlight) -> State {
        in_flight.sent += 1;
        let (first, last, sent) = (in_flight.first, in_flight.last, in_flight.sent);
        tracing::debug!(first, last, sent, bytes = in_flight.payload.len(), "sending");
        let topic = Topic::Readings(self.device.clone());
        let delivery = self.link.publish(topic, in_flight.payload.clone(), false).await;
        State::Waiting(in_flight, delivery)
    }

    async fn wait(&mut self, in_flight: InFlight, mut delivery: Delivery) -> State {
        let deadline = Instant::now() + self.ack_timeout;
        loop {
            tokio::select! {
                biased;
                Some(ack) = self.acks.recv() => {
                    if let Some(next) = self.answered(&in_flight, &ack).await {
                        return next;
                    }
                }
                () = end_of(self.connection, &mut self.link_state) => return State::Offline(Some(in_flight)),
                () = sleep_until(deadline) => {
                    // `Ok` only if the broker took it in time.
                    let taken = delivery.try_recv().is_ok();
                    return self.unanswered(in_flight, taken).await;
                }
            }
        }
    }

    async fn pause(&mut self, in_flight: InFlight, until: Instant) -> State {
        loop {
            tokio::select! {
                biased;
                Some(ack) = self.acks.recv() => {
                    self.note(&ack).await;
                    // The answer was only late. Another refusal changes nothing.
                    if in_flight.judge(&ack) == Verdict::Done {
                        self.backoff.reset();
                        return State::Idle;
                    }
                }
                () = end_of(self.connection, &mut self.link_state) => return State::Offline(Some(in_flight)),
                () = sleep_until(until) => return State::Sending(in_flight),
            }
        }
    }

    /// What follows from an answer to the batch in flight; `None` if it is about something else.
    async fn answered(&mut self, in_flight: &InFlight, ack: &Ack) -> Option<State> {
        self.note(ack).await;
        match in_flight.judge(ack) {
            Verdict::Stale => None,
            Verdict::Done => {
                self.backoff.reset();
                Some(State::Idle)
            }
            Verdict::Rejected => {
                let code = ack.rejected.as_deref().unwrap_or_default();
                let detail = ack.detail.as_deref().unwrap_or_default();
                if let Some(unsaid) = self.unsaid(code) {
                    tracing::error!(code, detail, supported = ?ack.supported, first = in_flight.first, last = in_flight.last, unsaid,
                        "the server rejects a batch; its readings are kept");
                }
                Some(self.rejected(in_flight, code))
            }
        }
    }

    fn rejected(&mut self, in_flight: &InFlight, code: &str) -> State {
        let until = Instant::now() + self.backoff.next_delay();
        if code == "too_large" && self.batch > 1 {
            // Smaller ones may pass: it is read again from the buffer.
            self.batch = (self.batch / 2).max(1);
            tracing::warn!(batch = self.batch, "smaller batches from now on");
            return State::Idle;
        }
        State::Pausing(in_flight.clone(), until)
    }

    async fn unanswered(&mut self, in_flight: InFlight, taken: bool) -> State {
        let (first, last, sent) = (in_flight.first, in_flight.last, in_flight.sent);
        if let Some(unsaid) = self.unsaid("not acknowledged") {
            let taken_by_broker = taken;
            tracing::warn!(
                first,
                last,
                sent,
                taken_by_broker,
                unsaid,
                "a batch is not acknowledged in time; it is sent again"
            );
        }
        if !taken {
            self.link.reconnect("the broker did not take a batch in time").await;
        } else if sent.is_multiple_of(PATIENCE) {
            self.link.reconnect("the server did not answer several batches").await;
        }
        State::Pausing(in_flight, Instant::now() + self.backoff.next_delay())
    }

    fn unsaid(&self, what: &str) -> Option<u64> {
        self.repeats.say(what, Instant::now().into_std())
    }

    /// Passes on to the buffer what any acknowledgement says, expected or not.
    async fn note(&self, ack: &Ack) {
        let (Some(buffer), Some(through)) = (ack.buffer, ack.through) else { return };
        for (seq, reason) in &ack.refused {
            if let Some(unsaid) = self.unsaid(reason.as_str()) {
                tracing::warn!(%buffer, seq, reason = reason.as_str(), unsaid, "the server keeps a reading aside as none");
            }
        }
        self.buffer.acknowledge(buffer, through).await;
    }
}

/// Resolves when another connection has taken the place of this one, or none.
async fn end_of(connection: LinkState, state: &mut watch::Receiver<LinkState>) {
    if state.wait_for(|state| *state != connection).await.is_err() {
        // Nobody can change it any more.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
