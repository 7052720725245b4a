//! From a payload to a commit to an ack. Judges nothing about values; knows MQTT only as a queue of messages.
//!
//! Two tasks in a row, so that one batch is parsed while others are committed: `parse`, then
//! `commit`, which takes together whatever has queued up meanwhile (group commit: the disk's rate of
//! flushes is not the limit). What devices say besides readings goes its own way (`said`).

mod runs;
mod said;

pub use said::publish_settings;

use crate::{
    identity::Concern,
    link::{Link, Message},
    live::{Event, Live},
    metrics::Metrics,
    store::{Committed, Incoming, Store, StoreError},
};
use said::{Heard, Said};
use shared::{
    Ack, Batch, Clock, DeviceName, Topic,
    message::{Received, Rejection},
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::{
    OwnedSemaphorePermit,
    mpsc::{self, error::TrySendError},
};

/// Batches that are parsed and wait for the commit under way.
const PARSED: usize = 1024;
/// Most batches and readings of one transaction.
const GROUP_BATCHES: usize = 256;
const GROUP_READINGS: usize = 25_000;
const TIDY_EVERY: Duration = Duration::from_secs(10);
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// A parsed batch on its way to the commit.
struct Job {
    batch: Incoming,
    /// Held until the batch is done with: it counts against what the link may queue.
    _room: OwnedSemaphorePermit,
}

/// What every step needs.
struct Ingest {
    store: Store,
    link: Link,
    live: Live,
    clock: Arc<dyn Clock>,
    /// For whoever knows certificates.
    concerns: mpsc::Sender<Concern>,
    count: Counters,
    metrics: Metrics,
}

/// What has happened since the last report.
#[derive(Debug, Default)]
struct Counters {
    readings: AtomicU64,
    batches: AtomicU64,
    repeated: AtomicU64,
    skipped: AtomicU64,
    refused: AtomicU64,
    rejected: AtomicU64,
    unregistered: AtomicU64,
    failed: AtomicU64,
    commits: AtomicU64,
}

/// Takes in messages until `shutdown`, then finishes what has arrived and returns.
#[allow(clippy::too_many_arguments)] // each is another part of the server
pub async fn run(
    mut messages: mpsc::Receiver<Message>,
    store: Store,
    link: Link,
    live: Live,
    clock: Arc<dyn Clock>,
    concerns: mpsc::Sender<Concern>,
    metrics: Metrics,
    shutdown: impl Future<Output = ()> + Send,
) {
    let ingest = Arc::new(Ingest { store, link, live, clock, concerns, count: Counters::default(), metrics });
    let (jobs, parsed) = mpsc::channel(PARSED);
    let (says, heard) = mpsc::channel(PARSED);
    let committing = tokio::spawn(Arc::clone(&ingest).commit_all(parsed));
    let listening = tokio::spawn(Arc::clone(&ingest).record_all(heard));
    let housekeeping = tokio::spawn(Arc::clone(&ingest).keep_house());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(message) => ingest.sort(message, &jobs, &says).await,
                None => break,
            },
            () = &mut shutdown, if !messages.is_closed() => messages.close(),
        }
    }
    // The tasks end when they have done what is in their queues.
    drop((jobs, says));
    let _ = tokio::join!(committing, listening);
    housekeeping.abort();
    ingest.report();
}

impl Ingest {
    /// A message to the step that it is for.
    async fn sort(self: &Arc<Self>, message: Message, jobs: &mpsc::Sender<Job>, says: &mpsc::Sender<Heard>) {
        match message {
            Message::Connected => {
                tokio::spawn(Arc::clone(self).publish_all_settings());
            }
            Message::Published { topic: Topic::Readings(device), payload, room } => {
                match Batch::decode(&payload, self.clock.now()) {
                    Ok(received) => {
                        let batch = Incoming { device, received, at: self.clock.now() };
                        // Closed only when committing has panicked.
                        let _ = jobs.send(Job { batch, _room: room }).await;
                    }
                    Err(reason) => self.reject(device, &reason),
                }
            }
            Message::Published { topic, payload, room } => match Said::decode(&topic, &payload) {
                Ok(Some(said)) => {
                    let heard = Heard { device: topic.device().clone(), said, _room: room };
                    // Whoever says too much must not stop the readings of all. What counts is said again.
                    if let Err(TrySendError::Full(heard)) = says.try_send(heard) {
                        tracing::debug!(device = %heard.device, "too much is said at once: a message is dropped");
                    }
                }
                // The link hands on nothing else.
                Ok(None) => {}
                Err(error) => tracing::warn!(%topic, error = ?error.to_string(), "a message can't be read"),
            },
        }
    }

    fn reject(&self, device: DeviceName, reason: &Rejection) {
        self.count.rejected.fetch_add(1, Relaxed);
        self.metrics.not_committed("rejected", 1);
        tracing::warn!(%device, code = reason.code(), reason = ?reason.to_string(), "a batch is rejected; its device keeps it");
        self.answer(device, &Ack::rejected(reason));
    }

