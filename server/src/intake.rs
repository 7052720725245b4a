//! What a third-party system hands in, and whether it can be taken. Knows no HTTP and no table.

use crate::http::words;
use serde::Deserialize;
use shared::rule::Severity;
use shared::{DeviceName, Metric, UtcMillis};
use utoipa::ToSchema;

/// Longest key and title, in characters.
const LONGEST_LINE: usize = 200;
/// Longest text, in characters.
const LONGEST_TEXT: usize = 4000;
/// A report of the past is taken; one of the future would never be over.
const AHEAD_MS: i64 = 300_000;
/// 2020-01-01T00:00:00Z: a time before is in another unit.
const EARLIEST_MS: i64 = 1_577_836_800_000;

/// Whether it is so still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ReportState)]
pub enum State {
    /// It is so.
    Firing,
    /// It is over.
    Resolved,
}

/// An alert as another system reports it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportedAlert)]
pub struct Reported {
    /// What makes it one in that system, at most 200 characters: the same key again is the same alert.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1F\x7F-\x9F]*$")]
    pub key: String,
    /// Whether it is so still.
    pub state: State,
    /// How bad it is: `warning` or `critical`.
    #[serde(default)]
    #[schema(value_type = Option<words::Severity>)]
    pub severity: Severity,
    /// In a line, at most 200 characters; may be left out when it is resolved.
    #[serde(default)]
    #[schema(max_length = 200, pattern = r"^[^\x00-\x1F\x7F-\x9F]*$")]
    pub title: String,
    /// More, at most 4000 characters.
    #[schema(max_length = 4000)]
    pub text: Option<String>,
    /// Which device it is about.
    #[schema(value_type = Option<words::DeviceName>)]
    pub device: Option<DeviceName>,
    /// Which metric.
    #[schema(value_type = Option<words::Metric>)]
    pub metric: Option<Metric>,
    /// Which value.
    pub value: Option<f64>,
    /// Since when (UTC milliseconds); now if absent.
    #[schema(minimum = 1_577_836_800_000_i64)]
    pub at: Option<i64>,
}

impl Reported {
    /// The same without white space at its ends, if it can be taken.
    ///
    /// # Errors
    /// The field that can't be taken, and what to do.
    pub fn check(mut self, now: UtcMillis) -> Result<Self, (&'static str, String)> {
        for (field, text) in [("key", &mut self.key), ("title", &mut self.title)] {
            *text = text.trim().to_owned();
            if text.chars().count() > LONGEST_LINE || text.chars().any(char::is_control) {
                return Err((field, format!("one line of at most {LONGEST_LINE} characters")));
            }
        }
        if self.key.is_empty() {
            return Err(("key", "say what makes it one: the same key again is the same alert".to_owned()));
        }
        if self.title.is_empty() && self.state == State::Firing {
            return Err(("title", "say in a line what is wrong".to_owned()));
        }
        if self.text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
            return Err(("text", format!("at most {LONGEST_TEXT} characters")));
        }
        if self.value.is_some_and(|value| !value.is_finite()) {
            return Err(("value", "a finite number is needed".to_owned()));
        }
        if let Some(at) = self.at
            && !(EARLIEST_MS..=now.0 + AHEAD_MS).contains(&at)
        {
            return Err(("at", format!("{at} is no time of the past in UTC milliseconds")));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: UtcMillis = UtcMillis(1_763_690_400_000);

    fn check(change: impl FnOnce(&mut serde_json::Value)) -> Result<Reported, (&'static str, String)> {
        let mut body = json!({"key": " pump-3 ", "state": "firing", "title": " Pump 3 is hot "});
        change(&mut body);
        serde_json::from_value::<Reported>(body).unwrap().check(NOW)
    }

    #[test]
    fn a_report_is_trimmed_and_a_warning_if_nothing_is_said() {
        let taken = check(|_| ()).unwrap();
        assert_eq!((&*taken.key, &*taken.title, taken.severity), ("pump-3", "Pump 3 is hot", Severity::Warning));
        assert!(check(|body| *body = json!({"key": "pump-3", "state": "resolved"})).is_ok());
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        for (field, value) in [
            ("key", json!("  ")),
            ("key", json!("x".repeat(201))),
            ("key", json!("a\nb")),
            ("title", json!("")),
            ("text", json!("x".repeat(4001))),
            ("at", json!(1_763_690_400)),
            ("at", json!(NOW.0 + 300_001)),
        ] {
            let (named, _) = check(|body| body[field] = value.clone()).unwrap_err();
            assert_eq!(named, field, "{value}");
        }
    }
}
