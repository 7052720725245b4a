//! Who and what there is: places, boards, people. The same for the same number of devices.

use crate::error::{PlayError, impossible};
use agent::probe::simulated::Water;
use shared::{DeviceName, Serial};

/// A place with boards.
#[derive(Debug)]
pub struct Site {
    /// What it is called.
    pub name: &'static str,
    /// What is in its tanks.
    pub water: Water,
    /// The word for that in an agent's configuration.
    pub word: &'static str,
    /// What one of its tanks is called.
    pub tank: &'static str,
    /// Where it lies, in degrees.
    pub position: (f64, f64),
    /// Whom its alerts concern first.
    pub technician: &'static str,
}

/// The places.
pub static SITES: [Site; 3] = [
    Site {
        name: "Kolam Bioflok Banjaran",
        water: Water::Pond,
        word: "pond",
        tank: "Kolam lele",
        position: (-7.0467, 107.5882),
        technician: "budi",
    },
    Site {
        name: "Rumah Tanam Lembang",
        water: Water::Rack,
        word: "rack",
        tank: "Rak selada",
        position: (-6.8119, 107.6176),
        technician: "dewi",
    },
    Site {
        name: "IPAL Cikarang",
        water: Water::Effluent,
        word: "effluent",
        tank: "Bak ekualisasi",
        position: (-6.3074, 107.1723),
        technician: "dewi",
    },
];

/// Who has an account besides the first admin: name, role, address.
pub const PEOPLE: [(&str, &str, &str); 4] = [
    ("sari", "supervisor", "sari@tirta.example"),
    ("budi", "technician", "budi@tirta.example"),
    ("dewi", "technician", "dewi@tirta.example"),
    ("wayan", "auditor", "wayan@tirta.example"),
];

/// What becomes of a device in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes on, as a process.
    Lives,
    /// It has been taken out of service.
    Retired,
    /// It is gone since some hours.
    Missing,
}

/// A device.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its number.
    pub number: u32,
    /// Its place in [`SITES`].
    pub site: usize,
    /// What is written on its tank.
    pub tank: String,
    /// Where it stands.
    pub position: (f64, f64),
    /// Whether its pH electrode wears.
    pub worn: bool,
    /// What becomes of it.
    pub fate: Fate,
}

impl Member {
    /// Its name.
    pub fn name(&self) -> DeviceName {
        DeviceName::numbered(self.number)
    }

    /// Where it stands.
    pub fn site(&self) -> &'static Site {
        SITES.get(self.site).unwrap_or(&SITES[0])
    }
}

/// The serial of a board: the same as that of the agent's process with this number.
///
/// # Errors
/// Never, unless the wire's serials are written in another way.
pub fn serial(number: u32) -> Result<Serial, PlayError> {
    format!("{:016x}", 0x1000_0000_0000_0000_u64 + u64::from(number)).parse().map_err(impossible)
}

/// The serial of the board that a device had before its present one.
///
/// # Errors
/// Never, unless the wire's serials are written in another way.
pub fn former_serial(number: u32) -> Result<Serial, PlayError> {
    format!("{:016x}", 0x1000_0000_00f0_0000_u64 + u64::from(number)).parse().map_err(impossible)
}

/// So many devices that live, and beside a fleet of some size one that was retired and one that is missing.
pub fn members(devices: u32) -> Vec<Member> {
    let (ponds, effluents) = ((devices * 2).div_ceil(5), devices / 4);
    let site_of = |n: u32| match n {
        n if n < ponds => 0,
        n if n < devices - effluents => 1,
        _ => 2,
    };
    let mut counted = [0_u32; SITES.len()];
    let mut member = |number: u32, site: usize, fate: Fate| {
        counted[site] += 1;
        let count = counted[site];
        let tank = format!("{} {count}", SITES[site].tank);
        let (latitude, longitude) = SITES[site].position;
        // Some ten metres from each other, in rows of four.
        let (row, column) = (f64::from((count - 1) / 4), f64::from((count - 1) % 4));
        let position = (latitude + 0.00031 * row, longitude + 0.00027 * column);
        Member { number, site, tank, position, worn: number % 3 == 1, fate }
    };
    let mut members: Vec<Member> = (0..devices).map(|n| member(n + 1, site_of(n), Fate::Lives)).collect();
    if devices >= 6 {
        members.push(member(devices + 1, 0, Fate::Retired));
        members.push(member(devices + 2, 2, Fate::Missing));
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_of_any_size_has_its_devices_and_a_large_one_two_more() {
        for devices in [1, 2, 5, 6, 20, 500] {
            let members = members(devices);
            let lives = members.iter().filter(|member| member.fate == Fate::Lives).count();
            assert_eq!(lives, devices as usize);
            assert_eq!(members.len(), lives + if devices >= 6 { 2 } else { 0 });
            assert!(members.iter().map(|member| member.number).eq(1..=members.len() as u32));
        }
        let count = |site| members(20).iter().filter(|member| member.site == site).count();
        assert_eq!((count(0), count(1), count(2)), (9, 7, 6));
    }

    #[test]
    fn no_two_boards_have_one_serial() {
        let mut all: Vec<_> = (1..=600).flat_map(|n| [serial(n).unwrap(), former_serial(n).unwrap()]).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 1200);
    }
}
