//! The ioctls of `/dev/i2c-N` (`linux/i2c-dev.h`): which memory of the caller they need, and what they mean. Knows no
//! frame's layout and no chip.
//!
//! It remembers nothing: each time it says what must be known, until it is.

use crate::bus::Message;
use crate::frame::{EINVAL, ENOTTY, EOPNOTSUPP, Errno, Ioctl, Piece, u16_at, u32_at, u64_at};

/// How long pointers and `unsigned long` are in the caller's memory, which its structures follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointers {
    /// Four bytes.
    Of32Bits,
    /// Eight bytes.
    Of64Bits,
}

impl Pointers {
    /// Those of this program, and so of its callers.
    #[must_use]
    pub fn ours() -> Self {
        if cfg!(target_pointer_width = "64") { Self::Of64Bits } else { Self::Of32Bits }
    }

    fn length(self) -> usize {
        match self {
            Self::Of32Bits => 4,
            Self::Of64Bits => 8,
        }
    }

    /// Of `struct i2c_rdwr_ioctl_data`: a pointer and a number, filled up to two pointers.
    fn list(self) -> usize {
        2 * self.length()
    }

    /// Of `struct i2c_msg`: three short numbers, filled up to eight bytes, and a pointer.
    fn message(self) -> usize {
        8 + self.length()
    }

    /// A pointer at an offset.
    fn at(self, bytes: &[u8], at: usize) -> Option<u64> {
        match self {
            Self::Of32Bits => u32_at(bytes, at).map(u64::from),
            Self::Of64Bits => u64_at(bytes, at),
        }
    }
}

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
pub fn step(ioctl: &Ioctl<'_>, pointers: Pointers) -> Result<Step, Errno> {
    match ioctl.command {
        // Each message carries its own address.
        I2C_SLAVE => Ok(Step::Done(vec![])),
        // SMBus's check sums: the driver switches them off when it opens the bus.
        I2C_PEC if ioctl.argument == 0 => Ok(Step::Done(vec![])),
        I2C_FUNCS => Ok(answer_into(ioctl, FUNCTIONS.to_le_bytes().get(..pointers.length()).unwrap_or_default())),
        I2C_RDWR => transfer(ioctl, pointers),
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
fn transfer(ioctl: &Ioctl<'_>, pointers: Pointers) -> Result<Step, Errno> {
    let input = ioctl.input;
    let mut read = vec![piece(ioctl.argument, pointers.list())];
    if input.len() < pointers.list() {
        return Ok(Step::Ask { read, write: vec![] });
    }
    let list = pointers.at(input, 0).ok_or(EINVAL)?;
    let count = u32_at(input, pointers.length()).ok_or(EINVAL)?;
    let count = usize::try_from(count).ok().filter(|count| (1..=MOST_MESSAGES).contains(count)).ok_or(EINVAL)?;
    let all = count * pointers.message();
    read.push(piece(list, all));
    let Some((heads, mut bytes)) = input.get(pointers.list()..).and_then(|rest| rest.split_at_checked(all)) else {
        return Ok(Step::Ask { read, write: vec![] });
    };
    let mut write = vec![];
    let mut messages = vec![];
    let (mut known, mut room) = (true, 0);
    for head in heads.chunks_exact(pointers.message()) {
        let (address, flags) = (u16_at(head, 0).ok_or(EINVAL)?, u16_at(head, 2).ok_or(EINVAL)?);
        let (length, base) = (usize::from(u16_at(head, 4).ok_or(EINVAL)?), pointers.at(head, 8).ok_or(EINVAL)?);
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
