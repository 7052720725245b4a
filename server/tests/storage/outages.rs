//! Outages as the server keeps and tells them: devices that go and come by their statuses, with the time passed in. On each
//! database.

use crate::databases::{Database, NOW, on_each_database, pi, register};
use server::alert::{Kind, State};
use server::audit::Actor;
use server::outage::{Cause, task::Watch};
use server::store::{AlertFilter, NewSilence, Outage, Store, WhichOutages};
use shared::message::{Cut, LinkState};
use shared::{DeviceName, Status, UtcMillis};
use std::collections::BTreeMap;

const GRACE_MS: i64 = 180_000;

/// A server that looks every two seconds, and a fleet whose devices say how they are each 30 s.
struct Scene {
    store: Store,
    watch: Watch,
    now: i64,
    /// And what each of them says.
    there: BTreeMap<DeviceName, Status>,
}

impl Scene {
    async fn new(database: &Database, devices: u32) -> Self {
        let (store, now) = (database.open().await, NOW.0);
        register(database, devices).await;
        let watch = Watch::new(store.clone(), UtcMillis(now), GRACE_MS);
        let mut scene = Self { store, watch, now, there: (1..=devices).map(|n| (pi(n), status("a"))).collect() };
        for (device, status) in scene.there.clone() {
            scene.say(&device, &status).await;
        }
        // It has been hearing all of them for long.
        scene.pass(GRACE_MS + 20_000).await;
        scene
    }

    async fn say(&self, device: &DeviceName, status: &Status) {
        assert!(self.store.record_status(device, status, UtcMillis(self.now)).await.unwrap());
    }

    /// So much time passes, with looks and with the statuses of those who are there.
    async fn pass(&mut self, ms: i64) {
        let until = self.now + ms;
        while self.now < until {
            self.now += 2_000;
            if self.now % 30_000 < 2_000 {
                for (device, status) in &self.there {
                    self.say(device, status).await;
                }
            }
            self.watch.look(UtcMillis(self.now)).await.unwrap();
        }
    }

    /// They go, and the broker notices.
    async fn lose(&mut self, devices: &[DeviceName]) {
        self.there.retain(|device, _| !devices.contains(device));
        for device in devices {
            self.say(device, &Status::new(LinkState::Lost)).await;
        }
    }

    async fn back(&mut self, device: &DeviceName, status: &Status) {
        self.say(device, status).await;
        self.there.insert(device.clone(), status.clone());
    }

    /// The server is not there for so long, and a new one begins.
    async fn server_is_down(&mut self, ms: i64) {
        self.now += ms;
        self.watch = Watch::new(self.store.clone(), UtcMillis(self.now), GRACE_MS);
    }

    async fn outages(&self) -> Vec<Outage> {
        self.store.outages(&WhichOutages::default(), 500).await.unwrap()
    }

    /// The newest alert of a location.
    async fn group(&self) -> server::alert::Alert {
        let alerts = self.alerts().await;
        alerts.into_iter().find(|alert| alert.kind == Kind::LocationOffline).unwrap()
    }

    async fn alerts(&self) -> Vec<server::alert::Alert> {
        self.store.alerts(&AlertFilter::default(), None, 500, UtcMillis(self.now)).await.unwrap()
    }
}

fn status(boot: &str) -> Status {
    let mut status = Status::new(LinkState::Online);
    (status.boot, status.up_s) = (boot.to_owned(), Some(25));
    status
}

/// The same boot after its connection was cut.
fn after_cut(ago_s: u64, why: &str) -> Status {
    let mut status = status("a");
    status.cut = Some(Cut { ago_s, why: why.to_owned() });
    status
}

async fn place(database: &Database, location: &str, devices: std::ops::RangeInclusive<u32>) {
    let rows: Vec<String> =
        devices.map(|n| format!("('pi-{n}', '{n:016x}', '{location}', '', '', {at}, {at})", at = NOW.0)).collect();
    let sql = format!(
        "INSERT INTO registration (name, serial, location, metrics, notes, created_at, changed_at) VALUES {}",
        rows.join(",")
    );
    database.tamper(sql).await;
}

