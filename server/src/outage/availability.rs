//! What share of a time somebody was there. Time in which the server could not know, and planned maintenance, count on
//! neither side.

use super::{Cause, Window};
use jiff::{Timestamp, ToSpan, Zoned, tz::TimeZone};
use std::collections::BTreeMap;

/// How long the parts of a time are, by the fleet's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From midnight.
    Day,
    /// From Monday.
    Week,
    /// From the first.
    Month,
}

/// A time in which a device was gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// From when until when, until now if it has not ended.
    pub time: Window,
    /// Why.
    pub cause: Cause,
}

/// How a part of a time went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Share {
    /// Milliseconds that count: known, and not planned.
    pub known_ms: i64,
    /// Of those, gone.
    pub out_ms: i64,
    /// Gone during maintenance: planned.
    pub planned_ms: i64,
    /// The server could not know.
    pub unknown_ms: i64,
    /// Outages that began in it.
    pub outages: u32,
    /// The longest single one of `out_ms`.
    pub longest_ms: i64,
    /// How many began by which cause.
    pub causes: BTreeMap<Cause, u32>,
}

impl Share {
    /// In percent; `None` if nothing is known.
    pub fn percent(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)] // milliseconds of years are far below 2^52
        (self.known_ms > 0).then(|| 100.0 * (self.known_ms - self.out_ms) as f64 / self.known_ms as f64)
    }

    /// The same of several devices together.
    pub fn add(&mut self, other: &Share) {
        self.known_ms += other.known_ms;
        self.out_ms += other.out_ms;
        self.planned_ms += other.planned_ms;
        self.unknown_ms += other.unknown_ms;
        self.outages += other.outages;
        self.longest_ms = self.longest_ms.max(other.longest_ms);
        for (cause, count) in &other.causes {
            *self.causes.entry(*cause).or_default() += count;
        }
    }
}

/// The parts of `time` by the calendar of a zone; the first and the last may be cut. At most `most`; `None` if there are more.
pub fn periods(time: Window, period: Period, zone: &TimeZone, most: usize) -> Option<Vec<Window>> {
    let mut parts = vec![];
    let mut from = time.from;
    while from < time.to {
        let to = next(from, period, zone).unwrap_or(time.to).min(time.to);
        parts.push(Window { from, to });
        if parts.len() > most {
            return None;
        }
        from = to;
    }
    Some(parts)
}

/// The first instant of the next period; `None` at the end of the calendar.
fn next(at: i64, period: Period, zone: &TimeZone) -> Option<i64> {
    let midnight = Timestamp::from_millisecond(at).ok()?.to_zoned(zone.clone()).start_of_day().ok()?;
    let day = |zoned: &Zoned| i64::from(zoned.weekday().to_monday_zero_offset());
    let after = match period {
        Period::Day => midnight.checked_add(1.day()),
        Period::Week => midnight.checked_add((7 - day(&midnight)).days()),
        Period::Month => midnight.first_of_month().and_then(|first| first.checked_add(1.month())),
    };
    // A day may begin later than at midnight, where clocks are put forward then.
    let start = after.ok()?.start_of_day().ok()?;
    Some(start.timestamp().as_millisecond()).filter(|next| *next > at)
}

/// When a device was in service, in order: earlier, and since `from` until it was thrown out or until now.
pub fn service(earlier: &[Window], from: i64, to: i64) -> Vec<Window> {
    union(earlier.iter().copied().chain([Window { from, to }]).filter(|window| window.ms() > 0))
}

/// How a part of a time went for one device that was in service in `service`.
pub fn share(part: Window, service: &[Window], absences: &[Absence], deaf: &[Window], planned: &[Window]) -> Share {
    let mut share = Share::default();
    for time in service.iter().filter_map(|service| part.within(*service)) {
        share.add(&in_service(time, absences, deaf, planned));
    }
    share
}

fn in_service(time: Window, absences: &[Absence], deaf: &[Window], planned: &[Window]) -> Share {
    let mut share = Share::default();
    let deaf = union(deaf.iter().filter_map(|deaf| deaf.within(time)));
    let heard = without(&[time], &deaf);
    let unplanned = without(&heard, &union(planned.iter().filter_map(|window| window.within(time))));
    share.unknown_ms = total(&deaf);
    for absence in absences {
        let parts =
            |of: &[Window]| of.iter().filter_map(|window| window.within(absence.time)).map(Window::ms).sum::<i64>();
        let (all, out) = (parts(&heard), parts(&unplanned));
        share.planned_ms += all - out;
        share.out_ms += out;
        share.longest_ms = share.longest_ms.max(out);
        if (time.from..time.to).contains(&absence.time.from) && all > 0 {
            share.outages += 1;
            *share.causes.entry(absence.cause).or_default() += 1;
        }
    }
    share.known_ms = total(&heard) - share.planned_ms;
    share
}

fn total(windows: &[Window]) -> i64 {
    windows.iter().map(|window| window.ms()).sum()
}

/// The same time in windows that do not overlap, in order.
pub(crate) fn union(windows: impl Iterator<Item = Window>) -> Vec<Window> {
    let mut sorted: Vec<Window> = windows.collect();
    sorted.sort();
    let mut merged: Vec<Window> = vec![];
    for window in sorted {
        match merged.last_mut() {
            Some(last) if window.from <= last.to => last.to = last.to.max(window.to),
            _ => merged.push(window),
        }
    }
    merged
}

