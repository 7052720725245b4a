//! What the store promises about readings, on every engine: each once, none lost, none changed.

use crate::databases::{Database, NOW, on_each_database, pi, reading, received, register};
use server::audit::Actor;
use server::store::{Incoming, Store, StoreError};
use shared::{
    BufferId, ClockQuality, DeviceName, Fault, Metric, Outcome, Reading, UtcMillis,
    message::{Refusal, Refused},
};

fn batch(device: &DeviceName, buffer: u64, readings: Vec<Reading>) -> Incoming {
    Incoming { device: device.clone(), received: received(buffer, readings), at: NOW }
}

/// pH readings with these sequences, a second apart.
fn ph(seqs: impl IntoIterator<Item = u64>) -> Vec<Reading> {
    seqs.into_iter().map(|seq| reading(seq, seq as i64 * 1000, Metric::Ph, 7.0 + seq as f64 / 100.0)).collect()
}

async fn exported(store: &Store) -> Vec<(String, BufferId, Reading)> {
    let mut all = vec![];
    let each = |device: &DeviceName, buffer, reading: &Reading| {
        all.push((device.to_string(), buffer, *reading));
        Ok::<_, StoreError>(())
    };
    store.export(None, each).await.unwrap();
    all
}

async fn seqs(store: &Store) -> Vec<u64> {
    exported(store).await.iter().map(|(.., reading)| reading.seq).collect()
}

/// What is shown of a metric.
async fn read(
    store: &Store,
    device: &DeviceName,
    metric: Metric,
    range: (UtcMillis, UtcMillis),
    limit: usize,
) -> Result<Vec<Reading>, StoreError> {
    Ok(store.readings(device, metric, range, limit, None).await?.into_iter().map(|r| r.reading).collect())
}

const DAY_MS: i64 = 86_400_000;
const ALWAYS: (UtcMillis, UtcMillis) = (UtcMillis(0), UtcMillis(i64::MAX));

#[test]
fn what_was_committed_is_there_after_the_server_starts_again() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let sent = ph(1..=3);
        let answers = store.append(&[batch(&pi(1), 1, sent.clone())]).await.unwrap();
        let answer = answers[0].as_ref().unwrap();
        assert_eq!((answer.through, &answer.fresh, answer.skipped), (3, &sent, 0));
        store.close().await;

        let store = database.open().await;
        let kept: Vec<_> = exported(&store).await.into_iter().map(|(.., reading)| reading).collect();
        assert_eq!(kept, sent);
        assert_eq!(store.device(&pi(1)).await.unwrap().unwrap().last_seen, Some(NOW));
    });
}

#[test]
fn a_batch_that_comes_twice_is_kept_once_and_acknowledged_twice() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let twice = [batch(&pi(1), 1, ph(1..=3)), batch(&pi(1), 1, ph(1..=3))];
        let together = store.append(&twice).await.unwrap();
        let later = store.append(&twice[..1]).await.unwrap();
        for (answer, fresh) in together.iter().chain(&later).zip([3, 0, 0]) {
            let answer = answer.as_ref().unwrap();
            assert_eq!((answer.through, answer.fresh.len(), answer.skipped), (3, fresh, 0));
        }
        assert_eq!(seqs(&store).await, [1, 2, 3]);
    });
}

#[test]
fn of_a_batch_that_overlaps_only_the_rest_is_taken() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        store.append(&[batch(&pi(1), 1, ph(1..=3))]).await.unwrap();
        let answers = store.append(&[batch(&pi(1), 1, ph(2..=5)), batch(&pi(1), 1, ph(4..=6))]).await.unwrap();
        let fresh: Vec<_> = answers.iter().flatten().flat_map(|a| a.fresh.iter().map(|r| r.seq)).collect();
        assert_eq!(fresh, [4, 5, 6]);
        assert_eq!(seqs(&store).await, [1, 2, 3, 4, 5, 6]);
    });
}

#[test]
fn an_old_batch_that_comes_late_is_acknowledged_through_what_is_kept() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        store.append(&[batch(&pi(1), 1, ph(1..=9))]).await.unwrap();
        let answers = store.append(&[batch(&pi(1), 1, ph(1..=3))]).await.unwrap();
        assert_eq!(answers[0].as_ref().unwrap().through, 9);
    });
}

