//! Who waits, who comes back, who takes whose place, and what a key is worth afterwards. On SQLite and PostgreSQL.

use crate::fleet::{databases::databases, now, p256, random_serial, request};
use rcgen::KeyPair;
use server::{
    admission::{Admits, Refusal},
    audit::{Act, Actor},
    ca::Authority,
    enrol::{Credentials, EnrolError, Enrolled, Lifetimes, enrol, renew},
    registry::{csv::read, plan::plan},
    store::{Approval, Approved, NewToken, Replaced, Store},
};
use shared::{
    DeviceName, Serial, Status, UtcMillis,
    enrol::{CopiedFrom, EnrolRequest, WaitReason},
    message::LinkState,
};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::task::JoinSet;

const HOUR: i64 = 3_600_000;

/// A fleet's authority and database, and a token that lets in whom the registry expects.
struct Site {
    store: Store,
    ca: Arc<Authority>,
    token: String,
    engine: &'static str,
    lifetimes: Lifetimes,
    _folders: (TempDir, crate::fleet::databases::Database),
}

/// A board with a key.
struct Board {
    serial: Serial,
    key: KeyPair,
}

impl Board {
    fn new() -> Self {
        Self { serial: random_serial(), key: p256() }
    }

    /// The same board, set up anew.
    fn reflashed(&self) -> Self {
        Self { serial: self.serial, key: p256() }
    }

    fn csr(&self) -> String {
        request(&self.key, &self.serial.to_string())
    }
}

async fn sites() -> Vec<Site> {
    let mut sites = vec![];
    for db in databases().await {
        let dir = tempfile::tempdir().unwrap();
        let ca = Arc::new(Authority::open(dir.path(), &[], now()).unwrap());
        let new = NewToken { admits: Admits::Registered, ..NewToken::open(2000, UtcMillis(now().0 + HOUR)) };
        let (_, token) = db.store.create_token(&new, &Actor::account("admin"), now()).await.unwrap();
        let (store, engine) = (db.store.clone(), db.engine);
        sites.push(Site { store, ca, token, engine, lifetimes: Lifetimes::default(), _folders: (dir, db) });
    }
    sites
}

impl Site {
    async fn ask_with(&self, token: &str, board: &Board, at: UtcMillis) -> Result<Enrolled, EnrolError> {
        let (serial, csr) = (board.serial, board.csr());
        let request = EnrolRequest { serial, token: token.to_owned(), csr, model: None, copied_from: None };
        enrol(&self.store, &self.ca, self.lifetimes, &request, "10.0.0.7", at, async |_| ()).await
    }

    async fn ask(&self, board: &Board) -> Result<Enrolled, EnrolError> {
        self.ask_with(&self.token, board, now()).await
    }

    async fn enrolled(&self, board: &Board) -> Credentials {
        match self.ask(board).await {
            Ok(Enrolled::As(credentials)) => credentials,
            other => panic!("{other:?} on {}", self.engine),
        }
    }

    async fn waits(&self, board: &Board) -> WaitReason {
        match self.ask(board).await {
            Ok(Enrolled::Waits { reason, .. }) => reason,
            other => panic!("{other:?} on {}", self.engine),
        }
    }

    /// A board that was approved.
    async fn device(&self) -> (Board, DeviceName) {
        let board = Board::new();
        assert_eq!(self.waits(&board).await, WaitReason::NotExpected);
        let Approved::As(name) = self.approve(&Approval::default()).await else { panic!("{}", self.engine) };
        assert_eq!(self.enrolled(&board).await.name, name);
        (board, name)
    }

    /// Approves the newest that waits.
    async fn approve(&self, approval: &Approval) -> Approved {
        let waiting = self.store.waiting().await.unwrap();
        self.store.approve(&waiting.last().unwrap().id, approval, &admin(), now()).await.unwrap()
    }

    async fn may_connect(&self, board: &Board, name: &DeviceName) -> bool {
        let key = self.ca.check_csr(&board.csr(), board.serial).unwrap();
        self.store.may_connect(name, &key).await.unwrap()
    }

    async fn acts(&self, name: &DeviceName) -> Vec<String> {
        let entries = self.store.audit(Some(name.as_str()), &[], None, 100).await.unwrap();
        entries.into_iter().rev().map(|entry| entry.act).collect()
    }
}

fn admin() -> Actor {
    Actor::account("admin")
}

fn code<T: std::fmt::Debug>(result: Result<T, EnrolError>) -> &'static str {
    result.unwrap_err().code().unwrap()
}

