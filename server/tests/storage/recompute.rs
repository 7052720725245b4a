//! What computing history again promises, on every engine: the originals stay, the values are those that the device
//! would have measured, and the same request gives the same bits.

use crate::databases::{Database, NOW, on_each_database, pi, reading, received, register};
use server::audit::{Act, Actor};
use server::recompute::{RecomputeError, recompute};
use server::store::{Incoming, Revised, Revision, Store, StoreError, Wanted};
use shared::calibration::{By, Calibration, CalibrationRecord, Point, RecordId};
use shared::message::{ProbeReport, Sensors};
use shared::sensor::ph::Ph;
use shared::sensor::{Sensor, Signal};
use shared::{ClockQuality, DeviceName, Fault, Flag, Flags, Metric, Outcome, Reading, Stamp, UtcMillis, Value};

const HOUR_MS: i64 = 3_600_000;
const EVER: (i64, i64) = (-400 * 24 * HOUR_MS, 400 * 24 * HOUR_MS);
const GOOD: Calibration = Calibration::Ph { zero_mv: 1500.0, acid_percent: 100.0, base_percent: 100.0 };
const WORN: Calibration = Calibration::Ph { zero_mv: 1530.0, acid_percent: 95.0, base_percent: 90.0 };

fn at(ms: i64) -> UtcMillis {
    UtcMillis(NOW.0 + ms)
}

/// A pH reading as an agent without a calibration takes it.
fn ph(seq: u64, ms: i64, millivolts: f64) -> Reading {
    Reading {
        millivolts: Some(Value::new(millivolts).unwrap()),
        flags: Flags::NONE.with(Flag::Uncalibrated).with(Flag::NoTemperature),
        ..reading(seq, ms, Metric::Ph, 7.77)
    }
}

/// A temperature of a probe without a voltage.
fn water(seq: u64, ms: i64, celsius: f64) -> Reading {
    Reading { millivolts: None, spread: None, ..reading(seq, ms, Metric::Temperature, celsius) }
}

async fn append(store: &Store, buffer: u64, readings: Vec<Reading>) {
    let batch = Incoming { device: pi(1), received: received(buffer, readings), at: NOW };
    assert!(store.append(&[batch]).await.unwrap()[0].is_some());
}

/// What the device measures with from `ms` on.
async fn equip(store: &Store, ms: i64, metric: Metric, sensor: Sensor) {
    let report = ProbeReport { source: "ads1115 0x48 A0".to_owned(), sensor: Some(sensor), limits: None };
    store.record_sensors(&pi(1), &Sensors::new([(metric, report)].into()), at(ms)).await.unwrap();
}

/// A calibration that was made at `ms` and arrived at [`NOW`].
async fn calibrate(store: &Store, id: u64, ms: i64, clock: ClockQuality, metric: Metric, calibration: Calibration) {
    let by = By::Device { name: "Siti".to_owned() };
    let stamp = Stamp { at: at(ms), clock };
    let mut record = CalibrationRecord::new(RecordId::from_random(id), metric, stamp, by, Some(calibration));
    record.points = vec![Point { nominal: 7.0, millivolts: 1500.0, celsius: Some(25.0), spread: None }];
    store.add_calibration(&pi(1), &record, 0, NOW).await.unwrap();
}

fn wanted(metric: Metric, (from, to): (i64, i64), calibration: Option<u64>) -> Wanted {
    let calibration = calibration.map(RecordId::from_random);
    Wanted { device: pi(1), metric, from: at(from), to: at(to), calibration, by: "admin".to_owned() }
}

fn admin() -> Actor {
    Actor::account("admin")
}

async fn again(store: &Store, range: (i64, i64), calibration: Option<u64>) -> Revision {
    recompute(store, wanted(Metric::Ph, range, calibration), &admin(), NOW).await.unwrap()
}

async fn shown(store: &Store, as_of: Option<u32>) -> Vec<Revised> {
    store.readings(&pi(1), Metric::Ph, (at(EVER.0), at(EVER.1)), usize::MAX, as_of).await.unwrap()
}

fn values(shown: &[Revised]) -> Vec<(u32, f64)> {
    shown.iter().map(|r| (r.revision, number(&r.reading))).collect()
}

