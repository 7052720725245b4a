//! The ADS1115 on an I2C bus: single-shot per channel, with a deadline, every failure a distinct fault.
//! Knows no sensor: it yields millivolts.
//!
//! The chip has one converter and one result register. In continuous mode the first result after a
//! change of channel belongs to the former one; hence each read starts its own conversion. After any
//! failure the driver and the bus are opened anew, so that no old conversion can be taken for a new one.

use super::analog::{Channel, Converter};
use ads1x1x::{Ads1x1x, DataRate16Bit, FullScaleRange, TargetAddr, channel, ic, mode};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use linux_embedded_hal::i2cdev::linux::LinuxI2CError;
use linux_embedded_hal::{I2cdev, nb};
use shared::reading::Fault;
use std::io;
use std::path::{Path, PathBuf};

/// What a chip is told when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Its address.
    pub address: Address,
    /// Its full scale.
    pub scale: Scale,
    /// Samples per second.
    pub rate: Rate,
}

/// The four addresses that the chip's ADDR pin can select.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(u8);

impl Address {
    /// Takes an address if the chip can have it.
    pub fn new(address: u8) -> Option<Self> {
        (0x48..=0x4b).contains(&address).then_some(Self(address))
    }

    fn pin(self) -> TargetAddr {
        match self.0 {
            0x49 => TargetAddr::Vdd,
            0x4a => TargetAddr::Sda,
            0x4b => TargetAddr::Scl,
            _ => TargetAddr::Gnd,
        }
    }
}

/// A full scale, by its millivolts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale(u16, FullScaleRange);

impl Scale {
    /// The scale of so many millivolts, if the chip has it.
    pub fn new(millivolts: u16) -> Option<Self> {
        use FullScaleRange as R;
        let range = match millivolts {
            6144 => R::Within6_144V,
            4096 => R::Within4_096V,
            2048 => R::Within2_048V,
            1024 => R::Within1_024V,
            512 => R::Within0_512V,
            256 => R::Within0_256V,
            _ => return None,
        };
        Some(Self(millivolts, range))
    }

    /// The voltage of a code.
    fn millivolts(self, code: i16) -> f64 {
        f64::from(code) * f64::from(self.0) / 32_768.0
    }

    /// The highest voltage that the scale can tell.
    pub fn highest(self) -> f64 {
        self.millivolts(i16::MAX)
    }
}

/// A data rate, by its samples per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(u32, DataRate16Bit);

impl Rate {
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

    /// Time between two questions whether the conversion is done.
    fn pause_us(self) -> u32 {
        (1_000_000 / self.0 / 4).max(500)
    }

    /// How often to ask before giving up: twice a conversion (one may still be running), and its tolerance.
    const POLLS: u32 = 12;
}

/// A chip on a bus that `open` opens, again after each failure.
pub struct Ads1115<B, D> {
    open: Box<dyn FnMut() -> io::Result<B> + Send>,
    delay: D,
    settings: Settings,
    chip: Option<Driver<B>>,
    complaint: Option<String>,
}

type Driver<B> = Ads1x1x<B, ic::Ads1115, ic::Resolution16Bit, mode::OneShot>;

impl<B: I2c, D: DelayNs> Ads1115<B, D> {
    /// A chip that is opened at its first read, so that a missing bus stops nothing.
    pub fn new(settings: Settings, delay: D, open: impl FnMut() -> io::Result<B> + Send + 'static) -> Self {
        Self { open: Box::new(open), delay, settings, chip: None, complaint: None }
    }

    fn opened(&mut self) -> Result<&mut Driver<B>, Fault> {
        if self.chip.is_none() {
            let bus = (self.open)().map_err(|error| {
                let why = error.to_string();
                // It is tried at each sample: say it once.
                if self.complaint.as_ref() != Some(&why) {
                    tracing::warn!(error = %why, "the I2C bus can't be opened");
                    self.complaint = Some(why);
                }
                Fault::NoBus
            })?;
            self.complaint = None;
            let mut chip = Ads1x1x::new_ads1115(bus, self.settings.address.pin());
            chip.set_data_rate(self.settings.rate.1).map_err(fault)?;
            chip.set_full_scale_range(self.settings.scale.1).map_err(fault)?;
            self.chip = Some(chip);
        }
        self.chip.as_mut().ok_or(Fault::NoBus)
    }

