//! What the store promises to whoever goes through readings part by part, on every engine: each once and in order, however they
//! lie and whatever is packed away meanwhile.

use crate::databases::{Database, NOW, on_each_database, pi, reading, received, register};
use server::store::{Count, Incoming, Store};
use shared::{Fault, Metric, Outcome, Reading, UtcMillis};

const STEP_MS: i64 = 10_000;
const METRICS: [Metric; 3] = [Metric::Ph, Metric::Tds, Metric::Temperature];

fn at(ms: i64) -> UtcMillis {
    UtcMillis(NOW.0 + ms)
}

async fn append(store: &Store, device: u32, buffer: u64, readings: Vec<Reading>) {
    let incoming = Incoming { device: pi(device), received: received(buffer, readings), at: NOW };
    assert!(store.append(&[incoming]).await.unwrap()[0].is_some());
}

/// Backlogs, which are packed at once, then small batches that lie loose, then another buffer that was away meanwhile.
async fn fill(store: &Store, device: u32) -> Vec<Reading> {
    let metric = |seq: u64| if seq.is_multiple_of(2) { Metric::Ph } else { Metric::Temperature };
    let one = |seq: u64| reading(seq, seq as i64 * STEP_MS, metric(seq), seq as f64);
    let mut all = vec![];
    for first in (1..=12_000).step_by(500) {
        all.extend((first..first + 500).map(one));
        append(store, device, 1, (first..first + 500).map(one).collect()).await;
    }
    for first in (12_001..=12_040).step_by(4) {
        all.extend((first..first + 4).map(one));
        append(store, device, 1, (first..first + 4).map(one).collect()).await;
    }
    // At the very times of the others.
    let away: Vec<_> = (1..=300).map(|n| reading(n, (n as i64 + 7_000) * STEP_MS, Metric::Tds, 400.0)).collect();
    append(store, device, 2, away.clone()).await;
    all.extend(away);
    all.sort_by_key(|r| (r.stamp.at, r.metric, r.seq));
    all
}

async fn with_devices(database: &Database, count: u32) -> (Store, Vec<Vec<Reading>>) {
    let store = database.open().await;
    register(database, count).await;
    let mut all = vec![];
    for device in 1..=count {
        all.push(fill(&store, device).await);
    }
    (store, all)
}

/// All that is walked through, and in how many parts; `between` is done after each.
async fn walk(store: &Store, range: (UtcMillis, UtcMillis), mut between: impl AsyncFnMut()) -> (Vec<Reading>, usize) {
    let ((mut from, to), mut walked, mut parts) = (range, vec![], 0);
    loop {
        let part = store.part(&pi(1), &METRICS, (from, to)).await.unwrap();
        assert!(part.readings.len() < 20_000, "a part holds little");
        walked.extend(part.readings.iter().map(|revised| revised.reading));
        parts += 1;
        between().await;
        match part.next {
            Some(next) => {
                assert!(from < next && next < to);
                from = next;
            }
            None => return (walked, parts),
        }
    }
}

#[test]
fn every_reading_is_walked_through_once_in_the_order_of_time_also_while_it_is_packed_away() {
    on_each_database(|database| async move {
        let (store, all) = with_devices(&database, 2).await;
        let whole = (UtcMillis(0), UtcMillis(i64::MAX));
        let (walked, parts) = walk(&store, whole, async || ()).await;
        assert_eq!(walked, all[0]);
        assert!(parts > 2, "{parts}");
        let range = (at(3_333 * STEP_MS), at(8_000 * STEP_MS + 1));
        let wanted: Vec<_> = all[0].iter().filter(|r| (range.0..range.1).contains(&r.stamp.at)).copied().collect();
        assert_eq!(walk(&store, range, async || ()).await.0, wanted);
        let mut packed = 0;
        let tidied = walk(&store, whole, async || packed += store.tidy(at(100 * 86_400_000)).await.unwrap()).await;
        assert_eq!((tidied.0 == all[0], packed), (true, 2));
        assert_eq!(walk(&store, whole, async || ()).await.0, all[0]);
        assert_eq!(walk(&store, (at(-5), at(0)), async || ()).await, (vec![], 1), "there is nothing");
    });
}

#[test]
fn the_newest_come_page_by_page_of_all_devices_together_and_end_with_all_of_one_moment() {
    on_each_database(|database| async move {
        let (store, all) = with_devices(&database, 2).await;
        let of: Vec<_> = [pi(1), pi(2)].into_iter().map(|name| (name, METRICS.to_vec())).collect();
        let (mut to, mut times, mut pages) = (at(20_000 * STEP_MS), vec![], 0);
        loop {
            let page = store.newest(&of, (UtcMillis(0), to), 3_000, |_| true).await.unwrap();
            assert!((3_000..3_010).contains(&page.readings.len()) || page.next.is_none(), "{}", page.readings.len());
            times.extend(page.readings.iter().map(|(device, revised)| (device.clone(), revised.reading)));
            pages += 1;
            match page.next {
                Some(next) => to = next,
                None => break,
            }
        }
        assert!(times.is_sorted_by(|a, b| a.1.stamp.at >= b.1.stamp.at) && pages > 4, "{pages}");
        for (device, sent) in [(pi(1), &all[0]), (pi(2), &all[1])] {
            let mut own: Vec<_> = times.iter().filter(|(of, _)| *of == device).map(|(_, reading)| *reading).collect();
            own.sort_by_key(|r| (r.stamp.at, r.metric, r.seq));
            assert_eq!(own, *sent);
        }
    });
}

#[test]
fn what_is_rare_is_found_far_back() {
    on_each_database(|database| async move {
        let (store, _) = with_devices(&database, 1).await;
        let fault = Reading { outcome: Outcome::Fault(Fault::NoAnswer), ..reading(12_041, 5, Metric::Ph, 0.0) };
        append(&store, 1, 1, vec![fault]).await;
        let is_fault = |reading: &Reading| matches!(reading.outcome, Outcome::Fault(_));
        let of = [(pi(1), METRICS.to_vec())];
        let found = store.newest(&of, (UtcMillis(0), at(20_000 * STEP_MS)), 10, is_fault).await.unwrap();
        assert_eq!((found.readings.len(), found.readings[0].1.reading, found.next), (1, fault, None));
        let measured = store.measured().await.unwrap();
        assert_eq!(measured[&pi(1)].iter().copied().collect::<Vec<_>>(), METRICS);
    });
}

#[test]
fn readings_are_counted_exactly_where_nothing_reaches_beyond_and_nearly_where_something_does() {
    on_each_database(|database| async move {
        let (store, all) = with_devices(&database, 1).await;
        let count = async |from, to| store.count(&pi(1), &METRICS, (from, to)).await.unwrap();
        let whole = all[0].len() as u64;
        assert_eq!(count(UtcMillis(0), UtcMillis(i64::MAX)).await, Count { readings: whole, measured: whole });
        assert_eq!(count(at(-9), at(0)).await, Count::default());
        let (from, to) = (at(1_111 * STEP_MS), at(9_999 * STEP_MS));
        let wanted = all[0].iter().filter(|r| (from..to).contains(&r.stamp.at)).count() as i64;
        let about = count(from, to).await.readings.cast_signed();
        assert!((about - wanted).abs() <= 5, "{about} of {wanted}");
        assert_eq!(
            store.count(&pi(1), &[Metric::Tds], (UtcMillis(0), UtcMillis(i64::MAX))).await.unwrap().readings,
            300
        );
    });
}
