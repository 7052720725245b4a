//! What a buffer must survive: kills, wrong acknowledgements, too little room, broken files, a full disk.

mod card;
mod older;
mod repair;

use super::file::{File, Limits};
use super::*;
use crate::time::{Discipline, SystemClock, Ticks};
use shared::reading::{Fault, Flag, Flags, Value};
use shared::{ClockQuality, Metric, Reading, Stamp, UtcMillis};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

const AMPLE: Limits = Limits { max_readings: 1_000_000, keep_acknowledged: false };

fn measured(n: i64) -> Measured {
    let sample = if n % 5 == 0 {
        Sample { flags: Flags::NONE.with(Flag::Simulated), ..Sample::fault(Fault::NoAnswer) }
    } else {
        let flags = Flags::NONE.with(Flag::Uncalibrated);
        let spread = Value::new(0.25).ok();
        Sample { spread, ..Sample::new(Metric::Ph, Ok(7.0 + n as f64 / 1000.0), Some(1500.125), flags) }
    };
    let stamp = Stamp { at: UtcMillis(1_763_690_400_000 + n), clock: ClockQuality::Synced };
    Measured { moment: Moment { stamp, ticks: Ticks(n) }, metric: Metric::Ph, sample }
}

fn several(count: i64) -> Vec<Measured> {
    (1..=count).map(measured).collect()
}

fn seqs(readings: &[Reading]) -> Vec<Seq> {
    readings.iter().map(|reading| reading.seq).collect()
}

fn id(n: u64) -> BufferId {
    BufferId::from_random(n)
}

