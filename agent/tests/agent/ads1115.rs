//! The converter's driver against a scripted bus: the bytes are spelled out.

use agent::probe::ads1115::{Address, Ads1115, Channel, Input, Range, Rate, Scale};
use agent::probe::analog::Converter;
use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
use embedded_hal_mock::eh1::delay::NoopDelay;
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
use shared::reading::Fault;
use std::io;
use std::sync::{Arc, Mutex};

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

type Chip = Arc<Mutex<Ads1115<Mock, NoopDelay>>>;

fn chip(mut buses: Vec<io::Result<Mock>>) -> Chip {
    let open = move || buses.remove(0);
    Arc::new(Mutex::new(Ads1115::new(Address::new(CHIP).unwrap(), NoopDelay::new(), open)))
}

fn input(chip: &Chip, channel: Channel) -> Input<Mock, NoopDelay> {
    with_range(chip, channel, Range::Fixed(Scale::new(4096).unwrap()))
}

fn with_range(chip: &Chip, channel: Channel, range: Range) -> Input<Mock, NoopDelay> {
    Input::new(Arc::clone(chip), channel, range, Rate::new(128).unwrap())
}

fn read(chip: &Chip, channel: Channel) -> Result<f64, Fault> {
    input(chip, channel).millivolts()
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
    let chip = chip(vec![Ok(bus.clone())]);
    assert_eq!(read(&chip, Channel::A0), Ok(1500.0));
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
    let chip = chip(vec![Ok(bus.clone())]);
    for round in 0..3_i16 {
        for (i, (channel, _)) in START.into_iter().enumerate() {
            let expected = f64::from(1000 * (i16::try_from(i).unwrap() + 1) / 8 + round);
            assert_eq!(read(&chip, channel), Ok(expected), "{channel:?}");
        }
    }
    bus.done();
}

#[test]
fn the_same_channel_again_is_a_new_conversion() {
    let mut bus = Mock::new(&[set_up(), conversion(START[2].1, 800), conversion(START[2].1, 808)].concat());
    let chip = chip(vec![Ok(bus.clone())]);
    assert_eq!(read(&chip, Channel::A2), Ok(100.0));
    assert_eq!(read(&chip, Channel::A2), Ok(101.0));
    bus.done();
}

#[test]
fn a_negative_code_is_a_negative_voltage() {
    let mut bus = Mock::new(&[set_up(), conversion(START[3].1, -3)].concat());
    assert_eq!(read(&chip(vec![Ok(bus.clone())]), Channel::A3), Ok(-0.375));
    bus.done();
}

#[test]
fn a_chip_that_does_not_answer_is_one_fault() {
    let mut bus = Mock::new(&[write_config([0x85, 0x83]).with_error(nack())]);
    assert_eq!(read(&chip(vec![Ok(bus.clone())]), Channel::A0), Err(Fault::NoAnswer));
    bus.done();
}

#[test]
fn a_bus_that_fails_in_the_middle_is_another() {
    for kind in [ErrorKind::Bus, ErrorKind::ArbitrationLoss, ErrorKind::Other] {
        let script = [set_up(), vec![config_is(IDLE), write_config(START[0].1).with_error(kind)]].concat();
        let mut bus = Mock::new(&script);
        assert_eq!(read(&chip(vec![Ok(bus.clone())]), Channel::A0), Err(Fault::BusError));
        bus.done();
    }
}

#[test]
fn a_chip_that_is_never_ready_is_a_fault_and_not_a_hang() {
    let busy = vec![config_is(BUSY); 10];
    let script = [set_up(), vec![config_is(IDLE), write_config(START[0].1)], busy, vec![config_is(BUSY)]].concat();
    let mut bus = Mock::new(&script);
    assert_eq!(read(&chip(vec![Ok(bus.clone())]), Channel::A0), Err(Fault::NotReady));
    bus.done();
}

#[test]
fn a_late_conversion_is_not_taken_for_the_next_one() {
    // The first read gives up; the chip is set up anew and converts anew.
    let never = [set_up(), vec![config_is(IDLE), write_config(START[0].1)], vec![config_is(BUSY); 11]].concat();
    let (mut first, mut second) = (Mock::new(&never), Mock::new(&[set_up(), conversion(START[1].1, 1600)].concat()));
    let chip = chip(vec![Ok(first.clone()), Ok(second.clone())]);
    assert_eq!(read(&chip, Channel::A0), Err(Fault::NotReady));
    assert_eq!(read(&chip, Channel::A1), Ok(200.0));
    first.done();
    second.done();
}

#[test]
fn a_missing_bus_is_a_fault_of_its_own_and_is_opened_once_it_is_there() {
    let mut bus = Mock::new(&[set_up(), conversion(START[0].1, 800)].concat());
    let gone = || Err(io::Error::from(io::ErrorKind::NotFound));
    let chip = chip(vec![gone(), gone(), Ok(bus.clone())]);
    assert_eq!(read(&chip, Channel::A0), Err(Fault::NoBus));
    assert_eq!(read(&chip, Channel::A0), Err(Fault::NoBus));
    assert_eq!(read(&chip, Channel::A0), Ok(100.0));
    bus.done();
}

#[test]
fn a_chip_that_was_unplugged_is_set_up_again() {
    let (mut first, mut second) = (
        Mock::new(&[set_up(), vec![config_is(IDLE).with_error(nack())]].concat()),
        Mock::new(&[set_up(), conversion(START[0].1, 800)].concat()),
    );
    let chip = chip(vec![Ok(first.clone()), Ok(second.clone())]);
    assert_eq!(read(&chip, Channel::A0), Err(Fault::NoAnswer));
    assert_eq!(read(&chip, Channel::A0), Ok(100.0));
    first.done();
    second.done();
}

