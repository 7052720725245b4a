//! What is said and ordered while somebody calibrates at a terminal. Pure: views and typed lines come in, texts
//! and orders go out. Knows no terminal and no socket.

use super::texts;
use shared::Metric;
use shared::calibration::{Buffers, Point, RecordId};
use shared::message::calibrate::{Order, Step, View};
use std::collections::VecDeque;

/// An order was refused if so many views later nothing has come of it: the first may be from before it.
const REFUSED_AFTER: u32 = 3;

/// What follows.
#[derive(Debug, PartialEq)]
pub(super) enum Move {
    Say(String),
    Order(Order),
    /// The end, and whether a calibration is in force.
    End(bool),
}

/// What the dialogue waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// The first signal.
    Signal,
    /// Whatever somebody types.
    Free,
    /// Enter: the probe is in the solution of this value.
    Ready(f64),
    /// A point of a script, for so many views.
    Taking(f64, u32),
    /// A yes.
    Consent,
    /// The end.
    Over,
}

pub(super) struct Dialogue {
    session: RecordId,
    /// Points of a script that are still to be taken.
    script: Option<VecDeque<f64>>,
    /// Whether nobody is asked.
    yes: bool,
    stage: Stage,
    points: Vec<Point>,
    problem: Option<String>,
    view: Option<View>,
}

impl Dialogue {
    /// With a script it takes its points one after the other and finishes; without, it does what is typed.
    pub(super) fn new(session: RecordId, script: Vec<f64>, yes: bool) -> Self {
        let script = (!script.is_empty()).then(|| script.into());
        Self { session, script, yes, stage: Stage::Signal, points: vec![], problem: None, view: None }
    }

    /// Whether somebody may type something.
    pub(super) fn listens(&self) -> bool {
        !(self.yes && self.script.is_some())
    }

    /// A view came.
    pub(super) fn view(&mut self, view: View) -> Vec<Move> {
        let mut moves = vec![];
        for point in &view.points {
            if !self.points.contains(point) {
                moves.push(Move::Say(texts::taken(view.metric, point)));
                if let Some(fit) = &view.fit {
                    moves.push(Move::Say(texts::result(fit)));
                }
            }
        }
        let problem = view.problem.as_ref().map(|problem| problem.text.clone());
        if problem != self.problem
            && let Some(text) = &problem
        {
            moves.push(Move::Say(texts::problem(text)));
        }
        self.problem = problem;
        self.points.clone_from(&view.points);
        match view.step {
            Step::Finished { .. } => moves.extend(self.end(texts::FINISHED, true)),
            Step::Ended => moves.extend(self.end(texts::CANCELLED, false)),
            Step::Waiting | Step::Settling { .. } => {}
        }
        let first = self.view.is_none() && self.stage != Stage::Over;
        if first {
            moves.insert(0, Move::Say(texts::welcome(&view)));
            if self.script.is_none() {
                moves.insert(1, Move::Say(texts::HELP.to_owned()));
            }
        }
        self.view = Some(view);
        moves.extend(self.go_on());
        moves
    }

    /// A line was typed.
    pub(super) fn line(&mut self, line: &str) -> Vec<Move> {
        let line = line.trim();
        if line == "cancel" {
            return self.cancel();
        }
        match self.stage {
            Stage::Ready(nominal) => self.take(nominal, Stage::Taking(nominal, 0)),
            Stage::Consent if ["y", "yes"].contains(&line) => vec![self.finish()],
            Stage::Consent if self.script.is_some() => self.cancel(),
            Stage::Consent => {
                self.stage = Stage::Free;
                vec![Move::Say(texts::KEPT_OPEN.to_owned())]
            }
            Stage::Free | Stage::Signal if self.script.is_none() => self.typed(line),
            _ => vec![],
        }
    }

    /// Ctrl-C, or the end of the input.
    pub(super) fn cancel(&mut self) -> Vec<Move> {
        let order = Move::Order(Order::Cancel { session: self.session });
        let mut moves = vec![order];
        moves.extend(self.end(texts::CANCELLED, false));
        moves
    }

