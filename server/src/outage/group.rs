//! Which outages are told, and as what: when most of a place is gone at once, the place is gone, not fifty devices.

use std::collections::BTreeMap;

/// After an outage is noticed others of the same cause may still be noticed.
const SETTLE_MS: i64 = 10_000;
/// Fewer are told one by one, unless they are all that there is.
const FEW: usize = 3;

/// An outage that has not ended.
#[derive(Debug, Clone)]
pub struct Out {
    /// Of the row.
    pub id: i64,
    /// Where; `None`: at no location, and so part of none.
    pub location: Option<String>,
    /// Since when the device is gone (UTC ms).
    pub started_at: i64,
    /// When that was noticed (UTC ms).
    pub noticed_at: i64,
    /// What is told of it already.
    pub standing: Standing,
}

/// How an outage is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not at all.
    Untold,
    /// By an alert of its own.
    Own,
    /// By the alert of this group.
    Part(i64),
}

/// An alert that tells of a location or of the fleet, as long as it is open or somebody of it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Of the alert.
    pub id: i64,
    /// Which location; `None`: the fleet.
    pub location: Option<String>,
    /// Of how many devices it tells: the most that were gone at once.
    pub devices: usize,
    /// Since when it is over (UTC ms). That somebody resolved it by hand does not make it so.
    pub over_since: Option<i64>,
    /// Whether its alert is resolved, by whomever.
    pub resolved: bool,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tell {
    /// A device is offline.
    One(i64),
    /// These outages, of a place that has so many devices in service, are one.
    Place {
        /// Which location; `None`: the fleet.
        location: Option<String>,
        /// The outages that belong to it.
        outages: Vec<i64>,
        /// Devices in service.
        of: usize,
        /// Another alert of the place goes on, of which these are no part.
        beside: bool,
    },
    /// These belong to a group that goes on: nobody is disturbed.
    Join {
        /// The alert of the group.
        group: i64,
        /// The outages.
        outages: Vec<i64>,
    },
}

/// An outage of which nobody is told, or not any more.
#[derive(Clone, Copy)]
struct Fresh<'a> {
    out: &'a Out,
    /// From when on it is worth an alert (UTC ms).
    due: i64,
    /// The group that is over without it.
    left_by: Option<&'a Group>,
}

impl<'a> Fresh<'a> {
    fn of(out: &'a Out, groups: &'a [Group], grace_ms: i64, now: i64) -> Option<Self> {
        // A time that is still to come was written before the clock was set back: it is past.
        let past = |at: i64| if at > now { 0 } else { at };
        match out.standing {
            Standing::Own => None,
            Standing::Untold => {
                let due = (past(out.started_at) + grace_ms).max(past(out.noticed_at) + SETTLE_MS);
                Some(Self { out, due, left_by: None })
            }
            Standing::Part(id) => {
                let group = groups.iter().find(|group| group.id == id)?;
                let due = past(group.over_since?) + grace_ms;
                Some(Self { out, due, left_by: Some(group) })
            }
        }
    }
}

/// What is due of the open outages `outs`, when so many devices are in service by location.
pub fn tell(
    outs: &[Out],
    groups: &[Group],
    in_service: &BTreeMap<Option<String>, usize>,
    grace_ms: i64,
    now: i64,
) -> Vec<Tell> {
    let clock = Clock { grace_ms, now };
    let mut fresh: Vec<Fresh> = outs.iter().filter_map(|out| Fresh::of(out, groups, grace_ms, now)).collect();
    if !clock.any_due(&fresh) {
        return vec![];
    }
    let is_at = |group: &&Group, place: Option<&str>| group.over_since.is_none() && group.location.as_deref() == place;
    // Two boards that nobody repairs must not take up what befalls all others: only what is still most of it and of its place.
    let takes_up = |place: Option<&str>, devices: usize| {
        let parts = |group: &Group| outs.iter().filter(|out| out.standing == Standing::Part(group.id)).count();
        let is_most = |group: &&Group| 2 * parts(group) >= group.devices && 2 * group.devices >= devices;
        groups.iter().filter(|group| is_at(group, place)).find(is_most)
    };
    let beside = |place: Option<&str>| groups.iter().any(|group| is_at(&group, place));
    let join = |group: &Group, fresh: &[Fresh]| Tell::Join { group: group.id, outages: clock.due(fresh) };
    let devices: usize = in_service.values().sum();
    if let Some(fleet) = takes_up(None, devices) {
        return vec![join(fleet, &fresh)];
    }
    let mut tells = vec![];
    let whole = is_gone(&fresh, outs.len(), devices) && is_spread(&fresh, in_service);
    match together(&fresh, None, whole, clock) {
        Together::No => {}
        // What nobody would call one by itself must not keep anybody else waiting.
        Together::NotYet if !whole => {}
        Together::NotYet => return vec![],
        Together::Now(outages) => {
            fresh.retain(|fresh| !outages.contains(&fresh.out.id));
            tells.push(Tell::Place { location: None, outages, of: devices, beside: beside(None) });
        }
    }
    let mut by_place: BTreeMap<&Option<String>, Vec<Fresh>> = BTreeMap::new();
    for fresh in fresh {
        by_place.entry(&fresh.out.location).or_default().push(fresh);
    }
    for (place, mut fresh) in by_place {
        if !clock.any_due(&fresh) {
            continue;
        }
        if let Some(name) = place {
            let of = in_service.get(place).copied().unwrap_or_default();
            if let Some(group) = takes_up(Some(name), of) {
                tells.push(join(group, &fresh));
                continue;
            }
            let gone = outs.iter().filter(|out| out.location == *place).count();
            match together(&fresh, Some(name), is_gone(&fresh, gone, of), clock) {
                Together::No => {}
                Together::NotYet => continue,
                Together::Now(outages) => {
                    fresh.retain(|fresh| !outages.contains(&fresh.out.id));
                    let beside = beside(Some(name));
                    tells.push(Tell::Place { location: Some(name.clone()), outages, of, beside });
                }
            }
            // A few that are going: they may become most of the place.
            if fresh.len() >= FEW && clock.waits(&fresh) {
                continue;
            }
        }
        tells.extend(clock.due(&fresh).into_iter().map(Tell::One));
    }
    tells
}

