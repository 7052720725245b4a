//! When a status is said and what is in it. Time is paused: it advances when nobody has anything to do.

use super::*;
use crate::link::Request;
use crate::sampler::Vital;
use crate::time::Discipline;
use crate::time::tests::Script;
use shared::message::Trouble;
use shared::{BufferId, ClockQuality, Metric};
use std::sync::Arc;
use tokio::sync::mpsc;

struct Bench {
    requests: mpsc::Receiver<Request>,
    link: watch::Sender<LinkState>,
    settings: watch::Sender<Settings>,
    buffer: watch::Sender<Option<Ledger>>,
    health: watch::Sender<Health>,
    vitals: watch::Sender<Vitals>,
    reporter: Reporter,
    handle: Link,
    trouble: watch::Sender<&'static str>,
    clock: Arc<Script>,
}

fn ledger(next: u64, dropped: u64) -> Ledger {
    Ledger { id: BufferId::from_random(1), next, low: 1, acknowledged: 0, dropped }
}

fn vital(fault: Option<Fault>, expected_in: Duration) -> Vital {
    Vital { fault, expected: (Instant::now() + expected_in).into_std() }
}

const LONG: Duration = Duration::from_secs(100_000);

fn start() -> Bench {
    let (sender, requests) = mpsc::channel(8);
    let (link, link_state) = watch::channel(LinkState::Down);
    let (settings, settings_seen) = watch::channel(Settings::default());
    let (buffer, buffer_seen) = watch::channel(Some(ledger(13, 0)));
    let (health, health_seen) = watch::channel(Health::default());
    let (vitals, vitals_seen) = watch::channel(Vitals::from([(Metric::Ph, vital(None, LONG))]));
    let clock = Script::at(5_000_000, 1_763_690_400_000);
    let (trouble, trouble_seen) = watch::channel("other");
    let reporter = Reporter {
        device: DeviceName::numbered(7),
        boot: "b7".to_owned(),
        run: RunId::from_random(0xf00),
        time: Time::new(clock.clone(), Discipline::Assumed),
        settings: settings_seen,
        buffer: buffer_seen,
        health: health_seen,
        kept_for_others: 0,
        vitals: vitals_seen,
        alarm: None,
        cut: None,
    };
    let handle = Link::new(sender, link_state).with_trouble(trouble_seen);
    tokio::spawn(reporter.clone().run(handle.clone()));
    Bench { requests, link, settings, buffer, health, vitals, reporter, handle, trouble, clock }
}

impl Bench {
    /// The next status, and how long it took until it was said.
    async fn next(&mut self) -> (Status, Duration) {
        let began = Instant::now();
        match timeout(Duration::from_secs(300), self.requests.recv()).await.unwrap().unwrap() {
            Request::Publish { topic, payload, retain, .. } => {
                assert_eq!((topic, retain), (Topic::Status(DeviceName::numbered(7)), true));
                (Status::decode(payload.as_bytes()).unwrap(), began.elapsed())
            }
            other => panic!("{other:?}"),
        }
    }