#[test]
fn the_same_sequence_of_another_buffer_or_device_is_another_reading() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 2).await;
        let batches = [batch(&pi(1), 1, ph(1..=2)), batch(&pi(1), 2, ph(1..=1)), batch(&pi(2), 1, ph(1..=1))];
        store.append(&batches).await.unwrap();
        let kept: Vec<_> = exported(&store).await.into_iter().map(|(d, b, r)| (d, b.to_string(), r.seq)).collect();
        let expected = [("pi-1", 1, 1), ("pi-1", 1, 2), ("pi-1", 2, 1), ("pi-2", 1, 1)];
        assert_eq!(kept, expected.map(|(d, b, seq)| (d.to_owned(), format!("{b:016x}"), seq)));
    });
}

#[test]
fn sequences_that_a_device_dropped_are_counted() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let answers = store.append(&[batch(&pi(1), 1, ph(4..=6)), batch(&pi(1), 1, ph([7, 9, 20]))]).await.unwrap();
        let skipped: Vec<_> = answers.iter().flatten().map(|a| a.skipped).collect();
        assert_eq!(skipped, [3, 11]);
        assert_eq!(database.number("SELECT skipped FROM buffer").await, 14);
    });
}

#[test]
fn a_device_that_is_unknown_or_revoked_gets_no_ack_and_the_others_lose_nothing() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 2).await;
        store.revoke_device(&pi(2), &Actor::server(), NOW).await.unwrap();
        let batches = [batch(&pi(3), 1, ph(1..=2)), batch(&pi(1), 1, ph(1..=2)), batch(&pi(2), 1, ph(1..=2))];
        let answers = store.append(&batches).await.unwrap();
        assert_eq!(answers.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
        assert!(exported(&store).await.iter().all(|(device, ..)| device == "pi-1"));
        assert_eq!(store.append(&[]).await.unwrap(), []);
    });
}

#[test]
fn a_refused_row_is_kept_with_its_text_once_and_counts_as_committed() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let mut mixed = batch(&pi(1), 1, ph([1, 3]));
        let row = "[4,1,\"synced\",\"mood\",\"good \\u0000 '\",null,\"\"]".to_owned();
        mixed.received.refused =
            [2, 4].map(|seq| Refused { seq, reason: Refusal::UnknownMetric, row: row.clone() }).to_vec();
        mixed.received.last = 4;
        for _ in 0..2 {
            let answers = store.append(std::slice::from_ref(&mixed)).await.unwrap();
            assert_eq!(answers[0].as_ref().map(|a| (a.through, a.skipped)), Some((4, 0)));
        }
        assert_eq!(seqs(&store).await, [1, 3]);
        let as_sent =
            "SELECT COUNT(*) FROM refused WHERE reason = 'unknown_metric' AND device = 'pi-1' AND seq IN (2, 4)
            AND sent = '[4,1,\"synced\",\"mood\",\"good \\u0000 ''\",null,\"\"]'";
        assert_eq!(database.number(as_sent).await, 2);
    });
}

#[test]
fn every_kind_of_reading_comes_back_exactly_before_and_after_tidying() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let mut sent = vec![];
        for seq in 1..=1500_u64 {
            let metric = Metric::ALL[seq as usize % Metric::ALL.len()];
            let mut one = reading(seq, seq as i64 * 977_777 % DAY_MS, metric, (seq as f64).sqrt());
            match seq % 7 {
                0 => one.outcome = Outcome::Fault(Fault::ALL[seq as usize % Fault::ALL.len()]),
                1 => one.millivolts = None,
                2 => one.stamp.clock = ClockQuality::Repaired,
                3 => (one.stamp.clock, one.stamp.at) = (ClockQuality::Unsynced, UtcMillis(seq as i64)),
                4 => one.flags = shared::Flags::from_bits(0x8001),
                _ => {}
            }
            sent.push(one);
        }
        // Small batches, and one that is a backlog.
        for part in sent[..900].chunks(7).chain([&sent[900..]]) {
            store.append(&[batch(&pi(1), 1, part.to_vec())]).await.unwrap();
        }
        for tidied in [false, true] {
            if tidied {
                let latest = store.latest().await.unwrap();
                assert_eq!(store.tidy(UtcMillis(NOW.0 + DAY_MS)).await.unwrap(), 1);
                assert_eq!(store.tidy(UtcMillis(NOW.0 + DAY_MS)).await.unwrap(), 0);
                assert_eq!(database.number("SELECT COUNT(*) FROM recent").await, 0);
                assert_eq!(store.latest().await.unwrap(), latest);
            }
            let kept: Vec<_> = exported(&store).await.into_iter().map(|(.., reading)| reading).collect();
            assert_eq!(kept, sent);
            for &metric in Metric::ALL {
                let mut expected: Vec<_> = sent.iter().copied().filter(|r| r.metric == metric).collect();
                expected.sort_by_key(|r| (r.stamp.at, r.seq));
                let found = read(&store, &pi(1), metric, ALWAYS, usize::MAX).await.unwrap();
                assert_eq!(found, expected);
            }
        }
    });
}

