//! What the store promises about alerts, on every engine: readings become alerts where they are kept, each told once, however
//! the server is cut off; and what people do with them stands.

use crate::databases::{NOW, on_each_database, pi, reading, received, register};
use crate::rules::{MINUTE, PH, SECOND, Sender, all, at, events, rule, told, under, what_was_told};
use server::alert::{State, What};
use server::audit::Actor;
use server::store::{AlertAct, AlertFilter, Incoming};
use shared::message::{BufferStatus, LinkState};
use shared::rule::{Seen, Severity, Thresholds, Transition, Watches};
use shared::{BufferId, ClockQuality, Flags, Metric, Outcome, Reading, Stamp, Status, message::Received};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::Duration;

#[test]
fn an_alert_begins_gets_worse_and_better_and_ends_and_each_is_told_once() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let mut sender = Sender::new(1);
        for (n, value) in [7.0, 9.4, 10.6, 10.4, 9.5, 8.0].into_iter().enumerate() {
            let now = n as i64 * 10 * SECOND;
            sender.send(&store, now, &[(now, value)]).await;
        }
        let [alert] = &all(&store).await[..] else { panic!("one alert") };
        assert_eq!(
            (alert.state, alert.severity, alert.worst),
            (State::Resolved, Severity::Warning, Severity::Critical)
        );
        assert_eq!((alert.value, alert.limit, alert.extreme), (Some(9.5), Some(9.0), Some(10.6)));
        assert_eq!((alert.since, alert.raised_at, alert.resolved_at), (at(10_000).0, at(10_000).0, Some(at(50_000).0)));
        assert_eq!(alert.resolved_by.as_deref(), Some("rule"));
        assert_eq!(events(&store, alert.id).await, ["rule raised", "rule escalated", "rule eased", "rule cleared"]);
        let news = told(&database).await;
        assert_eq!(
            news.iter().map(|(news, _)| news.what).collect::<Vec<_>>(),
            [What::Raised, What::Escalated, What::Eased, What::Cleared]
        );
        let (first, _) = &news[0];
        assert_eq!(first.key, format!("alert-{}-1", alert.id));
        assert_eq!(first.text.id, "Peringatan: pH pi-1 tinggi: 9,4 (batas 9,0) sejak 09:00");
        assert_eq!(first.alert.as_ref().unwrap().value, Some(9.4), "as it was then");
        assert_eq!(database.number("SELECT COUNT(*) FROM watch").await, 1);
    });
}

#[test]
fn a_device_without_rules_is_not_looked_at_and_one_of_another_metric_is_not_meant() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 2).await;
        Sender::new(1).send(&store, 0, &[(0, 99.0)]).await;
        rule(&store, Metric::Tds, Some(PH), NOW).await;
        Sender::new(2).send(&store, 0, &[(0, 99.0)]).await;
        assert!(all(&store).await.is_empty());
    });
}

/// Numbers that look random, the same ones each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[test]
fn noise_around_a_limit_for_a_day_is_one_alert_however_often_the_server_is_started_anew() {
    on_each_database(|database| async move {
        let rules = r#"{"high":{"warning":9},"hysteresis":0.25,"hold_ms":60000,"clear_ms":60000}"#;
        let mut store = under(&database, 1, Metric::Ph, rules).await;
        let (mut sender, mut dice) = (Sender::new(1), Dice(7));
        let mut unacknowledged: Vec<Incoming> = vec![];
        for minute in 0..1440 {
            // It lies at the limit for most of the day, and well below it in the end.
            let middle = if minute < 1300 { 9.0 } else { 8.5 };
            let seconds = (0..6).map(|n| (minute * 60 + n * 10) * SECOND);
            let readings: Vec<_> = seconds.map(|ms| (ms, middle + 0.09 + 0.2 * dice.unit() - 0.1)).collect();
            unacknowledged.push(sender.batch((minute * 60 + 50) * SECOND, &readings));
            store.append(&unacknowledged).await.unwrap();
            // An acknowledgement may be lost: then all of it comes again.
            if dice.next() % 4 != 0 {
                unacknowledged.clear();
            }
            if dice.next() % 20 == 0 {
                store.close().await;
                store = database.open().await;
            }
        }
        assert_eq!(what_was_told(&database).await, [What::Raised, What::Cleared]);
        assert_eq!(all(&store).await.len(), 1);
    });
}