    /// Connected, and the two statuses after it have been said.
    async fn settled() -> Self {
        let mut bench = start();
        bench.link.send_replace(LinkState::Up(1));
        bench.next().await;
        bench.next().await;
        bench
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_is_said_at_once_again_soon_and_then_every_half_minute() {
    let mut bench = start();
    bench.link.send_replace(LinkState::Up(1));
    let (status, after) = bench.next().await;
    assert!(after < Duration::from_millis(10));
    let expected = format!(
        r#"{{"v":1,"state":"online","agent":"{}","boot":"b7","run":"0000000000000f00","clock":"synced","up_s":5000,"settings":0,"buffer":{{"id":"0000000000000001","pending":12,"dropped":0}},"probes":{{"ph":"ok"}}}}"#,
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(status.encode(), expected);
    assert_eq!(bench.next().await.1.as_secs(), 3);
    assert_eq!(bench.next().await.1.as_secs(), 30);
    assert_eq!(bench.next().await.1.as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn after_a_cut_it_is_said_how_long_ago_that_was_and_why_by_ticks_that_nobody_can_set() {
    let mut bench = Bench::settled().await;
    assert_eq!(bench.reporter.status(State::Online).cut, None);
    bench.link.send_replace(LinkState::Down);
    tokio::task::yield_now().await;
    bench.trouble.send_replace("no_route");
    bench.clock.set(0);
    bench.clock.pass(75_000);
    bench.link.send_replace(LinkState::Up(2));
    let (status, _) = bench.next().await;
    assert_eq!(status.cut, Some(Cut { ago_s: 75, why: "no_route".to_owned() }));
    assert_eq!(status.up_s, Some(5075));
}

#[tokio::test(start_paused = true)]
async fn a_change_is_said_soon_and_changes_are_said_together() {
    let mut bench = Bench::settled().await;
    bench.settings.send_replace(Settings::new(3, Default::default()));
    bench.vitals.send_replace(Vitals::from([(Metric::Ph, vital(Some(Fault::NoAnswer), LONG))]));
    let (status, after) = bench.next().await;
    assert!(after <= CALM);
    assert_eq!((status.settings, status.probes["ph"].as_str()), (3, "no_answer"));
    assert_eq!(bench.next().await.1, EVERY, "once, not twice");
}

#[tokio::test(start_paused = true)]
async fn commits_are_no_news_but_dropped_readings_are() {
    let mut bench = Bench::settled().await;
    bench.buffer.send_replace(Some(ledger(20, 0)));
    assert!(bench.next().await.1 > CALM * 2);
    bench.buffer.send_replace(Some(ledger(30, 5)));
    let (status, after) = bench.next().await;
    assert!(after <= CALM);
    assert_eq!(status.buffer.unwrap().dropped, 5);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_and_its_end_are_said_soon() {
    let mut bench = Bench::settled().await;
    for trouble in [Some(Trouble::DiskFull), None] {
        bench.health.send_replace(Health { trouble, set_aside: 1 });
        let (status, after) = bench.next().await;
        assert!(after <= CALM);
        let said = status.buffer.unwrap();
        assert_eq!((said.trouble, said.set_aside, said.pending), (trouble, 1, 12));
    }
}

#[tokio::test(start_paused = true)]
async fn a_card_that_never_worked_is_said_too() {
    let bench = start();
    bench.buffer.send_replace(None);
    assert_eq!(bench.reporter.status(State::Online).buffer, None);
    bench.health.send_replace(Health { trouble: Some(Trouble::CardError), set_aside: 0 });
    let said = bench.reporter.status(State::Online).buffer.unwrap();
    assert_eq!((said.trouble, said.id.to_string().as_str()), (Some(Trouble::CardError), "0000000000000000"));
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_hears_it_at_once() {
    let mut bench = Bench::settled().await;
    bench.link.send_replace(LinkState::Down);
    bench.link.send_replace(LinkState::Up(2));
    assert!(bench.next().await.1 < Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_while_the_link_is_down() {
    let mut bench = Bench::settled().await;
    bench.link.send_replace(LinkState::Down);
    bench.settings.send_replace(Settings::new(3, Default::default()));
    assert!(timeout(Duration::from_secs(200), bench.requests.recv()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_delivers_nothing_any_more_has_a_fault() {
    let bench = start();
    assert_eq!(bench.reporter.status(State::Online).probes["ph"], "ok");
    bench.vitals.send_replace(Vitals::from([(Metric::Ph, vital(None, Duration::ZERO))]));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(bench.reporter.status(State::Online).probes["ph"], "bus_error");
}

#[tokio::test(start_paused = true)]
async fn the_last_words_wait_for_the_broker_but_not_for_ever() {
    let mut bench = Bench::settled().await;
    let began = Instant::now();
    bench.reporter.say_stopped(&bench.handle, Duration::from_secs(2)).await;
    assert_eq!(began.elapsed().as_secs(), 2, "nobody answered");
    assert_eq!(bench.next().await.0.state, State::Stopped);

    let began = Instant::now();
    let answer = async {
        if let Some(Request::Publish { delivered, .. }) = bench.requests.recv().await {
            let _ = delivered.send(());
        }
    };
    tokio::join!(bench.reporter.say_stopped(&bench.handle, Duration::from_secs(2)), answer);
    assert_eq!(began.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_clocks_quality_is_said() {
    let bench = start();
    assert_eq!(bench.reporter.status(State::Online).clock, Some(ClockQuality::Synced));
}

#[tokio::test(start_paused = true)]
async fn each_status_and_the_last_will_name_the_run_and_buffers_of_other_boards_count_as_set_aside() {
    let mut bench = start();
    bench.reporter.kept_for_others = 2;
    bench.health.send_replace(Health { trouble: None, set_aside: 1 });
    let status = bench.reporter.status(State::Online);
    assert_eq!(status.run.map(|run| run.to_string()).as_deref(), Some("0000000000000f00"));
    assert_eq!(status.last_will().run, status.run);
    assert_eq!(status.buffer.unwrap().set_aside, 3);
}