#[tokio::test]
async fn a_board_that_nobody_expects_waits_is_approved_and_gets_its_name_when_it_asks_again() {
    for site in sites().await {
        let board = Board::new();
        assert_eq!(site.waits(&board).await, WaitReason::NotExpected, "{}", site.engine);
        assert_eq!(site.waits(&board).await, WaitReason::NotExpected);
        let waiting = site.store.waiting().await.unwrap();
        assert_eq!(waiting.len(), 1, "the second request is the same board");
        assert_eq!((waiting[0].serial, waiting[0].address.as_str()), (board.serial, "10.0.0.7"));
        let approval = Approval { location: Some("Pond".to_owned()), ..Approval::default() };
        assert_eq!(site.approve(&approval).await, Approved::As(DeviceName::numbered(1)));
        assert_eq!(site.store.waiting().await.unwrap(), []);
        // The token may have run out meanwhile: somebody has said yes.
        let late = UtcMillis(now().0 + 2 * HOUR);
        let Enrolled::As(given) = site.ask_with(&site.token, &board, late).await.unwrap() else { panic!() };
        assert_eq!(given.name, DeviceName::numbered(1));
        let device = site.store.device(&given.name).await.unwrap().unwrap();
        assert_eq!(device.location.as_deref(), Some("Pond"));
        assert_eq!(site.acts(&given.name).await, ["device.approved"]);
    }
}

#[tokio::test]
async fn a_board_that_somebody_refused_is_told_so_and_is_not_shown_again() {
    for site in sites().await {
        let board = Board::new();
        site.waits(&board).await;
        let id = site.store.waiting().await.unwrap()[0].id.clone();
        assert!(site.store.refuse(&id, &admin(), now()).await.unwrap());
        assert!(!site.store.refuse(&id, &admin(), now()).await.unwrap(), "{}", site.engine);
        assert_eq!(code(site.ask(&board).await), "refused");
        assert_eq!(site.store.waiting().await.unwrap(), []);
        assert_eq!(site.store.approve(&id, &Approval::default(), &admin(), now()).await.unwrap(), Approved::Unknown);
    }
}

#[tokio::test]
async fn a_registered_board_needs_no_approval_and_a_token_for_another_place_does_not_let_it_in() {
    for site in sites().await {
        let board = Board::new();
        let file = format!("serial,name,location\n{},pi-7,Pond\n", board.serial);
        let file = read(file.as_bytes()).unwrap();
        site.store.change_registry(now(), |registry| plan(registry, file), |_| None).await.unwrap();
        let elsewhere = NewToken {
            admits: Admits::Any,
            location: Some("Greenhouse".to_owned()),
            ..NewToken::open(5, UtcMillis(now().0 + HOUR))
        };
        let (_, elsewhere) = site.store.create_token(&elsewhere, &admin(), now()).await.unwrap();
        let answer = site.ask_with(&elsewhere, &board, now()).await.unwrap();
        assert!(matches!(answer, Enrolled::Waits { reason: WaitReason::NotExpected, .. }), "{}", site.engine);
        assert_eq!(site.enrolled(&board).await.name, DeviceName::numbered(7));
        assert_eq!(site.store.waiting().await.unwrap(), [], "it does not wait any more");
    }
}

#[tokio::test]
async fn a_reflashed_board_comes_back_by_one_click_with_its_history_and_the_old_key_is_dead() {
    for site in sites().await {
        let (board, name) = site.device().await;
        let again = board.reflashed();
        assert_eq!(site.waits(&again).await, WaitReason::SecondKey, "{}", site.engine);
        assert!(site.may_connect(&board, &name).await, "nothing is overwritten before somebody says so");
        assert_eq!(site.approve(&Approval::default()).await, Approved::Instead(name.clone()));
        assert_eq!(site.enrolled(&again).await.name, name);
        assert!(!site.may_connect(&board, &name).await && site.may_connect(&again, &name).await);
        assert_eq!(code(site.ask(&board).await), "unknown_key", "the key that was replaced never comes back");
        assert_eq!(site.store.withdrawn(now()).await.unwrap().len(), 1);
        assert_eq!(site.store.earlier_service().await.unwrap()[name.as_str()].len(), 1, "it was in service before");
        let acts = site.acts(&name).await;
        assert_eq!(acts, ["device.approved", "device.second_key", "device.approved"], "{}", site.engine);
    }
}

