//! Where the devices of a demonstration stand: made-up ponds, tanks and basins at real towns. Knows only names and degrees.

use provisioning::client::Device;
use std::fmt::Write as _;

/// What it is called, and where it lies: degrees north and east.
const SITES: [(&str, f64, f64); 10] = [
    ("Kolam Bioflok Banjaran", -7.0467, 107.5882),
    ("Rumah Tanam Lembang", -6.8119, 107.6176),
    ("Tambak Udang Sidoarjo", -7.4478, 112.7183),
    ("Tambak Bandeng Maros", -5.0053, 119.5729),
    ("Keramba Danau Toba", 2.6845, 98.9312),
    ("IPAL Cikarang", -6.3074, 107.1723),
    ("Kolam Nila Sleman", -7.7165, 110.3553),
    ("Instalasi Air Denpasar", -8.6705, 115.2126),
    ("Kolam Patin Martapura", -3.4111, 114.8652),
    ("Tandon Air Sentani", -2.5669, 140.5136),
];

/// A registry of these devices, as a spreadsheet: each at a site in turn, and at one site some ten metres from each other.
pub fn sheet(devices: &[Device]) -> String {
    let mut text = "serial,name,location,latitude,longitude\n".to_owned();
    for (n, Device { name, serial, .. }) in devices.iter().enumerate() {
        let (round, (site, north, east)) = (n / SITES.len(), SITES[n % SITES.len()]);
        let (row, column) = ((round / 4) as f64, (round % 4) as f64);
        let (north, east) = (north + 0.00031 * row, east + 0.00027 * column);
        let _ = writeln!(text, "{serial},{name},{site} {},{north:.5},{east:.5}", round + 1);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_device_has_a_place_of_its_own_in_indonesia() {
        let devices: Vec<Device> = (1..=500)
            .map(|n| {
                serde_json::from_value(
                    serde_json::json!({"name": format!("pi-{n}"), "serial": n.to_string(), "state": "online"}),
                )
            })
            .collect::<Result<_, _>>()
            .unwrap();
        let text = sheet(&devices);
        let places: BTreeSet<&str> = text.lines().skip(1).map(|line| line.splitn(4, ',').last().unwrap()).collect();
        assert_eq!(places.len(), 500);
        for place in places {
            let (north, east) = place.split_once(',').unwrap();
            let (north, east): (f64, f64) = (north.parse().unwrap(), east.parse().unwrap());
            assert!((-11.0..6.0).contains(&north) && (95.0..141.0).contains(&east), "{place}");
        }
    }
}
