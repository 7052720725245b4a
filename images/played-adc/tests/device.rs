//! The device as the kernel and a caller see it: frames made by hand from `linux/fuse.h` and `linux/i2c-dev.h`.
#![allow(clippy::unwrap_used)] // a test may

use played_adc::{bus::Bus, chip::Steps, ioctl::Pointers, serve::Server};
use std::time::Duration;

const NOW: Duration = Duration::ZERO;

fn server() -> Server {
    server_for(Pointers::Of64Bits)
}

fn server_for(pointers: Pointers) -> Server {
    let flat = Steps { base: 1500.0, step: 0.0, count: 1 };
    Server::new(1, Bus::new(&[0x48], [flat; 4], Duration::ZERO), pointers)
}

/// `struct fuse_in_header` and what follows it.
fn request(opcode: u32, unique: u64, body: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(40 + body.len()).unwrap().to_le_bytes().to_vec();
    frame.extend(opcode.to_le_bytes());
    frame.extend(unique.to_le_bytes());
    frame.extend([0; 24]); // node, user, group, process, extensions
    frame.extend(body);
    frame
}

/// `struct fuse_ioctl_in` and what was read for it.
fn ioctl(command: u32, argument: u64, input: &[u8], room: u32) -> Vec<u8> {
    let mut body = [0; 12].to_vec(); // handle and flags
    body.extend(command.to_le_bytes());
    body.extend(argument.to_le_bytes());
    body.extend(u32::try_from(input.len()).unwrap().to_le_bytes());
    body.extend(room.to_le_bytes());
    body.extend(input);
    request(39, 7, &body)
}

/// `struct fuse_out_header` of frame 7.
fn head(length: u8, error: i32) -> Vec<u8> {
    [&[length, 0, 0, 0], &error.to_le_bytes()[..], &[7, 0, 0, 0, 0, 0, 0, 0]].concat()
}

fn retry(read: &[(u64, u64)], write: &[(u64, u64)]) -> Vec<u8> {
    let count = |pieces: &[(u64, u64)]| u8::try_from(pieces.len()).unwrap();
    let pieces: Vec<u8> = read
        .iter()
        .chain(write)
        .flat_map(|(base, length)| [base.to_le_bytes(), length.to_le_bytes()].concat())
        .collect();
    let ioctl = [0, 0, 0, 0, 4, 0, 0, 0, count(read), 0, 0, 0, count(write), 0, 0, 0];
    [head(u8::try_from(32 + pieces.len()).unwrap(), 0), ioctl.to_vec(), pieces].concat()
}

/// `struct i2c_rdwr_ioctl_data` with its messages at 0x2000.
fn rdwr(messages: u8) -> Vec<u8> {
    vec![0, 0x20, 0, 0, 0, 0, 0, 0, messages, 0, 0, 0, 0, 0, 0, 0]
}

/// `struct i2c_msg`, with its bytes on page `page`.
fn message(address: u8, flags: u8, length: u8, page: u8) -> Vec<u8> {
    vec![address, 0, flags, 0, length, 0, 0, 0, 0, page, 0, 0, 0, 0, 0, 0]
}

#[test]
fn the_device_is_named_and_may_ask_for_the_callers_memory() {
    // struct cuse_init_in: 7.41, flags.
    let answer = server().answer(&request(4096, 7, &[7, 0, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]), NOW).unwrap();
    let mut wanted = head(16 + 72 + 14, 0);
    wanted.extend([7, 0, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0, 0, 16, 0, 0]);
    wanted.extend([0; 48]); // the kernel chooses the device's number
    wanted.extend(b"DEVNAME=i2c-1\0");
    assert_eq!(answer, wanted);
    let older = server().answer(&request(4096, 7, &[7, 0, 0, 0, 31, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]), NOW).unwrap();
    assert_eq!(older[20], 31, "an older kernel is spoken to as it speaks");
}

#[test]
fn it_is_opened_and_closed_and_what_it_can_not_do_is_said() {
    let mut server = server();
    let mut answer = |opcode| server.answer(&request(opcode, 7, &[0; 32]), NOW);
    assert_eq!(answer(14), Some([head(32, 0), vec![0; 16]].concat()), "FUSE_OPEN");
    assert_eq!(answer(18), Some(head(16, 0)), "FUSE_RELEASE");
    assert_eq!(answer(40), Some(head(16, -38)), "FUSE_POLL: the kernel takes it for always ready");
    assert_eq!((answer(36), answer(2)), (None, None), "FUSE_INTERRUPT, FUSE_FORGET");
    assert_eq!(server.answer(&request(39, 7, &[0; 31]), NOW), None, "cut short");
}

