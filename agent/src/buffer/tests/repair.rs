//! Times that become known later: which rows are repaired, to what, and which never.

use super::super::file::{File, Limits};
use super::super::*;
use crate::time::tests::Script;
use crate::time::{BootClock, Discipline, Ticks};
use proptest::prelude::*;
use shared::reading::Flags;
use shared::{ClockQuality, Reading, Stamp, UtcMillis};
use std::time::Duration;
use tempfile::TempDir;

const AMPLE: Limits = Limits { max_readings: 1_000_000, keep_acknowledged: true };
/// The machine booted at this instant; its clock thinks that it is 1970.
const BOOTED: i64 = 1_763_690_400_000;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &TempDir, boot: &str) -> File {
    File::open(&path(folder.path()), BufferId::from_random(7), boot).unwrap()
}

fn measured(ticks: i64, stamp: Stamp) -> Measured {
    let sample = Sample::new(Metric::Ph, Ok(7.0), Some(1500.125), Flags::NONE);
    Measured { moment: Moment { stamp, ticks: Ticks(ticks) }, metric: Metric::Ph, sample }
}

/// Rows one tick of 10 s apart, whose clock began in 1970 at the boot.
fn unsynced(ticks: impl IntoIterator<Item = i64>) -> Vec<Measured> {
    let stamp = |at| Stamp { at: UtcMillis(at), clock: ClockQuality::Unsynced };
    ticks.into_iter().map(|n| measured(n * 10_000, stamp(n * 10_000))).collect()
}

fn commit(file: &mut File, fresh: &[Measured], reference: Option<i64>) {
    file.commit(fresh, 0, 0, AMPLE, reference).unwrap();
}

fn stamps(file: &File) -> Vec<(i64, ClockQuality)> {
    file.read(0, 10_000).unwrap().iter().map(|reading| (reading.stamp.at.0, reading.stamp.clock)).collect()
}

fn right(ticks: impl IntoIterator<Item = i64>) -> Vec<(i64, ClockQuality)> {
    ticks.into_iter().map(|n| (BOOTED + n * 10_000, ClockQuality::Repaired)).collect()
}

#[test]
fn a_hundred_readings_of_1970_are_right_to_the_tick_once_the_clock_is_set() {
    let folder = folder();
    let mut file = open(&folder, "b1");
    commit(&mut file, &unsynced(0..100), None);
    assert_eq!(file.first_open(), Some(1));
    commit(&mut file, &[], Some(BOOTED));
    assert_eq!((stamps(&file), file.first_open()), (right(0..100), None));
}

#[test]
fn an_agent_that_starts_again_in_the_same_boot_repairs_what_the_former_one_measured() {
    let folder = folder();
    commit(&mut open(&folder, "b1"), &unsynced(0..5), None);
    let mut file = open(&folder, "b1");
    assert_eq!(file.first_open(), Some(1));
    commit(&mut file, &unsynced(5..7), Some(BOOTED));
    assert_eq!(stamps(&file), right(0..7));
}

#[test]
fn rows_of_another_boot_stay_as_they_are() {
    let folder = folder();
    // A power cut: the ticks of the former boot have nothing to do with those of this one.
    commit(&mut open(&folder, "b1"), &unsynced(0..5), None);
    let mut file = open(&folder, "b2");
    assert_eq!(file.first_open(), None);
    commit(&mut file, &unsynced(0..3), None);
    commit(&mut file, &[], Some(BOOTED));
    let former = (0..5).map(|n| (n * 10_000, ClockQuality::Unsynced));
    assert_eq!(stamps(&file), former.chain(right(0..3)).collect::<Vec<_>>());
}

#[test]
fn rows_that_may_have_been_sent_stay_as_they_are_also_after_a_restart() {
    let folder = folder();
    let mut file = open(&folder, "b1");
    commit(&mut file, &unsynced(0..5), None);
    file.close_times(2).unwrap();
    drop(file);
    let mut file = open(&folder, "b1");
    assert_eq!(file.first_open(), Some(3));
    commit(&mut file, &[], Some(BOOTED));
    let sent = (0..2).map(|n| (n * 10_000, ClockQuality::Unsynced));
    assert_eq!(stamps(&file), sent.chain(right(2..5)).collect::<Vec<_>>());
}

#[test]
fn jumps_of_thirty_days_in_the_middle_are_undone() {
    let folder = folder();
    let mut file = open(&folder, "b1");
    let month = 30 * 86_400_000;
    for (n, error) in [(0, 0), (1, month), (2, -month), (3, 0)] {
        let clock = if error == 0 { ClockQuality::Synced } else { ClockQuality::Unsynced };
        let stamp = Stamp { at: UtcMillis(BOOTED + n * 10_000 + error), clock };
        commit(&mut file, &[measured(n * 10_000, stamp)], None);
    }
    commit(&mut file, &[], Some(BOOTED));
    let times: Vec<_> = stamps(&file).into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, [0, 1, 2, 3].map(|n| BOOTED + n * 10_000));
    let repaired: Vec<_> = stamps(&file).into_iter().map(|(_, clock)| clock == ClockQuality::Repaired).collect();
    assert_eq!(repaired, [false, true, true, false]);
}

