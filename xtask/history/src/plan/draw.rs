//! Draws what will happen.

use super::{Absence, Calibrating, Deed, Plan, Replacement, Trouble, Why};
use crate::cast::{Fate, Member, SITES};
use crate::span::{DAY, HOUR, MINUTE, Span, next_hour};
use fastrand::Rng;
use shared::Metric;
use shared::reading::Fault;

/// Boards are put up one after the other, but all within this time.
const SETTING_UP: i64 = 2 * HOUR;
/// Nothing happens so soon after the beginning: first there is something to be disturbed.
const QUIET: i64 = 6 * HOUR;
/// What is over when the past ends is over by so much.
const SETTLED: i64 = 40 * MINUTE;
/// Between two absences of a board.
const APART: i64 = 90 * MINUTE;
/// A fleet of so many devices has what is said here in so many days.
const USUAL_FLEET: f64 = 20.0;

struct Drawing<'a> {
    members: &'a [Member],
    span: Span,
    random: Rng,
    plan: Plan,
}

impl Plan {
    /// The plan of a seed for these members.
    pub fn draw(members: &[Member], span: Span, seed: u64) -> Self {
        let begins = begins(members, span);
        let plan = Self {
            span,
            begins,
            absences: vec![],
            troubles: vec![],
            calibrations: vec![],
            replacement: None,
            deeds: vec![],
        };
        let mut drawing = Drawing { members, span, random: Rng::with_seed(seed), plan };
        drawing.comings_and_goings();
        drawing.absences();
        drawing.troubles();
        drawing.calibrations();
        drawing.deeds();
        let mut plan = drawing.plan;
        plan.absences.sort_by_key(|absence| (absence.time.from, absence.board));
        plan.deeds.sort_by_key(|(at, _)| *at);
        plan
    }
}

fn begins(members: &[Member], span: Span) -> Vec<i64> {
    let apart = (SETTING_UP / i64::try_from(members.len()).unwrap_or(1).max(1)).min(4 * MINUTE);
    (1..).zip(members).map(|(n, _)| span.from + 30 * MINUTE + n * apart).collect()
}

