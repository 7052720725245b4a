//! Lets all boards live in a thread of their own, a little ahead of whoever takes in what they tell.

use crate::board::{Board, Tale};
use crate::span::{HOUR, Span};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// How much time is lived at once.
const TOGETHER: i64 = HOUR;
/// How many such times it may be ahead.
const AHEAD: usize = 4;

/// What all boards have told and nobody has taken yet.
pub struct Producer {
    tales: Vec<VecDeque<Tale>>,
    /// Everything until here is in `tales`, or was taken.
    known: i64,
    source: Source,
}

enum Source {
    Thread(Receiver<(i64, Vec<Vec<Tale>>)>, JoinHandle<Vec<Board>>),
    /// The planned past is over: what is asked for is lived then.
    Here(Vec<Board>),
}

impl Producer {
    /// Begins to live.
    pub fn start(mut boards: Vec<Board>, span: Span) -> Self {
        let (sender, receiver) = sync_channel(AHEAD);
        let tales = boards.iter().map(|_| VecDeque::new()).collect();
        let thread = std::thread::spawn(move || {
            let mut until = span.from;
            while until < span.to {
                until = (until + TOGETHER).min(span.to);
                let told = boards.iter_mut().map(|board| board.live_until(until)).collect();
                if sender.send((until, told)).is_err() {
                    break;
                }
            }
            boards
        });
        Self { tales, known: span.from, source: Source::Thread(receiver, thread) }
    }

    /// What each board has told of the time before `until`.
    pub fn until(&mut self, until: i64) -> Vec<Vec<Tale>> {
        while self.known < until {
            self.source = match std::mem::replace(&mut self.source, Source::Here(vec![])) {
                Source::Thread(receiver, thread) => match receiver.recv() {
                    Ok((known, told)) => {
                        self.keep(known, told);
                        Source::Thread(receiver, thread)
                    }
                    // It has lived to the end of the span.
                    Err(_) => Source::Here(thread.join().unwrap_or_default()),
                },
                Source::Here(mut boards) => {
                    let told = boards.iter_mut().map(|board| board.live_until(until)).collect();
                    self.keep(until, told);
                    Source::Here(boards)
                }
            };
        }
        let taken = |tales: &mut VecDeque<Tale>| {
            let count = tales.iter().take_while(|tale| tale.at() < until).count();
            tales.drain(..count).collect()
        };
        self.tales.iter_mut().map(taken).collect()
    }

    fn keep(&mut self, known: i64, told: Vec<Vec<Tale>>) {
        self.known = known;
        self.tales.iter_mut().zip(told).for_each(|(tales, told)| tales.extend(told));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cast::members;
    use crate::plan::Plan;
    use crate::span::{Days, MINUTE};
    use shared::UtcMillis;

    #[test]
    fn nothing_is_told_twice_or_lost_whatever_is_asked_for_also_after_the_end() {
        let members = members(2);
        let span = Span::before(UtcMillis(1_763_690_400_000), Days(1));
        let plan = Plan::draw(&members, span, 7);
        let boards = || (0..2).filter_map(|n| Board::new(n, &members[n], &plan, MINUTE, 7)).collect::<Vec<_>>();
        let end = span.to + 10 * MINUTE;
        let whole: Vec<Vec<Tale>> = boards().iter_mut().map(|board| board.live_until(end)).collect();
        let mut producer = Producer::start(boards(), span);
        let mut told: Vec<Vec<Tale>> = vec![vec![]; 2];
        let mut at = span.from;
        while at < end {
            at = (at + 7 * MINUTE + 13).min(end);
            for (tales, more) in told.iter_mut().zip(producer.until(at)) {
                tales.extend(more);
            }
        }
        assert_eq!(told, whole);
    }
}
