//! What the store promises about sessions, their tokens and the second factor, on every engine.

use crate::databases::{NOW, on_each_database};
use server::audit::Actor;
use server::store::{IDLE_MS, NewSession, Pair, Refreshed, Store};
use shared::UtcMillis;
use std::net::{IpAddr, Ipv4Addr};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn after(ms: i64) -> UtcMillis {
    UtcMillis(NOW.0 + ms)
}

fn pair<'a>((refresh, access): (&'a str, &'a str), now: UtcMillis) -> Pair<'a> {
    Pair { refresh, access, access_until: UtcMillis(now.0 + 900_000) }
}

/// A store with an admin whose session `id` has the tokens `r0` and `a0` of that id.
async fn signed_in(store: &Store, id: &str) {
    store.add_first_admin("admin", "hash", NOW).await.unwrap();
    let (refresh, access) = (format!("{id}-r0"), format!("{id}-a0"));
    let new = NewSession {
        id,
        tokens: pair((&refresh, &access), NOW),
        account: "admin",
        password_hash: "hash",
        expires_at: after(30 * 86_400_000),
        address: HOME.to_string(),
        agent: None,
        second_factor: None,
    };
    assert!(store.add_session(&new, &Actor::account("admin"), NOW).await.unwrap());
}

async fn refresh(store: &Store, old: &str, new: (&str, &str), now: UtcMillis) -> Refreshed {
    store.refresh_session(old, pair(new, now), HOME, now).await.unwrap()
}

async fn is_good(store: &Store, access: &str, now: UtcMillis) -> bool {
    store.session_owner(access, now).await.unwrap().is_some()
}

fn is_done(refreshed: &Refreshed) -> bool {
    matches!(refreshed, Refreshed::Done(owner) if owner.account == "admin")
}

#[test]
fn tokens_are_changed_in_a_line_and_a_session_of_two_ends_with_all_of_them() {
    on_each_database(|database| async move {
        let store = database.open().await;
        signed_in(&store, "s").await;
        signed_in(&store, "other").await;
        assert!(is_good(&store, "s-a0", after(899_999)).await && !is_good(&store, "s-a0", after(900_000)).await);
        assert!(is_done(&refresh(&store, "s-r0", ("r1", "a1"), after(1000)).await));
        assert!(is_good(&store, "s-a0", after(1000)).await && is_good(&store, "a1", after(1000)).await);
        assert!(is_done(&refresh(&store, "s-r0", ("r1b", "a1b"), after(31_000)).await), "an answer was lost");
        assert!(is_done(&refresh(&store, "r1b", ("r2", "a2"), after(40_000)).await));
        let reused = refresh(&store, "r1", ("r3", "a3"), after(41_000)).await;
        assert_eq!(reused, Refreshed::Reused { id: "s".to_owned(), account: "admin".to_owned() });
        for access in ["s-a0", "a1", "a1b", "a2", "a3"] {
            assert!(!is_good(&store, access, after(41_000)).await, "{access}");
        }
        assert_eq!(refresh(&store, "r2", ("r4", "a4"), after(41_000)).await, Refreshed::Unknown);
        assert!(is_good(&store, "other-a0", after(41_000)).await);
        let newest = &store.audit(None, &[], None, 1).await.unwrap()[0];
        assert_eq!((newest.act.as_str(), &newest.detail["user"]), ("session.reused", &"admin".into()));
        assert_eq!(database.number("SELECT COUNT(*) FROM session_token").await, 1);
    });
}

#[test]
fn a_token_that_was_made_up_is_answered_while_somebody_else_is_writing() {
    on_each_database(|database| async move {
        let store = database.open().await;
        signed_in(&store, "s").await;
        let writing = database.hold_the_lock().await;
        assert_eq!(refresh(&store, "made up", ("r1", "a1"), NOW).await, Refreshed::Unknown);
        assert_eq!(store.end_session_of_token("made up", "signed_out", HOME, NOW).await.unwrap(), None);
        drop(writing);
        assert!(is_done(&refresh(&store, "s-r0", ("r1", "a1"), NOW).await));
    });
}

#[test]
fn of_many_at_once_who_show_one_token_at_two_instances_each_gets_a_pair_or_none_does() {
    on_each_database(|database| async move {
        let stores = [database.open().await, database.open().await];
        signed_in(&stores[0], "s").await;
        let names: Vec<_> = (0..8).map(|n| (format!("r1-{n}"), format!("a1-{n}"))).collect();
        let asked = names.iter().enumerate().map(|(n, (r, a))| {
            let store = &stores[n % 2];
            async move { refresh(store, "s-r0", (r, a), after(1000)).await }
        });
        let answers = futures_util::future::join_all(asked).await;
        assert!(answers.iter().all(is_done), "{answers:?}");
        // Each shows its own: the first goes on, and whichever comes second ends the session.
        let asked = names.iter().enumerate().map(|(n, (r, _))| {
            let store = &stores[n % 2];
            let next = (format!("r2-{n}"), format!("a2-{n}"));
            async move { refresh(store, r, (&next.0, &next.1), after(2000)).await }
        });
        let answers = futures_util::future::join_all(asked).await;
        let count = |wanted: fn(&Refreshed) -> bool| answers.iter().filter(|answer| wanted(answer)).count();
        assert_eq!(count(|answer| matches!(answer, Refreshed::Done(_))), 1, "{answers:?}");
        assert_eq!(count(|answer| matches!(answer, Refreshed::Reused { .. })), 1, "{answers:?}");
        assert_eq!(stores[0].session_used_at("s", after(2000)).await.unwrap(), None);
    });
}

