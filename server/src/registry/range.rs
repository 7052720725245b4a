//! A range of names that is reserved without knowing the boards. Pure.

use super::{Changes, Column, Entry, Refusal, Registry, cell};
use shared::DeviceName;
use std::collections::HashSet;

/// Most names in one range.
pub const MOST_NAMES: u32 = 10_000;
/// The highest number that can be reserved: five digits are as many as fit on a label.
pub const HIGHEST: u32 = 99_999;

/// Names to reserve: `pi-1` to `pi-99`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    from: u32,
    to: u32,
    location: String,
}

/// Why there is no such range.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum RangeError {
    /// The first number.
    #[error("{0} is not between 1 and {HIGHEST}")]
    From(u32),
    /// The last number.
    #[error("{to} is not between {from} and {most}: at most {MOST_NAMES} names at once")]
    To {
        /// As given.
        to: u32,
        /// The first number.
        from: u32,
        /// The highest that goes with it.
        most: u32,
    },
    /// Where they will stand.
    #[error("{0}")]
    Location(Refusal),
}

impl Range {
    /// The names `pi-from` to `pi-to`, both included, all at one location.
    ///
    /// # Errors
    /// When the numbers are none or too many, or the location can't be kept.
    pub fn new(from: u32, to: u32, location: &str) -> Result<Self, RangeError> {
        if !(1..=HIGHEST).contains(&from) {
            return Err(RangeError::From(from));
        }
        let most = HIGHEST.min(from + MOST_NAMES - 1);
        if !(from..=most).contains(&to) {
            return Err(RangeError::To { to, from, most });
        }
        let location = cell::text(Column::Location, location).map_err(RangeError::Location)?;
        Ok(Self { from, to, location })
    }

    /// The entries that reserve what is free, and the names that are not: they are registered or have enrolled.
    pub fn reserve(&self, registry: &Registry) -> (Vec<DeviceName>, Changes) {
        let registered = registry.registrations.iter().map(|r| &r.entry.name);
        let taken: HashSet<&DeviceName> = registered.chain(registry.devices.iter().map(|(name, _)| name)).collect();
        let names = (self.from..=self.to).map(DeviceName::numbered);
        let (taken, free): (Vec<_>, Vec<_>) = names.partition(|name| taken.contains(name));
        let entry = |name| Entry { location: self.location.clone(), ..Entry::named(name) };
        (taken, Changes { created: free.into_iter().map(entry).collect(), changed: vec![] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_reserves_what_is_free_and_names_what_is_not() {
        let registry = Registry {
            registrations: vec![],
            devices: vec![(DeviceName::numbered(2), "10000000deadbeef".parse().ok())],
        };
        let (taken, changes) = Range::new(1, 3, " Greenhouse ").unwrap().reserve(&registry);
        assert_eq!(taken, [DeviceName::numbered(2)]);
        let created: Vec<_> = changes.created.iter().map(|e| (e.name.as_str(), e.location.as_str())).collect();
        assert_eq!(created, [("pi-1", "Greenhouse"), ("pi-3", "Greenhouse")]);
    }

    #[test]
    fn a_range_that_is_none_is_refused_with_its_bounds() {
        assert_eq!(Range::new(0, 9, ""), Err(RangeError::From(0)));
        assert!(Range::new(9, 8, "").unwrap_err().to_string().contains("not between 9 and 10008"));
        assert!(Range::new(1, 10_000, "").is_ok());
        assert!(matches!(Range::new(1, 10_001, ""), Err(RangeError::To { most: 10_000, .. })));
        assert!(Range::new(99_999, 99_999, "").is_ok());
        assert!(matches!(Range::new(1, 2, "a\0"), Err(RangeError::Location(_))));
    }
}
