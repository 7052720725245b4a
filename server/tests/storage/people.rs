//! What the store promises about invitations, wishes for accounts and profiles, on every engine.

use crate::databases::{NOW, on_each_database};
use server::access::{Permission, Role};
use server::audit::{Act, Actor};
use server::preferences::{Language, PreferencesChange, Theme};
use server::store::{
    AccountChange, AccountDone, InvitationState, Inviting, Joining, MakingKey, NewInvitation, NewKey, NewSession,
    NewSignUp, Newcomer, Pair, ProfileChange, ProfileDone, SigningUp, Spent, Store,
};
use shared::UtcMillis;
use std::net::{IpAddr, Ipv4Addr};

const HOUR: i64 = 3_600_000;
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5));

fn at(ms: i64) -> UtcMillis {
    UtcMillis(NOW.0 + ms)
}

fn admin() -> Actor {
    Actor::account("admin")
}

async fn invite(store: &Store, email: Option<&str>) -> (String, String) {
    let email = email.map(str::to_owned);
    let new = NewInvitation { role: Role::Technician, name: Some("Pak Tono".to_owned()), email, expires_at: at(HOUR) };
    match store.invite(&new, &admin(), NOW).await.unwrap() {
        Inviting::Done(made, secret) => (made.id, secret),
        other => panic!("{other:?}"),
    }
}

fn who(name: &str) -> Newcomer<'_> {
    Newcomer { name, hash: "chosen", address: HERE }
}

fn wish<'a>(name: &'a str, email: Option<&'a str>, last: u8) -> NewSignUp<'a> {
    let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, last));
    NewSignUp { name, hash: "chosen", display_name: None, email, address }
}

#[test]
fn an_invitation_is_used_once_however_many_try_and_ends_in_time() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        let (_, secret) = invite(&store, Some("tono@kebun.example")).await;
        let (one, other) = tokio::join!(
            store.accept_invitation(&secret, who("tono"), NOW),
            store.accept_invitation(&secret, who("sari"), NOW)
        );
        let done = [one.unwrap(), other.unwrap()];
        let joined: Vec<_> =
            done.iter().filter_map(|done| if let Joining::Done(a) = done { Some(a) } else { None }).collect();
        assert_eq!(joined.len(), 1, "{done:?}");
        assert!(done.contains(&Joining::Ended(InvitationState::Used)), "{done:?}");
        let made = joined[0];
        assert_eq!(
            (made.role, made.must_change, made.display_name.as_deref()),
            (Role::Technician, false, Some("Pak Tono"))
        );
        assert_eq!(made.email.as_deref(), Some("tono@kebun.example"));
        assert_eq!(store.accept_invitation("tirta_iv_x", who("budi"), NOW).await.unwrap(), Joining::Unknown);

        let (id, secret) = invite(&store, None).await;
        assert_eq!(store.accept_invitation(&secret, who("admin"), NOW).await.unwrap(), Joining::NameTaken);
        let late = store.accept_invitation(&secret, who("budi"), at(HOUR)).await.unwrap();
        assert_eq!(late, Joining::Ended(InvitationState::Expired));
        assert!(store.withdraw_invitation(&id, &admin(), NOW).await.unwrap());
        let withdrawn = store.accept_invitation(&secret, who("budi"), NOW).await.unwrap();
        assert_eq!(withdrawn, Joining::Ended(InvitationState::Withdrawn));
        assert!(!store.withdraw_invitation("none", &admin(), NOW).await.unwrap());
        assert_eq!(store.forget_invitations(NOW).await.unwrap(), 2);
        assert!(store.invitations().await.unwrap().is_empty());
    });
}

#[test]
fn an_invitation_whose_address_was_taken_meanwhile_still_lets_its_person_in() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        let (_, secret) = invite(&store, Some("tono@kebun.example")).await;
        let other = ("sari", Role::Auditor, Some("tono@kebun.example"));
        store.create_account(other, "hash", &admin(), NOW).await.unwrap();
        let Joining::Done(made) = store.accept_invitation(&secret, who("tono"), NOW).await.unwrap() else {
            panic!("joined")
        };
        assert_eq!(made.email, None);
    });
}