#[tokio::test]
async fn in_a_window_reflashed_boards_come_back_by_themselves_but_never_one_whose_device_is_connected() {
    for site in sites().await {
        let ((board, name), (alive, its_name)) = (site.device().await, site.device().await);
        site.store.record_status(&its_name, &Status::new(LinkState::Online), now()).await.unwrap();
        site.store.let_return_until(UtcMillis(now().0 + HOUR), &admin(), now()).await.unwrap();
        assert_eq!(site.enrolled(&board.reflashed()).await.name, name, "{}", site.engine);
        assert_eq!(site.waits(&alive.reflashed()).await, WaitReason::SecondKey);
        assert!(site.may_connect(&alive, &its_name).await);
        site.store.let_return_until(now(), &admin(), now()).await.unwrap();
        assert_eq!(site.waits(&board.reflashed()).await, WaitReason::SecondKey, "the window is closed");
        assert!(site.acts(&name).await.contains(&"device.returned".to_owned()));
    }
}

#[tokio::test]
async fn two_boards_with_one_key_lose_it_and_only_a_new_one_that_somebody_approves_lives() {
    for site in sites().await {
        let (board, name) = site.device().await;
        assert!(site.store.quarantine(&name, now()).await.unwrap(), "{}", site.engine);
        assert!(!site.store.quarantine(&name, now()).await.unwrap());
        assert!(!site.may_connect(&board, &name).await);
        let csr = board.csr();
        let renewal = renew(&site.store, &site.ca, site.lifetimes, (&name, &csr), Some("10.0.0.7"), now()).await;
        assert_eq!(code(renewal), "unknown_key");
        site.store.let_return_until(UtcMillis(now().0 + HOUR), &admin(), now()).await.unwrap();
        let (one, two) = (board.reflashed(), board.reflashed());
        assert_eq!(site.waits(&two).await, WaitReason::SharedKey, "not even in a window");
        assert_eq!(site.waits(&one).await, WaitReason::SharedKey);
        let key = site.ca.check_csr(&one.csr(), one.serial).unwrap();
        let waiting = site.store.waiting().await.unwrap();
        let id = &waiting.iter().find(|w| w.public_key == key.as_str()).unwrap().id;
        let approved = site.store.approve(id, &Approval::default(), &admin(), now()).await.unwrap();
        assert_eq!(approved, Approved::Instead(name.clone()));
        assert_eq!(site.enrolled(&one).await.name, name);
        assert!(site.store.device(&name).await.unwrap().unwrap().quarantined_at.is_none());
    }
}

#[tokio::test]
async fn new_hardware_takes_over_name_and_history_by_an_explicit_act_before_or_after_it_came() {
    for site in sites().await {
        let ((old, name), (other, its_name)) = (site.device().await, site.device().await);
        let serial = Board::new();
        let done = site.store.replace(&name, serial.serial, &admin(), now()).await.unwrap();
        assert_eq!(done, Replaced::Expected, "{}", site.engine);
        assert!(site.may_connect(&old, &name).await, "the old board serves until the new one comes");
        assert_eq!(site.enrolled(&serial).await.name, name);
        assert!(!site.may_connect(&old, &name).await);

        let waiting = Board::new();
        site.waits(&waiting).await;
        assert_eq!(site.store.replace(&its_name, waiting.serial, &admin(), now()).await.unwrap(), Replaced::Now);
        assert_eq!(site.enrolled(&waiting).await.name, its_name);
        assert_eq!(
            site.store.replace(&its_name, serial.serial, &admin(), now()).await.unwrap(),
            Replaced::InService(name.clone())
        );
        let nobody = DeviceName::numbered(99);
        assert_eq!(site.store.replace(&nobody, other.serial, &admin(), now()).await.unwrap(), Replaced::NoDevice);
    }
}

#[tokio::test]
async fn an_old_request_never_takes_the_name_of_a_board_that_has_come_meanwhile() {
    for site in sites().await {
        let stale = Board::new();
        assert_eq!(site.waits(&stale).await, WaitReason::NotExpected, "{}", site.engine);
        let live = stale.reflashed();
        let file = read(format!("serial,name\n{},pi-7\n", live.serial).as_bytes()).unwrap();
        site.store.change_registry(now(), |registry| plan(registry, file), |_| None).await.unwrap();
        let name = site.enrolled(&live).await.name;
        assert_eq!(site.approve(&Approval::default()).await, Approved::NameTaken(name.clone()));
        assert!(site.may_connect(&live, &name).await);
    }
}

