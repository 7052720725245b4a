//! How far the clock is turned at once: little while something goes on with the connections, as far as readings are still of
//! now when nothing does. And who hears the news of the past: nobody.

use crate::plan::Plan;
use crate::span::{MINUTE, Span};
use server::alert::{News, What};
use server::notify::{Answer, Channel};

/// When nothing goes on. What comes later than this is late for the server.
pub const SLOW: i64 = 5 * MINUTE;
const QUICK: i64 = MINUTE;

/// When something goes on.
#[derive(Debug)]
pub struct Pace {
    /// In their order, and not overlapping.
    busy: Vec<Span>,
}

impl Pace {
    /// The pace of a plan.
    pub fn of(plan: &Plan) -> Self {
        let around = |at: i64, after: i64| Span { from: at - MINUTE, to: at + after };
        let ends = |time: Span| [around(time.from, 7 * MINUTE), around(time.to.min(plan.span.to), 3 * MINUTE)];
        let mut busy: Vec<Span> = plan.absences.iter().flat_map(|absence| ends(absence.time)).collect();
        // The end is taken over by a server that looks each few seconds.
        busy.push(Span { from: plan.span.to - 10 * MINUTE, to: i64::MAX });
        busy.sort_by_key(|time| time.from);
        let mut merged: Vec<Span> = vec![];
        for time in busy {
            match merged.last_mut().filter(|last| last.to >= time.from) {
                Some(last) => last.to = last.to.max(time.to),
                None => merged.push(time),
            }
        }
        Self { busy: merged }
    }

    /// Whether something goes on, or has just been.
    pub fn is_busy(&self, now: i64) -> bool {
        let next = self.busy.partition_point(|time| time.to < now);
        self.busy.get(next).is_some_and(|time| time.from <= now)
    }

    /// Where the clock is turned to from here.
    pub fn next_after(&self, now: i64) -> i64 {
        let next = self.busy.partition_point(|time| time.to <= now);
        match self.busy.get(next) {
            Some(time) if time.has(now) => now + QUICK,
            Some(time) => time.from.min(now + SLOW),
            None => now + SLOW,
        }
    }
}

/// The broker of the past: it took what it was given, and nobody listened.
pub struct Heard;

impl Channel for Heard {
    fn name(&self) -> &str {
        "mqtt"
    }

    fn wants(&self, _: What) -> bool {
        true
    }

    fn deliver<'a>(&'a self, _: &'a News) -> Answer<'a> {
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_slow_but_never_steps_over_the_beginning_of_what_goes_on() {
        let pace = Pace { busy: vec![Span { from: 7 * MINUTE, to: 9 * MINUTE }] };
        let times = std::iter::successors(Some(0), |at| Some(pace.next_after(*at)));
        let times: Vec<i64> = times.map(|at| at / MINUTE).take(7).collect();
        assert_eq!(times, [0, 5, 7, 8, 9, 14, 19]);
    }
}