fn number(reading: &Reading) -> f64 {
    match reading.outcome {
        Outcome::Measured(value) => value.get(),
        Outcome::Fault(fault) => panic!("{fault}"),
    }
}

/// What an agent would measure.
fn measured(millivolts: f64, celsius: Option<f64>, calibration: &Calibration) -> f64 {
    let sensor = Sensor::Ph(Ph::default());
    let signal = Signal { millivolts, celsius, calibration: Some(calibration) };
    let value = sensor.measure(&signal, &sensor.law().limits()).value.unwrap();
    Value::rounded(value, 3).unwrap().get()
}

async fn exported(store: &Store) -> Vec<Reading> {
    let mut all = vec![];
    let each = |_: &DeviceName, _, reading: &Reading| {
        all.push(*reading);
        Ok::<_, StoreError>(())
    };
    store.export(None, each).await.unwrap();
    all
}

async fn prepared(database: &Database) -> Store {
    let store = database.open().await;
    register(database, 1).await;
    equip(&store, -1000, Metric::Ph, Sensor::Ph(Ph::default())).await;
    store
}

#[test]
fn readings_are_computed_again_as_the_agent_would_have_measured_them_and_the_originals_stay() {
    on_each_database(|database| async move {
        let store = prepared(&database).await;
        calibrate(&store, 1, -500, ClockQuality::Synced, Metric::Ph, WORN).await;
        let sent = vec![
            ph(1, 0, 1500.0),
            water(2, 1000, 10.0),
            ph(3, 1000, 2000.0),
            ph(4, 600_000 + 1000, 1000.0),
            ph(5, 600_000 + 1001, 1000.0),
        ];
        append(&store, 1, sent.clone()).await;
        let revision = again(&store, EVER, None).await;
        assert_eq!((revision.number, revision.results.readings, revision.results.changed), (1, 4, 4));

        let now = shown(&store, None).await;
        let expected = [
            (1, measured(1500.0, None, &WORN)),
            (1, measured(2000.0, Some(10.0), &WORN)),
            (1, measured(1000.0, Some(10.0), &WORN)),
            (1, measured(1000.0, None, &WORN)),
        ];
        assert_eq!(values(&now), expected);
        // By hand: 470 mV above zero; 3 x 56.18 mV a pH at 10 degrees, 95 % of it.
        assert_eq!(number(&now[1].reading), 4.065);
        let none = Flags::NONE;
        let flags = now.iter().map(|r| r.reading.flags).collect::<Vec<_>>();
        assert_eq!(flags, [none.with(Flag::NoTemperature), none, none, none.with(Flag::NoTemperature)]);
        let same = |r: &Revised| (r.reading.seq, r.reading.stamp, r.reading.millivolts, r.reading.spread);
        let originals = shown(&store, Some(0)).await;
        assert!(now.iter().map(same).eq(originals.iter().map(same)), "only value and flags are new");
        assert_eq!(originals.iter().map(|r| r.reading).collect::<Vec<_>>(), [sent[0], sent[2], sent[3], sent[4]]);
        assert!(originals.iter().all(|r| r.revision == 0));
        assert_eq!(exported(&store).await, sent, "an export is what the device sent");
        assert_eq!(store.revisions(&pi(1)).await.unwrap(), [revision]);
    });
}

#[test]
fn what_was_in_force_when_a_reading_was_taken_counts_by_the_records_own_times() {
    on_each_database(|database| async move {
        let store = prepared(&database).await;
        // It claims to be of before everything, by a clock that nobody trusts: it counts from its arrival on.
        let third = Calibration::Ph { zero_mv: 1510.0, acid_percent: 99.0, base_percent: 99.0 };
        calibrate(&store, 3, -9_000_000, ClockQuality::Unsynced, Metric::Ph, third).await;
        calibrate(&store, 1, 30_000, ClockQuality::Synced, Metric::Ph, WORN).await;
        // It was made at the device, which was offline, and won over the other one there: so it does here.
        calibrate(&store, 2, 10_000, ClockQuality::Repaired, Metric::Ph, GOOD).await;
        let mut unsynced = ph(6, 20_000, 1400.0);
        unsynced.stamp.clock = ClockQuality::Unsynced;
        let times = [-1, 0, 10_000, 29_999, 30_000];
        let sent = times.iter().zip(1..).map(|(&ms, seq)| ph(seq, ms, 1400.0)).chain([unsynced]).collect();
        append(&store, 1, sent).await;
        let revision = again(&store, EVER, None).await;
        let ideal = |c| measured(1400.0, None, c);
        let first = values(&shown(&store, None).await);
        let expected = [ideal(&GOOD), ideal(&third), ideal(&GOOD), 7.77, ideal(&GOOD), ideal(&GOOD)];
        assert_eq!(first, expected.map(|value| (1, value)));
        assert!(shown(&store, None).await[0].reading.flags.has(Flag::Uncalibrated));
        assert_eq!((revision.results.readings, revision.results.changed), (6, 5));

        let all = again(&store, EVER, Some(1)).await;
        assert_eq!((all.wanted.calibration, all.results.changed), (Some(RecordId::from_random(1)), 6));
        assert!(values(&shown(&store, None).await).iter().all(|v| *v == (2, ideal(&WORN))));
    });
}

