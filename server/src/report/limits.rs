//! Which threshold held for a metric of a device at which time, from all versions that were ever set.

use crate::outage::Window;
use crate::threshold::{Kept, effective};

/// A threshold and when it held.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// When, within the time that was asked for.
    pub time: Window,
    /// Which.
    pub kept: Kept,
}

/// What held for a device within a time. `all` is what was ever set of one metric for it, its location and the fleet, in the
/// order in which it was set.
pub fn held(all: &[Kept], device: &str, location: Option<&str>, time: Window) -> Vec<Held> {
    let changes = all.iter().map(|kept| kept.changed_at.0).filter(|at| (time.from + 1..time.to).contains(at));
    let mut starts: Vec<i64> = [time.from].into_iter().chain(changes).collect();
    starts.dedup();
    let mut held: Vec<Held> = vec![];
    for (n, from) in starts.iter().enumerate() {
        let to = starts.get(n + 1).copied().unwrap_or(time.to);
        let mut in_force: Vec<Kept> = vec![];
        for kept in all.iter().filter(|kept| kept.changed_at.0 <= *from) {
            in_force.retain(|before| before.target != kept.target);
            in_force.push(kept.clone());
        }
        let Some((kept, _)) = effective(&in_force, device, location, None).into_values().next() else { continue };
        match held.last_mut().filter(|last| last.time.to == *from && last.kept == *kept) {
            Some(last) => last.time.to = to,
            None => held.push(Held { time: Window { from: *from, to }, kept: kept.clone() }),
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threshold::{Scope, Target};
    use shared::{Metric, UtcMillis};

    fn set(scope: Scope, target: &str, version: u32, at: i64, high: Option<f64>) -> Kept {
        let threshold =
            high.map(|high| serde_json::from_value(serde_json::json!({"high": {"warning": high}})).unwrap());
        Kept {
            target: Target { scope, target: target.to_owned() },
            metric: Metric::Ph,
            version,
            threshold,
            preset: None,
            changed_at: UtcMillis(at),
            changed_by: "admin".to_owned(),
        }
    }

    #[test]
    fn each_version_holds_from_when_it_was_set_until_another_takes_its_place() {
        let all = [
            set(Scope::Fleet, "", 1, 10, Some(9.0)),
            set(Scope::Device, "pi-2", 1, 15, Some(5.0)),
            set(Scope::Fleet, "", 2, 20, Some(8.5)),
            set(Scope::Device, "pi-1", 1, 30, Some(8.0)),
            set(Scope::Fleet, "", 3, 35, Some(9.5)),
            set(Scope::Device, "pi-1", 2, 40, None),
            set(Scope::Fleet, "", 4, 60, None),
        ];
        let found = held(&all, "pi-1", None, Window { from: 0, to: 70 });
        let found: Vec<_> = found
            .iter()
            .map(|held| (held.time.from, held.time.to, held.kept.target.scope, held.kept.version))
            .collect();
        let fleet = |from, to, version| (from, to, Scope::Fleet, version);
        assert_eq!(found, [fleet(10, 20, 1), fleet(20, 30, 2), (30, 40, Scope::Device, 1), fleet(40, 60, 3)]);
        let later = held(&all, "pi-1", None, Window { from: 45, to: 50 });
        assert_eq!((later.len(), later[0].kept.version, later[0].time), (1, 3, Window { from: 45, to: 50 }));
        assert!(held(&all, "pi-1", None, Window { from: 60, to: 70 }).is_empty());
    }
}
