//! What the store promises about accounts and sessions, on every engine.

use crate::databases::{NOW, on_each_database};
use server::access::Role;
use server::audit::{Act, Actor};
use server::store::{AccountChange, AccountDone, NewSession, Pair, Store};
use shared::UtcMillis;

fn later() -> UtcMillis {
    UtcMillis(NOW.0 + 1000)
}

async fn make(store: &Store, name: &str, role: Role, email: Option<&str>) -> AccountDone {
    store.create_account((name, role, email), "old", &Actor::account("admin"), NOW).await.unwrap()
}

async fn change(store: &Store, name: &str, change: AccountChange) -> AccountDone {
    store.change_account(name, &change, &Actor::account("admin"), NOW).await.unwrap()
}

/// A session whose id is its access token, too.
async fn sign_in(store: &Store, id: &str, account: &str, password_hash: &str) -> bool {
    let tokens = Pair { refresh: &format!("refresh-{id}"), access: id, access_until: later() };
    let new = NewSession {
        id,
        tokens,
        account,
        password_hash,
        expires_at: later(),
        address: "10.0.0.5".to_owned(),
        agent: None,
        second_factor: None,
    };
    store.add_session(&new, &Actor::account(account), NOW).await.unwrap()
}

fn disable() -> AccountChange {
    AccountChange { disabled: Some(true), ..AccountChange::default() }
}

#[test]
fn accounts_of_before_are_admins_and_sign_in_once_more() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        store.close().await;
        // As it was before: the columns and the mark of the migration are taken away again.
        database
            .tamper(
                "DROP INDEX account_of_email; DROP TABLE session_token; DROP TABLE session;
                 DROP TABLE totp; DROP TABLE recovery_code;
                 CREATE TABLE session (hash TEXT NOT NULL PRIMARY KEY,
                     account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE, expires_at BIGINT NOT NULL);
                 INSERT INTO session VALUES ('secret', 'admin', 9000000000000);
                 ALTER TABLE account DROP COLUMN role; ALTER TABLE account DROP COLUMN must_change;
                 ALTER TABLE account DROP COLUMN created_at; ALTER TABLE account DROP COLUMN disabled_at;
                 ALTER TABLE account DROP COLUMN email;
                 DELETE FROM _sqlx_migrations WHERE version IN (6, 7)",
            )
            .await;
        let store = database.open().await;
        assert_eq!(
            store.sessions_of("admin", NOW).await.unwrap(),
            [],
            "a session without tokens that change has ended"
        );
        assert!(sign_in(&store, "new", "admin", "hash").await);
        let owner = store.session_owner("new", NOW).await.unwrap().unwrap();
        assert_eq!((owner.role, owner.must_change), (Role::Admin, false));
    });
}

#[test]
fn a_session_is_its_owners_as_long_as_neither_time_nor_password_nor_account_ends_it() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        make(&store, "tono", Role::Technician, Some("tono@example.org")).await;
        assert_eq!(store.stored_password("tono@example.org").await.unwrap().unwrap().name, "tono");
        assert!(!sign_in(&store, "a", "tono", "another").await, "the password changed meanwhile");
        for hash in ["a", "b", "c"] {
            assert!(sign_in(&store, hash, "tono", "old").await);
        }
        assert!(store.session_owner("a", NOW).await.unwrap().unwrap().must_change);
        assert_eq!(store.session_owner("a", later()).await.unwrap(), None);
        let actor = Actor::account("tono");
        let wrong = store.change_password("tono", ("wrong", "new"), "a", &actor, NOW).await.unwrap();
        assert_eq!(wrong, None);
        let mut ended = store.change_password("tono", ("old", "new"), "a", &actor, NOW).await.unwrap().unwrap();
        ended.sort();
        assert_eq!(ended, ["b", "c"]);
        assert!(!store.session_owner("a", NOW).await.unwrap().unwrap().must_change);
        let AccountDone::Done(account, ended) = change(&store, "tono", disable()).await else { panic!("done") };
        assert_eq!((account.disabled_at, ended), (Some(NOW), vec!["a".to_owned()]));
        assert!(!sign_in(&store, "d", "tono", "new").await, "disabled");
    });
}

#[test]
fn of_two_admins_who_are_disabled_or_demoted_at_once_one_stays() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        make(&store, "budi", Role::Admin, None).await;
        for _ in 0..10 {
            let demote = AccountChange { role: Some(Role::Auditor), ..AccountChange::default() };
            let (one, other) = tokio::join!(change(&store, "admin", demote), change(&store, "budi", disable()));
            let kept = [&one, &other].into_iter().filter(|done| **done == AccountDone::LastAdmin).count();
            assert_eq!(kept, 1, "{one:?} {other:?}");
            let back = AccountChange { role: Some(Role::Admin), disabled: Some(false), email: None };
            for name in ["admin", "budi"] {
                change(&store, name, back.clone()).await;
            }
        }
    });
}

#[test]
fn whoever_has_the_machine_gets_the_first_admin_back() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        make(&store, "budi", Role::Admin, None).await;
        change(&store, "admin", disable()).await;
        assert!(store.recover_admin("admin", "new", NOW).await.unwrap());
        assert!(sign_in(&store, "a", "admin", "new").await);
        assert_eq!(store.session_owner("a", NOW).await.unwrap().unwrap().role, Role::Admin);
        assert!(!store.recover_admin("nobody", "new", NOW).await.unwrap());
        let newest = &store.audit(None, &[Act::UserRecovered], None, 1).await.unwrap()[0];
        assert_eq!((newest.act.as_str(), newest.who.as_str()), ("user.recovered", "server"));
    });
}