#[test]
fn the_server_decides_the_same_as_the_device_whatever_is_cut_off_repeated_or_started_anew() {
    on_each_database(|database| async move {
        let rules = r#"{"low":{"warning":6,"critical":5},"high":{"warning":8,"critical":9},"hysteresis":0.3,"hold_ms":20000,
            "clear_ms":30000,"rate":{"change":1.5,"within_ms":60000},"fault":{"after_ms":0,"severity":"critical"}}"#;
        let mut store = under(&database, 1, Metric::Ph, rules).await;
        let thresholds: Thresholds = [(Metric::Ph, serde_json::from_str(rules).unwrap())].into();
        let (mut device, mut decided): (Watches, Vec<Transition>) = (Watches::default(), vec![]);
        let (mut dice, mut now, mut ph, mut seq) = (Dice(11), 0, 7.0_f64, 0);
        let mut unacknowledged: Vec<Reading> = vec![];
        for _ in 0..600 {
            // So few that nothing is late although it comes again and again.
            for _ in 0..1 + dice.next() % 40 {
                now += SECOND;
                ph = (ph + 0.5 * (dice.unit() - 0.5)).clamp(4.0, 10.0);
                seq += 1;
                let mut taken = reading(seq, now, Metric::Ph, ph);
                if dice.next() % 20 == 0 {
                    taken.outcome = Outcome::Fault(shared::Fault::NoAnswer);
                }
                device.take(&thresholds, &Seen::of(&taken).unwrap(), &mut decided);
                unacknowledged.push(taken);
            }
            let batch = Incoming { device: pi(1), received: received(1, unacknowledged.clone()), at: at(now) };
            if dice.next() % 5 == 0 {
                // The server is killed while it takes the batch in: before, during or after its commit.
                let cut = Duration::from_micros(dice.next() % 4000);
                let _ = tokio::time::timeout(cut, store.append(std::slice::from_ref(&batch))).await;
                store = database.open().await;
                continue;
            }
            store.append(&[batch]).await.unwrap();
            if dice.next() % 3 != 0 {
                unacknowledged.clear();
            }
        }
        if !unacknowledged.is_empty() {
            let rest = Incoming { device: pi(1), received: received(1, unacknowledged), at: at(now) };
            store.append(&[rest]).await.unwrap();
        }
        let began = decided
            .iter()
            .filter(|told| told.before.is_none())
            .map(|told| (told.kind.as_str(), told.since.0, told.at.0));
        let (mut began, mut raised): (Vec<_>, Vec<_>) = (began.collect(), vec![]);
        let mut kept = vec![];
        for alert in all(&store).await {
            raised.push((alert.kind.as_str(), alert.since, alert.raised_at));
            for event in store.alert_events(alert.id).await.unwrap() {
                kept.push((event.what.clone(), alert.kind.as_str()));
            }
        }
        let word = |told: &Transition| match (told.before, told.after) {
            (None, _) => "raised",
            (_, None) => "cleared",
            (before, after) if after > before => "escalated",
            _ => "eased",
        };
        let mut expected: Vec<_> = decided.iter().map(|told| (word(told).to_owned(), told.kind.as_str())).collect();
        assert!(expected.len() > 100, "{}", expected.len());
        let told = what_was_told(&database).await.len();
        assert_eq!(told, expected.len(), "each is told once");
        began.sort_unstable();
        raised.sort_unstable();
        assert_eq!(raised, began);
        kept.sort();
        expected.sort();
        assert_eq!(kept, expected);
    });
}