#[test]
fn channels_with_ranges_of_their_own_are_told_to_the_chip_only_when_they_change() {
    // 2.048 V is 0b010 where 4.096 V is 0b001: 0x84 for 0x82, and 0x86 for 0x84 in the starting byte.
    let wide = conversion(START[0].1, 8000);
    let narrow = [vec![write_config([0xc5, 0x83])], conversion([0xd5, 0x83], 8000)].concat();
    let again = conversion([0xd5, 0x83], 8008);
    let back = [vec![write_config([0xd3, 0x83])], conversion(START[0].1, 8000)].concat();
    let mut bus = Mock::new(&[set_up(), wide, narrow, again, back].concat());
    let chip = chip(vec![Ok(bus.clone())]);
    let (mut a0, mut a1) =
        (input(&chip, Channel::A0), with_range(&chip, Channel::A1, Range::Fixed(Scale::new(2048).unwrap())));
    assert_eq!(a0.millivolts(), Ok(1000.0));
    assert_eq!(a1.millivolts(), Ok(500.0));
    assert_eq!(a1.millivolts(), Ok(500.5));
    assert_eq!(a0.millivolts(), Ok(1000.0));
    bus.done();
}

#[test]
fn a_rate_of_its_own_is_told_too() {
    // 860 a second is 0b111: 0xe3.
    let script = [vec![write_config([0x85, 0xe3]), write_config([0x83, 0xe3])], conversion([0xc3, 0xe3], 800)].concat();
    let mut bus = Mock::new(&script);
    let chip = chip(vec![Ok(bus.clone())]);
    let range = Range::Fixed(Scale::new(4096).unwrap());
    assert_eq!(Input::new(chip, Channel::A0, range, Rate::new(860).unwrap()).millivolts(), Ok(100.0));
    bus.done();
}

#[test]
fn an_automatic_range_begins_wide_goes_down_with_head_room_and_looks_again_at_its_end() {
    let script = [
        set_up(),
        // 200 mV at 4.096 V: from now on 0.256 V is enough.
        conversion([0xc3, 0x83], 1600),
        vec![write_config([0xcb, 0x83])],
        conversion([0xcb, 0x83], 25_600),
        // The signal rose: at the end of the scale, hence once more at the widest, and then 2.048 V.
        conversion([0xcb, 0x83], 32_767),
        vec![write_config([0xc3, 0x83])],
        conversion([0xc3, 0x83], 12_000),
        vec![write_config([0xc5, 0x83])],
        conversion([0xc5, 0x83], 24_000),
        // Above four fifths of 2.048 V the next one would be 4.096 V.
        conversion([0xc5, 0x83], 27_200),
        vec![write_config([0xc3, 0x83])],
        conversion([0xc3, 0x83], 13_600),
    ];
    let mut bus = Mock::new(&script.concat());
    let chip = chip(vec![Ok(bus.clone())]);
    let mut auto = with_range(&chip, Channel::A0, Range::Auto { widest: Scale::new(4096).unwrap() });
    for expected in [200.0, 200.0, 1500.0, 1500.0, 1700.0, 1700.0] {
        assert_eq!(auto.millivolts(), Ok(expected));
    }
    bus.done();
}

#[test]
fn an_automatic_range_at_the_end_of_its_widest_scale_says_what_it_sees() {
    let mut bus = Mock::new(&[set_up(), conversion(START[0].1, 32_767)].concat());
    let chip = chip(vec![Ok(bus.clone())]);
    let mut auto = with_range(&chip, Channel::A0, Range::Auto { widest: Scale::new(4096).unwrap() });
    assert_eq!(auto.millivolts(), Ok(4095.875));
    bus.done();
}

#[test]
fn four_chips_on_one_bus_never_mix_their_values() {
    let addresses = [0x48, 0x49, 0x4a, 0x4b];
    let code = |round: i16, n: usize| 800 * (i16::try_from(n).unwrap() + 1) + 8 * round;
    let mut script = vec![];
    for round in 0..3 {
        for (n, address) in addresses.into_iter().enumerate() {
            if round == 0 {
                script.push(Transaction::write(address, vec![CONFIG, 0x85, 0x83]));
                script.push(Transaction::write(address, vec![CONFIG, SET_UP[0], SET_UP[1]]));
            }
            let start = START[n].1;
            script.push(Transaction::write_read(address, vec![CONFIG], IDLE.to_vec()));
            script.push(Transaction::write(address, vec![CONFIG, start[0], start[1]]));
            script.push(Transaction::write_read(address, vec![CONFIG], IDLE.to_vec()));
            script.push(Transaction::write_read(address, vec![CONVERSION], code(round, n).to_be_bytes().to_vec()));
        }
    }
    // One script for all four: the order of their bytes on the wire counts too.
    let mut bus = Mock::new(&script);
    let mut inputs: Vec<_> = addresses
        .into_iter()
        .enumerate()
        .map(|(n, address)| {
            let bus = bus.clone();
            let chip = Ads1115::new(Address::new(address).unwrap(), NoopDelay::new(), move || Ok(bus.clone()));
            input(&Arc::new(Mutex::new(chip)), START[n].0)
        })
        .collect();
    for round in 0..3 {
        for (n, input) in inputs.iter_mut().enumerate() {
            assert_eq!(input.millivolts(), Ok(f64::from(code(round, n)) / 8.0), "chip {n}, round {round}");
        }
    }
    bus.done();
}
