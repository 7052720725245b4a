//! The audit log as somebody has it who does not believe the server: an export or a database file, verified entry by entry.
//! Holds one line in memory. Knows no terminal and no network.

use rusqlite::{Connection, OpenFlags};
use shared::chain::{Broken, Head, Opening, Row, Walk};
use std::path::Path;

/// The longest line that is read: far above what a server writes.
const LONGEST_LINE: usize = 8 * 1024 * 1024;

/// What was found to be whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// How many entries.
    pub entries: u64,
    /// The first of them.
    pub first: i64,
    /// The last of them.
    pub last: Head,
}

/// An export that comes in pieces.
#[derive(Debug)]
pub struct Trail {
    known: Option<Head>,
    /// It must begin with the first entry.
    whole: bool,
    line: Vec<u8>,
    walk: Option<(i64, Walk)>,
}

impl Trail {
    /// Nothing yet; it must hold the entry `known`, if one is given.
    pub fn new(known: Option<Head>) -> Self {
        Self { known, whole: false, line: vec![], walk: None }
    }

    /// The same, and it must begin with the first entry of the log: whoever sends it is not believed that there are no others.
    pub fn from_the_first(known: Option<Head>) -> Self {
        Self { whole: true, ..Self::new(known) }
    }

    /// The next bytes, which may end anywhere.
    ///
    /// # Errors
    /// When an entry does not follow from the one before, or a line is none.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<(), Broken> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            self.read(&line)?;
        }
        self.line.extend_from_slice(bytes);
        if self.line.len() > LONGEST_LINE { Err(self.unreadable("the line is too long")) } else { Ok(()) }
    }

    fn read(&mut self, line: &[u8]) -> Result<(), Broken> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let Some((_, walk)) = &mut self.walk else {
            let opening: Opening = serde_json::from_slice(line)
                .map_err(|_| self.unreadable("it does not begin as an export in the format jsonl does"))?;
            if opening.tirta_audit != Opening::VERSION {
                return Err(self.unreadable("it was made by a newer server: take a newer tirta"));
            }
            // Before the first entry there is nothing, whatever the opening says.
            let after = if self.whole || opening.after.id <= 0 { Head::of_nothing() } else { opening.after };
            let first = after.id + 1;
            let mut walk = Walk::after(after);
            walk.insist_on(opening.through)?;
            if let Some(known) = self.known.take() {
                walk.insist_on(known)?;
            }
            self.walk = Some((first, walk));
            return Ok(());
        };
        match serde_json::from_slice::<Row>(line) {
            Ok(row) => walk.take(&row),
            Err(error) => Err(self.unreadable(error)),
        }
    }

    fn unreadable(&self, why: impl ToString) -> Broken {
        let after = self.walk.as_ref().map_or(0, |(_, walk)| walk.last().id);
        Broken::Unreadable { after, why: why.to_string() }
    }

    /// There is no more.
    ///
    /// # Errors
    /// When something is missing.
    pub fn end(mut self) -> Result<Whole, Broken> {
        let line = std::mem::take(&mut self.line);
        self.read(&line)?;
        match self.walk {
            Some((first, walk)) => end(first, walk),
            None => Err(Broken::Unreadable { after: 0, why: "it is empty".to_owned() }),
        }
    }
}

fn end(first: i64, walk: Walk) -> Result<Whole, Broken> {
    let entries = walk.entries();
    walk.end().map(|last| Whole { entries, first, last })
}

