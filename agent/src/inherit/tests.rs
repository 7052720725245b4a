//! A copied card's buffer beside the device's own, against a server that is the test.

use super::*;
use crate::buffer::Measured;
use crate::config;
use crate::identity::Identity;
use crate::link::{LinkState, Request};
use crate::probe::Sample;
use crate::time::{Discipline, SystemClock};
use shared::enrol::Broker;
use shared::reading::Flags;
use shared::{Batch, BufferId, Metric, Seq, Serial, Topic, UtcMillis};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

const PATIENT: Duration = Duration::from_secs(20);

fn time() -> Time {
    Time::new(Arc::new(SystemClock), Discipline::Assumed)
}

fn config(folder: &Path) -> Config {
    let text = format!(
        "data_dir = {folder:?}\nserver = {{ url = \"https://localhost\", ca_sha256 = \"{}\" }}\n\
         buffer = {{ commit_ms = 10 }}\nuplink = {{ batch = 10, backoff_min_ms = 10, backoff_max_ms = 20 }}\n",
        "00".repeat(32)
    );
    text.parse().unwrap()
}

async fn filled(folder: &Path, rows: usize) -> BufferId {
    let settings = config::Buffer { commit_ms: 10, ..config::Buffer::default() };
    let (buffer, worker) = Buffer::start(folder, &settings, time()).unwrap();
    for _ in 0..rows {
        let sample = Sample::new(Metric::Ph, Ok(7.0), None, Flags::NONE);
        buffer.append(Measured { moment: time().moment(), metric: Metric::Ph, sample });
    }
    buffer.flush().await;
    let id = buffer.state().borrow().unwrap().id;
    tokio::task::spawn_blocking(move || worker.stop()).await.unwrap();
    id
}

fn serial(n: u32) -> Serial {
    format!("10000000{n:08x}").parse().unwrap()
}

/// The card of pi-1 with its readings, in the second board, which got this name.
async fn replaced(name: &DeviceName) -> (TempDir, Home, BufferId) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let identity = |name: DeviceName| Identity {
        name,
        broker: Broker { host: None, port: 8883 },
        server: None,
        key: String::new(),
        certificate: "certificate".to_owned(),
        ca: "ca".to_owned(),
    };
    home.key_pair(serial(1)).unwrap();
    home.save(serial(1), &identity(DeviceName::numbered(1))).unwrap();
    let id = filled(folder.path(), 25).await;
    home.settle(serial(2)).unwrap();
    home.key_pair(serial(2)).unwrap();
    home.save(serial(2), &identity(name.clone())).unwrap();
    (folder, home, id)
}

/// A run of the agent, as far as the inherited buffer goes.
struct Run {
    requests: mpsc::Receiver<Request>,
    acks: mpsc::Sender<Ack>,
    own: mpsc::Receiver<Ack>,
    tasks: JoinSet<()>,
    _state: watch::Sender<LinkState>,
}

impl Run {
    fn new(home: &Home, folder: &Path, name: &DeviceName) -> Option<Self> {
        let inherited = home.inherited(name).unwrap()?;
        let (request_sender, requests) = mpsc::channel(8);
        let (state, seen) = watch::channel(LinkState::Up(1));
        let (own_sender, own) = mpsc::channel(16);
        let link = (Link::new(request_sender, seen), own_sender);
        let opened = Inheritance::open((home.clone(), inherited), name.clone(), link, &config(folder), &time());
        let (inheritance, sharing, acks) = opened.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(sharing);
        tasks.spawn(inheritance.run());
        Some(Self { requests, acks, own, tasks, _state: state })
    }

    async fn batch(&mut self) -> (BufferId, Seq, Seq) {
        match timeout(PATIENT, self.requests.recv()).await.unwrap().unwrap() {
            Request::Publish { topic, payload, .. } => {
                assert_eq!(topic, Topic::Readings(DeviceName::numbered(1)));
                let batch = Batch::decode(payload.as_bytes(), UtcMillis(i64::MAX / 2)).unwrap();
                (batch.buffer, batch.first, batch.last)
            }
            other => panic!("{other:?}"),
        }
    }

    async fn ack(&self, buffer: BufferId, through: Seq) {
        self.acks.send(Ack::committed(buffer, through, vec![])).await.unwrap();
    }
}

/// Whether this process has a file below a folder open.
fn is_open(folder: &Path) -> bool {
    let open =
        std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    open.into_iter().any(|file| file.starts_with(folder))
}

#[tokio::test]
async fn a_board_in_the_place_of_another_sends_its_readings_under_their_own_id_also_after_a_kill() {
    let name = DeviceName::numbered(1);
    let (folder, home, id) = replaced(&name).await;
    let mut first = Run::new(&home, folder.path(), &name).unwrap();
    assert_eq!(first.batch().await, (id, 1, 10));
    first.ack(id, 10).await;
    assert_eq!(first.batch().await, (id, 11, 20));
    // Killed with a batch under way that nobody answers.
    first.tasks.shutdown().await;
    drop(first);
    // What a kill ends at once is a thread here, which still closes the file: a second one must not find it in use.
    timeout(PATIENT, async {
        while is_open(folder.path()) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();

    let mut second = Run::new(&home, folder.path(), &name).unwrap();
    let mut through = 0;
    while through < 25 {
        let (buffer, from, last) = second.batch().await;
        assert!(buffer == id && from <= 11.max(through + 1), "{from}");
        second.ack(id, last).await;
        through = last;
    }
    let done = async { while second.tasks.join_next().await.is_some() && home.inherited(&name).unwrap().is_some() {} };
    timeout(PATIENT, done).await.unwrap();
    assert_eq!(home.inherited(&name).unwrap(), None);
    assert!(!folder.path().join("copied").join(serial(1).to_string()).exists());
    assert!(Run::new(&home, folder.path(), &name).is_none(), "the next start has nothing to send");
}

#[tokio::test]
async fn a_board_that_got_another_name_sends_nothing_of_it() {
    let name = DeviceName::numbered(2);
    let (folder, home, id) = replaced(&name).await;
    assert!(Run::new(&home, folder.path(), &name).is_none());
    assert_eq!(home.kept_for_others(Some(&name)), 1);
    let kept = folder.path().join("copied").join(serial(1).to_string());
    let ledger = buffer::inspect(&buffer::path(&kept), |_, _| {}).unwrap();
    assert_eq!((ledger.id, ledger.pending()), (id, 25));
}

#[tokio::test]
async fn an_acknowledgement_goes_to_the_buffer_that_it_names() {
    let name = DeviceName::numbered(1);
    let (folder, home, id) = replaced(&name).await;
    let mut run = Run::new(&home, folder.path(), &name).unwrap();
    let (_, _, last) = run.batch().await;
    let mine = BufferId::from_random(7);
    run.ack(id, last).await;
    run.ack(mine, 4).await;
    assert_eq!(timeout(PATIENT, run.own.recv()).await.unwrap().unwrap().buffer, Some(mine));
    assert!(run.own.try_recv().is_err());
}