#[test]
fn a_temperature_that_only_the_device_had_is_not_replaced_by_a_guess() {
    on_each_database(|database| async move {
        let store = prepared(&database).await;
        calibrate(&store, 1, -500, ClockQuality::Synced, Metric::Ph, GOOD).await;
        let with_water = |seq, ms| Reading { flags: Flags::NONE, ..ph(seq, ms, 1000.0) };
        // Of half an hour before, because the thermometer is read so seldom; then of too long before.
        let mut bath = water(2, 1_801_000, 35.0);
        bath.flags = Flags::NONE.with(Flag::Calibrating);
        let (soon, late) = (with_water(3, 1_802_000), with_water(4, 4 * HOUR_MS));
        append(&store, 1, vec![water(1, 1000, 10.0), bath, soon, late]).await;
        again(&store, EVER, None).await;
        let now = shown(&store, None).await;
        assert_eq!(number(&now[0].reading), measured(1000.0, Some(10.0), &GOOD), "not the bath of a calibration");
        assert_eq!((now[0].reading.flags, now[1].reading), (Flags::NONE, late));
    });
}

#[test]
fn what_only_the_device_could_know_is_kept() {
    on_each_database(|database| async move {
        let store = prepared(&database).await;
        calibrate(&store, 1, -500, ClockQuality::Synced, Metric::Ph, GOOD).await;
        let observed = [Flag::Simulated, Flag::Stuck, Flag::Unstable, Flag::Calibrating, Flag::Other]
            .into_iter()
            .fold(Flags::NONE, Flags::with);
        let mut marked = ph(1, 0, 1500.0);
        marked.flags = observed.with(Flag::Uncalibrated).with(Flag::OutOfRange).with(Flag::NoTemperature);
        let mut railed = ph(2, 1000, 3299.0);
        railed.outcome = Outcome::Fault(Fault::RailHigh);
        let mut impossible = ph(3, 2000, 1400.0);
        impossible.outcome = Outcome::Fault(Fault::OutOfRange);
        let mut silent = ph(4, 3000, 1400.0);
        (silent.outcome, silent.millivolts) = (Outcome::Fault(Fault::NoAnswer), None);
        let becomes_impossible = ph(5, 4000, 100.0);
        append(&store, 1, vec![marked, railed, impossible, silent, becomes_impossible]).await;
        let revision = again(&store, EVER, None).await;
        assert_eq!((revision.results.readings, revision.results.changed), (4, 3));

        let now: Vec<_> = shown(&store, None).await;
        assert_eq!((number(&now[0].reading), now[0].reading.flags), (7.0, observed.with(Flag::NoTemperature)));
        assert_eq!((now[1].reading, now[1].revision), (railed, 1), "a voltage at a rail is no signal");
        assert_eq!(number(&now[2].reading), measured(1400.0, None, &GOOD), "it is possible now");
        assert_eq!((now[3].reading, now[3].revision), (silent, 0));
        assert_eq!(now[4].reading.outcome, Outcome::Fault(Fault::OutOfRange));
    });
}