/// News that somebody is told.
async fn told(database: &Database) -> i64 {
    database.number("SELECT COUNT(*) FROM outbox WHERE withheld IS NULL").await
}

#[test]
fn a_whole_site_of_fifty_that_goes_at_once_is_one_message_with_fifty_children() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 52).await;
        place(&database, "Hall", 1..=50).await;
        for n in 1..=50 {
            scene.lose(&[pi(n)]).await;
            scene.pass(2_000).await;
        }
        scene.pass(100_000).await;
        assert_eq!(scene.alerts().await.len(), 0, "nobody is disturbed before the grace time is over");
        scene.pass(240_000).await;
        let alerts = scene.alerts().await;
        let site = alerts.iter().find(|alert| alert.kind == Kind::LocationOffline).unwrap();
        assert_eq!((site.location.as_deref(), site.children, alerts.len()), (Some("Hall"), 50, 51));
        assert!(alerts.iter().filter(|alert| alert.kind == Kind::Offline).all(|alert| alert.parent == Some(site.id)));
        assert_eq!(told(&database).await, 1, "one message");
        assert!(site.text.en.starts_with("50 of 50 devices at Hall are offline"), "{}", site.text.en);
        // Most are back: the site is.
        for n in 1..=49 {
            scene.back(&pi(n), &status("b")).await;
        }
        scene.pass(4_000).await;
        assert_eq!(told(&database).await, 2, "and one that it is over");
        let alerts = scene.alerts().await;
        assert_eq!(alerts.iter().find(|alert| alert.kind == Kind::LocationOffline).unwrap().state, State::Resolved);
        assert!(scene.outages().await.iter().filter(|o| o.ended_at.is_some()).all(|o| o.cause == Cause::Power));
        // One stays away, and is told alone after another grace time.
        scene.pass(GRACE_MS + 4_000).await;
        assert_eq!(told(&database).await, 3);
        let left: Vec<_> = scene.alerts().await.into_iter().filter(|alert| alert.state == State::Open).collect();
        assert_eq!((left.len(), left[0].device.as_deref(), left[0].parent), (1, Some("pi-50"), None));
    });
}

#[test]
fn a_site_of_which_one_device_runs_on_is_one_message_too_and_so_are_those_who_stay_away() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 52).await;
        place(&database, "Hall", 1..=50).await;
        let all: Vec<_> = (2..=50).map(pi).collect();
        scene.lose(&all).await;
        // The first is back early, before anybody is told.
        scene.pass(60_000).await;
        scene.back(&pi(2), &status("b")).await;
        scene.pass(GRACE_MS).await;
        let site = scene.group().await;
        assert!(site.text.en.starts_with("48 of 50 devices at Hall are offline"), "{}", site.text.en);
        assert_eq!((told(&database).await, site.children), (1, 48));
        // One more goes: it belongs to it.
        scene.lose(&[pi(1)]).await;
        scene.pass(GRACE_MS + 40_000).await;
        let site = scene.group().await;
        assert_eq!((site.children, &site.detail["devices"], told(&database).await), (49, &49.into(), 1));
        // The others come one by one over minutes.
        for n in 3..=33 {
            scene.back(&pi(n), &status("b")).await;
            scene.pass(10_000).await;
        }
        assert_eq!((scene.group().await.state, told(&database).await), (State::Open, 1), "18 of 49 are out");
        for n in 34..=40 {
            scene.back(&pi(n), &status("b")).await;
            scene.pass(10_000).await;
        }
        assert_eq!((scene.group().await.state, told(&database).await), (State::Resolved, 2));
        // Eleven stay away: one message.
        scene.pass(GRACE_MS + 10_000).await;
        let rest = scene.group().await;
        assert_eq!((rest.state, rest.children, told(&database).await), (State::Open, 11, 3));
        assert!(rest.text.en.starts_with("11 of 50 devices at Hall are offline"), "{}", rest.text.en);
        scene.pass(3 * GRACE_MS).await;
        assert_eq!(told(&database).await, 3, "and that is that");
    });
}

