//! The pins of a Raspberry Pi: the one place that touches them. Knows no alarm and no probe.
//!
//! A machine that is none, or a model that is not known, has no pins: that is an error to report, and
//! nothing that stops an agent.

use crate::probe::recovery::Lines;
use rppal::gpio::{Gpio, IoPin, Mode, OutputPin};

/// Why a pin can't be used.
#[derive(Debug, thiserror::Error)]
#[error("there is no GPIO to use: {0}")]
pub struct GpioError(#[from] rppal::gpio::Error);

/// A pin, by its BCM number, as output with a first level. It keeps its last level when it is dropped:
/// whoever ends decides what is left behind.
///
/// # Errors
/// When this machine has no such pin, or it is not ours to use.
pub fn output(pin: u8, high: bool) -> Result<OutputPin, GpioError> {
    let pin = Gpio::new()?.get(pin)?;
    // The level first, so that a relay does not click.
    let mut output = if high { pin.into_output_high() } else { pin.into_output_low() };
    output.set_reset_on_drop(false);
    Ok(output)
}

/// The lines of the bus `i2c-1`.
struct BusLines {
    sda: IoPin,
    scl: IoPin,
}

/// SDA and SCL of the bus `i2c-1`, by their BCM numbers.
const BUS: (u8, u8) = (2, 3);

/// Takes the lines of the bus `i2c-1` from its controller; on drop each pin has its former function back.
///
/// # Errors
/// When this machine has no such pins, or they are not ours to use.
pub fn bus_lines() -> Result<Box<dyn Lines>, GpioError> {
    let gpio = Gpio::new()?;
    // Inputs: the resistors of the board pull both up.
    let [mut sda, mut scl] = [gpio.get(BUS.0)?, gpio.get(BUS.1)?].map(|pin| pin.into_io(Mode::Input));
    // What they will be as outputs: neither is ever driven high.
    sda.set_low();
    scl.set_low();
    Ok(Box::new(BusLines { sda, scl }))
}

fn set(pin: &mut IoPin, high: bool) {
    if high {
        pin.set_mode(Mode::Input);
    } else {
        pin.set_mode(Mode::Output);
        pin.set_low();
    }
}

impl Lines for BusLines {
    fn scl(&mut self, high: bool) {
        set(&mut self.scl, high);
    }

    fn sda(&mut self, high: bool) {
        set(&mut self.sda, high);
    }

    fn sda_is_high(&mut self) -> bool {
        self.sda.is_high()
    }
}
