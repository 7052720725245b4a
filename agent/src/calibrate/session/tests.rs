//! A technician with three bottles, a probe, and all the mistakes one can make.

use super::*;
use crate::probe::{Sample, Water};
use shared::calibration::Calibration;
use shared::sensor::ph::Ph;
use shared::{ClockQuality, UtcMillis};

const SESSION: u64 = 7;

fn id(n: u64) -> RecordId {
    RecordId::from_random(n)
}

fn stamp(second: u64) -> Stamp {
    let ms = i64::try_from(second).unwrap() * 1000;
    Stamp { at: UtcMillis(1_763_690_400_000 + ms), clock: ClockQuality::Synced }
}

fn beginning(metric: Metric) -> Beginning {
    let by = By::Device { name: "Sari".to_owned() };
    Beginning { session: id(SESSION), metric, by, buffers: None, lot: Some("L-2291".to_owned()) }
}

/// A session and a probe that is somewhere.
struct Bench {
    session: Session,
    start: Instant,
    second: u64,
    celsius: Option<f64>,
}

impl Bench {
    fn new(metric: Metric) -> Self {
        Self::with(beginning(metric))
    }

    fn with(beginning: Beginning) -> Self {
        let start = Instant::now();
        let sensor = Sensor::usual(beginning.metric).unwrap();
        let session = Session::begin(beginning, sensor, stamp(0), start).unwrap();
        Self { session, start, second: 0, celsius: Some(25.0) }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_secs(self.second)
    }

    fn observe(&mut self, sample: Sample) {
        self.second += 1;
        let water = self.celsius.map(|celsius| Water { celsius, simulated: false });
        let observed = Observed { metric: self.session.metric(), stamp: stamp(self.second), sample, water };
        let now = self.now();
        self.session.observe(&observed, now);
    }

    /// So many seconds at a voltage.
    fn stand(&mut self, millivolts: f64, seconds: u64) {
        for _ in 0..seconds {
            self.observe(Sample::new(self.session.metric(), Ok(5.0), Some(millivolts), Flags::NONE));
        }
    }

    fn fail(&mut self, fault: Fault, seconds: u64) {
        for _ in 0..seconds {
            self.observe(Sample::fault(fault));
        }
    }

    /// Puts the probe into something, says so, and waits.
    fn point(&mut self, nominal: f64, millivolts: f64) {
        self.stand(millivolts, 1);
        let now = self.now();
        self.session.take(nominal, now);
        self.stand(millivolts, 11);
    }

    fn finish(&mut self) -> Option<CalibrationRecord> {
        let now = self.now();
        self.session.finish(id(99), stamp(self.second), now)
    }

    fn code(&self) -> Option<String> {
        self.session.view().problem.map(|problem| problem.code)
    }

    fn nominals(&self) -> Vec<f64> {
        self.session.view().points.iter().map(|point| point.nominal).collect()
    }
}

/// What a good electrode puts out at 25 °C, to the microvolt.
fn electrode(ph: f64) -> f64 {
    let millivolts = 1512.0 + 0.97 * Ph::default().slope_mv(25.0) * (7.0 - ph);
    (millivolts * 1000.0).round() / 1000.0
}

#[test]
fn two_points_in_any_order_become_a_record() {
    let mut bench = Bench::new(Metric::Ph);
    bench.point(4.0, electrode(4.0));
    assert!(bench.session.view().fit.is_none() && bench.code().is_none(), "one point is no mistake");
    bench.point(7.0, electrode(7.0));
    let view = bench.session.view();
    assert!((view.fit.unwrap().health.unwrap().slope_percent - 97.0).abs() < 1e-3);
    let record = bench.finish().unwrap();
    assert!(matches!(record.calibration, Some(Calibration::Ph { zero_mv, .. }) if (zero_mv - 1512.0).abs() < 1e-3));
    assert_eq!((record.id, record.metric, record.stamp), (id(99), Metric::Ph, stamp(24)));
    assert_eq!((record.buffers, record.lot.as_deref()), (Some(Buffers::Technical), Some("L-2291")));
    assert_eq!((record.points.len(), record.points[0].celsius), (2, Some(25.0)));
    assert!(record.health.is_some() && record.check().is_ok());
    assert!(!bench.session.is_over(), "it is over once the record is kept");
    bench.session.finished(record.id);
    assert_eq!(bench.session.view().step, Step::Finished { record: id(99) });
}

