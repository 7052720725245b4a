//! What reports conclude from what is kept, on every engine: the same as whoever counts all readings by hand.

use crate::databases::{Database, NOW, on_each_database, pi, reading, received, register};
use crate::rules::{Sender, at, rule, under};
use jiff::tz::TimeZone;
use server::audit::Actor;
use server::outage::{Period, Window, periods};
use server::recompute::recompute;
use server::report::{Statistics, beyond, expected, held};
use server::store::{Incoming, NewSettings, NewThreshold, Revised, Store, Wanted};
use server::threshold::{Scope, Target};
use shared::calibration::{By, Calibration, CalibrationRecord, Point, RecordId};
use shared::message::{Intervals, ProbeReport, Sensors};
use shared::rule::Kind;
use shared::sensor::{Sensor, ph::Ph};
use shared::{ClockQuality, Fault, Flag, Flags, Metric, Outcome, Reading, Stamp, UtcMillis, Value};

const MINUTE: i64 = 60_000;
const DAY: i64 = 1440 * MINUTE;

/// Numbers that look random, the same ones each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Readings of pH over some weeks: gaps, faults, flags, a clock that nobody set, and one at the very border of each day.
fn weeks(dice: &mut Dice, from: i64, days: i64) -> Vec<Reading> {
    let (mut readings, mut ms) = (vec![], from);
    while ms < from + days * DAY {
        let millivolts = 1400.0 + dice.below(2_000) as f64 / 10.0;
        let mut one = reading(readings.len() as u64 + 1, ms, Metric::Ph, dice.below(5_000) as f64 / 1000.0 + 5.0);
        one.millivolts = Some(Value::new(millivolts).unwrap());
        one.flags = match dice.below(12) {
            0 => Flags::NONE.with(Flag::Stuck),
            1 => Flags::NONE.with(Flag::Calibrating),
            2 => Flags::NONE.with(Flag::Simulated),
            // Only what had no temperature is measured again without one.
            3..7 => Flags::NONE.with(Flag::NoTemperature),
            _ => Flags::NONE,
        };
        match dice.below(12) {
            0 => (one.outcome, one.millivolts, one.spread) = (Outcome::Fault(Fault::NoAnswer), None, None),
            1 => one.stamp.clock = ClockQuality::Unsynced,
            _ => {}
        }
        readings.push(one);
        let next = ms + (1 + dice.below(90) as i64) * MINUTE;
        let midnight = (NOW.0 + ms).div_euclid(DAY) * DAY + DAY - NOW.0;
        ms = if ms < midnight && midnight <= next { midnight } else { next };
    }
    readings
}

/// The same by whoever has all readings before him.
fn by_hand(all: &[Revised], time: Window) -> Statistics {
    let within: Vec<&Reading> = all.iter().map(|one| &one.reading).collect();
    let within: Vec<_> = within.into_iter().filter(|one| (time.from..time.to).contains(&one.stamp.at.0)).collect();
    let count = |is: &dyn Fn(&Reading) -> bool| within.iter().filter(|one| is(one)).count() as u64;
    let value = |one: &Reading| match one.outcome {
        Outcome::Measured(value) if !one.flags.has(Flag::Calibrating) => Some(value.get()),
        _ => None,
    };
    let plain = |one: &Reading| one.flags.iter().all(|flag| flag == Flag::Simulated);
    let values: Vec<f64> = within.iter().filter_map(|one| value(one)).collect();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let quantile = |share: f64| {
        let place = share * (sorted.len() - 1) as f64;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        low + (high - low) * place.fract()
    };
    let when = |wanted: f64| within.iter().find(|one| value(one) == Some(wanted)).unwrap().stamp.at.0;
    let summary = sorted.first().zip(sorted.last()).map(|(&min, &max)| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
        server::report::Summary {
            min: (min, when(min)),
            max: (max, when(max)),
            mean,
            deviation: (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt()),
            quantiles: [0.05, 0.5, 0.95].map(quantile),
            step: 0.001,
        }
    });
    Statistics {
        time,
        good: count(&|one| value(one).is_some() && plain(one)),
        flagged: count(&|one| value(one).is_some() && !plain(one)),
        calibrating: count(&|one| one.flags.has(Flag::Calibrating) && matches!(one.outcome, Outcome::Measured(_))),
        faults: count(&|one| matches!(one.outcome, Outcome::Fault(_))),
        simulated: count(&|one| one.flags.has(Flag::Simulated)),
        unsynced: count(&|one| one.stamp.clock == ClockQuality::Unsynced),
        summary,
    }
}

