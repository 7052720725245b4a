//! A device that goes and comes, look by look.

use super::*;
use shared::message::Cut;

const GRACE_MS: i64 = 180_000;

/// A device that boots as `boot` and was heard at `last_seen` seconds.
fn seen(state: LinkState, boot: &str, last_seen: i64) -> Seen {
    let mut status = Status::new(state);
    (status.boot, status.up_s) = (boot.to_owned(), Some(20));
    let (name, location) = (DeviceName::numbered(1), Some("Hall".to_owned()));
    Seen {
        name,
        location,
        status: Some(status),
        last_seen: UtcMillis(last_seen * 1000),
        silent_ms: crate::store::ONLINE_GRACE_MS,
    }
}

fn at(seconds: i64) -> UtcMillis {
    UtcMillis(seconds * 1000)
}

/// A watcher that has been hearing for long.
fn watcher() -> Watcher {
    Watcher::new(at(-1000), GRACE_MS)
}

fn open_of(turn: &Turn) -> Open {
    let Turn::Begin { device, started_at, before, .. } = turn else { panic!("{turn:?}") };
    Open { id: 7, device: device.clone(), started_at: *started_at, before: before.clone() }
}

#[test]
fn an_outage_begins_at_the_last_sign_of_life_and_ends_with_the_next() {
    let mut watcher = watcher();
    assert_eq!(watcher.look(&[seen(LinkState::Online, "a", 0)], &[], &[], at(1)), []);
    assert_eq!(watcher.look(&[seen(LinkState::Lost, "a", 0)], &[], &[], at(45)), [], "it may be back at once");
    let turns = watcher.look(&[seen(LinkState::Lost, "a", 0)], &[], &[], at(55));
    let [Turn::Begin { started_at: 0, .. }] = &turns[..] else { panic!("{turns:?}") };
    let open = [open_of(&turns[0])];
    assert_eq!(watcher.look(&[seen(LinkState::Lost, "a", 0)], &open, &[], at(60)), []);
    let mut back = seen(LinkState::Online, "a", 300);
    back.status.as_mut().unwrap().cut = Some(Cut { ago_s: 260, why: "timed_out".to_owned() });
    let turns = watcher.look(&[back], &open, &[], at(301));
    let [Turn::End { id: 7, ended_at: 300_000, cause: Cause::Network, .. }] = &turns[..] else { panic!("{turns:?}") };
}

#[test]
fn a_last_will_with_a_new_connection_behind_it_is_nothing() {
    let mut watcher = watcher();
    for _ in 0..3 {
        assert_eq!(watcher.look(&[seen(LinkState::Lost, "a", 0)], &[], &[], at(50)), []);
        assert_eq!(watcher.look(&[seen(LinkState::Online, "a", 58)], &[], &[], at(59)), []);
    }
}

#[test]
fn a_device_that_only_falls_silent_is_gone_after_a_minute_and_a_half() {
    let mut watcher = watcher();
    assert_eq!(watcher.look(&[seen(LinkState::Online, "a", 0)], &[], &[], at(90)), []);
    assert_eq!(watcher.look(&[seen(LinkState::Online, "a", 0)], &[], &[], at(91)), []);
    let turns = watcher.look(&[seen(LinkState::Online, "a", 0)], &[], &[], at(101));
    assert_eq!(open_of(&turns[0]).before.gone, Gone::Silent);
}

#[test]
fn a_server_that_was_down_misses_nobody_before_all_had_time_to_come_back() {
    let deaf = [Window { from: 10_000, to: 600_000 }];
    let mut watcher = Watcher::new(at(600), GRACE_MS);
    let still_gone = [seen(LinkState::Online, "a", 9)];
    for second in [601, 650, 700, 779] {
        assert_eq!(watcher.look(&still_gone, &[], &deaf, at(second)), [], "{second}");
    }
    // What happened while nobody heard is not known: the outage begins when the server was back.
    let turns = watcher.look(&still_gone, &[], &deaf, at(790));
    assert_eq!(open_of(&turns[0]).started_at, 600_000);
    // One that went long before had gone before.
    let mut watcher = Watcher::new(at(2000), GRACE_MS);
    let deaf = [Window { from: 1_000_000, to: 2_000_000 }];
    watcher.look(&still_gone, &[], &deaf, at(2001));
    let turns = watcher.look(&still_gone, &[], &deaf, at(2200));
    assert_eq!(open_of(&turns[0]).started_at, 9000);
}

#[test]
fn an_outage_during_which_the_server_was_down_is_the_servers_if_nothing_else_is_known() {
    let before = Before { gone: Gone::Silent, boot: "a".to_owned(), run: None };
    let open = [Open { id: 7, device: DeviceName::numbered(1), started_at: 0, before }];
    let deaf = [Window { from: 50_000, to: 100_000 }];
    let mut watcher = watcher();
    let turns = watcher.look(&[seen(LinkState::Online, "a", 120)], &open, &deaf, at(121));
    assert!(matches!(turns[..], [Turn::End { cause: Cause::Server, .. }]), "{turns:?}");
    let turns = watcher.look(&[seen(LinkState::Online, "b", 120)], &open, &deaf, at(121));
    assert!(matches!(turns[..], [Turn::End { cause: Cause::Power, .. }]), "{turns:?}");
}

#[test]
fn a_board_that_booted_between_two_looks_was_without_power_for_that_time() {
    let mut watcher = watcher();
    watcher.look(&[seen(LinkState::Online, "a", 100)], &[], &[], at(101));
    watcher.look(&[seen(LinkState::Online, "a", 100)], &[], &[], at(120));
    let turns = watcher.look(&[seen(LinkState::Online, "b", 140)], &[], &[], at(141));
    let [Turn::Passed { window, cause: Cause::Power, .. }] = &turns[..] else { panic!("{turns:?}") };
    assert_eq!(*window, Window { from: 100_000, to: 140_000 });
    assert_eq!(watcher.look(&[seen(LinkState::Online, "b", 170)], &[], &[], at(171)), [], "told once");
}

#[test]
fn one_that_is_taken_out_of_service_is_not_gone_any_more() {
    let before = Before { gone: Gone::Lost, boot: "a".to_owned(), run: None };
    let open = [Open { id: 7, device: DeviceName::numbered(1), started_at: 0, before }];
    let turns = watcher().look(&[], &open, &[], at(500));
    let [Turn::End { id: 7, ended_at: 500_000, .. }] = &turns[..] else { panic!("{turns:?}") };
}
