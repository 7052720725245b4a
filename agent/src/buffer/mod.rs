//! The buffer: every reading is on the card before it is sent, and stays until the server has it.
//!
//! SQLite blocks, so it has a thread of its own behind a small handle. Readings are committed together
//! (a commit is what wears a card out); acknowledgements ride along with the next commit, because one
//! that is lost only means that something is sent twice, which the server absorbs.

mod file;
mod rhythm;
mod row;
mod schema;
mod worker;

pub use file::{FileError, Ledger, inspect};

use crate::config;
use crate::probe::Sample;
use crate::time::{Moment, Time};
use shared::message::Trouble;
use shared::{Batch, BufferId, Metric, Seq};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::{oneshot, watch};

/// The file's name below `data_dir`.
pub const FILE_NAME: &str = "buffer.db";
/// Readings that may wait for the thread: some seconds of a very fast device.
const QUEUE: usize = 4096;

/// A sample with its time: a reading that has no sequence yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// When it was taken.
    pub moment: Moment,
    /// What was measured.
    pub metric: Metric,
    /// What the probe delivered.
    pub sample: Sample,
}

/// How the card is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// Why readings can't be committed now and wait in memory.
    pub trouble: Option<Trouble>,
    /// Broken buffers that were set aside and are still there.
    pub set_aside: u32,
}

/// What the thread is asked to do.
enum Command {
    Read { limit: usize, hold: bool, reply: oneshot::Sender<Option<Batch>> },
    Acknowledge { buffer: BufferId, through: Seq },
    Flush { reply: oneshot::Sender<()> },
    Stop,
}

/// What wakes the thread.
enum Wake {
    /// A reading, and whether it is news whatever it says.
    Measured(Measured, bool),
    Command(Command),
}

/// The handle. Clones reach the same buffer.
#[derive(Clone)]
pub struct Buffer {
    readings: SyncSender<Wake>,
    lost: Arc<AtomicU64>,
    state: watch::Receiver<Option<Ledger>>,
    health: watch::Receiver<Health>,
}

/// The thread, to be stopped at the end.
pub struct Worker {
    stop: SyncSender<Wake>,
    thread: JoinHandle<()>,
}

impl Buffer {
    /// Starts the buffer of `data_dir`. A file that can't be opened now does not stop it: readings are
    /// kept in memory meanwhile.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(data_dir: &Path, settings: &config::Buffer, time: Time) -> io::Result<(Self, Worker)> {
        let (readings, woken) = sync_channel(QUEUE);
        let (state_sender, state) = watch::channel(None);
        let (health_sender, health) = watch::channel(Health::default());
        let lost = Arc::new(AtomicU64::new(0));
        let worker = worker::Work::new(path(data_dir), settings, time, state_sender, health_sender, Arc::clone(&lost));
        let thread = std::thread::Builder::new().name("buffer".to_owned()).spawn(move || worker.run(&woken))?;
        let stop = readings.clone();
        Ok((Self { readings, lost, state, health }, Worker { stop, thread }))
    }

    /// Takes a reading; it is committed within `commit_ms`, or at once if it is news. Never blocks: a sampler must not wait for a slow card.
    pub fn append(&self, measured: Measured) {
        self.add(measured, false);
    }

    /// The same of one that somebody should know of soon.
    pub fn append_news(&self, measured: Measured) {
        self.add(measured, true);
    }

    fn add(&self, measured: Measured, news: bool) {
        if self.readings.try_send(Wake::Measured(measured, news)).is_err() {
            // Counted, and written down with the next commit that succeeds.
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The oldest readings that the server does not have, at most `limit`; `None` if there are none.
    /// With `hold`, only those before the first whose time may yet be repaired. What is returned is never
    /// changed any more, so that agent and server always agree.
    pub async fn next_batch(&self, limit: usize, hold: bool) -> Option<Batch> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Read { limit, hold, reply }).await;
        answer.await.ok().flatten()
    }

    /// The server has everything of `buffer` up to `through`.
    pub async fn acknowledge(&self, buffer: BufferId, through: Seq) {
        self.send(Command::Acknowledge { buffer, through }).await;
    }

    /// Commits what has been taken now, without waiting for its time.
    pub async fn flush(&self) {
        let (reply, done) = oneshot::channel();
        self.send(Command::Flush { reply }).await;
        let _ = done.await;
    }

    /// The state after the last commit, and whatever follows; `None` while no file can be opened.
    pub fn state(&self) -> watch::Receiver<Option<Ledger>> {
        self.state.clone()
    }

    /// How the card is, and whatever follows.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    async fn send(&self, command: Command) {
        let mut wake = Wake::Command(command);
        // The queue is full only while the card stalls: look again soon instead of blocking the runtime.
        while let Err(TrySendError::Full(back)) = self.readings.try_send(wake) {
            wake = back;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

impl Worker {
    /// Commits what has been taken and ends the thread.
    pub fn stop(self) {
        let _ = self.stop.send(Wake::Command(Command::Stop));
        let _ = self.thread.join();
    }
}

/// The file of a `data_dir`.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE_NAME)
}

#[cfg(test)]
mod tests;