/// Sums that were added up in another order differ by rounding.
fn alike(found: &Statistics, wanted: &Statistics) {
    let plain = |statistics: &Statistics| Statistics { summary: None, ..statistics.clone() };
    assert_eq!(plain(found), plain(wanted));
    let (Some(found), Some(wanted)) = (found.summary, wanted.summary) else {
        assert_eq!(found.summary, wanted.summary);
        return;
    };
    assert_eq!((found.min, found.max, found.step), (wanted.min, wanted.max, wanted.step));
    let pairs = [(found.mean, wanted.mean)].into_iter().chain(found.quantiles.into_iter().zip(wanted.quantiles));
    for (found, wanted) in pairs.chain(found.deviation.zip(wanted.deviation)) {
        assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
    }
    assert_eq!(found.deviation.is_some(), wanted.deviation.is_some());
}

async fn append(store: &Store, buffer: u64, readings: Vec<Reading>) {
    let batch = Incoming { device: pi(1), received: received(buffer, readings), at: NOW };
    assert!(store.append(&[batch]).await.unwrap()[0].is_some());
}

#[test]
fn statistics_are_those_of_all_readings_counted_by_hand_also_after_a_part_was_computed_again() {
    on_each_database(|database| async move {
        for seed in [1, 7, 42] {
            let store = database.open().await;
            database.tamper("DELETE FROM device; DELETE FROM segment; DELETE FROM recent; DELETE FROM buffer").await;
            database
                .tamper("DELETE FROM revised; DELETE FROM revision; DELETE FROM sensors; DELETE FROM calibration")
                .await;
            register(&database, 1).await;
            let mut dice = Dice(seed);
            // Over the end of summer time in Berlin, in three buffers that overlap; the last part lies loose.
            let from = -40 * DAY;
            let readings = weeks(&mut dice, from, 30);
            let (first, rest) = readings.split_at(readings.len() / 2);
            append(&store, 1, first.to_vec()).await;
            append(&store, 2, weeks(&mut dice, from + 14 * DAY, 2)).await;
            assert!(store.tidy(UtcMillis(NOW.0 + DAY)).await.unwrap() > 0);
            for (n, part) in rest.chunks(17).enumerate() {
                append(&store, 1, part.to_vec()).await;
                if n == 8 {
                    store.tidy(UtcMillis(NOW.0 + DAY)).await.unwrap();
                }
            }
            let report =
                ProbeReport { source: "adc".to_owned(), sensor: Some(Sensor::Ph(Ph::default())), limits: None };
            let sensors = Sensors::new([(Metric::Ph, report)].into());
            store.record_sensors(&pi(1), &sensors, at(from - DAY)).await.unwrap();
            let by = By::Device { name: "Siti".to_owned() };
            let stamp = Stamp { at: at(from - DAY), clock: ClockQuality::Synced };
            let worn = Calibration::Ph { zero_mv: 1530.0, acid_percent: 95.0, base_percent: 90.0 };
            let mut record = CalibrationRecord::new(RecordId::from_random(seed), Metric::Ph, stamp, by, Some(worn));
            record.points = vec![Point { nominal: 7.0, millivolts: 1530.0, celsius: Some(25.0), spread: None }];
            store.add_calibration(&pi(1), &record, 0, NOW).await.unwrap();
            let all = (at(from), at(from + 30 * DAY));
            let sent = store.readings(&pi(1), Metric::Ph, all, usize::MAX, None).await.unwrap();
            assert_eq!(
                sent.iter().filter(|one| one.buffer == shared::BufferId::from_random(1)).count(),
                readings.len()
            );
            let (again_from, again_to) = (at(from + 5 * DAY + 777), at(from + 19 * DAY + 12_345));
            let wanted = Wanted {
                device: pi(1),
                metric: Metric::Ph,
                from: again_from,
                to: again_to,
                calibration: None,
                by: "admin".to_owned(),
            };
            let revision = recompute(&store, wanted, &Actor::account("admin"), NOW).await.unwrap();
            assert!(revision.results.changed > 50);
            let shown = store.readings(&pi(1), Metric::Ph, all, usize::MAX, None).await.unwrap();
            assert_ne!(shown, sent);

            let whole = Window { from: all.0.0, to: all.1.0 };
            let berlin = TimeZone::get("Europe/Berlin").unwrap();
            for zone in [TimeZone::UTC, TimeZone::get("Asia/Jakarta").unwrap(), berlin.clone()] {
                for period in [Period::Day, Period::Week, Period::Month] {
                    // A border of a period that no reading knows of.
                    let time = Window { from: whole.from + 3 * DAY + 1, to: whole.to };
                    let parts = periods(time, period, &zone, 100).unwrap();
                    let (found, usual) = store.statistics(&pi(1), Metric::Ph, &parts).await.unwrap();
                    assert_eq!(found.len(), parts.len());
                    for (found, part) in found.iter().zip(&parts) {
                        alike(found, &by_hand(&shown, *part));
                    }
                    assert!((20.0..70.0).contains(&(usual.unwrap() / MINUTE as f64)), "{usual:?} of 1 to 90 minutes");
                }
            }
            let days = periods(whole, Period::Day, &berlin, 100).unwrap();
            assert!(days.iter().any(|day| day.ms() == DAY + 60 * MINUTE), "one has 25 hours");
            let (found, _) = store.statistics(&pi(1), Metric::Ph, &[whole]).await.unwrap();
            alike(&found[0], &by_hand(&shown, whole));
            assert_eq!(found[0].readings(), sent.len() as u64);
            store.close().await;
        }
    });
}

