//! The link is a pair of channels, and the server is whoever holds the other ends.

use super::*;
use crate::link::Request;
use shared::calibration::{By, Calibration, RecordId};
use shared::message::calibrate::Step;
use shared::{ClockQuality, Metric, Stamp, UtcMillis};
use tokio::sync::mpsc;

struct Bench {
    state: watch::Sender<LinkState>,
    requests: mpsc::Receiver<Request>,
    views: broadcast::Sender<View>,
    waiting: watch::Sender<Vec<CalibrationRecord>>,
}

fn record(n: u64) -> CalibrationRecord {
    let stamp = Stamp { at: UtcMillis(1_763_690_400_000), clock: ClockQuality::Synced };
    let by = By::Device { name: "Sari".to_owned() };
    CalibrationRecord::new(RecordId::from_random(n), Metric::Tds, stamp, by, Some(Calibration::Cell { k: 1.0 }))
}

fn start(state: LinkState, records: &[u64]) -> Bench {
    let (state, link_state) = watch::channel(state);
    let (sender, requests) = mpsc::channel(8);
    let (views, _) = broadcast::channel(8);
    let (waiting, waits) = watch::channel(records.iter().map(|n| record(*n)).collect());
    let link = Link::new(sender, link_state);
    let herald = Herald { device: DeviceName::numbered(7), link, views: views.subscribe(), waiting: waits };
    tokio::spawn(herald.run());
    Bench { state, requests, views, waiting }
}

impl Bench {
    /// What is said next; the broker takes it if it is told to.
    async fn said(&mut self, taken: bool) -> News {
        let Some(Request::Publish { topic, payload, retain, delivered }) = self.requests.recv().await else {
            unreachable!("a herald only publishes")
        };
        assert_eq!((topic.to_string().as_str(), retain), ("tirta/pi-7/up/calibration", false));
        if taken {
            delivered.send(()).unwrap();
        }
        CalibrationUp::decode(payload.as_bytes()).unwrap().news
    }

    async fn record(&mut self, taken: bool) -> u64 {
        match self.said(taken).await {
            News::Record(said) => (1..10).find(|n| record(*n) == said).unwrap(),
            News::View(view) => unreachable!("{view:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn records_are_said_at_each_connection_and_every_minute_until_they_are_gone() {
    let mut bench = start(LinkState::Down, &[1, 2]);
    tokio::time::sleep(AGAIN * 3).await;
    assert!(bench.requests.try_recv().is_err(), "nothing is said into the void");
    bench.state.send_replace(LinkState::Up(1));
    assert_eq!((bench.record(true).await, bench.record(true).await), (1, 2));
    let before = Instant::now();
    assert_eq!((bench.record(true).await, bench.record(true).await), (1, 2));
    assert!(before.elapsed() >= AGAIN / 2);
    bench.state.send_replace(LinkState::Up(2));
    let before = Instant::now();
    assert_eq!((bench.record(true).await, bench.record(true).await), (1, 2));
    assert!(before.elapsed() < AGAIN / 2, "a new connection is no time to wait");
    bench.waiting.send_replace(vec![record(2)]);
    assert_eq!(bench.record(true).await, 2);
    bench.waiting.send_replace(vec![]);
    tokio::time::sleep(AGAIN * 3).await;
    assert!(bench.requests.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_record_without_a_time_waits_for_one_but_not_for_long() {
    let mut bench = start(LinkState::Down, &[]);
    let stamp = Stamp { at: UtcMillis(5_000), clock: ClockQuality::Unsynced };
    let unsynced = CalibrationRecord { stamp, ..record(2) };
    bench.waiting.send_replace(vec![record(1), unsynced.clone(), record(3)]);
    bench.state.send_replace(LinkState::Up(1));
    assert_eq!(bench.record(true).await, 1);
    let up = Instant::now();
    assert_eq!(bench.said(true).await, News::Record(record(1)), "it is said from the beginning again");
    assert!(up.elapsed() >= HOLD / 2);
    assert_eq!(bench.said(true).await, News::Record(unsynced.clone()), "the server offers no time");
    assert_eq!(bench.record(true).await, 3);

    // At the next connection the server's time repairs it at once.
    bench.waiting.send_replace(vec![unsynced]);
    bench.state.send_replace(LinkState::Up(2));
    let up = Instant::now();
    tokio::task::yield_now().await;
    bench.waiting.send_replace(vec![record(2)]);
    assert_eq!(bench.record(true).await, 2);
    assert!(up.elapsed() < HOLD / 2);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_the_broker_does_not_take_is_said_again() {
    let mut bench = start(LinkState::Up(1), &[1, 2]);
    assert_eq!(bench.record(false).await, 1);
    assert_eq!(bench.record(true).await, 1, "from the beginning");
    assert_eq!(bench.record(true).await, 2);
}

#[tokio::test(start_paused = true)]
async fn views_are_passed_on_as_they_come() {
    let mut bench = start(LinkState::Up(1), &[]);
    let view = View {
        session: RecordId::from_random(7),
        metric: Metric::Ph,
        step: Step::Waiting,
        buffers: None,
        live: None,
        points: vec![],
        fit: None,
        problem: None,
    };
    bench.views.send(view.clone()).unwrap();
    assert_eq!(bench.said(false).await, News::View(view));
}
