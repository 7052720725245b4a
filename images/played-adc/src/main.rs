//! `played-adc`: serves `/dev/i2c-N` with played chips until it is ended. Owns the arguments and the device.
//!
//! It needs root and the module `cuse`. The device has a number of its own (in `/proc/devices` its driver is called
//! `i2c-N`), because `i2c-dev`, where it is loaded, holds all numbers of real buses. Who may use it is udev's business:
//! `SUBSYSTEM=="cuse", KERNEL=="i2c-*", GROUP="i2c", MODE="0660"`.

use clap::Parser;
use played_adc::{bus::Bus, chip::Steps, ioctl::Pointers, serve::Server};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const CUSE: &str = "/dev/cuse";
/// More than any frame here has: the kernel gives a frame whole or not at all.
const LARGEST_FRAME: usize = 64 * 1024;

/// Plays ADS1115 converters on an I2C bus that there is not.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The bus: 1 is /dev/i2c-1.
    #[arg(long, default_value_t = 1)]
    bus: u8,
    /// A chip's address; may be given several times. Each chip has the same inputs.
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = "0x48")]
    address: Vec<u16>,
    /// What an input goes through, in millivolts: 0=1500:20:5 is 1500, 1520, 1540, 1560, 1580 and again 1500. Others: 0 mV.
    #[arg(long, value_name = "INPUT=BASE:STEP:COUNT", value_parser = input)]
    input: Vec<(usize, Steps)>,
    /// An input steps on at the first conversion after it was left alone for so many milliseconds; 0: at each.
    #[arg(long, value_name = "MS", default_value_t = 500)]
    quiet: u64,
}

fn address(text: &str) -> Result<u16, String> {
    let number = text.strip_prefix("0x").and_then(|digits| u16::from_str_radix(digits, 16).ok());
    number.filter(|number| (0x48..=0x4b).contains(number)).ok_or_else(|| "one of 0x48, 0x49, 0x4a, 0x4b".to_owned())
}

fn input(text: &str) -> Result<(usize, Steps), String> {
    let parsed = || {
        let (input, steps) = text.split_once('=')?;
        let (base, rest) = steps.split_once(':')?;
        let (step, count) = rest.split_once(':')?;
        let input = input.parse().ok().filter(|input| *input < 4)?;
        let steps = Steps { base: base.parse().ok()?, step: step.parse().ok()?, count: count.parse().ok()? };
        (steps.count > 0).then_some((input, steps))
    };
    parsed().ok_or_else(|| "such as 0=1500:20:5, with an input of 0 to 3".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut inputs = [Steps { base: 0.0, step: 0.0, count: 1 }; 4];
    for (input, steps) in arguments.input {
        inputs[input] = steps;
    }
    let bus = Bus::new(&arguments.address, inputs, Duration::from_millis(arguments.quiet));
    let Err(error) = serve(&mut Server::new(arguments.bus, bus, Pointers::ours()));
    let _ = writeln!(io::stderr(), "played-adc: {CUSE}: {error}: is it run by root, and is the module cuse loaded?");
    ExitCode::FAILURE
}

fn serve(server: &mut Server) -> io::Result<std::convert::Infallible> {
    let mut cuse: File = OpenOptions::new().read(true).write(true).open(CUSE)?;
    let began = Instant::now();
    let mut frame = vec![0; LARGEST_FRAME];
    loop {
        let length = match cuse.read(&mut frame) {
            Ok(length) => length,
            // The caller took its request back before it was read.
            Err(error) if [io::ErrorKind::Interrupted, io::ErrorKind::NotFound].contains(&error.kind()) => continue,
            Err(error) => return Err(error),
        };
        let Some(answer) = server.answer(frame.get(..length).unwrap_or_default(), began.elapsed()) else { continue };
        match cuse.write_all(&answer) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_told_in_one_word_and_an_address_is_one_that_the_chip_can_have() {
        assert_eq!(input("2=1500:-2.5:5"), Ok((2, Steps { base: 1500.0, step: -2.5, count: 5 })));
        for bad in ["4=1:1:1", "0=1:1:0", "0=1:1", "0", "", "0=a:1:1"] {
            assert!(input(bad).is_err(), "{bad}");
        }
        assert_eq!(address("0x4b"), Ok(0x4b));
        assert!(address("0x50").is_err() && address("72").is_err());
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
