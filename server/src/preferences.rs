//! How a person wants the dashboard: language, appearance, and when it makes itself heard. Knows no account, no table and,
//! but for the words of its description, no request.

use crate::http::words as schema;
use serde::{Deserialize, Serialize};
use shared::rule::Severity;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The languages of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Indonesian.
    Id,
    /// English.
    En,
}

/// How bright it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the phone or computer is.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// A time of the day as people write it, `22:30`, where the person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalTime {
    hour: u8,
    minute: u8,
}

impl TryFrom<String> for LocalTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let two = |part: &str, most: u8| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            part.parse().ok().filter(|number| digits && *number <= most)
        };
        let time = text.split_once(':').and_then(|(h, m)| Some(Self { hour: two(h, 23)?, minute: two(m, 59)? }));
        time.ok_or_else(|| "write the time as 22:30".to_owned())
    }
}

impl From<LocalTime> for String {
    fn from(LocalTime { hour, minute }: LocalTime) -> Self {
        format!("{hour:02}:{minute:02}")
    }
}

/// Hours of each day in which only what is critical is heard; over midnight if they end before they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// From when, such as `22:00`.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub from: LocalTime,
    /// Until when, such as `06:00`; another time than `from`.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub to: LocalTime,
}

/// Of which alerts the dashboard tells with more than words on the screen, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    /// How bad an alert has to be: `warning`, `critical` or both.
    #[schema(value_type = Vec<schema::Severity>)]
    pub severities: BTreeSet<Severity>,
    /// With a sound.
    pub sound: bool,
    /// With a notification of the system, where the browser may.
    pub browser: bool,
    /// When it is quiet; null: never.
    #[serde(deserialize_with = "Option::deserialize")] // must be said
    #[schema(required)]
    pub quiet: Option<QuietHours>,
}

impl Default for Notifications {
    fn default() -> Self {
        let severities = [Severity::Warning, Severity::Critical].into();
        Self { severities, sound: false, browser: false, quiet: None }
    }
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// `None`: that of the browser.
    pub language: Option<Language>,
    /// Light or dark.
    pub theme: Theme,
    /// When it makes itself heard.
    pub notifications: Notifications,
}

/// What is to become of them; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct PreferencesChange {
    /// Another language, or that of the browser.
    pub language: Option<Option<Language>>,
    /// Another appearance.
    pub theme: Option<Theme>,
    /// Other rules of when it is heard.
    pub notifications: Option<Notifications>,
}

impl Preferences {
    /// The same, changed.
    #[must_use]
    pub fn changed(self, change: &PreferencesChange) -> Self {
        Self {
            language: change.language.unwrap_or(self.language),
            theme: change.theme.unwrap_or(self.theme),
            notifications: change.notifications.clone().unwrap_or(self.notifications),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_one_way_and_comes_back_as_it_was() {
        for good in ["00:00", "06:05", "23:59"] {
            assert_eq!(String::from(LocalTime::try_from(good.to_owned()).unwrap()), good);
        }
        for bad in ["", "6:05", "24:00", "12:60", "+1:00", "12:00:00", "1２:00", "noon"] {
            assert!(LocalTime::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_was_kept_before_a_preference_existed_reads_as_the_usual() {
        assert_eq!(serde_json::from_str::<Preferences>("{}").unwrap(), Preferences::default());
        let kept = serde_json::to_string(&Preferences::default()).unwrap();
        assert_eq!(serde_json::from_str::<Preferences>(&kept).unwrap(), Preferences::default());
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let dark = PreferencesChange { theme: Some(Theme::Dark), ..PreferencesChange::default() };
        let english = PreferencesChange { language: Some(Some(Language::En)), ..PreferencesChange::default() };
        let both = Preferences::default().changed(&dark).changed(&english);
        assert_eq!((both.theme, both.language), (Theme::Dark, Some(Language::En)));
        let browsers = PreferencesChange { language: Some(None), ..PreferencesChange::default() };
        assert_eq!(both.changed(&browsers).language, None);
    }
}
