//! When a refresh token gives another pair of tokens, and when its use shows that somebody else has it. The rule alone: knows
//! neither tables nor requests.
//!
//! Each refresh token is used once and gives a successor. Two ways lead to one that comes again: somebody has stolen it, or
//! its answer was lost (or two tabs of one browser asked at once). At first nobody can tell them apart, so for a moment a
//! token that comes again gets one more successor, a sibling of the first. They part as soon as one of the siblings is used:
//! from then on the line goes on there, and whoever shows its parent or another sibling is not the one who went on.
//!
//! - Two tabs: both show the parent, both get a successor, the browser keeps one of them, and only that is ever used.
//! - A lost answer: the first successor is never used.
//! - A thief, first or second, at once or later: thief and owner each hold a token of the line. Whoever comes second shows
//!   one that the line has left, and the session ends for both. That the thief never comes again is the owner's luck.
//! - Two instances of the server: the facts are read and the verdict is carried out under one lock of the database.

use shared::UtcMillis;

/// For how long after its first use a token may come again, in milliseconds.
pub const GRACE_MS: i64 = 30_000;

/// What is known of a refresh token that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// When it was first used.
    pub rotated_at: Option<UtcMillis>,
    /// A token that was given for this one has been used.
    pub successor_used: bool,
    /// Another one that was given for the same token as this one has been used.
    pub sibling_used: bool,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It gives another pair.
    Rotate,
    /// Two have it: the session ends.
    Reused,
}

/// Judges a token that was shown.
pub fn judge(shown: Shown, now: UtcMillis) -> Verdict {
    // A clock that was set back must not open the door for longer.
    let in_grace = |at: UtcMillis| (now.0 - at.0).abs() <= GRACE_MS;
    match shown {
        Shown { sibling_used: true, .. } | Shown { successor_used: true, .. } => Verdict::Reused,
        Shown { rotated_at: None, .. } => Verdict::Rotate,
        Shown { rotated_at: Some(at), .. } if in_grace(at) => Verdict::Rotate,
        Shown { .. } => Verdict::Reused,
    }
}

#[cfg(test)]
mod tests;
