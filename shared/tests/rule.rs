//! The rule engine, driven by readings: what raises, what does not, and that restarts and repeats change nothing.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use proptest::prelude::*;
use shared::reading::Outcome;
use shared::rule::{Kind, Seen, Severity, Threshold, Thresholds, Transition, Watches};
use shared::*;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const START: i64 = 1_763_690_400_000;

/// A device under rules, whose readings are fed as they come.
struct Device {
    rules: Thresholds,
    watches: Watches,
    told: Vec<Transition>,
}

impl Device {
    fn new(rules: &str) -> Self {
        let rules: Thresholds = serde_json::from_str(rules).unwrap();
        rules.values().for_each(|rule| rule.check().unwrap());
        Self { rules, watches: Watches::default(), told: vec![] }
    }

    fn take(&mut self, seen: Seen) {
        self.watches.take(&self.rules, &seen, &mut self.told);
    }

    fn reads(&mut self, metric: Metric, second: f64, value: f64) -> Vec<String> {
        self.sees(metric, second, Outcome::Measured(Value::new(value).unwrap()), Flags::NONE)
    }

    fn sees(&mut self, metric: Metric, second: f64, outcome: Outcome, flags: Flags) -> Vec<String> {
        self.told.clear();
        self.take(Seen { metric, at: at(second), outcome, flags });
        self.words()
    }

    fn words(&self) -> Vec<String> {
        let word = |severity: Option<Severity>| severity.map_or("ok", Severity::as_str);
        let told = |t: &Transition| format!("{} {} {}>{}", t.metric, t.kind, word(t.before), word(t.after));
        self.told.iter().map(told).collect()
    }

    /// What a restart leaves of it.
    fn restart(&mut self) {
        let saved = serde_json::to_string(&self.watches).unwrap();
        self.watches = serde_json::from_str(&saved).unwrap();
    }
}

#[allow(clippy::cast_possible_truncation)] // seconds of a test
fn at(second: f64) -> UtcMillis {
    UtcMillis(START + (second * 1000.0) as i64)
}

const PH: &str = r#"{"ph":{"low":{"warning":6,"critical":5},"high":{"warning":9,"critical":10},"hysteresis":0.2,"hold_ms":10000,"clear_ms":20000}}"#;

#[test]
fn a_limit_is_passed_only_after_its_hold_time_and_what_equals_it_is_within() {
    let mut device = Device::new(PH);
    assert!(device.reads(Metric::Ph, 0.0, 9.0).is_empty() && device.reads(Metric::Ph, 60.0, 9.0).is_empty());
    assert!(device.reads(Metric::Ph, 61.0, 9.4).is_empty());
    assert_eq!(device.reads(Metric::Ph, 71.0, 9.4), ["ph high ok>warning"]);
    let told = device.told.first().unwrap();
    assert_eq!((told.at, told.since), (at(71.0), at(61.0)));
    assert_eq!((told.value.map(Value::get), told.limit.map(Value::get)), (Some(9.4), Some(9.0)));
}

#[test]
fn it_gets_worse_and_better_and_ends_each_after_its_own_time() {
    let mut device = Device::new(PH);
    device.reads(Metric::Ph, 0.0, 9.5);
    device.reads(Metric::Ph, 10.0, 10.5);
    assert_eq!(device.reads(Metric::Ph, 20.0, 10.5), ["ph high warning>critical"]);
    device.reads(Metric::Ph, 30.0, 9.9);
    assert!(device.reads(Metric::Ph, 60.0, 9.9).is_empty(), "within the hysteresis of 10");
    device.reads(Metric::Ph, 70.0, 9.7);
    assert_eq!(device.reads(Metric::Ph, 90.0, 9.7), ["ph high critical>warning"]);
    device.reads(Metric::Ph, 100.0, 7.0);
    assert_eq!(device.reads(Metric::Ph, 120.0, 7.0), ["ph high warning>ok"]);
    device.reads(Metric::Ph, 130.0, 4.0);
    assert_eq!(device.reads(Metric::Ph, 140.0, 4.0), ["ph low ok>critical"], "both severities at once are one");
}

#[test]
fn a_probe_in_a_calibration_neither_raises_nor_ends_anything() {
    let mut device = Device::new(PH);
    let out = Outcome::Measured(Value::new(4.0).unwrap());
    for second in 0..60 {
        assert!(device.sees(Metric::Ph, f64::from(second), out, Flags::NONE.with(Flag::Calibrating)).is_empty());
    }
}

#[test]
fn a_reading_whose_time_is_not_known_is_none_for_the_server() {
    let reading = |clock| Reading {
        seq: 1,
        stamp: Stamp { at: UtcMillis(START), clock },
        metric: Metric::Ph,
        outcome: Outcome::Fault(Fault::NoAnswer),
        millivolts: None,
        flags: Flags::NONE,
        spread: None,
    };
    assert!(Seen::of(&reading(ClockQuality::Unsynced)).is_none());
    assert!(Seen::of(&reading(ClockQuality::Repaired)).is_some());
}