#[test]
fn a_point_is_taken_only_when_the_signal_has_settled_after_the_order() {
    let mut bench = Bench::new(Metric::Ph);
    bench.stand(electrode(7.0), 30);
    assert!(bench.session.view().live.unwrap().settled);
    let now = bench.now();
    bench.session.take(4.0, now);
    // The technician was quick with the keyboard: the probe is on its way only now.
    for step in 0..12 {
        bench.stand(electrode(7.0) + f64::from(step) * 45.0, 1);
    }
    assert_eq!(bench.session.view().step, Step::Settling { nominal: 4.0 });
    assert!(bench.nominals().is_empty() && !bench.session.view().live.unwrap().settled);
    bench.stand(electrode(4.0), 11);
    let point = bench.session.view().points[0];
    assert_eq!((point.nominal, point.millivolts, point.spread), (4.0, electrode(4.0), Some(0.0)));
    assert_eq!(bench.session.view().step, Step::Waiting);
}

#[test]
fn a_point_of_the_same_value_is_replaced_and_one_can_be_dropped() {
    let mut bench = Bench::new(Metric::Ph);
    bench.point(7.0, 1600.0);
    bench.point(7.0, electrode(7.0));
    bench.point(4.0, electrode(4.0));
    assert_eq!(bench.nominals(), [7.0, 4.0]);
    assert_eq!(bench.session.view().points[0].millivolts, electrode(7.0));
    let now = bench.now();
    bench.session.drop_point(4.0, now);
    assert_eq!(bench.nominals(), [7.0]);
    bench.session.take(10.01, now);
    bench.session.drop_point(10.01, now);
    assert_eq!(bench.session.view().step, Step::Waiting);
    bench.stand(electrode(10.01), 15);
    assert_eq!(bench.nominals(), [7.0], "nobody waits for it any more");
}

#[test]
fn points_that_contradict_each_other_are_shown_at_once_and_do_not_become_a_record() {
    let mut bench = Bench::new(Metric::Ph);
    bench.point(7.0, electrode(7.0));
    bench.point(4.0, electrode(7.0) + 3.0);
    assert_eq!(bench.code().as_deref(), Some("slope"));
    assert!(bench.session.view().problem.unwrap().text.contains("worn"));
    assert!(bench.finish().is_none());
    bench.point(4.0, electrode(4.0));
    assert_eq!(bench.code(), None);
    assert!(bench.finish().is_some());
}

#[test]
fn too_few_points_or_one_under_way_are_no_record() {
    let mut bench = Bench::new(Metric::Ph);
    bench.point(7.0, electrode(7.0));
    assert!(bench.finish().is_none());
    assert_eq!(bench.code().as_deref(), Some("points"));
    bench.point(4.0, electrode(4.0));
    let now = bench.now();
    bench.session.take(10.01, now);
    assert!(bench.finish().is_none());
    assert_eq!(bench.code().as_deref(), Some("not_settled"));
    bench.session.drop_point(10.01, now);
    assert!(bench.finish().is_some());
}

#[test]
fn a_bad_order_is_refused_with_the_reason_and_the_session_goes_on() {
    let mut bench = Bench::new(Metric::Ph);
    let now = bench.now();
    bench.session.take(7.0, now);
    assert_eq!(bench.code().as_deref(), Some("no_signal"), "nothing was seen yet");
    bench.stand(1500.0, 2);
    for (nominal, code) in [(6.86, "unknown_buffer"), (f64::NAN, "not_finite")] {
        bench.session.take(nominal, now);
        assert_eq!(bench.code().as_deref(), Some(code), "{nominal}");
        assert_eq!(bench.session.view().step, Step::Waiting);
    }
    bench.celsius = Some(55.0);
    bench.stand(1500.0, 11);
    bench.session.take(7.0, now);
    assert_eq!(bench.code().as_deref(), Some("temperature"));
    bench.celsius = Some(25.0);
    bench.stand(1500.0, 11);
    bench.session.take(7.0, now);
    assert_eq!((bench.code(), bench.session.view().step), (None, Step::Settling { nominal: 7.0 }));
}

#[test]
fn a_point_waits_for_a_thermometer_that_fails_and_is_taken_by_itself_when_it_is_back() {
    let mut bench = Bench::new(Metric::Ph);
    bench.celsius = None;
    bench.stand(1512.0, 2);
    let now = bench.now();
    bench.session.take(7.0, now);
    bench.stand(1512.0, 30);
    assert_eq!((bench.code().as_deref(), bench.nominals()), (Some("no_temperature"), vec![]));
    assert_eq!(bench.session.view().step, Step::Settling { nominal: 7.0 });
    bench.celsius = Some(25.0);
    bench.stand(1512.0, 9);
    assert_eq!((bench.code().as_deref(), bench.nominals()), (Some("no_temperature"), vec![]));
    bench.stand(1512.0, 2);
    assert_eq!((bench.code(), bench.nominals()), (None, vec![7.0]));
    assert_eq!(bench.session.view().step, Step::Waiting);
}

