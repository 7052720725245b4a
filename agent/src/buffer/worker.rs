//! The buffer's thread: collects, commits at the right moments, and copes with a card that fails.
//! Knows SQLite only through [`File`].

use super::file::{File, FileError, Ledger, Limits};
use super::{Command, Measured, Wake};
use crate::config;
use crate::files;
use crate::time::Time;
use shared::{Batch, BufferId, Seq};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Readings that wait in memory while the card can't take them: some megabytes at most.
pub(super) const MEMORY_LIMIT: usize = 20_000;
/// An acknowledgement alone is worth a commit only so many times later than readings are.
const ACKNOWLEDGED_LATER: u32 = 10;
/// While the card fails it is tried this often at least.
const RETRY: Duration = Duration::from_secs(5);

pub(super) struct Work {
    path: PathBuf,
    every: Duration,
    limits: Limits,
    time: Time,
    state: watch::Sender<Option<Ledger>>,
    /// Readings that the handle could not hand over.
    lost: Arc<AtomicU64>,
    file: Option<File>,
    waiting: VecDeque<Measured>,
    /// Acknowledged by the server, perhaps not yet written.
    acknowledged: Seq,
    /// The next sequence when the file was opened: what is below it was given by an earlier run.
    opened: Seq,
    /// The highest sequence that may have been sent: the server can't know more, unless the card went back in time.
    handed: Seq,
    /// Whether the server has answered since the file was opened.
    heard: bool,
    due: Option<Instant>,
    /// The last failure that was logged, so that it is logged once.
    complaint: Option<String>,
}

impl Work {
    pub(super) fn new(
        path: PathBuf,
        settings: &config::Buffer,
        time: Time,
        state: watch::Sender<Option<Ledger>>,
        lost: Arc<AtomicU64>,
    ) -> Self {
        Self {
            path,
            every: Duration::from_millis(settings.commit_ms),
            limits: Limits { max_readings: settings.max_readings, keep_acknowledged: settings.keep_acknowledged },
            time,
            state,
            lost,
            file: None,
            waiting: VecDeque::new(),
            acknowledged: 0,
            opened: 1,
            handed: 0,
            heard: false,
            due: None,
            complaint: None,
        }
    }

