//! What the store promises to whoever keeps the server: how large it is, how channels fare, presets; and copies of it.

use crate::databases::{Database, NOW, StoppedClock, on_each_database};
use server::audit::{Act, Actor};
use server::backup::{self, BackupError, Backups};
use server::config;
use server::store::{PresetDone, PresetWords, Store};
use shared::{Metric, UtcMillis};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const HOUR_MS: i64 = 3_600_000;

fn after(ms: i64) -> UtcMillis {
    UtcMillis(NOW.0 + ms)
}

fn words(name: &str, high: f64) -> PresetWords {
    let threshold = serde_json::from_value(serde_json::json!({"high": {"warning": high}})).unwrap();
    PresetWords {
        name: name.to_owned(),
        source: "measured here".to_owned(),
        metrics: BTreeMap::from([(Metric::Ph, threshold)]),
    }
}

fn done(done: PresetDone) -> server::store::OwnPreset {
    match done {
        PresetDone::Done(preset) => preset,
        other => panic!("{other:?}"),
    }
}

#[test]
fn presets_are_kept_by_name_changed_by_version_and_removed_for_good() {
    on_each_database(|database| async move {
        let (store, sari) = (database.open().await, Actor::account("sari"));
        let made = done(store.add_preset(&words("Lele", 8.5), &sari, NOW).await.unwrap());
        assert_eq!(store.own_presets().await.unwrap(), std::slice::from_ref(&made));
        assert_eq!(store.add_preset(&words("Lele", 9.0), &sari, NOW).await.unwrap(), PresetDone::Taken);
        let other = done(store.add_preset(&words("Gurami", 9.0), &sari, NOW).await.unwrap());
        let renamed = store.change_preset(&other.id, &words("Lele", 9.0), &sari, NOW).await.unwrap();
        assert_eq!(renamed, PresetDone::Taken);
        let same = done(store.change_preset(&made.id, &words("Lele", 8.5), &sari, after(5)).await.unwrap());
        assert_eq!(same, made, "what changes nothing is no version");
        let changed = done(store.change_preset(&made.id, &words("Lele", 8.0), &sari, after(5)).await.unwrap());
        assert_eq!((changed.version, changed.changed_at), (2, after(5)));
        let names =
            |presets: Vec<server::store::OwnPreset>| presets.into_iter().map(|p| p.words.name).collect::<Vec<_>>();
        assert_eq!(names(store.own_presets().await.unwrap()), ["Gurami", "Lele"]);
        assert!(store.remove_preset(&made.id, &sari, NOW).await.unwrap());
        assert!(!store.remove_preset(&made.id, &sari, NOW).await.unwrap());
        assert_eq!(store.change_preset(&made.id, &words("X", 1.0), &sari, NOW).await.unwrap(), PresetDone::Unknown);
        done(store.add_preset(&words("Lele", 7.0), &sari, NOW).await.unwrap());
        let acts: Vec<_> = store.audit(None, &[], None, 10).await.unwrap().into_iter().map(|e| e.act).collect();
        assert_eq!(acts, ["preset.made", "preset.removed", "preset.changed", "preset.made", "preset.made"]);
    });
}

#[test]
fn how_each_channel_fares_is_told_by_its_deliveries_and_the_size_by_the_engine() {
    on_each_database(|database| async move {
        let store = database.open().await;
        assert!(store.size().await.unwrap() > 0);
        assert_eq!(store.channel_records(NOW).await.unwrap(), []);
        let at = NOW.0;
        database
            .tamper(format!(
                "INSERT INTO outbox (id, alert, what, created_at, payload, spread, idem_key) VALUES
                   (1, 1, 'raised', {at}, '{{}}', TRUE, 'a'), (2, 1, 'cleared', {at}, '{{}}', TRUE, 'b'),
                   (3, 2, 'raised', {at} + 7, '{{}}', TRUE, 'c');
                 INSERT INTO delivery (outbox, channel, state, tries, next_at, done_at, problem) VALUES
                   (1, 'mqtt', 'sent', 1, 0, {at}, NULL), (2, 'mqtt', 'sent', 1, 0, {at} - 1, NULL),
                   (1, 'webhook:a', 'failed', 3, 0, {at}, 'refused'), (2, 'webhook:a', 'sent', 1, 0, {at} + 5, NULL),
                   (1, 'webhook:b', 'sent', 1, 0, {at}, NULL), (2, 'webhook:b', 'failed', 3, 0, {at} + 1, 'gone'),
                   (3, 'webhook:b', 'pending', 1, 0, NULL, 'slow')"
            ))
            .await;
        let records = store.channel_records(NOW).await.unwrap();
        let told: Vec<_> = records
            .iter()
            .map(|r| (r.channel.as_str(), r.pending, r.oldest_at, r.sent, r.failed, r.problem.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("mqtt", 0, None, 1, 0, None),
                ("webhook:a", 0, None, 1, 1, None),
                ("webhook:b", 1, Some(at + 7), 1, 1, Some("slow")),
            ]
        );
        assert_eq!((records[1].sent_at, records[1].failed_at), (Some(at + 5), Some(at)));
    });
}

