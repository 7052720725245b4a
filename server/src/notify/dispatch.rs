//! The task that reads the outbox: what is new is given to the channels, what is due is taken by a lease and delivered.
//!
//! All of it is in the database: a server that is killed at any moment sends, when it is back, what was not said to have
//! arrived. What was under way just then may be sent a second time, with the same key.

use super::{Channel, Tail};
use crate::alert::News;
use crate::live::Live;
use crate::store::{Due, Store, StoreError};
use shared::{Clock, UtcMillis};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet};

/// Something may have been written by another instance, or be due again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_EVERY_MS: i64 = 1000;
/// Longer than any attempt: whoever has not answered by then was killed.
const LEASE_MS: i64 = 30_000;
/// Pauses before the second and the third try.
const PAUSES_MS: [i64; 2] = [2_000, 10_000];
/// News of one channel that are under way at once.
const AT_ONCE: usize = 16;
/// How long a server that stops waits for what is under way.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Reads the outbox for some channels.
pub struct Dispatcher {
    store: Store,
    live: Live,
    clock: Arc<dyn Clock>,
    lanes: Vec<Lane>,
    tail: Tail,
    /// When it was last looked for silences that are over.
    retold: Option<UtcMillis>,
    sending: JoinSet<()>,
}

/// A channel and the room that it has left: one that is slow keeps no other waiting.
#[derive(Clone)]
struct Lane {
    channel: Arc<dyn Channel>,
    room: Arc<Semaphore>,
}

impl Dispatcher {
    /// One for these channels; two on one database share the work.
    pub fn new(store: Store, live: Live, clock: Arc<dyn Clock>, channels: Vec<Arc<dyn Channel>>) -> Self {
        let lane = |channel| Lane { channel, room: Arc::new(Semaphore::new(AT_ONCE)) };
        let lanes = channels.into_iter().map(lane).collect();
        Self { store, live, clock, lanes, tail: Tail::default(), retold: None, sending: JoinSet::new() }
    }

    /// Works until `shutdown`; waits a little then for what is under way.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut news = self.store.news();
        let mut failing = false;
        loop {
            match self.turn().await {
                Ok(()) => failing = false,
                Err(error) if !std::mem::replace(&mut failing, true) => {
                    tracing::error!(%error, "the outbox can't be read; it is tried again");
                }
                Err(error) => tracing::debug!(%error, "the outbox still can't be read"),
            }
            tokio::select! {
                // Its sender lives as long as the store.
                Ok(()) = news.changed() => {}
                Some(done) = self.sending.join_next() => ended(done),
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = &mut shutdown => break,
            }
        }
        let rest = async { while self.sending.join_next().await.is_some() {} };
        // What is cut off here is sent again after its lease.
        let _ = tokio::time::timeout(LAST_WORDS, rest).await;
    }

    /// Looks once: spreads what is new and begins to deliver what is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn turn(&mut self) -> Result<(), StoreError> {
        while let Some(done) = self.sending.try_join_next() {
            ended(done);
        }
        let now = self.clock.now();
        if self.retold.is_none_or(|at| !(0..LOOK_EVERY_MS).contains(&(now.0 - at.0))) {
            // What can't be told again must not keep back what is new.
            if let Err(error) = self.store.tell_what_was_silenced(now).await {
                tracing::error!(%error, "what was silenced is not told; it is tried again");
            }
            self.retold = Some(now);
        }
        let wanted = |what| {
            let wants = self.lanes.iter().map(|lane| &lane.channel).filter(|channel| channel.wants(what));
            wants.map(|channel| channel.name().to_owned()).collect()
        };
        while self.store.spread_news(wanted, now).await? {}
        self.tail.look(&self.store, &self.live, now).await?;
        for lane in self.lanes.clone() {
            self.deliver_due(lane).await?;
        }
        Ok(())
    }

    async fn deliver_due(&mut self, lane: Lane) -> Result<(), StoreError> {
        // Room first: what is taken by a lease and then has to wait would be sent by another server, too.
        let mut room = Vec::with_capacity(AT_ONCE);
        while let Ok(place) = Arc::clone(&lane.room).try_acquire_owned() {
            room.push(place);
        }
        if room.is_empty() {
            return Ok(());
        }
        let due = self.store.take_due(lane.channel.name(), room.len(), self.clock.now(), LEASE_MS).await?;
        for (due, place) in due.into_iter().zip(room) {
            let (store, clock, channel) = (self.store.clone(), Arc::clone(&self.clock), Arc::clone(&lane.channel));
            self.sending.spawn(async move {
                deliver(&store, &*clock, &*channel, due).await;
                drop(place);
            });
        }
        Ok(())
    }
}

fn ended(done: Result<(), tokio::task::JoinError>) {
    if let Err(error) = done {
        tracing::error!(%error, "a delivery ended without a word; it is tried again");
    }
}

/// One try, and what became of it.
async fn deliver(store: &Store, clock: &dyn Clock, channel: &dyn Channel, due: Due) {
    let sent = match serde_json::from_str::<News>(&due.payload) {
        Ok(news) => channel.deliver(&news).await.map_err(|problem| problem.to_string()),
        Err(error) => Err(format!("the news is unreadable: {error}")),
    };
    let now = clock.now();
    let kept = match sent {
        Ok(()) => store.delivered(&due, now).await,
        Err(problem) => {
            let again = usize::try_from(due.tries - 1).ok().and_then(|tries| PAUSES_MS.get(tries));
            tracing::warn!(channel = channel.name(), tries = due.tries, problem, "news is not delivered");
            store.not_delivered(&due, &problem, again.map(|pause| UtcMillis(now.0 + pause)), now).await
        }
    };
    if let Err(error) = kept {
        tracing::error!(channel = channel.name(), %error, "how a delivery went is not kept; it may be sent again");
    }
}