    fn code(&mut self, input: Channel) -> Result<i16, Fault> {
        let pause = self.settings.rate.pause_us();
        for _ in 0..Rate::POLLS {
            let chip = self.opened()?;
            let read = match input {
                Channel::A0 => chip.read(channel::SingleA0),
                Channel::A1 => chip.read(channel::SingleA1),
                Channel::A2 => chip.read(channel::SingleA2),
                Channel::A3 => chip.read(channel::SingleA3),
            };
            match read {
                Ok(code) => return Ok(code),
                Err(nb::Error::WouldBlock) => self.delay.delay_us(pause),
                Err(nb::Error::Other(error)) => return Err(fault(error)),
            }
        }
        Err(Fault::NotReady)
    }
}

impl<B: I2c + Send, D: DelayNs + Send> Converter for Ads1115<B, D> {
    fn millivolts(&mut self, input: Channel) -> Result<f64, Fault> {
        let code = self.code(input);
        if code.is_err() {
            self.chip = None;
        }
        code.map(|code| self.settings.scale.millivolts(code))
    }
}

fn fault<E: embedded_hal::i2c::Error>(error: ads1x1x::Error<E>) -> Fault {
    match error {
        ads1x1x::Error::I2C(error) => match error.kind() {
            ErrorKind::NoAcknowledge(_) => Fault::NoAnswer,
            _ => Fault::BusError,
        },
        ads1x1x::Error::InvalidInputData => Fault::BusError,
    }
}

/// `/dev/i2c-N`. It corrects what `linux-embedded-hal` makes of the kernel's codes: the Raspberry Pi's
/// controller reports a missing acknowledgement as EREMOTEIO, and a vanished adapter is ENODEV.
pub struct LinuxBus(I2cdev);

/// A failed transfer on a [`LinuxBus`].
#[derive(Debug)]
pub struct TransferError(linux_embedded_hal::I2CError);

impl LinuxBus {
    /// Opens a bus.
    ///
    /// # Errors
    /// When it is not there or not ours to open; the message names it.
    pub fn open(path: &Path) -> io::Result<Self> {
        I2cdev::new(path).map(Self).map_err(|error| {
            let error = io::Error::from(error);
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })
    }

    /// A function that opens a bus, as [`Ads1115::new`] wants it.
    pub fn opener(path: PathBuf) -> impl FnMut() -> io::Result<Self> + Send {
        move || Self::open(&path)
    }
}

impl ErrorType for LinuxBus {
    type Error = TransferError;
}

impl I2c for LinuxBus {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), TransferError> {
        I2c::transaction(&mut self.0, address, operations).map_err(TransferError)
    }
}

impl embedded_hal::i2c::Error for TransferError {
    fn kind(&self) -> ErrorKind {
        let code = match self.0.inner() {
            LinuxI2CError::Errno(code) => Some(*code),
            LinuxI2CError::Io(error) => error.raw_os_error(),
        };
        kind_of(code).unwrap_or_else(|| self.0.kind())
    }
}

fn kind_of(code: Option<i32>) -> Option<ErrorKind> {
    const ENODEV: i32 = 19;
    const EREMOTEIO: i32 = 121;
    match code {
        Some(EREMOTEIO) => Some(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown)),
        Some(ENODEV) => Some(ErrorKind::Bus),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_acknowledgement_of_the_pis_controller_is_one() {
        assert_eq!(kind_of(Some(121)), Some(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown)));
        assert_eq!(kind_of(Some(19)), Some(ErrorKind::Bus));
        assert_eq!(kind_of(Some(5)), None);
    }

    #[test]
    fn a_bus_that_is_not_there_is_named() {
        let error = LinuxBus::open(Path::new("/dev/i2c-none")).err().unwrap();
        assert!(error.to_string().starts_with("/dev/i2c-none: "), "{error}");
    }

    #[test]
    fn only_what_the_chip_has_is_taken() {
        assert!(Address::new(0x48).is_some() && Address::new(0x4b).is_some());
        assert!(Address::new(0x47).is_none() && Address::new(0x4c).is_none());
        assert!(Scale::new(4096).is_some() && Scale::new(3300).is_none());
        assert!(Rate::new(128).is_some() && Rate::new(100).is_none());
        assert_eq!(Scale::new(4096).unwrap().millivolts(1), 0.125);
    }
}
