//! A card with the kernel's cache before it: what was flushed is there for ever, the rest may be there or not.
//!
//! It promises no more than POSIX does. A write that was not flushed survives, is lost, or is torn at
//! sectors, whatever its neighbours do; a file may have grown without its content; names that were given
//! or removed since their folder was flushed survive up to some point, for file systems write them in order.

use super::trace::Call;
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// What a card writes as a whole.
const SECTOR: usize = 512;

/// How the names end of the files that SQLite maps into memory: an index of the log, made anew after a boot.
const SHARED_MEMORY: &str = "-shm";

/// What is on a card after a cut.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// By name.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// Folders that are there.
    pub folders: BTreeSet<PathBuf>,
    /// Writes of which only a part survived.
    pub torn: u64,
}

#[derive(Debug, Clone, Copy)]
enum Change<'a> {
    Write { at: usize, data: &'a [u8] },
    Resize(usize),
}

/// One file's content, whatever its name.
#[derive(Debug, Default)]
struct Content<'a> {
    flushed: Vec<u8>,
    since: Vec<Change<'a>>,
}

#[derive(Debug, Clone)]
enum Naming {
    File(PathBuf, usize),
    Folder(PathBuf),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

#[derive(Debug)]
enum Handle {
    File { content: usize, at: usize },
    Folder(PathBuf),
}

#[derive(Debug, Clone, Default)]
struct Names {
    files: BTreeMap<PathBuf, usize>,
    folders: BTreeSet<PathBuf>,
}

/// The card while the process runs.
#[derive(Debug)]
pub struct Card<'a> {
    /// Only what is below it is looked at; it is there from the beginning.
    root: PathBuf,
    contents: Vec<Content<'a>>,
    handles: HashMap<i32, Handle>,
    now: Names,
    flushed: Names,
    since: Vec<Naming>,
    /// A card that says that it has flushed and has not.
    lies: bool,
}

impl<'a> Card<'a> {
    /// An empty card.
    pub fn new(root: &Path, lies: bool) -> Self {
        let names = Names { folders: BTreeSet::from([root.to_owned()]), ..Names::default() };
        Self {
            root: root.to_owned(),
            contents: vec![],
            handles: HashMap::new(),
            flushed: names.clone(),
            now: names,
            since: vec![],
            lies,
        }
    }

