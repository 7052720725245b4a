//! The ioctls of `/dev/i2c-N` (`linux/i2c-dev.h`): which memory of the caller they need, and what they mean. Knows no
//! frame's layout and no chip.
//!
//! It remembers nothing: each time it says what must be known, until it is.

use crate::bus::Message;
use crate::frame::{EINVAL, ENOTTY, EOPNOTSUPP, Errno, Ioctl, Piece, u16_at, u32_at, u64_at};

const I2C_SLAVE: u32 = 0x0703;
const I2C_FUNCS: u32 = 0x0705;
const I2C_RDWR: u32 = 0x0707;
const I2C_PEC: u32 = 0x0708;
/// `I2C_FUNC_I2C`: plain transfers, and no SMBus.
const FUNCTIONS: u64 = 1;
/// Flag of a message: from the chip.
const I2C_M_RD: u16 = 1;
/// `I2C_RDWR_IOCTL_MAX_MSGS`.
const MOST_MESSAGES: usize = 42;
/// Length of both `struct i2c_rdwr_ioctl_data` and `struct i2c_msg`.
const STRUCT: usize = 16;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Read more of the caller's memory, and make room in it.
    Ask {
        /// To be read.
        read: Vec<Piece>,
        /// To be written afterwards.
        write: Vec<Piece>,
    },
    /// All is known: messages, each with its chip's address.
    Transfer(Vec<(u16, Message)>),
    /// This is the result.
    Done(Vec<u8>),
}

/// The next step of an ioctl.
///
/// # Errors
/// The error number that the caller gets.
pub fn step(ioctl: &Ioctl<'_>) -> Result<Step, Errno> {
    match ioctl.command {
        // Each message carries its own address.
        I2C_SLAVE => Ok(Step::Done(vec![])),
        // SMBus's check sums: the driver switches them off when it opens the bus.
        I2C_PEC if ioctl.argument == 0 => Ok(Step::Done(vec![])),
        I2C_FUNCS => Ok(answer_into(ioctl, &FUNCTIONS.to_le_bytes())),
        I2C_RDWR => transfer(ioctl),
        _ => Err(ENOTTY),
    }
}

fn answer_into(ioctl: &Ioctl<'_>, output: &[u8]) -> Step {
    if ioctl.room == output.len() {
        return Step::Done(output.to_vec());
    }
    Step::Ask { read: vec![], write: vec![piece(ioctl.argument, output.len())] }
}

fn piece(base: u64, length: usize) -> Piece {
    Piece { base, length: length as u64 }
}

/// A transfer is known in three rounds: where its messages are, where their bytes are, and the bytes.
fn transfer(ioctl: &Ioctl<'_>) -> Result<Step, Errno> {
    let input = ioctl.input;
    let mut read = vec![piece(ioctl.argument, STRUCT)];
    if input.len() < STRUCT {
        return Ok(Step::Ask { read, write: vec![] });
    }
    let (list, count) = (u64_at(input, 0).ok_or(EINVAL)?, u32_at(input, 8).ok_or(EINVAL)?);
    let count = usize::try_from(count).ok().filter(|count| (1..=MOST_MESSAGES).contains(count)).ok_or(EINVAL)?;
    read.push(piece(list, count * STRUCT));
    let Some((heads, mut bytes)) = input.get(STRUCT..).and_then(|rest| rest.split_at_checked(count * STRUCT)) else {
        return Ok(Step::Ask { read, write: vec![] });
    };
    let mut write = vec![];
    let mut messages = vec![];
    let (mut known, mut room) = (true, 0);
    for head in heads.chunks_exact(STRUCT) {
        let (address, flags) = (u16_at(head, 0).ok_or(EINVAL)?, u16_at(head, 2).ok_or(EINVAL)?);
        let (length, base) = (usize::from(u16_at(head, 4).ok_or(EINVAL)?), u64_at(head, 8).ok_or(EINVAL)?);
        match flags {
            0 => {
                read.push(piece(base, length));
                let own = bytes.split_off(..length);
                known &= own.is_some();
                messages.push((address, Message::Write(own.unwrap_or_default().to_vec())));
            }
            I2C_M_RD => {
                write.push(piece(base, length));
                room += length;
                messages.push((address, Message::Read(length)));
            }
            _ => return Err(EOPNOTSUPP),
        }
    }
    Ok(if known && room == ioctl.room { Step::Transfer(messages) } else { Step::Ask { read, write } })
}
