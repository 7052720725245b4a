//! What a site adds to the one image: files on its boot partition. Works on an image and on a card alike. Knows no
//! command line and no server.

mod partition;
mod unpack;

pub use unpack::{is_packed, unpack};

use fatfs::{FileSystem, FsOptions};
use fscommon::StreamSlice;
use partition::Partition;
use shared::fleet::FLEET_FILE;
use shared::setup::{SETUP_FILE, SetupFile, without_values};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// The name of the boot partition of every image of ours. What has another one is somebody else's disk.
pub const BOOT_LABEL: &str = "TIRTA-BOOT";

/// Why an image can't be worked on. The image's name stands before it.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It can't be opened, read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A card whose partitions are in use.
    #[error("it is mounted: unmount its partitions first, so that nothing else writes to them")]
    Mounted,
    /// It has no table of partitions.
    #[error("it is no image of a card: its first sector has no table of partitions; name the .img or .img.zst file")]
    NoTable,
    /// The first partition is something else.
    #[error("its first partition has type {0:#04x} and not FAT32: is it an image of Tirta?")]
    NotFat(u8),
    /// It ends before its boot partition does.
    #[error("it is cut short: it has {has} bytes and its boot partition ends at {needs}; download or unpack it again")]
    Short {
        /// Bytes that there are.
        has: u64,
        /// Bytes that there must be.
        needs: u64,
    },
    /// The boot partition can't be read.
    #[error("its boot partition holds no FAT file system ({0}): download or unpack it again")]
    Broken(io::Error),
    /// A disk that is not ours.
    #[error(
        "its first partition is named {0:?} and not {BOOT_LABEL}: it is no image of Tirta, and nothing was written"
    )]
    Foreign(String),
    /// A file that is there can't be read.
    #[error("{SETUP_FILE} on it can't be kept: {0}; replace it with --setup FILE")]
    Setup(String),
    /// It could not be unpacked.
    #[error("it can't be unpacked: {0}; download it again")]
    Packed(String),
}

/// The boot partition of an image or a card.
pub struct Boot {
    disk: File,
    files: FileSystem<StreamSlice<File>>,
}

impl Boot {
    /// Opens it.
    ///
    /// # Errors
    /// When it is in use, or none of ours.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        if cfg!(target_os = "linux") && path.metadata()?.file_type().is_block_device() {
            // O_EXCL: Linux then refuses a disk of which a partition is mounted.
            options.custom_flags(0o200);
        }
        let mut disk = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::ResourceBusy => ImageError::Mounted,
            _ => error.into(),
        })?;
        let Partition { begin, end } = partition::first(&mut disk)?;
        let slice = StreamSlice::new(disk.try_clone()?, begin, end)?;
        let files = FileSystem::new(slice, FsOptions::new()).map_err(ImageError::Broken)?;
        let label = files.volume_label();
        if label == BOOT_LABEL { Ok(Self { disk, files }) } else { Err(ImageError::Foreign(label)) }
    }

    /// The set-up file that is there; an empty one if there is none.
    ///
    /// # Errors
    /// When it can't be read or makes no sense.
    pub fn setup(&self) -> Result<SetupFile, ImageError> {
        let mut text = String::new();
        match self.files.root_dir().open_file(SETUP_FILE) {
            Ok(mut file) => file.read_to_string(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(SetupFile::default()),
            Err(error) => return Err(error.into()),
        };
        // Editors of Windows begin a file with a mark. And the parser's own words would show a passphrase's line.
        toml::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|e: toml::de::Error| ImageError::Setup(without_values(e.message())))
    }

    /// Writes what is given, in place of what is there, and returns when it is on the disk.
    ///
    /// # Errors
    /// When it can't be written, such as when the partition is full.
    pub fn write(self, fleet: Option<&str>, setup: Option<&str>) -> Result<(), ImageError> {
        for (name, text) in [(FLEET_FILE, fleet), (SETUP_FILE, setup)] {
            let Some(text) = text else { continue };
            let root = self.files.root_dir();
            let mut file = root.create_file(name)?;
            file.truncate()?;
            file.write_all(text.as_bytes())?;
            file.flush()?;
        }
        self.files.unmount()?;
        Ok(self.disk.sync_all()?)
    }
}
