//! An image as it is downloaded, unpacked: Zstandard (RFC 8878). Knows nothing of what is in it.

use super::ImageError;
use ruzstd::decoding::StreamingDecoder;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// `zstd --long=27`: more memory no image of ours needs.
const WINDOW: u64 = 128 << 20;

/// Whether a file is packed, whatever it is called.
///
/// # Errors
/// When it can't be read.
pub fn is_packed(path: &Path) -> io::Result<bool> {
    let mut start = [0; 4];
    match File::open(path)?.read_exact(&mut start) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| start == MAGIC),
    }
}

/// Unpacks, or copies what is not packed, into a file that there is not yet; `progress` is told how many of how many
/// bytes were read. What could not be finished is removed.
///
/// # Errors
/// When it can't be read or written, or is damaged.
pub fn unpack(from: &Path, to: &Path, progress: impl FnMut(u64, u64)) -> Result<(), ImageError> {
    let packed = is_packed(from)?;
    let input = File::open(from)?;
    // It will hold a token and maybe a passphrase.
    let mut output = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let done = pour(input, packed, &mut output, progress);
    if done.is_err() {
        let _ = std::fs::remove_file(to);
    }
    done
}

fn pour(input: File, packed: bool, output: &mut File, mut progress: impl FnMut(u64, u64)) -> Result<(), ImageError> {
    let all = input.metadata()?.len();
    let mut input = BufReader::with_capacity(1 << 20, input);
    let mut chunk = vec![0; 1 << 20];
    while !input.fill_buf()?.is_empty() {
        if packed {
            let damaged = |why: &dyn std::fmt::Display| ImageError::Packed(why.to_string());
            let mut frame =
                StreamingDecoder::new_with_max_window_size(&mut input, WINDOW).map_err(|error| damaged(&error))?;
            loop {
                let length = frame.read(&mut chunk).map_err(|error| damaged(&error))?;
                if length == 0 {
                    break;
                }
                output.write_all(&chunk[..length])?;
                progress(frame.get_mut().stream_position()?, all);
            }
            let stored = frame.decoder.get_checksum_from_data();
            if stored.is_some() && stored != frame.decoder.get_calculated_checksum() {
                return Err(damaged(&"its check sum is wrong"));
            }
        } else {
            let length = input.read(&mut chunk)?;
            output.write_all(&chunk[..length])?;
            progress(input.stream_position()?, all);
        }
    }
    Ok(output.sync_all()?)
}
