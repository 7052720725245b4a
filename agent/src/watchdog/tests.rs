//! A real socket, and sampling threads that hang, idle, or work.

use super::*;
use crate::probe::{Circumstances, Probe, Sample};
use crate::sampler::{GRACE, Lane, Sampler, Slot};
use crate::time::{Discipline, SystemClock, Time};
use shared::reading::Flags;
use shared::{Metric, Settings, message};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;
use tempfile::TempDir;
use tokio::time::timeout;

const PATIENT: Duration = Duration::from_secs(30);

struct Systemd {
    _folder: TempDir,
    socket: tokio::net::UnixDatagram,
    path: std::path::PathBuf,
}

impl Systemd {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        Self { socket: tokio::net::UnixDatagram::bind(&path).unwrap(), path, _folder: folder }
    }

    fn notifier(&self, usec: &str) -> Notifier {
        Notifier::new(Some(self.path.as_os_str()), Some(usec))
    }

    async fn hear(&self) -> String {
        let mut bytes = [0; 500];
        let length = timeout(PATIENT, self.socket.recv(&mut bytes)).await.unwrap().unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    async fn hear_until(&self, wanted: &str) {
        while !self.hear().await.contains(wanted) {}
    }

    fn drain(&self) -> Vec<String> {
        let mut bytes = [0; 500];
        std::iter::from_fn(|| {
            let length = self.socket.try_recv(&mut bytes).ok()?;
            Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
        })
        .collect()
    }
}

/// Hangs while it is told to.
struct Gated(Receiver<()>);
impl Probe for Gated {
    fn sample(&mut self, _: &Circumstances) -> Sample {
        let _ = self.0.recv();
        Sample::new(Metric::Ph, Ok(7.0), None, Flags::NONE)
    }
}

/// A lane whose probe is sampled so often and answers whenever the sender lets it; always, once that is gone.
fn lane(name: &str, metric: Metric, interval: Duration) -> (Lane, Sender<()>) {
    let (gate, gated) = channel();
    let slot = Slot { metric, interval, probe: Box::new(Gated(gated)) };
    (Lane { name: name.to_owned(), slots: vec![slot], recovery: None }, gate)
}

fn sampler(lanes: Vec<Lane>) -> Sampler {
    let time = Time::new(Arc::new(SystemClock), Discipline::Assumed);
    Sampler::start(lanes, &Settings::default(), &time, |_| {}).unwrap()
}

/// What `feed` asks, most of the grace later than it is: a test need not wait for that. And how often it asked.
fn ahead(sampler: &Sampler) -> (impl Fn() -> bool + use<>, Arc<AtomicU32>) {
    let (pulse, asked) = (sampler.pulse(), Arc::new(AtomicU32::new(0)));
    let count = Arc::clone(&asked);
    let beats = move || {
        count.fetch_add(1, Ordering::Relaxed);
        pulse.beats(Instant::now() + GRACE - Duration::from_secs(2))
    };
    (beats, asked)
}

/// Counts how often it is asked to save, and never gets it done, like a card that stalls.
fn counting(saved: &Arc<AtomicU32>) -> impl Fn() -> std::future::Pending<()> + use<> {
    let saved = Arc::clone(saved);
    move || {
        saved.fetch_add(1, Ordering::Relaxed);
        std::future::pending()
    }
}

