//! Where the first partition of a disk lies, by its master boot record. Knows no file system.

use super::ImageError;
use std::io::{Read, Seek, SeekFrom};

const SECTOR: u64 = 512;
/// FAT32, by cylinders and by sectors.
const FAT32: [u8; 2] = [0x0b, 0x0c];

/// Where a partition lies, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Partition {
    /// Its first byte.
    pub begin: u64,
    /// The byte after its last.
    pub end: u64,
}

/// The first partition, which lies within the disk.
pub(super) fn first(disk: &mut (impl Read + Seek)) -> Result<Partition, ImageError> {
    let has = disk.seek(SeekFrom::End(0))?;
    disk.rewind()?;
    let mut record = [0; 512];
    if has < SECTOR {
        return Err(ImageError::NoTable);
    }
    disk.read_exact(&mut record)?;
    // The first of four entries begins at 446: type at 4, first sector at 8, sectors at 12.
    let [.., 0x55, 0xaa] = record else { return Err(ImageError::NoTable) };
    let (kind, sectors) = (record[450], &record[454..462]);
    if !FAT32.contains(&kind) {
        return Err(if kind == 0 { ImageError::NoTable } else { ImageError::NotFat(kind) });
    }
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let (begin, length) = (number(&sectors[..4]) * SECTOR, number(&sectors[4..]) * SECTOR);
    let end = begin + length;
    if end > has { Err(ImageError::Short { has, needs: end }) } else { Ok(Partition { begin, end }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn disk(kind: u8, sectors: usize) -> Cursor<Vec<u8>> {
        let mut bytes = vec![0; sectors * 512];
        bytes[446..462].copy_from_slice(&[0, 0, 0, 0, kind, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
        bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
        Cursor::new(bytes)
    }

    #[test]
    fn the_first_partition_lies_where_its_entry_says() {
        for kind in FAT32 {
            assert_eq!(first(&mut disk(kind, 5)).unwrap(), Partition { begin: 1024, end: 2560 });
        }
    }

    #[test]
    fn what_is_no_image_is_told_apart() {
        let said = |mut disk: Cursor<Vec<u8>>| first(&mut disk).unwrap_err().to_string();
        assert!(said(disk(0x0c, 4)).contains("it has 2048 bytes and its boot partition ends at 2560"));
        assert!(said(disk(0x83, 5)).contains("type 0x83"));
        assert!(said(disk(0, 5)).contains("no table of partitions"));
        assert!(said(Cursor::new(vec![0; 2048])).contains("no table of partitions"));
        assert!(said(Cursor::new(b"short".to_vec())).contains("no table of partitions"));
    }
}
