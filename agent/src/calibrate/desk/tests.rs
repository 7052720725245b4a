//! The task with a real sampler and probes that stand in a glass.

use super::*;
use crate::probe::{Circumstances, Probe, Sample};
use crate::sampler::{Lane, Sampler, Slot};
use crate::time::tests::Script;
use crate::time::{Discipline, SystemClock, Ticks};
use shared::calibration::{Active, By, Calibration};
use shared::message::Intervals;
use shared::sensor::Signal;
use shared::{ClockQuality, Stamp, UtcMillis};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::time::timeout;

const PATIENT: Duration = Duration::from_secs(40);

/// A level sensor half up its tank: 1 m without a calibration.
struct Glass(Sensor);

impl Probe for Glass {
    fn sample(&mut self, circumstances: &Circumstances) -> Sample {
        let calibration = circumstances.calibration.as_ref();
        let signal = Signal { millivolts: 1500.0, celsius: None, calibration };
        let converted = self.0.measure(&signal, &self.0.law().limits());
        Sample::new(self.0.metric(), converted.value, Some(1500.0), converted.flags)
    }
}

struct Bench {
    desk: Desk,
    sampler: Sampler,
    views: broadcast::Receiver<View>,
    settings: watch::Sender<Settings>,
    folder: TempDir,
}

fn id(n: u64) -> RecordId {
    RecordId::from_random(n)
}

fn time() -> Time {
    Time::new(Arc::new(SystemClock), Discipline::Assumed)
}

fn open(folder: &TempDir) -> Records {
    Records::open(folder.path(), Some(&DeviceName::numbered(7)), &time())
}

fn bench(folder: TempDir) -> Bench {
    bench_with(folder, time())
}

fn bench_with(folder: TempDir, time: Time) -> Bench {
    let records = open(&folder);
    let level = Sensor::usual(Metric::Level).unwrap();
    let slot =
        Slot { metric: Metric::Level, interval: Duration::from_millis(100), probe: Box::new(Glass(level.clone())) };
    let lanes = vec![Lane { name: "glass".to_owned(), slots: vec![slot], recovery: None }];
    let sampler = Sampler::start(lanes, &records.over(&Settings::default()), &time, |_| {}).unwrap();
    let (settings, watched) = watch::channel(Settings::default());
    let desk = Calibrator {
        sensors: [(Metric::Level, level)].into(),
        tap: sampler.tap(),
        in_force: sampler.calibrations(),
        settings: watched,
        records,
        time,
        draw: || RecordId::from_random(99),
    }
    .start();
    Bench { views: desk.views(), desk, sampler, settings, folder }
}

fn begin(n: u64, metric: Metric) -> Order {
    let by = By::Dashboard { name: "admin".to_owned() };
    Order::Begin { session: id(n), metric, by, buffers: None, lot: None }
}

impl Bench {
    async fn view(&mut self, wanted: impl Fn(&View) -> bool) -> View {
        let found = async {
            loop {
                let view = self.views.recv().await.unwrap();
                if wanted(&view) {
                    return view;
                }
            }
        };
        timeout(PATIENT, found).await.unwrap()
    }

    /// Waits for a reading with this value.
    async fn reads(&self, value: f64) {
        let mut latest = self.sampler.latest();
        let seen = latest.wait_for(|latest| {
            let outcome = latest.get(&Metric::Level).map(|measured| measured.sample.outcome);
            matches!(outcome, Some(shared::Outcome::Measured(seen)) if (seen.get() - value).abs() < 0.01)
        });
        timeout(PATIENT, seen).await.unwrap().unwrap();
    }

    async fn calibrate_to(&mut self, metres: f64) {
        self.desk.order(begin(1, Metric::Level));
        self.view(|view| view.live.is_some()).await;
        self.desk.order(Order::Take { session: id(1), nominal: metres });
        self.view(|view| view.fit.is_some()).await;
        self.desk.order(Order::Finish { session: id(1) });
        let last = self.view(|view| !matches!(view.step, Step::Waiting | Step::Settling { .. })).await;
        assert_eq!(last.step, Step::Finished { record: id(99) });
    }
}

