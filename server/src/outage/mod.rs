//! Times in which a device was not there: when one begins and ends, why, whether it is worth an alert, and what share of a
//! day it takes. Pure rules; the time is passed in. Knows no table; `task` alone does things.

mod availability;
mod cause;
mod group;
pub mod task;
mod watcher;

pub(crate) use availability::union;
pub use availability::{Absence, Period, Share, periods, service, share};
pub use cause::{Before, Cause, Gone};
pub use group::{Group, Out, Standing, Tell, over, tell};
pub use watcher::{Open, Seen, Turn, Watcher};

/// From (included) until (excluded), UTC milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// Included.
    pub from: i64,
    /// Excluded.
    pub to: i64,
}

impl Window {
    /// How long it is; 0 if it ends before it begins.
    pub fn ms(self) -> i64 {
        (self.to - self.from).max(0)
    }

    /// The part of it that is in `other`, if any.
    pub fn within(self, other: Window) -> Option<Window> {
        let both = Window { from: self.from.max(other.from), to: self.to.min(other.to) };
        (both.from < both.to).then_some(both)
    }
}
