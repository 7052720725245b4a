//! A first look at an SQLite file before it is opened: whether it is one, and whole. SQLite itself would
//! notice only when it needs what is missing, perhaps weeks later.

use super::StoreError;
use std::{fs::File, io::ErrorKind, io::Read, path::Path};

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Refuses a file that is no SQLite database or ends too early. One that does not exist, or has
/// nothing in it, is fine: it will be made.
pub(super) fn check(path: &Path) -> Result<(), StoreError> {
    let damaged = |why: String| StoreError::Corrupt { what: "database", why: format!("{}: {why}", path.display()) };
    let unreadable = |error: std::io::Error| damaged(error.to_string());
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(error)),
    };
    let length = file.metadata().map_err(unreadable)?.len();
    if length == 0 {
        return Ok(());
    }
    let mut header = [0; 100];
    let read = file.read_exact(&mut header);
    if read.is_err() || &header[..16] != MAGIC {
        return Err(damaged("it is no SQLite database; it is left as it is".to_owned()));
    }
    let page_size = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]));
    // The number of pages counts only if it was written with the last change.
    let counts = header[24..28] == header[92..96];
    // While there is a log, the file's last pages may still be in it.
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let logged = std::fs::metadata(log).is_ok_and(|log| log.len() > 0);
    let expected = pages * page_size;
    if counts && !logged && length < expected {
        let why = format!("it has {length} bytes of {expected}; it is left as it is: restore a copy");
        return Err(damaged(why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(bytes: &[u8]) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tirta.db");
        std::fs::write(&path, bytes).unwrap();
        check(&path).map_err(|e| e.to_string())
    }

    #[test]
    fn a_file_that_is_new_or_whole_is_fine_and_others_are_named_with_the_reason() {
        assert!(check(Path::new("/nowhere/tirta.db")).is_ok());
        assert!(judged(b"").is_ok());
        let mut two_pages = MAGIC.to_vec();
        two_pages.resize(8192, 0);
        two_pages[16..18].copy_from_slice(&4096_u16.to_be_bytes());
        two_pages[28..32].copy_from_slice(&2_u32.to_be_bytes());
        assert!(judged(&two_pages).is_ok());
        assert!(judged(&two_pages[..8191]).unwrap_err().contains("8191 bytes of 8192"));
        assert!(judged(&two_pages[..50]).unwrap_err().contains("no SQLite database"));
        assert!(judged(b"notes").unwrap_err().contains("tirta.db: it is no SQLite database"));
    }
}
