//! The bus: which chips are on it. Knows no ioctl and no clock.

use crate::chip::{Chip, Steps};
use std::collections::BTreeMap;
use std::time::Duration;

/// One message of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// These bytes, to the chip.
    Write(Vec<u8>),
    /// So many bytes, from the chip.
    Read(usize),
}

/// No chip has the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no chip answers at {0:#04x}")]
pub struct NoAnswer(pub u16);

/// A bus.
#[derive(Debug, Clone)]
pub struct Bus(BTreeMap<u16, Chip>);

impl Bus {
    /// A bus with a chip at each address. All have the same inputs.
    #[must_use]
    pub fn new(addresses: &[u16], inputs: [Steps; 4], quiet: Duration) -> Self {
        Self(addresses.iter().map(|address| (*address, Chip::new(inputs, quiet))).collect())
    }

    /// One message, and the bytes that were read.
    ///
    /// # Errors
    /// When no chip has the address.
    pub fn transfer(&mut self, address: u16, message: &Message, now: Duration) -> Result<Vec<u8>, NoAnswer> {
        let chip = self.0.get_mut(&address).ok_or(NoAnswer(address))?;
        let mut read = Vec::new();
        match message {
            Message::Write(bytes) => chip.write(bytes, now),
            Message::Read(length) => {
                read.resize(*length, 0);
                chip.read(&mut read, now);
            }
        }
        Ok(read)
    }
}