#[test]
fn a_fault_that_lasts_is_told_with_its_reason_and_changes_nothing_about_the_limits() {
    let mut device = Device::new(
        r#"{"ph":{"high":{"critical":9},"hold_ms":10000,"fault":{"after_ms":5000,"severity":"critical"}}}"#,
    );
    device.reads(Metric::Ph, 0.0, 9.5);
    let fault = Outcome::Fault(Fault::RailLow);
    assert!(device.sees(Metric::Ph, 1.0, fault, Flags::NONE).is_empty());
    assert_eq!(device.sees(Metric::Ph, 6.0, fault, Flags::NONE.with(Flag::Simulated)), ["ph fault ok>critical"]);
    assert_eq!(device.told.first().map(|t| (t.fault, t.simulated)), Some((Some(Fault::RailLow), true)));
    assert_eq!(device.reads(Metric::Ph, 10.0, 9.5), ["ph fault critical>ok", "ph high ok>critical"]);
}

#[test]
fn a_value_that_changes_too_fast_is_told_whatever_the_limits() {
    let mut device = Device::new(r#"{"temperature":{"rate":{"change":2,"within_ms":60000}}}"#);
    for second in 0..300 {
        assert!(device.reads(Metric::Temperature, f64::from(second), 25.0 + f64::from(second) / 40.0).is_empty());
    }
    assert_eq!(device.reads(Metric::Temperature, 310.0, 36.0), ["temperature rate ok>warning"]);
    assert_eq!(device.reads(Metric::Temperature, 380.0, 36.0), ["temperature rate warning>ok"]);
}

#[test]
fn a_calibration_is_no_change_of_the_water() {
    let mut device = Device::new(r#"{"ph":{"rate":{"change":0.5,"within_ms":3600000}}}"#);
    let solution = Outcome::Measured(Value::new(4.0).unwrap());
    device.reads(Metric::Ph, 0.0, 7.0);
    device.sees(Metric::Ph, 60.0, solution, Flags::NONE.with(Flag::Calibrating));
    assert!(device.reads(Metric::Ph, 120.0, 7.6).is_empty(), "the same water, measured better");
    assert_eq!(device.reads(Metric::Ph, 180.0, 8.2), ["ph rate ok>warning"]);
}

#[test]
fn a_metric_is_missing_when_the_others_go_on_but_not_when_the_whole_device_was_silent() {
    let mut device = Device::new(r#"{"ph":{"missing":{"after_ms":60000}}}"#);
    device.reads(Metric::Ph, 0.0, 7.0);
    for second in 1..60 {
        assert!(device.reads(Metric::Tds, f64::from(second), 800.0).is_empty());
    }
    assert_eq!(device.reads(Metric::Tds, 60.0, 800.0), ["ph missing ok>warning"]);
    assert_eq!(device.told.first().map(|t| t.since), Some(at(0.0)));
    assert_eq!(device.reads(Metric::Ph, 61.0, 7.0), ["ph missing warning>ok"]);
    assert!(device.reads(Metric::Tds, 9000.0, 800.0).is_empty(), "the device itself was away");
    assert!(device.reads(Metric::Ph, 9001.0, 7.0).is_empty());
    device.told.clear();
    for minute in 0..3 {
        device.watches.pass(&device.rules, at(9001.0 + 30.0 * f64::from(minute)), &mut device.told);
    }
    assert_eq!(device.words(), ["ph missing ok>warning"], "time alone tells it too");
}

#[test]
fn a_rule_that_is_taken_away_ends_what_it_raised() {
    let mut device = Device::new(r#"{"ph":{"high":{"warning":9}},"tds":{"low":{"warning":100}}}"#);
    device.reads(Metric::Ph, 0.0, 9.5);
    device.reads(Metric::Tds, 0.0, 50.0);
    device.rules = serde_json::from_str(r#"{"ph":{"low":{"warning":5}}}"#).unwrap();
    device.told.clear();
    device.watches.change(&device.rules, at(5.0), &mut device.told);
    assert_eq!(device.words(), ["ph high warning>ok", "tds low warning>ok"]);
    assert_eq!(device.watches.worst(), None);
}

#[test]
fn noise_around_a_limit_for_a_day_with_restarts_is_one_alert() {
    let mut device = Device::new(r#"{"ph":{"high":{"warning":9},"hysteresis":0.25,"hold_ms":60000,"clear_ms":60000}}"#);
    let mut dice = Dice(7);
    let mut words = vec![];
    for second in (0..86_400).step_by(10) {
        // It lies at the limit for most of the day, and well below it in the end.
        let middle = if second < 80_000 { 9.0 } else { 8.5 };
        words.extend(device.reads(Metric::Ph, f64::from(second), middle + 0.2 * dice.unit() - 0.1 + 0.09));
        if dice.one_in(50) {
            device.restart();
        }
    }
    assert_eq!(words, ["ph high ok>warning", "ph high warning>ok"]);
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

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    #[allow(clippy::cast_precision_loss)] // that is all a float has
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

const ALL: &str = r#"{
    "ph":{"low":{"warning":6,"critical":5},"high":{"warning":8,"critical":9},"hysteresis":0.3,"hold_ms":20000,"clear_ms":30000,
          "rate":{"change":1.5,"within_ms":60000},"missing":{"after_ms":60000},"fault":{"after_ms":10000,"severity":"critical"}},
    "tds":{"high":{"critical":900},"clear_ms":10000,"missing":{"after_ms":45000,"severity":"critical"}},
    "temperature":{"low":{"warning":20},"hysteresis":0.5,"fault":{"after_ms":0}}}"#;

/// A million readings of a device that wanders, fails, falls silent and has its clock set, in the order of their sequence.
fn readings(seed: u64) -> impl Iterator<Item = (u64, Seen)> {
    let (mut dice, mut now, mut ph) = (Dice(seed), START, 7.0);
    (1..=1_000_000).map(move |seq| {
        now += match dice.next() % 10_000 {
            0 => 3 * 3600 * SECOND,
            1 => -10 * MINUTE,
            2..=20 => 2 * MINUTE,
            _ => 3 * SECOND,
        };
        ph = (ph + 0.4 * (dice.unit() - 0.5)).clamp(4.0, 10.0);
        let (metric, value) = match dice.next() % 4 {
            0 | 1 => (Metric::Ph, ph),
            2 => (Metric::Tds, 700.0 + 400.0 * dice.unit()),
            _ => (Metric::Temperature, 19.0 + 4.0 * dice.unit()),
        };
        let fails = dice.one_in(8);
        let outcome = if fails { Outcome::Fault(Fault::NotReady) } else { Outcome::rounded(metric, Ok(value)) };
        let flags = if dice.next() % 200 < 10 { Flags::NONE.with(Flag::Calibrating) } else { Flags::NONE };
        (seq, Seen { metric, at: UtcMillis(now), outcome, flags })
    })
}

#[test]
fn a_million_readings_bring_about_the_same_on_the_device_and_on_the_server_whatever_is_cut_or_restarted() {
    let (mut agent, mut server) = (Device::new(ALL), Device::new(ALL));
    let mut dice = Dice(42);
    // What the agent has sent and the server has not acknowledged; the highest sequence that the server has.
    let (mut unacked, mut high): (Vec<(u64, Seen)>, u64) = (vec![], 0);
    let mut deliver = |unacked: &mut Vec<(u64, Seen)>, dice: &mut Dice, server: &mut Device| {
        // Committed together with the state, or not at all.
        let fresh = unacked.iter().filter(|(seq, _)| *seq > high).copied().collect::<Vec<_>>();
        for (seq, seen) in fresh {
            server.take(seen);
            high = seq;
        }
        if dice.one_in(3) {
            server.restart();
        }
        // The ack may be lost; then all of it comes again.
        if !dice.one_in(4) {
            unacked.clear();
        }
    };
    let mut offline = 0;
    for (seq, seen) in readings(99) {
        agent.take(seen);
        unacked.push((seq, seen));
        if dice.one_in(500) {
            agent.restart();
        }
        offline = if dice.one_in(50_000) { 7_000 } else { offline - 1 };
        if offline < 0 && dice.one_in(40) {
            deliver(&mut unacked, &mut dice, &mut server);
        }
    }
    while !unacked.is_empty() {
        deliver(&mut unacked, &mut dice, &mut server);
    }
    assert!(agent.told == server.told, "they differ");
    assert_eq!(agent.watches, server.watches);
    let kinds = |kind| agent.told.iter().filter(|t| t.kind == kind).count();
    for kind in Kind::ALL {
        assert!(kinds(kind) > 20, "{kind} hardly happens: {}", kinds(kind));
    }
}

proptest! {
    #[test]
    fn whatever_is_raised_can_be_raised_by_its_rule_and_ends_once(
        values in prop::collection::vec((0_u8..3, -1.0_f64..12.0, 0_i64..120), 1..400),
    ) {
        let mut device = Device::new(ALL);
        let mut now = START;
        for (which, value, seconds) in values {
            now += seconds * SECOND;
            let metric = [Metric::Ph, Metric::Tds, Metric::Temperature][usize::from(which)];
            let outcome = Outcome::Measured(Value::new(value).unwrap());
            device.take(Seen { metric, at: UtcMillis(now), outcome, flags: Flags::NONE });
            device.restart();
        }
        let mut raised = std::collections::BTreeMap::new();
        for told in &device.told {
            prop_assert!(told.before != told.after && told.since <= told.at);
            let before = raised.insert((told.metric, told.kind), told.after).flatten();
            prop_assert_eq!(before, told.before);
            let rule: &Threshold = &device.rules[&told.metric];
            match (told.kind, told.after) {
                (Kind::High, Some(severity)) if told.before < told.after =>
                    prop_assert!(told.value > rule.high.limit(severity)),
                (Kind::Low, Some(severity)) if told.before < told.after =>
                    prop_assert!(told.value < rule.low.limit(severity)),
                _ => {}
            }
        }
    }
}
