//! The audit log as a chain of hashes, on every engine: who writes, what was there before, and each way of tampering.

use crate::databases::{Database, NOW, on_each_database};
use server::audit::{Act, Actor};
use server::store::Store;
use shared::chain::{Broken, Head};

async fn note(store: &Store, n: i64) {
    let entry = Actor::account("admin").at("10.0.0.5").did(Act::PolicyChanged, NOW).with("n", n).with("x", 0.1);
    store.note(entry).await.unwrap();
}

/// A log of so many entries whose database keeps it from changes.
async fn log(database: &Database, entries: i64) -> (Store, Head) {
    let store = database.open().await;
    for n in 1..=entries {
        note(&store, n).await;
    }
    let head = store.chain_audit(NOW).await.unwrap();
    (store, head)
}

/// What somebody does who has the database.
async fn take_the_guard_away(database: &Database) {
    let sql = if database.url.starts_with("sqlite:") {
        "DROP TRIGGER IF EXISTS audit_is_not_changed; DROP TRIGGER IF EXISTS audit_is_not_deleted;
         DROP TRIGGER IF EXISTS audit_is_not_replaced; DROP TRIGGER IF EXISTS audit_has_a_hash"
    } else {
        "DROP TRIGGER IF EXISTS audit_only_grows ON audit; DROP TRIGGER IF EXISTS audit_has_a_hash ON audit"
    };
    database.tamper(sql).await;
}

#[test]
fn every_entry_follows_from_the_one_before_also_when_many_write_at_once() {
    on_each_database(|database| async move {
        let store = database.open().await;
        assert_eq!(store.audit_head().await.unwrap(), Head::of_nothing());
        assert_eq!(store.verify_audit(None).await.unwrap(), Ok((0, Head::of_nothing())));
        let many = (0..40).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { note(&store, n).await })
        });
        for one in many.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        let head = store.audit_head().await.unwrap();
        assert_eq!(head.id, 40);
        assert_eq!(store.verify_audit(Some(head.clone())).await.unwrap(), Ok((40, head)));
    });
}

#[test]
fn entries_of_before_get_their_hashes_in_steps_and_that_is_an_entry_itself() {
    on_each_database(|database| async move {
        let (store, _) = log(&database, 1203).await;
        store.close().await;
        // As it was before, and stopped in the middle of the way.
        take_the_guard_away(&database).await;
        database.tamper("UPDATE audit SET hash = NULL WHERE id > 700").await;
        database.tamper("INSERT INTO policy (name, value) VALUES ('audit_unchained_through', 1203)").await;
        let store = database.open().await;
        let head = store.chain_audit(NOW).await.unwrap();
        assert_eq!(head.id, 1204);
        assert_eq!(store.verify_audit(None).await.unwrap(), Ok((1204, head.clone())));
        let newest = store.audit(None, &[Act::AuditChained], None, 9).await.unwrap();
        assert_eq!((newest.len(), &newest[0].detail["through"]), (1, &1203.into()));
        assert_eq!(store.chain_audit(NOW).await.unwrap(), head, "once");
    });
}

#[test]
fn a_database_of_before_the_chain_is_taken_over_by_the_migration() {
    on_each_database(|database| async move {
        let (store, whole) = log(&database, 3).await;
        store.close().await;
        take_the_guard_away(&database).await;
        database
            .tamper(
                "DROP INDEX audit_unhashed; DROP INDEX audit_of_time; DROP INDEX audit_of_who;
                 ALTER TABLE audit DROP COLUMN hash; DELETE FROM _sqlx_migrations WHERE version = 9",
            )
            .await;
        let store = database.open().await;
        assert_eq!(store.chain_audit(NOW).await.unwrap().id, 4);
        assert!(matches!(store.verify_audit(Some(whole)).await.unwrap(), Ok((4, _))), "the same rows, the same hashes");
    });
}

#[test]
fn the_database_refuses_to_change_or_delete_what_was_written() {
    on_each_database(|database| async move {
        let (store, head) = log(&database, 3).await;
        for sql in ["UPDATE audit SET who = 'budi' WHERE id = 2", "DELETE FROM audit WHERE id = 2", "DELETE FROM audit"]
        {
            let why = database.try_tamper(sql).await.unwrap_err();
            assert!(why.contains("the audit log is only ever added to"), "{sql}: {why}");
        }
        assert_eq!(store.verify_audit(None).await.unwrap(), Ok((3, head)));
        note(&store, 4).await;
    });
}

#[test]
fn the_database_refuses_an_entry_without_a_hash_as_a_server_of_before_writes_it() {
    on_each_database(|database| async move {
        let (store, head) = log(&database, 3).await;
        for sql in [
            "INSERT INTO audit (id, at, who, act, detail) VALUES (4, 1, 'x', 'user.created', '{}')",
            "INSERT INTO audit (id, at, who, act, detail, hash) VALUES (4, 1, 'x', 'user.created', '{}', '')",
        ] {
            let why = database.try_tamper(sql).await.unwrap_err();
            assert!(why.contains("an entry of the audit log has a hash"), "{sql}: {why}");
        }
        assert_eq!(store.chain_audit(NOW).await.unwrap(), head, "made once");
        note(&store, 4).await;
        assert!(matches!(store.verify_audit(Some(head)).await.unwrap(), Ok((4, _))));
    });
}

