//! What people read of an alert, in Indonesian and English. Times are those of the fleet's time zone. Knows no channel.

use super::{Alert, Kind, State, Text, What};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde_json::Value;
use shared::rule::Severity;
use shared::{Metric, UtcMillis};

/// The zone of the fleet, if its configuration says nothing.
pub const USUAL_ZONE: &str = "Asia/Jakarta";

/// Reads the name of a time zone, such as `Asia/Makassar`; `None` if there is no such zone.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Indonesian,
    English,
}
use Language::{English, Indonesian};

impl Language {
    /// The one of two words that is its own.
    fn of<T>(self, indonesian: T, english: T) -> T {
        if self == Indonesian { indonesian } else { english }
    }
}

fn both(say: impl Fn(Language) -> String) -> Text {
    Text { id: say(Indonesian), en: say(English) }
}

/// An alert in a sentence, as it is read at `now`.
pub fn sentence(alert: &Alert, now: UtcMillis, zone: &TimeZone) -> Text {
    both(|language| {
        let mut words = subject(alert, language);
        words.push_str(&value(alert, language));
        let since = time(alert.since, now, zone, language);
        words.push_str(&match (alert.state, alert.resolved_at) {
            (State::Resolved, Some(until)) => {
                let until = time(until, now, zone, language);
                language.of(format!(" dari {since} sampai {until}"), format!(" from {since} to {until}"))
            }
            _ => language.of(format!(" sejak {since}"), format!(" since {since}")),
        });
        if alert.simulated {
            words.push_str(language.of(" (simulasi)", " (simulated)"));
        }
        words
    })
}

/// The sentence of some news: what happened to which alert.
pub fn news(what: What, alert: &Alert) -> Text {
    both(|language| {
        let about = language.of(&alert.text.id, &alert.text.en);
        let head = match what {
            What::Raised | What::Escalated if alert.severity == Severity::Critical => language.of("KRITIS", "CRITICAL"),
            What::Raised => language.of("Peringatan", "Warning"),
            What::Escalated => language.of("Memburuk", "Worse"),
            What::Eased => language.of("Membaik", "Better"),
            What::Cleared => language.of("Pulih", "Over"),
            What::Acknowledged => language.of("Ditangani", "Acknowledged"),
            What::Resolved => language.of("Selesai", "Resolved"),
            What::Reopened => language.of("Dibuka lagi", "Reopened"),
            What::Digest => language.of("Dari data terlambat", "From late data"),
            What::Test => language.of("Uji coba", "Test"),
        };
        format!("{head}: {about}")
    })
}

/// The sentence of a digest of so many alerts.
pub fn digest(alerts: usize) -> Text {
    let s = if alerts == 1 { "" } else { "s" };
    Text {
        id: format!("Data terlambat: {alerts} peringatan yang sudah lewat"),
        en: format!("Late data: {alerts} alert{s} of the past, already over"),
    }
}

/// Of what, and what is wrong with it.
fn subject(alert: &Alert, language: Language) -> String {
    let device = alert.device.as_deref().unwrap_or_default();
    let place = alert.location.as_deref().unwrap_or_default();
    let word = |name: Metric| metric(name, language);
    let of_metric = |what: &str| match alert.metric {
        Some(name) => format!("{} {device} {what}", word(name)),
        None => format!("{device} {what}"),
    };
    match alert.kind {
        Kind::Low => of_metric(language.of("rendah", "low")),
        Kind::High => of_metric(language.of("tinggi", "high")),
        Kind::Rate => of_metric(language.of("berubah terlalu cepat", "changes too fast")),
        Kind::Missing => of_metric(language.of("tidak ada data", "has no data")),
        Kind::Fault => of_metric(language.of("sensor gagal", "probe fails")),
        Kind::Offline => format!("{device} {}", language.of("tidak terhubung", "is offline")),
        Kind::LocationOffline => {
            let gone = devices(alert, language);
            language.of(format!("{gone} di {place} tidak terhubung"), format!("{gone} at {place} are offline"))
        }
        Kind::FleetOffline => {
            format!("{} {}", devices(alert, language), language.of("tidak terhubung", "are offline"))
        }
        Kind::RepeatedOutages => {
            format!("{device} {}", language.of("berulang kali terputus", "is gone again and again"))
        }
        Kind::External => {
            let title = alert.detail.get("title").and_then(|title| title.as_str()).unwrap_or_default();
            if device.is_empty() { title.to_owned() } else { format!("{device}: {title}") }
        }
    }
}

