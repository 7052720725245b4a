//! What is to be done at which time.

use crate::duty::{Errand, LOOK_EVERY};
use crate::plan::{Absence, Deed, Plan};
use crate::span::HOUR;
use std::collections::BTreeMap;

/// Something that is due at some time.
#[derive(Debug, Clone)]
pub enum Item {
    /// What people have decided.
    Deed(Deed),
    /// A board goes.
    Goes(Absence),
    /// It is back.
    Returns(Absence),
    /// What somebody does about an alert.
    Errand(Errand),
    /// Somebody looks at the alerts.
    Look,
    /// What a server does now and then.
    Tidy,
}

/// By time, and for one time in the order in which it was written down.
#[derive(Debug, Default)]
pub struct Agenda {
    items: BTreeMap<(i64, u64), Item>,
    written: u64,
}

impl Agenda {
    /// What a plan brings.
    pub fn of(plan: &Plan) -> Self {
        let mut agenda = Self::default();
        for absence in &plan.absences {
            agenda.add(absence.time.from, Item::Goes(*absence));
            let replaced = plan.replacement.is_some_and(|of| of.board == absence.board && of.at == absence.time.to);
            // A board that never comes back, or whose place another takes.
            if absence.time.to != i64::MAX && !replaced {
                agenda.add(absence.time.to, Item::Returns(*absence));
            }
        }
        for (at, deed) in &plan.deeds {
            agenda.add(*at, Item::Deed(*deed));
        }
        agenda.add(plan.span.from + HOUR, Item::Tidy);
        agenda.add(plan.span.from + 2 * HOUR + LOOK_EVERY, Item::Look);
        agenda
    }

    /// Writes something down.
    pub fn add(&mut self, at: i64, item: Item) {
        self.written += 1;
        self.items.insert((at, self.written), item);
    }

    /// Takes the next that is due.
    pub fn due(&mut self, now: i64) -> Option<Item> {
        let first = self.items.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    /// When the next is due, after now.
    pub fn next_after(&self, now: i64) -> i64 {
        self.items.first_key_value().map_or(i64::MAX, |((at, _), _)| (*at).max(now + 1))
    }
}
