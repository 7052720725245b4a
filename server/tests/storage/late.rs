//! What the store promises about late data, on every engine: nobody is alarmed by the past, it comes as one message, and no
//! device keeps the others waiting for ever.

use crate::databases::on_each_database;
use crate::rules::{HOUR, MINUTE, PH, SECOND, Sender, all, at, told, under, what_was_told};
use server::alert::{News, State, What};
use server::audit::Actor;
use server::store::{AlertAct, AlertFilter, NewSilence, Store};
use shared::{Metric, rule::Severity};

/// What the housekeeping does, each ten seconds of a time.
async fn sweep(store: &Store, from: i64, to: i64) {
    for now in (from..=to).step_by(10_000) {
        store.tell_of_the_past(at(now)).await.unwrap();
    }
}

/// It was too high for a minute, an hour ago, and nothing is late any more.
async fn was_high(store: &Store, device: u32, now: i64) {
    let readings = [(now - HOUR, 9.5), (now - HOUR + MINUTE, 7.0), (now, 7.0)];
    Sender { device: crate::databases::pi(device), seq: now.unsigned_abs() }.send(store, now, &readings).await;
}

fn devices(digest: &News) -> Vec<&str> {
    digest.alerts.iter().map(|alert| alert.device.as_deref().unwrap()).collect()
}

#[test]
fn hours_of_late_data_come_as_one_digest_and_what_goes_on_is_told_when_the_device_is_up_to_date() {
    on_each_database(|database| async move {
        let store = under(&database, 2, Metric::Ph, PH).await;
        let (mut one, mut other) = (Sender::new(1), Sender::new(2));
        let now = 6 * HOUR;
        // Each half hour of six it was too high for a minute, on both devices; in the end the first stays too high.
        let hours =
            |from: i64| (from..from + 6).flat_map(|n| [(n * 30 * MINUTE, 9.5), (n * 30 * MINUTE + MINUTE, 7.0)]);
        one.send(&store, now, &Vec::from_iter(hours(0))).await;
        other.send(&store, now, &Vec::from_iter(hours(0))).await;
        store.tell_of_the_past(at(now + 10 * SECOND)).await.unwrap();
        assert!(what_was_told(&database).await.is_empty(), "more may come");
        one.send(&store, now + 20 * SECOND, &Vec::from_iter(hours(6).filter(|(ms, _)| *ms < now))).await;
        one.send(&store, now + 30 * SECOND, &[(now - 10 * MINUTE, 9.4), (now + 29 * SECOND, 9.4)]).await;
        assert_eq!(what_was_told(&database).await, [What::Raised], "it goes on");
        store.tell_of_the_past(at(now + 40 * SECOND)).await.unwrap();
        assert_eq!(what_was_told(&database).await.len(), 1, "the other may send more");
        for seconds in [80, 100, 200, 300] {
            store.tell_of_the_past(at(now + seconds * SECOND)).await.unwrap();
        }
        let news = told(&database).await;
        assert_eq!(news.iter().map(|(news, _)| news.what).collect::<Vec<_>>(), [What::Raised, What::Digest]);
        let alerts = all(&store).await;
        let historical = alerts.iter().filter(|alert| alert.historical).count();
        assert_eq!((alerts.len(), historical, news[1].0.alerts.len()), (19, 18, 18));
        assert!(alerts.iter().all(|alert| alert.historical == (alert.state == State::Resolved)));
        one.send(&store, now + 400 * SECOND, &[(now + 400 * SECOND, 7.0)]).await;
        assert_eq!(what_was_told(&database).await.last(), Some(&What::Cleared));
    });
}

#[test]
fn an_alert_that_was_told_and_ended_without_a_network_is_told_to_be_over() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let mut sender = Sender::new(1);
        sender.send(&store, 0, &[(0, 9.5)]).await;
        sender.send(&store, 3 * HOUR, &[(MINUTE, 10.5), (HOUR, 7.0), (3 * HOUR, 7.0)]).await;
        assert_eq!(what_was_told(&database).await, [What::Raised, What::Cleared]);
        let alert = all(&store).await.remove(0);
        assert_eq!((alert.resolved_at, alert.historical, alert.worst), (Some(at(HOUR).0), false, Severity::Critical));
    });
}

#[test]
fn six_hours_that_are_drained_in_some_minutes_are_one_digest_although_alerts_begin_and_end_in_different_batches() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let mut sender = Sender::new(1);
        let (start, minutes) = (6 * HOUR, Vec::from_iter(0..360));
        for (n, some) in minutes.chunks(9).enumerate() {
            let now = start + n as i64 * 15 * SECOND;
            let value = |minute: i64| if minute / 17 % 2 == 1 { 9.5 } else { 7.0 };
            sender.send(&store, now, &Vec::from_iter(some.iter().map(|m| (m * MINUTE, value(*m))))).await;
            store.tell_of_the_past(at(now + 10 * SECOND)).await.unwrap();
        }
        let now = start + 10 * MINUTE;
        sender.send(&store, now, &[(now, 7.0)]).await;
        sweep(&store, now, now + 5 * MINUTE).await;
        assert_eq!(what_was_told(&database).await, [What::Digest]);
        assert_eq!(told(&database).await[0].0.alerts.len(), 11);
    });
}

