//! The uplink against a scripted broker and server, with a real buffer behind it.

use super::*;
use crate::buffer::{Measured, Worker};
use crate::link::Request;
use crate::probe::Sample;
use crate::time::tests::Script;
use crate::time::{BootClock, Discipline, SystemClock, Time};
use shared::message::{Refusal, Rejection};
use shared::reading::Flags;
use shared::{Batch, Metric, UtcMillis};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const PATIENT: Duration = Duration::from_secs(20);

/// Everything around an uplink.
struct Bench {
    requests: mpsc::Receiver<Request>,
    state: watch::Sender<LinkState>,
    acks: mpsc::Sender<Ack>,
    buffer: Buffer,
    worker: Worker,
    time: Time,
    uplink: JoinHandle<()>,
    _folder: TempDir,
}

/// A batch as the broker got it.
struct Got {
    payload: String,
    batch: shared::message::Received,
    delivered: oneshot::Sender<()>,
}

impl Bench {
    /// An uplink with a link that is up. A batch is sent again after `ack_timeout_ms`.
    fn new(batch: usize, ack_timeout_ms: u64) -> Self {
        Self::with(batch, ack_timeout_ms, Time::new(Arc::new(SystemClock), Discipline::Assumed))
    }

    fn with(batch: usize, ack_timeout_ms: u64, time: Time) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = config::Buffer { commit_ms: 10, ..config::Buffer::default() };
        let (buffer, worker) = Buffer::start(folder.path(), &settings, time.clone()).unwrap();
        let (request_sender, requests) = mpsc::channel(8);
        let (state, state_receiver) = watch::channel(LinkState::Up(1));
        let (acks, ack_receiver) = mpsc::channel(16);
        let link = Link::new(request_sender, state_receiver);
        let settings = config::Uplink { batch, ack_timeout_ms, backoff_min_ms: 10, backoff_max_ms: 20 };
        let uplink =
            Uplink::new(DeviceName::numbered(7), link, buffer.clone(), ack_receiver, time.quality(), &settings);
        let uplink = tokio::spawn(uplink.run());
        Self { requests, state, acks, buffer, worker, time, uplink, _folder: folder }
    }

    fn measure(&self, count: usize) {
        for _ in 0..count {
            let sample = Sample::new(Metric::Ph, Ok(7.0), None, Flags::NONE);
            self.buffer.append(Measured { moment: self.time.moment(), metric: Metric::Ph, sample });
        }
    }

    async fn request(&mut self) -> Request {
        timeout(PATIENT, self.requests.recv()).await.unwrap().unwrap()
    }

    async fn batch(&mut self) -> Got {
        match self.request().await {
            Request::Publish { topic, payload, retain, delivered } => {
                assert_eq!((topic, retain), (Topic::Readings(DeviceName::numbered(7)), false));
                let batch = Batch::decode(payload.as_bytes(), UtcMillis(i64::MAX / 2)).unwrap();
                Got { payload, batch, delivered }
            }
            other => panic!("{other:?}"),
        }
    }

    /// The first batch of a run holds one reading: once the server has answered, whole ones follow.
    async fn first(&mut self) {
        let first = self.batch().await;
        assert_eq!(seqs(&first), (1, 1));
        self.ack(committed(&first)).await;
    }

    async fn reconnect(&mut self) -> &'static str {
        match self.request().await {
            Request::Reconnect(why) => why,
            other => panic!("{other:?}"),
        }
    }

    async fn ack(&self, ack: Ack) {
        self.acks.send(ack).await.unwrap();
    }

    /// Waits until the buffer knows that the server has everything up to here.
    async fn until_acknowledged(&self, through: Seq) {
        let mut state = self.buffer.state();
        let known = state.wait_for(|state| state.is_some_and(|ledger| ledger.acknowledged == through));
        timeout(PATIENT, known).await.unwrap().unwrap();
    }

    fn end(self) {
        self.uplink.abort();
        self.worker.stop();
    }
}

fn committed(got: &Got) -> Ack {
    Ack::committed(got.batch.buffer, got.batch.last, vec![])
}

fn seqs(got: &Got) -> (Seq, Seq) {
    (got.batch.first, got.batch.last)
}

