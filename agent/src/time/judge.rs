//! Whether the wall clock can be trusted, decided from what each look at the clocks saw.
//! Knows no file and no clock: looks are passed in, so that a test can script them.
//!
//! Wall clock and ticks run at the same rate (the kernel slews both), so their difference, the offset,
//! stays the same until somebody sets the wall clock. An offset that was confirmed is as good as the
//! confirmation; a wall clock with another offset has jumped, and is believed again only when
//! - the time daemon has touched its file after the jump,
//! - or the server's time agrees,
//! - or it is back at the confirmed offset.

use super::Ticks;
use shared::clock::EARLIEST;
use shared::{ClockQuality, Stamp, UtcMillis};

/// A wall clock that moved by more than this against the ticks has jumped: time daemons slew less than
/// half a second, and two clocks that are read one after the other may lie apart on a busy machine.
const JUMP_MS: i64 = 2_000;
/// Times of files are some milliseconds coarse.
const COARSE_MS: i64 = 100;
/// The wall clock is taken for right if it is this near to the server's.
const AGREES_MS: i64 = 120_000;
/// The wall clock of a device and its server that lie so far apart are worth a word.
const STRANGE_MS: i64 = 86_400_000;
/// systemd-timesyncd touches its file at least this often while it is synchronised (2048 s by default).
const TOUCHED_WITHIN_MS: i64 = 2_400_000;

/// What the time daemon, or the administrator, says of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It was not synchronised since the boot.
    Nothing,
    /// It is right.
    Vouched,
    /// It was synchronised when it showed this.
    Synced(UtcMillis),
}

/// What one look at the clocks saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The ticks before anything else was read.
    pub began: Ticks,
    /// What is said of the wall clock.
    pub word: Word,
    /// The wall clock.
    pub wall: UtcMillis,
    /// The ticks with the wall clock.
    pub ticks: Ticks,
}

impl Look {
    fn offset(&self) -> i64 {
        self.ticks.offset_to(self.wall)
    }
}

/// What is known of the clocks.
#[derive(Debug, Default)]
pub struct Judge {
    last: Option<Look>,
    /// The offset of a wall clock that was right.
    confirmed: Option<i64>,
    /// The server's time less the ticks.
    server: Option<i64>,
    /// Whether it was said that the server's time is strange.
    wondered: bool,
}

fn near(one: i64, other: i64) -> bool {
    one.abs_diff(other) <= JUMP_MS.unsigned_abs()
}

impl Judge {
    /// Goes on where an agent of the same boot left off: `last` saw a wall clock that was right.
    pub fn resume(last: Look) -> Self {
        Self { confirmed: Some(last.offset()), last: Some(last), ..Self::default() }
    }

    /// The stamp of a look.
    pub fn look(&mut self, look: Look) -> Stamp {
        let had = self.confirmed.is_some_and(|offset| near(offset, look.offset()));
        match look.word {
            Word::Nothing => self.confirmed = None,
            // Nobody confirms it again and again, so small steps that add up are followed.
            Word::Vouched if had => self.confirmed = Some(look.offset()),
            Word::Vouched if self.confirmed.is_none() && look.wall >= EARLIEST => {
                self.confirmed = Some(look.offset());
            }
            Word::Vouched => {}
            Word::Synced(at) if self.proves(&look, at) => self.confirmed = Some(look.offset()),
            Word::Synced(_) => {}
        }
        self.last = Some(look);
        self.stamp(&look)
    }

    /// The server said that it is `time`. The stamp of the look may be another one now.
    pub fn server_said(&mut self, time: UtcMillis, look: Look) {
        if time < EARLIEST {
            if !std::mem::replace(&mut self.wondered, true) {
                tracing::warn!(%time, "the server's time can't be right and is ignored");
            }
            return;
        }
        let heard = look.ticks.offset_to(time);
        // A message takes its time, so the latest of times that agree is the best.
        self.server = Some(match self.server {
            Some(known) if known.abs_diff(heard) <= AGREES_MS.unsigned_abs() => known.max(heard),
            _ => heard,
        });
        let quality = self.look(look).clock;
        let apart = look.wall.0.abs_diff(time.0);
        if quality == ClockQuality::Synced {
            if apart > STRANGE_MS.unsigned_abs() && !std::mem::replace(&mut self.wondered, true) {
                tracing::warn!(server = %time, own = %look.wall, "the server's clock is more than a day off this one, which is synchronised and kept");
            }
        } else if look.word != Word::Nothing && apart <= AGREES_MS.unsigned_abs() {
            self.confirmed = Some(look.offset());
        }
    }

    /// What to add to the ticks of any moment of this boot to get its time, if that is known now.
    pub fn reference(&self) -> Option<i64> {
        let offset = self.last.map(|last| last.offset());
        let trusted = offset.filter(|_| self.last.is_some_and(|last| self.trusts(&last)));
        trusted.or(self.server)
    }

    /// The server's time at these ticks.
    pub fn server_time(&self, ticks: Ticks) -> Option<UtcMillis> {
        self.server.map(|offset| ticks.at(offset))
    }

    fn trusts(&self, look: &Look) -> bool {
        // A time before there was any Tirta is wrong, whoever vouches for it.
        look.wall >= EARLIEST && self.confirmed.is_some_and(|offset| near(offset, look.offset()))
    }

    fn stamp(&self, look: &Look) -> Stamp {
        if self.trusts(look) {
            return Stamp { at: look.wall, clock: ClockQuality::Synced };
        }
        match self.server_time(look.ticks) {
            Some(at) => Stamp { at, clock: ClockQuality::Repaired },
            None => Stamp { at: look.wall, clock: ClockQuality::Unsynced },
        }
    }

    /// Whether the file's time `at` proves that the wall clock of this look is right: it was touched since
    /// the last look, by a clock with the present offset. One that was touched between two looks, with a jump
    /// between them too, may have been touched before the jump: then its time fits to the former offset.
    fn proves(&self, look: &Look, at: UtcMillis) -> bool {
        let since = match self.last {
            Some(last) if last.word == Word::Synced(at) => return false,
            Some(last) => last.began.0,
            // The agent starts: the daemon was here before it.
            None => (look.ticks.0 - TOUCHED_WITHIN_MS).max(0),
        };
        let fits = |offset: i64| (since - COARSE_MS..=look.ticks.0 + COARSE_MS).contains(&(at.0 - offset));
        let jumped = |last: Look| !near(last.offset(), look.offset());
        fits(look.offset()) && !self.last.is_some_and(|last| jumped(last) && fits(last.offset()))
    }
}

#[cfg(test)]
mod tests;
