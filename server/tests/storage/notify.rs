//! What is told of alerts: to whom, how often, in which order, and what a receiver can check. On each database.

use crate::databases::{Database, NOW, on_each_database};
use crate::receiver::Receiver;
use serde_json::json;
use server::alert::{News, What};
use server::audit::Actor;
use server::config;
use server::intake::Reported;
use server::live::{Event, Live};
use server::notify::dispatch::Dispatcher;
use server::notify::{Answer, Channel, Problem, Webhook};
use server::store::{Intake, NewSilence, Store};
use shared::{Clock, UtcMillis};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A clock that a test moves.
#[derive(Default)]
struct Hand(AtomicI64);

impl Hand {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(NOW.0)))
    }

    fn pass(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> UtcMillis {
        UtcMillis(self.0.load(Ordering::Relaxed))
    }
}

/// A channel that remembers, and fails as often as it is told to.
struct Recorder {
    name: &'static str,
    heard: Mutex<Vec<(String, What)>>,
    tries: AtomicUsize,
    failures: AtomicUsize,
}

impl Recorder {
    fn failing(failures: usize) -> Arc<Self> {
        let (heard, tries, failures) = (Mutex::default(), AtomicUsize::new(0), AtomicUsize::new(failures));
        Arc::new(Self { name: "recorder", heard, tries, failures })
    }

    fn heard(&self) -> Vec<(String, What)> {
        self.heard.lock().unwrap().clone()
    }
}

impl Channel for Recorder {
    fn name(&self) -> &str {
        self.name
    }

    fn wants(&self, _: What) -> bool {
        true
    }

    fn deliver<'a>(&'a self, news: &'a News) -> Answer<'a> {
        Box::pin(async move {
            self.tries.fetch_add(1, Ordering::Relaxed);
            let left = self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            if left.is_ok() {
                return Err(Problem("it is told to fail".to_owned()));
            }
            self.heard.lock().unwrap().push((news.key.clone(), news.what));
            Ok(())
        })
    }
}

async fn report(store: &Store, key: &str, state: &str, now: UtcMillis) -> Intake {
    let body = json!({"key": key, "state": state, "title": "Pump 3 is hot", "severity": "critical"});
    let reported: Reported = serde_json::from_value(body).unwrap();
    store.take_report("scada", &reported.check(now).unwrap(), now).await.unwrap()
}

fn dispatcher(store: &Store, clock: &Arc<Hand>, channels: &[Arc<Recorder>]) -> Dispatcher {
    let channels = channels.iter().map(|channel| Arc::clone(channel) as Arc<dyn Channel>).collect();
    Dispatcher::new(store.clone(), Live::new(), Arc::clone(clock) as Arc<dyn Clock>, channels)
}