#[test]
fn loose_readings_that_are_damaged_stay_and_the_others_are_tidied() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 2).await;
        for first in (1..=400).step_by(100) {
            store.append(&[1, 2].map(|d| batch(&pi(d), 1, ph(first..first + 100)))).await.unwrap();
        }
        database
            .tamper("UPDATE recent SET packed = substr(packed, 1, 9) WHERE device = 'pi-1' AND first_seq = 1")
            .await;
        assert_eq!(store.tidy(NOW).await.unwrap(), 1);
        assert_eq!(database.number("SELECT COUNT(*) FROM recent WHERE device = 'pi-1'").await, 4);
        assert_eq!(database.number("SELECT COUNT(*) FROM recent WHERE device = 'pi-2'").await, 0);
        let found = read(&store, &pi(2), Metric::Ph, ALWAYS, 1000).await.unwrap();
        assert_eq!(found, ph(1..=400));
    });
}

#[test]
fn appending_goes_on_while_loose_readings_are_tidied() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let tidier = store.clone();
        let tidying = tokio::spawn(async move {
            let mut tidied = 0;
            while tidied < 10 {
                tidied += tidier.tidy(UtcMillis(NOW.0 + DAY_MS)).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let mut last = 0;
        // As long as it takes: how often the tidier gets its turn is up to the database.
        let appending = async {
            while !tidying.is_finished() {
                store.append(&[batch(&pi(1), 1, ph(last + 1..=last + 4))]).await.unwrap();
                last += 4;
                if last % 80 == 0 {
                    assert_eq!(seqs(&store).await, (1..=last).collect::<Vec<_>>());
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), appending).await.unwrap();
        tidying.await.unwrap();
        assert_eq!(seqs(&store).await, (1..=last).collect::<Vec<_>>());
    });
}

#[test]
fn two_servers_that_take_in_the_same_batches_keep_each_reading_once() {
    on_each_database(|database| async move {
        let servers = [database.open().await, database.open().await, database.open().await];
        register(&database, 4).await;
        let mut running = tokio::task::JoinSet::new();
        for (n, store) in servers.iter().cloned().enumerate() {
            running.spawn(async move {
                for first in (1..200).step_by(10) {
                    let mut group: Vec<_> = (1..=4).map(|d| batch(&pi(d), 7, ph(first..first + 10))).collect();
                    group.rotate_left(n);
                    let answers = store.append(&group).await.unwrap();
                    assert!(answers.iter().all(|a| a.as_ref().unwrap().through >= first + 9));
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            ended.unwrap();
        }
        let kept = exported(&servers[0]).await;
        for device in 1..=4 {
            let of_one: Vec<_> = kept.iter().filter(|k| k.0 == pi(device).as_str()).map(|k| k.2.seq).collect();
            assert_eq!(of_one, (1..=200).collect::<Vec<_>>());
        }
        assert_eq!(database.number("SELECT CAST(SUM(skipped) AS BIGINT) FROM buffer").await, 0);
    });
}

#[test]
fn the_newest_reading_is_the_last_taken_even_if_a_clock_was_wrong() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 2).await;
        let mut unsynced = reading(3, 0, Metric::Ph, 8.0);
        (unsynced.stamp.at, unsynced.stamp.clock) = (UtcMillis(60_000), ClockQuality::Unsynced);
        let first = vec![reading(1, 0, Metric::Ph, 7.0), reading(2, 0, Metric::Tds, 400.0), unsynced];
        store.append(&[batch(&pi(1), 1, first.clone()), batch(&pi(2), 1, ph(1..=1))]).await.unwrap();
        let latest = store.latest().await.unwrap();
        assert_eq!(latest, [(pi(1), unsynced), (pi(1), first[1]), (pi(2), ph(1..=1)[0])]);

        // Re-flashed: its new buffer begins at 1 again, and has no TDS yet.
        let mut reflashed = batch(&pi(1), 2, ph(1..=1));
        reflashed.at = UtcMillis(NOW.0 + 1);
        store.append(&[reflashed]).await.unwrap();
        let latest = store.latest().await.unwrap();
        assert_eq!(latest, [(pi(1), ph(1..=1)[0]), (pi(1), first[1]), (pi(2), ph(1..=1)[0])]);
    });
}

