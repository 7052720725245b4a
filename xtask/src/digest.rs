//! SHA-256 as people write it. Knows not what of.

use ring::digest::{Context, SHA256, digest};
use std::{fmt::Write, fs::File, io, io::Read, path::Path};

/// Of bytes, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Of a file, which may be larger than the memory.
///
/// # Errors
/// When it can't be read.
pub fn sha256_of_file(file: &Path) -> io::Result<String> {
    let (mut from, mut context, mut block) = (File::open(file)?, Context::new(&SHA256), vec![0; 1 << 20]);
    loop {
        let count = from.read(&mut block)?;
        if count == 0 {
            return Ok(hex(context.finish().as_ref()));
        }
        context.update(block.get(..count).unwrap_or_default());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_sum_of_its_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((sha256(b"abc").as_str(), sha256_of_file(file.path()).unwrap().as_str()), (sum, sum));
    }
}
