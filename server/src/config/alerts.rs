//! The part `[alerts]` of the configuration: when and how things are told, and to whom. Knows only names and bounds.

use super::ConfigError;
use crate::alert::What;
use hyper::Uri;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::{net::IpAddr, path::PathBuf, time::Duration};

/// How alerts are told.
#[derive(Debug, Clone)]
pub struct Alerts {
    /// The fleet's time zone: of the times in texts, and of the days in reports.
    pub time_zone: TimeZone,
    /// After how long without a device it is worth an alert.
    pub offline_after: Duration,
    /// Who else is told.
    pub webhooks: Vec<Webhook>,
}

/// Somebody else's address that gets all that is told.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Names it in the list of deliveries.
    pub name: String,
    /// Where.
    pub url: Uri,
    /// A file with the secret that signs what is sent.
    pub secret_file: PathBuf,
    /// A file (PEM) with further authorities to believe there, such as a company's own.
    pub ca_file: Option<PathBuf>,
    /// Only these; all if absent.
    pub events: Option<Vec<What>>,
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Table {
    time_zone: String,
    offline_after_s: u64,
    webhook: Vec<Hook>,
}

impl Default for Table {
    fn default() -> Self {
        Self { time_zone: "Asia/Jakarta".to_owned(), offline_after_s: 180, webhook: vec![] }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hook {
    name: String,
    url: String,
    secret_file: PathBuf,
    ca_file: Option<PathBuf>,
    events: Option<Vec<What>>,
    #[serde(default)]
    allow_plain: bool,
}

fn wrong<T>(key: &'static str, why: String) -> Result<T, ConfigError> {
    Err(ConfigError::Value { key, why })
}

impl Table {
    pub(super) fn check(self) -> Result<Alerts, ConfigError> {
        let Ok(time_zone) = TimeZone::get(&self.time_zone) else {
            let why = format!("{:?} is no time zone: use a name such as Asia/Jakarta or UTC", self.time_zone);
            return wrong("alerts.time_zone", why);
        };
        if !(90..=86_400).contains(&self.offline_after_s) {
            return wrong(
                "alerts.offline_after_s",
                format!("{} is not between 90 and 86400 seconds", self.offline_after_s),
            );
        }
        let mut webhooks: Vec<Webhook> = vec![];
        for hook in self.webhook {
            let hook = hook.check()?;
            if webhooks.iter().any(|other| other.name == hook.name) {
                return wrong("alerts.webhook.name", format!("{:?} is there twice: give each its own", hook.name));
            }
            webhooks.push(hook);
        }
        Ok(Alerts { time_zone, offline_after: Duration::from_secs(self.offline_after_s), webhooks })
    }
}

impl Hook {
    fn check(self) -> Result<Webhook, ConfigError> {
        const URL: &str = "alerts.webhook.url";
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 40 || !self.name.chars().all(letter) {
            let why = format!("{:?}: use 1 to 40 of a-z, 0-9 and -", self.name);
            return wrong("alerts.webhook.name", why);
        }
        // Never the address itself in a message: it may hold somebody's key.
        let name = &self.name;
        let Ok(url) = self.url.parse::<Uri>() else { return wrong(URL, format!("{name}: it can't be read")) };
        let Some(host) = url.host() else { return wrong(URL, format!("{name}: it has no host: begin with https://")) };
        match url.scheme_str() {
            Some("https") => {}
            Some("http") if self.allow_plain || is_near(host) => {}
            Some("http") => {
                let why = "use https, or a private address, or say allow_plain = true if the way there is safe";
                return wrong(URL, format!("{name}: {why}"));
            }
            _ => return wrong(URL, format!("{name}: it must begin with https:// (or http://)")),
        }
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return wrong(URL, format!("{name}: a name or password in the address is not sent: take it out"));
        }
        let Self { name, secret_file, ca_file, events, .. } = self;
        Ok(Webhook { name, url, secret_file, ca_file, events })
    }
}

/// Whether an address is on this machine or in a private network, by what is written, not by what a name leads to.
fn is_near(host: &str) -> bool {
    match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        Err(_) => host == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alerts(text: &str) -> Result<Alerts, String> {
        toml::from_str::<Table>(text).map_err(|e| e.to_string())?.check().map_err(|e| e.to_string())
    }

    fn hook(url: &str, more: &str) -> Result<Alerts, String> {
        alerts(&format!("[[webhook]]\nname = \"siren\"\nurl = \"{url}\"\nsecret_file = \"/s\"\n{more}"))
    }

    #[test]
    fn what_is_not_said_is_jakarta_three_minutes_and_nobody_else() {
        let usual = alerts("").unwrap();
        assert_eq!(usual.time_zone.iana_name(), Some("Asia/Jakarta"));
        assert_eq!((usual.offline_after, usual.webhooks.len()), (Duration::from_secs(180), 0));
    }

    #[test]
    fn every_key_of_the_example_is_one() {
        let example = include_str!("../../server.example.toml").split_once("[alerts]\n").unwrap().1;
        let said = example.lines().filter_map(|line| line.strip_prefix("# "));
        let keys: Vec<&str> = said.filter(|line| line.contains(" = ") || line.starts_with("[[")).collect();
        let alerts = alerts(&keys.join("\n").replace("[[alerts.", "[[")).unwrap();
        assert_eq!((keys.len(), alerts.webhooks[0].events.as_ref().unwrap().len()), (9, 3));
    }

    #[test]
    fn plain_http_leads_no_further_than_a_private_network_unless_somebody_says_so() {
        for near in ["http://127.0.0.1:9/x", "http://localhost/x", "http://192.168.1.4/", "http://[fd00::1]:8/"] {
            assert!(hook(near, "").is_ok(), "{near}");
        }
        for far in ["http://example.org/x", "http://8.8.8.8/", "http://sensors.local/"] {
            assert!(hook(far, "").unwrap_err().contains("siren: use https"), "{far}");
            assert!(hook(far, "allow_plain = true").is_ok(), "{far}");
        }
        assert!(hook("https://example.org/hooks/7", "").is_ok());
    }

    #[test]
    fn what_cannot_be_used_is_named_with_what_to_do() {
        for (text, why) in [
            ("time_zone = \"Jakarta\"", "alerts.time_zone: \"Jakarta\" is no time zone"),
            ("offline_after_s = 5", "alerts.offline_after_s: 5 is not between 90"),
            ("offline = 5", "unknown field `offline`"),
        ] {
            let said = alerts(text).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        for (url, more, why) in [
            ("ftp://127.0.0.1/", "", "must begin with https://"),
            ("/hooks", "", "it has no host"),
            ("https://me:secret@example.org/", "", "take it out"),
            ("https://example.org/", "events = [\"born\"]", "unknown variant `born`"),
            (
                "https://example.org/",
                "[[webhook]]\nname = \"siren\"\nurl = \"https://a/\"\nsecret_file = \"s\"",
                "twice",
            ),
        ] {
            let said = hook(url, more).unwrap_err();
            assert!(said.contains(why) && !said.contains("secret@"), "{said}");
        }
    }
}
