//! Which of the registrations get a label. Knows no page.

use crate::registrations::Registration;
use shared::DeviceName;
use std::str::FromStr;

/// Some names: `pi-7`, a range such as `pi-1..pi-99`, or several with commas between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(Vec<(DeviceName, DeviceName)>);

impl FromStr for Names {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = |text: &str| text.trim().parse::<DeviceName>().map_err(|e| e.to_string());
        let part = |part: &str| {
            let Some((from, to)) = part.split_once("..") else { return Ok((name(part)?, name(part)?)) };
            let (from, to) = (name(from)?, name(to)?);
            match (from.number(), to.number()) {
                (Some(first), Some(last)) if first <= last => Ok((from, to)),
                _ => Err(format!("{part:?} is no range: write it as pi-1..pi-99")),
            }
        };
        text.split(',').map(part).collect::<Result<_, _>>().map(Self)
    }
}

impl Names {
    /// Whether it is one of them.
    pub fn contain(&self, name: &str) -> bool {
        let number = name.parse::<DeviceName>().ok().and_then(|name| name.number());
        self.0.iter().any(|(from, to)| {
            let within = |n: u32| from.number().is_some_and(|from| from <= n) && to.number().is_some_and(|to| n <= to);
            from.as_str() == name || number.is_some_and(within)
        })
    }
}

/// Those that are asked for, in the order in which they are registered.
pub fn matching(all: Vec<Registration>, names: Option<&Names>, location: Option<&str>) -> Vec<Registration> {
    let asked = |one: &Registration| {
        names.is_none_or(|names| names.contain(&one.name))
            && location.is_none_or(|location| one.location.trim().to_lowercase() == location.trim().to_lowercase())
    };
    all.into_iter().filter(asked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered() -> Vec<Registration> {
        let one = |(name, location): (&str, &str)| Registration {
            name: name.to_owned(),
            serial: None,
            location: location.to_owned(),
        };
        [("pi-1", "Pond"), ("pi-7", "Tank"), ("pi-10", "tank"), ("tank-3", "Pond")].map(one).into()
    }

    #[test]
    fn names_are_chosen_by_number_and_by_name() {
        let chosen = |names: &str| {
            let names: Names = names.parse().unwrap();
            matching(registered(), Some(&names), None).into_iter().map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(chosen("pi-1..pi-9"), ["pi-1", "pi-7"]);
        assert_eq!(chosen("pi-10, tank-3"), ["pi-10", "tank-3"]);
        assert_eq!(chosen("pi-2"), Vec::<String>::new());
        for bad in ["", "pi-9..pi-1", "pi-1..tank-3", "pi-1..", "Pi-1"] {
            assert!(bad.parse::<Names>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_location_is_chosen_however_it_is_capitalised() {
        let chosen: Vec<_> = matching(registered(), None, Some("TANK ")).into_iter().map(|one| one.name).collect();
        assert_eq!(chosen, ["pi-7", "pi-10"]);
    }
}
