//! The rules, one fact changed at a time from a server that is well.

use super::*;
use crate::backup::{Backup, Failure};
use crate::system::{BackupState, Broker, Certificates, Database, Deliveries, Disk, Engine, Intake};
use std::collections::{BTreeMap, BTreeSet};

const NOW: i64 = 1_763_690_400_000;

fn copy(made_at: i64) -> Backup {
    Backup { name: "tirta-20251121-020000-000.db".to_owned(), made_at, bytes: 4096 }
}

fn well() -> System {
    System {
        version: "1",
        now: NOW,
        started_at: NOW - 90 * DAY_MS,
        time_zone: "Asia/Jakarta".to_owned(),
        clock: ClockState::Synced,
        database: Database { engine: Engine::Sqlite, bytes: 1 << 30, recent_errors: 0 },
        disk: Some(Disk { free: 20 << 30, total: 64 << 30 }),
        intake: Intake { readings_per_minute: Some(40.0), lag_ms: Some(12.0), recent_dropped: 0 },
        broker: Broker { kind: "embedded", connected: true },
        devices: BTreeMap::new(),
        watchers: 1,
        deliveries: Deliveries::default(),
        backup: BackupState {
            possible: true,
            every_s: Some(86_400),
            running: false,
            last: Some(copy(NOW - DAY_MS)),
            failed: None,
        },
        certificates: Certificates {
            server_until: Some(NOW + 400 * DAY_MS),
            authority_until: Some(NOW + 4000 * DAY_MS),
        },
        findings: vec![],
    }
}

/// What is found after a change.
fn found(change: impl FnOnce(&mut System)) -> Vec<(Level, Trouble)> {
    let mut system = well();
    change(&mut system);
    judge(&system).into_iter().map(|finding| (finding.level, finding.trouble)).collect()
}

#[test]
fn nothing_is_wrong_with_a_server_that_is_well_or_that_does_not_know() {
    use Level::Warning;
    assert_eq!(found(|_| {}), []);
    assert_eq!(found(|system| system.clock = ClockState::Unknown), []);
    assert_eq!(found(|system| system.disk = None), []);
    assert_eq!(found(|system| system.clock = ClockState::Unsynced), [(Warning, Trouble::ClockUnsynced)]);
}

#[test]
fn the_room_on_the_disk_is_judged_by_what_is_left_and_by_what_a_copy_needs() {
    let with = |free| found(move |system| system.disk = Some(Disk { free, total: 64 << 30 }));
    assert_eq!(with(DISK_FULL - 1), [(Level::Critical, Trouble::DiskFull)]);
    assert_eq!(with(DISK_FULL), [(Level::Warning, Trouble::DiskLow)]);
    assert_eq!(with(DISK_LOW), []);
    let large = |possible| {
        found(move |system| {
            system.database.bytes = 30 << 30;
            system.backup.possible = possible;
        })
    };
    assert_eq!(large(true), [(Level::Warning, Trouble::NoRoomForBackup)]);
    assert_eq!(large(false), [], "PostgreSQL keeps its copies elsewhere");
}

#[test]
fn a_back_up_that_failed_is_loud_and_one_that_is_missing_or_old_is_said() {
    let failed = found(|system| system.backup.failed = Some(Failure { at: NOW, why: "no room".to_owned() }));
    assert_eq!(failed, [(Level::Critical, Trouble::BackupFailed)]);
    assert_eq!(found(|system| system.backup.last = None), [(Level::Warning, Trouble::BackupMissing)]);
    let young = found(|system| {
        system.backup.last = None;
        system.started_at = NOW - DAY_MS;
    });
    assert_eq!(young, [], "a server of yesterday");
    let old = |every_s: Option<u64>, days: i64| {
        found(move |system| {
            system.backup.every_s = every_s;
            system.backup.last = Some(copy(NOW - days * DAY_MS));
        })
    };
    assert_eq!(old(Some(86_400), 3), [(Level::Warning, Trouble::BackupOld)]);
    assert_eq!((old(Some(86_400), 2), old(None, 7)), (vec![], vec![]));
    assert_eq!(old(None, 9), [(Level::Warning, Trouble::BackupOld)]);
    assert_eq!(found(|system| (system.backup.possible, system.backup.last) = (false, None)), []);
}

#[test]
fn what_comes_in_and_goes_out_is_judged_and_the_worst_stands_first() {
    let all = found(|system| {
        system.broker.connected = false;
        system.database.recent_errors = 2;
        system.intake.lag_ms = Some(6000.0);
        system.deliveries = Deliveries { pending: 3, oldest_at: Some(NOW - WAITED_MS - 1), failed: 2 };
        system.certificates.server_until = Some(NOW + 100 * DAY_MS);
        system.certificates.authority_until = Some(NOW + 10 * DAY_MS);
    });
    assert!(all.is_sorted());
    let (critical, warning): (Vec<_>, Vec<_>) = all.into_iter().partition(|(level, _)| *level == Level::Critical);
    let words = |found: Vec<(Level, Trouble)>| found.into_iter().map(|(_, trouble)| trouble).collect::<BTreeSet<_>>();
    assert_eq!(words(critical), BTreeSet::from([Trouble::BrokerLost, Trouble::AuthorityEnds]));
    let wanted =
        [Trouble::DatabaseErrors, Trouble::IngestSlow, Trouble::DeliveriesWait, Trouble::ServerCertificateEnds];
    assert_eq!(words(warning), BTreeSet::from(wanted));
    let failed = found(|system| {
        system.deliveries = Deliveries { pending: 1, oldest_at: Some(NOW - 1000), failed: 2 };
        system.intake.recent_dropped = 1;
    });
    assert_eq!(failed, [(Level::Warning, Trouble::IngestBehind), (Level::Warning, Trouble::DeliveriesFailed)]);
}
