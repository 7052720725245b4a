//! The registry as a CSV file: reading what spreadsheets write, and writing what reads back the same.
//! Knows what a cell may say, not what the registry holds.

use super::{Column, Entry, Refusal, cell};
use csv::{ReaderBuilder, StringRecord, Terminator, WriterBuilder};
use shared::{DeviceName, Metric, Serial};
use std::io::Read;

/// Most bytes of a file.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Most lines below the heading.
pub const MOST_LINES: usize = 20_000;

/// By this a spreadsheet knows that a file is UTF-8.
const MARK: &str = "\u{feff}";
/// Stands behind the file while it is read: a quotation mark that is left open swallows it.
const END: &[u8] = b"\nend of file\n";

/// A file that can't be read at all.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Not the encoding that is needed.
    #[error("line {0}: the text is not UTF-8: save the spreadsheet as \"CSV UTF-8\"")]
    Encoding(u64),
    /// Nothing says which column is which.
    #[error("line 1: no column is called serial or name: the first line must name the columns, such as {columns}", columns = heading().join(","))]
    NoHeading,
    /// Two columns for one thing.
    #[error("line 1: two columns are called {0}: delete or rename one")]
    ColumnTwice(&'static str),
    /// More than is taken at once.
    #[error("line {0}: more than {MOST_LINES} lines: split the file")]
    TooMany(u64),
    /// The rest of the file would be one cell.
    #[error("line {0}: a quotation mark is opened in this line or just after it and never closed: close or delete it")]
    OpenQuote(u64),
    /// No CSV.
    #[error("the file can't be read as CSV: {0}")]
    Csv(#[from] csv::Error),
}

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Lines that say something, in their order.
    pub lines: Vec<Line>,
    /// Headings that mean nothing here.
    pub unknown_columns: Vec<String>,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The number that an editor shows; the heading is usually 1.
    pub number: u64,
    /// Serial, name and location as they are written, for people.
    pub written: [String; 3],
    /// What could be read of it.
    pub wanted: Wanted,
    /// What could not.
    pub refusals: Vec<Refusal>,
}

/// What a line wants. `None` where it says nothing: an empty serial or name, or a column that the file has not.
/// An empty cell of any other column empties the field.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)] // as in `Entry`
pub struct Wanted {
    pub serial: Option<Serial>,
    pub name: Option<DeviceName>,
    pub location: Option<String>,
    pub latitude: Option<Option<f64>>,
    pub longitude: Option<Option<f64>>,
    pub metrics: Option<Vec<Metric>>,
    pub notes: Option<String>,
}

fn heading() -> [&'static str; 7] {
    Column::ALL.map(Column::as_str)
}

/// Reads a file: with or without a byte order mark, any line ends, comma or semicolon.
///
/// # Errors
/// When no line of it can be understood. What is wrong with single lines stands in the lines.
pub fn read(bytes: &[u8]) -> Result<File, FileError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        FileError::Encoding(1 + before.iter().filter(|&&b| b == b'\n').count() as u64)
    })?;
    let text = text.strip_prefix(MARK).unwrap_or(text);
    // Whichever separator makes more sense of the heading.
    let (comma, semicolon) = (headings(text, b',')?, headings(text, b';')?);
    let known = |headings: &StringRecord| headings.iter().filter_map(Column::from_heading).count();
    let (separator, headings) = if known(&semicolon) > known(&comma) { (b';', semicolon) } else { (b',', comma) };
    let columns: Vec<Option<Column>> = headings.iter().map(Column::from_heading).collect();
    for column in Column::ALL {
        if columns.iter().filter(|c| **c == Some(column)).count() > 1 {
            return Err(FileError::ColumnTwice(column.as_str()));
        }
    }
    if !columns.iter().flatten().any(|c| matches!(c, Column::Serial | Column::Name)) {
        return Err(FileError::NoHeading);
    }
    let unknown = headings.iter().filter(|heading| Column::from_heading(heading).is_none() && !heading.is_empty());
    let unknown_columns = unknown.map(cell::shown).collect();
    Ok(File { lines: lines(text, separator, &columns)?, unknown_columns })
}