    fn typed(&mut self, line: &str) -> Vec<Move> {
        let Some(view) = &self.view else { return vec![] };
        let (metric, buffers) = (view.metric, view.buffers);
        let value = |text: &str| parse(text, metric, buffers);
        let say = |text: String| vec![Move::Say(text)];
        match line {
            "" => vec![],
            "help" | "?" => say(texts::HELP.to_owned()),
            "finish" => match &view.fit {
                Some(fit) => {
                    let result = texts::result(fit);
                    self.stage = Stage::Consent;
                    vec![Move::Say(result), Move::Say(texts::PUT_INTO_FORCE.to_owned())]
                }
                None => say(self.problem.as_deref().map_or(texts::NOT_YET.to_owned(), texts::problem)),
            },
            _ => match line.strip_prefix("undo").map_or((line, false), |rest| (rest, true)) {
                (text, true) => match value(text) {
                    Some(nominal) => vec![Move::Order(Order::Drop { session: self.session, nominal })],
                    None => say(texts::wrong_value(metric, buffers)),
                },
                (text, false) => match value(text) {
                    Some(nominal) => self.take(nominal, Stage::Free),
                    None if text.contains(|c: char| c.is_ascii_digit()) => say(texts::wrong_value(metric, buffers)),
                    None => say(texts::NOT_UNDERSTOOD.to_owned()),
                },
            },
        }
    }

    /// What a script does next.
    fn go_on(&mut self) -> Vec<Move> {
        let Some(view) = &self.view else { return vec![] };
        match self.stage {
            Stage::Signal if view.live.is_some() => self.next_of_script(),
            Stage::Taking(nominal, views) => {
                let has = |point: &Point| (point.nominal - nominal).abs() < 0.005;
                if matches!(view.step, Step::Settling { .. }) {
                    self.stage = Stage::Taking(nominal, 0);
                } else if view.points.iter().any(has) {
                    return self.next_of_script();
                } else if views >= REFUSED_AFTER {
                    return self.cancel();
                } else {
                    self.stage = Stage::Taking(nominal, views + 1);
                }
                vec![]
            }
            _ => vec![],
        }
    }

    fn next_of_script(&mut self) -> Vec<Move> {
        let Some(script) = &mut self.script else {
            self.stage = Stage::Free;
            return vec![];
        };
        let (Some(metric), next) = (self.view.as_ref().map(|view| view.metric), script.pop_front()) else {
            return vec![];
        };
        match next {
            Some(nominal) if self.yes => self.take(nominal, Stage::Taking(nominal, 0)),
            Some(nominal) => {
                self.stage = Stage::Ready(nominal);
                vec![Move::Say(texts::put_into(metric, nominal))]
            }
            None if self.view.as_ref().is_none_or(|view| view.fit.is_none()) => {
                let mut moves = vec![];
                if self.problem.is_none() {
                    moves.push(Move::Say(texts::NOT_YET.to_owned()));
                }
                moves.extend(self.cancel());
                moves
            }
            None if self.yes => vec![self.finish()],
            None => {
                self.stage = Stage::Consent;
                vec![Move::Say(texts::PUT_INTO_FORCE.to_owned())]
            }
        }
    }

    fn take(&mut self, nominal: f64, stage: Stage) -> Vec<Move> {
        let Some(view) = &self.view else { return vec![] };
        self.stage = stage;
        let text = texts::waiting(view.metric, nominal);
        vec![Move::Say(text), Move::Order(Order::Take { session: self.session, nominal })]
    }

    fn finish(&mut self) -> Move {
        // Whatever comes now is in the views: the end, or why not.
        self.stage = Stage::Free;
        Move::Order(Order::Finish { session: self.session })
    }

    fn end(&mut self, text: &str, in_force: bool) -> [Move; 2] {
        self.stage = Stage::Over;
        [Move::Say(text.to_owned()), Move::End(in_force)]
    }
}

/// A value as people write it: `7`, `pH 7.00`, `1413 µS/cm`, `1,413 mS/cm`, `90 cm`. A buffer is found by what
/// is near its label, because bottles say 10 and 10.01; 7.00 and 6.86 are two different buffers.
pub(super) fn parse(text: &str, metric: Metric, buffers: Option<Buffers>) -> Option<f64> {
    let text = text.trim().to_lowercase().replace(',', ".");
    let text = text.strip_prefix("ph").unwrap_or(&text).trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || ".-+".contains(c))).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let value = match (unit.trim(), metric) {
        ("", _) => number,
        ("us/cm" | "µs/cm" | "μs/cm" | "us" | "µs" | "μs", Metric::Tds | Metric::Ec) => number,
        ("ms/cm" | "ms", Metric::Tds | Metric::Ec) => number * 1000.0,
        ("cm", Metric::Volume | Metric::Level) => number / 100.0,
        (unit, _) if unit == texts::unit(metric).to_lowercase() => number,
        ("c", Metric::Temperature) => number,
        _ => return None,
    };
    match buffers {
        Some(buffers) => buffers.labels().into_iter().find(|label| (label - value).abs() < 0.05),
        None => Some(value).filter(|value| value.is_finite()),
    }
}

#[cfg(test)]
mod tests;
