//! A board that measures: what its probes say at which time, and how they are calibrated. A pure function of its plan;
//! knows no network and no server.

use crate::cast::Member;
use crate::plan::{Calibrating, Plan, Trouble};
use crate::span::{DAY, MINUTE, Span};
use agent::probe::simulated::{self, Simulated};
use agent::probe::{Circumstances, Probe, Water};
use shared::calibration::{Buffers, By, Calibration, CalibrationRecord, Point, RecordId, fit};
use shared::message::{ProbeReport, Sensors};
use shared::reading::Flag;
use shared::sensor::Sensor;
use shared::{ClockQuality, Metric, Outcome, Reading, Stamp, UtcMillis};

/// What every board measures: the temperature first, because the others are computed with it.
pub const METRICS: [Metric; 4] = [Metric::Temperature, Metric::Ph, Metric::Tds, Metric::Volume];
/// The buffers that a pH probe is put into, and for how long into each.
const BUFFERS: [f64; 3] = [7.0, 4.0, 10.01];
const EACH: i64 = 3 * MINUTE;

/// What a board has to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Tale {
    /// A reading.
    Read(Reading),
    /// Its pH probe was calibrated.
    Calibrated(Box<CalibrationRecord>),
}

impl Tale {
    /// When it was.
    pub fn at(&self) -> i64 {
        match self {
            Self::Read(reading) => reading.stamp.at.0,
            Self::Calibrated(record) => record.stamp.at.0,
        }
    }
}

/// A board, until some time.
pub struct Board {
    probes: Vec<(Metric, Simulated)>,
    interval: i64,
    next: i64,
    seq: u64,
    /// When it has no power.
    dark: Vec<Span>,
    /// From when on another board has its place, with a buffer of its own.
    succeeded: Option<i64>,
    troubles: Vec<Trouble>,
    calibrations: Vec<Calibrating>,
    calibration: Option<Calibration>,
    /// From when until when its pH electrode wears.
    wears: Option<Span>,
    ids: fastrand::Rng,
}

impl Board {
    /// The board of a member, before its first reading.
    pub fn new(place: usize, member: &Member, plan: &Plan, interval: i64, seed: u64) -> Option<Self> {
        let tank = u64::from(member.number);
        let probe = |metric| {
            let probe = Simulated::new(metric, tank, member.worn && metric == Metric::Ph)?;
            Some((metric, probe.holding(member.site().water)))
        };
        let begins = plan.begins.get(place).copied()?;
        let calibrations: Vec<_> = plan.calibrations.iter().filter(|of| of.board == place).copied().collect();
        let last = calibrations.last().map_or(plan.span.to, |last| last.at);
        // Each at seconds of its own, but before the tenth: then a simulated plug may be loose for a while.
        let offset = i64::from(member.number % 10) * 1000;
        Some(Self {
            probes: METRICS.into_iter().map(probe).collect::<Option<_>>()?,
            interval,
            next: begins - begins.rem_euclid(interval) + interval + offset,
            seq: 0,
            dark: plan.absences_of(place).filter(|away| away.why.is_dark()).map(|away| away.time).collect(),
            succeeded: plan.replacement.filter(|replaced| replaced.board == place).map(|replaced| replaced.at),
            troubles: plan.troubles.iter().filter(|trouble| trouble.board == place).copied().collect(),
            wears: member.worn.then_some(Span { from: begins, to: last.max(begins + DAY / 2) }),
            calibrations,
            calibration: None,
            ids: fastrand::Rng::with_seed(seed ^ tank.rotate_left(40)),
        })
    }

    /// What it tells of the time before `until`, in the order in which it happened.
    pub fn live_until(&mut self, until: i64) -> Vec<Tale> {
        let mut tales = vec![];
        while self.next < until {
            let at = self.next;
            self.next += self.interval;
            if let Some(due) = self.calibrations.first().copied().filter(|due| due.at + EACH * 3 <= at) {
                self.calibrations.remove(0);
                tales.extend(self.calibrate(due).map(|record| Tale::Calibrated(Box::new(record))));
            }
            if self.dark.iter().any(|dark| dark.has(at)) {
                continue;
            }
            if self.succeeded.is_some_and(|since| since <= at) {
                (self.succeeded, self.seq) = (None, 0);
            }
            self.measure(at, &mut tales);
        }
        tales
    }

