//! Files of older agents.

use super::*;

/// The tables as the first version of the agent made them, with three rows of which two are acknowledged.
const VERSION_1: &str = "
    CREATE TABLE meta (
        only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
        buffer TEXT NOT NULL, next_seq INTEGER NOT NULL, acknowledged INTEGER NOT NULL, dropped INTEGER NOT NULL
    );
    CREATE TABLE reading (
        seq INTEGER NOT NULL PRIMARY KEY, at INTEGER NOT NULL, clock TEXT NOT NULL, metric TEXT NOT NULL,
        value REAL, fault TEXT, millivolts REAL, flags INTEGER NOT NULL,
        CHECK ((value IS NULL) <> (fault IS NULL))
    );
    INSERT INTO meta VALUES (1, '00c0ffee00c0ffee', 4, 2, 5);
    INSERT INTO reading VALUES (1, 1763690400000, 'synced', 'ph', 7.02, NULL, 1497.25, 1);
    INSERT INTO reading VALUES (2, 1763690410000, 'synced', 'ph', NULL, 'no_answer', NULL, 0);
    INSERT INTO reading VALUES (3, 5000, 'unsynced', 'ph', 7.03, NULL, 1496.5, 0);
    PRAGMA application_id = 0x54727461;
    PRAGMA user_version = 1;";

#[test]
fn the_file_of_an_older_agent_is_taken_over_without_a_loss() {
    let folder = folder();
    rusqlite::Connection::open(path(folder.path())).unwrap().execute_batch(VERSION_1).unwrap();
    let mut file = open(&folder);
    let former = BufferId::from_random(0x00c0_ffee_00c0_ffee);
    assert_eq!(file.ledger(), Ledger { id: former, next: 4, low: 1, acknowledged: 2, dropped: 5 });
    let rows = file.read(0, 100).unwrap();
    assert_eq!(seqs(&rows), [1, 2, 3]);
    assert_eq!((rows[0].millivolts, rows[0].spread), (Value::new(1497.25).ok(), None));
    assert_eq!(rows[2].stamp, Stamp { at: UtcMillis(5000), clock: ClockQuality::Unsynced });
    // Its rows have no boot: they are never repaired.
    file.commit(&several(1), 0, 0, Limits { keep_acknowledged: true, ..AMPLE }, Some(9)).unwrap();
    assert_eq!((file.read(0, 3).unwrap(), file.first_open()), (rows, None));
    drop(file);
    assert_eq!(seqs(&open(&folder).read(0, 100).unwrap()), [1, 2, 3, 4]);
}