#[test]
fn readings_of_a_range_come_oldest_first_and_the_limit_keeps_the_oldest() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        // Over midnight, as segments and loose.
        let at = |seq: u64| seq as i64 * 60_000;
        let all: Vec<_> = (1..=2000).map(|seq| reading(seq, at(seq), Metric::Ph, 7.0)).collect();
        for part in all[..1500].chunks(500).chain(all[1500..].chunks(3)) {
            store.append(&[batch(&pi(1), 1, part.to_vec())]).await.unwrap();
        }
        for (from, to, limit) in [(1, 2001, 5000), (100, 1900, 5000), (700, 701, 5), (400, 2001, 20), (1499, 1600, 7)] {
            let within = UtcMillis(NOW.0 + at(from))..UtcMillis(NOW.0 + at(to));
            let expected: Vec<_> = all.iter().copied().filter(|r| within.contains(&r.stamp.at)).take(limit).collect();
            let found = read(&store, &pi(1), Metric::Ph, (within.start, within.end), limit).await.unwrap();
            assert_eq!(found, expected, "{from}..{to}");
        }
        assert_eq!(read(&store, &pi(1), Metric::Ph, ALWAYS, 0).await.unwrap(), []);
        assert_eq!(read(&store, &pi(1), Metric::Tds, ALWAYS, 10).await.unwrap(), []);
        assert_eq!(read(&store, &pi(9), Metric::Ph, ALWAYS, 10).await.unwrap(), []);
    });
}

#[test]
fn buckets_say_the_same_as_the_readings_whether_summed_up_or_unpacked() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 2).await;
        let mut all: Vec<_> = (1..=3000)
            .map(|seq| reading(seq, seq as i64 * 47_000, Metric::Ph, 7.0 + (seq % 13) as f64 / 8.0))
            .collect();
        for faulty in all.iter_mut().step_by(11) {
            faulty.outcome = Outcome::Fault(Fault::NotReady);
        }
        all[700..1100].iter_mut().for_each(|r| r.outcome = Outcome::Fault(Fault::NoAnswer));
        let mut rest = all.split_off(2400);
        // A gap in time.
        rest.iter_mut().for_each(|r| r.stamp.at.0 += 2 * DAY_MS);
        for part in all.chunks(300).chain(rest.chunks(20)) {
            store.append(&[batch(&pi(2), 1, part.to_vec())]).await.unwrap();
        }
        all.extend(rest);
        for (from, to, points) in
            [(0, 6 * DAY_MS, 10), (0, 6 * DAY_MS, 500), (50_000_001, 90_000_001, 60), (0, DAY_MS, 1)]
        {
            let (from, to) = (UtcMillis(NOW.0 + from), UtcMillis(NOW.0 + to));
            let one = store.buckets(Some(&pi(2)), Metric::Ph, (from, to), points, None).await.unwrap();
            assert_eq!(store.buckets(None, Metric::Ph, (from, to), points, None).await.unwrap(), one);
            let columns = &one[0].1;
            assert!(columns.time.len() <= points && columns.time.is_sorted());
            let mut counted = (0, 0);
            for (i, &begin) in columns.time.iter().enumerate() {
                let inside: Vec<_> = all
                    .iter()
                    .filter(|r| {
                        (from..to).contains(&r.stamp.at)
                            && r.stamp.at.0 / columns.bucket_ms * columns.bucket_ms == begin
                    })
                    .collect();
                let values: Vec<f64> = inside
                    .iter()
                    .filter_map(|r| if let Outcome::Measured(v) = r.outcome { Some(v.get()) } else { None })
                    .collect();
                assert_eq!(columns.count[i] as usize, values.len());
                assert_eq!(columns.faults[i] as usize, inside.len() - values.len());
                assert_eq!(columns.min[i], values.iter().copied().reduce(f64::min));
                assert_eq!(columns.max[i], values.iter().copied().reduce(f64::max));
                // Sums of eighths are exact in any order.
                let mean =
                    if values.is_empty() { None } else { Some(values.iter().sum::<f64>() / values.len() as f64) };
                assert_eq!(columns.avg[i], mean);
                counted = (counted.0 + values.len(), counted.1 + inside.len());
            }
            assert_eq!(counted.1, all.iter().filter(|r| (from..to).contains(&r.stamp.at)).count());
            assert!(counted.0 > 0 || points == 1);
        }
        assert_eq!(store.buckets(None, Metric::Tds, ALWAYS, 10, None).await.unwrap(), []);
        let none = store.buckets(Some(&pi(1)), Metric::Ph, ALWAYS, 10, None).await.unwrap();
        assert_eq!(none[0].1.time, Vec::<i64>::new());
    });
}