#[test]
fn of_what_was_never_measured_there_are_no_statistics() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let time = Window { from: NOW.0, to: NOW.0 + DAY };
        let (found, usual) = store.statistics(&pi(1), Metric::Tds, &[time]).await.unwrap();
        assert_eq!((found[0].readings(), found[0].summary, usual), (0, None, None));
        assert_eq!(store.statistics(&pi(1), Metric::Tds, &[]).await.unwrap(), (vec![], None));
    });
}

#[test]
fn limits_that_were_passed_count_by_the_time_of_their_readings_however_late_those_came() {
    on_each_database(|database| async move {
        let store = under(&database, 2, Metric::Ph, crate::rules::PH).await;
        let values = [7.0, 9.4, 10.6, 10.4, 9.5, 8.0];
        let readings: Vec<(i64, f64)> = (0..).step_by(10_000).zip(values).collect();
        let mut at_once = Sender::new(1);
        for (ms, value) in &readings {
            at_once.send(&store, *ms, &[(*ms, *value)]).await;
        }
        // The other had no network for two hours.
        Sender::new(2).send(&store, 120 * MINUTE, &readings).await;
        let time = Window { from: NOW.0, to: NOW.0 + 180 * MINUTE };
        for n in [1, 2] {
            let episodes = store.episodes(&pi(n), time).await.unwrap();
            let found = beyond(episodes.iter(), time, &[], time.to);
            assert_eq!((found.episodes, found.critical_episodes, found.ongoing), (1, 1, false), "pi-{n}");
            assert_eq!((found.beyond_ms, found.critical_ms), (40_000, 20_000), "pi-{n}: {episodes:?}");
            assert_eq!(found.longest, Some(Window { from: NOW.0 + 10_000, to: NOW.0 + 50_000 }));
            let worst = store.furthest(&pi(n), Metric::Ph, Kind::High, &found.times).await.unwrap();
            assert_eq!(worst, Some((10.6, NOW.0 + 20_000)));
            let part = Window { from: NOW.0 + 25_000, to: NOW.0 + 45_000 };
            let found = beyond(store.episodes(&pi(n), part).await.unwrap().iter(), part, &[], time.to);
            assert_eq!((found.beyond_ms, found.critical_ms), (20_000, 15_000), "cut at both ends");
            let worst = store.furthest(&pi(n), Metric::Ph, Kind::High, &found.times).await.unwrap();
            assert_eq!(worst, Some((10.4, NOW.0 + 30_000)));
        }
        let after = Window { from: NOW.0 + 50_000, to: time.to };
        assert!(store.episodes(&pi(1), after).await.unwrap().is_empty());
    });
}

