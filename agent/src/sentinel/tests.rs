//! The alarm beside the tank: without a network, after a power cut, and with a clock that jumps.

use super::*;
use crate::alarm::Order;
use crate::probe::Sample;
use crate::time::tests::Script;
use crate::time::{Discipline, Moment};
use shared::message::Intervals;
use shared::reading::{Fault, Flags};
use shared::{ClockQuality, Metric, Stamp};
use std::sync::mpsc::Receiver;
use tempfile::TempDir;

const NOON: i64 = 1_763_690_400_000;

struct Bench {
    folder: TempDir,
    sentinel: Sentinel,
    orders: Receiver<Order>,
    ticks: i64,
    wall: i64,
}

fn settings(rules: &str) -> Settings {
    let mut settings = Settings::new(1, Intervals::default());
    settings.thresholds = serde_json::from_str(rules).unwrap();
    settings
}

const PH: &str =
    r#"{"ph":{"high":{"warning":8,"critical":9},"hold_ms":30000,"missing":{"after_ms":60000,"severity":"critical"}}}"#;

impl Bench {
    fn new(rules: &str) -> Self {
        Self::begin(tempfile::tempdir().unwrap(), rules)
    }

    fn begin(folder: TempDir, rules: &str) -> Self {
        let (alarm, orders) = AlarmHandle::observed();
        let outlet = Outlet { alarm, from: Severity::Critical };
        let sentinel = Sentinel::open(folder.path(), &settings(rules), outlet);
        Self { folder, sentinel, orders, ticks: 60_000, wall: NOON }
    }

    /// The next run, after the power was cut.
    fn reboot(self, rules: &str) -> Self {
        Self { wall: self.wall, ..Self::begin(self.folder, rules) }
    }

    fn reads(&mut self, seconds: i64, value: f64) -> bool {
        self.ticks += seconds * 1000;
        self.wall += seconds * 1000;
        let sample = Sample::new(Metric::Ph, Ok(value), None, Flags::NONE);
        // Nobody knows the hour.
        let stamp = Stamp { at: UtcMillis(self.wall), clock: ClockQuality::Unsynced };
        self.sentinel.take(&Measured { moment: Moment { stamp, ticks: Ticks(self.ticks) }, metric: Metric::Ph, sample })
    }

    /// How the alarm was last set.
    fn sounds(&self) -> Option<bool> {
        let set = |order| match order {
            Order::Set(on) => on,
            _ => panic!("only set"),
        };
        self.orders.try_iter().last().map(set)
    }
}

#[test]
fn the_alarm_sounds_for_what_is_critical_without_a_network_or_an_hour_and_what_decides_it_is_news() {
    let mut bench = Bench::new(PH);
    assert_eq!(bench.sounds(), Some(false));
    assert!(!bench.reads(0, 8.5) && bench.reads(30, 8.5), "a warning is news");
    assert_eq!(bench.sounds(), Some(false), "but only what is critical is to be heard");
    assert!(!bench.reads(10, 9.5) && bench.reads(30, 9.5));
    assert_eq!(bench.sounds(), Some(true));
    assert!(bench.reads(10, 7.0), "its end is news too");
    assert_eq!(bench.sounds(), Some(false));
}

#[test]
fn what_was_raised_sounds_again_after_a_power_cut_before_anything_is_measured() {
    let mut bench = Bench::new(PH);
    bench.reads(0, 9.5);
    bench.reads(30, 9.5);
    bench.sentinel.save().unwrap();
    let mut bench = bench.reboot(PH);
    assert_eq!(bench.sounds(), Some(true));
    assert!(!bench.reads(3600, 9.5), "it is no news that it is still so");
    assert!(bench.reads(10, 7.0));
    assert_eq!(bench.sounds(), Some(false));
}

#[test]
fn a_rule_that_was_taken_away_just_before_the_power_was_cut_does_not_sound_again() {
    let mut bench = Bench::new(PH);
    bench.reads(0, 9.5);
    bench.reads(30, 9.5);
    bench.sentinel.save().unwrap();
    let bench = bench.reboot(r#"{"ph":{"low":{"critical":4}}}"#);
    assert_eq!(bench.sounds(), Some(false));
}

#[test]
fn a_state_that_can_not_be_read_costs_the_waiting_time_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), "half of a fi").unwrap();
    let mut bench = Bench::begin(folder, PH);
    bench.reads(0, 9.5);
    assert!(bench.reads(30, 9.5));
}

#[test]
fn a_clock_that_is_set_makes_nothing_last_longer_than_it_did() {
    let mut bench = Bench::new(PH);
    bench.reads(0, 9.5);
    bench.wall += 30 * 86_400_000;
    assert!(!bench.reads(1, 9.5), "it was not a month");
    assert!(!bench.reads(29, 9.5) && bench.reads(1, 9.5));
}

#[tokio::test(start_paused = true)]
async fn rules_that_are_taken_away_end_the_alarm_and_a_probe_that_says_nothing_begins_it() {
    let mut bench = Bench::new(PH);
    let (clock, (sender, receiver)) = (Script::at(bench.ticks, bench.wall), watch::channel(settings(PH)));
    let time = Time::new(clock.clone(), Discipline::Assumed);
    bench.reads(0, 7.0);
    let running = tokio::spawn(bench.sentinel.clone().run(receiver, time));
    for _ in 0..8 {
        clock.pass(10_000);
        tokio::time::sleep(LOOK).await;
    }
    assert_eq!(bench.sounds(), Some(true), "nothing came for a minute");
    sender.send_replace(settings("{}"));
    tokio::time::sleep(LOOK).await;
    assert_eq!(bench.sounds(), Some(false));
    running.abort();
}

#[test]
fn a_fault_that_comes_and_goes_is_heard_only_when_its_rule_says_so() {
    let mut bench = Bench::new(r#"{"ph":{"fault":{"after_ms":0,"severity":"critical"}}}"#);
    let stamp = Stamp { at: UtcMillis(NOON), clock: ClockQuality::Synced };
    let moment = Moment { stamp, ticks: Ticks(0) };
    let fails = Measured { moment, metric: Metric::Ph, sample: Sample::fault(Fault::NoAnswer) };
    assert!(bench.sentinel.take(&fails));
    assert_eq!(bench.sounds(), Some(true));
    assert!(bench.reads(1, 7.0));
}