fn reader(input: impl Read, separator: u8) -> csv::Reader<impl Read> {
    ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(input)
}

fn headings(text: &str, separator: u8) -> Result<StringRecord, csv::Error> {
    let mut record = StringRecord::new();
    reader(text.as_bytes(), separator).read_record(&mut record)?;
    record.trim();
    Ok(record)
}

fn lines(text: &str, separator: u8, columns: &[Option<Column>]) -> Result<Vec<Line>, FileError> {
    let mut reader = reader(text.as_bytes().chain(END), separator);
    let mut lines = Vec::new();
    let mut record = StringRecord::new();
    let mut number = 1;
    reader.read_record(&mut record)?;
    while reader.read_record(&mut record)? {
        // The position is before the line ends that the reader skipped.
        let (from, line_there) = record.position().map_or((0, 1), |p| (p.byte() as usize, p.line()));
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        let skipped = rest.iter().take_while(|b| b"\r\n".contains(b));
        if skipped.clone().count() == rest.len() {
            return Ok(lines);
        }
        number = line_there + skipped.filter(|&&b| b == b'\n').count() as u64;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if lines.len() == MOST_LINES {
            return Err(FileError::TooMany(number));
        }
        lines.push(line(number, &record, columns, separator == b';'));
    }
    // The end was never seen: it is inside of a cell.
    Err(FileError::OpenQuote(number))
}

fn line(number: u64, record: &StringRecord, columns: &[Option<Column>], comma: bool) -> Line {
    let mut written: [String; 3] = Default::default();
    let mut wanted = Wanted::default();
    let mut refusals = Vec::new();
    let mut note = |result: Result<(), Refusal>| refusals.extend(result.err());
    for (index, column) in columns.iter().enumerate() {
        let Some(column) = *column else { continue };
        // Spreadsheets leave out separators at the end of a line.
        let text = record.get(index).unwrap_or_default();
        match column {
            Column::Serial => {
                written[0] = cell::shown(text.trim());
                note(cell::serial(text).map(|serial| wanted.serial = serial));
            }
            Column::Name => {
                written[1] = cell::shown(text.trim());
                note(cell::name(text).map(|name| wanted.name = name));
            }
            Column::Location => {
                written[2] = cell::shown(text.trim());
                note(cell::text(column, text).map(|location| wanted.location = Some(location)));
            }
            Column::Latitude => note(cell::degrees(column, text, comma).map(|d| wanted.latitude = Some(d))),
            Column::Longitude => note(cell::degrees(column, text, comma).map(|d| wanted.longitude = Some(d))),
            Column::Metrics => note(cell::metrics(text).map(|metrics| wanted.metrics = Some(metrics))),
            Column::Notes => note(cell::text(column, text).map(|notes| wanted.notes = Some(notes))),
        }
    }
    if written[0].is_empty() && written[1].is_empty() {
        refusals.push(Refusal::NoIdentity);
    }
    let beyond = record.iter().skip(columns.len());
    if beyond.into_iter().any(|cell| !cell.trim().is_empty()) {
        refusals.push(Refusal::TooManyCells { cells: record.len(), headings: columns.len() });
    }
    Line { number, written, wanted, refusals }
}

/// Writes entries so that [`read`] finds the same, and a spreadsheet executes nothing.
///
/// # Errors
/// When the text can't be made, which no entry causes.
pub fn write<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<String, csv::Error> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::from(MARK));
    writer.write_record(heading())?;
    for entry in entries {
        let degrees = |value: Option<f64>| value.map(|degrees| degrees.to_string()).unwrap_or_default();
        writer.write_record([
            entry.serial.map(String::from).unwrap_or_default(),
            entry.name.to_string(),
            cell::neutralised(&entry.location),
            degrees(entry.latitude),
            degrees(entry.longitude),
            cell::joined(&entry.metrics),
            cell::neutralised(&entry.notes),
        ])?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    String::from_utf8(bytes).map_err(|error| std::io::Error::other(error).into())
}

#[cfg(test)]
mod tests;
