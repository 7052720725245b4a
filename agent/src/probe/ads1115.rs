//! The ADS1115 on an I2C bus: single-shot per channel, with a deadline, every failure a distinct fault.
//! Knows no sensor: it yields millivolts.
//!
//! The chip has one converter and one result register. In continuous mode the first result after a
//! change of channel belongs to the former one; hence each read starts its own conversion. After any
//! failure the driver and the bus are opened anew, so that no old conversion can be taken for a new one.

mod settings;

pub use settings::{Address, Channel, Range, Rate, Scale};

use super::analog::Converter;
use ads1x1x::{Ads1x1x, channel, ic, mode};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{ErrorKind, I2c};
use linux_embedded_hal::nb;
use shared::reading::Fault;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// A chip on a bus that `open` opens, again after each failure.
pub struct Ads1115<B, D> {
    open: Box<dyn FnMut() -> io::Result<B> + Send>,
    delay: D,
    address: Address,
    chip: Option<Driver<B>>,
    /// What the chip was told last.
    told: Option<(Scale, Rate)>,
    complaint: Option<String>,
}

type Driver<B> = Ads1x1x<B, ic::Ads1115, ic::Resolution16Bit, mode::OneShot>;

impl<B: I2c, D: DelayNs> Ads1115<B, D> {
    /// A chip that is opened at its first read, so that a missing bus stops nothing.
    pub fn new(address: Address, delay: D, open: impl FnMut() -> io::Result<B> + Send + 'static) -> Self {
        Self { open: Box::new(open), delay, address, chip: None, told: None, complaint: None }
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
            self.chip = Some(Ads1x1x::new_ads1115(bus, self.address.pin()));
        }
        self.chip.as_mut().ok_or(Fault::NoBus)
    }

    /// One conversion. After a failure the next one opens everything anew.
    fn code(&mut self, input: Channel, scale: Scale, rate: Rate) -> Result<i16, Fault> {
        let code = self.tell(scale, rate).and_then(|()| self.convert(input, rate));
        if code.is_err() {
            (self.chip, self.told) = (None, None);
        }
        code
    }

    /// Each change is a write to the chip, so only changes are told.
    fn tell(&mut self, scale: Scale, rate: Rate) -> Result<(), Fault> {
        let told = self.told;
        let chip = self.opened()?;
        if told.is_none_or(|(_, known)| known != rate) {
            chip.set_data_rate(rate.setting()).map_err(fault)?;
        }
        if told.is_none_or(|(known, _)| known != scale) {
            chip.set_full_scale_range(scale.setting()).map_err(fault)?;
        }
        self.told = Some((scale, rate));
        Ok(())
    }

    fn convert(&mut self, input: Channel, rate: Rate) -> Result<i16, Fault> {
        for asked in 0..Rate::POLLS {
            let chip = self.opened()?;
            let read = match input {
                Channel::A0 => chip.read(channel::SingleA0),
                Channel::A1 => chip.read(channel::SingleA1),
                Channel::A2 => chip.read(channel::SingleA2),
                Channel::A3 => chip.read(channel::SingleA3),
            };
            match read {
                Ok(code) => return Ok(code),
                Err(nb::Error::WouldBlock) => self.delay.delay_us(rate.pause_us(asked)),
                Err(nb::Error::Other(error)) => return Err(fault(error)),
            }
        }
        Err(Fault::NotReady)
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

/// One of a chip's channels, with the range and the rate that suit what is connected to it.
pub struct Input<B, D> {
    chip: Arc<Mutex<Ads1115<B, D>>>,
    channel: Channel,
    range: Range,
    rate: Rate,
    scale: Scale,
}

impl<B: I2c, D: DelayNs> Input<B, D> {
    /// A channel of a chip that others share.
    pub fn new(chip: Arc<Mutex<Ads1115<B, D>>>, channel: Channel, range: Range, rate: Rate) -> Self {
        Self { chip, channel, range, rate, scale: range.widest() }
    }
}

impl<B: I2c + Send, D: DelayNs + Send> Converter for Input<B, D> {
    fn millivolts(&mut self) -> Result<f64, Fault> {
        let mut chip = self.chip.lock().unwrap_or_else(PoisonError::into_inner);
        let mut code = chip.code(self.channel, self.scale, self.rate)?;
        if Scale::is_end(code) && self.scale != self.range.widest() {
            // More than this scale can tell: what it said is no measurement.
            self.scale = self.range.widest();
            code = chip.code(self.channel, self.scale, self.rate)?;
        }
        let millivolts = self.scale.millivolts(code);
        self.scale = self.range.after(millivolts);
        Ok(millivolts)
    }
}