#[test]
fn a_value_that_a_simulated_temperature_went_into_says_so() {
    on_each_database(|database| async move {
        let store = prepared(&database).await;
        equip(&store, -1000, Metric::Pressure, Sensor::usual(Metric::Pressure).unwrap()).await;
        let mut made_up = water(1, 0, 10.0);
        made_up.flags = Flags::NONE.with(Flag::Simulated);
        append(&store, 1, vec![made_up, ph(2, 5, 1600.0), reading(3, 5, Metric::Pressure, 5.0)]).await;
        again(&store, EVER, None).await;
        assert!(shown(&store, None).await[0].reading.flags.has(Flag::Simulated));
        recompute(&store, wanted(Metric::Pressure, EVER, None), &admin(), NOW).await.unwrap();
        let pressure = store.readings(&pi(1), Metric::Pressure, (at(0), at(9)), 9, None).await.unwrap();
        assert_eq!((pressure[0].revision, pressure[0].reading.flags.has(Flag::Simulated)), (2, false));
    });
}

#[test]
fn what_the_probe_was_at_the_time_counts_and_the_earliest_known_before_that() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        append(&store, 1, vec![ph(1, 0, 1400.0), ph(2, 5000, 1400.0), ph(3, 9000, 1400.0)]).await;
        let refused = recompute(&store, wanted(Metric::Ph, EVER, None), &admin(), NOW).await.unwrap_err();
        assert!(matches!(refused, RecomputeError::NoSensor(Metric::Ph)), "{refused}");
        equip(&store, 4000, Metric::Ph, Sensor::Ph(Ph { midpoint_mv: 1400.0, gain: 3.0 })).await;
        equip(&store, 8000, Metric::Ph, Sensor::Ph(Ph::default())).await;
        again(&store, EVER, None).await;
        let third = number(&shown(&store, None).await[2].reading);
        assert_eq!(values(&shown(&store, None).await), [(1, 7.0), (1, 7.0), (1, third)]);
        assert!((7.5..7.6).contains(&third), "{third}");
    });
}

#[test]
fn a_record_that_there_is_not_or_of_another_probe_is_refused_and_nothing_is_made() {
    on_each_database(|database| async move {
        let store = prepared(&database).await;
        calibrate(
            &store,
            1,
            0,
            ClockQuality::Synced,
            Metric::Pressure,
            Calibration::Linear { slope: 1.0, offset: 0.0 },
        )
        .await;
        calibrate(&store, 2, 0, ClockQuality::Synced, Metric::Ph, Calibration::Cell { k: 1.0 }).await;
        append(&store, 1, vec![ph(1, 0, 1400.0)]).await;
        for (id, wrong_kind) in [(1, false), (2, true), (3, false)] {
            let error = recompute(&store, wanted(Metric::Ph, EVER, Some(id)), &admin(), NOW).await.unwrap_err();
            assert_eq!(matches!(error, RecomputeError::WrongKind(_)), wrong_kind, "{error}");
            assert_eq!(matches!(error, RecomputeError::NoRecord(_)), !wrong_kind, "{error}");
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM revision").await, 0);
    });
}

#[test]
fn a_probe_of_two_metrics_is_computed_with_its_one_calibration() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        equip(&store, 0, Metric::Ec, Sensor::usual(Metric::Ec).unwrap()).await;
        calibrate(&store, 1, -10, ClockQuality::Synced, Metric::Tds, Calibration::Cell { k: 2.0 }).await;
        append(&store, 1, vec![Reading { flags: Flags::NONE, ..reading(1, 0, Metric::Ec, 500.0) }]).await;
        for calibration in [None, Some(1)] {
            recompute(&store, wanted(Metric::Ec, EVER, calibration), &admin(), NOW).await.unwrap();
            let ec = store.readings(&pi(1), Metric::Ec, (at(0), at(1)), 9, None).await.unwrap();
            assert!(!ec[0].reading.flags.has(Flag::Uncalibrated));
        }
    });
}