#[test]
fn values_near_the_end_of_all_floats_do_not_spoil_their_bucket() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let huge =
            |seq: u64| reading(seq, seq as i64, Metric::Ph, if seq.is_multiple_of(2) { f64::MAX } else { -f64::MAX });
        let sent: Vec<_> = (1..=300).map(|seq| huge(seq * 2)).collect();
        store.append(&[batch(&pi(1), 1, sent)]).await.unwrap();
        let found = store.buckets(Some(&pi(1)), Metric::Ph, (NOW, UtcMillis(NOW.0 + 1000)), 1, None).await.unwrap();
        assert_eq!((found[0].1.count[0], found[0].1.min[0], found[0].1.avg[0]), (300, Some(f64::MAX), Some(f64::MAX)));
    });
}

#[test]
fn a_damaged_row_is_named_and_hides_no_other_metric() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let mixed = (1..=400).map(|n| reading(n, n as i64, [Metric::Ph, Metric::Tds][n as usize % 2], 7.0)).collect();
        store.append(&[batch(&pi(1), 1, mixed)]).await.unwrap();
        database.tamper("UPDATE segment SET packed = substr(packed, 1, 20) WHERE metric = 'ph'").await;
        let error = read(&store, &pi(1), Metric::Ph, ALWAYS, 10).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { what: "segment", .. }), "{error}");
        assert_eq!(read(&store, &pi(1), Metric::Tds, ALWAYS, 10).await.unwrap().len(), 10);

        // The copy of the latest readings is damaged too: batches are taken all the same.
        database.tamper("UPDATE buffer SET latest = substr(latest, 1, 3)").await;
        store.append(&[batch(&pi(1), 1, ph(401..=402))]).await.unwrap();
        assert_eq!(store.latest().await.unwrap(), [(pi(1), ph(402..=402)[0])]);
    });
}

#[test]
fn a_group_of_very_many_devices_is_one_transaction() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 700).await;
        let group: Vec<_> = (1..=700).map(|n| batch(&pi(n), n.into(), ph(1..=2))).collect();
        let answers = store.append(&group).await.unwrap();
        assert!(answers.iter().all(|a| a.as_ref().unwrap().fresh.len() == 2));
        assert_eq!(exported(&store).await.len(), 1400);
        assert_eq!(store.latest().await.unwrap().len(), 700);
    });
}

#[tokio::test]
async fn a_damaged_database_file_is_an_error_and_stays_as_it_is() {
    let database = Database::sqlite();
    register_and_fill(&database).await;
    let path = database.url.strip_prefix("sqlite:").unwrap();
    let good = std::fs::read(path).unwrap();
    let half = &good[..good.len() / 2];
    let noise = b"this is no database, but somebody's file".repeat(200);
    for damaged in [half, noise.as_slice()] {
        std::fs::write(path, damaged).unwrap();
        let error = Store::open(&database.url).await.unwrap_err().to_string();
        assert!(error.contains("tirta.db: it ") && error.contains("left as it is"), "{error}");
        assert_eq!(std::fs::read(path).unwrap(), damaged);
    }
}

#[tokio::test]
async fn a_database_that_was_being_written_when_the_power_went_has_everything_that_was_acknowledged() {
    let database = Database::sqlite();
    let store = database.open().await;
    register(&database, 1).await;
    let path = database.url.strip_prefix("sqlite:").unwrap();
    let after = Database::sqlite();
    let copy = after.url.strip_prefix("sqlite:").unwrap();
    for n in 0..20 {
        store.append(&[batch(&pi(1), 1, ph(n * 300 + 1..=n * 300 + 300))]).await.unwrap();
    }
    // What is on the disk at this moment; the log's last record is torn.
    std::fs::copy(path, copy).unwrap();
    let mut log = std::fs::read(format!("{path}-wal")).unwrap();
    log.extend_from_within(32..1000);
    std::fs::write(format!("{copy}-wal"), log).unwrap();
    assert_eq!(seqs(&after.open().await).await, (1..=6000).collect::<Vec<_>>());
}

async fn register_and_fill(database: &Database) {
    let store = database.open().await;
    register(database, 1).await;
    for n in 0..20 {
        store.append(&[batch(&pi(1), 1, ph(n * 300 + 1..=n * 300 + 300))]).await.unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn an_address_of_another_kind_is_refused_with_what_to_write() {
    let error = Store::open("mysql://root:secret@host/db").await.unwrap_err().to_string();
    assert!(error.contains("mysql") && error.contains("postgres://") && !error.contains("secret"), "{error}");
}
