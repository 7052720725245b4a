//! A label that was scanned: which registration it means and what becomes of it. Pure.

use super::{Changes, Column, Entry, Refusal, Registry, cell};
use shared::{DeviceName, Serial};

/// A label and the place where it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    name: Option<DeviceName>,
    serial: Option<Serial>,
    location: String,
    position: Option<(f64, f64)>,
}

/// Why a label can't be claimed.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ClaimError {
    /// It says neither.
    #[error("name: the label must say a name or a serial")]
    Nameless,
    /// The place can't be kept.
    #[error("{0}")]
    Location(Refusal),
    /// Half a position, or none on the globe.
    #[error("latitude: give latitude (-90 to 90) and longitude (-180 to 180), or neither")]
    Position,
    /// Nothing of this name or serial is registered.
    #[error(
        "{0}: it is neither registered nor has it enrolled: register it first, or approve it on the page \"Waiting devices\""
    )]
    Unknown(String),
    /// The name is meant for another board, or another board has it.
    #[error(
        "{name}: it belongs to the board with serial {serial}; to put another board in its place, replace it on its page"
    )]
    OfAnother {
        /// The name.
        name: DeviceName,
        /// Whose.
        serial: Serial,
    },
    /// It has no board: programs speak for it.
    #[error("{0}: it has no board, programs hand its readings in; to give it one, replace it on its page")]
    NoBoard(DeviceName),
    /// The board has another name.
    #[error("serial {serial}: this board is {name}")]
    NamedOtherwise {
        /// The board.
        serial: Serial,
        /// Its name.
        name: DeviceName,
    },
}

impl ClaimError {
    /// The field at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Nameless | Self::Unknown(_) | Self::OfAnother { .. } => "name",
            Self::Location(_) => "location",
            Self::Position => "latitude",
            Self::NamedOtherwise { .. } | Self::NoBoard(_) => "serial",
        }
    }
}

impl Claim {
    /// A claim of the label with this name, this serial or both.
    ///
    /// # Errors
    /// When it says nothing, or the place can't be kept.
    pub fn new(
        name: Option<DeviceName>,
        serial: Option<Serial>,
        location: &str,
        position: (Option<f64>, Option<f64>),
    ) -> Result<Self, ClaimError> {
        if name.is_none() && serial.is_none() {
            return Err(ClaimError::Nameless);
        }
        let location = cell::text(Column::Location, location).map_err(ClaimError::Location)?;
        let position = match position {
            (None, None) => None,
            (Some(north), Some(east)) if north.abs() <= 90.0 && east.abs() <= 180.0 => Some((north, east)),
            _ => return Err(ClaimError::Position),
        };
        Ok(Self { name, serial, location, position })
    }

    /// What the registration will be, and what is to be written for it.
    ///
    /// # Errors
    /// When the label means nothing that is known, or says what contradicts it.
    pub fn decide(&self, registry: &Registry) -> Result<(Entry, Changes), ClaimError> {
        let registered = |name: &DeviceName| registry.registrations.iter().find(|r| r.entry.name == *name);
        let device = |name: &DeviceName| registry.devices.iter().find(|(known, _)| known == name).map(|(_, s)| *s);
        let name = match (&self.name, self.serial) {
            (Some(name), _) => name.clone(),
            (None, Some(serial)) => {
                name_of(registry, serial).ok_or_else(|| ClaimError::Unknown(format!("serial {serial}")))?
            }
            (None, None) => return Err(ClaimError::Nameless),
        };
        let before = registered(&name);
        let device = device(&name);
        let has = device.flatten().or_else(|| before.and_then(|r| r.entry.serial));
        if before.is_none() && device.is_none() {
            return Err(ClaimError::Unknown(name.to_string()));
        }
        if self.serial.is_some() && device == Some(None) {
            return Err(ClaimError::NoBoard(name));
        }
        if let Some(serial) = self.serial {
            if let Some(has) = has.filter(|has| *has != serial) {
                return Err(ClaimError::OfAnother { name, serial: has });
            }
            if let Some(other) = name_of(registry, serial).filter(|other| *other != name) {
                return Err(ClaimError::NamedOtherwise { serial, name: other });
            }
        }
        let mut entry = before.map_or_else(|| Entry::named(name.clone()), |r| r.entry.clone());
        entry.serial = self.serial.or(has);
        entry.location.clone_from(&self.location);
        if let Some((north, east)) = self.position {
            (entry.latitude, entry.longitude) = (Some(north), Some(east));
        }
        let changes = match before {
            Some(_) => Changes { created: vec![], changed: vec![(name, entry.clone())] },
            None => Changes { created: vec![entry.clone()], changed: vec![] },
        };
        Ok((entry, changes))
    }
}