#[test]
fn a_session_is_idle_after_a_week_and_what_is_over_is_forgotten() {
    on_each_database(|database| async move {
        let store = database.open().await;
        signed_in(&store, "s").await;
        let week = IDLE_MS;
        assert_eq!(store.session_used_at("s", after(week - 1)).await.unwrap(), Some(NOW));
        assert_eq!(store.session_used_at("s", after(week)).await.unwrap(), None);
        assert_eq!(refresh(&store, "s-r0", ("x", "y"), after(week)).await, Refreshed::Unknown);
        assert!(is_done(&refresh(&store, "s-r0", ("r1", "a1"), after(week - 1)).await));
        store.touch_session("s", after(1000)).await.unwrap();
        assert_eq!(store.session_used_at("s", after(week)).await.unwrap(), Some(after(week - 1)), "it never goes back");
        assert_eq!(store.forget_expired_sessions(after(week)).await.unwrap(), 0);
        assert_eq!(store.forget_expired_sessions(after(2 * week - 2)).await.unwrap(), 0);
        assert_eq!(
            database.number("SELECT COUNT(*) FROM session_token").await,
            2,
            "the old one could still betray a thief"
        );
        assert_eq!(store.forget_expired_sessions(after(2 * week)).await.unwrap(), 1);
        assert_eq!(database.number("SELECT COUNT(*) FROM session_token").await, 0);
    });
}

#[test]
fn a_session_is_ended_by_any_of_its_tokens_and_by_its_owner_and_the_log_says_why() {
    on_each_database(|database| async move {
        let store = database.open().await;
        for id in ["a", "b", "c", "d"] {
            signed_in(&store, id).await;
        }
        assert!(is_done(&refresh(&store, "a-r0", ("r1", "a1"), NOW).await));
        let of = |id: &str| Some((id.to_owned(), "admin".to_owned()));
        for (token, ended) in [("a-a0", of("a")), ("b-r0", of("b")), ("a1", None), ("nothing", None)] {
            let found = store.end_session_of_token(token, "signed_out", HOME, after(2_000_000)).await.unwrap();
            assert_eq!(found, ended, "{token}");
        }
        let actor = Actor::account("admin");
        assert_eq!(store.end_sessions_of("admin", Some("a"), &actor, NOW).await.unwrap(), Vec::<String>::new());
        assert_eq!(store.end_sessions_of("nobody", Some("c"), &actor, NOW).await.unwrap(), Vec::<String>::new());
        assert_eq!(store.end_sessions_of("admin", Some("c"), &actor, NOW).await.unwrap(), ["c"]);
        assert_eq!(store.end_sessions_of("admin", None, &actor, NOW).await.unwrap(), ["d"]);
        assert_eq!(store.end_sessions_of("admin", None, &actor, NOW).await.unwrap(), Vec::<String>::new());
        let log = store.audit(None, &[server::audit::Act::SessionEnded], None, 9).await.unwrap();
        let reasons: Vec<_> = log.iter().map(|entry| entry.detail["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons, ["everywhere", "ended_by_owner", "signed_out", "signed_out"]);
    });
}

#[test]
fn a_code_and_a_recovery_code_are_taken_once_also_by_two_at_once() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        let actor = Actor::account("admin");
        assert!(store.propose_totp("admin", "ONE").await.unwrap());
        assert!(store.propose_totp("admin", "TWO").await.unwrap(), "it was not confirmed");
        assert!(!store.take_totp_step("admin", 5).await.unwrap(), "nor can it be used");
        let codes = ["x".to_owned(), "y".to_owned()];
        assert!(!store.confirm_totp(("admin", "ONE"), 7, &codes, &actor, NOW).await.unwrap());
        assert!(store.confirm_totp(("admin", "TWO"), 7, &codes, &actor, NOW).await.unwrap());
        assert!(!store.confirm_totp(("admin", "TWO"), 8, &codes, &actor, NOW).await.unwrap());
        assert!(!store.propose_totp("admin", "THREE").await.unwrap());
        assert_eq!(store.totp("admin").await.unwrap().unwrap().recovery_codes, 2);
        assert!(!store.take_totp_step("admin", 7).await.unwrap(), "the step of the confirmation");
        let taken = tokio::join!(store.take_totp_step("admin", 8), store.take_totp_step("admin", 8));
        assert!(taken.0.unwrap() != taken.1.unwrap());
        assert!(!store.take_totp_step("admin", 7).await.unwrap(), "nor an earlier one");
        let taken = tokio::join!(store.take_recovery_code("admin", "x"), store.take_recovery_code("admin", "x"));
        assert!(taken.0.unwrap() != taken.1.unwrap());
        assert!(store.remove_totp("admin", &actor, NOW).await.unwrap());
        assert!(!store.remove_totp("admin", &actor, NOW).await.unwrap());
        assert_eq!(store.totp("admin").await.unwrap(), None);
        assert!(!store.take_recovery_code("admin", "y").await.unwrap());
        assert!(store.propose_totp("admin", "FOUR").await.unwrap());
        assert!(store.confirm_totp(("admin", "FOUR"), 1, &codes, &actor, NOW).await.unwrap());
        assert!(store.recover_admin("admin", "new", NOW).await.unwrap());
        assert_eq!(store.totp("admin").await.unwrap(), None, "whoever has the machine needs no telephone");
    });
}