#[test]
fn a_reading_whose_time_is_not_known_never_alerts() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let mut batch = Sender::new(1).batch(0, &[(0, 13.0), (1000, 13.0)]);
        for reading in &mut batch.received.readings {
            reading.stamp = Stamp { clock: ClockQuality::Unsynced, ..reading.stamp };
        }
        store.append(&[batch]).await.unwrap();
        assert!(all(&store).await.is_empty());
    });
}

#[test]
fn data_that_is_missing_is_told_by_time_alone_if_the_device_is_there_and_has_sent_all() {
    on_each_database(|database| async move {
        let store = under(&database, 2, Metric::Ph, r#"{"missing":{"after_ms":60000}}"#).await;
        let mut status = Status::new(LinkState::Online);
        status.clock = Some(ClockQuality::Synced);
        for n in [1, 2] {
            Sender::new(n).send(&store, 0, &[(0, 7.0)]).await;
        }
        for seconds in (10..=250).step_by(10) {
            // The second has not sent all that it has.
            for (n, pending) in [(1, 0), (2, 7)] {
                status.buffer = Some(BufferStatus::new(BufferId::from_random(1), pending, 0));
                store.record_status(&pi(n), &status, at(seconds * SECOND)).await.unwrap();
            }
            store.notice_missing(at(seconds * SECOND)).await.unwrap();
        }
        let alerts = all(&store).await;
        let shown: Vec<_> =
            alerts.iter().map(|alert| (alert.device.as_deref().unwrap(), alert.kind.as_str(), alert.since)).collect();
        assert_eq!(shown, [("pi-1", "missing", NOW.0)]);
        Sender { device: pi(1), seq: 1 }.send(&store, 260 * SECOND, &[(260 * SECOND, 7.0)]).await;
        assert_eq!(what_was_told(&database).await, [What::Raised, What::Cleared]);
    });
}

#[test]
fn nobody_is_told_of_what_is_silenced_or_snoozed_but_it_is_kept_and_shown() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let mut sender = Sender::new(1);
        database
            .tamper(format!(
                "INSERT INTO silence (id, kind, scope, target, from_at, to_at, reason, made_by, made_at)
                 VALUES (1, 'maintenance', 'device', 'pi-1', {}, {}, 'probes are cleaned', 'budi', 0)",
                NOW.0,
                at(MINUTE).0
            ))
            .await;
        sender.send(&store, 1000, &[(1000, 9.5)]).await;
        let alert = all(&store).await.remove(0);
        assert!(alert.silenced && alert.state == State::Open);
        let snooze = AlertAct::Snooze { until: Some(at(5 * MINUTE)) };
        store.act_on_alerts(&[alert.id], &snooze, &Actor::account("budi"), at(2 * MINUTE)).await.unwrap();
        sender.send(&store, 3 * MINUTE, &[(3 * MINUTE, 10.5)]).await;
        sender.send(&store, 6 * MINUTE, &[(6 * MINUTE, 7.0)]).await;
        let withheld: Vec<_> = told(&database).await.into_iter().map(|(_, why)| why).collect();
        assert_eq!(withheld, [Some("maintenance".to_owned()), Some("snoozed".to_owned()), None]);
    });
}

