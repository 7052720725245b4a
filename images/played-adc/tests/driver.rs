//! The driver that the agent uses, against the played chip.
#![allow(clippy::unwrap_used)] // a test may

use ads1x1x::{Ads1x1x, DataRate16Bit, FullScaleRange, TargetAddr, channel};
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use linux_embedded_hal::nb;
use played_adc::bus::{Bus, Message};
use played_adc::chip::Steps;
use std::time::Duration;

/// A bus whose time goes on by a millisecond at each message.
struct Played(Bus, Duration);

impl ErrorType for Played {
    type Error = ErrorKind;
}

impl I2c for Played {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        for operation in operations {
            self.1 += Duration::from_millis(1);
            let message = match operation {
                Operation::Write(bytes) => Message::Write(bytes.to_vec()),
                Operation::Read(bytes) => Message::Read(bytes.len()),
            };
            let read = self.0.transfer(address.into(), &message, self.1);
            let read = read.map_err(|_| ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address))?;
            if let Operation::Read(bytes) = operation {
                bytes.copy_from_slice(&read);
            }
        }
        Ok(())
    }
}

fn bus(quiet: Duration) -> Played {
    let inputs = [1000.0, 1500.0, 2000.0, 2500.0].map(|base| Steps { base, step: 20.0, count: 3 });
    Played(Bus::new(&[0x48], inputs, quiet), Duration::ZERO)
}

#[test]
fn each_input_yields_its_own_steps_in_order() {
    let mut chip = Ads1x1x::new_ads1115(bus(Duration::ZERO), TargetAddr::Gnd);
    chip.set_data_rate(DataRate16Bit::Sps128).unwrap();
    chip.set_full_scale_range(FullScaleRange::Within4_096V).unwrap();
    for step in [0, 1, 2, 0] {
        let codes = [
            nb::block!(chip.read(channel::SingleA0)).unwrap(),
            nb::block!(chip.read(channel::SingleA1)).unwrap(),
            nb::block!(chip.read(channel::SingleA2)).unwrap(),
            nb::block!(chip.read(channel::SingleA3)).unwrap(),
        ];
        assert_eq!(codes, [1000, 1500, 2000, 2500].map(|base| (base + 20 * step) * 8));
    }
}

#[test]
fn a_burst_of_conversions_sees_one_voltage_in_whatever_scale() {
    let mut chip = Ads1x1x::new_ads1115(bus(Duration::from_secs(10)), TargetAddr::Gnd);
    for (scale, code) in [
        (FullScaleRange::Within4_096V, 12_000),
        (FullScaleRange::Within2_048V, 24_000),
        (FullScaleRange::Within1_024V, i16::MAX),
    ] {
        chip.set_full_scale_range(scale).unwrap();
        assert_eq!(nb::block!(chip.read(channel::SingleA1)).unwrap(), code);
    }
}

#[test]
fn nobody_answers_at_another_address() {
    let mut chip = Ads1x1x::new_ads1115(bus(Duration::ZERO), TargetAddr::Vdd);
    let answer = nb::block!(chip.read(channel::SingleA0));
    assert!(matches!(answer, Err(ads1x1x::Error::I2C(ErrorKind::NoAcknowledge(_)))), "{answer:?}");
}
