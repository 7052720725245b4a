//! What an ADS1115 can be set to. Knows no bus.

use ads1x1x::{DataRate16Bit, FullScaleRange, TargetAddr};

/// The four addresses that the chip's ADDR pin can select.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(u8);

impl Address {
    /// Takes an address if the chip can have it.
    pub fn new(address: u8) -> Option<Self> {
        (0x48..=0x4b).contains(&address).then_some(Self(address))
    }

    pub(super) fn pin(self) -> TargetAddr {
        match self.0 {
            0x49 => TargetAddr::Vdd,
            0x4a => TargetAddr::Sda,
            0x4b => TargetAddr::Scl,
            _ => TargetAddr::Gnd,
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#04x}", self.0)
    }
}

/// One of the chip's four inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the number says it
pub enum Channel {
    A0,
    A1,
    A2,
    A3,
}

/// A full scale, by its millivolts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale(u16, FullScaleRange);

impl Scale {
    /// From the narrowest to the widest.
    pub const ALL: [Self; 6] = [
        Self(256, FullScaleRange::Within0_256V),
        Self(512, FullScaleRange::Within0_512V),
        Self(1024, FullScaleRange::Within1_024V),
        Self(2048, FullScaleRange::Within2_048V),
        Self(4096, FullScaleRange::Within4_096V),
        Self(6144, FullScaleRange::Within6_144V),
    ];

    /// The scale of so many millivolts, if the chip has it.
    pub fn new(millivolts: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|scale| scale.0 == millivolts)
    }

    /// The narrowest that can tell a voltage; the widest if none can.
    pub fn for_voltage(millivolts: f64) -> Self {
        let [.., widest] = Self::ALL;
        Self::ALL.into_iter().find(|scale| millivolts.abs() <= scale.highest()).unwrap_or(widest)
    }

    pub(super) fn setting(self) -> FullScaleRange {
        self.1
    }

    /// The voltage of a code.
    pub fn millivolts(self, code: i16) -> f64 {
        f64::from(code) * f64::from(self.0) / 32_768.0
    }

    /// The highest voltage that the scale can tell.
    pub fn highest(self) -> f64 {
        self.millivolts(i16::MAX)
    }

    /// Whether a code is at an end of its scale, so that the voltage may lie beyond.
    pub(super) fn is_end(code: i16) -> bool {
        code.unsigned_abs() >= 32_100
    }
}

/// How the full scale of a channel is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// By the configuration.
    Fixed(Scale),
    /// By the voltage itself: the narrowest that leaves head-room.
    Auto {
        /// As far as it goes: the input can't be above the supply.
        widest: Scale,
    },
}

impl Range {
    /// The scale to begin with.
    pub fn widest(self) -> Scale {
        match self {
            Self::Fixed(scale) | Self::Auto { widest: scale } => scale,
        }
    }

    /// The scale for the conversion after one that yielded a voltage. With a fifth of head-room, and left
    /// only at its end, so that a voltage between two scales does not change them all the time.
    pub(super) fn after(self, millivolts: f64) -> Scale {
        match self {
            Self::Fixed(scale) => scale,
            Self::Auto { widest } => {
                let narrow = Scale::for_voltage(millivolts / 0.8);
                if narrow.0 < widest.0 { narrow } else { widest }
            }
        }
    }
}

/// A data rate, by its samples per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(u32, DataRate16Bit);

impl Rate {
    /// How often to ask before giving up, after three conversions: one may still be running, and the chip's
    /// clock has a tolerance of 10 per cent.
    pub(super) const POLLS: u32 = 12;

    /// The rate of so many samples per second, if the chip has it.
    pub fn new(per_second: u32) -> Option<Self> {
        use DataRate16Bit as R;
        let rate = match per_second {
            8 => R::Sps8,
            16 => R::Sps16,
            32 => R::Sps32,
            64 => R::Sps64,
            128 => R::Sps128,
            250 => R::Sps250,
            475 => R::Sps475,
            860 => R::Sps860,
            _ => return None,
        };
        Some(Self(per_second, rate))
    }

    /// Conversions in a second.
    pub fn per_second(self) -> u32 {
        self.0
    }

    pub(super) fn setting(self) -> DataRate16Bit {
        self.1
    }

    /// Time until the next question whether the conversion is done, after so many: first a whole conversion,
    /// because each question is a transfer on a slow bus.
    pub(super) fn pause_us(self, asked: u32) -> u32 {
        let conversion = 1_000_000 / self.0;
        if asked == 0 { conversion } else { (conversion / 4).max(500) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_chip_has_is_taken() {
        assert!(Address::new(0x48).is_some() && Address::new(0x4b).is_some());
        assert!(Address::new(0x47).is_none() && Address::new(0x4c).is_none());
        assert!(Scale::new(4096).is_some() && Scale::new(3300).is_none());
        assert!(Rate::new(128).is_some() && Rate::new(100).is_none());
    }

    #[test]
    fn a_chip_has_the_time_of_two_slow_conversions_before_it_is_given_up() {
        for rate in [8, 16, 32, 64, 128, 250, 475, 860] {
            let pauses = (0..Rate::POLLS).map(|asked| Rate::new(rate).unwrap().pause_us(asked));
            let patience: u32 = pauses.sum();
            assert!((2_200_000..=8_000_000).contains(&(patience * rate)), "{rate}: {patience} microseconds");
        }
    }

    #[test]
    fn codes_are_voltages_as_the_data_sheet_says() {
        // Texas Instruments SBAS444, table 3: the least significant bit of each full scale, in microvolts.
        for (scale, microvolts) in
            [(6144, 187.5), (4096, 125.0), (2048, 62.5), (1024, 31.25), (512, 15.625), (256, 7.8125)]
        {
            let scale = Scale::new(scale).unwrap();
            assert_eq!(scale.millivolts(1) * 1000.0, microvolts);
            assert_eq!(scale.millivolts(-1) * 1000.0, -microvolts);
            assert_eq!(scale.millivolts(i16::MIN), -f64::from(scale.0));
            assert_eq!(scale.highest() * 1000.0, 32_767.0 * microvolts);
            assert_eq!(scale.millivolts(0), 0.0);
        }
    }

    #[test]
    fn a_range_that_is_chosen_leaves_head_room_and_never_passes_its_widest() {
        let widest = Scale::new(4096).unwrap();
        let auto = Range::Auto { widest };
        for (millivolts, scale) in [(0.0, 256), (200.0, 256), (210.0, 512), (1500.0, 2048), (-1500.0, 2048)] {
            assert_eq!(auto.after(millivolts), Scale::new(scale).unwrap(), "{millivolts}");
        }
        assert_eq!((auto.after(3299.0), auto.after(4095.0)), (widest, widest));
        assert_eq!(Range::Fixed(widest).after(1.0), widest);
    }
}