#[test]
fn only_an_account_that_may_now_invites_and_what_it_made_goes_with_its_right() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        store.create_account(("budi", Role::Admin, None), "hash", &admin(), NOW).await.unwrap();
        let budi = Actor::account("budi");
        let new = NewInvitation { role: Role::Admin, name: None, email: None, expires_at: at(HOUR) };
        let Inviting::Done(_, secret) = store.invite(&new, &budi, NOW).await.unwrap() else { panic!("invited") };
        let disable = AccountChange { disabled: Some(true), ..AccountChange::default() };
        store.change_account("budi", &disable, &admin(), NOW).await.unwrap();
        assert!(matches!(store.invite(&new, &budi, NOW).await.unwrap(), Inviting::MayNot));
        assert!(matches!(store.invite(&new, &Actor::account("key:ci"), NOW).await.unwrap(), Inviting::MayNot));
        let enable = AccountChange { disabled: Some(false), ..AccountChange::default() };
        store.change_account("budi", &enable, &admin(), NOW).await.unwrap();
        let gone = store.accept_invitation(&secret, who("mallory"), NOW).await.unwrap();
        assert_eq!(gone, Joining::Ended(InvitationState::Withdrawn));
    });
}

#[test]
fn a_key_goes_for_good_with_the_right_to_make_it_and_when_its_maker_gets_another_password() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        store.create_account(("budi", Role::Admin, None), "hash", &admin(), NOW).await.unwrap();
        let new = NewKey { name: "ci".to_owned(), scopes: vec![Permission::Read], devices: None, expires_at: None };
        let budi = Actor::account("budi");
        let make = async |of: &Actor| match store.create_key(&new, of, NOW).await.unwrap() {
            MakingKey::Done(id, _) => id,
            other => panic!("{other:?}"),
        };
        let state = async |id: &str| store.key(id).await.unwrap().unwrap().may(NOW).err();
        let put = async |change: AccountChange| match store.change_account("budi", &change, &admin(), NOW).await {
            Ok(AccountDone::Done(_, ended)) => ended,
            other => panic!("{other:?}"),
        };
        let role = |role| AccountChange { role: Some(role), ..AccountChange::default() };

        let first = make(&budi).await;
        assert_eq!(store.create_key(&new, &admin(), NOW).await.unwrap(), MakingKey::NameTaken);
        assert_eq!(put(role(Role::Supervisor)).await, [format!("key:{first}")]);
        assert_eq!(store.create_key(&new, &budi, NOW).await.unwrap(), MakingKey::MayNot);
        assert_eq!(store.create_key(&new, &Actor::account("key:ci"), NOW).await.unwrap(), MakingKey::MayNot);
        put(role(Role::Admin)).await;
        assert_eq!(state(&first).await, Some(Spent::Revoked));

        let second = make(&budi).await;
        let AccountDone::Done(_, ended) = store.reset_password("budi", "new", &admin(), NOW).await.unwrap() else {
            panic!("reset")
        };
        assert_eq!((ended, state(&second).await), (vec![format!("key:{second}")], Some(Spent::Revoked)));
        let entry = &store.audit(None, &[Act::UserPasswordReset], None, 1).await.unwrap()[0];
        assert_eq!((&entry.detail["keys_withdrawn"], entry.detail.get("invitations_withdrawn")), (&1.into(), None));

        let (third, of_another) = (make(&budi).await, NewKey { name: "other".to_owned(), ..new.clone() });
        store.create_key(&of_another, &admin(), NOW).await.unwrap();
        assert!(store.propose_totp("budi", "secret").await.unwrap());
        assert!(store.confirm_totp(("budi", "secret"), 1, &[], &budi, NOW).await.unwrap());
        assert!(store.recover_admin("budi", "new", NOW).await.unwrap());
        assert_eq!(state(&third).await, Some(Spent::Revoked));
        let entry = &store.audit(None, &[Act::UserRecovered], None, 1).await.unwrap()[0];
        let told = (&entry.detail["keys_withdrawn"], &entry.detail["second_factor_removed"]);
        assert_eq!(told, (&1.into(), &true.into()));
        let good = store.keys().await.unwrap().iter().filter(|key| key.may(NOW).is_ok()).count();
        assert_eq!(good, 1, "another's key is another's");
    });
}

