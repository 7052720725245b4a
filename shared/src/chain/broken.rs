//! Where and how the chain of the audit log is broken, in words. Knows nothing else.

use super::Head;

/// The first place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The hash does not follow from what stands there.
    #[error("entry {0} is not what was written: it was changed, or others were put in or change places before it")]
    Changed(i64),
    /// It never got a hash.
    #[error("entry {0} has no hash: it was put in by somebody else than the server")]
    Unhashed(i64),
    /// Numbers that must be there are not.
    #[error("entries {from} to {to} are missing: they were removed, or stand elsewhere")]
    Removed {
        /// The first of them.
        from: i64,
        /// The last of them.
        to: i64,
    },
    /// A number that is not higher than the one before.
    #[error("entry {id} stands behind entry {after}: it was put in, or the order was changed")]
    Reordered {
        /// Which.
        id: i64,
        /// Behind which.
        after: i64,
    },
    /// The log ends too early.
    #[error("the log ends with entry {last}, but it had entry {}: its end was cut off", head.id)]
    Truncated {
        /// The last that is there.
        last: i64,
        /// The end that it should have.
        head: Head,
    },
    /// The chain holds, but it is another than the one whose head was written down.
    #[error("entry {0} has another hash than the one that was written down: the log was written anew")]
    Rewritten(i64),
    /// A head that these entries say nothing about.
    #[error("entry {id} lies before the first entry here, {first}: take an export that begins earlier")]
    NotCovered {
        /// The head's number.
        id: i64,
        /// The first number that is here.
        first: i64,
    },
    /// Something that is no entry.
    #[error("what stands behind entry {after} can't be read: {why}")]
    Unreadable {
        /// The last one that could be read.
        after: i64,
        /// What is wrong with it.
        why: String,
    },
}

impl Broken {
    /// The number of the first entry that is not as it should be.
    pub fn entry(&self) -> i64 {
        match self {
            Self::Changed(id) | Self::Unhashed(id) | Self::Rewritten(id) => *id,
            Self::Removed { from, .. } => *from,
            Self::Reordered { id, .. } | Self::NotCovered { id, .. } => *id,
            Self::Truncated { last, .. } => last.saturating_add(1),
            Self::Unreadable { after, .. } => after.saturating_add(1),
        }
    }

    /// The word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Changed(_) => "changed",
            Self::Unhashed(_) => "unhashed",
            Self::Removed { .. } => "removed",
            Self::Reordered { .. } => "reordered",
            Self::Truncated { .. } => "truncated",
            Self::Rewritten(_) => "rewritten",
            Self::NotCovered { .. } => "not_covered",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}