#[test]
fn of_each_reading_the_newest_revision_is_shown_and_every_earlier_state_can_be_asked_for() {
    on_each_database(|database| async move {
        let store = prepared(&database).await;
        calibrate(&store, 1, -500, ClockQuality::Synced, Metric::Ph, GOOD).await;
        calibrate(&store, 2, -400, ClockQuality::Synced, Metric::Ph, WORN).await;
        append(&store, 1, (1..=6).map(|seq| ph(seq, seq as i64 * 1000, 1400.0)).collect()).await;
        let (good, worn) = (measured(1400.0, None, &GOOD), measured(1400.0, None, &WORN));
        again(&store, (1000, 5000), Some(1)).await;
        again(&store, (3000, 6000), Some(2)).await;
        // Of the same second, in another buffer: it arrived after both.
        append(&store, 2, vec![ph(1, 3000, 1400.0)]).await;
        let states = [
            (Some(0), [0, 0, 0, 0, 0, 0, 0]),
            (Some(1), [1, 1, 1, 0, 1, 0, 0]),
            (Some(2), [1, 1, 2, 0, 2, 2, 0]),
            (None, [1, 1, 2, 0, 2, 2, 0]),
        ];
        let value = |revision| [7.77, good, worn][revision as usize];
        for (as_of, revisions) in states {
            let found = values(&shown(&store, as_of).await);
            // The two of one second stand in the order of their sequences: 1 of buffer 2 before 3 of buffer 1.
            let mut expected = revisions.map(|revision| (revision, value(revision)));
            expected.swap(2, 3);
            assert_eq!(found, expected, "{as_of:?}");
        }
        // One that covers both puts them away.
        again(&store, (0, 9000), Some(1)).await;
        assert!(values(&shown(&store, None).await).iter().all(|v| *v == (3, good)));
        assert_eq!(values(&shown(&store, Some(2)).await).iter().filter(|v| v.0 == 2).count(), 3);
        let numbers: Vec<_> = store.revisions(&pi(1)).await.unwrap().iter().map(|r| r.number).collect();
        assert_eq!(numbers, [3, 2, 1]);
    });
}

#[test]
fn the_same_request_gives_the_same_digest_however_the_readings_lie_in_the_database() {
    on_each_database(|database| async move {
        let store = prepared(&database).await;
        calibrate(&store, 1, -500, ClockQuality::Synced, Metric::Ph, WORN).await;
        // Two days of two buffers at once, over midnight, in batches of any size.
        let (mut one, mut two) = (vec![], vec![]);
        for n in 1..=2000_u64 {
            let ms = n as i64 * 80_000;
            let sample = ph(n, ms, 1300.0 + (n * 7919 % 4000) as f64 / 8.0);
            one.push(if n % 3 == 0 { water(n, ms, 20.0 + (n % 50) as f64 / 10.0) } else { sample });
            two.push(ph(n, ms + 5, 1450.125));
        }
        for (buffer, readings) in [(1, &one), (2, &two)] {
            for part in readings[..1200].chunks(7).chain(readings[1200..].chunks(400)) {
                append(&store, buffer, part.to_vec()).await;
            }
        }
        let range = (HOUR_MS, 40 * HOUR_MS);
        let first = again(&store, range, None).await;
        assert!(first.results.readings > 2500, "{first:?}");
        store.tidy(at(90 * HOUR_MS)).await.unwrap();
        let second = again(&store, range, None).await;
        assert_eq!((second.number, &second.results), (2, &first.results));
        let third = again(&store, range, Some(1)).await;
        assert_eq!(third.results.digest, first.results.digest, "the same calibration by its name");
        let fourth = again(&store, (HOUR_MS, 39 * HOUR_MS), None).await;
        assert_ne!(fourth.results.digest, first.results.digest);
        assert_eq!(exported(&store).await.len(), 4000);

        // Charts say the same as the readings.
        for as_of in [Some(0), Some(1), None] {
            let all = shown(&store, as_of).await;
            assert_eq!(all.len(), 2000 - 666 + 2000);
            for points in [1, 7, 500] {
                let range = (at(0), at(60 * HOUR_MS));
                let (_, buckets) = store.buckets(None, Metric::Ph, range, points, as_of).await.unwrap().pop().unwrap();
                assert_eq!(buckets.count.iter().sum::<u32>(), all.len() as u32);
                for (i, &from) in buckets.time.iter().enumerate() {
                    let within = from..from + buckets.bucket_ms;
                    let inside: Vec<_> = all
                        .iter()
                        .filter(|r| within.contains(&r.reading.stamp.at.0))
                        .map(|r| number(&r.reading))
                        .collect();
                    let (low, high) = inside.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
                    let found = (buckets.count[i], buckets.min[i], buckets.max[i]);
                    assert_eq!(found, (inside.len() as u32, Some(low), Some(high)), "{as_of:?} {points} {from}");
                    let mean = inside.iter().sum::<f64>() / inside.len() as f64;
                    assert!((buckets.avg[i].unwrap() - mean).abs() < 1e-9);
                }
            }
        }
    });
}