    fn measure(&mut self, at: i64, tales: &mut Vec<Tale>) {
        let now = UtcMillis(at);
        let mut water = None;
        let bath = self.calibrations.first().and_then(|due| bath(due, at));
        for place in 0..self.probes.len() {
            let trouble = self.trouble(place, at);
            let Some((metric, probe)) = self.probes.get_mut(place) else { continue };
            let calibration = self.calibration.filter(|_| *metric == Metric::Ph);
            let circumstances = Circumstances { now, water, calibration };
            probe.suffer(trouble);
            let mut sample = match bath.filter(|_| *metric == Metric::Ph) {
                Some(nominal) => in_bath(probe, nominal, &circumstances),
                None => probe.sample(&circumstances),
            };
            if bath.is_some() && *metric == Metric::Ph {
                sample.flags = sample.flags.with(Flag::Calibrating);
            }
            if let (Metric::Temperature, Outcome::Measured(value)) = (*metric, sample.outcome) {
                water = Some(Water { celsius: value.get(), simulated: true });
            }
            self.seq += 1;
            tales.push(Tale::Read(Reading {
                seq: self.seq,
                stamp: Stamp { at: now, clock: ClockQuality::Synced },
                metric: *metric,
                outcome: sample.outcome,
                millivolts: sample.millivolts,
                flags: sample.flags,
                spread: sample.spread,
            }));
        }
    }

    fn trouble(&self, place: usize, at: i64) -> simulated::Trouble {
        let metric = METRICS.get(place).copied();
        let mine = || self.troubles.iter().filter(|trouble| Some(trouble.metric) == metric && trouble.time.has(at));
        simulated::Trouble {
            more: mine().map(|trouble| trouble.more_at(at)).sum(),
            worn: self.worn(at),
            fault: mine().find_map(|trouble| trouble.fault),
        }
    }

    /// How far its electrode has worn.
    #[allow(clippy::cast_precision_loss)] // weeks
    fn worn(&self, at: i64) -> f64 {
        self.wears.map_or(1.0, |time| ((at - time.from) as f64 / time.ms() as f64).clamp(0.0, 1.0))
    }

    /// What somebody finds out who puts the probe into three buffers.
    fn calibrate(&mut self, due: Calibrating) -> Option<CalibrationRecord> {
        let done = due.at + EACH * 3;
        let trouble = simulated::Trouble { worn: self.worn(done), ..simulated::Trouble::default() };
        let mut points = vec![];
        for (nominal, at) in BUFFERS.into_iter().zip((1..).map(|n| due.at + n * EACH - 10_000)) {
            let now = UtcMillis(at);
            let (_, thermometer) = self.probes.first_mut()?;
            let Outcome::Measured(celsius) =
                thermometer.sample(&Circumstances { now, water: None, calibration: None }).outcome
            else {
                return None;
            };
            let water = Some(Water { celsius: celsius.get(), simulated: true });
            let (_, probe) = self.probes.get_mut(1)?;
            probe.suffer(trouble);
            let sample = in_bath(probe, nominal, &Circumstances { now, water, calibration: None });
            let (millivolts, spread) = (sample.millivolts?.get(), sample.spread.map(|spread| spread.get()));
            points.push(Point { nominal, millivolts, celsius: Some(celsius.get()), spread });
        }
        let found = fit(&Sensor::usual(Metric::Ph)?, &points, Buffers::Technical).ok()?;
        self.calibration = Some(found.calibration);
        let stamp = Stamp { at: UtcMillis(done), clock: ClockQuality::Synced };
        let (id, by) = (RecordId::from_random(self.ids.u64(..)), By::Dashboard { name: due.who.to_owned() });
        let mut record = CalibrationRecord::new(id, Metric::Ph, stamp, by, Some(found.calibration));
        (record.buffers, record.points, record.health) = (Some(Buffers::Technical), points, found.health);
        record.lot = Some("HI-7031 / 2027-06".to_owned());
        Some(record)
    }
}

