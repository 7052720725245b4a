//! The exports that are under way and those that have just ended: how many there may be, how far each is, and how one is stopped.
//! Knows neither files nor HTTP.

use super::Format;
use shared::{Clock, UtcMillis};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Most exports at a time: each keeps a core busy.
const MOST: usize = 4;
/// The same of one account or key.
const MOST_OF_ONE: usize = 2;
/// Whoever has taken nothing for so long gives way to others.
const STALLED_MS: i64 = 120_000;
/// How long it is told how an export has ended.
const TOLD_MS: i64 = 600_000;
/// Most that are told of.
const MOST_TOLD: usize = 100;

/// There are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMany {
    /// Of all.
    Everybodys,
    /// Of whoever asks.
    Own,
}

/// How an export stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Under way.
    Running,
    /// All of it was sent.
    Done,
    /// It was stopped, or gave way to others.
    Stopped,
    /// It broke off, or nobody took it to its end.
    Broken,
}

/// An export.
#[derive(Debug)]
pub struct Export {
    /// Names it, until the server is started anew.
    pub id: u64,
    /// Whose it is.
    pub owner: String,
    /// Its form.
    pub format: Format,
    /// Since when.
    pub began_at: UtcMillis,
    /// About how many readings it will hold.
    pub about: u64,
    rows: AtomicU64,
    bytes: AtomicU64,
    taken_at: AtomicI64,
    state: watch::Sender<State>,
}

impl Export {
    /// Readings so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    /// Bytes so far, before they are packed for the way.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// How it stands.
    pub fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Stops it, if it is under way.
    fn end(&self, how: State) {
        self.state.send_if_modified(|state| {
            let was_running = *state == State::Running;
            if was_running {
                *state = how;
            }
            was_running
        });
    }
}

/// All exports.
#[derive(Debug, Default)]
pub struct Exports(Mutex<(u64, Vec<Arc<Export>>)>);

/// An export under way. What is dropped before it is done is broken.
pub struct Running {
    export: Arc<Export>,
    clock: Arc<dyn Clock>,
}

impl Exports {
    /// Begins one.
    ///
    /// # Errors
    /// When there are too many.
    pub fn begin(&self, owner: &str, format: Format, about: u64, clock: Arc<dyn Clock>) -> Result<Running, TooMany> {
        let now = clock.now();
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, all) = &mut *held;
        // A clock that was set back makes nothing last longer.
        let is_recent = |at: i64, ms: i64| (0..ms).contains(&(now.0 - at));
        all.retain(|e| e.state() == State::Running || is_recent(e.taken_at.load(Relaxed), TOLD_MS));
        let is_over = |export: &Export| export.state() != State::Running;
        let mut too_many = all.iter().filter(|export| is_over(export)).count().saturating_sub(MOST_TOLD);
        all.retain(|export| {
            let goes = too_many > 0 && is_over(export);
            too_many -= usize::from(goes);
            !goes
        });
        let mut taken: Vec<_> = all.iter().filter(|e| e.state() == State::Running).cloned().collect();
        taken.retain(|export| {
            let moves = is_recent(export.taken_at.load(Relaxed), STALLED_MS);
            if !moves {
                export.end(State::Stopped);
            }
            moves
        });
        if taken.iter().filter(|export| export.owner == owner).count() >= MOST_OF_ONE {
            return Err(TooMany::Own);
        }
        if taken.len() >= MOST {
            return Err(TooMany::Everybodys);
        }
        *last += 1;
        let export = Arc::new(Export {
            id: *last,
            owner: owner.to_owned(),
            format,
            began_at: now,
            about,
            rows: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            taken_at: AtomicI64::new(now.0),
            state: watch::Sender::new(State::Running),
        });
        all.push(Arc::clone(&export));
        Ok(Running { export, clock })
    }

    /// Those of one account or key, the newest first.
    pub fn of(&self, owner: &str) -> Vec<Arc<Export>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.1.iter().rev().filter(|export| export.owner == owner).cloned().collect()
    }

    /// Stops one of somebody's; whether there was one of this id.
    pub fn stop(&self, owner: &str, id: u64) -> bool {
        let found = self.of(owner).into_iter().find(|export| export.id == id);
        found.inspect(|export| export.end(State::Stopped)).is_some()
    }
}

impl Running {
    /// So many readings more are written.
    pub fn wrote(&self, rows: u64) {
        self.export.rows.fetch_add(rows, Relaxed);
    }

    /// So many bytes more were taken.
    pub fn sent(&self, bytes: u64) {
        self.export.bytes.fetch_add(bytes, Relaxed);
        self.export.taken_at.store(self.clock.now().0, Relaxed);
    }

    /// All of it was taken.
    pub fn done(&self) {
        self.export.end(State::Done);
    }

    /// Waits until somebody stops it.
    pub async fn stopped(&self) {
        let mut state = self.export.state.subscribe();
        let _ = state.wait_for(|state| *state == State::Stopped).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.export.end(State::Broken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(AtomicI64);

    impl Clock for At {
        fn now(&self) -> UtcMillis {
            UtcMillis(self.0.load(Relaxed))
        }
    }

    fn clock() -> Arc<At> {
        Arc::new(At(AtomicI64::new(1_000_000)))
    }

    #[test]
    fn there_are_so_many_at_a_time_and_fewer_of_one_and_who_takes_nothing_gives_way() {
        let (exports, clock) = (Exports::default(), clock());
        let begin = |owner: &str| exports.begin(owner, Format::Csv, 7, clock.clone());
        let a = begin("a").unwrap();
        let _more = (begin("a").unwrap(), begin("b").unwrap());
        assert_eq!(begin("a").err(), Some(TooMany::Own));
        let last = begin("b").unwrap();
        assert_eq!(begin("c").err(), Some(TooMany::Everybodys));
        drop(last);
        clock.0.fetch_add(STALLED_MS, Relaxed);
        a.sent(5);
        let _c = begin("c").unwrap();
        let states: Vec<_> = exports.of("a").iter().map(|export| export.state()).collect();
        assert_eq!(states, [State::Stopped, State::Running], "the newest first");
    }

    #[test]
    fn an_export_tells_how_far_it_is_and_how_it_ended_for_a_while() {
        let (exports, clock) = (Exports::default(), clock());
        let one = exports.begin("a", Format::Zip, 7, clock.clone()).unwrap();
        one.wrote(3);
        one.sent(100);
        let told = exports.of("a");
        assert_eq!((told[0].rows(), told[0].bytes(), told[0].state()), (3, 100, State::Running));
        assert!(!exports.stop("b", told[0].id) && !exports.stop("a", 99), "only whoever began it stops it");
        one.done();
        drop(one);
        drop(exports.begin("a", Format::Csv, 7, clock.clone()).unwrap());
        let states: Vec<_> = exports.of("a").iter().map(|export| export.state()).collect();
        assert_eq!(states, [State::Broken, State::Done]);
        clock.0.fetch_add(TOLD_MS, Relaxed);
        let _new = exports.begin("a", Format::Csv, 7, clock).unwrap();
        assert_eq!(exports.of("a").len(), 1);
    }
}