/// How many devices of how many are gone.
fn devices(alert: &Alert, language: Language) -> String {
    let number = |name| alert.detail.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (gone, all) = (number("devices"), number("of"));
    language.of(format!("{gone} dari {all} perangkat"), format!("{gone} of {all} devices"))
}

/// The value and its limit, or the fault.
fn value(alert: &Alert, language: Language) -> String {
    let shown = |value| number(value, alert.metric, language);
    // Of what is over, the worst is worth more than what began it.
    let value = if alert.state == State::Resolved { alert.extreme.or(alert.value) } else { alert.value };
    match (alert.kind, value, alert.limit) {
        (Kind::Rate, Some(value), _) => format!(": {}", shown(value)),
        (_, Some(value), Some(limit)) => {
            format!(": {} ({} {})", shown(value), language.of("batas", "limit"), shown(limit))
        }
        (_, Some(value), None) => format!(": {}", shown(value)),
        (Kind::Fault, None, _) => {
            let fault = alert.detail.get("fault").and_then(|fault| fault.as_str());
            fault.map(|fault| format!(" ({})", fault.replace('_', " "))).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn metric(metric: Metric, language: Language) -> &'static str {
    match metric {
        Metric::Ph => "pH",
        Metric::Tds => "TDS",
        Metric::Ec => "EC",
        Metric::Temperature => language.of("Suhu", "Temperature"),
        Metric::Volume => "Volume",
        Metric::Level => language.of("Tinggi air", "Level"),
        Metric::Pressure => language.of("Tekanan", "Pressure"),
        Metric::Flow => language.of("Aliran", "Flow"),
        Metric::Speed => language.of("Kecepatan", "Speed"),
    }
}

/// With as many decimals as the metric resolves, but no zeros beyond the first.
fn number(value: f64, metric: Option<Metric>, language: Language) -> String {
    let decimals = metric.map_or(3, Metric::decimals);
    let mut text = format!("{value:.*}", usize::try_from(decimals).unwrap_or(1));
    while text.contains('.') && text.ends_with('0') && !text.ends_with(".0") {
        text.pop();
    }
    let text = if text == "-0.0" { "0.0".to_owned() } else { text };
    if language == Indonesian { text.replace('.', ",") } else { text }
}

const MONTHS: [(&str, &str); 12] = [
    ("Jan", "Jan"),
    ("Feb", "Feb"),
    ("Mar", "Mar"),
    ("Apr", "Apr"),
    ("Mei", "May"),
    ("Jun", "Jun"),
    ("Jul", "Jul"),
    ("Agu", "Aug"),
    ("Sep", "Sep"),
    ("Okt", "Oct"),
    ("Nov", "Nov"),
    ("Des", "Dec"),
];

/// The hour; the day too if it is not today, and the year if it is not this one.
fn time(at: i64, now: UtcMillis, zone: &TimeZone, language: Language) -> String {
    let local = |ms| Timestamp::from_millisecond(ms).ok().map(|at| at.to_zoned(zone.clone()));
    let (Some(at), Some(now)) = (local(at), local(now.0)) else { return "?".to_owned() };
    let hour = format!("{:02}:{:02}", at.hour(), at.minute());
    if at.date() == now.date() {
        return hour;
    }
    let day = day(&at, language);
    if at.year() == now.year() { format!("{day} {hour}") } else { format!("{day} {} {hour}", at.year()) }
}

fn day(at: &Zoned, language: Language) -> String {
    let month = usize::try_from(at.month()).ok().and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    let (indonesian, english) = month.copied().unwrap_or_default();
    format!("{} {}", at.day(), language.of(indonesian, english))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Source;
    use serde_json::Map;

    /// 2025-11-21T09:00:00+07:00.
    const NOW: i64 = 1_763_690_400_000;
    const MINUTE: i64 = 60_000;

    fn alert(kind: Kind, metric: Option<Metric>) -> Alert {
        Alert {
            id: 1,
            source: Source::Rule,
            kind,
            device: Some("pi-7".to_owned()),
            location: Some("Lembang".to_owned()),
            metric,
            unit: None,
            severity: Severity::Warning,
            worst: Severity::Warning,
            state: State::Open,
            since: NOW + 102 * MINUTE,
            raised_at: NOW + 103 * MINUTE,
            known_at: NOW + 103 * MINUTE,
            changed_at: NOW + 103 * MINUTE,
            resolved_at: None,
            resolved_by: None,
            reason: None,
            value: None,
            limit: None,
            extreme: None,
            simulated: false,
            historical: false,
            reopened: 0,
            read: false,
            acknowledged_by: None,
            acknowledged_at: None,
            assignee: None,
            snoozed_until: None,
            parent: None,
            children: 0,
            silenced: false,
            detail: Map::new(),
            text: Text::default(),
        }
    }

    fn read(alert: &Alert, now: i64) -> (String, String) {
        let Text { id, en } = sentence(alert, UtcMillis(now), &zone(USUAL_ZONE).unwrap());
        (id, en)
    }

    #[test]
    fn a_sentence_says_what_where_how_much_and_since_when_in_both_languages() {
        let mut high = alert(Kind::High, Some(Metric::Ph));
        (high.value, high.limit) = (Some(9.4), Some(9.0));
        let (id, en) = read(&high, NOW + 110 * MINUTE);
        assert_eq!(id, "pH pi-7 tinggi: 9,4 (batas 9,0) sejak 10:42");
        assert_eq!(en, "pH pi-7 high: 9.4 (limit 9.0) since 10:42");

        (high.state, high.resolved_at, high.extreme) = (State::Resolved, Some(NOW + 118 * MINUTE), Some(9.615));
        high.simulated = true;
        let (id, en) = read(&high, NOW + 110 * MINUTE);
        assert_eq!(id, "pH pi-7 tinggi: 9,615 (batas 9,0) dari 10:42 sampai 10:58 (simulasi)");
        assert_eq!(en, "pH pi-7 high: 9.615 (limit 9.0) from 10:42 to 10:58 (simulated)");
    }

    #[test]
    fn another_day_is_named_and_so_is_another_year() {
        let offline = alert(Kind::Offline, None);
        let (id, en) = read(&offline, NOW + 24 * 60 * MINUTE);
        assert_eq!(
            (id.as_str(), en.as_str()),
            ("pi-7 tidak terhubung sejak 21 Nov 10:42", "pi-7 is offline since 21 Nov 10:42")
        );
        assert!(read(&offline, NOW + 60 * 24 * 60 * MINUTE).1.ends_with("21 Nov 2025 10:42"));
    }

    #[test]
    fn a_fault_says_its_word_and_an_intake_alert_its_title() {
        let mut fault = alert(Kind::Fault, Some(Metric::Temperature));
        fault.detail.insert("fault".to_owned(), "no_answer".into());
        assert_eq!(read(&fault, NOW).1, "Temperature pi-7 probe fails (no answer) since 10:42");
        let mut external = alert(Kind::External, None);
        external.device = None;
        external.detail.insert("title".to_owned(), "Genset mati".into());
        assert_eq!(read(&external, NOW).0, "Genset mati sejak 10:42");
    }

    #[test]
    fn a_place_that_is_gone_says_how_many_of_its_devices_are() {
        let mut place = alert(Kind::LocationOffline, None);
        place.detail = Map::from_iter([("devices".to_owned(), 49.into()), ("of".to_owned(), 50.into())]);
        let (id, en) = read(&place, NOW);
        assert_eq!(id, "49 dari 50 perangkat di Lembang tidak terhubung sejak 10:42");
        assert_eq!(en, "49 of 50 devices at Lembang are offline since 10:42");
        place.kind = Kind::FleetOffline;
        assert_eq!(read(&place, NOW).1, "49 of 50 devices are offline since 10:42");
    }

    #[test]
    fn numbers_have_the_decimals_that_the_metric_resolves_and_no_idle_zeros() {
        let shown = |value, metric| number(value, Some(metric), English);
        assert_eq!(shown(7.0, Metric::Ph), "7.0");
        assert_eq!(shown(7.12345, Metric::Ph), "7.123");
        assert_eq!(shown(1200.0, Metric::Tds), "1200.0");
        assert_eq!(shown(-0.001, Metric::Temperature), "0.0");
        assert_eq!(number(25.5, Some(Metric::Temperature), Indonesian), "25,5");
    }

    #[test]
    fn a_zone_that_does_not_exist_is_none() {
        assert!(zone("Asia/Jayapura").is_some() && zone("Mars/Olympus").is_none());
    }
}
