//! Clients that ask properly, and clients that don't.

use super::super::Client;
use super::*;
use crate::alarm::Alarm;
use crate::buffer::Measured;
use crate::lamp::led::Led;
use crate::local::ClientError;
use crate::probe::Sample;
use crate::time::{Discipline, SystemClock};
use shared::Metric;
use shared::calibration::RecordId;
use shared::reading::{Fault, Flag, Flags};
use tempfile::TempDir;

const PATIENT: Duration = Duration::from_secs(20);

struct Bench {
    folder: TempDir,
    orders: Box<dyn FnMut() -> Option<Order>>,
    views: tokio::sync::broadcast::Sender<View>,
    latest: watch::Sender<Latest>,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let no_led = Led::new(folder.path(), &crate::config::Lamp::Usual);
    let (desk, orders, views) = Desk::without_task();
    let (latest, watched) = watch::channel(Latest::new());
    let local = Local {
        desk,
        latest: watched,
        time: Time::new(Arc::new(SystemClock), Discipline::Assumed),
        buffer: watch::channel(None).1,
        voice: watch::channel(None).1,
        blinker: Blinker::new(Alarm::start(None).unwrap().handle(), no_led),
    };
    local.listen(folder.path()).unwrap();
    Bench { folder, orders: Box::new(orders), views, latest }
}

fn id(n: u64) -> RecordId {
    RecordId::from_random(n)
}

fn view(n: u64, step: Step) -> View {
    let metric = Metric::Ph;
    View { session: id(n), metric, step, buffers: None, live: None, points: vec![], fit: None, problem: None }
}

async fn once(bench: &Bench, request: Request) -> Result<Answer, ClientError> {
    Client::once(bench.folder.path(), &request).await
}

#[tokio::test]
async fn only_owner_and_group_may_ask() {
    let bench = bench();
    let mode = std::fs::metadata(bench.folder.path().join(FILE_NAME)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
}

#[tokio::test]
async fn a_calibration_is_a_stream_of_its_own_views_until_it_is_over() {
    let mut bench = bench();
    let by = By::Dashboard { name: "admin".to_owned() };
    let order = Order::Begin { session: id(7), metric: Metric::Ph, by, buffers: None, lot: None };
    let mut client = Client::ask(bench.folder.path(), &Request::Calibrate { order }).await.unwrap();
    assert_eq!(client.next().await.unwrap(), Some(Answer::Taken));
    let Some(Order::Begin { by, .. }) = (bench.orders)() else { unreachable!() };
    assert_eq!(by, By::Device { name: "admin".to_owned() }, "nobody at the device is somebody who signed in");
    for said in [view(7, Step::Waiting), view(8, Step::Ended), view(7, Step::Ended), view(7, Step::Waiting)] {
        bench.views.send(said).unwrap();
    }
    assert_eq!(client.next().await.unwrap(), Some(Answer::View { view: view(7, Step::Waiting) }));
    assert_eq!(client.next().await.unwrap(), Some(Answer::View { view: view(7, Step::Ended) }));
    assert_eq!(client.next().await.unwrap(), None);
}

#[tokio::test]
async fn nobody_at_the_device_can_make_it_forget_a_record() {
    let mut bench = bench();
    let order = Order::Recorded { id: id(7), settings: 1 };
    let refused = once(&bench, Request::Calibrate { order }).await.unwrap_err();
    assert!(refused.to_string().contains("only the server"), "{refused}");
    assert_eq!((bench.orders)(), None);
}

#[tokio::test]
async fn the_last_readings_are_told_with_their_faults_and_flags() {
    let bench = bench();
    let moment = Time::new(Arc::new(SystemClock), Discipline::Assumed).moment();
    let flags = Flags::NONE.with(Flag::Simulated);
    let ph = Measured { moment, metric: Metric::Ph, sample: Sample::new(Metric::Ph, Ok(7.02), Some(1497.25), flags) };
    let tds = Measured { moment, metric: Metric::Tds, sample: Sample::fault(Fault::NoAnswer) };
    bench.latest.send_replace([(Metric::Ph, ph), (Metric::Tds, tds)].into());
    let Answer::Latest { readings } = once(&bench, Request::Latest).await.unwrap() else { unreachable!() };
    assert_eq!(readings.iter().map(Row::to_string).collect::<Vec<_>>(), ["ph 7.02 pH", "tds no_answer"]);
    assert_eq!((readings[0].flags.as_str(), readings[0].millivolts), ("simulated", Some(1497.25)));
}

#[tokio::test]
async fn what_can_not_be_done_is_said() {
    let bench = bench();
    let refused = once(&bench, Request::Identify { seconds: 1 }).await.unwrap_err();
    assert!(refused.to_string().contains("nothing here can blink"), "{refused}");
    let Answer::State { state } = once(&bench, Request::State).await.unwrap() else { unreachable!() };
    assert!(!state.connected && state.device.is_none() && state.pending.is_none());
}

#[tokio::test]
async fn nonsense_silence_and_a_crowd_do_no_harm() {
    let bench = bench();
    let path = bench.folder.path().join(FILE_NAME);
    for nonsense in ["{\"ask\":\"all\"}\n".to_owned(), "\n".to_owned(), "x".repeat(10_000)] {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        // The agent may close before everything is written.
        let _ = stream.write_all(nonsense.as_bytes()).await;
        let mut answer = String::new();
        let _ = timeout(PATIENT, stream.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.contains("not understood") || answer.is_empty(), "{answer}");
    }
    // More than are served at a time, and none of them says anything.
    let mut crowd = vec![];
    for _ in 0..2 * CLIENTS {
        crowd.push(UnixStream::connect(&path).await.unwrap());
    }
    let answered = async { while once(&bench, Request::State).await.is_err() {} };
    timeout(PATIENT, answered).await.unwrap();
}

#[tokio::test]
async fn an_agent_that_does_not_run_is_no_mystery() {
    let folder = tempfile::tempdir().unwrap();
    let asked = Client::once(folder.path(), &Request::State).await;
    assert!(matches!(asked, Err(ClientError::NotRunning)));
    // The socket of an agent that was killed.
    drop(UnixListener::bind(folder.path().join(FILE_NAME)).unwrap());
    let asked = Client::once(folder.path(), &Request::State).await.unwrap_err();
    assert!(matches!(asked, ClientError::NotRunning) && asked.to_string().contains("systemctl start"), "{asked}");
}
