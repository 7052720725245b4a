//! The registry: which names and boards the fleet expects, and where they stand. Pure rules, over values that the
//! store keeps; knows no database and no HTTP.

pub mod cell;
pub mod claim;
pub mod column;
pub mod csv;
pub mod plan;
pub mod range;
pub mod refusal;

pub use column::Column;
pub use refusal::Refusal;

use shared::{DeviceName, Metric, Serial, UtcMillis};
use std::collections::HashSet;

/// What is expected under one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The name that the board gets.
    pub name: DeviceName,
    /// The board; `None` while the name waits for whichever comes first.
    pub serial: Option<Serial>,
    /// Where it stands, for people.
    pub location: String,
    /// Degrees north (WGS 84); there is a longitude too, or neither.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// What it is meant to measure.
    pub metrics: Vec<Metric>,
    /// Whatever else there is to know.
    pub notes: String,
}

impl Entry {
    /// A name of which nothing is known yet.
    pub fn named(name: DeviceName) -> Self {
        Self {
            name,
            serial: None,
            location: String::new(),
            latitude: None,
            longitude: None,
            metrics: vec![],
            notes: String::new(),
        }
    }
}

/// An entry that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// What is expected.
    pub entry: Entry,
    /// Since when.
    pub created_at: UtcMillis,
    /// When anything of it last changed.
    pub changed_at: UtcMillis,
}

/// All that is expected, and who has come.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// pi-2 before pi-10.
    pub registrations: Vec<Registration>,
    /// The devices that there ever were, revoked ones included; one without a serial has no board.
    pub devices: Vec<(DeviceName, Option<Serial>)>,
}

/// What is to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// New registrations.
    pub created: Vec<Entry>,
    /// Registrations by the name that they had, as they are from now on.
    pub changed: Vec<(DeviceName, Entry)>,
}

impl Changes {
    /// The names that are new or not what they were.
    pub fn names(&self) -> impl Iterator<Item = &DeviceName> {
        self.created.iter().chain(self.changed.iter().map(|(_, entry)| entry)).map(|entry| &entry.name)
    }
}

/// Names of the standard series that nobody has: above the highest number that ever enrolled, because a name is never
/// given twice, and not `taken`.
pub fn free_names<'a>(
    enrolled: impl Iterator<Item = &'a DeviceName>,
    taken: &HashSet<&DeviceName>,
) -> impl Iterator<Item = DeviceName> {
    let highest = enrolled.filter_map(DeviceName::number).max().unwrap_or(0);
    (highest.saturating_add(1)..=u32::MAX).map(DeviceName::numbered).filter(|name| !taken.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<DeviceName> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_free_name_is_above_all_that_enrolled_and_none_that_is_taken() {
        let free = |enrolled: &[&str], taken: &[&str]| -> Vec<String> {
            let (enrolled, taken) = (names(enrolled), names(taken));
            free_names(enrolled.iter(), &taken.iter().collect()).take(2).map(String::from).collect()
        };
        assert_eq!(free(&[], &[]), ["pi-1", "pi-2"]);
        assert_eq!(free(&["pi-2", "pi-10", "tank-99", "pi-007"], &[]), ["pi-11", "pi-12"]);
        assert_eq!(free(&["pi-2"], &["pi-3", "pi-5", "pi-900"]), ["pi-4", "pi-6"]);
        assert_eq!(free(&["pi-4294967295"], &["pi-4294967295"]), [""; 0], "the series ends");
    }
}