/// The name of the device with this board, or else the one that is registered for it.
fn name_of(registry: &Registry, serial: Serial) -> Option<DeviceName> {
    let enrolled = registry.devices.iter().find(|(_, known)| *known == Some(serial)).map(|(name, _)| name);
    let registered = registry.registrations.iter().find(|r| r.entry.serial == Some(serial)).map(|r| &r.entry.name);
    enrolled.or(registered).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registration;
    use shared::UtcMillis;

    fn pi(n: u32) -> DeviceName {
        DeviceName::numbered(n)
    }

    fn board(n: u64) -> Serial {
        format!("{n:016x}").parse().unwrap()
    }

    /// pi-1 is reserved, pi-2 registered for board 2, pi-3 has enrolled as board 3 without being registered,
    /// and pi-4 has no board.
    fn registry() -> Registry {
        let registration = |n, serial| Registration {
            entry: Entry { serial, ..Entry::named(pi(n)) },
            created_at: UtcMillis(0),
            changed_at: UtcMillis(0),
        };
        Registry {
            registrations: vec![registration(1, None), registration(2, Some(board(2)))],
            devices: vec![(pi(3), Some(board(3))), (pi(4), None)],
        }
    }

    fn claim(name: Option<u32>, serial: Option<u64>) -> Result<(Entry, Changes), ClaimError> {
        Claim::new(name.map(pi), serial.map(board), " Pond ", (Some(-6.2), Some(106.8)))?.decide(&registry())
    }

    #[test]
    fn a_label_with_a_reserved_name_binds_the_board_that_stands_there() {
        let (entry, changes) = claim(Some(1), Some(9)).unwrap();
        assert_eq!((entry.serial, entry.location.as_str(), entry.latitude), (Some(board(9)), "Pond", Some(-6.2)));
        assert_eq!((changes.created.len(), changes.changed.len()), (0, 1));
        assert_eq!(claim(Some(1), None).unwrap().0.serial, None, "the board may come later");
    }

    #[test]
    fn a_serial_alone_finds_its_name_and_a_device_that_was_never_registered_is() {
        assert_eq!(claim(None, Some(2)).unwrap().0.name, pi(2));
        let (entry, changes) = claim(None, Some(3)).unwrap();
        assert_eq!((entry.name, entry.serial, changes.created.len()), (pi(3), Some(board(3)), 1));
    }

    #[test]
    fn a_label_that_contradicts_what_is_known_says_what_it_is() {
        assert_eq!(claim(Some(2), Some(9)), Err(ClaimError::OfAnother { name: pi(2), serial: board(2) }));
        assert_eq!(claim(Some(1), Some(3)), Err(ClaimError::NamedOtherwise { serial: board(3), name: pi(3) }));
        assert!(matches!(claim(Some(7), None), Err(ClaimError::Unknown(_))));
        assert_eq!(claim(Some(4), Some(9)), Err(ClaimError::NoBoard(pi(4))));
        assert_eq!(claim(Some(4), None).unwrap().0.serial, None, "but it stands somewhere");
        assert_eq!(claim(None, None), Err(ClaimError::Nameless));
        assert_eq!(Claim::new(Some(pi(1)), None, "", (Some(1.0), None)), Err(ClaimError::Position));
        assert_eq!(Claim::new(Some(pi(1)), None, "", (Some(91.0), Some(0.0))), Err(ClaimError::Position));
    }
}