#[test]
fn an_empty_range_is_a_revision_of_nothing_and_a_wide_one_takes_no_longer() {
    on_each_database(|database| async move {
        let store = prepared(&database).await;
        let nothing = again(&store, (0, 1), None).await;
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!((nothing.results.readings, nothing.results.digest.as_str()), (0, of_nothing));
        // Half a century of nothing between a clock that was never set and today.
        let mut first = ph(1, 0, 1400.0);
        first.stamp = Stamp { at: UtcMillis(5000), clock: ClockQuality::Unsynced };
        append(&store, 1, vec![first, ph(2, 0, 1400.0)]).await;
        let ever = Wanted { from: UtcMillis(0), to: UtcMillis(253_402_300_799_999), ..wanted(Metric::Ph, EVER, None) };
        let all = recompute(&store, ever, &admin(), NOW).await.unwrap();
        assert_eq!((all.results.readings, all.results.changed), (2, 1));
        // A range that ends within a stretch of readings.
        assert_eq!(again(&store, (-5000, 0), None).await.results.readings, 0);
    });
}

#[test]
fn nobody_sees_a_revision_that_was_never_completed_and_it_is_forgotten() {
    on_each_database(|database| async move {
        let store = prepared(&database).await;
        calibrate(&store, 1, -500, ClockQuality::Synced, Metric::Ph, GOOD).await;
        append(&store, 1, (1..=300).map(|seq| ph(seq, seq as i64 * 1000, 1400.0)).collect()).await;
        again(&store, EVER, None).await;
        let draft = store.begin_revision(wanted(Metric::Ph, EVER, None), NOW).await.unwrap();
        // As it is when the server stops half-way: rows, but no digest.
        database.tamper("UPDATE revision SET digest = NULL WHERE number = 1").await;
        assert!(shown(&store, None).await.iter().all(|r| r.revision == 0 && number(&r.reading) == 7.77));
        let (_, chart) = store.buckets(None, Metric::Ph, (at(0), at(HOUR_MS)), 1, None).await.unwrap().pop().unwrap();
        assert_eq!((chart.count, chart.max), (vec![300], vec![Some(7.77)]));
        assert_eq!(store.revisions(&pi(1)).await.unwrap(), []);

        assert_eq!(store.forget_unfinished_revisions(NOW).await.unwrap(), 0, "they may be under way");
        assert_eq!(store.forget_unfinished_revisions(at(1)).await.unwrap(), 2);
        assert_eq!(database.number("SELECT COUNT(*) FROM revised").await, 0);
        let results = again(&store, EVER, None).await.results;
        let late = store.finish_revision(draft, results, &admin()).await.unwrap_err();
        assert!(late.to_string().contains("given up"), "{late}");
        let told = store.audit(None, &[Act::ReadingsRecomputed], None, 9).await.unwrap();
        assert_eq!(told.len(), 2, "of what was shown, and of nothing else");
        assert_eq!((&*told[0].who, &told[0].detail["revision"]), ("admin", &serde_json::json!(1)));
        assert_eq!(shown(&store, None).await[0].revision, 1);
    });
}

#[test]
fn readings_go_on_being_taken_in_while_history_is_computed_again() {
    on_each_database(|database| async move {
        let store = prepared(&database).await;
        calibrate(&store, 1, -500, ClockQuality::Synced, Metric::Ph, GOOD).await;
        for day in 0..20 {
            let readings = (1..=900).map(|n| ph(day * 900 + n, (day * 900 + n) as i64 * 96_000, 1400.0)).collect();
            append(&store, 1, readings).await;
        }
        let computing = tokio::spawn({
            let store = store.clone();
            async move { again(&store, EVER, None).await }
        });
        let mut seq = 0;
        while !computing.is_finished() {
            seq += 1;
            append(&store, 2, vec![ph(seq, -(seq as i64), 1400.0)]).await;
        }
        let revision = computing.await.unwrap();
        assert!(revision.results.readings >= 18_000, "{revision:?}");
        assert_eq!(shown(&store, None).await.len() as u64, 18_000 + seq);
    });
}