    /// Takes groups of batches until no more come.
    async fn commit_all(self: Arc<Self>, mut parsed: mpsc::Receiver<Job>) {
        let mut failing = false;
        while let Some(first) = parsed.recv().await {
            let mut readings = first.batch.received.readings.len();
            let mut group = vec![first];
            while group.len() < GROUP_BATCHES && readings < GROUP_READINGS {
                let Ok(job) = parsed.try_recv() else { break };
                readings += job.batch.received.readings.len();
                group.push(job);
            }
            let (batches, room): (Vec<_>, Vec<_>) = group.into_iter().map(|job| (job.batch, job._room)).unzip();
            match self.commit(&batches).await {
                Ok(()) if failing => {
                    failing = false;
                    tracing::info!("the database takes readings again");
                }
                Ok(()) => {}
                Err(error) if !failing => {
                    failing = true;
                    tracing::error!(%error, "the database takes no readings; the devices keep them and try again");
                }
                Err(error) => tracing::debug!(%error, "the database still takes no readings"),
            }
            drop(room);
        }
    }

    /// One transaction, then the acks. If the database objects to the group, each batch is tried alone,
    /// so that one can't hold back the others.
    async fn commit(&self, batches: &[Incoming]) -> Result<(), StoreError> {
        match self.store.append(batches).await {
            Ok(answers) => {
                self.count.commits.fetch_add(1, Relaxed);
                batches.iter().zip(answers).for_each(|(batch, answer)| self.finish(batch, answer));
                Ok(())
            }
            Err(StoreError::Sql(sqlx::Error::Database(_)) | StoreError::Corrupt { .. }) if batches.len() > 1 => {
                let mut worst = Ok(());
                for batch in batches {
                    if let Err(error) = Box::pin(self.commit(std::slice::from_ref(batch))).await {
                        worst = Err(error);
                    }
                }
                worst
            }
            Err(error) => {
                self.count.failed.fetch_add(batches.len() as u64, Relaxed);
                self.metrics.not_committed("failed", batches.len());
                Err(error)
            }
        }
    }

    /// After the commit: the ack, and the event.
    fn finish(&self, batch: &Incoming, answer: Option<Committed>) {
        let Incoming { device, received, at } = batch;
        let Some(Committed { through, fresh, skipped }) = answer else {
            self.count.unregistered.fetch_add(1, Relaxed);
            self.metrics.not_committed("unregistered", 1);
            tracing::warn!(%device, "readings of a device that is not registered, or revoked, are not taken");
            return;
        };
        self.count_batch(received, fresh.len(), skipped);
        let lag_ms = u64::try_from(self.clock.now().0 - at.0).unwrap_or(0);
        self.metrics.committed(received, fresh.len(), skipped, Duration::from_millis(lag_ms));
        if skipped > 0 {
            tracing::warn!(%device, buffer = %received.buffer, skipped, "the device has dropped readings");
        }
        self.answer(device.clone(), &Ack::of(received, through));
        if !fresh.is_empty() && self.live.is_watched() {
            self.live.publish(Event::Readings { device: device.clone(), readings: fresh.into() });
        }
    }

    fn count_batch(&self, received: &Received, fresh: usize, skipped: u64) {
        self.count.batches.fetch_add(1, Relaxed);
        self.count.readings.fetch_add(fresh as u64, Relaxed);
        self.count.repeated.fetch_add((received.readings.len() - fresh) as u64, Relaxed);
        self.count.refused.fetch_add(received.refused.len() as u64, Relaxed);
        self.count.skipped.fetch_add(skipped, Relaxed);
    }

    /// An answer that does not get through is no harm: the device asks again.
    fn answer(&self, device: DeviceName, ack: &Ack) {
        if let Err(error) = self.link.try_publish(&Topic::Ack(device), ack.encode(), false) {
            tracing::debug!(%error, "an ack is not sent");
        }
    }

    /// Packs loose readings together, and says now and then what has happened.
    async fn keep_house(self: Arc<Self>) {
        let mut tidy = tokio::time::interval(TIDY_EVERY);
        let mut report = tokio::time::interval(REPORT_EVERY);
        loop {
            tokio::select! {
                _ = tidy.tick() => if let Err(error) = self.store.tidy(self.clock.now()).await {
                    tracing::warn!(%error, "loose readings are not packed together");
                },
                _ = report.tick() => self.report(),
            }
        }
    }

    fn report(&self) {
        let take = |counter: &AtomicU64| counter.swap(0, Relaxed);
        let c = &self.count;
        let (readings, batches, commits) = (take(&c.readings), take(&c.batches), take(&c.commits));
        let (repeated, refused, rejected) = (take(&c.repeated), take(&c.refused), take(&c.rejected));
        let (skipped, unregistered, failed) = (take(&c.skipped), take(&c.unregistered), take(&c.failed));
        if batches + rejected + unregistered + failed > 0 {
            tracing::info!(
                readings,
                batches,
                commits,
                repeated,
                refused,
                rejected,
                skipped,
                unregistered,
                failed,
                dropped = self.link.dropped(),
                "ingested"
            );
        }
    }
}