async fn asked_again(asked: &AtomicU32, times: u32) {
    let from = asked.load(Ordering::Relaxed);
    let wait = async {
        while asked.load(Ordering::Relaxed) < from + times {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENT, wait).await.unwrap();
}

#[tokio::test]
async fn a_lane_that_hangs_stops_the_feeding_while_others_go_on_and_starts_it_again_when_it_does() {
    let systemd = Systemd::new();
    let (hanging, gate) = lane("i2c-1", Metric::Ph, Duration::from_millis(5));
    let (good, free) = lane("i2c-3", Metric::Tds, Duration::from_millis(5));
    drop(free);
    let sampler = sampler(vec![hanging, good]);
    let (beats, asked) = ahead(&sampler);
    let notifier = systemd.notifier("30000");
    let saved = Arc::new(AtomicU32::new(0));
    let save = counting(&saved);
    let feeding = tokio::spawn(async move { notifier.feed(beats, || "4 probes".to_owned(), save).await });
    assert_eq!(systemd.hear().await, "WATCHDOG=1\nSTATUS=4 probes");
    // Its first sample does not come back, and from some moment on only that is said, once.
    systemd.hear_until("hangs").await;
    let before = saved.load(Ordering::Relaxed);
    asked_again(&asked, 5).await;
    assert_eq!(systemd.drain(), Vec::<String>::new());
    assert!(saved.load(Ordering::Relaxed) >= before + 4, "what the others measured is saved before the watchdog bites");
    drop(gate);
    systemd.hear_until("WATCHDOG=1").await;
    feeding.abort();
    sampler.stop();
}

#[tokio::test]
async fn while_all_is_well_the_card_is_spared() {
    let (systemd, saved) = (Systemd::new(), Arc::new(AtomicU32::new(0)));
    let (notifier, save) = (systemd.notifier("30000"), counting(&saved));
    let feeding = tokio::spawn(async move { notifier.feed(|| true, String::new, save).await });
    for _ in 0..3 {
        systemd.hear_until("WATCHDOG=1").await;
    }
    feeding.abort();
    assert_eq!(saved.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_lane_that_idles_for_a_day_is_not_taken_for_one_that_hangs() {
    let (idle, free) = lane("w1", Metric::Temperature, Duration::from_secs(86_400));
    drop(free);
    let sampler = sampler(vec![idle]);
    let pulse = sampler.pulse();
    let sampled = async {
        while !pulse.beats(Instant::now() + Duration::from_secs(86_000)) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENT, sampled).await.unwrap();
    assert!(!pulse.beats(Instant::now() + Duration::from_secs(87_000)), "but a day later it has to move");
    sampler.stop();
}

#[tokio::test]
async fn a_shorter_interval_shortens_the_patience() {
    let (idle, free) = lane("w1", Metric::Temperature, Duration::from_secs(86_400));
    drop(free);
    let sampler = sampler(vec![idle]);
    let mut faster = message::Intervals::default();
    faster.set(Metric::Temperature, 1_000).unwrap();
    sampler.intervals().apply(&faster);
    let pulse = sampler.pulse();
    let shortened = async {
        while pulse.beats(Instant::now() + GRACE + Duration::from_secs(60)) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENT, shortened).await.unwrap();
    assert!(pulse.beats(Instant::now()));
    sampler.stop();
}

#[tokio::test]
async fn the_beginning_and_the_end_are_said() {
    let systemd = Systemd::new();
    let notifier = systemd.notifier("30000000");
    notifier.ready();
    notifier.stopping();
    assert_eq!(
        (systemd.hear().await.as_str(), systemd.hear().await.as_str()),
        ("READY=1", "STOPPING=1\nSTATUS=stopping")
    );
}

#[tokio::test]
async fn an_abstract_socket_is_reached_too() {
    let name = format!("tirta-test-{:016x}", fastrand::u64(..));
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    Notifier::new(Some(OsStr::new(&format!("@{name}"))), None).ready();
    socket.set_read_timeout(Some(PATIENT)).unwrap();
    let mut bytes = [0; 100];
    let length = socket.recv(&mut bytes).unwrap();
    assert_eq!(&bytes[..length], b"READY=1");
}

#[tokio::test]
async fn without_systemd_nothing_happens() {
    let notifier = Notifier::new(None, Some("1000"));
    notifier.ready();
    notifier.stopping();
    timeout(PATIENT, notifier.feed(|| true, String::new, || async {})).await.unwrap();
    // One that does not listen stops nobody.
    Notifier::new(Some(OsStr::new("/nowhere/notify")), None).ready();
}