#[tokio::test]
async fn batches_follow_each_other_in_order_and_only_after_the_servers_word() {
    let mut bench = Bench::new(10, 60_000);
    bench.measure(25);
    let mut seen = 0;
    while seen < 25 {
        let got = bench.batch().await;
        assert_eq!(got.batch.first, seen + 1);
        assert!(bench.requests.try_recv().is_err(), "one in flight");
        seen = got.batch.last;
        bench.ack(committed(&got)).await;
    }
    bench.until_acknowledged(25).await;
    bench.end();
}

#[tokio::test]
async fn the_brokers_word_alone_lets_nothing_go_and_the_same_bytes_are_sent_again() {
    let mut bench = Bench::new(10, 100);
    bench.measure(3);
    let first = bench.batch().await;
    first.delivered.send(()).unwrap();
    // More readings since then do not change what is in flight.
    bench.measure(3);
    let second = bench.batch().await;
    assert_eq!(second.payload, first.payload);
    assert_eq!(bench.buffer.state().borrow().unwrap().acknowledged, 0);
    bench.ack(committed(&second)).await;
    bench.until_acknowledged(second.batch.last).await;
    bench.end();
}

#[tokio::test]
async fn a_batch_that_the_broker_does_not_take_means_a_dead_connection() {
    let mut bench = Bench::new(10, 100);
    bench.measure(3);
    let lost = bench.batch().await;
    assert!(bench.reconnect().await.contains("broker"));
    bench.state.send_replace(LinkState::Down);
    bench.state.send_replace(LinkState::Up(2));
    assert_eq!(bench.batch().await.payload, lost.payload);
    bench.end();
}

#[tokio::test]
async fn a_server_that_never_answers_leads_to_a_new_connection_at_last() {
    let mut bench = Bench::new(10, 50);
    bench.measure(1);
    for _ in 0..PATIENCE {
        bench.batch().await.delivered.send(()).unwrap();
    }
    assert!(bench.reconnect().await.contains("server"));
    bench.end();
}

#[tokio::test]
async fn after_a_reconnect_the_same_batch_is_sent_at_once() {
    let mut bench = Bench::new(10, 600_000);
    bench.measure(3);
    let first = bench.batch().await;
    bench.state.send_replace(LinkState::Down);
    bench.state.send_replace(LinkState::Up(2));
    assert_eq!(bench.batch().await.payload, first.payload);
    bench.end();
}

#[tokio::test]
async fn nothing_is_sent_while_the_link_is_down_and_everything_afterwards() {
    let mut bench = Bench::new(10, 60_000);
    bench.state.send_replace(LinkState::Down);
    bench.measure(5);
    let mut state = bench.buffer.state();
    timeout(PATIENT, state.wait_for(|state| state.is_some_and(|ledger| ledger.next == 6))).await.unwrap().unwrap();
    assert!(bench.requests.try_recv().is_err());
    bench.state.send_replace(LinkState::Up(2));
    bench.first().await;
    assert_eq!(seqs(&bench.batch().await), (2, 5));
    bench.end();
}