#[tokio::test]
async fn a_place_is_given_to_none_of_two_keys_and_a_board_that_moves_leaves_no_open_name_behind() {
    for site in sites().await {
        let (old, name) = site.device().await;
        let board = Board::new();
        site.waits(&board).await;
        site.waits(&board.reflashed()).await;
        let done = site.store.replace(&name, board.serial, &admin(), now()).await.unwrap();
        assert_eq!(done, Replaced::SecondKey, "{}", site.engine);
        assert!(site.may_connect(&old, &name).await);

        let moving = Board::new();
        let file = read(format!("serial,name\n{},pi-8\n", moving.serial).as_bytes()).unwrap();
        site.store.change_registry(now(), |registry| plan(registry, file), |_| None).await.unwrap();
        site.store.replace(&name, moving.serial, &admin(), now()).await.unwrap();
        assert_eq!(site.enrolled(&moving).await.name, name);
        assert_eq!(site.waits(&Board::new()).await, WaitReason::NotExpected, "pi-8 is not free for whoever comes");
    }
}

#[tokio::test]
async fn a_longer_life_is_not_kept_back_by_certificates_of_the_shorter_one() {
    for mut site in sites().await {
        let (board, name) = site.device().await;
        let csr = board.csr();
        site.lifetimes.life = Duration::from_secs(3650 * 86_400);
        let later = UtcMillis(now().0 + 20 * 24 * HOUR);
        let renewed = renew(&site.store, &site.ca, site.lifetimes, (&name, &csr), None, later).await.unwrap();
        assert_ne!(renewed.certificate, site.enrolled(&board).await.certificate, "{}", site.engine);
        let ends = site.store.certificate(&name).await.unwrap().unwrap().expires_at;
        assert!(ends > later.0 + 3000 * 24 * HOUR);
    }
}

#[tokio::test]
async fn a_copied_card_is_written_down_at_the_device_that_was_copied() {
    for site in sites().await {
        let ((board, name), clone) = (site.device().await, Board::new());
        let copied_from = Some(CopiedFrom { name: name.clone(), serial: board.serial });
        let (serial, token, csr) = (clone.serial, site.token.clone(), clone.csr());
        let asked = EnrolRequest { serial, token, csr, model: Some("Raspberry Pi 4\n".to_owned()), copied_from };
        for _ in 0..2 {
            enrol(&site.store, &site.ca, site.lifetimes, &asked, "10.0.0.8", now(), async |_| ()).await.unwrap();
        }
        let waiting = site.store.waiting().await.unwrap();
        assert_eq!(waiting[0].copied_from, asked.copied_from, "{}", site.engine);
        assert_eq!(waiting[0].model.as_deref(), Some("Raspberry Pi 4"));
        assert_eq!(site.acts(&name).await, ["device.approved", "device.copied_card"], "once");
        let approval = Approval { replaces: Some(name.clone()), ..Approval::default() };
        assert_eq!(site.approve(&approval).await, Approved::Instead(name));
    }
}

