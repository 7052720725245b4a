//! A card that came from another board: nothing of the other's identity is ever used here, its key leaves the
//! card, and its readings are kept apart. Knows no network.
//!
//! A note is written before anything is touched and says when all is done, so that a power cut in between
//! neither brings the other's identity back nor lets anybody forget whose card it was.

use super::{Home, IdentityError, broken, read_if_there, write};
use crate::{buffer, calibrate, files, settings};
use serde::{Deserialize, Serialize};
use shared::enrol::CopiedFrom;
use shared::{DeviceName, Serial};
use std::io;
use std::path::{Path, PathBuf};

/// The note's name below `data_dir`.
const NOTE: &str = "copied.toml";
/// Where buffers of other boards are kept, each in a folder of its own.
const FOLDER: &str = "copied";

/// `copied.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The board that found the card to be another's.
    board: Serial,
    /// Whose card it was.
    serial: Serial,
    /// Its name, if it had enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<DeviceName>,
    /// The folder with its buffer, below `data_dir`.
    buffer: String,
    /// Whether everything of the other's is put away.
    done: bool,
    /// Whether the server has decided: it gave this board another name.
    #[serde(default)]
    decided: bool,
}

impl Home {
    /// Makes sure that what lies here is this board's: an identity, or a key alone, that came with the card from
    /// another board is wiped, and that board's buffer is kept apart. To be called before anything here is used.
    ///
    /// # Errors
    /// When a file can't be read, written or moved; nothing of the other's may be used then.
    pub fn settle(&self, board: Serial) -> Result<(), IdentityError> {
        self.finish_putting_away(board)?;
        let found = match self.note()? {
            // Cut off in the middle, perhaps in another board: what is left is still the first one's.
            Some(note) if !note.done => Some(Note { board, ..note }),
            known => match self.other(board)? {
                Some((serial, name)) => {
                    let buffer = self.free_folder(serial);
                    Some(Note { board, serial, name, buffer, done: false, decided: false })
                }
                // It went on to another board before this one had a key.
                None => known.filter(|note| note.board != board).map(|note| Note { board, ..note }),
            },
        };
        if let Some(note) = found {
            self.write_note(&note)?;
            self.put_aside(&note)?;
            self.write_note(&Note { done: true, ..note })?;
        }
        // The pair is read from where it waits: a card that is full must not keep a device from measuring.
        if let Err(error) = self.complete_renewal() {
            tracing::error!(%error, "the renewed certificate is not in its place yet");
        }
        Ok(())
    }

    /// A power cut while the identity was put away: the key went first, and with another key it would be nobody's.
    fn finish_putting_away(&self, board: Serial) -> Result<(), IdentityError> {
        let own = self.read_card()?.is_some_and(|card| card.serial == board);
        if own && self.read_key()?.is_none() { self.let_go() } else { Ok(()) }
    }

    /// Whose this card is, if it is not this board's: serial, and name if it had enrolled. Changes nothing.
    ///
    /// # Errors
    /// When a file can't be read.
    pub fn other(&self, board: Serial) -> Result<Option<(Serial, Option<DeviceName>)>, IdentityError> {
        if let Some(card) = self.read_card()?.filter(|card| card.serial != board) {
            return Ok(Some((card.serial, Some(card.name))));
        }
        let key = self.read_key()?.and_then(|key| key.board);
        Ok(key.filter(|serial| *serial != board).map(|serial| (serial, None)))
    }

    /// What to tell the server about the card.
    ///
    /// # Errors
    /// When the note can't be read.
    pub fn copied_from(&self) -> Result<Option<CopiedFrom>, IdentityError> {
        let note = self.note()?.filter(|note| !note.decided);
        Ok(note.and_then(|note| Some(CopiedFrom { name: note.name?, serial: note.serial })))
    }