#[test]
fn what_people_do_with_alerts_stands_with_their_name_and_is_told() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let mut sender = Sender::new(1);
        sender.send(&store, 0, &[(0, 9.5)]).await;
        let id = all(&store).await[0].id;
        let act =
            async |act: AlertAct| store.act_on_alerts(&[id, 5], &act, &Actor::account("siti"), at(1000)).await.unwrap();
        assert_eq!(store.alert_counts().await.unwrap().unread, 1);
        assert_eq!(act(AlertAct::Acknowledge).await, [id]);
        assert!(act(AlertAct::Acknowledge).await.is_empty(), "it is already");
        assert!(act(AlertAct::Read).await.is_empty(), "who acts has read it");
        assert_eq!(act(AlertAct::Assign { assignee: Some("joko".to_owned()) }).await, [id]);
        assert_eq!(act(AlertAct::Note { text: "Dosing pump was stuck 100%".to_owned() }).await, [id]);
        assert_eq!(act(AlertAct::Resolve { reason: "repaired".to_owned() }).await, [id]);
        let alert = all(&store).await.remove(0);
        let shown = (alert.resolved_by.as_deref(), alert.reason.as_deref(), alert.assignee.as_deref());
        assert_eq!(shown, (Some("siti"), Some("repaired"), Some("joko")));
        assert!(alert.read);
        let expected =
            ["rule raised", "siti acknowledged", "siti assigned", "siti noted", "siti resolved"].map(str::to_owned);
        assert_eq!(events(&store, id).await, expected);
        assert_eq!(what_was_told(&database).await, [What::Raised, What::Acknowledged, What::Resolved]);
        let log = store.audit(None, &[], None, 10).await.unwrap();
        let acts: Vec<_> =
            log.iter().filter(|e| e.act == "alert.acted").map(|e| e.detail["act"].as_str().unwrap()).collect();
        assert_eq!(acts, ["resolve", "note", "assign", "acknowledge"]);
        let found = |q: &str| AlertFilter { q: Some(q.to_owned()), ..AlertFilter::default() };
        assert_eq!(store.alerts(&found("STUCK 100%"), None, 10, NOW).await.unwrap().len(), 1);
        assert!(store.alerts(&found("stuck_100"), None, 10, NOW).await.unwrap().is_empty());
    });
}

#[test]
fn who_took_an_alert_by_mistake_puts_it_back_and_it_counts_as_never_over() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        Sender::new(1).send(&store, 0, &[(0, 9.5)]).await;
        let id = all(&store).await[0].id;
        let siti = Actor::account("siti");
        let act = async |act: AlertAct| store.act_on_alerts(&[id], &act, &siti, at(1000)).await.unwrap();
        assert!(act(AlertAct::Reopen).await.is_empty(), "it is open");
        act(AlertAct::Acknowledge).await;
        assert_eq!(act(AlertAct::Reopen).await, [id]);
        let alert = all(&store).await.remove(0);
        assert_eq!((alert.state, alert.acknowledged_at, alert.reopened), (State::Open, None, 0));
        assert_eq!(what_was_told(&database).await, [What::Raised, What::Acknowledged, What::Reopened]);
        act(AlertAct::Resolve { reason: "repaired".to_owned() }).await;
        assert_eq!(act(AlertAct::Reopen).await, [id]);
        assert_eq!(all(&store).await.remove(0).reopened, 1);
    });
}

#[test]
fn what_was_resolved_by_hand_is_reopened_when_it_gets_worse_and_begins_anew_when_it_was_over() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let mut sender = Sender::new(1);
        let admin = Actor::account("admin");
        sender.send(&store, 0, &[(0, 9.5)]).await;
        let id = all(&store).await[0].id;
        let resolve = AlertAct::Resolve { reason: "looks fine".to_owned() };
        store.act_on_alerts(&[id], &resolve, &admin, at(1000)).await.unwrap();
        sender.send(&store, 2000, &[(2000, 10.5)]).await;
        let alert = all(&store).await.remove(0);
        assert_eq!((alert.state, alert.reopened, alert.severity), (State::Open, 1, Severity::Critical));
        store.act_on_alerts(&[id], &resolve, &admin, at(3000)).await.unwrap();
        sender.send(&store, 5000, &[(4000, 7.0), (5000, 9.5)]).await;
        let alerts = all(&store).await;
        assert_eq!(alerts.iter().map(|alert| alert.state).collect::<Vec<_>>(), [State::Resolved, State::Open]);
        let reopen = store.act_on_alerts(&[id], &AlertAct::Reopen, &admin, at(6000)).await.unwrap();
        assert!(reopen.is_empty(), "there is never a second of a key");
    });
}

