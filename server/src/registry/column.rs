//! The columns of a registry's spreadsheet and the headings by which people call them. Knows no cell.

/// A column that the registry knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the heading says it
pub enum Column {
    Serial,
    Name,
    Location,
    Latitude,
    Longitude,
    Metrics,
    Notes,
}

impl Column {
    /// In the order in which they are written.
    pub const ALL: [Self; 7] =
        [Self::Serial, Self::Name, Self::Location, Self::Latitude, Self::Longitude, Self::Metrics, Self::Notes];

    /// The heading that is written, and the field's name everywhere else.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Name => "name",
            Self::Location => "location",
            Self::Latitude => "latitude",
            Self::Longitude => "longitude",
            Self::Metrics => "metrics",
            Self::Notes => "notes",
        }
    }

    /// Reads a heading in English or Indonesian, whatever its case, spaces and punctuation.
    pub fn from_heading(heading: &str) -> Option<Self> {
        let letters: String = heading.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let column = match letters.as_str() {
            "serial" | "serialnumber" | "cpuserial" | "seri" | "noseri" | "nomorseri" | "serialcpu" => Self::Serial,
            "name" | "devicename" | "device" | "nama" | "namaalat" | "namaperangkat" => Self::Name,
            "location" | "place" | "site" | "lokasi" | "tempat" => Self::Location,
            "latitude" | "lat" | "lintang" | "garislintang" => Self::Latitude,
            "longitude" | "lon" | "lng" | "long" | "bujur" | "garisbujur" => Self::Longitude,
            "metrics" | "metric" | "metrik" | "besaran" | "parameter" | "parameters" => Self::Metrics,
            "notes" | "note" | "remarks" | "catatan" | "keterangan" => Self::Notes,
            _ => return None,
        };
        Some(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_known_in_both_languages_and_in_any_dress() {
        for (heading, column) in [
            ("Serial Number", Column::Serial),
            ("No. Seri", Column::Serial),
            (" NAMA ", Column::Name),
            ("lokasi", Column::Location),
            ("Garis_Lintang", Column::Latitude),
            ("Bujur", Column::Longitude),
            ("Metrik", Column::Metrics),
            ("Keterangan", Column::Notes),
        ] {
            assert_eq!(Column::from_heading(heading), Some(column), "{heading}");
        }
        assert_eq!(Column::from_heading("altitude"), None);
        for column in Column::ALL {
            assert_eq!(Column::from_heading(column.as_str()), Some(column));
        }
    }
}
