//! The converter's driver against a scripted bus: the bytes are spelled out.
#![allow(clippy::unwrap_used)] // a test may

use agent::probe::ads1115::{Address, Ads1115, Rate, Scale, Settings};
use agent::probe::analog::{Channel, Converter};
use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
use embedded_hal_mock::eh1::delay::NoopDelay;
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
use shared::reading::Fault;
use std::io;

const CHIP: u8 = 0x48;
const CONVERSION: u8 = 0x00;
const CONFIG: u8 = 0x01;

// Single-shot, 4.096 V, 128 samples a second, comparator off; the high bit starts a conversion when
// it is written and says "idle" when it is read.
const SET_UP: [u8; 2] = [0x83, 0x83];
const BUSY: [u8; 2] = [0x43, 0x83];
const IDLE: [u8; 2] = [0xc3, 0x83];
const START: [(Channel, [u8; 2]); 4] = [
    (Channel::A0, [0xc3, 0x83]),
    (Channel::A1, [0xd3, 0x83]),
    (Channel::A2, [0xe3, 0x83]),
    (Channel::A3, [0xf3, 0x83]),
];

fn settings() -> Settings {
    Settings { address: Address::new(CHIP).unwrap(), scale: Scale::new(4096).unwrap(), rate: Rate::new(128).unwrap() }
}

fn chip(mut buses: Vec<io::Result<Mock>>) -> Ads1115<Mock, NoopDelay> {
    Ads1115::new(settings(), NoopDelay::new(), move || buses.remove(0))
}

fn write_config(bytes: [u8; 2]) -> Transaction {
    Transaction::write(CHIP, vec![CONFIG, bytes[0], bytes[1]])
}

fn config_is(bytes: [u8; 2]) -> Transaction {
    Transaction::write_read(CHIP, vec![CONFIG], bytes.to_vec())
}

fn result_is(code: i16) -> Transaction {
    Transaction::write_read(CHIP, vec![CONVERSION], code.to_be_bytes().to_vec())
}

fn set_up() -> Vec<Transaction> {
    // The rate, then the scale; each is the whole register.
    vec![write_config([0x85, 0x83]), write_config(SET_UP)]
}

/// A conversion of a channel: idle, start, busy, ready, result.
fn conversion(start: [u8; 2], code: i16) -> Vec<Transaction> {
    vec![config_is(IDLE), write_config(start), config_is(BUSY), config_is(IDLE), result_is(code)]
}

fn nack() -> ErrorKind {
    ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address)
}

#[test]
fn a_channel_is_converted_on_demand_and_scaled() {
    let mut bus = Mock::new(&[set_up(), conversion(START[0].1, 12_000)].concat());
    let mut chip = chip(vec![Ok(bus.clone())]);
    assert_eq!(chip.millivolts(Channel::A0), Ok(1500.0));
    bus.done();
}

#[test]
fn alternating_channels_never_swap_their_values() {
    let mut script = set_up();
    for round in 0..3_i16 {
        for (i, (_, start)) in START.iter().enumerate() {
            script.extend(conversion(*start, 8 * (1000 * (i16::try_from(i).unwrap() + 1) / 8 + round)));
        }
    }
    let mut bus = Mock::new(&script);
    let mut chip = chip(vec![Ok(bus.clone())]);
    for round in 0..3_i16 {
        for (i, (channel, _)) in START.into_iter().enumerate() {
            let expected = f64::from(1000 * (i16::try_from(i).unwrap() + 1) / 8 + round);
            assert_eq!(chip.millivolts(channel), Ok(expected), "{channel:?}");
        }
    }
    bus.done();
}

#[test]
fn the_same_channel_again_is_a_new_conversion() {
    let mut bus = Mock::new(&[set_up(), conversion(START[2].1, 800), conversion(START[2].1, 808)].concat());
    let mut chip = chip(vec![Ok(bus.clone())]);
    assert_eq!(chip.millivolts(Channel::A2), Ok(100.0));
    assert_eq!(chip.millivolts(Channel::A2), Ok(101.0));
    bus.done();
}

#[test]
fn a_negative_code_is_a_negative_voltage() {
    let mut bus = Mock::new(&[set_up(), conversion(START[3].1, -3)].concat());
    assert_eq!(chip(vec![Ok(bus.clone())]).millivolts(Channel::A3), Ok(-0.375));
    bus.done();
}

#[test]
fn a_chip_that_does_not_answer_is_one_fault() {
    let mut bus = Mock::new(&[write_config([0x85, 0x83]).with_error(nack())]);
    assert_eq!(chip(vec![Ok(bus.clone())]).millivolts(Channel::A0), Err(Fault::NoAnswer));
    bus.done();
}

#[test]
fn a_bus_that_fails_in_the_middle_is_another() {
    for kind in [ErrorKind::Bus, ErrorKind::ArbitrationLoss, ErrorKind::Other] {
        let script = [set_up(), vec![config_is(IDLE), write_config(START[0].1).with_error(kind)]].concat();
        let mut bus = Mock::new(&script);
        assert_eq!(chip(vec![Ok(bus.clone())]).millivolts(Channel::A0), Err(Fault::BusError));
        bus.done();
    }
}

#[test]
fn a_chip_that_is_never_ready_is_a_fault_and_not_a_hang() {
    let busy = vec![config_is(BUSY); 10];
    let script = [set_up(), vec![config_is(IDLE), write_config(START[0].1)], busy, vec![config_is(BUSY)]].concat();
    let mut bus = Mock::new(&script);
    assert_eq!(chip(vec![Ok(bus.clone())]).millivolts(Channel::A0), Err(Fault::NotReady));
    bus.done();
}

#[test]
fn a_late_conversion_is_not_taken_for_the_next_one() {
    // The first read gives up; the chip is set up anew and converts anew.
    let never = [set_up(), vec![config_is(IDLE), write_config(START[0].1)], vec![config_is(BUSY); 11]].concat();
    let (mut first, mut second) = (Mock::new(&never), Mock::new(&[set_up(), conversion(START[1].1, 1600)].concat()));
    let mut chip = chip(vec![Ok(first.clone()), Ok(second.clone())]);
    assert_eq!(chip.millivolts(Channel::A0), Err(Fault::NotReady));
    assert_eq!(chip.millivolts(Channel::A1), Ok(200.0));
    first.done();
    second.done();
}

#[test]
fn a_missing_bus_is_a_fault_of_its_own_and_is_opened_once_it_is_there() {
    let mut bus = Mock::new(&[set_up(), conversion(START[0].1, 800)].concat());
    let gone = || Err(io::Error::from(io::ErrorKind::NotFound));
    let mut chip = chip(vec![gone(), gone(), Ok(bus.clone())]);
    assert_eq!(chip.millivolts(Channel::A0), Err(Fault::NoBus));
    assert_eq!(chip.millivolts(Channel::A0), Err(Fault::NoBus));
    assert_eq!(chip.millivolts(Channel::A0), Ok(100.0));
    bus.done();
}

#[test]
fn a_chip_that_was_unplugged_is_set_up_again() {
    let (mut first, mut second) = (
        Mock::new(&[set_up(), vec![config_is(IDLE).with_error(nack())]].concat()),
        Mock::new(&[set_up(), conversion(START[0].1, 800)].concat()),
    );
    let mut chip = chip(vec![Ok(first.clone()), Ok(second.clone())]);
    assert_eq!(chip.millivolts(Channel::A0), Err(Fault::NoAnswer));
    assert_eq!(chip.millivolts(Channel::A0), Ok(100.0));
    first.done();
    second.done();
}