#[test]
fn two_devices_of_fifty_are_two_devices() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 50).await;
        place(&database, "Hall", 1..=50).await;
        scene.lose(&[pi(1), pi(2)]).await;
        scene.pass(GRACE_MS + 40_000).await;
        let kinds: Vec<_> = scene.alerts().await.into_iter().map(|alert| (alert.kind, alert.parent)).collect();
        assert_eq!((kinds, told(&database).await), (vec![(Kind::Offline, None); 2], 2));
    });
}

#[test]
fn a_site_whose_alert_somebody_resolved_by_hand_is_still_one() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 8).await;
        place(&database, "Hall", 1..=6).await;
        scene.lose(&(1..=5).map(pi).collect::<Vec<_>>()).await;
        scene.pass(GRACE_MS + 40_000).await;
        database
            .tamper("UPDATE alert SET state = 'resolved', resolved_by = 'budi' WHERE kind = 'location_offline'")
            .await;
        scene.lose(&[pi(6)]).await;
        scene.pass(2 * GRACE_MS).await;
        assert_eq!((scene.group().await.children, told(&database).await), (6, 1));
        for n in 1..=4 {
            scene.back(&pi(n), &status("b")).await;
        }
        scene.pass(GRACE_MS + 10_000).await;
        assert_eq!(told(&database).await, 1, "two of six are not fewer than a third");
        scene.back(&pi(5), &status("b")).await;
        scene.pass(GRACE_MS + 10_000).await;
        let left: Vec<_> = scene.alerts().await.into_iter().filter(|alert| alert.state == State::Open).collect();
        assert_eq!((left.len(), left[0].device.as_deref(), left[0].parent), (1, Some("pi-6"), None));
    });
}

#[test]
fn nobody_hears_again_of_a_device_whose_alert_somebody_has_dismissed_while_its_place_was_gone() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 10).await;
        place(&database, "Hall", 1..=6).await;
        scene.lose(&(1..=6).map(pi).collect::<Vec<_>>()).await;
        scene.pass(GRACE_MS + 40_000).await;
        database.tamper("UPDATE alert SET state = 'resolved', resolved_by = 'budi' WHERE device = 'pi-6'").await;
        for n in 1..=5 {
            scene.back(&pi(n), &status("b")).await;
        }
        scene.pass(2 * GRACE_MS).await;
        assert_eq!(told(&database).await, 2, "the place, and that it is back");
        // It is told of anew when it goes anew.
        scene.back(&pi(6), &status("b")).await;
        scene.pass(60_000).await;
        scene.lose(&[pi(6)]).await;
        scene.pass(GRACE_MS + 40_000).await;
        assert_eq!(told(&database).await, 3);
    });
}

#[test]
fn who_is_left_of_a_place_keeps_nobody_from_hearing_what_happens_there_next() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 24).await;
        place(&database, "Hall", 1..=20).await;
        scene.lose(&(1..=20).map(pi).collect::<Vec<_>>()).await;
        scene.pass(GRACE_MS + 40_000).await;
        for n in 3..=20 {
            scene.back(&pi(n), &status("b")).await;
        }
        scene.pass(2 * GRACE_MS).await;
        assert_eq!((scene.group().await.children, told(&database).await), (2, 3), "gone, back but for two");
        scene.lose(&[pi(20)]).await;
        scene.pass(2 * GRACE_MS).await;
        assert_eq!(told(&database).await, 4, "a device");
        scene.lose(&(3..=19).map(pi).collect::<Vec<_>>()).await;
        scene.pass(2 * GRACE_MS).await;
        assert_eq!((scene.group().await.children, told(&database).await), (17, 5), "the place again");
    });
}

