//! What a board says to the server, and when: batches while it is connected, its status when that changes. Knows no plan.

use crate::board::{METRICS, Tale};
use crate::cast::Member;
use crate::plan::Why;
use server::store::Incoming;
use shared::calibration::CalibrationRecord;
use shared::message::{BufferStatus, Cut, LinkState, Received, Status};
use shared::{BufferId, ClockQuality, DeviceName, Outcome, Reading, RunId, UtcMillis};
use std::collections::{BTreeMap, VecDeque};

/// Most readings of a batch, as agents send them.
const MOST: usize = 500;
/// Who has said nothing for so long says that it is there, in milliseconds.
const REPORTS: i64 = 30_000;
/// How long a board boots before it speaks, in milliseconds.
const BOOTS: i64 = 34_000;

/// A board's line to the server.
pub struct Line {
    /// Whose.
    pub name: DeviceName,
    /// Whether it is connected.
    pub up: bool,
    /// Version of the settings that it runs.
    pub settings: u32,
    /// When it last said anything.
    said_at: i64,
    waiting: VecDeque<Reading>,
    records: Vec<CalibrationRecord>,
    buffer: BufferId,
    boot: u128,
    booted_at: i64,
    run: u64,
    faults: BTreeMap<&'static str, &'static str>,
    /// Whether its status is news: a probe began or ceased to fail.
    news: bool,
    ids: fastrand::Rng,
}

impl Line {
    /// The line of a member whose board was never switched on.
    pub fn new(member: &Member, seed: u64) -> Self {
        let mut ids = fastrand::Rng::with_seed(seed ^ u64::from(member.number).rotate_left(24));
        Self {
            name: member.name(),
            up: false,
            settings: 0,
            said_at: 0,
            waiting: VecDeque::new(),
            records: vec![],
            buffer: BufferId::from_random(ids.u64(..)),
            boot: ids.u128(..),
            booted_at: 0,
            run: ids.u64(..),
            faults: METRICS.iter().map(|metric| (metric.as_str(), "ok")).collect(),
            news: false,
            ids,
        }
    }

    /// The buffer that it sends from.
    pub fn buffer(&self) -> BufferId {
        self.buffer
    }

    /// Another board has the name now.
    pub fn succeed(&mut self) {
        self.buffer = BufferId::from_random(self.ids.u64(..));
    }

    /// It is switched on, or starts again.
    pub fn starts(&mut self, at: i64) {
        (self.boot, self.run, self.booted_at) = (self.ids.u128(..), self.ids.u64(..), at - BOOTS);
    }

    /// Takes what the board tells.
    pub fn hear(&mut self, tales: Vec<Tale>) {
        for tale in tales {
            match tale {
                Tale::Read(reading) => {
                    let word = match reading.outcome {
                        Outcome::Measured(_) => "ok",
                        Outcome::Fault(fault) => fault.as_str(),
                    };
                    self.news |= self.faults.insert(reading.metric.as_str(), word) != Some(word);
                    self.waiting.push_back(reading);
                }
                Tale::Calibrated(record) => self.records.push(*record),
            }
        }
    }

    /// What has to be sent, if it is connected, as the server has it when it has read it.
    pub fn batches(&mut self, now: UtcMillis) -> Vec<Incoming> {
        let mut batches = vec![];
        while self.up && !self.waiting.is_empty() {
            let readings: Vec<Reading> = self.waiting.drain(..self.waiting.len().min(MOST)).collect();
            let (Some(first), Some(last)) = (readings.first(), readings.last()) else { break };
            let (first, last) = (first.seq, last.seq);
            let received = Received { buffer: self.buffer, first, last, readings, refused: vec![] };
            self.said_at = now.0;
            batches.push(Incoming { device: self.name.clone(), received, at: now });
        }
        batches
    }

    /// The calibrations that the server does not know yet, if it is connected.
    pub fn calibrations(&mut self) -> Vec<CalibrationRecord> {
        if self.up { std::mem::take(&mut self.records) } else { vec![] }
    }

    /// Whether it has something to say of itself.
    pub fn has_news(&mut self) -> bool {
        self.up && std::mem::take(&mut self.news)
    }

    /// Whether it is time to say at least that it is there: it measures seldom, but agents report often.
    pub fn is_due(&mut self, now: UtcMillis) -> bool {
        let due = self.up && now.0 - self.said_at > REPORTS;
        if due {
            self.said_at = now.0;
        }
        due
    }

    /// How it is, connected.
    pub fn status(&self, now: UtcMillis) -> Status {
        let mut status = Status::new(LinkState::Online);
        status.agent = env!("CARGO_PKG_VERSION").to_owned();
        status.boot = uuid(self.boot);
        status.run = Some(RunId::from_random(self.run));
        status.clock = Some(ClockQuality::Synced);
        status.up_s = u64::try_from((now.0 - self.booted_at) / 1000).ok();
        status.settings = self.settings;
        status.buffer = Some(BufferStatus::new(self.buffer, 0, 0));
        status.probes = self.faults.iter().map(|(metric, word)| ((*metric).to_owned(), (*word).to_owned())).collect();
        status
    }

    /// It goes; returns what the server hears of that.
    pub fn goes(&mut self, why: Why, now: UtcMillis) -> Status {
        self.up = false;
        let mut status = self.status(now);
        if why != Why::Stopped {
            return status.last_will();
        }
        status.state = LinkState::Stopped;
        status
    }

    /// It is back after it went for some reason at some time; returns what it says then.
    pub fn returns(&mut self, why: Why, since: i64, now: UtcMillis) -> Status {
        self.up = true;
        // What it says of the time away is not said over before the server has looked.
        self.said_at = now.0;
        match why {
            Why::Power => {
                self.starts(now.0);
                self.status(now)
            }
            Why::Stopped => {
                self.run = self.ids.u64(..);
                self.status(now)
            }
            Why::Network => {
                let ago_s = u64::try_from((now.0 - since) / 1000).unwrap_or_default();
                let mut status = self.status(now);
                status.cut = Some(Cut { ago_s, why: "no_route".to_owned() });
                status
            }
        }
    }
}

/// As the kernel writes the id of a boot.
fn uuid(bits: u128) -> String {
    let digits = format!("{bits:032x}");
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}