/// What is left of some windows without others; both in order and free of overlaps.
fn without(windows: &[Window], cut: &[Window]) -> Vec<Window> {
    let mut left = vec![];
    for window in windows {
        let mut from = window.from;
        for cut in cut.iter().filter_map(|cut| cut.within(*window)) {
            left.extend((from < cut.from).then_some(Window { from, to: cut.from }));
            from = cut.to;
        }
        left.extend((from < window.to).then_some(Window { from, to: window.to }));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn window(from_h: i64, to_h: i64) -> Window {
        Window { from: from_h * HOUR, to: to_h * HOUR }
    }

    fn gone(from_h: i64, to_h: i64) -> Absence {
        Absence { time: window(from_h, to_h), cause: Cause::Power }
    }

    #[test]
    fn six_hours_of_a_day_without_power_are_three_quarters() {
        let share = share(window(0, 24), &[window(0, 24)], &[gone(3, 9)], &[], &[]);
        assert_eq!((share.percent(), share.out_ms, share.outages), (Some(75.0), 6 * HOUR, 1));
        assert_eq!(share.causes, BTreeMap::from([(Cause::Power, 1)]));
    }

    #[test]
    fn what_the_server_could_not_know_counts_on_neither_side() {
        let share = share(window(0, 24), &[window(0, 24)], &[gone(0, 8)], &[window(4, 12), window(10, 16)], &[]);
        assert_eq!((share.unknown_ms, share.known_ms, share.out_ms), (12 * HOUR, 12 * HOUR, 4 * HOUR));
        let blind = super::share(window(0, 24), &[window(0, 24)], &[gone(3, 9)], &[window(0, 24)], &[]);
        assert_eq!((blind.percent(), blind.outages), (None, 0));
    }

    #[test]
    fn maintenance_is_shown_apart_and_does_not_lower_the_share() {
        let share = share(window(0, 24), &[window(0, 24)], &[gone(6, 12)], &[], &[window(6, 10)]);
        assert_eq!((share.planned_ms, share.out_ms, share.known_ms), (4 * HOUR, 2 * HOUR, 20 * HOUR));
        assert_eq!(share.percent(), Some(90.0));
    }

    #[test]
    fn a_device_counts_from_when_it_was_enrolled_and_an_outage_where_it_began() {
        let before = share(window(0, 24), &[window(30, 48)], &[gone(20, 40)], &[], &[]);
        assert_eq!(before, Share::default());
        let after = share(window(24, 48), &[window(0, 48)], &[gone(20, 36)], &[], &[]);
        assert_eq!((after.outages, after.out_ms, after.longest_ms), (0, 12 * HOUR, 12 * HOUR));
    }

    #[test]
    fn a_new_key_changes_nothing_and_time_out_of_service_does_not_count() {
        let reflashed = service(&[window(0, 10)], 10 * HOUR, 24 * HOUR);
        assert_eq!(reflashed, [window(0, 24)]);
        let share = share(window(0, 24), &reflashed, &[gone(8, 14)], &[], &[]);
        assert_eq!((share.percent(), share.outages, share.longest_ms), (Some(75.0), 1, 6 * HOUR));
        // Thrown out at ten, back at twenty.
        let returned = service(&[window(0, 10)], 20 * HOUR, 24 * HOUR);
        let share = super::share(window(0, 24), &returned, &[gone(3, 10)], &[], &[]);
        assert_eq!((share.known_ms, share.out_ms, share.percent()), (14 * HOUR, 7 * HOUR, Some(50.0)));
    }

    #[test]
    fn days_weeks_and_months_begin_where_the_fleet_is() {
        let zone = TimeZone::get("Asia/Jakarta").unwrap();
        let ms = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        // A Friday.
        let time = Window { from: ms("2025-11-21T02:00:00Z"), to: ms("2025-12-02T00:00:00Z") };
        let starts = |period| -> Vec<String> {
            let parts = periods(time, period, &zone, 50).unwrap();
            assert_eq!(parts.last().unwrap().to, time.to);
            parts[1..].iter().map(|part| Timestamp::from_millisecond(part.from).unwrap().to_string()).collect()
        };
        assert_eq!(starts(Period::Day).len(), 11);
        assert_eq!(starts(Period::Day)[0], "2025-11-21T17:00:00Z");
        assert_eq!(starts(Period::Week), ["2025-11-23T17:00:00Z", "2025-11-30T17:00:00Z"]);
        assert_eq!(starts(Period::Month), ["2025-11-30T17:00:00Z"]);
        assert_eq!(periods(time, Period::Day, &zone, 5), None);
        let summer = TimeZone::get("Europe/Berlin").unwrap();
        let turn = Window { from: ms("2025-10-25T22:00:00Z"), to: ms("2025-10-27T23:00:00Z") };
        let hours: Vec<i64> = periods(turn, Period::Day, &summer, 9).unwrap().iter().map(|d| d.ms() / HOUR).collect();
        assert_eq!(hours, [25, 24]);
    }
}
