//! Answers the kernel's frames with what the bus says. Reads no device and no clock.

use crate::bus::{Bus, Message};
use crate::frame::{self, ENOSYS, ENXIO, Errno, Ioctl, Request};
use crate::ioctl::{Pointers, Step, step};
use std::time::Duration;

/// A device that a bus is behind.
#[derive(Debug)]
pub struct Server {
    name: String,
    bus: Bus,
    pointers: Pointers,
}

impl Server {
    /// The bus with this number, for callers whose pointers are such.
    #[must_use]
    pub fn new(number: u8, bus: Bus, pointers: Pointers) -> Self {
        Self { name: format!("i2c-{number}"), bus, pointers }
    }

    /// The device's name, below `/dev`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The answer to a frame, if it wants one. `now` is the time since any fixed moment.
    pub fn answer(&mut self, frame: &[u8], now: Duration) -> Option<Vec<u8>> {
        let (unique, request) = frame::parse(frame)?;
        match request {
            Request::Init(minor) => Some(frame::device(unique, minor, &self.name)),
            Request::Open => Some(frame::opened(unique)),
            Request::Release => Some(frame::done(unique)),
            Request::Ioctl(ioctl) => {
                let answer = self.ioctl(unique, &ioctl, now);
                Some(answer.unwrap_or_else(|error| frame::failed(unique, error)))
            }
            Request::Silent => None,
            Request::Other => Some(frame::failed(unique, ENOSYS)),
        }
    }

    fn ioctl(&mut self, unique: u64, ioctl: &Ioctl<'_>, now: Duration) -> Result<Vec<u8>, Errno> {
        match step(ioctl, self.pointers)? {
            Step::Ask { read, write } => Ok(frame::retry(unique, &read, &write)),
            Step::Done(output) => Ok(frame::result(unique, 0, &output)),
            Step::Transfer(messages) => {
                let output = self.transfer(&messages, now)?;
                Ok(frame::result(unique, u32::try_from(messages.len()).unwrap_or(u32::MAX), &output))
            }
        }
    }

    fn transfer(&mut self, messages: &[(u16, Message)], now: Duration) -> Result<Vec<u8>, Errno> {
        let mut output = vec![];
        for (address, message) in messages {
            output.extend(self.bus.transfer(*address, message, now).map_err(|_| ENXIO)?);
        }
        Ok(output)
    }
}