/// The groups that are over now: of those whom they told of fewer than a third is still gone, or only one.
pub fn over(outs: &[Out], groups: &[Group]) -> Vec<i64> {
    let is_over = |group: &&Group| {
        let gone = outs.iter().filter(|out| out.standing == Standing::Part(group.id)).count();
        (group.over_since.is_none() || !group.resolved) && (gone <= 1 || 3 * gone < group.devices)
    };
    groups.iter().filter(is_over).map(|group| group.id).collect()
}

/// Whether a place with so many devices is gone: of those that were there at least half, and three or all. `gone`: with
/// those of whom somebody was told before, who are part of nothing new.
fn is_gone(fresh: &[Fresh], gone: usize, devices: usize) -> bool {
    let there = devices.saturating_sub(gone - fresh.len());
    fresh.len() >= FEW.min(devices).max(2) && 2 * fresh.len() >= there
}

/// Whether no location alone is what is gone: elsewhere half is gone, too.
fn is_spread(fresh: &[Fresh], in_service: &BTreeMap<Option<String>, usize>) -> bool {
    let all: usize = in_service.values().sum();
    in_service.iter().filter(|(place, _)| place.is_some()).all(|(place, devices)| {
        let elsewhere = fresh.iter().filter(|fresh| fresh.out.location != *place).count();
        elsewhere > 0 && 2 * elsewhere >= all - devices
    })
}

enum Together {
    /// They are no group.
    No,
    /// Some have only just gone.
    NotYet,
    /// These, at once.
    Now(Vec<i64>),
}

/// Which outages of a place are one: all if it is gone, else those whom its group was over without.
fn together(fresh: &[Fresh], place: Option<&str>, is_gone: bool, clock: Clock) -> Together {
    let left = |fresh: &&Fresh| fresh.left_by.is_some_and(|group| group.location.as_deref() == place);
    let one: Vec<Fresh> = fresh.iter().filter(|fresh| is_gone || left(fresh)).copied().collect();
    if one.len() < 2 || !clock.any_due(&one) {
        Together::No
    } else if clock.waits(&one) {
        Together::NotYet
    } else {
        Together::Now(one.iter().map(|fresh| fresh.out.id).collect())
    }
}

#[derive(Clone, Copy)]
struct Clock {
    grace_ms: i64,
    now: i64,
}

impl Clock {
    fn any_due(self, fresh: &[Fresh]) -> bool {
        fresh.iter().any(|fresh| fresh.due <= self.now)
    }

    fn due(self, fresh: &[Fresh]) -> Vec<i64> {
        fresh.iter().filter(|fresh| fresh.due <= self.now).map(|fresh| fresh.out.id).collect()
    }

    /// Whether some have only just gone, and nobody has waited for another grace time.
    fn waits(self, fresh: &[Fresh]) -> bool {
        let young = fresh.iter().any(|fresh| fresh.due > self.now);
        young && !fresh.iter().any(|fresh| fresh.due + self.grace_ms <= self.now)
    }
}

#[cfg(test)]
mod tests;