/// Verifies the log in an SQLite database, which is only read: a server may be running on it.
///
/// # Errors
/// The inner one when the log is broken, the outer one when the file can't be read.
pub fn verify_database(file: &Path, known: Option<Head>) -> Result<Result<Whole, Broken>, rusqlite::Error> {
    const ROWS: &str = "SELECT id, at, who, act, device, serial, address, detail, hash FROM audit ORDER BY id";
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut walk = Walk::after(Head::of_nothing());
    if let Some(Err(broken)) = known.map(|known| walk.insist_on(known)) {
        return Ok(Err(broken));
    }
    let mut statement = database.prepare(ROWS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let read = || {
            Ok::<_, rusqlite::Error>(Row {
                id,
                at: row.get(1)?,
                who: row.get(2)?,
                act: row.get(3)?,
                device: row.get(4)?,
                serial: row.get(5)?,
                address: row.get(6)?,
                detail: row.get(7)?,
                hash: row.get(8)?,
            })
        };
        // Somebody who puts a number where a text was has changed the entry as well.
        let taken = read().map_or(Err(Broken::Changed(id)), |row| walk.take(&row));
        if let Err(broken) = taken {
            return Ok(Err(broken));
        }
    }
    Ok(end(1, walk))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An export of entries behind `after`, line by line.
    fn export(entries: std::ops::RangeInclusive<i64>) -> (Vec<String>, Vec<Head>) {
        let mut heads = vec![Head::of_nothing()];
        let mut lines = vec![];
        for id in 1..=*entries.end() {
            let (who, act, detail) = ("admin".to_owned(), "user.changed".to_owned(), r#"{"n":1.50}"#.to_owned());
            let mut row = Row { id, at: 5, who, act, device: None, serial: None, address: None, detail, hash: None };
            row.hash = Some(row.hash_after(&heads[heads.len() - 1].hash));
            heads.push(Head::of(id, row.hash.clone()));
            lines.push(serde_json::to_string(&row).unwrap());
        }
        let first = usize::try_from(*entries.start()).unwrap();
        let (after, through) = (heads[first - 1].clone(), heads[heads.len() - 1].clone());
        let opening = Opening { tirta_audit: 1, after, through: through.clone(), head: through };
        let mut all = vec![serde_json::to_string(&opening).unwrap()];
        all.extend(lines.drain(first - 1..));
        (all, heads)
    }

    fn verify(lines: &[String], known: Option<Head>) -> Result<Whole, Broken> {
        let mut trail = Trail::new(known);
        let text = lines.join("\n");
        text.as_bytes().chunks(7).try_for_each(|some| trail.take(some))?;
        trail.end()
    }

    #[test]
    fn an_export_is_whole_however_its_bytes_arrive_and_a_part_of_the_log_is_too() {
        let (lines, heads) = export(1..=5);
        assert_eq!(verify(&lines, None), Ok(Whole { entries: 5, first: 1, last: heads[5].clone() }));
        let (lines, heads) = export(3..=5);
        assert_eq!(verify(&lines, Some(heads[4].clone())).map(|whole| (whole.entries, whole.first)), Ok((3, 3)));
        assert_eq!(verify(&lines, Some(heads[1].clone())), Err(Broken::NotCovered { id: 1, first: 3 }));
    }

    #[test]
    fn whoever_must_show_all_of_the_log_can_not_begin_it_later() {
        let whole = |lines: &[String]| {
            let mut trail = Trail::from_the_first(None);
            trail.take(lines.join("\n").as_bytes())?;
            trail.end()
        };
        assert_eq!(whole(&export(1..=5).0).map(|whole| whole.first), Ok(1));
        let (part, heads) = export(3..=5);
        assert_eq!(whole(&part), Err(Broken::Removed { from: 1, to: 2 }));
        assert_eq!(whole(&part[..1]), Err(Broken::Truncated { last: 0, head: heads[5].clone() }));
        // Nor can it say that there was something else before the first.
        let mut other = export(1..=5).0;
        other[0] = other[0].replacen("0000", "1111", 1);
        assert!(other[0].contains("1111"));
        assert_eq!(whole(&other).map(|whole| whole.entries), Ok(5));
        assert_eq!(verify(&other, None).map(|whole| whole.entries), Ok(5));
    }

    #[test]
    fn what_was_done_to_a_file_is_named() {
        let (lines, heads) = export(1..=5);
        let with = |change: &dyn Fn(&mut Vec<String>)| {
            let mut lines = lines.clone();
            change(&mut lines);
            verify(&lines, None).unwrap_err()
        };
        assert_eq!(with(&|lines| lines[3] = lines[3].replace("admin", "budi")), Broken::Changed(3));
        assert_eq!(with(&|lines| lines[3] = lines[3].replace("1.50", "1.5")), Broken::Changed(3));
        assert_eq!(with(&|lines| drop(lines.remove(3))), Broken::Removed { from: 3, to: 3 });
        assert_eq!(with(&|lines| lines.insert(3, lines[2].clone())), Broken::Reordered { id: 2, after: 2 });
        assert_eq!(with(&|lines| lines.truncate(4)), Broken::Truncated { last: 3, head: heads[5].clone() });
        assert_eq!(with(&|lines| lines[3].truncate(9)).word(), "unreadable");
        assert_eq!(with(&|lines| drop(lines.remove(0))).word(), "unreadable");
        assert_eq!(with(&Vec::clear).word(), "unreadable");
    }

    #[test]
    fn a_database_is_read_and_a_text_that_became_a_number_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tirta.db");
        let database = Connection::open(&file).unwrap();
        let table =
            "CREATE TABLE audit (id BIGINT PRIMARY KEY, at BIGINT, who TEXT, act TEXT, device TEXT, serial TEXT,
            address TEXT, detail TEXT, hash TEXT)";
        database.execute(table, []).unwrap();
        let (lines, heads) = export(1..=3);
        for line in &lines[1..] {
            let row: Row = serde_json::from_str(line).unwrap();
            let insert = "INSERT INTO audit (id, at, who, act, detail, hash) VALUES (?, ?, ?, ?, ?, ?)";
            database.execute(insert, (row.id, row.at, row.who, row.act, row.detail, row.hash)).unwrap();
        }
        let whole = Whole { entries: 3, first: 1, last: heads[3].clone() };
        assert_eq!(verify_database(&file, Some(heads[3].clone())).unwrap(), Ok(whole));
        let (more, _) = export(1..=4);
        let head: Head = serde_json::from_str::<Opening>(&more[0]).unwrap().head;
        assert_eq!(verify_database(&file, Some(head.clone())).unwrap(), Err(Broken::Truncated { last: 3, head }));
        database.execute("UPDATE audit SET detail = x'00' WHERE id = 2", []).unwrap();
        assert_eq!(verify_database(&file, None).unwrap(), Err(Broken::Changed(2)));
        assert!(verify_database(&folder.path().join("nowhere.db"), None).is_err());
    }
}