    pub(super) fn run(mut self, woken: &Receiver<Wake>) {
        self.open();
        loop {
            let patience =
                self.due.map_or(Duration::from_secs(3600), |due| due.saturating_duration_since(Instant::now()));
            match woken.recv_timeout(patience) {
                Ok(Wake::Measured(measured)) => self.take(measured),
                Ok(Wake::Command(Command::Read { limit, hold, reply })) => {
                    let _ = reply.send(self.read(limit, hold));
                }
                Ok(Wake::Command(Command::Acknowledge { buffer, through })) => self.acknowledge(buffer, through),
                Ok(Wake::Command(Command::Flush { reply })) => {
                    self.commit();
                    let _ = reply.send(());
                }
                Ok(Wake::Command(Command::Stop)) | Err(RecvTimeoutError::Disconnected) => {
                    self.commit();
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.due.is_some_and(|due| due <= Instant::now()) {
                self.commit();
            }
        }
    }

    fn take(&mut self, measured: Measured) {
        if self.waiting.len() >= MEMORY_LIMIT {
            self.waiting.pop_front();
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        self.waiting.push_back(measured);
        self.commit_within(self.every);
    }

    fn read(&mut self, limit: usize, hold: bool) -> Option<Batch> {
        if self.repair().is_some() {
            // What could be repaired now must not be sent unrepaired.
            self.commit();
        }
        let file = self.file.as_mut()?;
        let buffer = file.ledger().id;
        match file.read(self.acknowledged, limit) {
            Ok(readings) if readings.is_empty() => None,
            Ok(mut readings) => {
                if hold {
                    readings.truncate(readings.partition_point(|r| file.first_open().is_none_or(|open| r.seq < open)));
                }
                if !self.heard {
                    // Until the server has told how much it knows, at most one new reading is sent: had the card
                    // gone back in time, the others would have sequences that the server takes for repeats.
                    let end = if self.acknowledged + 1 < self.opened { self.opened } else { self.opened + 1 };
                    readings.truncate(readings.partition_point(|r| r.seq < end).max(1));
                }
                let last = readings.last()?.seq;
                if let Err(error) = file.close_times(last) {
                    self.failed(&error);
                    return None;
                }
                self.handed = self.handed.max(last);
                Some(Batch { buffer, readings })
            }
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    fn acknowledge(&mut self, buffer: BufferId, through: Seq) {
        let Some(file) = &mut self.file else { return };
        let ledger = file.ledger();
        if ledger.id != buffer {
            tracing::info!(%buffer, mine = %ledger.id, "an acknowledgement of another buffer is ignored");
        } else if through > self.handed {
            // The card lost what it had said to be safe, and sequences would be used again: the server
            // would take new readings for repeats. Under another id everything that is left is new.
            tracing::error!(%buffer, through, next = ledger.next, "the server knows readings that this card has lost; the buffer gets a new id");
            // What an earlier run gave is a part of what the server has.
            match file.rename(fresh_id(), self.opened - 1) {
                Ok(ledger) => {
                    (self.acknowledged, self.handed) = (ledger.acknowledged, ledger.acknowledged);
                    self.heard = true; // of this id it can know nothing
                    self.publish(ledger);
                }
                Err(error) => self.failed(&error),
            }
        } else {
            self.heard = true;
            if through <= self.acknowledged {
                return;
            }
            self.acknowledged = through;
            self.publish(ledger);
            // Nothing is lost if this is not written: it rides along with the next readings if it can.
            self.commit_within(self.every * ACKNOWLEDGED_LATER);
        }
    }

    /// What to add to ticks, if that is known now and there are times that wait for it.
    fn repair(&self) -> Option<i64> {
        let open = self.file.as_ref().is_some_and(|file| file.first_open().is_some());
        if open { self.time.reference() } else { None }
    }

    fn commit_within(&mut self, time: Duration) {
        let due = Instant::now() + time;
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
    }

    fn commit(&mut self) {
        self.due = None;
        if self.file.is_none() {
            self.open();
        }
        let Some(file) = &mut self.file else { return };
        let lost = self.lost.load(Ordering::Relaxed);
        let before = file.ledger();
        // Asked only now, so that what is written unsynced here is repaired at once if it can be.
        let reference = self.time.reference();
        match file.commit(self.waiting.make_contiguous(), self.acknowledged, lost, self.limits, reference) {
            Ok(ledger) => {
                self.waiting.clear();
                self.lost.fetch_sub(lost, Ordering::Relaxed);
                if ledger.dropped > before.dropped {
                    let (now, total) = (ledger.dropped - before.dropped, ledger.dropped);
                    tracing::warn!(dropped = now, total, "the buffer is full: the oldest readings were dropped");
                }
                if let Some(former) = self.complaint.take() {
                    tracing::info!(%former, "the buffer can be written again");
                }
                // What one step did not remove is removed with the next commits.
                if !self.limits.keep_acknowledged && ledger.low <= ledger.acknowledged {
                    self.commit_within(self.every);
                }
                self.publish(ledger);
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Tells the others what is committed and acknowledged.
    fn publish(&self, ledger: Ledger) {
        let acknowledged = ledger.acknowledged.max(self.acknowledged);
        self.state.send_replace(Some(Ledger { acknowledged, ..ledger }));
    }

    fn open(&mut self) {
        let opened = File::open(&self.path, fresh_id(), self.time.boot()).or_else(|error| match error {
            FileError::Broken(problem) => {
                self.set_aside(&problem)?;
                // If even a new file is broken, the card is: try again later, not at once and for ever.
                File::open(&self.path, fresh_id(), self.time.boot())
                    .map_err(|error| FileError::Unavailable(error.to_string()))
            }
            FileError::Unavailable(_) => Err(error),
        });
        match opened {
            Ok(file) => {
                let ledger = file.ledger();
                tracing::info!(buffer = %ledger.id, pending = ledger.pending(), dropped = ledger.dropped, "buffer open");
                self.acknowledged = ledger.acknowledged;
                (self.opened, self.handed, self.heard) = (ledger.next, ledger.next - 1, false);
                self.file = Some(file);
                self.publish(ledger);
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &FileError) {
        let why = error.to_string();
        if self.complaint.as_ref() != Some(&why) {
            tracing::error!(path = %self.path.display(), error = %why, waiting = self.waiting.len(), "the buffer can't be used; readings wait in memory");
            self.complaint = Some(why);
        }
        if let FileError::Broken(problem) = error {
            self.file = None;
            self.state.send_replace(None);
            match self.set_aside(problem) {
                Ok(()) => return self.open(),
                Err(error) => tracing::error!(%error, "the broken buffer can't be set aside"),
            }
        }
        self.commit_within(RETRY.max(self.every));
    }

    /// Moves a broken file, with SQLite's files beside it, out of the way: nothing of it is destroyed.
    fn set_aside(&self, problem: &str) -> Result<(), FileError> {
        let now = self.time.now();
        let moved = |path: &Path| files::set_aside(path, now).map_err(|e| FileError::Unavailable(e.to_string()));
        // The file itself first: without its log it would open as a sound but older buffer, whereas a log
        // that is left behind by a power cut here is ignored by the new, empty file.
        let kept = moved(&self.path)?;
        for suffix in ["-wal", "-shm"] {
            let beside = files::beside(&self.path, suffix);
            if beside.exists() {
                moved(&beside)?;
            }
        }
        tracing::error!(%problem, kept = %kept.display(), "the buffer's file was broken: it is set aside and a new buffer begins");
        Ok(())
    }
}

fn fresh_id() -> BufferId {
    // The kernel's source does not fail once the system is up; before, a time-seeded number must do.
    BufferId::from_random(getrandom::u64().unwrap_or_else(|_| fastrand::u64(..)))
}
