//! The file in the making: a table, or an archive of tables that counts the lines of each. Knows no reading.

use super::{Format, Order, archive::Archive, make::Broken};
use jiff::Timestamp;
use serde::Serialize;

/// About as many bytes a line has.
const LINE: u64 = 150;

/// A file, and what of it is ready to be sent.
pub enum File {
    /// One table.
    Table(Vec<u8>),
    /// Several.
    Archive {
        /// Made as it goes.
        archive: Box<Archive>,
        /// Those that were begun.
        members: Vec<Member>,
    },
}

/// A table of an archive.
#[derive(Debug, Serialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Lines without the heading.
    pub rows: u64,
}

impl File {
    /// Begins one.
    pub fn new(order: &Order) -> Self {
        if order.format == Format::Csv {
            return Self::Table(vec![]);
        }
        let local = Timestamp::from_millisecond(order.at.0).unwrap_or_default().to_zoned(order.zone.clone());
        let small = |n: i8| u8::try_from(n).unwrap_or_default();
        let (year, month, day) =
            (u16::try_from(local.year()).unwrap_or(1980), small(local.month()), small(local.day()));
        let time = (year, month, day, small(local.hour()), small(local.minute()), small(local.second()));
        Self::Archive { archive: Box::new(Archive::new(time)), members: vec![] }
    }

    /// Begins the next table of an archive, which has about so many lines.
    ///
    /// # Errors
    /// When it can't be begun.
    pub fn begin(&mut self, name: &str, about: u64) -> Result<(), Broken> {
        if let Self::Archive { archive, members } = self {
            archive.begin(name, about.saturating_mul(LINE))?;
            members.push(Member { name: name.to_owned(), rows: 0 });
        }
        Ok(())
    }

    /// Adds text that holds so many lines.
    ///
    /// # Errors
    /// When it can't be added.
    pub fn write(&mut self, text: &[u8], rows: u64) -> Result<(), Broken> {
        match self {
            Self::Table(ready) => ready.extend_from_slice(text),
            Self::Archive { archive, members } => {
                archive.write(text)?;
                if let Some(member) = members.last_mut() {
                    member.rows += rows;
                }
            }
        }
        Ok(())
    }

    /// What is ready to be sent.
    pub fn take(&mut self) -> Vec<u8> {
        match self {
            Self::Table(ready) => std::mem::take(ready),
            Self::Archive { archive, .. } => archive.take(),
        }
    }

    /// The tables of an archive.
    pub fn members(&self) -> &[Member] {
        match self {
            Self::Table(_) => &[],
            Self::Archive { members, .. } => members,
        }
    }

    /// Ends it; its last bytes.
    ///
    /// # Errors
    /// When it can't be ended.
    pub fn finish(self) -> Result<Vec<u8>, Broken> {
        match self {
            Self::Table(ready) => Ok(ready),
            Self::Archive { archive, .. } => Ok(archive.finish()?),
        }
    }
}
