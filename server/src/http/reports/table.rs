//! A report as a file of comma-separated values for a spreadsheet: times in the fleet's zone with their distance from UTC, no
//! text that would be taken for a formula. Knows no report.

use crate::http::error::Problem;
use crate::registry::cell::neutralised;
use axum::http::{HeaderName, header};
use csv::WriterBuilder;
use jiff::{Timestamp, tz::TimeZone};

/// Headers and bytes of a file.
pub type File = ([(HeaderName, String); 2], Vec<u8>);

/// The answer with some lines.
pub fn file(name: &str, heading: &[&str], lines: impl Iterator<Item = Vec<String>>) -> Result<File, Problem> {
    let failed = |error: csv::Error| Problem::internal(&error);
    let mut file = WriterBuilder::new().from_writer(vec![]);
    file.write_record(heading).map_err(failed)?;
    for line in lines {
        file.write_record(line).map_err(failed)?;
    }
    let file = file.into_inner().map_err(|error| Problem::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"tirta-{name}.csv\"")),
    ];
    Ok((headers, file))
}

/// An instant such as `2025-11-21T09:00:00+07:00`.
pub fn instant(ms: i64, zone: &TimeZone) -> String {
    let zoned = Timestamp::from_millisecond(ms).map(|at| at.to_zoned(zone.clone()));
    zoned.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()).unwrap_or_default()
}

/// A number with all its digits; nothing for none.
pub fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Text that somebody wrote.
pub fn text(text: Option<&str>) -> String {
    neutralised(text.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_that_of_the_zone_and_says_so() {
        let at = |zone| instant(1_763_690_400_000, &TimeZone::get(zone).unwrap());
        assert_eq!(at("Asia/Jakarta"), "2025-11-21T09:00:00+07:00");
        assert_eq!(at("Asia/Jayapura"), "2025-11-21T11:00:00+09:00");
        assert_eq!(at("UTC"), "2025-11-21T02:00:00+00:00");
        assert_eq!((number(Some(7.012)), number(None)), ("7.012".to_owned(), String::new()));
        assert_eq!(text(Some("=1+1")), "'=1+1");
    }
}
