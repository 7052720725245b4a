//! One cell of the spreadsheet: from text to value and back, made harmless for the program that opens it.
//! Knows no line and no registry.

use super::{Column, Refusal};
use shared::{DeviceName, Metric, Serial};

/// Most characters of a location.
pub const LONGEST_LOCATION: usize = 100;
/// Most characters of the notes.
pub const LONGEST_NOTES: usize = 500;

/// A spreadsheet takes text that begins so for a formula; the last four are the wide forms of the first.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Text as a spreadsheet may open it: an apostrophe before what would be a formula, and before an apostrophe.
pub fn neutralised(text: &str) -> String {
    if text.starts_with(FORMULA) || text.starts_with('\'') { format!("'{text}") } else { text.to_owned() }
}

/// Takes off the apostrophe that [`neutralised`] put on.
fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA) || rest.starts_with('\'')).unwrap_or(cell)
}

/// A location or notes, without white space around.
///
/// # Errors
/// When it is too long, or holds what no database keeps.
pub fn text(column: Column, cell: &str) -> Result<String, Refusal> {
    let text = plain(cell.trim()).trim();
    let most = if column == Column::Location { LONGEST_LOCATION } else { LONGEST_NOTES };
    if text.chars().count() > most {
        return Err(Refusal::TooLong { column, most });
    }
    match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        Some(bad) => Err(Refusal::Character { column, code: format!("U+{:04X}", u32::from(bad)) }),
        None => Ok(text.to_owned()),
    }
}

/// A serial; an empty cell is none.
///
/// # Errors
/// When it is no serial.
pub fn serial(cell: &str) -> Result<Option<Serial>, Refusal> {
    let text = cell.trim();
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| Refusal::Serial(shown(text))) }
}

/// A name; an empty cell is none.
///
/// # Errors
/// When it can't be the name of a device.
pub fn name(cell: &str) -> Result<Option<DeviceName>, Refusal> {
    let text = cell.trim();
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| Refusal::Name(shown(text))) }
}

/// Degrees; `comma` says that a comma may stand before the decimals. An empty cell is none.
///
/// # Errors
/// When it is no number, or none that can be a latitude or longitude.
pub fn degrees(column: Column, cell: &str, comma: bool) -> Result<Option<f64>, Refusal> {
    let text = cell.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let most = if column == Column::Latitude { 90.0 } else { 180.0 };
    let written = if comma { text.replacen(',', ".", 1) } else { text.to_owned() };
    let number: f64 = written.parse().map_err(|_| Refusal::NotANumber { column, text: shown(text) })?;
    if number.abs() <= most {
        // -0 is written as "-0" and compares as 0: there is only one equator.
        Ok(Some(number + 0.0))
    } else {
        Err(Refusal::OutOfRange { column, text: shown(text), most })
    }
}

/// Metrics in the order of the contract, each once; between them may stand what people put there.
///
/// # Errors
/// When one is unknown.
pub fn metrics(cell: &str) -> Result<Vec<Metric>, Refusal> {
    let words = cell.split(|c: char| c.is_whitespace() || ",;|/+".contains(c)).filter(|word| !word.is_empty());
    let metric = |word: &str| Metric::from_wire(&word.to_lowercase()).ok_or_else(|| Refusal::Metric(shown(word)));
    let mut metrics = words.map(metric).collect::<Result<Vec<_>, _>>()?;
    metrics.sort_unstable();
    metrics.dedup();
    Ok(metrics)
}

/// Metrics as [`metrics`] reads them.
pub fn joined(metrics: &[Metric]) -> String {
    metrics.iter().map(|metric| metric.as_str()).collect::<Vec<_>>().join(" ")
}

/// All metrics, for a sentence.
pub fn metric_names() -> String {
    joined(Metric::ALL)
}

/// As much of a cell as fits into a message.
pub fn shown(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_execute_is_neutralised_and_comes_back_as_it_was() {
        for text in ["=1+1", "+62 812", "-6.2 m", "@home", "'quoted'", "''", "plain", "it's", "'=1", ""] {
            let cell = neutralised(text);
            assert!(!cell.starts_with(FORMULA), "{cell}");
            assert_eq!(super::text(Column::Notes, &cell).unwrap(), text);
        }
    }

    #[test]
    fn degrees_take_a_decimal_comma_only_where_no_comma_separates_and_stay_on_the_globe() {
        assert_eq!(degrees(Column::Latitude, " -6,2088 ", true), Ok(Some(-6.2088)));
        assert_eq!(degrees(Column::Latitude, "-6.2088", true), Ok(Some(-6.2088)));
        assert_eq!(degrees(Column::Latitude, "", false), Ok(None));
        assert!(matches!(degrees(Column::Latitude, "-6,2088", false), Err(Refusal::NotANumber { .. })));
        assert!(matches!(degrees(Column::Longitude, "1,06,8", true), Err(Refusal::NotANumber { .. })));
        for (column, bad) in [(Column::Latitude, "90.1"), (Column::Longitude, "-181"), (Column::Longitude, "NaN")] {
            assert!(matches!(degrees(column, bad, false), Err(Refusal::OutOfRange { .. })), "{bad}");
        }
        assert!(degrees(Column::Latitude, "-0", false).unwrap().unwrap().is_sign_positive());
    }

    #[test]
    fn metrics_are_read_however_they_are_listed() {
        let all = [Metric::Ph, Metric::Tds, Metric::Temperature];
        for cell in ["ph tds temperature", "Temperature, pH; TDS", "tds/ph|temperature+ph"] {
            assert_eq!(metrics(cell).unwrap(), all, "{cell}");
        }
        assert_eq!(metrics(" "), Ok(vec![]));
        let why = metrics("ph humidity").unwrap_err().to_string();
        assert!(why.contains("humidity") && why.contains("temperature"), "{why}");
    }

    #[test]
    fn a_serial_that_the_spreadsheet_made_a_number_of_is_refused_with_what_to_do() {
        for bad in ["1.00E+15", "1,00E+15", "10000000deadbee"] {
            assert!(serial(bad).unwrap_err().to_string().contains("format the column as text"), "{bad}");
        }
        assert_eq!(serial(" 10000000DEADBEEF ").unwrap().unwrap().to_string(), "10000000deadbeef");
    }

    #[test]
    fn text_that_no_database_keeps_or_nobody_reads_is_refused() {
        assert!(matches!(text(Column::Notes, "a\0b"), Err(Refusal::Character { .. })));
        assert!(text(Column::Notes, "two\r\nlines").is_ok());
        assert!(matches!(text(Column::Location, &"é".repeat(101)), Err(Refusal::TooLong { most: 100, .. })));
        assert!(text(Column::Notes, &"é".repeat(500)).is_ok());
    }
}
