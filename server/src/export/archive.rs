//! A ZIP archive that is made while it is sent: nothing in it is written twice, so nothing of it is kept. What is not finished
//! has no directory, and no program takes it for whole.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A member that may be longer than this needs numbers that old programs don't read.
const LONG: u64 = 4_000_000_000;

/// The archive.
pub struct Archive {
    zip: ZipWriter<StreamWriter<Sent>>,
    sent: Sent,
    modified: DateTime,
}

/// What is ready to be sent.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<u8>>>);

impl Sent {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Archive {
    /// Begins an archive whose members say that they are of this time: year, month, day, hour, minute, second.
    pub fn new((year, month, day, hour, minute, second): (u16, u8, u8, u8, u8, u8)) -> Self {
        let sent = Sent::default();
        let modified = DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default();
        Self { zip: ZipWriter::new_stream(sent.clone()), sent, modified }
    }

    /// Begins the next member, which has about so many bytes.
    ///
    /// # Errors
    /// When there is one of this name.
    pub fn begin(&mut self, name: &str, about: u64) -> Result<(), ZipError> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let options = options.last_modified_time(self.modified).unix_permissions(0o644).large_file(about > LONG);
        self.zip.start_file(name, options)
    }

    /// Adds to the member.
    ///
    /// # Errors
    /// When it is longer than it was said to be.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.zip.write_all(bytes)
    }

    /// What is ready to be sent.
    pub fn take(&mut self) -> Vec<u8> {
        self.sent.take()
    }

    /// Ends the archive; the last bytes of it.
    ///
    /// # Errors
    /// When its directory can't be written.
    pub fn finish(self) -> Result<Vec<u8>, ZipError> {
        let Self { zip, sent, .. } = self;
        zip.finish()?;
        Ok(sent.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    const AT: (u16, u8, u8, u8, u8, u8) = (2025, 11, 21, 9, 0, 0);

    #[test]
    fn an_archive_that_was_sent_piece_by_piece_is_read_back_and_a_part_of_it_is_none() {
        let mut archive = Archive::new(AT);
        let mut bytes = vec![];
        for (name, about) in [("README.txt", 10), ("readings/pi-1.csv", LONG + 1)] {
            archive.begin(name, about).unwrap();
            for n in 0..20_000 {
                archive.write(format!("{name} {n}\n").as_bytes()).unwrap();
                bytes.extend(archive.take());
            }
        }
        let before_the_end = bytes.len();
        bytes.extend(archive.finish().unwrap());
        assert!(zip::ZipArchive::new(io::Cursor::new(&bytes[..before_the_end])).is_err());
        let mut read = zip::ZipArchive::new(io::Cursor::new(&bytes)).unwrap();
        assert_eq!(read.len(), 2);
        let mut text = String::new();
        read.by_name("readings/pi-1.csv").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text.lines().count(), 20_000);
        assert_eq!(text.lines().last(), Some("readings/pi-1.csv 19999"));
    }
}
