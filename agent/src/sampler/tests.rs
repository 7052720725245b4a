//! The sampler with probes that behave badly.

use super::*;
use crate::probe::Sample;
use crate::time::{Discipline, SystemClock};
use shared::reading::Flags;

const PATIENT: Duration = Duration::from_secs(20);

/// A probe made of a function.
struct Made<F>(F);
impl<F: FnMut(&Circumstances) -> Sample + Send> Probe for Made<F> {
    fn sample(&mut self, circumstances: &Circumstances) -> Sample {
        (self.0)(circumstances)
    }
}

fn slot(metric: Metric, ms: u64, probe: impl FnMut(&Circumstances) -> Sample + Send + 'static) -> Slot {
    Slot { metric, interval: Duration::from_millis(ms), probe: Box::new(Made(probe)) }
}

fn value(metric: Metric, number: f64) -> Sample {
    Sample::new(metric, Ok(number), None, Flags::NONE)
}

fn lane(name: &str, slots: Vec<Slot>) -> Lane {
    Lane { name: name.to_owned(), slots }
}

fn start(lanes: Vec<Lane>) -> (Sampler, Receiver<Measured>) {
    let (sender, samples) = channel();
    let time = Time::new(Arc::new(SystemClock), Discipline::Assumed);
    let sampler = Sampler::start(lanes, &message::Intervals::default(), &time, move |measured| {
        let _ = sender.send(measured);
    });
    (sampler.unwrap(), samples)
}

fn until(samples: &Receiver<Measured>, mut wanted: impl FnMut(&Measured) -> bool) -> Measured {
    let deadline = Instant::now() + PATIENT;
    loop {
        let sample = samples.recv_timeout(deadline.saturating_duration_since(Instant::now())).unwrap();
        if wanted(&sample) {
            return sample;
        }
    }
}

#[test]
fn a_failing_probe_yields_faults_and_stops_nobody() {
    let bad = slot(Metric::Ph, 5, |_| Sample::fault(Fault::NoAnswer));
    let good = slot(Metric::Tds, 5, |_| value(Metric::Tds, 400.0));
    let (sampler, samples) = start(vec![lane("i2c-1", vec![bad, good])]);
    for _ in 0..3 {
        assert_eq!(until(&samples, |m| m.metric == Metric::Ph).sample, Sample::fault(Fault::NoAnswer));
        until(&samples, |m| m.metric == Metric::Tds);
    }
    let vitals = sampler.vitals().borrow().clone();
    assert_eq!((vitals[&Metric::Ph].fault, vitals[&Metric::Tds].fault), (Some(Fault::NoAnswer), None));
    sampler.stop();
}

#[test]
fn a_bus_that_hangs_stops_only_its_own_probes_and_is_noticed() {
    let (release, hang) = channel::<()>();
    let hanging = slot(Metric::Ph, 5, move |_| {
        let _ = hang.recv_timeout(PATIENT);
        Sample::fault(Fault::BusError)
    });
    let good = slot(Metric::Tds, 5, |_| value(Metric::Tds, 400.0));
    let (sampler, samples) = start(vec![lane("i2c-1", vec![hanging]), lane("i2c-3", vec![good])]);
    for _ in 0..20 {
        assert_eq!(until(&samples, |_| true).metric, Metric::Tds);
    }
    let vitals = sampler.vitals().borrow().clone();
    assert!(!vitals[&Metric::Tds].silent(Instant::now()));
    assert!(vitals[&Metric::Tds].silent(Instant::now() + Duration::from_secs(60)));
    assert!(vitals[&Metric::Ph].silent(Instant::now() + Duration::from_secs(60)), "also one that never delivered");
    drop(release);
    sampler.stop();
}

#[test]
fn the_latest_temperature_is_given_to_the_others_also_on_another_bus() {
    let thermometer = slot(Metric::Temperature, 5, |_| value(Metric::Temperature, 31.5));
    let ph = slot(Metric::Ph, 5, |circumstances| {
        value(Metric::Ph, circumstances.water.map_or(0.0, |water| water.celsius / 10.0))
    });
    let (sampler, samples) = start(vec![lane("a", vec![thermometer]), lane("b", vec![ph])]);
    until(&samples, |m| m.metric == Metric::Ph && m.sample == value(Metric::Ph, 3.15));
    sampler.stop();
}

#[test]
fn a_temperature_that_failed_for_long_is_used_no_more() {
    let mut first = true;
    let thermometer = slot(Metric::Temperature, 5, move |_| {
        if std::mem::take(&mut first) { value(Metric::Temperature, 31.5) } else { Sample::fault(Fault::RailHigh) }
    });
    let ph =
        slot(Metric::Ph, 5, |circumstances| value(Metric::Ph, if circumstances.water.is_some() { 1.0 } else { 2.0 }));
    let (sampler, samples) = start(vec![lane("a", vec![thermometer, ph])]);
    until(&samples, |m| m.sample == value(Metric::Ph, 1.0));
    until(&samples, |m| m.sample == value(Metric::Ph, 2.0));
    sampler.stop();
}

#[test]
fn the_servers_interval_is_in_force_at_once() {
    let rare = slot(Metric::Ph, 3_600_000, |_| value(Metric::Ph, 7.0));
    let (sampler, samples) = start(vec![lane("a", vec![rare])]);
    until(&samples, |_| true);
    let mut faster = message::Intervals::default();
    faster.set(Metric::Ph, 100).unwrap();
    sampler.intervals().apply(&faster);
    for _ in 0..3 {
        until(&samples, |_| true);
    }
    sampler.stop();
}

#[test]
fn a_probe_that_hangs_does_not_keep_the_agent_from_ending() {
    let (_release, hang) = channel::<()>();
    let (entered, inside) = channel();
    let hanging = slot(Metric::Ph, 5, move |_| {
        let _ = entered.send(());
        let _ = hang.recv_timeout(PATIENT);
        Sample::fault(Fault::BusError)
    });
    let (sampler, _samples) = start(vec![lane("i2c-1", vec![hanging])]);
    inside.recv_timeout(PATIENT).unwrap();
    let began = Instant::now();
    sampler.stop();
    assert!(began.elapsed() < PATIENT / 2);
}