impl Drawing<'_> {
    fn days(&self) -> i64 {
        self.span.ms() / DAY
    }

    /// How often something happens that the usual fleet has once in so many days; once at least.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small numbers
    fn times(&self, each_days: f64) -> usize {
        let times = self.days() as f64 / each_days * self.members.len() as f64 / USUAL_FLEET;
        (times.round() as usize).max(1)
    }

    fn minutes(&mut self, range: std::ops::RangeInclusive<i64>) -> i64 {
        self.random.i64(range) * MINUTE
    }

    /// A time that lasts so long and is over before the end.
    fn time(&mut self, lasts: i64) -> Span {
        let (first, last) = (self.span.from + QUIET, self.span.to - SETTLED - lasts);
        let from = if first < last { self.random.i64(first..last) } else { first };
        let from = from - from.rem_euclid(1000);
        Span { from, to: from + lasts }
    }

    fn is_free(&self, board: usize, time: Span) -> bool {
        let near = |absence: &Absence| {
            absence.time.from < time.to.saturating_add(APART) && time.from < absence.time.to.saturating_add(APART)
        };
        !self.plan.absences_of(board).any(near)
    }

    /// Whether it is gone for good by then.
    fn has_left(&self, board: usize, at: i64) -> bool {
        self.plan.absences_of(board).any(|absence| absence.time.to == i64::MAX && absence.time.from <= at)
    }

    /// Whoever lives, or is about to go.
    fn anybody(&mut self) -> usize {
        self.random.usize(0..self.members.len())
    }

    fn away(&mut self, board: usize, time: Span, why: Why) -> bool {
        let free = self.is_free(board, time);
        if free {
            self.plan.absences.push(Absence { board, time, why });
        }
        free
    }

    /// Somebody is away for so long at some time when that can be.
    fn somebody_away(&mut self, minutes: std::ops::RangeInclusive<i64>, why: Why) {
        for _ in 0..40 {
            let (board, lasts) = (self.anybody(), self.minutes(minutes.clone()));
            let time = self.time(lasts);
            if self.away(board, time, why) {
                return;
            }
        }
    }

    /// Members that leave, and one whose board is replaced.
    fn comings_and_goings(&mut self) {
        let never = Span { from: 0, to: i64::MAX };
        for board in 0..self.members.len() {
            let deed = match self.members.get(board).map(|member| member.fate) {
                Some(Fate::Retired) => {
                    let at = next_hour(self.span.at(0.7), 10).min(self.span.to - HOUR);
                    self.away(board, Span { from: at, ..never }, Why::Stopped);
                    (at + 12 * MINUTE, Deed::Retire(board))
                }
                Some(Fate::Missing) => {
                    let at = self.span.to - 160 * MINUTE;
                    self.away(board, Span { from: at, ..never }, Why::Network);
                    continue;
                }
                _ => continue,
            };
            self.plan.deeds.push(deed);
        }
        if self.days() >= 4 && self.members.len() >= 4 {
            let board = 3;
            let died = self.span.at(0.55) / MINUTE * MINUTE;
            let at = next_hour(died + 8 * HOUR, 10) + 20 * MINUTE;
            self.away(board, Span { from: died, to: at }, Why::Power);
            self.plan.replacement = Some(Replacement { board, at });
            self.plan.deeds.push((at - 35 * MINUTE, Deed::Replace(board)));
            self.plan.deeds.push((at, Deed::Enrol(board, true)));
        }
    }

    fn absences(&mut self) {
        self.blackouts();
        for _ in 0..self.times(6.0) {
            self.somebody_away(70..=420, Why::Network);
        }
        for _ in 0..self.times(8.0) {
            self.somebody_away(9..=45, Why::Power);
        }
        if self.days() >= 7 {
            self.loose_antenna();
        }
        if self.days() >= 3 {
            for _ in 0..self.times(14.0) {
                self.maintenance();
            }
        }
    }

    /// A whole place has no power.
    fn blackouts(&mut self) {
        for _ in 0..self.times(14.0) {
            for _ in 0..40 {
                let (site, lasts) = (self.random.usize(0..SITES.len()), self.minutes(25..=130));
                let time = self.time(lasts);
                let here: Vec<usize> = (0..self.members.len())
                    .filter(|board| self.members.get(*board).is_some_and(|member| member.site == site))
                    .filter(|board| !self.has_left(*board, time.to + APART))
                    .collect();
                if here.is_empty() || !here.iter().all(|board| self.is_free(*board, time)) {
                    continue;
                }
                for board in here {
                    // They boot one after the other.
                    let booting = self.random.i64(20_000..70_000);
                    self.away(board, Span { to: time.to + booting, ..time }, Why::Power);
                }
                break;
            }
        }
    }

    /// One device is gone again and again within a day.
    fn loose_antenna(&mut self) {
        for _ in 0..40 {
            let board = self.anybody();
            let day = self.time(12 * HOUR);
            if !self.is_free(board, day) {
                continue;
            }
            let mut from = day.from;
            for _ in 0..4 {
                let time = Span { from, to: from + self.minutes(5..=14) };
                self.plan.absences.push(Absence { board, time, why: Why::Network });
                from = time.to + self.minutes(75..=150);
            }
            return;
        }
    }

    fn maintenance(&mut self) {
        for _ in 0..40 {
            let (board, day) = (self.anybody(), self.time(2 * HOUR));
            let from = next_hour(day.from, 9) + self.minutes(5..=40);
            let time = Span { from, to: from + self.minutes(30..=70) };
            if time.to + SETTLED > self.span.to || !self.away(board, time, Why::Stopped) {
                continue;
            }
            let announced = Span { from: from - 10 * MINUTE, to: from + 2 * HOUR };
            self.plan.deeds.push((from - 25 * MINUTE, Deed::Maintenance(board, announced)));
            return;
        }
    }

    fn troubles(&mut self) {
        self.stopped_aerator();
        for _ in 1..self.times(2.5) {
            let (board, lasts) = (self.anybody(), self.minutes(110..=330));
            let time = self.time(lasts);
            let Some(member) = self.members.get(board) else { continue };
            let of_site: &[(Metric, f64)] = match member.site {
                // The aerator stops; a pipe leaks; the heater stays on.
                0 => &[(Metric::Ph, -1.15), (Metric::Ph, -0.85), (Metric::Volume, -230.0), (Metric::Temperature, 3.2)],
                // The acid's pump is clogged; the fertiliser is empty; the valve hangs.
                1 => &[(Metric::Ph, 0.95), (Metric::Tds, -230.0), (Metric::Volume, -250.0), (Metric::Ph, -0.9)],
                // Too much lye; a batch of acid; salt.
                _ => &[(Metric::Ph, 1.75), (Metric::Ph, -1.35), (Metric::Tds, 240.0)],
            };
            let (metric, more) = of_site.get(self.random.usize(0..of_site.len())).copied().unwrap_or((Metric::Ph, 1.0));
            let more = more * (0.9 + 0.25 * self.random.f64());
            self.plan.troubles.push(Trouble { board, metric, time, more, fault: None });
        }
        for _ in 0..self.times(9.0) {
            let (board, lasts) = (self.anybody(), self.minutes(40..=260));
            let time = self.time(lasts);
            let metric = [Metric::Ph, Metric::Tds, Metric::Temperature][self.random.usize(0..3)];
            let fault = [Fault::NoAnswer, Fault::RailHigh, Fault::RailLow][self.random.usize(0..3)];
            self.plan.troubles.push(Trouble { board, metric, time, more: 0.0, fault: Some(fault) });
        }
    }

    /// Every past has at least this: an aerator stops in the night, when algae make no oxygen, and the water turns acid.
    fn stopped_aerator(&mut self) {
        let (board, lasts) = (0, 4 * HOUR);
        let nights = (1..=self.days()).map(|day| next_hour(self.span.from + QUIET + (day - 1) * DAY, 2) + 20 * MINUTE);
        let nights: Vec<Span> = nights
            .map(|from| Span { from, to: from + lasts })
            .filter(|night| night.to + SETTLED < self.span.to && self.is_free(board, *night))
            .collect();
        let time = match nights.get(self.random.usize(0..nights.len().max(1))) {
            Some(night) => *night,
            None => self.time(lasts),
        };
        self.plan.troubles.push(Trouble { board, metric: Metric::Ph, time, more: -1.3, fault: None });
    }

    /// New probes are calibrated, and again when they have worn.
    fn calibrations(&mut self) {
        for board in 0..self.members.len() {
            let Some(member) = self.members.get(board).filter(|member| member.worn) else { continue };
            let who = member.site().technician;
            let first = self.plan.begins.get(board).copied().unwrap_or(self.span.from) + 25 * MINUTE;
            self.plan.calibrations.push(Calibrating { board, at: first, who });
            for _ in 0..40 {
                let part = 0.45 + 0.4 * self.random.f64();
                let at = next_hour(self.span.at(part), 8) + self.minutes(10..=400);
                let time = Span { from: at, to: at + 15 * MINUTE };
                if time.to + SETTLED < self.span.to && self.is_free(board, time) {
                    self.plan.calibrations.push(Calibrating { board, at: at / MINUTE * MINUTE, who });
                    break;
                }
            }
        }
    }

    fn deeds(&mut self) {
        let begun = self.plan.begins.clone();
        let enrol = begun.iter().enumerate().map(|(board, at)| (*at, Deed::Enrol(board, false)));
        self.plan.deeds.extend(enrol);
        let last = begun.iter().copied().max().unwrap_or(self.span.from);
        self.plan.deeds.push((last + 10 * MINUTE, Deed::Thresholds));
        let stricter = next_hour(self.span.at(0.62), 11) + 17 * MINUTE;
        if stricter < self.span.to {
            self.plan.deeds.push((stricter, Deed::Stricter));
        }
        if self.days() >= 10 {
            let time = self.time(3 * HOUR);
            let site = self.random.usize(0..SITES.len());
            self.plan.deeds.push((time.from, Deed::Storm(site, time)));
        }
        let near = self.members.iter().position(|member| member.fate == Fate::Lives && member.site == 1);
        if let Some(near) = near {
            self.plan.deeds.push((self.span.at(0.9), Deed::NearLimit(near)));
        }
    }
}