#[tokio::test]
async fn an_acknowledgement_of_another_buffer_or_an_older_batch_is_no_answer() {
    let mut bench = Bench::new(5, 60_000);
    bench.measure(10);
    let first = bench.batch().await;
    assert_eq!(first.batch.first, 1);
    bench.ack(Ack::committed(BufferId::from_random(99), 1000, vec![])).await;
    bench.ack(committed(&first)).await;
    // The same answer again, as after a batch that was sent twice.
    let second = bench.batch().await;
    assert_eq!(second.batch.first, first.batch.last + 1);
    bench.ack(committed(&first)).await;
    bench.ack(committed(&second)).await;
    bench.until_acknowledged(second.batch.last).await;
    bench.end();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_offers_no_time_does_not_stop_data() {
    let began = Instant::now();
    let nobody = Discipline::File("/nowhere/synchronized".into());
    let mut bench = Bench::with(10, 60_000, Time::new(Arc::new(SystemClock), nobody));
    bench.measure(1);
    // No time-out here: the paused clock would not wait for the buffer's thread.
    let request = bench.requests.recv().await.unwrap();
    let Request::Publish { payload, .. } = request else { panic!("{request:?}") };
    assert!(payload.contains("\"unsynced\""), "{payload}");
    assert!(began.elapsed() >= HOLD);
    bench.end();
}

#[tokio::test]
async fn readings_wait_for_the_servers_time_when_the_clock_jumps() {
    const NOON: i64 = 1_763_690_400_000;
    let clock = Script::at(0, NOON);
    let mut bench = Bench::with(10, 60_000, Time::new(Arc::clone(&clock) as Arc<dyn BootClock>, Discipline::Assumed));
    bench.measure(1);
    bench.first().await;
    bench.until_acknowledged(1).await;
    // Long after the connection was made.
    tokio::time::pause();
    tokio::time::advance(HOLD * 2).await;
    tokio::time::resume();
    clock.set(NOON + 30 * 86_400_000);
    bench.measure(1);
    let mut state = bench.buffer.state();
    timeout(PATIENT, state.wait_for(|state| state.is_some_and(|ledger| ledger.next == 3))).await.unwrap().unwrap();
    // The uplink has had its look by the time that the buffer has answered a few times.
    for _ in 0..20 {
        bench.buffer.flush().await;
    }
    assert!(bench.requests.try_recv().is_err());
    bench.time.server_said(UtcMillis(NOON + 7));
    bench.buffer.flush().await;
    let got = bench.batch().await;
    assert!(got.payload.contains(&format!("[2,{},\"repaired\"", NOON + 7)), "{}", got.payload);
    bench.end();
}

#[tokio::test]
async fn a_part_that_is_committed_is_not_sent_again() {
    let mut bench = Bench::new(10, 60_000);
    bench.state.send_replace(LinkState::Down);
    bench.measure(6);
    let mut state = bench.buffer.state();
    timeout(PATIENT, state.wait_for(|state| state.is_some_and(|ledger| ledger.next == 7))).await.unwrap().unwrap();
    bench.state.send_replace(LinkState::Up(2));
    bench.first().await;
    let whole = bench.batch().await;
    assert_eq!(seqs(&whole), (2, 6));
    bench.ack(Ack::committed(whole.batch.buffer, 4, vec![])).await;
    assert_eq!(seqs(&bench.batch().await), (5, 6));
    bench.end();
}

#[tokio::test]
async fn a_rejected_batch_is_kept_and_sent_again() {
    let mut bench = Bench::new(10, 60_000);
    bench.measure(3);
    let first = bench.batch().await;
    bench.ack(Ack::rejected(&Rejection::UnsupportedVersion(1))).await;
    let again = bench.batch().await;
    assert_eq!(again.payload, first.payload);
    assert_eq!(bench.buffer.state().borrow().unwrap().acknowledged, 0);
    bench.ack(committed(&again)).await;
    bench.until_acknowledged(again.batch.last).await;
    bench.end();
}

#[tokio::test]
async fn a_batch_that_is_too_large_comes_again_in_smaller_ones() {
    let mut bench = Bench::new(8, 60_000);
    bench.state.send_replace(LinkState::Down);
    bench.measure(9);
    let mut state = bench.buffer.state();
    timeout(PATIENT, state.wait_for(|state| state.is_some_and(|ledger| ledger.next == 10))).await.unwrap().unwrap();
    bench.state.send_replace(LinkState::Up(2));
    bench.first().await;
    assert_eq!(seqs(&bench.batch().await), (2, 9));
    bench.ack(Ack::rejected(&Rejection::TooLarge)).await;
    assert_eq!(seqs(&bench.batch().await), (2, 5));
    bench.end();
}

#[tokio::test]
async fn refused_rows_are_done_with_because_the_server_keeps_them() {
    let mut bench = Bench::new(10, 60_000);
    bench.measure(3);
    let got = bench.batch().await;
    let refused = vec![(got.batch.first, Refusal::UnknownMetric)];
    bench.ack(Ack::committed(got.batch.buffer, got.batch.last, refused)).await;
    bench.until_acknowledged(got.batch.last).await;
    bench.end();
}

#[tokio::test]
async fn an_answer_that_comes_late_is_an_answer() {
    let mut bench = Bench::new(10, 50);
    bench.measure(3);
    let first = bench.batch().await;
    let answer = committed(&first);
    first.delivered.send(()).unwrap();
    let second = bench.batch().await;
    assert_eq!(second.payload, first.payload);
    bench.ack(answer).await;
    bench.until_acknowledged(first.batch.last).await;
    bench.end();
}