#[test]
fn the_database_refuses_to_write_an_entry_in_the_place_of_another() {
    on_each_database(|database| async move {
        let (store, head) = log(&database, 3).await;
        let other = "(2, 1, 'x', 'user.created', '{}', 'ab')";
        let columns = "(id, at, who, act, detail, hash)";
        let anew = "ON CONFLICT (id) DO UPDATE SET who = 'x'";
        let mut ways = vec![
            format!("INSERT INTO audit {columns} VALUES {other}"),
            format!("INSERT INTO audit {columns} VALUES {other} {anew}"),
        ];
        if database.url.starts_with("sqlite:") {
            ways.push(format!("INSERT OR REPLACE INTO audit {columns} VALUES {other}"));
            ways.push(format!("REPLACE INTO audit {columns} VALUES {other}"));
            ways.push("UPDATE OR REPLACE audit SET id = 2 WHERE id = 3".to_owned());
        }
        for way in ways {
            assert!(database.try_tamper(way.clone()).await.is_err(), "{way}");
        }
        assert_eq!(store.verify_audit(None).await.unwrap(), Ok((3, head)));
    });
}

#[test]
fn each_way_of_tampering_is_found_and_named_with_the_first_entry_that_is_wrong() {
    on_each_database(|database| async move {
        let insert = "INSERT INTO audit (id, at, who, act, detail, hash) VALUES";
        let ways = [
            ("UPDATE audit SET who = 'budi' WHERE id = 5".to_owned(), Broken::Changed(5)),
            ("UPDATE audit SET detail = '{\"n\":5}' WHERE id = 5".to_owned(), Broken::Changed(5)),
            ("UPDATE audit SET detail = 'no JSON' WHERE id = 5".to_owned(), Broken::Changed(5)),
            ("UPDATE audit SET address = NULL WHERE id = 1".to_owned(), Broken::Changed(1)),
            ("UPDATE audit SET hash = NULL WHERE id = 9".to_owned(), Broken::Unhashed(9)),
            ("DELETE FROM audit WHERE id IN (4, 5)".to_owned(), Broken::Removed { from: 4, to: 5 }),
            // Two that change places.
            (
                "UPDATE audit SET id = 100 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 4;
                 UPDATE audit SET id = 4 WHERE id = 100"
                    .to_owned(),
                Broken::Changed(3),
            ),
            // One that is put in, and makes room for itself.
            (
                format!(
                    "UPDATE audit SET id = id + 100 WHERE id > 6; {insert} (7, 1, 'x', 'user.created', '{{}}', 'ab');
                     UPDATE audit SET id = id - 99 WHERE id > 100"
                ),
                Broken::Changed(7),
            ),
            (format!("{insert} (11, 1, 'x', 'user.created', '{{}}', NULL)"), Broken::Unhashed(11)),
            (format!("{insert} (0, 1, 'x', 'user.created', '{{}}', NULL)"), Broken::Reordered { id: 0, after: 0 }),
        ];
        let (_, head) = log(&database, 10).await;
        take_the_guard_away(&database).await;
        database.tamper("CREATE TABLE kept AS SELECT * FROM audit").await;
        for (way, broken) in ways {
            database.tamper(way.clone()).await;
            let store = database.open().await;
            assert_eq!(store.verify_audit(Some(head.clone())).await.unwrap(), Err(broken), "{way}");
            store.close().await;
            database.tamper("DELETE FROM audit; INSERT INTO audit SELECT * FROM kept").await;
        }
        database.tamper("DELETE FROM audit WHERE id > 8").await;
        let store = database.open().await;
        assert!(store.verify_audit(None).await.unwrap().is_ok(), "a chain alone can't tell that its end is gone");
        let truncated = Broken::Truncated { last: 8, head: head.clone() };
        assert_eq!(store.verify_audit(Some(head.clone())).await.unwrap(), Err(truncated));
        note(&store, 9).await;
        note(&store, 11).await;
        assert_eq!(store.verify_audit(Some(head)).await.unwrap(), Err(Broken::Rewritten(10)));
    });
}

#[test]
fn an_entry_without_a_hash_that_somebody_put_in_later_never_gets_one() {
    on_each_database(|database| async move {
        let (store, _) = log(&database, 2).await;
        take_the_guard_away(&database).await;
        database.tamper("INSERT INTO audit (id, at, who, act, detail) VALUES (3, 1, 'x', 'user.created', '{}')").await;
        store.close().await;
        let store = database.open().await;
        store.chain_audit(NOW).await.unwrap();
        note(&store, 4).await;
        assert_eq!(store.verify_audit(None).await.unwrap(), Err(Broken::Unhashed(3)), "and the server goes on");
    });
}

#[test]
fn a_part_of_the_log_is_whole_by_itself_although_times_do_not_rise_with_the_numbers() {
    on_each_database(|database| async move {
        let store = database.open().await;
        for at in [10, 30, 20, 40, 50] {
            store.note(Actor::server().did(Act::AlertRaised, shared::UtcMillis(at))).await.unwrap();
        }
        let part = async |from, to| {
            let (after, through) = store.audit_part(from, to).await.unwrap();
            (after.id, through.id)
        };
        assert_eq!(part(None, None).await, (0, 5));
        assert_eq!(part(Some(20), Some(30)).await, (1, 3), "the one of 30 lies between");
        assert_eq!(part(Some(30), None).await, (1, 5));
        assert_eq!(part(None, Some(21)).await, (0, 3));
        assert_eq!(part(Some(60), None).await, (5, 5), "nothing");
        assert_eq!(part(None, Some(5)).await, (0, 0), "nothing");
    });
}