/// Turns until something holds.
async fn turn_until(dispatcher: &mut Dispatcher, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        dispatcher.turn().await.unwrap();
        if holds().await {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn states(store: &Store, alert: i64) -> Vec<(String, String, i64)> {
    let all = store.alert_deliveries(alert).await.unwrap();
    let shown = |d: server::store::Delivery| (d.what, d.state.unwrap_or_default(), d.tries.unwrap_or_default());
    all.into_iter().map(shown).collect()
}

#[test]
fn two_servers_on_one_database_tell_each_news_once_and_in_order() {
    on_each_database(async |database| {
        let (store, clock, recorder) = (database.open().await, Hand::new(), Recorder::failing(0));
        for n in 0..40 {
            report(&store, &format!("pump-{n}"), "firing", clock.now()).await;
            report(&store, &format!("pump-{n}"), "resolved", clock.now()).await;
        }
        let other = database.open().await;
        let channels = [Arc::clone(&recorder)];
        let mut servers = [dispatcher(&store, &clock, &channels), dispatcher(&other, &clock, &channels)];
        let [one, two] = &mut servers;
        let all = async || recorder.heard().len() >= 80;
        tokio::join!(turn_until(one, "all is told", all), turn_until(two, "all is told", all));
        // Whatever a second telling needs would be under way by now.
        servers[0].turn().await.unwrap();
        servers[1].turn().await.unwrap();
        let heard = recorder.heard();
        let mut keys: Vec<&String> = heard.iter().map(|(key, _)| key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!((heard.len(), keys.len()), (80, 80));
        for (at, (key, what)) in heard.iter().enumerate() {
            let alert = key.rsplit_once('-').unwrap().0;
            let first = heard.iter().position(|(other, _)| other.rsplit_once('-').unwrap().0 == alert).unwrap();
            assert_eq!(*what == What::Raised, at == first, "{key}: that it is over comes after that it began");
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM audit WHERE act = 'alert.raised'").await, 40);
        assert_eq!(database.number("SELECT COUNT(*) FROM audit WHERE act = 'alert.cleared'").await, 40);
    });
}

#[test]
fn news_is_tried_three_times_with_pauses_and_how_that_went_is_kept() {
    on_each_database(async |database| {
        let (store, clock, recorder) = (database.open().await, Hand::new(), Recorder::failing(4));
        let Intake::Raised(first) = report(&store, "pump", "firing", clock.now()).await else { panic!() };
        let mut dispatcher = dispatcher(&store, &clock, &[Arc::clone(&recorder)]);
        let tries = |n: i64, state: &'static str| {
            let store = store.clone();
            async move || states(&store, first).await == [("raised".to_owned(), state.to_owned(), n)]
        };
        let problem = |wanted: &'static str| {
            let store = store.clone();
            async move || store.alert_deliveries(first).await.unwrap()[0].problem.as_deref() == Some(wanted)
        };
        turn_until(&mut dispatcher, "the first try failed", problem("it is told to fail")).await;
        assert!(tries(1, "pending")().await);
        clock.pass(1999);
        dispatcher.turn().await.unwrap();
        assert!(tries(1, "pending")().await, "two seconds are two seconds");
        clock.pass(1);
        turn_until(&mut dispatcher, "the second try failed", tries(2, "pending")).await;
        clock.pass(9_999);
        dispatcher.turn().await.unwrap();
        assert_eq!(recorder.tries.load(Ordering::Relaxed), 2);
        clock.pass(30_000);
        turn_until(&mut dispatcher, "it is given up", tries(3, "failed")).await;
        clock.pass(86_400_000);
        dispatcher.turn().await.unwrap();
        assert_eq!(recorder.tries.load(Ordering::Relaxed), 3, "given up is given up");
        // The next news has its own three tries: one more failure, and it is there.
        report(&store, "pump", "resolved", clock.now()).await;
        turn_until(&mut dispatcher, "the fourth failure", async || recorder.tries.load(Ordering::Relaxed) == 4).await;
        clock.pass(31_000);
        turn_until(&mut dispatcher, "it is told", async || recorder.heard().len() == 1).await;
        assert_eq!(recorder.heard()[0].1, What::Cleared);
    });
}

#[test]
fn a_lease_of_a_server_that_was_killed_runs_out_and_the_same_news_is_told_with_the_same_key() {
    on_each_database(async |database| {
        let (store, clock, recorder) = (database.open().await, Hand::new(), Recorder::failing(0));
        report(&store, "pump", "firing", clock.now()).await;
        // It took what is due, and was killed.
        store.spread_news(|_| vec!["recorder".to_owned()], clock.now()).await.unwrap();
        let taken = store.take_due("recorder", 10, clock.now(), 30_000).await.unwrap();
        let key = serde_json::from_str::<News>(&taken[0].payload).unwrap().key;
        let mut dispatcher = dispatcher(&store, &clock, &[Arc::clone(&recorder)]);
        clock.pass(29_999);
        dispatcher.turn().await.unwrap();
        assert_eq!(recorder.tries.load(Ordering::Relaxed), 0);
        clock.pass(1);
        turn_until(&mut dispatcher, "it is told", async || recorder.heard() == [(key.clone(), What::Raised)]).await;
    });
}

#[test]
fn what_is_silenced_is_kept_and_shown_but_told_to_nobody_and_neither_is_its_end() {
    on_each_database(async |database| {
        let (store, clock, recorder) = (database.open().await, Hand::new(), Recorder::failing(0));
        let silence = NewSilence {
            kind: "silence".to_owned(),
            scope: "fleet".to_owned(),
            target: String::new(),
            from: clock.now(),
            to: UtcMillis(clock.now().0 + 60_000),
            reason: "cleaning".to_owned(),
        };
        store.add_silence(&silence, &Actor::account("admin"), clock.now()).await.unwrap();
        let live = Live::new();
        let mut watching = live.subscribe();
        let channels: Vec<Arc<dyn Channel>> = vec![Arc::clone(&recorder) as _];
        let mut dispatcher = Dispatcher::new(store.clone(), live, Arc::clone(&clock) as _, channels);
        dispatcher.turn().await.unwrap();
        let Intake::Raised(alert) = report(&store, "pump", "firing", clock.now()).await else { panic!() };
        dispatcher.turn().await.unwrap();
        let Event::Alert { news, withheld } = watching.recv().await.unwrap() else { panic!() };
        assert_eq!((news.what, withheld.as_deref()), (What::Raised, Some("silenced")));
        clock.pass(120_000);
        report(&store, "pump", "resolved", clock.now()).await;
        dispatcher.turn().await.unwrap();
        let withheld: Vec<_> = store.alert_deliveries(alert).await.unwrap().into_iter().map(|d| d.withheld).collect();
        assert_eq!(withheld, [Some("silenced".to_owned()), Some("untold".to_owned())]);
        report(&store, "pump", "firing", clock.now()).await;
        turn_until(&mut dispatcher, "what comes later is told", async || recorder.heard().len() == 1).await;
        assert_eq!(recorder.heard()[0].1, What::Raised);
    });
}

#[test]
fn what_began_during_a_silence_and_goes_on_is_told_when_the_silence_ends_once() {
    on_each_database(async |database| {
        let (store, clock, recorder) = (database.open().await, Hand::new(), Recorder::failing(0));
        let (kind, scope) = ("maintenance".to_owned(), "fleet".to_owned());
        let (from, to) = (clock.now(), UtcMillis(clock.now().0 + 60_000));
        let silence = NewSilence { kind, scope, target: String::new(), from, to, reason: "cleaning".to_owned() };
        let admin = Actor::account("admin");
        let silence = store.add_silence(&silence, &admin, clock.now()).await.unwrap();
        let mut dispatcher = dispatcher(&store, &clock, &[Arc::clone(&recorder)]);
        report(&store, "over", "firing", clock.now()).await;
        let Intake::Raised(alert) = report(&store, "pump", "firing", clock.now()).await else { panic!() };
        dispatcher.turn().await.unwrap();
        report(&store, "over", "resolved", clock.now()).await;
        clock.pass(30_000);
        dispatcher.turn().await.unwrap();
        assert_eq!(recorder.heard(), []);
        store.end_silence(silence.id, &admin, clock.now()).await.unwrap();
        clock.pass(2_000);
        turn_until(&mut dispatcher, "it is told", async || recorder.heard().len() == 1).await;
        clock.pass(2_000);
        dispatcher.turn().await.unwrap();
        assert_eq!(recorder.heard(), [(format!("alert-{alert}-2"), What::Raised)]);
    });
}

#[test]
fn watchers_of_another_server_are_told_too_and_nobody_of_what_was_before() {
    on_each_database(async |database| {
        let (store, clock) = (database.open().await, Hand::new());
        report(&store, "old", "firing", clock.now()).await;
        let mut writer = dispatcher(&store, &clock, &[]);
        writer.turn().await.unwrap();
        let live = Live::new();
        let mut watching = live.subscribe();
        let mut other = Dispatcher::new(database.open().await, live, Arc::clone(&clock) as _, vec![]);
        other.turn().await.unwrap();
        report(&store, "new", "firing", clock.now()).await;
        writer.turn().await.unwrap();
        other.turn().await.unwrap();
        other.turn().await.unwrap();
        let Event::Alert { news, .. } = watching.recv().await.unwrap() else { panic!() };
        assert_eq!(news.alert.as_ref().unwrap().detail["title"], "Pump 3 is hot");
        assert!(watching.try_recv().is_err(), "once");
    });
}

/// A channel that takes news when it is let.
struct Stuck {
    begun: AtomicUsize,
    gate: Semaphore,
}

impl Channel for Stuck {
    fn name(&self) -> &'static str {
        "stuck"
    }

    fn wants(&self, _: What) -> bool {
        true
    }

    fn deliver<'a>(&'a self, _: &'a News) -> Answer<'a> {
        Box::pin(async move {
            self.begun.fetch_add(1, Ordering::Relaxed);
            drop(self.gate.acquire().await);
            Ok(())
        })
    }
}

#[test]
fn a_channel_that_hangs_takes_no_more_by_a_lease_than_it_has_room_for() {
    on_each_database(async |database| {
        let (store, clock) = (database.open().await, Hand::new());
        for n in 0..40 {
            report(&store, &format!("pump-{n}"), "firing", clock.now()).await;
        }
        let stuck = Arc::new(Stuck { begun: AtomicUsize::new(0), gate: Semaphore::new(0) });
        let (live, channels) = (Live::new(), vec![Arc::clone(&stuck) as Arc<dyn Channel>]);
        let mut dispatcher = Dispatcher::new(store.clone(), live, Arc::clone(&clock) as _, channels);
        for _ in 0..5 {
            dispatcher.turn().await.unwrap();
            let leased = database.number("SELECT COUNT(*) FROM delivery WHERE tries > 0").await;
            assert_eq!(leased, 16);
        }
        let begun = async || stuck.begun.load(Ordering::Relaxed) == 16;
        turn_until(&mut dispatcher, "each that is taken is under way", begun).await;
        stuck.gate.add_permits(100);
        let sent = async || database.number("SELECT COUNT(*) FROM delivery WHERE state = 'sent'").await == 40;
        turn_until(&mut dispatcher, "all is sent", sent).await;
        assert_eq!(database.number("SELECT COUNT(*) FROM delivery WHERE tries <> 1").await, 0);
    });
}

/// So many more rows of news like the first, half a minute before [`NOW`].
async fn much_news(database: &Database, rows: u32) {
    let first = (NOW.0 - 30_000 - 1_735_689_600_000) * 4096;
    let sql = format!(
        "INSERT INTO outbox (id, idem_key, what, created_at, payload, spread)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         SELECT {first} + i, 'old-' || i, 'raised', 0, (SELECT payload FROM outbox ORDER BY id LIMIT 1), TRUE FROM n"
    );
    database.tamper(sql).await;
}

#[test]
fn watchers_are_not_told_of_what_was_before_however_much_that_was() {
    on_each_database(async |database| {
        let (store, clock) = (database.open().await, Hand::new());
        report(&store, "old", "firing", clock.now()).await;
        much_news(&database, 10_010).await;
        let live = Live::new();
        let mut watching = live.subscribe();
        let mut dispatcher = Dispatcher::new(store.clone(), live, Arc::clone(&clock) as _, vec![]);
        dispatcher.turn().await.unwrap();
        dispatcher.turn().await.unwrap();
        assert!(watching.try_recv().is_err());
        report(&store, "new", "firing", clock.now()).await;
        dispatcher.turn().await.unwrap();
        // What is long ago is forgotten, and not looked at any more.
        clock.pass(7_200_000);
        dispatcher.turn().await.unwrap();
        dispatcher.turn().await.unwrap();
        watching.recv().await.unwrap();
        assert!(watching.try_recv().is_err(), "once");
    });
}

#[test]
fn news_that_is_long_done_is_forgotten_in_portions_but_no_alert_and_nothing_that_is_still_to_be_told() {
    on_each_database(async |database| {
        let (store, clock, recorder) = (database.open().await, Hand::new(), Recorder::failing(0));
        let mut alerts = vec![];
        for (key, is_over) in [("over", true), ("open", false), ("unsent", true), ("of today", true)] {
            let Intake::Raised(id) = report(&store, key, "firing", clock.now()).await else { panic!() };
            alerts.push(id);
            if is_over && key != "of today" {
                report(&store, key, "resolved", clock.now()).await;
            }
        }
        let mut dispatcher = dispatcher(&store, &clock, &[Arc::clone(&recorder)]);
        turn_until(&mut dispatcher, "all is told", async || recorder.heard().len() == 6).await;
        let sent = async || database.number("SELECT COUNT(*) FROM delivery WHERE state = 'sent'").await == 6;
        turn_until(&mut dispatcher, "that is kept", sent).await;
        database
            .tamper(format!(
                "UPDATE delivery SET state = 'pending' WHERE outbox IN (SELECT id FROM outbox WHERE alert = {})",
                alerts[2]
            ))
            .await;
        much_news(&database, 600).await;
        let month = 30 * 86_400_000;
        assert_eq!(store.forget_news(UtcMillis(clock.now().0 - month)).await.unwrap(), 0);
        clock.pass(month + 1000);
        report(&store, "of today", "resolved", clock.now()).await;
        let forget = async || store.forget_news(UtcMillis(clock.now().0 - month)).await.unwrap();
        assert_eq!(forget().await, 602);
        assert_eq!(forget().await, 0);
        for (alert, left) in alerts.iter().zip([0, 1, 2, 2]) {
            assert_eq!(store.alert_deliveries(*alert).await.unwrap().len(), left);
            assert!(store.alert(*alert, clock.now()).await.unwrap().is_some());
            assert!(!store.alert_events(*alert).await.unwrap().is_empty());
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM delivery").await, 4);
    });
}

fn hook(receiver: &Receiver, folder: &std::path::Path, secret: &str) -> config::Webhook {
    let secret_file = folder.join("secret");
    std::fs::write(&secret_file, format!("{secret}\n")).unwrap();
    let url = receiver.url().parse().unwrap();
    config::Webhook { name: "siren".to_owned(), url, secret_file, ca_file: None, events: None }
}

#[test]
fn a_webhook_is_signed_has_a_key_and_is_tried_again_until_somebody_takes_it() {
    on_each_database(async |database| {
        let (store, clock, mut receiver) = (database.open().await, Hand::new(), Receiver::start().await);
        let folder = tempfile::tempdir().unwrap();
        let hook = hook(&receiver, folder.path(), "not so secret as that");
        let webhook = Arc::new(Webhook::open(&hook, Arc::clone(&clock) as _).unwrap());
        receiver.answer_next(&[500, 302]);
        let mut dispatcher = Dispatcher::new(store.clone(), Live::new(), Arc::clone(&clock) as _, vec![webhook as _]);
        let Intake::Raised(alert) = report(&store, "pump", "firing", clock.now()).await else { panic!() };
        let failed = |n: i64| {
            let store = store.clone();
            async move || {
                let delivery = store.alert_deliveries(alert).await.unwrap().remove(0);
                delivery.tries == Some(n) && delivery.problem.is_some_and(|text| n < 2 || text.contains("302"))
            }
        };
        turn_until(&mut dispatcher, "the first try failed", failed(1)).await;
        clock.pass(2_000);
        turn_until(&mut dispatcher, "a redirect is a failure", failed(2)).await;
        clock.pass(10_000);
        turn_until(&mut dispatcher, "it is taken", async || states(&store, alert).await[0].1 == "sent").await;
        let heard = receiver.heard();
        assert_eq!(heard.len(), 3, "nobody followed the redirect");
        let keys: Vec<&str> = heard.iter().map(|request| request.header("idempotency-key")).collect();
        assert!(keys.iter().all(|key| *key == keys[0] && !key.is_empty()), "{keys:?}");
        for request in &heard {
            let timestamp = request.header("tirta-timestamp");
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"not so secret as that");
            let tag = ring::hmac::sign(&key, format!("{timestamp}.{}", request.body).as_bytes());
            let expected: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(request.header("tirta-signature"), format!("v1={expected}"));
        }
        assert_ne!(heard[0].header("tirta-timestamp"), heard[2].header("tirta-timestamp"), "each try has its own time");
        let news: News = serde_json::from_str(&heard[2].body).unwrap();
        assert_eq!((news.what, news.alert.unwrap().id), (What::Raised, alert));
    });
}

#[tokio::test]
async fn a_webhook_whose_secret_is_missing_or_short_is_refused_by_name() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let clock = || Hand::new() as Arc<dyn Clock>;
    let short = hook(&receiver, folder.path(), "short");
    let why = Webhook::open(&short, clock()).err().unwrap().to_string();
    assert!(why.contains("siren") && why.contains("16 bytes"), "{why}");
    let missing = config::Webhook { secret_file: folder.path().join("none"), ..short };
    assert!(Webhook::open(&missing, clock()).err().unwrap().to_string().contains("none"));
}