#[test]
fn alerts_that_are_cleared_away_come_back_as_they_were_unless_they_began_anew() {
    on_each_database(|database| async move {
        let store = under(&database, 2, Metric::Ph, PH).await;
        let (mut one, mut other) = (Sender::new(1), Sender::new(2));
        let admin = Actor::account("admin");
        one.send(&store, 0, &[(0, 9.5)]).await;
        other.send(&store, 0, &[(0, 9.5)]).await;
        let before = all(&store).await;
        let nothing = AlertFilter { severity: Some("critical".to_owned()), ..AlertFilter::default() };
        assert!(store.clear_alerts(&nothing, &admin, at(500)).await.unwrap().is_none());
        let cleared = store.clear_alerts(&AlertFilter::default(), &admin, at(1000)).await.unwrap().unwrap();
        assert_eq!((cleared.alerts, all(&store).await.len()), (2, 0));
        assert_eq!(store.alert_counts().await.unwrap().open, 0);
        one.send(&store, 3000, &[(2000, 7.0), (3000, 9.6)]).await;
        assert_eq!(all(&store).await.len(), 1);
        assert_eq!(store.restore_alerts(cleared.id, &admin, at(4000)).await.unwrap(), Some(2));
        assert_eq!(store.restore_alerts(cleared.id, &admin, at(4000)).await.unwrap(), None, "once is enough");
        let after = all(&store).await;
        assert_eq!(after.len(), 3);
        let states: Vec<_> = after.iter().map(|alert| (alert.device.as_deref().unwrap(), alert.state)).collect();
        assert_eq!(states, [("pi-1", State::Resolved), ("pi-2", State::Open), ("pi-1", State::Open)]);
        assert_eq!((after[1].since, after[1].value), (before[1].since, before[1].value));
        assert_eq!(store.clearances().await.unwrap()[0].restored_at, Some(at(4000).0));
    });
}

#[test]
fn a_gap_of_what_was_refused_changes_nothing_about_the_rules() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let empty = Received { buffer: BufferId::from_random(1), first: 1, last: 4, readings: vec![], refused: vec![] };
        store.append(&[Incoming { device: pi(1), received: empty, at: NOW }]).await.unwrap();
        let mut batch = Sender { device: pi(1), seq: 4 }.batch(0, &[(0, 9.5)]);
        batch.received.readings[0].flags = Flags::NONE;
        store.append(&[batch]).await.unwrap();
        assert_eq!(all(&store).await.len(), 1);
    });
}

#[test]
fn an_act_that_has_to_give_way_to_another_transaction_is_done_all_the_same() {
    on_each_database(|database| async move {
        if !database.url.starts_with("postgres") {
            // SQLite has one writer at a time: none of two has to give way.
            return;
        }
        drop(under(&database, 2, Metric::Ph, PH).await);
        let url = format!("{}&options[deadlock_timeout]=3s", database.url);
        let store = server::store::Store::open(&url).await.unwrap();
        for device in [1, 2] {
            Sender::new(device).send(&store, 0, &[(0, 9.5)]).await;
        }
        let ids: Vec<i64> = all(&store).await.iter().map(|alert| alert.id).collect();
        // Another transaction has the second alert, and will want the first.
        let mut other = PgConnection::connect(&format!("{}&options[deadlock_timeout]=1h", database.url)).await.unwrap();
        let touch = |n: usize| AssertSqlSafe(format!("UPDATE alert SET changed_at = changed_at WHERE id = {}", ids[n]));
        let mut other = other.begin().await.unwrap();
        sqlx::query(touch(1)).execute(&mut *other).await.unwrap();
        let (wanted, siti) = (ids.clone(), Actor::account("siti"));
        let acting =
            tokio::spawn(async move { store.act_on_alerts(&wanted, &AlertAct::Acknowledge, &siti, at(1000)).await });
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))";
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *other).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        sqlx::query(touch(0)).execute(&mut *other).await.unwrap();
        other.commit().await.unwrap();
        assert_eq!(acting.await.unwrap().unwrap(), ids);
        assert_eq!(what_was_told(&database).await[2..], [What::Acknowledged, What::Acknowledged]);
    });
}