fn open(folder: &TempDir) -> File {
    File::open(&path(folder.path()), id(7), "b1").unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn what_is_committed_is_read_back_exactly() {
    let folder = folder();
    let mut file = open(&folder);
    file.commit(&several(10), 0, 0, AMPLE, None).unwrap();
    let readings = file.read(0, 100).unwrap();
    assert_eq!(seqs(&readings), (1..=10).collect::<Vec<_>>());
    for (reading, measured) in readings.iter().zip(several(10)) {
        assert_eq!((reading.stamp, reading.outcome), (measured.moment.stamp, measured.sample.outcome));
        assert_eq!((reading.millivolts, reading.flags), (measured.sample.millivolts, measured.sample.flags));
        assert_eq!(reading.spread, measured.sample.spread);
    }
    assert_eq!(seqs(&file.read(3, 2).unwrap()), [4, 5]);
}

#[test]
fn a_sequence_is_never_used_again_even_when_every_row_is_gone_and_the_agent_was_killed() {
    let folder = folder();
    let mut file = open(&folder);
    file.commit(&several(10), 0, 0, AMPLE, None).unwrap();
    file.commit(&[], 10, 0, AMPLE, None).unwrap();
    assert_eq!(file.read(0, 100).unwrap(), vec![]);
    // A killed process closes nothing: the file is copied as it lies on the card.
    let killed = self::folder();
    for name in ["buffer.db", "buffer.db-wal"] {
        std::fs::copy(folder.path().join(name), killed.path().join(name)).unwrap();
    }
    let mut file = File::open(&path(killed.path()), id(8), "b1").unwrap();
    assert_eq!(file.ledger(), Ledger { id: id(7), next: 11, low: 11, acknowledged: 10, dropped: 0 });
    file.commit(&several(1), 0, 0, AMPLE, None).unwrap();
    assert_eq!(seqs(&file.read(0, 100).unwrap()), [11]);
}

#[test]
fn an_acknowledgement_removes_only_what_it_names() {
    let folder = folder();
    let mut file = open(&folder);
    file.commit(&several(10), 0, 0, AMPLE, None).unwrap();
    let ledger = file.commit(&[], 4, 0, AMPLE, None).unwrap();
    assert_eq!(seqs(&file.read(0, 100).unwrap()), [5, 6, 7, 8, 9, 10]);
    assert_eq!((ledger.pending(), ledger.dropped), (6, 0));
    // An older one arrives again.
    assert_eq!(file.commit(&[], 2, 0, AMPLE, None).unwrap().acknowledged, 4);
}

#[test]
fn acknowledged_readings_stay_for_an_audit_but_are_not_pending() {
    let folder = folder();
    let mut file = open(&folder);
    let ledger = file.commit(&several(10), 0, 0, AMPLE, None).unwrap();
    assert_eq!(ledger.pending(), 10);
    let ledger = file.commit(&[], 10, 0, Limits { keep_acknowledged: true, ..AMPLE }, None).unwrap();
    assert_eq!((ledger.pending(), file.read(0, 100).unwrap().len()), (0, 10));
}

#[test]
fn beyond_the_limit_the_oldest_are_dropped_and_counted() {
    let folder = folder();
    let mut file = open(&folder);
    let limits = Limits { max_readings: 100, keep_acknowledged: false };
    file.commit(&several(90), 0, 0, limits, None).unwrap();
    let ledger = file.commit(&several(30), 0, 0, limits, None).unwrap();
    assert_eq!((ledger.dropped, ledger.pending(), ledger.low, ledger.next), (20, 100, 21, 121));
    assert_eq!(file.read(0, 1).unwrap()[0].seq, 21);
    // Also after a restart.
    drop(file);
    assert_eq!(open(&folder).ledger(), ledger);
}

#[test]
fn dropping_what_the_server_already_has_is_no_loss() {
    let folder = folder();
    let mut file = open(&folder);
    let limits = Limits { max_readings: 100, keep_acknowledged: true };
    file.commit(&several(100), 0, 0, limits, None).unwrap();
    file.commit(&[], 60, 0, limits, None).unwrap();
    assert_eq!(file.commit(&several(50), 0, 0, limits, None).unwrap().dropped, 0);
    assert_eq!(file.commit(&several(20), 0, 0, limits, None).unwrap().dropped, 10);
}

#[test]
fn a_large_backlog_is_removed_in_steps() {
    let folder = folder();
    let mut file = open(&folder);
    file.commit(&several(12_000), 0, 0, AMPLE, None).unwrap();
    let lows: Vec<_> = (0..3).map(|_| file.commit(&[], 12_000, 0, AMPLE, None).unwrap().low).collect();
    assert_eq!(lows, [5_001, 10_001, 12_001]);
}

#[test]
fn what_was_lost_before_it_had_a_sequence_is_counted_too() {
    let folder = folder();
    assert_eq!(open(&folder).commit(&several(1), 0, 42, AMPLE, None).unwrap().dropped, 42);
    assert_eq!(open(&folder).ledger().dropped, 42);
}

#[test]
fn a_commit_that_fails_changes_nothing() {
    let folder = folder();
    let mut file = open(&folder);
    let before = file.commit(&several(10), 0, 0, AMPLE, None).unwrap();
    let pages: i64 = file.database().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    file.database().pragma_update(None, "max_page_count", pages).unwrap();
    let error = file.commit(&several(5_000), 3, 1, AMPLE, None).unwrap_err();
    assert!(matches!(&error, FileError::Full(_)), "{error}");
    assert_eq!((file.ledger(), file.read(0, 100).unwrap().len()), (before, 10));
    // There is room again.
    file.database().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    let ledger = file.commit(&several(5_000), 3, 1, AMPLE, None).unwrap();
    assert_eq!((ledger.next, ledger.dropped), (5_011, 1));
}

#[test]
fn what_is_no_buffer_is_called_broken() {
    let not_a_database = "This was once a database, but then the card was pulled. ".repeat(100);
    for content in [not_a_database.as_bytes(), &[0; 4096], b"SQLite format 3\0 and then nothing more".as_slice()] {
        let folder = folder();
        std::fs::write(path(folder.path()), content).unwrap();
        let error = File::open(&path(folder.path()), id(1), "b1").err().unwrap();
        assert!(matches!(error, FileError::Broken(_)), "{error}");
    }
    let folder = folder();
    let foreign = rusqlite::Connection::open(path(folder.path())).unwrap();
    foreign.execute_batch("CREATE TABLE sensor (x); INSERT INTO sensor VALUES (1)").unwrap();
    drop(foreign);
    assert!(matches!(File::open(&path(folder.path()), id(1), "b1"), Err(FileError::Broken(_))));
}

#[test]
fn a_ledger_that_contradicts_its_rows_is_broken() {
    let folder = folder();
    let mut file = open(&folder);
    file.commit(&several(10), 0, 0, AMPLE, None).unwrap();
    file.database().execute("UPDATE meta SET next_seq = 5", []).unwrap();
    drop(file);
    assert!(matches!(File::open(&path(folder.path()), id(1), "b1"), Err(FileError::Broken(_))));
}

// From here on with the thread.

fn start(folder: &TempDir) -> (Buffer, Worker) {
    let settings = config::Buffer { max_readings: 1_000_000, commit_ms: 10, keep_acknowledged: false };
    let time = Time::new(Arc::new(SystemClock), Discipline::Assumed);
    Buffer::start(folder.path(), &settings, time).unwrap()
}

async fn until(buffer: &Buffer, what: impl FnMut(&Option<Ledger>) -> bool) -> Option<Ledger> {
    let mut state = buffer.state();
    let seen = timeout(Duration::from_secs(20), state.wait_for(what)).await;
    *seen.unwrap().unwrap()
}

async fn until_next(buffer: &Buffer, next: Seq) -> Ledger {
    until(buffer, |state| state.is_some_and(|ledger| ledger.next == next)).await.unwrap()
}

/// Lets the server answer for the first reading, after which whole batches follow; the first of those.
async fn heard(buffer: &Buffer, id: BufferId) -> Batch {
    assert_eq!(seqs(&buffer.next_batch(5, false).await.unwrap().readings), [1]);
    buffer.acknowledge(id, 1).await;
    buffer.next_batch(5, false).await.unwrap()
}

#[tokio::test]
async fn readings_are_committed_without_being_asked_and_sent_from_the_oldest() {
    let folder = folder();
    let (buffer, worker) = start(&folder);
    assert!(buffer.next_batch(10, false).await.is_none());
    several(7).into_iter().for_each(|measured| buffer.append(measured));
    let ledger = until_next(&buffer, 8).await;
    assert_eq!(ledger.pending(), 7);
    let batch = heard(&buffer, ledger.id).await;
    assert_eq!((batch.buffer, seqs(&batch.readings)), (ledger.id, vec![2, 3, 4, 5, 6]));
    worker.stop();
}

#[tokio::test]
async fn after_an_acknowledgement_the_next_batch_follows_at_once() {
    let folder = folder();
    let (buffer, worker) = start(&folder);
    several(7).into_iter().for_each(|measured| buffer.append(measured));
    let ledger = until_next(&buffer, 8).await;
    assert_eq!(seqs(&heard(&buffer, ledger.id).await.readings), [2, 3, 4, 5, 6]);
    buffer.acknowledge(ledger.id, 5).await;
    assert_eq!(seqs(&buffer.next_batch(5, false).await.unwrap().readings), [6, 7]);
    until(&buffer, |state| state.is_some_and(|ledger| ledger.low == 6)).await;
    worker.stop();
}

#[tokio::test]
async fn an_acknowledgement_of_another_buffer_removes_nothing() {
    let folder = folder();
    let (buffer, worker) = start(&folder);
    several(3).into_iter().for_each(|measured| buffer.append(measured));
    until_next(&buffer, 4).await;
    buffer.acknowledge(id(99), 3).await;
    assert_eq!(seqs(&buffer.next_batch(5, false).await.unwrap().readings), [1]);
    worker.stop();
}

#[tokio::test]
async fn when_the_server_knows_more_than_the_card_the_buffer_gets_a_new_id_and_loses_nothing() {
    let folder = folder();
    let (buffer, worker) = start(&folder);
    several(3).into_iter().for_each(|measured| buffer.append(measured));
    let former = until_next(&buffer, 4).await.id;
    buffer.acknowledge(former, 50).await;
    let batch = buffer.next_batch(5, false).await.unwrap();
    assert_ne!(batch.buffer, former);
    assert_eq!(seqs(&batch.readings), [1, 2, 3]);
    worker.stop();
    assert_eq!(open(&folder).ledger().id, batch.buffer);
}

#[tokio::test]
async fn a_card_that_went_back_in_time_neither_loses_nor_doubles_readings() {
    let folder = folder();
    // An earlier run gave 1 to 3; the card has lost that the server has them, and 4 to 50.
    let mut file = open(&folder);
    file.commit(&several(3), 0, 0, AMPLE, None).unwrap();
    let former = file.ledger().id;
    drop(file);
    let (buffer, worker) = start(&folder);
    several(60).into_iter().for_each(|measured| buffer.append(measured));
    until_next(&buffer, 64).await;
    // Nothing new is sent before the server has answered for the old ones.
    assert_eq!(seqs(&buffer.next_batch(100, false).await.unwrap().readings), [1, 2, 3]);
    buffer.acknowledge(former, 50).await;
    let batch = buffer.next_batch(100, false).await.unwrap();
    assert_ne!(batch.buffer, former);
    assert_eq!(seqs(&batch.readings), (4..=63).collect::<Vec<_>>());
    worker.stop();
}

#[tokio::test]
async fn without_old_readings_one_new_one_asks_how_much_the_server_knows() {
    let folder = folder();
    let (buffer, worker) = start(&folder);
    several(9).into_iter().for_each(|measured| buffer.append(measured));
    let id = until_next(&buffer, 10).await.id;
    assert_eq!(seqs(&heard(&buffer, id).await.readings), [2, 3, 4, 5, 6]);
    worker.stop();
}

#[tokio::test]
async fn stopping_commits_what_was_taken() {
    let folder = folder();
    let (buffer, worker) = start(&folder);
    several(100).into_iter().for_each(|measured| buffer.append(measured));
    worker.stop();
    assert_eq!(open(&folder).ledger().next, 101);
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn a_half_written_file_is_set_aside_and_a_new_buffer_begins() {
    let folder = folder();
    let mut file = open(&folder);
    file.commit(&several(5_000), 0, 0, AMPLE, None).unwrap();
    drop(file);
    let whole = std::fs::read(path(folder.path())).unwrap();
    std::fs::write(path(folder.path()), &whole[..5000]).unwrap();

    let (buffer, worker) = start(&folder);
    buffer.append(measured(1));
    let ledger = until_next(&buffer, 2).await;
    assert_ne!(ledger.id, id(7));
    assert!(names(&folder).iter().any(|name| name.starts_with("buffer.db.set-aside-")), "{:?}", names(&folder));
    worker.stop();
}

#[tokio::test]
async fn a_page_that_breaks_while_the_agent_runs_costs_no_new_reading() {
    let folder = folder();
    let mut file = open(&folder);
    file.commit(&several(20_000), 0, 0, AMPLE, None).unwrap();
    drop(file);
    let (buffer, worker) = start(&folder);
    let former = until(&buffer, Option::is_some).await.unwrap().id;
    assert_eq!(former, id(7));
    // The ledger and the ends of the table are sound, a page in between is not.
    let file = std::fs::OpenOptions::new().write(true).open(path(folder.path())).unwrap();
    let middle = file.metadata().unwrap().len() / 2 / 4096 * 4096;
    std::os::unix::fs::FileExt::write_all_at(&file, &[0xff; 4096], middle).unwrap();
    assert!(buffer.next_batch(20_000, false).await.is_none());
    buffer.append(measured(1));
    let now = until_next(&buffer, 2).await;
    assert_ne!(now.id, former);
    assert_eq!(seqs(&buffer.next_batch(10, false).await.unwrap().readings), [1]);
    worker.stop();
}

#[tokio::test]
async fn readings_wait_in_memory_until_the_card_can_be_written() {
    let folder = folder();
    // A folder where the database should be: SQLite can't open it.
    std::fs::create_dir(path(folder.path())).unwrap();
    let (buffer, worker) = start(&folder);
    several(3).into_iter().for_each(|measured| buffer.append(measured));
    assert!(buffer.next_batch(10, false).await.is_none());
    assert!(buffer.state().borrow().is_none());
    std::fs::remove_dir(path(folder.path())).unwrap();
    buffer.append(measured(4));
    until_next(&buffer, 5).await;
    worker.stop();
}

#[tokio::test]
async fn the_records_are_readable_while_the_agent_runs() {
    let folder = folder();
    let (buffer, worker) = start(&folder);
    several(3).into_iter().for_each(|measured| buffer.append(measured));
    let ledger = until_next(&buffer, 4).await;
    let mut output = vec![];
    crate::records::print(folder.path(), &mut output).unwrap();
    let text = String::from_utf8(output).unwrap();
    let id = ledger.id;
    let expected = [
        format!(r#"{{"buffer":"{id}","reading":[1,1763690400001,"synced","ph",7.001,1500.125,"uncalibrated",0.25]}}"#),
        format!(r#"{{"buffer":"{id}","reading":[2,1763690400002,"synced","ph",7.002,1500.125,"uncalibrated",0.25]}}"#),
        format!(r#"{{"buffer":"{id}","reading":[3,1763690400003,"synced","ph",7.003,1500.125,"uncalibrated",0.25]}}"#),
        format!(r#"{{"buffer":"{id}","next_seq":4,"acknowledged":0,"dropped":0,"pending":3}}"#),
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    worker.stop();
    // And after it has ended.
    let mut again = vec![];
    crate::records::print(folder.path(), &mut again).unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), text);
}