#[test]
fn the_other_set_of_buffers_has_other_labels_and_is_in_the_record() {
    let mut bench = Bench::with(Beginning { buffers: Some(Buffers::Nist), ..beginning(Metric::Ph) });
    bench.point(6.86, electrode(6.86));
    bench.point(9.18, electrode(9.18));
    assert_eq!(bench.finish().unwrap().buffers, Some(Buffers::Nist));
}

#[test]
fn a_conductivity_probe_takes_one_point_and_a_wrong_solution_is_refused() {
    let mut bench = Bench::new(Metric::Tds);
    bench.point(1413.0, 100.0);
    assert_eq!((bench.code().as_deref(), bench.nominals()), (Some("cell"), vec![]));
    // 1800 mV is 1490.7 µS/cm on the published curve.
    bench.point(1413.0, 1800.0);
    let record = bench.finish().unwrap();
    assert!(matches!(record.calibration, Some(Calibration::Cell { .. })) && record.buffers.is_none());
    bench.point(707.0, 900.0);
    assert_eq!(bench.code().as_deref(), Some("points"), "two points are one too many, and that is said");
}

#[test]
fn a_level_needs_no_temperature() {
    let mut bench = Bench::new(Metric::Volume);
    bench.celsius = None;
    bench.point(0.0, 540.0);
    bench.point(0.9, 2310.0);
    assert!(matches!(bench.finish().unwrap().calibration, Some(Calibration::Linear { .. })));
}

#[test]
fn a_probe_that_fails_for_a_moment_starts_the_window_anew_and_for_long_ends_the_session() {
    let mut bench = Bench::new(Metric::Ph);
    bench.stand(electrode(7.0), 2);
    let now = bench.now();
    bench.session.take(7.0, now);
    bench.stand(electrode(7.0), 7);
    bench.fail(Fault::RailHigh, 1);
    assert_eq!((bench.code().as_deref(), bench.session.view().live), (Some("no_signal"), None));
    bench.stand(electrode(7.0), 8);
    assert!(bench.nominals().is_empty(), "the seconds before the fault don't count");
    bench.stand(electrode(7.0), 3);
    assert_eq!(bench.nominals(), [7.0]);
    bench.fail(Fault::NoAnswer, 59);
    assert!(!bench.session.is_over());
    bench.fail(Fault::NoAnswer, 1);
    assert_eq!(bench.session.view().step, Step::Ended);
    assert!(bench.session.view().problem.unwrap().text.contains("no_answer"));
}

#[test]
fn a_probe_that_was_calibrated_badly_can_be_calibrated_again() {
    let mut bench = Bench::new(Metric::Ph);
    let nonsense = |mv| Sample::new(Metric::Ph, Err(Fault::OutOfRange), Some(mv), Flags::NONE);
    for (nominal, mv) in [(7.0, electrode(7.0)), (4.0, electrode(4.0))] {
        bench.observe(nonsense(mv));
        let now = bench.now();
        bench.session.take(nominal, now);
        for _ in 0..11 {
            bench.observe(nonsense(mv));
        }
    }
    assert!(bench.finish().is_some());
}

#[test]
fn a_session_that_nobody_cares_for_ends_but_an_order_keeps_it() {
    let mut bench = Bench::new(Metric::Ph);
    bench.stand(1500.0, 599);
    let now = bench.now();
    bench.session.drop_point(7.0, now);
    bench.stand(1500.0, 599);
    assert!(!bench.session.is_over());
    bench.stand(1500.0, 1);
    assert_eq!((bench.session.view().step, bench.code().as_deref()), (Step::Ended, Some("left_alone")));
}

#[test]
fn a_bus_that_hangs_ends_the_session_though_nothing_is_observed() {
    let mut bench = Bench::new(Metric::Ph);
    bench.stand(1500.0, 3);
    let later = bench.now() + Duration::from_secs(61);
    bench.session.time_out(later);
    assert_eq!(bench.session.view().step, Step::Ended);
}

#[test]
fn a_name_that_no_record_can_carry_begins_nothing() {
    let sensor = Sensor::usual(Metric::Ph).unwrap();
    for (name, lot, field) in [("", None, "by.name"), ("Sari", Some("x".repeat(65)), "lot")] {
        let by = By::Device { name: name.to_owned() };
        let beginning = Beginning { by, lot, ..beginning(Metric::Ph) };
        let refused = Session::begin(beginning, sensor.clone(), stamp(0), Instant::now()).unwrap_err();
        assert!(refused.text.contains(field), "{refused:?}");
    }
}
