//! A Linux I2C bus as the chips' drivers want it. Knows no chip.

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use linux_embedded_hal::I2cdev;
use linux_embedded_hal::i2cdev::linux::LinuxI2CError;
use std::io;
use std::path::{Path, PathBuf};

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

    /// A function that opens a bus, as a chip's driver wants it.
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
}