#[test]
fn a_wish_is_no_account_until_it_is_approved() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        let asked = store.sign_up(&wish("tono", Some("tono@kebun.example"), 1), NOW).await.unwrap();
        assert_eq!(asked, SigningUp::Waits);
        let stored = store.stored_password("tono").await.unwrap().unwrap();
        assert!(stored.waits && stored.hash == "chosen");
        assert!(store.stored_password("tono@kebun.example").await.unwrap().is_none());
        let session = NewSession {
            id: "session",
            tokens: Pair { refresh: "r", access: "a", access_until: at(HOUR) },
            account: "tono",
            password_hash: "chosen",
            expires_at: at(HOUR),
            address: "10.0.0.5".to_owned(),
            agent: None,
            second_factor: None,
        };
        assert!(
            !store.add_session(&session, &Actor::account("tono"), NOW).await.unwrap(),
            "not even whoever has the right password"
        );
        assert_eq!(store.accounts("", 10).await.unwrap().len(), 1);
        let unknown = store.change_account("tono", &AccountChange::default(), &admin(), NOW).await.unwrap();
        assert_eq!(unknown, AccountDone::Unknown);

        assert_eq!(store.sign_up(&wish("tono", None, 2), NOW).await.unwrap(), SigningUp::NameTaken);
        assert_eq!(store.sign_up(&wish("admin", None, 2), NOW).await.unwrap(), SigningUp::NameTaken);
        let terms = (Role::Technician, None);
        let AccountDone::Done(made, _) = store.approve_sign_up("tono", terms, &admin(), NOW).await.unwrap() else {
            panic!("approved")
        };
        assert_eq!((made.role, made.must_change), (Role::Technician, false));
        assert!(store.add_session(&session, &Actor::account("tono"), NOW).await.unwrap());
        assert_eq!(store.approve_sign_up("tono", terms, &admin(), NOW).await.unwrap(), AccountDone::Unknown);
    });
}

#[test]
fn a_wish_that_cannot_be_approved_goes_on_waiting() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        store.sign_up(&wish("tono", Some("a@kebun.example"), 1), NOW).await.unwrap();
        store.create_account(("sari", Role::Auditor, Some("a@kebun.example")), "hash", &admin(), NOW).await.unwrap();
        let taken = store.approve_sign_up("tono", (Role::Technician, None), &admin(), NOW).await.unwrap();
        assert_eq!(taken, AccountDone::EmailTaken);
        assert_eq!(store.sign_ups().await.unwrap()[0].name, "tono");
        let without = store.approve_sign_up("tono", (Role::Technician, Some(None)), &admin(), NOW).await.unwrap();
        assert!(matches!(without, AccountDone::Done(made, _) if made.email.is_none()));
    });
}

#[test]
fn wishes_are_bounded_in_all_and_by_address_and_old_ones_make_room() {
    on_each_database(|database| async move {
        let store = database.open().await;
        for n in 0..100_u8 {
            let name = format!("tono-{n}");
            assert_eq!(store.sign_up(&wish(&name, None, n / 10), NOW).await.unwrap(), SigningUp::Waits, "{n}");
        }
        assert_eq!(store.sign_up(&wish("sari", None, 200), NOW).await.unwrap(), SigningUp::TooMany);
        for n in 10..20 {
            assert!(store.refuse_sign_up(&format!("tono-{n}"), &admin(), NOW).await.unwrap());
        }
        assert_eq!(store.sign_up(&wish("sari", None, 0), NOW).await.unwrap(), SigningUp::TooMany, "of this address");
        assert_eq!(store.sign_up(&wish("sari", None, 200), at(1)).await.unwrap(), SigningUp::Waits);
        assert_eq!(store.forget_sign_ups(NOW).await.unwrap(), 90);
        assert_eq!(store.sign_ups().await.unwrap().len(), 1);
    });
}

#[test]
fn changes_of_a_profile_at_once_lose_none_of_each_other() {
    on_each_database(|database| async move {
        let store = database.open().await;
        store.add_first_admin("admin", "hash", NOW).await.unwrap();
        let theme = PreferencesChange { theme: Some(Theme::Dark), ..PreferencesChange::default() };
        let theme = ProfileChange { preferences: theme, ..ProfileChange::default() };
        let language = PreferencesChange { language: Some(Some(Language::En)), ..PreferencesChange::default() };
        let language = ProfileChange { preferences: language, ..ProfileChange::default() };
        let actor = admin();
        let change = |change| store.change_profile("admin", change, &actor, NOW);
        let (one, other) = tokio::join!(change(&theme), change(&language));
        assert!(matches!((one.unwrap(), other.unwrap()), (ProfileDone::Done(_), ProfileDone::Done(_))));
        let kept = store.profile("admin").await.unwrap().unwrap().preferences;
        assert_eq!((kept.theme, kept.language), (Theme::Dark, Some(Language::En)));
        assert!(store.audit(None, &[], None, 1).await.unwrap().is_empty(), "what somebody likes is no act");
        let nobody = store.change_profile("nobody", &theme, &actor, NOW).await.unwrap();
        assert_eq!(nobody, ProfileDone::Unknown);
    });
}