#[test]
fn a_transfer_is_asked_for_in_three_rounds_and_then_done() {
    let mut server = server();
    let mut answer = |input: &[u8], room| server.answer(&ioctl(0x0707, 0x1000, input, room), NOW).unwrap();
    assert_eq!(answer(&[], 0), retry(&[(0x1000, 16)], &[]));
    let mut known = rdwr(2);
    assert_eq!(answer(&known, 0), retry(&[(0x1000, 16), (0x2000, 32)], &[]));
    known.extend([message(0x48, 0, 1, 0x30), message(0x48, 1, 2, 0x40)].concat());
    assert_eq!(answer(&known, 0), retry(&[(0x1000, 16), (0x2000, 32), (0x3000, 1)], &[(0x4000, 2)]));
    known.push(1); // the pointer of the configuration
    let two_messages_and_the_register = [head(34, 0), vec![2, 0, 0, 0], vec![0; 12], vec![0x85, 0x83]].concat();
    assert_eq!(answer(&known, 2), two_messages_and_the_register);
}

#[test]
fn a_caller_of_32_bits_has_shorter_structures_and_gets_the_same() {
    let mut server = server_for(Pointers::Of32Bits);
    let mut answer = |command, input: &[u8], room| server.answer(&ioctl(command, 0x1000, input, room), NOW).unwrap();
    let list = vec![0, 0x20, 0, 0, 2, 0, 0, 0];
    assert_eq!(answer(0x0707, &[], 0), retry(&[(0x1000, 8)], &[]));
    assert_eq!(answer(0x0707, &list, 0), retry(&[(0x1000, 8), (0x2000, 24)], &[]));
    let write = vec![0x48, 0, 0, 0, 1, 0, 0, 0, 0, 0x30, 0, 0];
    let read = vec![0x48, 0, 1, 0, 2, 0, 0, 0, 0, 0x40, 0, 0];
    let mut known = [list, write, read].concat();
    assert_eq!(answer(0x0707, &known, 0), retry(&[(0x1000, 8), (0x2000, 24), (0x3000, 1)], &[(0x4000, 2)]));
    known.push(1);
    assert_eq!(answer(0x0707, &known, 2), [head(34, 0), vec![2, 0, 0, 0], vec![0; 12], vec![0x85, 0x83]].concat());
    assert_eq!(answer(0x0705, &[], 0), retry(&[], &[(0x1000, 4)]), "I2C_FUNCS");
    assert_eq!(answer(0x0705, &[], 4), [head(36, 0), vec![0; 16], vec![1, 0, 0, 0]].concat());
}

#[test]
fn a_transfer_that_only_reads_is_known_when_there_is_room() {
    let mut server = server();
    let mut answer = |input: &[u8], room| server.answer(&ioctl(0x0707, 0x1000, input, room), NOW).unwrap();
    let known = [rdwr(1), message(0x48, 1, 1, 0x40)].concat();
    assert_eq!(answer(&known, 0), retry(&[(0x1000, 16), (0x2000, 16)], &[(0x4000, 1)]));
    assert_eq!(answer(&known, 1), [head(33, 0), vec![1, 0, 0, 0], vec![0; 13]].concat());
}

#[test]
fn what_no_bus_does_is_refused_with_the_errors_that_a_driver_gives() {
    let mut server = server();
    let mut answer = |command, input: &[u8], room| server.answer(&ioctl(command, 0x1000, input, room), NOW).unwrap();
    let elsewhere = [rdwr(1), message(0x49, 1, 1, 0x40)].concat();
    assert_eq!(answer(0x0707, &elsewhere, 1), head(16, -6), "nobody at 0x49: ENXIO");
    let ten_bits = [rdwr(1), message(0x48, 0x11, 1, 0x40)].concat();
    assert_eq!(answer(0x0707, &ten_bits, 1), head(16, -95), "a flag that is not played: EOPNOTSUPP");
    assert_eq!(answer(0x0707, &rdwr(0), 0), head(16, -22), "no messages: EINVAL");
    assert_eq!(answer(0x0707, &rdwr(43), 0), head(16, -22), "too many messages: EINVAL");
    assert_eq!(answer(0x0720, &[], 0), head(16, -25), "no SMBus: ENOTTY");
    assert_eq!(answer(0x0703, &[], 0), [head(32, 0), vec![0; 16]].concat(), "an address is set, and not needed");
    assert_eq!(answer(0x0705, &[], 0), retry(&[], &[(0x1000, 8)]), "I2C_FUNCS");
    assert_eq!(answer(0x0708, &[], 0), head(16, -25), "no check sums of SMBus to switch on");
    assert_eq!(answer(0x0705, &[], 8), [head(40, 0), vec![0; 16], vec![1, 0, 0, 0, 0, 0, 0, 0]].concat());
}

#[test]
fn the_check_sums_of_smbus_are_only_switched_off() {
    let off = server().answer(&ioctl(0x0708, 0, &[], 0), NOW);
    assert_eq!(off, Some([head(32, 0), vec![0; 16]].concat()));
}