/// What a probe says that has been in a solution for a while; it is in the water again afterwards.
fn in_bath(probe: &mut Simulated, nominal: f64, circumstances: &Circumstances) -> agent::probe::Sample {
    probe.immerse(Some(nominal));
    probe.sample(&Circumstances { now: UtcMillis(circumstances.now.0 - MINUTE), ..*circumstances });
    let sample = probe.sample(circumstances);
    probe.immerse(None);
    sample
}

/// The solution that the probe is in at a time.
fn bath(due: &Calibrating, at: i64) -> Option<f64> {
    let into = usize::try_from((at - due.at).div_euclid(EACH)).ok()?;
    BUFFERS.get(into).copied()
}

/// What every board says that it measures with.
pub fn sensors() -> Sensors {
    let report = |metric: Metric| {
        let sensor = Sensor::usual(metric);
        let limits = sensor.as_ref().map(|sensor| sensor.law().limits());
        (metric, ProbeReport { source: "simulated".to_owned(), sensor, limits })
    };
    Sensors::new(METRICS.into_iter().map(report).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cast::members;
    use crate::span::Days;

    const END: UtcMillis = UtcMillis(1_763_690_400_000);

    fn life(place: usize) -> (Plan, Vec<Tale>) {
        let members = members(6);
        let plan = Plan::draw(&members, Span::before(END, Days(5)), 7);
        let mut board = Board::new(place, &members[place], &plan, MINUTE, 7).unwrap();
        let tales = board.live_until(END.0);
        (plan, tales)
    }

    fn readings(tales: &[Tale]) -> Vec<Reading> {
        let readings =
            tales.iter().filter_map(|tale| if let Tale::Read(reading) = tale { Some(*reading) } else { None });
        readings.collect()
    }

    #[test]
    fn a_board_measures_each_minute_unless_it_is_dark_and_says_that_it_is_simulated() {
        let (plan, tales) = life(0);
        let readings = readings(&tales);
        assert!(readings.iter().all(|reading| reading.flags.has(Flag::Simulated)));
        let temperatures: Vec<i64> =
            readings.iter().filter(|of| of.metric == Metric::Temperature).map(|of| of.stamp.at.0).collect();
        for two in temperatures.windows(2).filter(|two| two[1] - two[0] != MINUTE) {
            let dark = plan.absences_of(0).any(|away| away.why.is_dark() && away.time.has(two[0] + MINUTE));
            assert!(dark, "{two:?}");
        }
        assert!(readings.windows(2).all(|two| two[1].seq == two[0].seq + 1));
    }

    #[test]
    fn a_successor_begins_its_buffer_at_one() {
        let (plan, tales) = life(3);
        let at = plan.replacement.unwrap().at;
        let readings = readings(&tales);
        let first = readings.iter().find(|reading| reading.stamp.at.0 >= at).unwrap();
        assert_eq!(first.seq, 1);
        assert_eq!(readings.iter().filter(|reading| reading.seq == 1).count(), 2);
    }

    #[test]
    fn an_electrode_drifts_until_it_is_calibrated_and_is_right_again() {
        let (plan, tales) = life(0);
        let records: Vec<_> = tales
            .iter()
            .filter_map(|tale| if let Tale::Calibrated(record) = tale { Some(record) } else { None })
            .collect();
        assert_eq!(records.len(), 2);
        assert!(records.iter().all(|record| record.check().is_ok()));
        let slopes: Vec<f64> = records.iter().map(|record| record.health.unwrap().slope_percent).collect();
        assert!(slopes[0] > 99.5 && slopes[1] < 99.0, "{slopes:?}");
        let at = plan.calibrations.iter().filter(|of| of.board == 0).map(|of| of.at).max().unwrap();
        let readings = readings(&tales);
        let during: Vec<_> = readings
            .iter()
            .filter(|of| of.metric == Metric::Ph && (at..at + 3 * EACH).contains(&of.stamp.at.0))
            .collect();
        assert!(during.len() >= 8 && during.iter().all(|reading| reading.flags.has(Flag::Calibrating)));
        let calibrating = readings.iter().filter(|reading| reading.flags.has(Flag::Calibrating)).count();
        assert!(calibrating <= 20, "{calibrating}");
    }
}