#[test]
fn an_open_row_that_was_dropped_for_want_of_room_holds_nobody_back() {
    let folder = folder();
    let mut file = open(&folder, "b1");
    commit(&mut file, &unsynced(0..5), None);
    let few = Limits { max_readings: 2, ..AMPLE };
    file.commit(&[], 0, 0, few, None).unwrap();
    assert_eq!(file.first_open(), Some(4));
    let synced = Stamp { at: UtcMillis(BOOTED), clock: ClockQuality::Synced };
    file.commit(&[measured(0, synced), measured(1, synced)], 0, 0, few, None).unwrap();
    assert_eq!(file.first_open(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// What was handed over keeps its bytes for ever, and what is repaired is right.
    #[test]
    fn whatever_happens_a_row_that_was_handed_over_never_changes_and_no_repaired_time_is_false(
        events in prop::collection::vec((0..5_u8, 1..20_i64), 1..40),
    ) {
        let folder = folder();
        let (mut boot, mut ticks) = (0, 0);
        // The boot of each row and the instant of each boot.
        let (mut booted, mut origin) = (vec![BOOTED], vec![]);
        let mut file = open(&folder, "b0");
        let mut handed: Vec<Reading> = vec![];
        for (kind, n) in events {
            match kind {
                0 => {
                    commit(&mut file, &unsynced(ticks..ticks + n), None);
                    origin.extend((ticks..ticks + n).map(|tick| (boot, tick)));
                    ticks += n;
                }
                1 => commit(&mut file, &[], Some(booted[boot])),
                2 => {
                    drop(file);
                    file = open(&folder, &format!("b{boot}"));
                }
                3 => {
                    drop(file);
                    booted.push(booted[boot] + (ticks + n) * 10_000);
                    (boot, ticks) = (boot + 1, 0);
                    file = open(&folder, &format!("b{boot}"));
                }
                _ => {
                    let batch = file.read(handed.len() as u64, n as usize).unwrap();
                    if let Some(last) = batch.last() {
                        file.close_times(last.seq).unwrap();
                        handed.extend(batch);
                    }
                }
            }
            let rows = file.read(0, 10_000).unwrap();
            prop_assert_eq!(&rows[..handed.len()], &handed[..]);
            for (row, (boot, tick)) in rows.iter().zip(&origin) {
                let right = row.stamp.at.0 == booted[*boot] + tick * 10_000;
                prop_assert!(row.stamp.clock == ClockQuality::Unsynced || right, "{row:?}");
            }
            let open = rows.iter().zip(&origin).find(|(row, (of, _))| {
                *of == boot && row.stamp.clock == ClockQuality::Unsynced && row.seq > handed.len() as u64
            });
            prop_assert_eq!(file.first_open(), open.map(|(row, _)| row.seq));
        }
    }
}

// With the thread.

struct Bench {
    clock: Arc<Script>,
    time: Time,
    buffer: Buffer,
    worker: Worker,
    _folder: TempDir,
}

fn start() -> Bench {
    let folder = folder();
    let clock = Script::at(0, 0);
    let settings = config::Buffer { commit_ms: 10, ..config::Buffer::default() };
    let file = Discipline::File(folder.path().join("never"));
    let time = Time::new(Arc::clone(&clock) as Arc<dyn BootClock>, file);
    let (buffer, worker) = Buffer::start(folder.path(), &settings, time.clone()).unwrap();
    Bench { clock, time, buffer, worker, _folder: folder }
}

impl Bench {
    async fn measure(&self, next: Seq) {
        self.clock.pass(10_000);
        let sample = Sample::new(Metric::Ph, Ok(7.0), None, Flags::NONE);
        self.buffer.append(Measured { moment: self.time.moment(), metric: Metric::Ph, sample });
        let mut state = self.buffer.state();
        let committed = state.wait_for(|state| state.is_some_and(|ledger| ledger.next == next));
        tokio::time::timeout(Duration::from_secs(20), committed).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_may_be_repaired_is_held_back_and_leaves_repaired_as_soon_as_the_server_says_the_time() {
    let bench = start();
    bench.measure(2).await;
    assert_eq!(bench.buffer.next_batch(10, true).await, None);
    bench.time.server_said(UtcMillis(BOOTED + 10_000));
    let batch = bench.buffer.next_batch(10, true).await.unwrap();
    assert_eq!(batch.readings[0].stamp, Stamp { at: UtcMillis(BOOTED + 10_000), clock: ClockQuality::Repaired });
    bench.worker.stop();
}

#[tokio::test]
async fn what_left_unsynced_is_sent_again_unsynced() {
    let bench = start();
    bench.measure(2).await;
    let batch = bench.buffer.next_batch(10, false).await.unwrap();
    assert_eq!(batch.readings[0].stamp.clock, ClockQuality::Unsynced);
    bench.time.server_said(UtcMillis(BOOTED + 10_000));
    bench.buffer.flush().await;
    assert_eq!(bench.buffer.next_batch(10, true).await.unwrap(), batch);
    bench.worker.stop();
}