#[test]
fn a_device_that_is_always_late_is_told_of_all_the_same_and_holds_nobodys_digest() {
    on_each_database(|database| async move {
        let store = under(&database, 2, Metric::Ph, PH).await;
        let (mut slow, start) = (Sender::new(1), HOUR);
        let began = at(start - 10 * MINUTE);
        for now in (start..start + 16 * MINUTE).step_by(30_000) {
            slow.send(&store, now, &[(now - 10 * MINUTE, 9.5)]).await;
            store.tell_of_the_past(at(now + SECOND)).await.unwrap();
            let is_told = !what_was_told(&database).await.is_empty();
            assert_eq!(is_told, now >= start + 15 * MINUTE, "after {} s", (now - start) / SECOND);
        }
        let (raised, _) = told(&database).await.remove(0);
        assert_eq!((raised.what, raised.alert.unwrap().since), (What::Raised, began.0), "with its true time");
        // Another device tells of the past: its digest comes although the first goes on as before.
        let now = start + 16 * MINUTE;
        was_high(&store, 2, now).await;
        for now in (now + SECOND..now + 2 * MINUTE).step_by(30_000) {
            slow.send(&store, now, &[(now - 10 * MINUTE, 9.5)]).await;
            store.tell_of_the_past(at(now + SECOND)).await.unwrap();
        }
        assert_eq!(what_was_told(&database).await, [What::Raised, What::Digest]);
        // Its end is told when it is known; what is over by the time that it is known is of the past.
        let now = start + 20 * MINUTE;
        slow.send(&store, now, &[(now - 10 * MINUTE, 7.0)]).await;
        assert_eq!(what_was_told(&database).await.last(), Some(&What::Cleared));
        slow.send(&store, now + SECOND, &[(now - 9 * MINUTE, 9.5), (now - 8 * MINUTE, 7.0)]).await;
        assert!(all(&store).await.last().unwrap().historical);
        // Once it is caught up, what is late waits again.
        let now = start + 40 * MINUTE;
        slow.send(&store, now, &[(now, 7.0)]).await;
        sweep(&store, now, now + 2 * MINUTE).await;
        let before = what_was_told(&database).await;
        slow.send(&store, now + 3 * MINUTE, &[(now - 10 * MINUTE, 9.5)]).await;
        assert_eq!(what_was_told(&database).await, before);
    });
}

#[test]
fn a_backlog_after_hours_of_silence_waits_again_although_the_device_was_late_before() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let mut sender = Sender::new(1);
        for now in (HOUR..HOUR + 20 * MINUTE).step_by(60_000) {
            sender.send(&store, now, &[(now - 10 * MINUTE, 7.0)]).await;
        }
        sender.send(&store, 6 * HOUR, &[(2 * HOUR, 9.5)]).await;
        sender.send(&store, 6 * HOUR + 10 * SECOND, &[(3 * HOUR, 7.0)]).await;
        assert!(what_was_told(&database).await.is_empty());
    });
}

#[test]
fn a_digest_waits_half_an_hour_at_most_however_many_devices_are_late_in_turn() {
    on_each_database(|database| async move {
        let store = under(&database, 3, Metric::Ph, PH).await;
        was_high(&store, 1, 2 * HOUR).await;
        for n in 0..62 {
            let now = 2 * HOUR + n * 30 * SECOND;
            let readings = [(now - HOUR, 7.0), (now, 7.0)];
            let mut sender = Sender { device: crate::databases::pi(2 + n as u32 % 2), seq: n as u64 * 2 };
            sender.send(&store, now, &readings[..1]).await;
            store.tell_of_the_past(at(now + SECOND)).await.unwrap();
            sender.send(&store, now + 29 * SECOND, &readings[1..]).await;
            assert_eq!(what_was_told(&database).await.len(), usize::from(n >= 60), "after {n} half minutes");
        }
    });
}

#[test]
fn what_is_silenced_or_cleared_away_is_no_part_of_a_digest_and_if_nothing_is_left_there_is_none() {
    on_each_database(|database| async move {
        let store = under(&database, 4, Metric::Ph, PH).await;
        let (admin, now) = (Actor::account("admin"), 2 * HOUR);
        let silence = |target: &str, from: i64, to: i64| NewSilence {
            kind: "silence".to_owned(),
            scope: "device".to_owned(),
            target: target.to_owned(),
            from: at(from),
            to: at(to),
            reason: "cleaning".to_owned(),
        };
        // The first is silenced now; the second was, for as long as it was too high.
        store.add_silence(&silence("pi-1", now, now + 10 * MINUTE), &admin, at(now)).await.unwrap();
        let during = silence("pi-2", now - HOUR - MINUTE, now - HOUR + 2 * MINUTE);
        store.add_silence(&during, &admin, at(now - HOUR - MINUTE)).await.unwrap();
        for device in 1..=4 {
            was_high(&store, device, now).await;
        }
        let third = AlertFilter { device: Some("pi-3".to_owned()), ..AlertFilter::default() };
        assert_eq!(store.clear_alerts(&third, &admin, at(now)).await.unwrap().unwrap().alerts, 1);
        sweep(&store, now, now + 2 * MINUTE).await;
        let [(digest, None)] = &told(&database).await[..] else { panic!("one message") };
        assert_eq!(devices(digest), ["pi-4"]);
        assert_eq!(digest.text.en, "Late data: 1 alert of the past, already over");
        was_high(&store, 1, now + 5 * MINUTE).await;
        sweep(&store, now + 5 * MINUTE, now + 30 * MINUTE).await;
        assert_eq!(what_was_told(&database).await, [What::Digest], "it is settled, also when the silence is over");
        assert_eq!(database.number("SELECT COUNT(*) FROM alert WHERE NOT announced").await, 0);
    });
}