#[test]
fn when_the_server_itself_was_down_no_device_was_and_nobody_is_told() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 5).await;
        scene.server_is_down(3_600_000).await;
        scene.pass(6_000).await;
        for device in scene.there.clone().into_keys() {
            scene.say(&device, &after_cut(3_600, "refused")).await;
        }
        scene.pass(600_000).await;
        let outages = scene.outages().await;
        assert_eq!(outages.iter().map(|o| (o.device.clone(), o.cause)).collect::<Vec<_>>(), [(None, Cause::Server)]);
        assert!((3_590_000..3_620_000).contains(&(outages[0].ended_at.unwrap() - outages[0].started_at)));
        assert_eq!((scene.alerts().await.len(), told(&database).await), (0, 0));
    });
}

#[test]
fn a_server_that_restarts_in_a_moment_was_not_down_and_still_knows_who_is_gone() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 2).await;
        scene.lose(&[pi(1)]).await;
        scene.pass(20_000).await;
        scene.server_is_down(10_000).await;
        scene.pass(GRACE_MS).await;
        let outages = scene.outages().await;
        assert_eq!((outages.len(), outages[0].device.as_deref()), (1, Some("pi-1")));
        assert_eq!(scene.alerts().await[0].kind, Kind::Offline);
    });
}

#[test]
fn the_last_will_of_a_connection_that_is_made_anew_is_nothing() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 2).await;
        for _ in 0..5 {
            scene.lose(&[pi(1)]).await;
            scene.pass(4_000).await;
            scene.back(&pi(1), &status("a")).await;
            scene.pass(60_000).await;
        }
        assert_eq!((scene.outages().await.len(), scene.alerts().await.len()), (0, 0));
    });
}

#[test]
fn a_device_that_loses_its_network_is_told_and_what_it_says_afterwards_is_the_cause() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 3).await;
        let went = scene.now;
        scene.lose(&[pi(2)]).await;
        scene.pass(GRACE_MS + 40_000).await;
        let alert = &scene.alerts().await[0];
        assert_eq!((alert.kind, alert.device.as_deref(), alert.state), (Kind::Offline, Some("pi-2"), State::Open));
        assert!((went - 30_000..=went).contains(&alert.since), "since its last sign of life");
        scene.back(&pi(2), &after_cut(220, "no_route")).await;
        scene.pass(2_000).await;
        let outage = &scene.outages().await[0];
        assert_eq!(
            (outage.cause, outage.detail["why"].as_str(), outage.alert),
            (Cause::Network, Some("no_route"), Some(alert.id))
        );
        assert_eq!(scene.alerts().await[0].state, State::Resolved);
    });
}

#[test]
fn three_outages_in_a_day_are_a_notice_that_is_over_after_a_day_without_one() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 2).await;
        for n in 1..=3 {
            scene.lose(&[pi(1)]).await;
            scene.pass(60_000).await;
            scene.back(&pi(1), &status(if n % 2 == 0 { "a" } else { "b" })).await;
            scene.pass(2_000).await;
            let notices = scene.alerts().await.len();
            assert_eq!(notices, usize::from(n == 3), "after {n}");
        }
        assert_eq!(scene.alerts().await[0].kind, Kind::RepeatedOutages);
        // A day later, as far as outages go.
        let day = "UPDATE outage SET started_at = started_at - 86400000, ended_at = ended_at - 86400000";
        database.tamper(day).await;
        scene.pass(62_000).await;
        assert_eq!(scene.alerts().await[0].state, State::Resolved);
    });
}