#[test]
fn one_that_was_cleared_out_of_the_lists_was_passed_all_the_same() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, crate::rules::PH).await;
        let mut sender = Sender::new(1);
        sender.send(&store, 0, &[(0, 4.0)]).await;
        let filter = server::store::AlertFilter::default();
        store.clear_alerts(&filter, &Actor::account("budi"), at(1000)).await.unwrap();
        sender.send(&store, 20_000, &[(20_000, 7.0)]).await;
        let time = Window { from: NOW.0, to: NOW.0 + MINUTE };
        let episodes = store.episodes(&pi(1), time).await.unwrap();
        let found = beyond(episodes.iter(), time, &[], time.to);
        assert_eq!((found.episodes, found.beyond_ms, found.ongoing), (1, 20_000, false), "{episodes:?}");
    });
}

#[test]
fn the_interval_of_a_time_is_the_one_that_was_set_then() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let set = async |ms: u64, now: i64| {
            let mut intervals = Intervals::default();
            intervals.set(Metric::Ph, ms).unwrap();
            let new = NewSettings::of(intervals);
            store.change_settings(&pi(1), &new, &Actor::account("budi"), at(now)).await.unwrap();
        };
        let paces = store.paces(&pi(1)).await.unwrap();
        assert_eq!((paces.len(), paces[0].intervals.get(Metric::Ph)), (1, None));
        set(10_000, 0).await;
        set(60_000, 10 * MINUTE).await;
        let time = [Window { from: NOW.0, to: NOW.0 + 20 * MINUTE }];
        let paces = store.paces(&pi(1)).await.unwrap();
        assert_eq!(expected(&time, Metric::Ph, &paces, None), Some(70.0), "{paces:?}");
        assert_eq!(expected(&time, Metric::Tds, &paces, None), None);
    });
}

#[test]
fn the_limits_of_a_time_are_those_of_the_versions_that_held_then() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, r#"{"high":{"warning":9}}"#).await;
        let place = Target { scope: Scope::Location, target: "Kolam 1".to_owned() };
        let threshold = Some(serde_json::from_str(r#"{"high":{"warning":8}}"#).unwrap());
        let new = NewThreshold { targets: vec![place], metric: Metric::Ph, threshold, preset: None };
        store.set_thresholds(&new, &Actor::account("budi"), at(1000)).await.unwrap();
        rule(&store, Metric::Ph, Some(r#"{"high":{"warning":9.5}}"#), at(2000)).await;
        rule(&store, Metric::Tds, Some(r#"{"high":{"warning":900}}"#), at(2000)).await;
        let time = Window { from: NOW.0, to: NOW.0 + 3000 };
        for (location, wanted) in [
            (None, vec![(0, 2000, 9.0), (2000, 3000, 9.5)]),
            (Some("Kolam 1"), vec![(0, 1000, 9.0), (1000, 3000, 8.0)]),
        ] {
            let all = store.thresholds_before(&pi(1), location, Metric::Ph, time.to).await.unwrap();
            let found = held(&all, "pi-1", location, time);
            let limit = |held: &server::report::Held| held.kept.threshold.unwrap().high.warning.unwrap().get();
            let found: Vec<_> =
                found.iter().map(|held| (held.time.from - NOW.0, held.time.to - NOW.0, limit(held))).collect();
            assert_eq!(found, wanted, "{location:?}");
        }
    });
}

/// A year of one metric is read by stretches; what lies at their borders is neither lost nor counted twice.
#[test]
fn a_year_of_readings_is_counted_once_each() {
    on_each_database(|database: std::sync::Arc<Database>| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let midnight = NOW.0.div_euclid(DAY) * DAY - NOW.0;
        let mut readings = vec![];
        for day in -365..0 {
            for ms in [0, 1, DAY - 1] {
                let value = 7.0 + f64::from(i32::try_from(readings.len() % 100).unwrap()) / 1000.0;
                readings.push(reading(readings.len() as u64 + 1, midnight + day * DAY + ms, Metric::Ph, value));
            }
        }
        for part in readings.chunks(400) {
            append(&store, 1, part.to_vec()).await;
        }
        store.tidy(UtcMillis(NOW.0 + DAY)).await.unwrap();
        let to = NOW.0 + midnight;
        let year = Window { from: to - 365 * DAY, to };
        let (found, _) = store.statistics(&pi(1), Metric::Ph, &[year]).await.unwrap();
        assert_eq!(found[0].good, 3 * 365);
        let (days, _) = store
            .statistics(&pi(1), Metric::Ph, &periods(year, Period::Day, &TimeZone::UTC, 400).unwrap())
            .await
            .unwrap();
        assert!(days.len() == 365 && days.iter().all(|day| day.good == 3));
    });
}
