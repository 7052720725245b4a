//! A card that fails: lost blocks, impossible rows, no room. The agent goes on, and says so.

use super::*;
use crate::buffer::worker::{MEMORY_LIMIT, Work};
use std::path::Path;

/// What an erase block at least takes with it.
const BLOCK: usize = 4096;

/// A backlog in the database and some commits in its log, as a killed agent leaves them.
fn killed(into: &Path, rows: i64) {
    let folder = folder();
    let mut file = open(&folder);
    for n in 0..rows / 20 {
        file.commit(&several(20), u64::try_from(n).unwrap() * 2, 0, AMPLE, None).unwrap();
    }
    for name in ["buffer.db", "buffer.db-wal"] {
        std::fs::copy(folder.path().join(name), into.join(name)).unwrap();
    }
}

/// Overwrites blocks, of which the first is chosen by the seed.
fn damage(file: &Path, dice: &mut fastrand::Rng) {
    let mut bytes = std::fs::read(file).unwrap();
    for _ in 0..dice.usize(1..=3) {
        let block = dice.usize(0..bytes.len().div_ceil(BLOCK)) * BLOCK;
        let end = bytes.len().min(block + BLOCK);
        match dice.u32(0..3) {
            0 => bytes[block..end].fill(0xff),
            1 => bytes[block..end].fill(0),
            _ => bytes[block..end].fill_with(|| dice.u8(..)),
        }
    }
    std::fs::write(file, bytes).unwrap();
}

fn set_aside(folder: &TempDir) -> Vec<String> {
    names(folder).into_iter().filter(|name| name.starts_with("buffer.db.set-aside-")).collect()
}

#[tokio::test]
async fn whatever_block_is_lost_new_readings_are_committed_and_nothing_else_is_touched() {
    let whole = folder();
    killed(whole.path(), 4_000);
    let mut replaced = 0;
    for seed in 0..60 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let folder = folder();
        for name in ["buffer.db", "buffer.db-wal"] {
            std::fs::copy(whole.path().join(name), folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("settings.json"), "of another").unwrap();
        damage(&folder.path().join(if seed % 3 == 0 { "buffer.db-wal" } else { "buffer.db" }), &mut dice);
        let before = std::fs::metadata(path(folder.path())).unwrap().len();

        for _ in 0..2 {
            let set_aside = set_aside(&folder).len();
            let (buffer, worker) = start(&folder);
            let opened = until(&buffer, Option::is_some).await.unwrap();
            assert!(buffer.health().borrow().set_aside as usize >= set_aside, "seed {seed}");
            buffer.append(measured(1));
            until(&buffer, |state| state.is_some_and(|now| now.id != opened.id || now.next > opened.next)).await;
            // What is damaged and can't be sent is set aside; then there is at least the new one.
            let _ = buffer.next_batch(500, false).await;
            buffer.append(measured(2));
            buffer.flush().await;
            assert!(buffer.next_batch(500, false).await.is_some(), "seed {seed}");
            assert_eq!(buffer.health().borrow().trouble, None, "seed {seed}");
            worker.stop();
        }
        let aside = set_aside(&folder);
        assert!(aside.len() <= 1, "seed {seed}: {aside:?}");
        for name in &aside {
            replaced += 1;
            assert!(std::fs::metadata(folder.path().join(name)).unwrap().len() >= before, "it is kept as it was");
        }
        assert_eq!(std::fs::read(folder.path().join("settings.json")).unwrap(), b"of another");
    }
    assert!(replaced > 10, "only {replaced} of the damages were found");
}