#[tokio::test]
async fn a_record_is_in_force_before_the_server_knows_it_and_until_its_settings_contain_it() {
    let mut bench = bench(tempfile::tempdir().unwrap());
    bench.reads(0.5).await;
    bench.calibrate_to(0.6).await;
    bench.reads(0.6).await;
    assert_eq!(bench.desk.waiting().borrow().len(), 1);

    // Who asks again hears how it ended.
    bench.desk.order(Order::Finish { session: id(1) });
    assert_eq!(bench.view(|view| view.session == id(1)).await.step, Step::Finished { record: id(99) });

    // A restart, and settings that do not know it yet.
    let Bench { folder, sampler, .. } = bench;
    sampler.stop();
    let mut bench = self::bench(folder);
    bench.reads(0.6).await;
    bench.settings.send_replace(Settings::new(3, Intervals::default()));
    let mut waiting = bench.desk.waiting();
    assert_eq!(waiting.borrow_and_update().len(), 1);

    bench.desk.order(Order::Recorded { id: id(99), settings: 4 });
    let mut settings = Settings::new(4, Intervals::default());
    let calibration = Some(Calibration::Linear { slope: 1.0, offset: 0.2 });
    settings.calibrations.insert(Metric::Level, Active { id: id(100), calibration });
    bench.settings.send_replace(settings);
    timeout(PATIENT, waiting.wait_for(Vec::is_empty)).await.unwrap().unwrap();
    bench.reads(0.7).await;
    assert!(open(&bench.folder).waiting().is_empty());
    bench.desk.order(Order::Cancel { session: id(1) });
    assert_eq!(bench.view(|_| true).await.step, Step::Ended, "nobody remembers after the restart");
}

#[tokio::test]
async fn a_record_of_an_unsynced_clock_gets_its_time_as_soon_as_that_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let never = Discipline::File(folder.path().join("never"));
    let time = Time::new(Script::at(1_000, 5_000), never).of_boot("b1", folder.path());
    let mut bench = bench_with(folder, time.clone());
    bench.calibrate_to(0.6).await;
    let mut waiting = bench.desk.waiting();
    assert_eq!(waiting.borrow_and_update()[0].stamp, Stamp { at: UtcMillis(5_000), clock: ClockQuality::Unsynced });
    time.server_said(UtcMillis(1_763_690_400_000));
    timeout(PATIENT, waiting.changed()).await.unwrap().unwrap();
    let repaired = Stamp { at: UtcMillis(1_763_690_400_000), clock: ClockQuality::Repaired };
    assert_eq!(waiting.borrow()[0].stamp, repaired);
    assert_eq!(open(&bench.folder).waiting()[0].stamp, repaired);
}

#[tokio::test]
async fn a_second_beginning_ends_the_first_and_its_watchers_see_it() {
    let mut bench = bench(tempfile::tempdir().unwrap());
    bench.desk.order(begin(1, Metric::Level));
    bench.desk.order(begin(1, Metric::Level));
    bench.view(|view| view.live.is_some()).await;
    bench.desk.order(begin(2, Metric::Ph));
    let refused = bench.view(|view| view.session == id(2)).await;
    assert_eq!((refused.step, refused.problem.unwrap().code.as_str()), (Step::Ended, "no_such_probe"));
    bench.desk.order(begin(3, Metric::Level));
    let first = bench.view(|view| view.session == id(1) && view.step == Step::Ended).await;
    assert_eq!(first.problem.unwrap().code, "busy");
    assert_eq!(bench.view(|view| view.session == id(3)).await.step, Step::Waiting);
    bench.desk.order(Order::Cancel { session: id(3) });
    let ended = bench.view(|view| view.step == Step::Ended).await;
    assert_eq!((ended.session, ended.problem), (id(3), None));
}

#[tokio::test]
async fn no_session_begins_when_too_many_records_wait() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = open(&folder);
    let by = By::Device { name: "Sari".to_owned() };
    for n in 0..100 {
        let calibration = Some(Calibration::Linear { slope: 1.0, offset: 0.0 });
        let record = CalibrationRecord::new(id(n), Metric::Level, time().stamp(), by.clone(), calibration);
        records.add(record, "b1", Ticks(0)).unwrap();
    }
    let mut bench = bench(folder);
    bench.desk.order(begin(1, Metric::Level));
    let refused = bench.view(|view| view.session == id(1)).await;
    assert_eq!((refused.step, refused.problem.unwrap().code.as_str()), (Step::Ended, "full"));
}