#[test]
fn outages_in_maintenance_and_those_that_end_with_a_revocation_are_no_notice() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 4).await;
        place(&database, "Hall", 1..=1).await;
        let window = NewSilence {
            kind: "maintenance".to_owned(),
            scope: "location".to_owned(),
            target: "Hall".to_owned(),
            from: UtcMillis(scene.now),
            to: UtcMillis(scene.now + 600_000),
            reason: "cleaning".to_owned(),
        };
        scene.store.add_silence(&window, &Actor::account("budi"), UtcMillis(scene.now)).await.unwrap();
        for n in 0..3 {
            scene.lose(&[pi(1), pi(4)]).await;
            scene.pass(60_000).await;
            for device in [1, 4] {
                scene.back(&pi(device), &status(if n % 2 == 0 { "b" } else { "a" })).await;
            }
            scene.lose(&[pi(2)]).await;
            scene.pass(60_000).await;
            database.tamper("UPDATE device SET revoked_at = 1 WHERE name = 'pi-2'").await;
            scene.pass(2_000).await;
            database.tamper("UPDATE device SET revoked_at = NULL WHERE name = 'pi-2'").await;
            scene.back(&pi(2), &status("a")).await;
            scene.pass(2_000).await;
        }
        // Nobody works at pi-4, and nobody took it away.
        let noticed: Vec<_> = scene.alerts().await.into_iter().map(|alert| (alert.kind, alert.device)).collect();
        assert_eq!(noticed, [(Kind::RepeatedOutages, Some("pi-4".to_owned()))]);
        // A day later it is gone again, and then somebody takes it away.
        scene.lose(&[pi(4)]).await;
        scene.pass(60_000).await;
        let day = "UPDATE outage SET started_at = started_at - 86400000, ended_at = ended_at - 86400000";
        database.tamper(format!("{day} WHERE ended_at IS NOT NULL")).await;
        scene.pass(4_000).await;
        assert_eq!(scene.alerts().await[0].state, State::Open);
        database.tamper("UPDATE device SET revoked_at = 1 WHERE name = 'pi-4'").await;
        scene.pass(4_000).await;
        assert_eq!(scene.alerts().await[0].state, State::Resolved);
    });
}

#[test]
fn two_servers_on_one_database_count_a_power_cut_once() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 2).await;
        let mut other = Watch::new(database.open().await, UtcMillis(scene.now), GRACE_MS);
        for n in 1..=2 {
            other.look(UtcMillis(scene.now)).await.unwrap();
            scene.now += 25_000;
            scene.back(&pi(1), &status(&format!("boot {n}"))).await;
            scene.watch.look(UtcMillis(scene.now)).await.unwrap();
            other.look(UtcMillis(scene.now)).await.unwrap();
        }
        let outages: Vec<_> = scene.outages().await.into_iter().map(|outage| (outage.device, outage.cause)).collect();
        assert_eq!(outages, vec![(Some("pi-1".to_owned()), Cause::Power); 2]);
        assert_eq!(scene.alerts().await.len(), 0, "twice is not often");
    });
}

#[test]
fn a_clock_that_is_set_back_hides_no_outage() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 6).await;
        scene.now -= 3_600_000;
        scene.pass(10_000).await;
        // One that the broker loses, and one that only falls silent.
        scene.lose(&[pi(1)]).await;
        scene.there.remove(&pi(2));
        scene.pass(GRACE_MS + 100_000).await;
        let mut gone: Vec<_> = scene.alerts().await.into_iter().filter_map(|alert| alert.device).collect();
        gone.sort();
        assert_eq!(gone, ["pi-1", "pi-2"]);
        scene.back(&pi(1), &status("a")).await;
        scene.pass(4_000).await;
        assert_eq!(scene.alerts().await.iter().filter(|alert| alert.state == State::Open).count(), 1);
    });
}

#[test]
fn one_that_is_revoked_is_not_missed_any_more() {
    on_each_database(async |database| {
        let mut scene = Scene::new(&database, 2).await;
        scene.lose(&[pi(1)]).await;
        scene.pass(GRACE_MS + 40_000).await;
        assert_eq!(scene.alerts().await[0].state, State::Open);
        database.tamper("UPDATE device SET revoked_at = 1 WHERE name = 'pi-1'").await;
        scene.pass(2_000).await;
        assert_eq!(scene.alerts().await[0].state, State::Resolved);
        assert!(scene.outages().await[0].ended_at.is_some());
    });
}