#[tokio::test]
async fn rows_that_can_not_be_are_set_aside_with_their_buffer() {
    for harm in [
        "DELETE FROM reading WHERE seq = 5",
        "UPDATE reading SET metric = 'ph\u{1}' WHERE seq = 5",
        "UPDATE reading SET clock = 'sinced' WHERE seq = 5",
        "UPDATE reading SET at = 'yesterday' WHERE seq = 5",
        "UPDATE reading SET value = 9e999 WHERE seq = 6",
        "UPDATE meta SET acknowledged = 4000",
        "UPDATE meta SET next_seq = -7",
        "UPDATE meta SET buffer = 'c0ffee'",
        "DELETE FROM meta",
    ] {
        let folder = folder();
        let mut file = open(&folder);
        file.commit(&several(10), 1, 0, AMPLE, None).unwrap();
        assert_eq!(file.database().execute(harm, []).unwrap(), 1, "{harm}");
        drop(file);
        let (buffer, worker) = start(&folder);
        let former = until(&buffer, Option::is_some).await.unwrap();
        if former.id == id(7) {
            assert!(buffer.next_batch(100, false).await.is_none(), "{harm}");
        }
        buffer.append(measured(1));
        let now = until_next(&buffer, 2).await;
        assert_ne!(now.id, id(7), "{harm}");
        assert_eq!(buffer.health().borrow().set_aside, 1, "{harm}");
        worker.stop();
    }
}

/// The thread's work, without the thread.
fn work(folder: &TempDir) -> (Work, watch::Receiver<Option<Ledger>>, watch::Receiver<Health>) {
    let (state_sender, state) = watch::channel(None);
    let (health_sender, health) = watch::channel(Health::default());
    let time = Time::new(Arc::new(SystemClock), Discipline::Assumed);
    let settings = config::Buffer::default();
    let mut work = Work::new(path(folder.path()), &settings, time, state_sender, health_sender, Arc::default());
    work.open();
    (work, state, health)
}

/// Leaves room for so many pages more than there are.
fn leave_room(work: &Work, pages: i64) {
    let db = work.file().database();
    let there: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    db.pragma_update(None, "max_page_count", there + pages).unwrap();
}

#[test]
fn on_a_full_disk_readings_go_on_in_memory_the_oldest_are_dropped_and_counted_and_room_heals_it() {
    let folder = folder();
    let (mut work, state, health) = work(&folder);
    leave_room(&work, 0);
    let extra = 500;
    for n in 1..=MEMORY_LIMIT as i64 + extra {
        work.take(measured(n), false);
        if n % 5_000 == 0 {
            work.commit();
        }
    }
    assert_eq!(*health.borrow(), Health { trouble: Some(Trouble::DiskFull), set_aside: 0 });
    leave_room(&work, 1_000_000);
    work.commit();
    assert_eq!(health.borrow().trouble, None);
    let ledger = state.borrow().unwrap();
    assert_eq!((ledger.next, ledger.dropped), (MEMORY_LIMIT as u64 + 1, extra as u64));
    // The newest are there.
    let batch = work.file().read(MEMORY_LIMIT as u64 - 1, 10).unwrap();
    assert_eq!(batch[0].stamp, measured(MEMORY_LIMIT as i64 + extra).moment.stamp);
}

#[test]
fn a_card_that_breaks_one_file_after_the_other_is_not_filled_with_them() {
    let folder = folder();
    let (mut work, state, health) = work(&folder);
    for n in 0..20 {
        work.take(measured(n), false);
        work.commit();
        // The tables are gone under its feet.
        work.break_file();
    }
    assert_eq!(set_aside(&folder).len(), 1);
    assert_eq!(health.borrow().trouble, Some(Trouble::CardError));
    assert_eq!(*state.borrow(), None);
}

#[test]
fn a_device_whose_card_can_not_be_used_at_all_says_so() {
    let folder = folder();
    std::fs::create_dir(path(folder.path())).unwrap();
    let (mut work, _state, health) = work(&folder);
    work.take(measured(1), false);
    work.commit();
    assert_eq!(health.borrow().trouble, Some(Trouble::CardError));
    std::fs::remove_dir(path(folder.path())).unwrap();
    work.commit();
    assert_eq!(health.borrow().trouble, None);
}
