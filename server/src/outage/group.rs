//! Which outages are told, and as what: when all of a place is gone at once, the place is gone, not fifty devices.

use std::collections::BTreeMap;

/// After an outage is noticed others of the same cause may still be noticed.
const SETTLE_MS: i64 = 10_000;

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
    /// By an alert of its location or of the fleet, which is over since then if it is over.
    Part {
        /// UTC ms.
        over_since: Option<i64>,
    },
}

/// An alert that is due, with the outages that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tell {
    /// A device is offline.
    One(i64),
    /// All devices of a location are.
    Location(String, Vec<i64>),
    /// All devices are.
    Fleet(Vec<i64>),
}

impl Out {
    /// From when on it is worth an alert; `None`: one tells of it.
    fn due_at(&self, grace_ms: i64) -> Option<i64> {
        match self.standing {
            Standing::Untold => Some((self.started_at + grace_ms).max(self.noticed_at + SETTLE_MS)),
            Standing::Part { over_since: Some(over) } => Some(over + grace_ms),
            Standing::Own | Standing::Part { over_since: None } => None,
        }
    }
}

/// What is due of the open outages `outs`, when so many devices are in service by location.
pub fn tell(outs: &[Out], in_service: &BTreeMap<Option<String>, usize>, grace_ms: i64, now: i64) -> Vec<Tell> {
    let all: Vec<&Out> = outs.iter().collect();
    let devices: usize = in_service.values().sum();
    let places = in_service.len();
    let is_due = |out: &&&Out| out.due_at(grace_ms).is_some_and(|at| at <= now);
    if !all.iter().any(|out| is_due(&out)) {
        return vec![];
    }
    // One location that is the whole fleet is better called by its name.
    let has_no_name = places > 1 || in_service.contains_key(&None);
    if has_no_name && (places > 1 || devices >= 3) {
        match together(&all, devices, grace_ms, now) {
            Together::No => {}
            Together::NotYet => return vec![],
            Together::All(outages) => return vec![Tell::Fleet(outages)],
        }
    }
    let mut by_place: BTreeMap<&Option<String>, Vec<&Out>> = BTreeMap::new();
    for out in outs {
        by_place.entry(&out.location).or_default().push(out);
    }
    let mut due = vec![];
    for (place, outs) in by_place {
        let ones = outs.iter().filter(is_due).map(|out| Tell::One(out.id));
        let Some(name) = place else {
            due.extend(ones);
            continue;
        };
        match together(&outs, in_service.get(place).copied().unwrap_or_default(), grace_ms, now) {
            Together::No => due.extend(ones),
            Together::NotYet => {}
            Together::All(outages) => due.push(Tell::Location(name.clone(), outages)),
        }
    }
    due
}

enum Together {
    /// Somebody is there, or all but one were gone before.
    No,
    /// Some have only just gone.
    NotYet,
    /// These, at once.
    All(Vec<i64>),
}