#[test]
fn what_goes_on_is_not_told_of_an_alert_that_was_cleared_away_while_it_waited() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let mut sender = Sender::new(1);
        sender.send(&store, HOUR, &[(HOUR - 10 * MINUTE, 9.5)]).await;
        store.clear_alerts(&AlertFilter::default(), &Actor::account("admin"), at(HOUR)).await.unwrap().unwrap();
        sender.send(&store, HOUR + SECOND, &[(HOUR, 9.5)]).await;
        sweep(&store, HOUR + SECOND, HOUR + 3 * MINUTE).await;
        assert!(what_was_told(&database).await.is_empty());
    });
}

#[test]
fn what_people_did_meanwhile_changes_the_word_that_is_told() {
    on_each_database(|database| async move {
        let store = under(&database, 2, Metric::Ph, PH).await;
        let (mut one, mut other) = (Sender::new(1), Sender::new(2));
        let siti = Actor::account("siti");
        for sender in [&mut one, &mut other] {
            sender.send(&store, HOUR, &[(HOUR - 10 * MINUTE, 9.5)]).await;
        }
        let ids: Vec<i64> = all(&store).await.iter().map(|alert| alert.id).collect();
        store.act_on_alerts(&ids[..1], &AlertAct::Acknowledge, &siti, at(HOUR)).await.unwrap();
        let resolve = AlertAct::Resolve { reason: "repaired".to_owned() };
        store.act_on_alerts(&ids[1..], &resolve, &siti, at(HOUR)).await.unwrap();
        one.send(&store, HOUR + SECOND, &[(HOUR, 9.5)]).await;
        other.send(&store, HOUR + SECOND, &[(HOUR, 7.0)]).await;
        sweep(&store, HOUR + SECOND, HOUR + 3 * MINUTE).await;
        let news: Vec<_> =
            told(&database).await.into_iter().map(|(news, _)| (news.alert.unwrap().id, news.what)).collect();
        assert_eq!(news, [(ids[0], What::Acknowledged), (ids[1], What::Resolved), (ids[0], What::Raised)]);
    });
}

#[test]
fn an_alert_of_the_past_that_somebody_reopens_is_one_of_now() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let (mut sender, siti) = (Sender::new(1), Actor::account("siti"));
        sender.send(&store, HOUR, &[(MINUTE, 9.5), (2 * MINUTE, 7.0), (HOUR, 7.0)]).await;
        let id = all(&store).await[0].id;
        assert_eq!(store.act_on_alerts(&[id], &AlertAct::Reopen, &siti, at(HOUR)).await.unwrap(), [id]);
        sender.send(&store, HOUR + MINUTE, &[(HOUR + MINUTE, 9.5)]).await;
        sweep(&store, HOUR + MINUTE, HOUR + 5 * MINUTE).await;
        sender.send(&store, HOUR + 6 * MINUTE, &[(HOUR + 6 * MINUTE, 7.0)]).await;
        assert_eq!(what_was_told(&database).await, [What::Reopened, What::Raised, What::Cleared]);
        assert_eq!(all(&store).await.len(), 1);
    });
}

#[test]
fn what_was_resolved_by_hand_and_got_worse_in_late_data_is_told_as_reopened_or_worse_once() {
    on_each_database(|database| async move {
        let store = under(&database, 1, Metric::Ph, PH).await;
        let (mut sender, siti) = (Sender::new(1), Actor::account("siti"));
        sender.send(&store, HOUR, &[(HOUR - 10 * MINUTE, 9.5)]).await;
        let id = all(&store).await[0].id;
        let resolve = AlertAct::Resolve { reason: "looks fine".to_owned() };
        store.act_on_alerts(&[id], &resolve, &siti, at(HOUR)).await.unwrap();
        sender.send(&store, HOUR + SECOND, &[(HOUR + SECOND, 10.5)]).await;
        let alert = all(&store).await.remove(0);
        assert_eq!((alert.state, alert.severity), (State::Open, Severity::Critical));
        assert_eq!(what_was_told(&database).await, [What::Resolved, What::Reopened]);
        sender.send(&store, HOUR + MINUTE, &[(HOUR + MINUTE, 7.0)]).await;
        assert_eq!(what_was_told(&database).await, [What::Resolved, What::Reopened, What::Cleared]);
    });
}