    /// The folder with the buffer that this device may send as its own: it has taken the place of the board that
    /// the card came from, name and all.
    ///
    /// # Errors
    /// When the note can't be read.
    pub fn inherited(&self, name: &DeviceName) -> Result<Option<PathBuf>, IdentityError> {
        let note = self.note()?.filter(|note| note.done && !note.decided && note.name.as_ref() == Some(name));
        Ok(note.map(|note| self.0.join(note.buffer)))
    }

    /// Everything that was inherited is at the server: removes that buffer, then the note of it.
    ///
    /// # Errors
    /// When a file can't be removed.
    pub fn end_inheritance(&self, folder: &Path) -> Result<(), IdentityError> {
        let path = buffer::path(folder);
        // The logs last: alone they are nothing, but the file without its log would be an older buffer.
        for path in [path.clone(), files::beside(&path, "-wal"), files::beside(&path, "-shm")] {
            remove(&path)?;
        }
        remove(&self.0.join(NOTE))?;
        // It stays if something else lies in it: a broken file that was set aside.
        let _ = std::fs::remove_dir(folder);
        Ok(())
    }

    /// How many buffers of other boards lie on this card and are not for this device to send.
    pub fn kept_for_others(&self, name: Option<&DeviceName>) -> u32 {
        let own = name.and_then(|name| self.inherited(name).ok().flatten());
        let entries = std::fs::read_dir(self.0.join(FOLDER)).into_iter().flatten().flatten();
        let others = entries.filter(|entry| Some(entry.path()) != own && buffer::path(&entry.path()).exists());
        u32::try_from(others.count()).unwrap_or(u32::MAX)
    }

    /// The server has given this board its name.
    pub(super) fn named(&self, name: &DeviceName) -> Result<(), IdentityError> {
        match self.note()? {
            Some(note) if note.name.as_ref() != Some(name) && !note.decided => {
                self.write_note(&Note { decided: true, ..note })
            }
            _ => Ok(()),
        }
    }

    fn note(&self) -> Result<Option<Note>, IdentityError> {
        let path = self.0.join(NOTE);
        let Some(text) = read_if_there(&path)? else { return Ok(None) };
        toml::from_str(&text).map(Some).map_err(|error| broken(&path, error.message()))
    }

    fn write_note(&self, note: &Note) -> Result<(), IdentityError> {
        let path = self.0.join(NOTE);
        let text = toml::to_string(note).map_err(|error| broken(&path, &error.to_string()))?;
        write(&path, &text, 0o644)
    }

    /// A folder that has no buffer yet: a board's card may have been copied more than once.
    fn free_folder(&self, serial: Serial) -> String {
        let name = |n: u32| if n == 1 { format!("{FOLDER}/{serial}") } else { format!("{FOLDER}/{serial}-{n}") };
        (1..).map(name).find(|name| !self.0.join(name).exists()).unwrap_or_else(|| name(1))
    }

    /// Each step may be repeated. The key goes first: from then on nobody can be the other board by this card.
    fn put_aside(&self, note: &Note) -> Result<(), IdentityError> {
        let other = note.name.as_ref().map_or("a board without a name", DeviceName::as_str);
        tracing::warn!(board = %note.board, serial = %note.serial, %other, kept = %note.buffer,
            "this card comes from another board: its identity is wiped, its readings are kept apart, and this board enrols as itself");
        remove(&self.key())?;
        remove(&self.renewed())?;
        let folder = self.0.join(&note.buffer);
        files::make_folder(&folder).map_err(|error| failed(&folder, error))?;
        let path = buffer::path(&self.0);
        for path in [path.clone(), files::beside(&path, "-wal"), files::beside(&path, "-shm")] {
            files::move_into(&path, &folder).map_err(|error| failed(&path, error))?;
        }
        for name in [settings::FILE_NAME, calibrate::FILE_NAME, "device.pem", "ca.pem"] {
            remove(&self.0.join(name))?;
        }
        remove(&self.card())
    }
}

pub(super) fn remove(path: &Path) -> Result<(), IdentityError> {
    files::remove(path).map_err(|error| failed(path, error))
}

fn failed(path: &Path, error: io::Error) -> IdentityError {
    IdentityError::File { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests;
