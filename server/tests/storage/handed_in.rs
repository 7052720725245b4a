//! What the store promises about readings that programs hand in, on every engine: each once, and nothing half done.

use crate::databases::{Database, NOW, on_each_database, pi, reading, register};
use server::audit::Actor;
use server::gateway::{Handed, Refusal};
use server::outage::task::Watch;
use server::registry::Entry;
use server::store::{Fate, HandInOutcome, HandedIn, MadeMachine, NewThreshold, Repeat, Store, WhichOutages};
use server::threshold::{Scope, Target};
use shared::{DeviceName, Metric, Outcome, UtcMillis, Value};

const DAY_MS: i64 = 86_400_000;

fn well(n: u32) -> DeviceName {
    format!("well-{n}").parse().unwrap()
}

async fn make(store: &Store, name: &DeviceName, now: UtcMillis) -> MadeMachine {
    let as_it_is = |entry| Ok::<Entry, ()>(entry);
    store.make_machine(name, as_it_is, 3_600_000, &Actor::account("admin"), now).await.unwrap().unwrap()
}

/// A store with some devices without a board.
async fn with_wells(database: &Database, count: u32) -> Store {
    let store = database.open().await;
    for n in 1..=count {
        assert_eq!(make(&store, &well(n), NOW).await, MadeMachine::New);
    }
    store
}

/// A value of a well, so many milliseconds after [`NOW`].
fn handed(n: u32, at: i64, metric: Metric, value: f64) -> Result<Handed, Refusal> {
    let mut reading = reading(0, at, metric, value);
    (reading.millivolts, reading.spread) = (None, None);
    Ok(Handed { device: well(n), reading })
}

fn request(readings: Vec<Result<Handed, Refusal>>) -> HandedIn {
    HandedIn { owner: "key:k1".to_owned(), repeat: None, readings, at: NOW }
}

fn keyed(key: &str, asked: &str, readings: Vec<Result<Handed, Refusal>>) -> HandedIn {
    let repeat = Repeat { key: key.to_owned(), request: asked.to_owned() };
    HandedIn { repeat: Some(repeat), ..request(readings) }
}

async fn fates(store: &Store, request: &HandedIn) -> Vec<Fate> {
    match store.hand_in(request).await.unwrap() {
        HandInOutcome::Done { fates, .. } => fates,
        other => panic!("{other:?}"),
    }
}

fn code(fate: &Fate) -> &str {
    match fate {
        Fate::Refused(refusal) => &refusal.code,
        Fate::Stored => "stored",
        Fate::Duplicate => "duplicate",
    }
}

async fn codes(store: &Store, readings: Vec<Result<Handed, Refusal>>) -> Vec<String> {
    fates(store, &request(readings)).await.iter().map(|fate| code(fate).to_owned()).collect()
}

async fn values(store: &Store, n: u32, metric: Metric) -> Vec<f64> {
    let all = (UtcMillis(0), UtcMillis(NOW.0 + 1000 * DAY_MS));
    let found = store.readings(&well(n), metric, all, 100_000, None).await.unwrap();
    let value = |outcome| match outcome {
        Outcome::Measured(value) => Value::get(value),
        Outcome::Fault(fault) => panic!("{fault}"),
    };
    found.iter().map(|revised| value(revised.reading.outcome)).collect()
}

#[test]
fn a_reading_is_kept_once_for_ever_and_another_value_for_it_is_a_conflict() {
    on_each_database(|database| async move {
        let store = with_wells(&database, 2).await;
        let batch =
            || vec![handed(1, 0, Metric::Ph, 7.0), handed(1, 0, Metric::Tds, 400.0), handed(2, 0, Metric::Ph, 8.0)];
        assert_eq!(codes(&store, batch()).await, ["stored"; 3]);
        assert_eq!(codes(&store, batch()).await, ["duplicate"; 3]);
        let again = vec![handed(1, 0, Metric::Ph, 7.5), handed(1, 1, Metric::Ph, 7.5), handed(1, 1, Metric::Ph, 7.6)];
        assert_eq!(codes(&store, again).await, ["conflict", "stored", "conflict"], "also within one batch");
        // The same after it was packed away, and months later.
        assert!(store.tidy(UtcMillis(NOW.0 + DAY_MS)).await.unwrap() > 0);
        let later = HandedIn { at: UtcMillis(NOW.0 + 200 * DAY_MS), ..request(batch()) };
        assert_eq!(fates(&store, &later).await, [Fate::Duplicate, Fate::Duplicate, Fate::Duplicate]);
        assert_eq!(codes(&store, vec![handed(2, 0, Metric::Ph, 9.0)]).await, ["conflict"]);
        assert_eq!(values(&store, 1, Metric::Ph).await, [7.0, 7.5]);
    });
}