/// Whether the outages of a place that has so many devices are one.
fn together(outs: &[&Out], devices: usize, grace_ms: i64, now: i64) -> Together {
    let fresh: Vec<(i64, i64)> = outs.iter().filter_map(|out| Some((out.id, out.due_at(grace_ms)?))).collect();
    if devices == 0 || outs.len() < devices || fresh.len() < 2 || !fresh.iter().any(|(_, due)| *due <= now) {
        return Together::No;
    }
    let young = fresh.iter().any(|(_, due)| *due > now);
    let overdue = fresh.iter().any(|(_, due)| *due + grace_ms <= now);
    if young && !overdue {
        return Together::NotYet;
    }
    Together::All(fresh.into_iter().map(|(id, _)| id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: i64 = 180_000;

    fn out(id: i64, location: Option<&str>, started_s: i64, standing: Standing) -> Out {
        let started_at = started_s * 1000;
        Out { id, location: location.map(str::to_owned), started_at, noticed_at: started_at + 50_000, standing }
    }

    fn untold(id: i64, location: &str, started_s: i64) -> Out {
        out(id, Some(location), started_s, Standing::Untold)
    }

    fn fleet(of: &[(Option<&str>, usize)]) -> BTreeMap<Option<String>, usize> {
        of.iter().map(|(place, count)| (place.map(str::to_owned), *count)).collect()
    }

    #[test]
    fn fifty_devices_of_a_site_that_go_within_a_minute_are_one_alert() {
        let outs: Vec<Out> = (0..50).map(|n| untold(n, "Hall", n)).collect();
        let devices = fleet(&[(Some("Hall"), 50), (Some("Pond"), 3)]);
        for second in [0, 100, 179, 180, 200, 228] {
            assert_eq!(tell(&outs, &devices, GRACE, second * 1000), [], "{second}");
        }
        assert_eq!(tell(&outs, &devices, GRACE, 229_000), [Tell::Location("Hall".to_owned(), (0..50).collect())]);
    }

    #[test]
    fn a_device_alone_is_told_after_the_grace_time() {
        let outs = [untold(1, "Hall", 0)];
        let devices = fleet(&[(Some("Hall"), 2)]);
        assert_eq!(tell(&outs, &devices, GRACE, 179_999), []);
        assert_eq!(tell(&outs, &devices, GRACE, 180_000), [Tell::One(1)]);
        let told = [out(1, Some("Hall"), 0, Standing::Own)];
        assert_eq!(tell(&told, &devices, GRACE, 900_000), []);
    }

    #[test]
    fn a_location_waits_for_those_who_have_just_gone_but_not_for_ever() {
        let outs = [untold(1, "Hall", 0), untold(2, "Hall", 350)];
        let devices = fleet(&[(Some("Hall"), 2), (None, 1)]);
        assert_eq!(tell(&outs, &devices, GRACE, 359_999), []);
        assert_eq!(tell(&outs, &devices, GRACE, 360_000), [Tell::Location("Hall".to_owned(), vec![1, 2])]);
    }

    #[test]
    fn the_last_device_of_a_place_where_all_others_were_gone_long_before_is_one_device() {
        let outs = [out(1, Some("Hall"), 0, Standing::Own), untold(2, "Hall", 5000)];
        let devices = fleet(&[(Some("Hall"), 2), (None, 1)]);
        assert_eq!(tell(&outs, &devices, GRACE, 5_180_000), [Tell::One(2)]);
    }

    #[test]
    fn all_locations_at_once_are_the_fleet_and_a_fleet_of_one_location_is_that_location() {
        let outs = [untold(1, "Hall", 0), untold(2, "Pond", 1)];
        let devices = fleet(&[(Some("Hall"), 1), (Some("Pond"), 1)]);
        assert_eq!(tell(&outs, &devices, GRACE, 181_000), [Tell::Fleet(vec![1, 2])]);
        let outs = [untold(1, "Hall", 0), untold(2, "Hall", 1), untold(3, "Hall", 1)];
        let named = [Tell::Location("Hall".to_owned(), vec![1, 2, 3])];
        assert_eq!(tell(&outs, &fleet(&[(Some("Hall"), 3)]), GRACE, 181_000), named);
        let nowhere: Vec<Out> = (0..3).map(|n| out(n, None, 0, Standing::Untold)).collect();
        assert_eq!(tell(&nowhere, &fleet(&[(None, 3)]), GRACE, 181_000), [Tell::Fleet(vec![0, 1, 2])]);
        assert_eq!(tell(&nowhere[..2], &fleet(&[(None, 2)]), GRACE, 181_000), [Tell::One(0), Tell::One(1)]);
    }

    #[test]
    fn who_is_still_gone_a_grace_time_after_the_location_was_back_is_told_alone() {
        let devices = fleet(&[(Some("Hall"), 2), (None, 1)]);
        let part = |over_since| [out(1, Some("Hall"), 0, Standing::Part { over_since })];
        assert_eq!(tell(&part(None), &devices, GRACE, 9_000_000), []);
        assert_eq!(tell(&part(Some(400_000)), &devices, GRACE, 579_999), []);
        assert_eq!(tell(&part(Some(400_000)), &devices, GRACE, 580_000), [Tell::One(1)]);
    }
}
