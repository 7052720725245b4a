//! What the store keeps of devices and tokens, the same on SQLite and PostgreSQL.

use crate::fleet::{databases::databases, p256, random_serial, request};
use server::audit::Actor;
use server::ca::{Authority, PublicKeySha256};
use server::store::{Admission, Knock, NewSettings, NewToken, SettingsDone, Store};
use shared::{
    DeviceName, Metric, Status, UtcMillis,
    message::{Intervals, LinkState},
};

const NOW: UtcMillis = UtcMillis(1_763_690_400_000);

async fn enrolled(store: &Store, count: u32) -> Vec<DeviceName> {
    let dir = tempfile::tempdir().unwrap();
    let ca = Authority::open(dir.path(), &[], NOW).unwrap();
    let (_, token) =
        store.create_token(&NewToken::open(count, UtcMillis(NOW.0 + 1)), &Actor::server(), NOW).await.unwrap();
    let mut names = Vec::new();
    for _ in 0..count {
        let serial = random_serial();
        let key = ca.check_csr(&request(&p256(), &serial.to_string()), serial).unwrap();
        match store.admit(&Knock::new(&token, serial, key), NOW).await.unwrap() {
            Admission::New(name) => names.push(name),
            other => panic!("{other:?}"),
        }
    }
    names
}

#[tokio::test]
async fn devices_are_listed_by_number() {
    for db in databases().await {
        let names = enrolled(&db.store, 11).await;
        let listed: Vec<_> = db.store.devices().await.unwrap().into_iter().map(|device| device.name).collect();
        assert_eq!(listed, names, "{}", db.engine);
        assert_eq!(listed[10].as_str(), "pi-11");
    }
}

#[tokio::test]
async fn a_status_is_kept_and_counts_as_a_sign_of_life_unless_it_is_the_last_will() {
    for db in databases().await {
        let name = enrolled(&db.store, 1).await.remove(0);
        let seen = async || {
            let device = db.store.device(&name).await.unwrap().unwrap();
            (device.status.unwrap().state, device.last_seen)
        };
        let mut status = Status::new(LinkState::Lost);
        assert!(db.store.record_status(&name, &status, NOW).await.unwrap());
        assert_eq!(seen().await, (LinkState::Lost, None), "{}", db.engine);

        status = Status::new(LinkState::Online);
        status.probes.insert("ph".to_owned(), "no_answer".to_owned());
        assert!(db.store.record_status(&name, &status, UtcMillis(NOW.0 + 5)).await.unwrap());
        assert_eq!(seen().await, (LinkState::Online, Some(UtcMillis(NOW.0 + 5))));
        assert_eq!(db.store.device(&name).await.unwrap().unwrap().status.unwrap(), status);

        // A clock that steps back does not make a device look older.
        let stopped = Status::new(LinkState::Stopped);
        assert!(db.store.record_status(&name, &stopped, NOW).await.unwrap());
        assert_eq!(seen().await, (LinkState::Stopped, Some(UtcMillis(NOW.0 + 5))));
        let lost = Status::new(LinkState::Lost);
        assert!(db.store.record_status(&name, &lost, UtcMillis(NOW.0 + 99)).await.unwrap());
        assert_eq!(seen().await, (LinkState::Lost, Some(UtcMillis(NOW.0 + 5))));
    }
}

#[tokio::test]
async fn a_last_will_takes_nothing_of_what_the_device_said_before() {
    for db in databases().await {
        let name = enrolled(&db.store, 1).await.remove(0);
        let mut said = Status::new(LinkState::Online);
        said.settings = 3;
        said.probes.insert("ph".to_owned(), "no_answer".to_owned());
        assert!(db.store.record_status(&name, &said, NOW).await.unwrap());
        assert!(db.store.record_status(&name, &said.last_will(), NOW).await.unwrap());
        said.state = LinkState::Lost;
        assert_eq!(db.store.device(&name).await.unwrap().unwrap().status, Some(said), "{}", db.engine);
    }
}

