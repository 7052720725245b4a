//! The buffer's thread: collects, commits at the right moments, and copes with a card that fails.
//! Knows SQLite only through [`File`].

use super::file::{File, FileError, Ledger, Limits};
use super::rhythm::Rhythm;
use super::{Command, Health, Measured, Wake};
use crate::config;
use crate::files;
use crate::repeats::Repeats;
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
/// While the card fails it is tried this often.
const RETRY: Duration = Duration::from_secs(5);
/// A card that breaks one file after the other gets a new one only so often.
const SET_ASIDE_EVERY: Duration = Duration::from_secs(600);

pub(super) struct Work {
    path: PathBuf,
    rhythm: Rhythm,
    limits: Limits,
    time: Time,
    state: watch::Sender<Option<Ledger>>,
    health: watch::Sender<Health>,
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
    /// What it fails with now.
    complaint: Option<String>,
    repeats: Repeats,
    /// When a broken file was last set aside.
    set_aside: Option<Instant>,
}

impl Work {
    pub(super) fn new(
        path: PathBuf,
        settings: &config::Buffer,
        time: Time,
        state: watch::Sender<Option<Ledger>>,
        health: watch::Sender<Health>,
        lost: Arc<AtomicU64>,
    ) -> Self {
        Self {
            path,
            rhythm: Rhythm::new(Duration::from_millis(settings.commit_ms)),
            limits: Limits { max_readings: settings.max_readings, keep_acknowledged: settings.keep_acknowledged },
            time,
            state,
            health,
            lost,
            file: None,
            waiting: VecDeque::new(),
            acknowledged: 0,
            opened: 1,
            handed: 0,
            heard: false,
            complaint: None,
            repeats: Repeats::default(),
            set_aside: None,
        }
    }

    pub(super) fn run(mut self, woken: &Receiver<Wake>) {
        self.open();
        loop {
            match woken.recv_timeout(self.rhythm.patience(Instant::now())) {
                Ok(Wake::Measured(measured, news)) => self.take(measured, news),
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
            if self.rhythm.is_due(Instant::now()) {
                self.commit();
            }
        }
    }

    pub(super) fn take(&mut self, measured: Measured, news: bool) {
        if self.waiting.len() >= MEMORY_LIMIT {
            self.waiting.pop_front();
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        self.rhythm.taken(&measured, news, Instant::now());
        self.waiting.push_back(measured);
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
            if let Some(unsaid) = self.repeats.say("another buffer", Instant::now()) {
                tracing::info!(%buffer, mine = %ledger.id, unsaid, "an acknowledgement of another buffer is ignored");
            }
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
            self.commit_within(self.rhythm.every() * ACKNOWLEDGED_LATER);
        }
    }

    /// What to add to ticks, if that is known now and there are times that wait for it.
    fn repair(&self) -> Option<i64> {
        let open = self.file.as_ref().is_some_and(|file| file.first_open().is_some());
        if open { self.time.reference() } else { None }
    }

    fn commit_within(&mut self, time: Duration) {
        self.rhythm.within(time, Instant::now());
    }

    pub(super) fn commit(&mut self) {
        self.rhythm.done();
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
                    if let Some(unsaid) = self.repeats.say("dropped", Instant::now()) {
                        tracing::warn!(
                            dropped = now,
                            total,
                            unsaid,
                            "the buffer is full: the oldest readings were dropped"
                        );
                    }
                }
                if let Some(former) = self.complaint.take()
                    && let Some(unsaid) = self.repeats.say("again", Instant::now())
                {
                    tracing::info!(%former, unsaid, "the buffer can be written again");
                }
                // What one step did not remove is removed with the next commits.
                if !self.limits.keep_acknowledged && ledger.low <= ledger.acknowledged {
                    self.commit_within(self.rhythm.every());
                }
                self.health.send_if_modified(|health| health.trouble.take().is_some());
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

    pub(super) fn open(&mut self) {
        let opened = File::open(&self.path, fresh_id(), self.time.boot()).or_else(|error| match error {
            FileError::Broken(problem) => {
                self.set_aside(&problem)?;
                File::open(&self.path, fresh_id(), self.time.boot())
            }
            FileError::Full(_) | FileError::Unavailable(_) => Err(error),
        });
        match opened {
            Ok(file) => {
                let ledger = file.ledger();
                tracing::info!(buffer = %ledger.id, pending = ledger.pending(), dropped = ledger.dropped, "buffer open");
                self.acknowledged = ledger.acknowledged;
                (self.opened, self.handed, self.heard) = (ledger.next, ledger.next - 1, false);
                self.file = Some(file);
                self.count_set_aside();
                self.publish(ledger);
            }
            Err(error) => self.failed(&error),
        }
    }

    /// They stay until a person has looked at them, and so does the word of them.
    fn count_set_aside(&self) {
        let start = format!("{}.set-aside-", super::FILE_NAME);
        let folder = self.path.parent().map(std::fs::read_dir);
        let entries = folder.into_iter().flatten().flatten().flatten();
        let found = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&start)).count();
        let set_aside = u32::try_from(found).unwrap_or(u32::MAX);
        self.health.send_if_modified(|health| std::mem::replace(&mut health.set_aside, set_aside) != set_aside);
    }

    fn failed(&mut self, error: &FileError) {
        let why = error.to_string();
        if let Some(unsaid) = self.repeats.say(&why, Instant::now()) {
            tracing::error!(path = %self.path.display(), error = %why, waiting = self.waiting.len(), unsaid, "the buffer can't be used; readings wait in memory");
        }
        self.complaint = Some(why);
        let trouble = Some(error.trouble());
        self.health.send_if_modified(|health| std::mem::replace(&mut health.trouble, trouble) != trouble);
        if let FileError::Broken(problem) = error {
            self.file = None;
            match self.set_aside(problem) {
                Ok(()) => self.open(),
                Err(error) => {
                    if let Some(unsaid) = self.repeats.say("not set aside", Instant::now()) {
                        tracing::error!(%error, unsaid, "the broken buffer can't be set aside");
                    }
                }
            }
        }
        if self.file.is_none() {
            self.state.send_if_modified(|state| state.take().is_some());
        }
        self.commit_within(RETRY);
    }

    #[cfg(test)]
    pub(super) fn file(&self) -> &File {
        self.file.as_ref().unwrap()
    }

    /// As if the card had lost it.
    #[cfg(test)]
    pub(super) fn break_file(&mut self) {
        self.file = None;
        std::fs::write(&self.path, "no database ".repeat(500)).unwrap();
    }

    /// Moves a broken file, with SQLite's files beside it, out of the way: nothing of it is destroyed.
    fn set_aside(&mut self, problem: &str) -> Result<(), FileError> {
        // If even a new file is broken, the card is: it must not be filled with broken files.
        if self.set_aside.is_some_and(|last| last.elapsed() < SET_ASIDE_EVERY) {
            return Err(FileError::Unavailable(format!("the buffer is broken again: {problem}")));
        }
        self.set_aside = Some(Instant::now());
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
