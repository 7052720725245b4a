//! What is measured and in which unit. A new metric is one line in the table here: the wire, the
//! database and the interface carry its name. Knows no sensor.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! metrics {
    ($( $(#[$doc:meta])* $variant:ident = $name:literal in $unit:ident; )*) => {
        /// A measured quantity.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Metric {
            $( $(#[$doc])* #[serde(rename = $name)] $variant, )*
        }

        impl Metric {
            /// Every metric of this version.
            pub const ALL: &[Metric] = &[ $( Metric::$variant, )* ];

            /// The name on the wire, in the database and in URLs.
            pub fn as_str(self) -> &'static str {
                match self { $( Metric::$variant => $name, )* }
            }

            /// The one unit in which values of this metric are given.
            pub fn unit(self) -> Unit {
                match self { $( Metric::$variant => Unit::$unit, )* }
            }

            /// Reads a name; `None` for a metric that this version does not know.
            pub fn from_wire(name: &str) -> Option<Metric> {
                match name { $( $name => Some(Metric::$variant), )* _ => None }
            }
        }
    };
}

metrics! {
    /// Acidity.
    Ph = "ph" in Ph;
    /// Total dissolved solids.
    Tds = "tds" in MilligramPerLitre;
    /// Water temperature.
    Temperature = "temperature" in Celsius;
    /// Volume of water in a tank.
    Volume = "volume" in Litre;
    /// Electrical conductivity at 25 degrees Celsius.
    Ec = "ec" in MicrosiemensPerCentimetre;
    /// Height of the water surface above the tank's bottom.
    Level = "level" in Metre;
    /// Gauge pressure.
    Pressure = "pressure" in Kilopascal;
    /// Volume flow.
    Flow = "flow" in LitrePerMinute;
    /// Speed of the water.
    Speed = "speed" in MetrePerSecond;
}

impl Metric {
    /// How many decimals a sensor of it can resolve.
    pub fn decimals(self) -> i32 {
        match self {
            Self::Ph | Self::Level | Self::Speed => 3,
            Self::Temperature | Self::Pressure | Self::Flow => 2,
            Self::Tds | Self::Volume | Self::Ec => 1,
        }
    }

    /// The metric that is read from the same probe: what calibrates one calibrates the other.
    pub fn sibling(self) -> Option<Metric> {
        match self {
            Self::Tds => Some(Self::Ec),
            Self::Ec => Some(Self::Tds),
            Self::Volume => Some(Self::Level),
            Self::Level => Some(Self::Volume),
            _ => None,
        }
    }

    /// Whether both are read from one probe.
    pub fn shares_probe(self, other: Metric) -> bool {
        self == other || self.sibling() == Some(other)
    }
}

/// A unit of measurement. The symbols are those that people read; each is also its wire form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)] // the symbol says it
pub enum Unit {
    #[serde(rename = "pH")]
    Ph,
    #[serde(rename = "mg/L")]
    MilligramPerLitre,
    #[serde(rename = "°C")]
    Celsius,
    #[serde(rename = "L")]
    Litre,
    #[serde(rename = "µS/cm")]
    MicrosiemensPerCentimetre,
    #[serde(rename = "m")]
    Metre,
    #[serde(rename = "kPa")]
    Kilopascal,
    #[serde(rename = "L/min")]
    LitrePerMinute,
    #[serde(rename = "m/s")]
    MetrePerSecond,
}

impl Unit {
    /// The symbol, on the wire and on the screen.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Ph => "pH",
            Self::MilligramPerLitre => "mg/L",
            Self::Celsius => "°C",
            Self::Litre => "L",
            Self::MicrosiemensPerCentimetre => "µS/cm",
            Self::Metre => "m",
            Self::Kilopascal => "kPa",
            Self::LitrePerMinute => "L/min",
            Self::MetrePerSecond => "m/s",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_symbols_agree_with_their_wire_form() {
        for &metric in Metric::ALL {
            assert_eq!(Metric::from_wire(metric.as_str()), Some(metric));
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.as_str());
            assert_eq!(serde_json::to_value(metric.unit()).unwrap(), metric.unit().symbol());
        }
        assert_eq!(Metric::from_wire("humidity"), None);
    }
}