#[tokio::test]
async fn a_certificate_is_renewed_by_its_key_until_the_grace_time_is_over_and_a_replay_makes_no_second_one() {
    for mut site in sites().await {
        site.lifetimes = Lifetimes { life: Duration::from_secs(3600), grace: Duration::from_secs(7200) };
        let (board, name) = site.device().await;
        let csr = board.csr();
        let renewed = async |expired, hours: i64| {
            let at = UtcMillis(now().0 + hours * HOUR);
            renew(&site.store, &site.ca, site.lifetimes, (&name, &csr), expired, at).await
        };
        let first = site.enrolled(&board).await.certificate;
        assert_eq!(renewed(None, 0).await.unwrap().certificate, first, "{}: a replay", site.engine);
        assert_eq!(code(renewed(Some("10.0.0.7"), 4).await), "too_late");
        let second = renewed(Some("10.0.0.7"), 2).await.unwrap().certificate;
        assert_ne!(second, first);
        let stranger = request(&p256(), &board.serial.to_string());
        let forged = renew(&site.store, &site.ca, site.lifetimes, (&name, &stranger), Some("10.0.0.9"), now()).await;
        assert_eq!(code(forged), "unknown_key");
        let other = DeviceName::numbered(99);
        let forged = renew(&site.store, &site.ca, site.lifetimes, (&other, &csr), Some("10.0.0.9"), now()).await;
        assert_eq!(code(forged), "unknown_key");
        site.store.revoke_device(&name, &admin(), now()).await.unwrap();
        assert_eq!(code(renewed(None, 0).await), "revoked");
        assert_eq!(site.store.certificate(&name).await.unwrap(), None);
        assert_eq!(site.store.withdrawn(now()).await.unwrap().len(), 2, "both stand in the revocation list");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_boards_that_come_at_once_get_a_thousand_names() {
    // One database: what is measured is that nothing is given twice, and SQLite is the one that could give up.
    let site = Arc::new(sites().await.remove(0));
    let open = NewToken::open(1000, UtcMillis(now().0 + HOUR));
    let (_, token) = site.store.create_token(&open, &admin(), now()).await.unwrap();
    let mut asking = JoinSet::new();
    for _ in 0..1000 {
        let (site, token) = (Arc::clone(&site), token.clone());
        asking.spawn(async move { site.ask_with(&token, &Board::new(), now()).await });
    }
    let mut names = vec![];
    for answer in asking.join_all().await {
        let Enrolled::As(given) = answer.unwrap() else { panic!() };
        names.push(given.name.number().unwrap());
    }
    names.sort_unstable();
    assert_eq!(names, (1..=1000).collect::<Vec<u32>>());
    assert_eq!(site.store.tokens().await.unwrap().last().unwrap().uses_left, 0);
}

#[tokio::test]
async fn a_withdrawn_token_lets_nobody_in_and_says_so() {
    for site in sites().await {
        let token = site.store.tokens().await.unwrap().remove(0);
        site.waits(&Board::new()).await;
        assert!(site.store.revoke_token(&token.id, &admin(), now()).await.unwrap());
        assert_eq!(site.store.waiting().await.unwrap(), [], "nor does anybody look at what came by it");
        let refused = site.ask(&Board::new()).await.unwrap_err();
        assert!(matches!(refused, EnrolError::Refused(Refusal::TokenRevoked, _)), "{}", site.engine);
        assert!(site.store.tokens().await.unwrap()[0].revoked_at.is_some(), "it stays to be seen");
    }
}

#[tokio::test]
async fn the_audit_log_goes_back_page_by_page_and_numbers_never_repeat() {
    for site in sites().await {
        for n in 1..=5 {
            let entry = admin().at("10.0.0.1").did(Act::PolicyChanged, now()).with("n", n);
            site.store.note(entry).await.unwrap();
        }
        let newest = site.store.audit(None, &[], None, 4).await.unwrap();
        let ids: Vec<i64> = newest.iter().map(|entry| entry.id).collect();
        assert_eq!(ids, [6, 5, 4, 3], "{}: the token of the site was the first", site.engine);
        let older = site.store.audit(None, &[], Some(3), 4).await.unwrap();
        assert_eq!(older.iter().map(|entry| entry.id).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((newest[0].who.as_str(), newest[0].address.as_deref()), ("admin", Some("10.0.0.1")));
        assert_eq!(newest[0].detail["n"], 5);
    }
}

#[tokio::test]
async fn kinds_of_acts_are_found_among_many_others_of_one_device_or_of_all_page_by_page() {
    const RARE: [Act; 2] = [Act::DeviceReplaced, Act::DeviceRevoked];
    for site in sites().await {
        let (seven, eight) = (DeviceName::numbered(7), DeviceName::numbered(8));
        for (act, device) in [(RARE[0], &seven), (RARE[1], &eight), (RARE[1], &seven), (RARE[0], &eight)] {
            for _ in 0..3 {
                site.store.note(admin().did(Act::AlertRaised, now()).to(&seven)).await.unwrap();
            }
            site.store.note(admin().did(act, now()).to(device)).await.unwrap();
        }
        let found = async |device, acts: &[Act], before, limit| {
            let entries = site.store.audit(device, acts, before, limit).await.unwrap();
            entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
        };
        assert_eq!(found(None, &RARE, None, 3).await, [17, 13, 9], "{}", site.engine);
        assert_eq!(found(None, &RARE, Some(9), 3).await, [5]);
        assert_eq!(found(Some("pi-7"), &RARE, None, 9).await, [13, 5]);
        assert_eq!(found(Some("pi-7"), &RARE[1..], None, 9).await, [13]);
        assert_eq!(found(Some("pi-7"), &[], None, 3).await, [16, 15, 14], "no kind is all kinds");
        assert_eq!(found(None, Act::ALL, None, 500).await.len(), 17, "the token of the site was the first");
        assert!(found(None, &[Act::AuthorityRotated], None, 9).await.is_empty());
    }
}