#[test]
fn concurrent_repeats_yield_one_with_and_without_a_key() {
    on_each_database(|database| async move {
        let store = with_wells(&database, 3).await;
        let batch: Vec<_> = (0..90).map(|n| handed(n % 3 + 1, i64::from(n), Metric::Ph, f64::from(n))).collect();
        let mut tasks = vec![];
        for n in 0..8 {
            let (store, batch) = (store.clone(), batch.clone());
            let asked = if n < 4 { keyed("one", "same", batch) } else { request(batch) };
            tasks.push(tokio::spawn(async move { store.hand_in(&asked).await.unwrap() }));
        }
        let (mut stored, mut repeated) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                HandInOutcome::Done { fates, .. } => stored += fates.iter().filter(|f| **f == Fate::Stored).count(),
                HandInOutcome::Repeated(fates) => {
                    assert_eq!(fates.len(), 90);
                    repeated += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((stored, repeated), (90, 3));
        let mut all = vec![];
        for n in 1..=3 {
            all.extend(values(&store, n, Metric::Ph).await);
        }
        all.sort_by(f64::total_cmp);
        assert_eq!(all, (0..90).map(f64::from).collect::<Vec<_>>());
    });
}

#[test]
fn a_repeat_gets_the_same_answer_for_a_week_and_another_request_under_its_key_none() {
    on_each_database(|database| async move {
        let store = with_wells(&database, 1).await;
        let refused = Err(Refusal::new("wrong_unit", "unit", "say it"));
        let batch = vec![handed(1, 0, Metric::Ph, 7.0), refused];
        let first = keyed("a", "asked", batch);
        let answer = fates(&store, &first).await;
        assert_eq!(answer.iter().map(code).collect::<Vec<_>>(), ["stored", "wrong_unit"]);
        assert_eq!(store.hand_in(&first).await.unwrap(), HandInOutcome::Repeated(answer.clone()));
        let other = keyed("a", "something else", vec![handed(1, 5, Metric::Ph, 7.0)]);
        assert_eq!(store.hand_in(&other).await.unwrap(), HandInOutcome::OtherRequest);
        let of_another = HandedIn { owner: "key:k2".to_owned(), ..first.clone() };
        assert_eq!(code(&fates(&store, &of_another).await[0]), "duplicate", "each caller has keys of their own");
        let almost = UtcMillis(NOW.0 + 7 * DAY_MS - 1);
        store.forget_answers(almost).await.unwrap();
        assert_eq!(
            store.hand_in(&HandedIn { at: almost, ..first.clone() }).await.unwrap(),
            HandInOutcome::Repeated(answer)
        );
        assert_eq!(store.forget_answers(UtcMillis(NOW.0 + 7 * DAY_MS)).await.unwrap(), 2);
        assert_eq!(code(&fates(&store, &first).await[0]), "duplicate", "the reading itself is known for ever");
    });
}

#[test]
fn what_was_refused_as_a_whole_may_be_sent_again_under_its_key_when_it_is_mended() {
    on_each_database(|database| async move {
        let store = database.open().await;
        let asked = keyed("a", "asked", vec![handed(1, 0, Metric::Ph, 7.0)]);
        assert_eq!(code(&fates(&store, &asked).await[0]), "unknown_device");
        make(&store, &well(1), NOW).await;
        assert_eq!(code(&fates(&store, &asked).await[0]), "stored");
    });
}

#[test]
fn a_request_that_is_cut_off_has_done_nothing_and_can_be_sent_again() {
    on_each_database(|database| async move {
        let store = with_wells(&database, 1).await;
        let asked = keyed("a", "asked", vec![handed(1, 0, Metric::Ph, 7.0), handed(1, 9, Metric::Ph, 7.1)]);
        // The table of what is judged is gone: the transaction fails after all else was written.
        database.tamper("ALTER TABLE watch RENAME TO gone").await;
        assert!(store.hand_in(&asked).await.is_err());
        assert_eq!(database.number("SELECT COUNT(*) FROM answered").await, 0);
        assert_eq!(values(&store, 1, Metric::Ph).await, [0.0; 0]);
        database.tamper("ALTER TABLE gone RENAME TO watch").await;
        assert_eq!(fates(&store, &asked).await, [Fate::Stored, Fate::Stored]);
        assert_eq!(values(&store, 1, Metric::Ph).await, [7.0, 7.1]);
    });
}

#[test]
fn what_is_handed_in_late_is_kept_and_neither_the_latest_nor_an_alert() {
    on_each_database(|database| async move {
        let store = with_wells(&database, 1).await;
        let limit = NewThreshold {
            targets: vec![Target { scope: Scope::Fleet, target: String::new() }],
            metric: Metric::Ph,
            threshold: Some(serde_json::from_str(r#"{"high":{"warning":9}}"#).unwrap()),
            preset: None,
        };
        store.set_thresholds(&limit, &Actor::account("admin"), NOW).await.unwrap();
        assert_eq!(codes(&store, vec![handed(1, 0, Metric::Ph, 7.0)]).await, ["stored"]);
        let late: Vec<_> = (1..=300).map(|n| handed(1, -1000 * n, Metric::Ph, 9.5)).collect();
        assert!(codes(&store, late).await.iter().all(|code| code == "stored"));
        let latest = store.latest().await.unwrap();
        assert_eq!(latest[0].1.stamp.at, NOW, "the newest by its time");
        assert_eq!(database.number("SELECT COUNT(*) FROM alert").await, 0, "it was right again before anybody knew");
        let kept = values(&store, 1, Metric::Ph).await;
        assert_eq!((kept.len(), kept[0], kept[300]), (301, 9.5, 7.0), "in the order of time");
        assert_eq!(codes(&store, vec![handed(1, 1000, Metric::Ph, 9.6)]).await, ["stored"]);
        assert_eq!(database.number("SELECT COUNT(*) FROM alert").await, 1, "what is of now is judged");
    });
}

#[test]
fn a_device_without_a_board_is_out_when_it_falls_silent_for_its_own_time_and_its_next_reading_ends_that() {
    on_each_database(|database| async move {
        let store = with_wells(&database, 1).await;
        let admin = Actor::account("admin");
        store.change_device(&well(1), Ok::<_, ()>, Some(600_000), &admin, NOW).await.unwrap().unwrap();
        let mut watch = Watch::new(store.clone(), NOW, 60_000);
        let mut seconds = 0;
        let mut look_until = async |store: &Store, end: i64| {
            while seconds < end {
                seconds += 10;
                watch.look(UtcMillis(NOW.0 + seconds * 1000)).await.unwrap();
            }
            store.outages(&WhichOutages::default(), 10).await.unwrap()
        };
        assert_eq!(look_until(&store, 900).await, [], "who was never there is not missed");
        let say = |seconds: i64| HandedIn {
            at: UtcMillis(NOW.0 + seconds * 1000),
            ..request(vec![handed(1, seconds * 1000, Metric::Ph, 7.0)])
        };
        assert_eq!(fates(&store, &say(900)).await, [Fate::Stored]);
        assert_eq!(
            look_until(&store, 1490).await,
            [],
            "ten minutes are its own time, not the minute and a half of boards"
        );
        let out = look_until(&store, 1700).await;
        let began = out.iter().map(|outage| (outage.device.as_deref(), outage.started_at, outage.ended_at));
        assert_eq!(began.collect::<Vec<_>>(), [(Some("well-1"), NOW.0 + 900_000, None)]);
        assert_eq!(database.number("SELECT COUNT(*) FROM alert WHERE kind = 'offline' AND state = 'open'").await, 1);
        assert_eq!(fates(&store, &say(1700)).await, [Fate::Stored]);
        let back = look_until(&store, 1720).await;
        assert_eq!(back[0].ended_at, Some(NOW.0 + 1_700_000));
        assert_eq!(database.number("SELECT COUNT(*) FROM alert WHERE kind = 'offline' AND state = 'open'").await, 0);
    });
}

#[test]
fn nothing_is_taken_for_a_board_or_a_device_out_of_service_and_its_neighbours_are_kept() {
    on_each_database(|database| async move {
        let store = with_wells(&database, 2).await;
        register(&database, 1).await;
        let admin = Actor::account("admin");
        assert!(store.revoke_device(&well(2), &admin, NOW).await.unwrap());
        let board = handed(1, 0, Metric::Ph, 7.0).map(|handed| Handed { device: pi(1), ..handed });
        let batch =
            vec![board, handed(2, 0, Metric::Ph, 7.0), handed(3, 0, Metric::Ph, 7.0), handed(1, 0, Metric::Ph, 7.0)];
        assert_eq!(codes(&store, batch).await, ["has_board", "revoked", "unknown_device", "stored"]);
        assert_eq!(make(&store, &pi(1), NOW).await, MadeMachine::Taken);
        assert_eq!(make(&store, &well(1), NOW).await, MadeMachine::Taken);
        assert_eq!(make(&store, &well(2), UtcMillis(NOW.0 + 5)).await, MadeMachine::Again);
        assert_eq!(codes(&store, vec![handed(2, 0, Metric::Ph, 7.0)]).await, ["stored"]);
        let device = store.device(&well(2)).await.unwrap().unwrap();
        assert_eq!((device.revoked_at, device.enrolled_at, device.serial), (None, UtcMillis(NOW.0 + 5), None));
    });
}

#[test]
fn devices_of_before_have_their_boards_still() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 2).await;
        store.close().await;
        // As it was before: the table is made anew without the column, and the mark of the migration is taken away.
        database
            .tamper(
                "ALTER TABLE device DROP COLUMN silent_after_ms; DROP TABLE api_key; DROP TABLE answered;
                 DELETE FROM _sqlx_migrations WHERE version = 10",
            )
            .await;
        let store = database.open().await;
        let devices = store.devices().await.unwrap();
        assert_eq!(devices.iter().map(|d| d.name.clone()).collect::<Vec<_>>(), [pi(1), pi(2)]);
        assert_eq!(devices[1].serial, "0000000000000002".parse().ok());
        assert_eq!(devices[1].public_key, "key of 2");
    });
}
