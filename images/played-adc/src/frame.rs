//! The frames of FUSE and CUSE, as bytes: `linux/fuse.h`, version 7.38. Knows no device and no I2C.

/// An error number of Linux.
pub type Errno = i32;
/// No such device or address: what an I2C driver says when no chip answers.
pub const ENXIO: Errno = 6;
/// An argument makes no sense.
pub const EINVAL: Errno = 22;
/// No such ioctl.
pub const ENOTTY: Errno = 25;
/// No such request.
pub const ENOSYS: Errno = 38;
/// Something that is not played.
pub const EOPNOTSUPP: Errno = 95;

/// The newest version of the protocol that is spoken: 7.38.
const MAJOR: u32 = 7;
const MINOR: u32 = 38;
/// ioctls whose arguments point on to more: the kernel fetches it when it is asked to.
const CUSE_UNRESTRICTED_IOCTL: u32 = 1;
const FUSE_IOCTL_RETRY: u32 = 1 << 2;
/// Bytes that a read or write may have. Nobody reads or writes here without an ioctl.
const LARGEST: u32 = 4096;
/// Length of `struct fuse_in_header`.
const HEADER: usize = 40;
/// Length of `struct fuse_ioctl_in`.
const IOCTL: usize = 32;

/// A piece of the caller's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins.
    pub base: u64,
    /// How many bytes.
    pub length: u64,
}

/// What the kernel asks.
#[derive(Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Which device there shall be; the kernel speaks this minor version.
    Init(u32),
    /// Somebody opens the device.
    Open,
    /// Somebody closes it.
    Release,
    /// An ioctl.
    Ioctl(Ioctl<'a>),
    /// To forget something: there is no answer.
    Silent,
    /// Anything else.
    Other,
}

/// An ioctl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ioctl<'a> {
    /// Its number.
    pub command: u32,
    /// Its argument: a number, or where it lies in the caller's memory.
    pub argument: u64,
    /// What was asked for of the caller's memory.
    pub input: &'a [u8],
    /// How many bytes may be written back there.
    pub room: usize,
}

/// A number at an offset.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

/// A number at an offset.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// A number at an offset.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Takes a frame apart: its number, by which it is answered, and what it asks. `None` if it is too short.
#[must_use]
pub fn parse(frame: &[u8]) -> Option<(u64, Request<'_>)> {
    let (opcode, unique) = (u32_at(frame, 4)?, u64_at(frame, 8)?);
    let body = frame.get(HEADER..)?;
    let request = match opcode {
        4096 => Request::Init(u32_at(body, 4)?),
        14 => Request::Open,
        18 => Request::Release,
        39 => Request::Ioctl(Ioctl {
            command: u32_at(body, 12)?,
            argument: u64_at(body, 16)?,
            input: body.get(IOCTL..)?.get(..usize::try_from(u32_at(body, 24)?).ok()?)?,
            room: usize::try_from(u32_at(body, 28)?).ok()?,
        }),
        // FUSE_FORGET and FUSE_INTERRUPT: whatever is interrupted was answered before the next frame was read.
        2 | 36 => Request::Silent,
        _ => Request::Other,
    };
    Some((unique, request))
}

/// An answer: `struct fuse_out_header` and what follows it.
fn answer(unique: u64, error: Errno, numbers: &[u32], rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + numbers.len() * 4 + rest.len()).unwrap_or(u32::MAX);
    let mut frame = length.to_le_bytes().to_vec();
    frame.extend((-error).to_le_bytes());
    frame.extend(unique.to_le_bytes());
    frame.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    frame.extend(rest);
    frame
}

/// The answer to [`Request::Init`]: a device of this name, with whatever device number is free.
#[must_use]
pub fn device(unique: u64, minor: u32, name: &str) -> Vec<u8> {
    let mut numbers = [0; 18];
    numbers[..6].copy_from_slice(&[MAJOR, minor.min(MINOR), 0, CUSE_UNRESTRICTED_IOCTL, LARGEST, LARGEST]);
    answer(unique, 0, &numbers, format!("DEVNAME={name}\0").as_bytes())
}

/// The answer to [`Request::Open`].
#[must_use]
pub fn opened(unique: u64) -> Vec<u8> {
    answer(unique, 0, &[0; 4], &[])
}

/// The answer that there is nothing to say.
#[must_use]
pub fn done(unique: u64) -> Vec<u8> {
    answer(unique, 0, &[], &[])
}

/// The answer that it failed.
#[must_use]
pub fn failed(unique: u64, error: Errno) -> Vec<u8> {
    answer(unique, error, &[], &[])
}

/// The answer to an ioctl that worked: its result, and what is written back into the caller's memory.
#[must_use]
pub fn result(unique: u64, result: u32, output: &[u8]) -> Vec<u8> {
    answer(unique, 0, &[result, 0, 0, 0], output)
}

/// The answer to an ioctl that more must be known for: it comes again with these pieces read, and room for those.
#[must_use]
pub fn retry(unique: u64, read: &[Piece], write: &[Piece]) -> Vec<u8> {
    let count = |pieces: &[Piece]| u32::try_from(pieces.len()).unwrap_or(u32::MAX);
    let pieces: Vec<u8> =
        read.iter().chain(write).flat_map(|p| [p.base.to_le_bytes(), p.length.to_le_bytes()].concat()).collect();
    answer(unique, 0, &[0, FUSE_IOCTL_RETRY, count(read), count(write)], &pieces)
}
