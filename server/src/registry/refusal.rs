//! Why a line of a spreadsheet can't be taken: for people in a sentence with the fix, for programs in a word.

use super::Column;
use shared::DeviceName;

/// What is wrong with one cell, or with a line.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[allow(missing_docs)] // the sentences say it
pub enum Refusal {
    #[error(
        "{0:?} is no serial: 8 or 16 hexadecimal digits are needed; if the spreadsheet made a number of it, format the column as text"
    )]
    Serial(String),
    #[error("{0:?} is no name: use 1 to 32 of a-z, 0-9 and '-', beginning with a letter, not with \"tirta\"")]
    Name(String),
    #[error("the line has neither a serial nor a name: give one of them")]
    NoIdentity,
    #[error("{text:?} is no number of degrees: write it as -6.2")]
    NotANumber { column: Column, text: String },
    #[error("{text} is not between -{most} and {most} degrees")]
    OutOfRange { column: Column, text: String, most: f64 },
    #[error("it is missing: give both latitude and longitude, or neither")]
    HalfPosition { missing: Column },
    #[error("{0:?} is no metric: use some of {names} with a space between", names = super::cell::metric_names())]
    Metric(String),
    #[error("it has more than {most} characters; if it runs over several lines, a quotation mark may be missing")]
    TooLong { column: Column, most: usize },
    #[error("it holds a character that can't be kept ({code}): delete it")]
    Character { column: Column, code: String },
    #[error(
        "the line has {cells} cells but the heading has {headings}: put \"quotes\" around text with a separator in it"
    )]
    TooManyCells { cells: usize, headings: usize },
    #[error("line {line} has the same {what}: keep one of the two lines", what = column.as_str())]
    Twice { column: Column, line: u64 },
    #[error("it is registered as {0}: change or name that one")]
    RegisteredAs(DeviceName),
    #[error("this board has enrolled as {0}: a device that has enrolled keeps its name")]
    EnrolledAs(DeviceName),
    #[error("{name} has enrolled with the serial {serial}: a device that has enrolled keeps its name and serial")]
    EnrolledWith { name: DeviceName, serial: String },
    #[error("{0} has no board, programs hand its readings in: to give it this one, replace it on its page")]
    NoBoard(DeviceName),
}

impl Refusal {
    /// The cell at fault; `None` if it is the line.
    pub fn column(&self) -> Option<Column> {
        match self {
            Self::Serial(_) | Self::RegisteredAs(_) | Self::EnrolledWith { .. } | Self::NoBoard(_) => {
                Some(Column::Serial)
            }
            Self::Name(_) | Self::EnrolledAs(_) => Some(Column::Name),
            Self::Metric(_) => Some(Column::Metrics),
            Self::NotANumber { column, .. }
            | Self::OutOfRange { column, .. }
            | Self::HalfPosition { missing: column }
            | Self::TooLong { column, .. }
            | Self::Character { column, .. }
            | Self::Twice { column, .. } => Some(*column),
            Self::NoIdentity | Self::TooManyCells { .. } => None,
        }
    }

    /// The word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Serial(_) => "bad_serial",
            Self::Name(_) => "bad_name",
            Self::NoIdentity => "no_identity",
            Self::NotANumber { .. } => "not_a_number",
            Self::OutOfRange { .. } => "out_of_range",
            Self::HalfPosition { .. } => "half_position",
            Self::Metric(_) => "unknown_metric",
            Self::TooLong { .. } => "too_long",
            Self::Character { .. } => "bad_character",
            Self::TooManyCells { .. } => "too_many_cells",
            Self::Twice { .. } => "twice",
            Self::RegisteredAs(_) => "registered_as",
            Self::EnrolledAs(_) => "enrolled_as",
            Self::EnrolledWith { .. } => "enrolled_with",
            Self::NoBoard(_) => "no_board",
        }
    }

    /// What the sentence is about: the text at fault, or the other line, name or serial.
    pub fn about(&self) -> String {
        match self {
            Self::Serial(text) | Self::Name(text) | Self::Metric(text) => text.clone(),
            Self::NotANumber { text, .. } | Self::OutOfRange { text, .. } => text.clone(),
            Self::Character { code, .. } => code.clone(),
            Self::TooLong { most, .. } => most.to_string(),
            Self::Twice { line, .. } => line.to_string(),
            Self::RegisteredAs(name) | Self::EnrolledAs(name) | Self::NoBoard(name) => name.to_string(),
            Self::EnrolledWith { serial, .. } => serial.clone(),
            Self::NoIdentity | Self::HalfPosition { .. } | Self::TooManyCells { .. } => String::new(),
        }
    }
}