#[tokio::test]
async fn intervals_are_kept_and_their_version_rises_by_one() {
    for db in databases().await {
        let name = enrolled(&db.store, 1).await.remove(0);
        let device = db.store.device(&name).await.unwrap().unwrap();
        assert_eq!((device.settings_version, device.intervals), (0, Intervals::default()), "{}", db.engine);
        let mut intervals = Intervals::default();
        intervals.set(Metric::Ph, 1000).unwrap();
        let new = NewSettings::of(Intervals::default());
        assert_eq!(db.store.change_settings(&name, &new, &Actor::server(), NOW).await.unwrap(), SettingsDone::Done(1));
        let new = NewSettings::of(intervals.clone());
        assert_eq!(db.store.change_settings(&name, &new, &Actor::server(), NOW).await.unwrap(), SettingsDone::Done(2));
        // A device that ran version 7 before the server was restored ignores anything up to 7.
        let new = NewSettings { reported: 7, ..NewSettings::of(intervals.clone()) };
        assert_eq!(db.store.change_settings(&name, &new, &Actor::server(), NOW).await.unwrap(), SettingsDone::Done(8));
        let device = db.store.device(&name).await.unwrap().unwrap();
        assert_eq!((device.settings_version, &device.intervals), (8, &intervals));
        let newest = &db.store.audit(Some(name.as_str()), &[], None, 1).await.unwrap()[0];
        assert_eq!((newest.act.as_str(), &newest.detail["version"]), ("device.settings_changed", &8.into()));
        assert_eq!(newest.detail["before"], newest.detail["after"]);
    }
}

#[tokio::test]
async fn of_two_who_change_settings_from_the_same_version_one_is_told_that_the_other_was_faster() {
    for db in databases().await {
        let name = enrolled(&db.store, 1).await.remove(0);
        let seen = NewSettings { seen: Some(0), ..NewSettings::of(Intervals::default()) };
        let actor = Actor::account("admin");
        let (one, other) = tokio::join!(
            db.store.change_settings(&name, &seen, &actor, NOW),
            db.store.change_settings(&name, &seen, &actor, NOW)
        );
        let mut done = [one.unwrap(), other.unwrap()];
        done.sort_by_key(|done| matches!(done, SettingsDone::Stale(_)));
        assert_eq!(done, [SettingsDone::Done(1), SettingsDone::Stale(1)], "{}", db.engine);
    }
}

#[tokio::test]
async fn an_unknown_device_is_reported_as_such_and_not_made() {
    for db in databases().await {
        let nobody = DeviceName::numbered(7);
        assert_eq!(db.store.device(&nobody).await.unwrap(), None, "{}", db.engine);
        assert!(!db.store.may_connect(&nobody, &PublicKeySha256::of(b"key")).await.unwrap());
        assert!(!db.store.revoke_device(&nobody, &Actor::server(), NOW).await.unwrap());
        assert!(!db.store.record_status(&nobody, &Status::new(LinkState::Online), NOW).await.unwrap());
        let new = NewSettings::of(Intervals::default());
        assert_eq!(
            db.store.change_settings(&nobody, &new, &Actor::server(), NOW).await.unwrap(),
            SettingsDone::Unknown
        );
        assert_eq!(db.store.devices().await.unwrap(), []);
    }
}

#[tokio::test]
async fn tokens_are_listed_in_the_order_in_which_they_were_made() {
    for db in databases().await {
        let new =
            |note: &str, uses, until| NewToken { note: note.to_owned(), ..NewToken::open(uses, UtcMillis(until)) };
        let admin = Actor::account("admin");
        let (second, _) =
            db.store.create_token(&new("second", 2, NOW.0 + 9), &admin, UtcMillis(NOW.0 + 1)).await.unwrap();
        let (first, _) = db.store.create_token(&new("first", 1, NOW.0 + 8), &admin, NOW).await.unwrap();
        let tokens = db.store.tokens().await.unwrap();
        let listed: Vec<_> = tokens.iter().map(|t| (t.id.as_str(), t.made.note.as_str(), t.uses_left)).collect();
        assert_eq!(listed, [(first.as_str(), "first", 1), (second.as_str(), "second", 2)], "{}", db.engine);
        assert_eq!((tokens[0].created_at, tokens[0].made.expires_at), (NOW, UtcMillis(NOW.0 + 8)));
    }
}
