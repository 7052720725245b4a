//! What the store does with the registry, the same on SQLite and PostgreSQL: it is changed as a whole, and boards that
//! enrol get the names that it has for them.

use crate::fleet::{databases::databases, p256, random_serial, request};
use server::audit::Actor;
use server::ca::Authority;
use server::registry::{Changes, Entry, csv, plan::Plan, plan::Verdict, plan::plan, range::Range};
use server::store::{Admission, Knock, NewToken, Store};
use shared::{DeviceName, Serial, UtcMillis};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

const NOW: UtcMillis = UtcMillis(1_763_690_400_000);

async fn token(store: &Store, uses: u32) -> String {
    store.create_token(&NewToken::open(uses, UtcMillis(NOW.0 + 1)), &Actor::server(), NOW).await.unwrap().1
}

/// Imports a file as the interface does.
async fn import(store: &Store, text: &str, now: UtcMillis) -> Plan {
    let file = csv::read(text.as_bytes()).unwrap();
    store.change_registry(now, |registry| plan(registry, file), |_| None).await.unwrap()
}

async fn reserve(store: &Store, from: u32, to: u32) {
    let range = Range::new(from, to, "Greenhouse").unwrap();
    store.change_registry(NOW, |registry| range.reserve(registry), |_| None).await.unwrap();
}

/// The names by serial, of boards that enrol.
struct Boards {
    ca: Authority,
    _folder: tempfile::TempDir,
}