fn backups(folder: &Path, every_h: u64, keep: usize) -> Backups {
    let every = (every_h > 0).then(|| Duration::from_secs(every_h * 3600));
    Backups::new(&config::Backups { folder: folder.to_owned(), every, keep }, NOW)
}

#[test]
fn a_copy_can_be_started_from_while_the_original_goes_on_and_postgresql_is_left_to_its_own_tools() {
    on_each_database(|database| async move {
        let (store, admin, folder) = (database.open().await, Actor::account("admin"), tempfile::tempdir().unwrap());
        let backups = backups(&folder.path().join("copies"), 24, 2);
        store.note(admin.did(Act::PolicyChanged, NOW)).await.unwrap();
        let made = backup::run(&backups, &store, &StoppedClock, &admin).await;
        if !store.is_sqlite() {
            assert!(matches!(made, Err(BackupError::Postgres)));
            assert_eq!(backup::last_failure(&store).await.unwrap(), None, "nothing failed: nothing was tried");
            return;
        }
        let made = made.unwrap();
        store.note(admin.did(Act::PolicyChanged, NOW)).await.unwrap();
        let path = backups.path(&made.name).unwrap();
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let restored = folder.path().join("tirta.db");
        std::fs::copy(path, &restored).unwrap();
        let restored = Store::open(&format!("sqlite:{}", restored.display())).await.unwrap();
        let acts = restored.audit(None, &[], None, 10).await.unwrap();
        assert_eq!(acts.len(), 1, "what was there then, and not that it was copied");
        restored.note(admin.did(Act::PolicyChanged, NOW)).await.unwrap();
        restored.close().await;
    });
}

/// Copies only SQLite has.
fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test(Database::sqlite()));
}

#[test]
fn a_copy_that_is_damaged_or_incomplete_is_none_and_leaves_nothing_behind() {
    on_sqlite(|database| async move {
        let (store, admin, folder) = (database.open().await, Actor::account("admin"), tempfile::tempdir().unwrap());
        for _ in 0..200 {
            store.note(admin.did(Act::PolicyChanged, NOW).with("reason", "x".repeat(200))).await.unwrap();
        }
        let copy = folder.path().join("copy.db");
        store.copy_into(&copy).await.unwrap();
        Store::check_copy(&copy, 200).await.unwrap();
        assert!(Store::check_copy(&copy, 201).await.unwrap_err().to_string().contains("before 201"));
        let mut bytes = std::fs::read(&copy).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4096].fill(0xa5);
        std::fs::write(&copy, bytes).unwrap();
        assert!(Store::check_copy(&copy, 0).await.is_err(), "a page is not what it was");

        let place = folder.path().join("a file");
        std::fs::write(&place, "").unwrap();
        let broken = backups(&place, 24, 2);
        assert!(backup::run(&broken, &store, &StoppedClock, &admin).await.is_err());
        let failure = backup::last_failure(&store).await.unwrap().unwrap();
        assert!(failure.why.contains("a file"), "{failure:?}");
        let good = backups(&folder.path().join("copies"), 24, 2);
        backup::run(&good, &store, &StoppedClock, &admin).await.unwrap();
        assert_eq!(backup::last_failure(&store).await.unwrap(), None);
        let left: Vec<_> = std::fs::read_dir(folder.path().join("copies")).unwrap().collect();
        assert_eq!((left.len(), good.progress()), (1, None));
    });
}

#[test]
fn copies_are_made_by_themselves_when_they_are_due_and_the_oldest_go() {
    on_sqlite(|database| async move {
        let (store, folder) = (database.open().await, tempfile::tempdir().unwrap());
        let copies = folder.path().join("copies");
        let never = backups(&copies, 0, 2);
        assert!(!never.is_due(after(1000 * HOUR_MS)).await.unwrap());
        let daily = backups(&copies, 24, 2);
        assert!(!daily.is_due(after(HOUR_MS - 1)).await.unwrap() && daily.is_due(after(HOUR_MS)).await.unwrap());
        daily.make(&store, after(HOUR_MS)).await.unwrap();
        assert!(
            !daily.is_due(after(25 * HOUR_MS - 1)).await.unwrap() && daily.is_due(after(25 * HOUR_MS)).await.unwrap()
        );
        let restarted = backups(&copies, 24, 2);
        assert!(restarted.is_due(after(25 * HOUR_MS)).await.unwrap(), "a server that was off makes up for it");
        for n in 2..5 {
            daily.make(&store, after(25 * HOUR_MS * n)).await.unwrap();
        }
        let kept: Vec<i64> = daily.list().await.unwrap().iter().map(|copy| copy.made_at).collect();
        assert_eq!(kept, [after(100 * HOUR_MS).0, after(75 * HOUR_MS).0]);
    });
}
