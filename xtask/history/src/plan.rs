//! What will happen: drawn from a seed, before anything does. Knows no server; what people do about it is not in here.

mod draw;

use crate::span::{MINUTE, Span};
use shared::Metric;
use shared::reading::Fault;

/// Why a board is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It has no power, and measures nothing.
    Power,
    /// It has no network; what it measures comes later.
    Network,
    /// Somebody has stopped it.
    Stopped,
}

impl Why {
    /// Whether nothing is measured meanwhile.
    pub fn is_dark(self) -> bool {
        self != Self::Network
    }
}

/// A board is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// Its place among the members.
    pub board: usize,
    /// From when until when; a missing board never comes back.
    pub time: Span,
    /// Why.
    pub why: Why,
}

/// Something happens to the water or to a probe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trouble {
    /// Its place among the members.
    pub board: usize,
    /// What it shows in.
    pub metric: Metric,
    /// From when until when.
    pub time: Span,
    /// At its height there is so much more of it.
    pub more: f64,
    /// The probe fails.
    pub fault: Option<Fault>,
}

impl Trouble {
    /// How much more there is of what is measured: it comes and goes slowly, as water does.
    #[allow(clippy::cast_precision_loss)] // hours
    pub fn more_at(&self, at: i64) -> f64 {
        if !self.time.has(at) {
            return 0.0;
        }
        let comes = (40 * MINUTE).min(self.time.ms() / 3) as f64;
        let goes = (30 * MINUTE).min(self.time.ms() / 5) as f64;
        let (since, left) = ((at - self.time.from) as f64, (self.time.to - at) as f64);
        let part = (since / comes).min(left / goes).clamp(0.0, 1.0);
        self.more * part * part * (3.0 - 2.0 * part)
    }
}

/// Somebody calibrates a pH probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calibrating {
    /// Its place among the members.
    pub board: usize,
    /// When the probe leaves the water.
    pub at: i64,
    /// Who does it.
    pub who: &'static str,
}

/// A board that dies and gets a successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replacement {
    /// Its place among the members.
    pub board: usize,
    /// When the new one has its place.
    pub at: i64,
}

/// What people have decided to do, whatever happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deed {
    /// What is to hold is set for all places.
    Thresholds,
    /// It is set more strictly where the fish are.
    Stricter,
    /// A device gets limits of its own, close to what it has now.
    NearLimit(usize),
    /// Maintenance of a device is announced for this time.
    Maintenance(usize, Span),
    /// The alerts of a place are silenced for this time.
    Storm(usize, Span),
    /// A device is given to another board.
    Replace(usize),
    /// A device is taken out of service.
    Retire(usize),
    /// A board asks for its identity: the first of its device, or its successor.
    Enrol(usize, bool),
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Plan {
    /// From when until when.
    pub span: Span,
    /// When each member's board begins.
    pub begins: Vec<i64>,
    /// Who is away when.
    pub absences: Vec<Absence>,
    /// What happens to water and probes.
    pub troubles: Vec<Trouble>,
    /// Who calibrates when.
    pub calibrations: Vec<Calibrating>,
    /// The board that is replaced.
    pub replacement: Option<Replacement>,
    /// What people do, by time.
    pub deeds: Vec<(i64, Deed)>,
}

impl Plan {
    /// The absences of a board.
    pub fn absences_of(&self, board: usize) -> impl Iterator<Item = &Absence> {
        self.absences.iter().filter(move |absence| absence.board == board)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cast::members;
    use crate::span::{DAY, Days};
    use shared::UtcMillis;

    const END: UtcMillis = UtcMillis(1_763_690_400_000);

    fn plan(devices: u32, days: u32, seed: u64) -> Plan {
        Plan::draw(&members(devices), Span::before(END, Days(days)), seed)
    }

    #[test]
    fn a_seed_is_one_plan_and_another_seed_is_another() {
        assert_eq!(plan(20, 30, 7).absences, plan(20, 30, 7).absences);
        assert_ne!(plan(20, 30, 7).absences, plan(20, 30, 8).absences);
    }

    #[test]
    fn even_the_smallest_past_has_something_of_everything_and_nobody_is_away_twice_at_once() {
        for (devices, days) in [(1, 1), (2, 2), (20, 30), (20, 90), (60, 7)] {
            for seed in 0..5 {
                let plan = plan(devices, days, seed);
                for why in [Why::Power, Why::Network] {
                    assert!(plan.absences.iter().any(|absence| absence.why == why), "{devices} {days} {seed} {why:?}");
                }
                assert!(plan.troubles.iter().any(|trouble| trouble.fault.is_some()));
                assert!(plan.troubles.iter().any(|trouble| trouble.more != 0.0));
                for board in 0..members(devices).len() {
                    let mut times: Vec<_> = plan.absences_of(board).map(|absence| absence.time).collect();
                    times.sort_by_key(|time| time.from);
                    assert!(times.iter().all(|time| plan.begins[board] < time.from && time.from < time.to));
                    assert!(times.windows(2).all(|two| two[0].to < two[1].from), "{devices} {days} {seed}: {times:?}");
                }
            }
        }
    }

    #[test]
    fn trouble_comes_and_goes_slowly() {
        let time = Span { from: 0, to: DAY / 4 };
        let trouble = Trouble { board: 0, metric: Metric::Ph, time, more: 2.0, fault: None };
        assert_eq!([-1, 0, DAY / 8, DAY].map(|at| trouble.more_at(at)), [0.0, 0.0, 2.0, 0.0]);
        let minutes: Vec<f64> = (0..=DAY / 4 / MINUTE).map(|minute| trouble.more_at(minute * MINUTE)).collect();
        assert!(minutes.windows(2).all(|two| (two[1] - two[0]).abs() < 0.2));
    }
}
