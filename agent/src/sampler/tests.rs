//! The sampler with probes that behave badly.

use super::*;
use crate::probe::Sample;
use crate::time::{Discipline, SystemClock};
use embedded_hal_mock::eh1::delay::NoopDelay;
use shared::calibration::{Active, RecordId};
use shared::message;
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
    Lane { name: name.to_owned(), slots, recovery: None }
}

fn start(lanes: Vec<Lane>) -> (Sampler, Receiver<Measured>) {
    let (sender, samples) = channel();
    let time = Time::new(Arc::new(SystemClock), Discipline::Assumed);
    let sampler = Sampler::start(lanes, &Settings::default(), &time, move |measured| {
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

fn next(tapped: &mut Tapped) -> Observed {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENT, tapped.next()).await }).unwrap().unwrap()
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

#[test]
fn a_new_calibration_is_in_force_at_the_next_sample_and_also_for_what_is_read_from_the_same_probe() {
    let k = |circumstances: &Circumstances| match circumstances.calibration {
        Some(Calibration::Cell { k }) => k,
        _ => 0.0,
    };
    let tds = slot(Metric::Tds, 5, move |circumstances| value(Metric::Tds, k(circumstances)));
    let ec = slot(Metric::Ec, 5, move |circumstances| value(Metric::Ec, k(circumstances)));
    let (sampler, samples) = start(vec![lane("a", vec![tds, ec])]);
    until(&samples, |m| m.sample == value(Metric::Ec, 0.0));
    let mut settings = Settings::default();
    let active = Active { id: RecordId::from_random(1), calibration: Some(Calibration::Cell { k: 2.0 }) };
    settings.calibrations.insert(Metric::Tds, active);
    sampler.calibrations().apply(&settings.in_force());
    until(&samples, |m| m.sample == value(Metric::Tds, 2.0));
    until(&samples, |m| m.sample == value(Metric::Ec, 2.0));
    // A change of interval leaves it alone.
    let mut slower = message::Intervals::default();
    slower.set(Metric::Tds, 100).unwrap();
    sampler.intervals().apply(&slower);
    let deadline = Instant::now() + Duration::from_millis(300);
    while Instant::now() < deadline {
        assert_eq!(until(&samples, |m| m.metric == Metric::Tds).sample, value(Metric::Tds, 2.0));
    }
    sampler.calibrations().apply(&BTreeMap::new());
    until(&samples, |m| m.sample == value(Metric::Ec, 0.0));
    sampler.stop();
}

#[test]
fn the_saved_calibration_is_in_force_from_the_first_sample_on() {
    let (sender, samples) = channel();
    let probe = slot(Metric::Ph, 3_600_000, |circumstances| {
        value(Metric::Ph, if circumstances.calibration.is_some() { 1.0 } else { 2.0 })
    });
    let calibration = Calibration::Ph { zero_mv: 1500.0, acid_percent: 99.0, base_percent: 98.0 };
    let mut settings = Settings::default();
    settings.calibrations.insert(Metric::Ph, Active { id: RecordId::from_random(1), calibration: Some(calibration) });
    let time = Time::new(Arc::new(SystemClock), Discipline::Assumed);
    let sampler = Sampler::start(vec![lane("a", vec![probe])], &settings, &time, move |measured| {
        let _ = sender.send(measured);
    });
    assert_eq!(samples.recv_timeout(PATIENT).unwrap().sample, value(Metric::Ph, 1.0));
    sampler.unwrap().stop();
}

#[test]
fn a_tap_yields_samples_that_are_not_stored() {
    let rare = slot(Metric::Ph, 3_600_000, |_| value(Metric::Ph, 7.0));
    let (sampler, samples) = start(vec![lane("a", vec![rare])]);
    until(&samples, |_| true);
    let mut tapped = sampler.tap().watch(Metric::Ph, Purpose::Look).unwrap();
    for _ in 0..2 {
        let observed = next(&mut tapped);
        assert_eq!((observed.metric, observed.sample), (Metric::Ph, value(Metric::Ph, 7.0)));
    }
    assert!(samples.try_recv().is_err());
    assert!(sampler.tap().watch(Metric::Flow, Purpose::Look).is_none(), "there is no such probe");
    sampler.stop();
}

#[test]
fn readings_of_a_probe_that_is_calibrated_say_so_also_after_the_end() {
    let both = [Metric::Tds, Metric::Ec, Metric::Ph].map(|metric| slot(metric, 5, move |_| value(metric, 1.0)));
    let (sampler, samples) = start(vec![lane("a", both.into())]);
    let calibrating = |m: &Measured| m.sample.flags.has(Flag::Calibrating);
    let looked = sampler.tap().watch(Metric::Tds, Purpose::Look).unwrap();
    assert!(!calibrating(&until(&samples, |m| m.metric == Metric::Tds)));
    let tapped = sampler.tap().watch(Metric::Tds, Purpose::Calibrate).unwrap();
    until(&samples, |m| m.metric == Metric::Tds && calibrating(m));
    until(&samples, |m| m.metric == Metric::Ec && calibrating(m));
    assert!(!calibrating(&until(&samples, |m| m.metric == Metric::Ph)));
    drop((looked, tapped));
    // It is still in the solution when the session ends; a tap's end is noticed within a second.
    let deadline = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < deadline {
        let sample = until(&samples, |_| true);
        assert_eq!(calibrating(&sample), sample.metric != Metric::Ph);
    }
    sampler.stop();
}

#[test]
fn the_bath_of_a_thermometer_that_is_calibrated_is_not_the_temperature_of_the_water() {
    let thermometer = slot(Metric::Temperature, 5, |_| value(Metric::Temperature, 0.0));
    let ph =
        slot(Metric::Ph, 5, |circumstances| value(Metric::Ph, if circumstances.water.is_some() { 1.0 } else { 2.0 }));
    let (sampler, samples) = start(vec![lane("a", vec![thermometer]), lane("b", vec![ph])]);
    until(&samples, |m| m.sample == value(Metric::Ph, 1.0));
    let mut tapped = sampler.tap().watch(Metric::Temperature, Purpose::Calibrate).unwrap();
    until(&samples, |m| m.sample == value(Metric::Ph, 2.0));
    let never_compensated = |rounds: u32| {
        for _ in 0..rounds {
            until(&samples, |m| m.metric == Metric::Temperature && m.sample.flags.has(Flag::Calibrating));
            assert_eq!(until(&samples, |m| m.metric == Metric::Ph).sample, value(Metric::Ph, 2.0));
        }
    };
    for _ in 0..2 {
        assert_eq!(next(&mut tapped).metric, Metric::Temperature);
        never_compensated(5);
    }
    drop(tapped);
    never_compensated(20);
    sampler.stop();
}

#[test]
fn a_probe_is_told_what_it_is_in_and_that_it_is_back_in_the_water() {
    struct Simulation(Arc<Mutex<Vec<Option<f64>>>>);
    impl Probe for Simulation {
        fn sample(&mut self, _: &Circumstances) -> Sample {
            Sample::fault(Fault::NotReady)
        }
        fn immerse(&mut self, nominal: Option<f64>) {
            self.0.lock().unwrap().push(nominal);
        }
    }
    let told = Arc::new(Mutex::new(vec![]));
    let probe = Box::new(Simulation(Arc::clone(&told)));
    let slot = Slot { metric: Metric::Ph, interval: Duration::from_millis(5), probe };
    let (sampler, samples) = start(vec![lane("a", vec![slot])]);
    let tapped = sampler.tap().watch(Metric::Ph, Purpose::Calibrate).unwrap();
    tapped.immerse(Some(4.0));
    drop(tapped);
    until(&samples, |_| told.lock().unwrap().len() == 2);
    assert_eq!(*told.lock().unwrap(), [Some(4.0), None]);
    sampler.stop();
}

#[test]
fn the_last_sample_of_each_metric_can_be_looked_up() {
    let (sampler, samples) = start(vec![lane("a", vec![slot(Metric::Ph, 5, |_| value(Metric::Ph, 7.0))])]);
    until(&samples, |_| true);
    assert_eq!(sampler.latest().borrow()[&Metric::Ph].sample, value(Metric::Ph, 7.0));
    sampler.stop();
}

#[test]
fn a_lane_whose_bus_hangs_tries_to_free_it() {
    let (tried, claims) = channel();
    let claim = move || {
        let _ = tried.send(());
        Err("there are no pins here".to_owned())
    };
    let recovery = Some(Recovery::new(Box::new(claim), NoopDelay::new()));
    let probe = slot(Metric::Ph, 5, |_| Sample::fault(Fault::BusError));
    let (sampler, _samples) = start(vec![Lane { recovery, ..lane("i2c-1", vec![probe]) }]);
    claims.recv_timeout(PATIENT).unwrap();
    sampler.stop();
}