    /// Does what the process did.
    ///
    /// # Errors
    /// When the call makes no sense here: something before it was overlooked.
    pub fn apply(&mut self, call: &'a Call) -> Result<(), String> {
        match call {
            Call::Open { fd, path, create, truncate } => self.open(*fd, path, *create, *truncate)?,
            Call::Close(fd) => drop(self.handles.remove(fd)),
            Call::Write { fd, at, data } => {
                let Some(Handle::File { content, at: place }) = self.handles.get_mut(fd) else { return Ok(()) };
                let start = at.map_or(*place, |at| usize::try_from(at).unwrap_or(usize::MAX));
                if at.is_none() {
                    *place += data.len();
                }
                let content = *content;
                self.change(content, Change::Write { at: start, data });
            }
            Call::Resize { fd, length } => {
                let Some(Handle::File { content, .. }) = self.handles.get(fd) else { return Ok(()) };
                self.change(*content, Change::Resize(usize::try_from(*length).unwrap_or(usize::MAX)));
            }
            Call::Sync(fd) if !self.lies => self.flush(*fd),
            Call::Rename { from, to } if from.starts_with(&self.root) => {
                self.name(Naming::Rename(from.clone(), to.clone()));
            }
            Call::Remove(path) if path.starts_with(&self.root) => self.name(Naming::Remove(path.clone())),
            Call::Folder(path) if path.starts_with(&self.root) => self.name(Naming::Folder(path.clone())),
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, fd: i32, path: &Path, create: bool, truncate: bool) -> Result<(), String> {
        self.handles.remove(&fd);
        if !path.starts_with(&self.root) {
            return Ok(());
        }
        if self.now.folders.contains(path) {
            self.handles.insert(fd, Handle::Folder(path.to_owned()));
            return Ok(());
        }
        let content = match self.now.files.get(path) {
            Some(content) => *content,
            None if create => {
                self.contents.push(Content::default());
                let content = self.contents.len() - 1;
                self.name(Naming::File(path.to_owned(), content));
                content
            }
            None => return Err(format!("{} is opened and was never made", path.display())),
        };
        if truncate {
            self.change(content, Change::Resize(0));
        }
        self.handles.insert(fd, Handle::File { content, at: 0 });
        Ok(())
    }

    fn change(&mut self, content: usize, change: Change<'a>) {
        if let Some(content) = self.contents.get_mut(content) {
            content.since.push(change);
        }
    }

    fn name(&mut self, naming: Naming) {
        self.now.apply(&naming);
        self.since.push(naming);
    }

    fn flush(&mut self, fd: i32) {
        match self.handles.get(&fd) {
            Some(Handle::File { content, .. }) => {
                if let Some(content) = self.contents.get_mut(*content) {
                    for change in std::mem::take(&mut content.since) {
                        change.apply_to(&mut content.flushed);
                    }
                }
            }
            // Only the names in this folder: flushing a file makes its name safe on some file systems, not on all.
            Some(Handle::Folder(folder)) => {
                let (safe, rest) = std::mem::take(&mut self.since).into_iter().partition(|naming| naming.is_in(folder));
                self.since = rest;
                let safe: Vec<Naming> = safe;
                safe.iter().for_each(|naming| self.flushed.apply(naming));
            }
            None => {}
        }
    }

    /// Whether a file of this name has changes that were not flushed.
    pub fn is_dirty(&self, name: &str) -> bool {
        let content = self.now.files.iter().find(|(path, _)| path.ends_with(name)).map(|(_, content)| *content);
        content.and_then(|content| self.contents.get(content)).is_some_and(|content| !content.since.is_empty())
    }

    /// What could be on the card if the power were cut now.
    pub fn cut(&self, dice: &mut Rng) -> Image {
        let mut names = self.flushed.clone();
        let survive = dice.usize(0..=self.since.len());
        self.since.iter().take(survive).for_each(|naming| names.apply(naming));
        // Sometimes nothing of what was not flushed survives, sometimes all, most often something.
        let odds = match dice.u32(0..5) {
            0 => 0.0,
            1 => 1.0,
            _ => dice.f64(),
        };
        let mut image = Image { folders: names.folders, ..Image::default() };
        for (path, content) in names.files {
            if path.to_string_lossy().ends_with(SHARED_MEMORY) {
                // It was written through memory, which nobody saw, and nobody may trust it after a boot.
                image.files.insert(path, (0..dice.usize(0..40_000)).map(|_| dice.u8(..)).collect());
                continue;
            }
            let content = self.contents.get(content).map(|content| content.survive(odds, dice, &mut image.torn));
            image.files.insert(path, content.unwrap_or_default());
        }
        image
    }
}

impl Names {
    fn apply(&mut self, naming: &Naming) {
        match naming {
            Naming::File(path, content) => drop(self.files.insert(path.clone(), *content)),
            Naming::Folder(path) => drop(self.folders.insert(path.clone())),
            Naming::Remove(path) => drop(self.files.remove(path)),
            Naming::Rename(from, to) => {
                if let Some(content) = self.files.remove(from) {
                    self.files.insert(to.clone(), content);
                }
            }
        }
    }
}

impl Naming {
    fn is_in(&self, folder: &Path) -> bool {
        match self {
            Self::File(path, _) | Self::Folder(path) | Self::Remove(path) | Self::Rename(_, path) => {
                path.parent() == Some(folder)
            }
        }
    }
}

impl Change<'_> {
    fn apply_to(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Resize(length) => bytes.resize(length, 0),
            Self::Write { at, data } => put(bytes, at, data),
        }
    }
}

impl Content<'_> {
    fn survive(&self, odds: f64, dice: &mut Rng, torn: &mut u64) -> Vec<u8> {
        let mut bytes = self.flushed.clone();
        for change in &self.since {
            match change {
                Change::Write { at, data } if dice.f64() >= odds => {
                    // Lost, perhaps in part; and the file may have grown all the same.
                    if dice.f64() < odds {
                        *torn += 1;
                        tear(&mut bytes, *at, data, dice);
                    } else if odds > 0.0 && dice.bool() && bytes.len() < at + data.len() {
                        bytes.resize(at + data.len(), 0);
                    }
                }
                Change::Resize(_) if dice.f64() >= odds => {}
                change => change.apply_to(&mut bytes),
            }
        }
        bytes
    }
}

/// Writes some of the sectors.
fn tear(bytes: &mut Vec<u8>, at: usize, data: &[u8], dice: &mut Rng) {
    let mut done = 0;
    while done < data.len() {
        let length = (SECTOR - (at + done) % SECTOR).min(data.len() - done);
        if dice.bool() {
            put(bytes, at + done, &data[done..done + length]);
        }
        done += length;
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
    if bytes.len() < at + data.len() {
        bytes.resize(at + data.len(), 0);
    }
    bytes[at..at + data.len()].copy_from_slice(data);
}

#[cfg(test)]
mod tests;