impl Boards {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { ca: Authority::open(folder.path(), &[], NOW).unwrap(), _folder: folder }
    }

    async fn enrol(&self, store: &Store, token: &str, serial: Serial) -> Admission {
        let key = self.ca.check_csr(&request(&p256(), &serial.to_string()), serial).unwrap();
        store.admit(&Knock::new(token, serial, key), NOW).await.unwrap()
    }

    async fn name(&self, store: &Store, token: &str, serial: Serial) -> String {
        match self.enrol(store, token, serial).await {
            Admission::New(name) => name.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

async fn serials(store: &Store) -> Vec<(String, Option<Serial>)> {
    let registrations = store.registry().await.unwrap().registrations;
    registrations.into_iter().map(|r| (r.entry.name.to_string(), r.entry.serial)).collect()
}

#[tokio::test]
async fn a_board_gets_its_registered_name_or_a_reserved_one_or_the_next_that_is_free() {
    let boards = Boards::new();
    for db in databases().await {
        let token = token(&db.store, 9).await;
        let [known, first, second, third] = [(); 4].map(|()| random_serial());
        import(&db.store, &format!("serial,name\n{known},pi-3\n,pond\n,pi-2\n"), NOW).await;
        assert_eq!(boards.name(&db.store, &token, first).await, "pi-2", "{}", db.engine);
        assert_eq!(boards.name(&db.store, &token, second).await, "pond");
        assert_eq!(boards.name(&db.store, &token, third).await, "pi-4", "pi-3 is meant for another");
        assert_eq!(boards.name(&db.store, &token, known).await, "pi-3");
        let expected = [("pi-2", first), ("pi-3", known), ("pond", second)].map(|(n, s)| (n.to_owned(), Some(s)));
        assert_eq!(serials(&db.store).await, expected, "a name that was handed out waits for nobody else");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_boards_that_enrol_at_once_get_a_name_each_and_the_registered_ones_theirs() {
    let boards = std::sync::Arc::new(Boards::new());
    for db in databases().await {
        let token = token(&db.store, 100).await;
        let mine: Vec<(String, Serial)> = (101..=120).map(|n| (format!("pi-{n}"), random_serial())).collect();
        let lines: String = mine.iter().map(|(name, serial)| format!("{serial},{name}\n")).collect();
        import(&db.store, &format!("serial,name\n{lines}"), NOW).await;
        reserve(&db.store, 1, 60).await;
        let mut asking = JoinSet::new();
        let strangers = (0..80).map(|_| (None, random_serial()));
        let all: Vec<_> = mine.iter().map(|(name, serial)| (Some(name.clone()), *serial)).chain(strangers).collect();
        for (wanted, serial) in all {
            let (store, token, boards) = (db.store.clone(), token.clone(), std::sync::Arc::clone(&boards));
            asking.spawn(async move { (wanted, boards.name(&store, &token, serial).await) });
        }
        let given = asking.join_all().await;
        for (wanted, name) in &given {
            assert!(wanted.as_ref().is_none_or(|wanted| wanted == name), "{}: {wanted:?} {name}", db.engine);
        }
        let names: BTreeSet<u32> =
            given.iter().map(|(_, name)| name.parse::<DeviceName>().unwrap().number().unwrap()).collect();
        assert_eq!(names.len(), 100, "{}", db.engine);
        assert!((1..=60).chain(101..=120).all(|n| names.contains(&n)), "every reserved name was handed out");
        let held = serials(&db.store).await;
        assert_eq!(held.iter().filter_map(|(_, serial)| *serial).collect::<BTreeSet<_>>().len(), 80);
    }
}

#[tokio::test]
async fn two_boards_change_places_and_the_rest_of_their_registrations_stays() {
    for db in databases().await {
        let [a, b] = [(); 2].map(|()| random_serial());
        import(&db.store, &format!("serial,name,notes\n{a},pi-1,one\n{b},pi-2,two\n"), NOW).await;
        let later = UtcMillis(NOW.0 + 5);
        import(&db.store, &format!("serial,name\n{b},pi-1\n{a},pi-2\n"), later).await;
        assert_eq!(serials(&db.store).await, [("pi-1".to_owned(), Some(b)), ("pi-2".to_owned(), Some(a))]);
        let first = db.store.registry().await.unwrap().registrations.remove(0);
        assert_eq!((first.entry.notes.as_str(), first.created_at, first.changed_at), ("one", NOW, later));
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_written_leaves_everything_as_it_was() {
    for db in databases().await {
        reserve(&db.store, 1, 3).await;
        let before = db.store.registry().await.unwrap().registrations;
        let twice = Entry { serial: Some(random_serial()), ..Entry::named(DeviceName::numbered(1)) };
        let also = Entry { name: DeviceName::numbered(9), ..twice.clone() };
        let changes = Changes { changed: vec![(DeviceName::numbered(1), twice)], created: vec![also] };
        assert!(db.store.change_registry(NOW, |_| ((), changes), |()| None).await.is_err(), "{}", db.engine);
        assert_eq!(db.store.registry().await.unwrap().registrations, before);
    }
}

#[tokio::test]
async fn ten_thousand_lines_are_imported_and_an_import_of_their_export_changes_nothing() {
    for db in databases().await {
        let lines: Vec<String> = (1..=10_000)
            .map(|n| format!("{n:016x};pi-{n};Kolam {};-6,{n:05};106,{n:05};ph tds;=catatan {n}", n % 40))
            .collect();
        let text = format!("Serial;Nama;Lokasi;Lintang;Bujur;Metrik;Catatan\r\n{}\r\n", lines.join("\r\n"));
        let begun = std::time::Instant::now();
        let plan = import(&db.store, &text, NOW).await;
        eprintln!("{}: 10,000 lines imported in {:?}", db.engine, begun.elapsed());
        assert_eq!(plan.lines.iter().filter(|line| line.verdict == Verdict::Created).count(), 10_000);
        let kept = db.store.registry().await.unwrap().registrations;
        let export = csv::write(kept.iter().map(|r| &r.entry)).unwrap();
        let again = import(&db.store, &export, UtcMillis(NOW.0 + 1)).await;
        assert_eq!(again.lines.iter().filter(|line| line.verdict == Verdict::Unchanged).count(), 10_000);
        assert_eq!(db.store.registry().await.unwrap().registrations, kept);
        // Each line changes: what was there is taken out in parts.
        let moved = import(&db.store, &text.replace("Kolam", "Tambak"), NOW).await;
        assert!(moved.lines.iter().all(|line| matches!(line.verdict, Verdict::Changed(_))));
        assert_eq!(db.store.registry().await.unwrap().registrations.len(), 10_000);
    }
}
