//! Instants and how far they can be trusted. Knows no wall clock: time is passed in by a [`Clock`].

use serde::{Deserialize, Serialize};
use std::fmt;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcMillis(pub i64);

/// How an instant came about. A Pi has no battery clock: after a boot without network its time is
/// weeks behind and then jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockQuality {
    /// Taken while the clock was disciplined (NTP).
    Synced,
    /// Taken before that: computed from a time that was learned later, and the ticks of the same boot.
    Repaired,
    /// Not to be trusted: it is shown, but it never raises an alert.
    Unsynced,
}

impl ClockQuality {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Repaired => "repaired",
            Self::Unsynced => "unsynced",
        }
    }

    /// Reads the word on the wire.
    pub fn from_wire(word: &str) -> Option<Self> {
        [Self::Synced, Self::Repaired, Self::Unsynced].into_iter().find(|q| q.as_str() == word)
    }
}

/// An instant with its quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// When.
    pub at: UtcMillis,
    /// How far to trust it.
    pub clock: ClockQuality,
}

/// 2024-01-01: no Tirta ran before it, so a trusted time before it is a lie.
pub const EARLIEST: UtcMillis = UtcMillis(1_704_067_200_000);
/// How far ahead of the receiver's clock a trusted time may be, in milliseconds (one day).
pub const MAX_AHEAD_MS: i64 = 86_400_000;

impl Stamp {
    /// Whether something that happened then may raise an alert. Never from an unsynced time: its hour may be
    /// another week's, so what looks like now is perhaps long over.
    pub fn may_alert(&self) -> bool {
        self.clock != ClockQuality::Unsynced
    }

    /// Whether a receiver whose clock says `now` can take this stamp for what it claims.
    /// An unsynced stamp claims nothing but to be a time at all (1970 to 2200).
    pub fn is_plausible(&self, now: UtcMillis) -> bool {
        match self.clock {
            ClockQuality::Unsynced => (0..=7_258_118_400_000).contains(&self.at.0),
            ClockQuality::Synced | ClockQuality::Repaired => {
                self.at >= EARLIEST && self.at.0 <= now.0.saturating_add(MAX_AHEAD_MS)
            }
        }
    }
}

/// Where the time comes from: the system in `main`, a script in tests.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> UtcMillis;
}

impl fmt::Display for UtcMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_time_of_1970_or_2100_is_implausible_but_an_unsynced_one_may_be_anything() {
        let now = UtcMillis(1_763_690_400_000);
        let stamp = |at, clock| Stamp { at: UtcMillis(at), clock };
        assert!(stamp(now.0, ClockQuality::Synced).is_plausible(now));
        assert!(stamp(now.0 - 30 * 86_400_000, ClockQuality::Repaired).is_plausible(now));
        let (year_1970, year_2100) = (5_000, 4_102_444_800_000);
        assert!(!stamp(year_1970, ClockQuality::Synced).is_plausible(now));
        assert!(!stamp(year_2100, ClockQuality::Repaired).is_plausible(now));
        assert!(stamp(year_1970, ClockQuality::Unsynced).is_plausible(now));
        assert!(!stamp(i64::MAX, ClockQuality::Unsynced).is_plausible(now));
    }

    #[test]
    fn an_unsynced_time_never_raises_an_alert() {
        let may = |clock| Stamp { at: UtcMillis(1_763_690_400_000), clock }.may_alert();
        assert!(may(ClockQuality::Synced) && may(ClockQuality::Repaired));
        assert!(!may(ClockQuality::Unsynced));
    }

    #[test]
    fn every_quality_reads_its_own_word() {
        for q in [ClockQuality::Synced, ClockQuality::Repaired, ClockQuality::Unsynced] {
            assert_eq!(ClockQuality::from_wire(q.as_str()), Some(q));
        }
        assert_eq!(ClockQuality::from_wire("perfect"), None);
    }
}
