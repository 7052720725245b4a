//! The rule told as stories: a session's tokens, and who shows which of them when.

use super::*;

/// The tokens of one session, as the store keeps them.
#[derive(Default)]
struct Line {
    tokens: Vec<(Option<usize>, Option<UtcMillis>)>,
    ended: bool,
}

impl Line {
    fn signed_in() -> Self {
        Self { tokens: vec![(None, None)], ended: false }
    }

    /// Shows a token at a second; the next one, if it gives one.
    fn show(&mut self, token: usize, second: i64) -> Option<usize> {
        if self.ended {
            return None;
        }
        let now = UtcMillis(second * 1000);
        let (parent, rotated_at) = self.tokens[token];
        let used = |of: Option<usize>, but: usize| {
            of.is_some()
                && (0..self.tokens.len()).any(|n| n != but && self.tokens[n].0 == of && self.tokens[n].1.is_some())
        };
        let shown =
            Shown { rotated_at, successor_used: used(Some(token), usize::MAX), sibling_used: used(parent, token) };
        match judge(shown, now) {
            Verdict::Rotate => {
                self.tokens[token].1.get_or_insert(now);
                self.tokens.push((Some(token), None));
                Some(self.tokens.len() - 1)
            }
            Verdict::Reused => {
                self.ended = true;
                None
            }
        }
    }
}

#[test]
fn each_token_gives_the_next_for_as_long_as_it_is_shown_once() {
    let mut line = Line::signed_in();
    let mut token = 0;
    for n in 1..100 {
        token = line.show(token, n * 900).unwrap();
    }
    assert!(!line.ended);
}

#[test]
fn a_token_that_comes_again_after_the_grace_ends_the_session() {
    let mut line = Line::signed_in();
    assert!(line.show(0, 100).is_some());
    assert_eq!(line.show(0, 131), None);
    assert!(line.ended);
}

#[test]
fn a_lost_answer_costs_nothing_although_it_is_lost_three_times() {
    let mut line = Line::signed_in();
    for second in [100, 105, 120, 130] {
        assert!(line.show(0, second).is_some(), "{second}");
    }
    let kept = line.show(0, 130).unwrap();
    let next = line.show(kept, 131).unwrap();
    assert!(line.show(next, 1000).is_some());
    assert!(!line.ended);
}

#[test]
fn the_grace_counts_from_the_first_use_and_is_not_begun_anew() {
    let mut line = Line::signed_in();
    assert!(line.show(0, 100).is_some());
    assert!(line.show(0, 125).is_some());
    assert_eq!(line.show(0, 140), None);
}

#[test]
fn two_tabs_that_ask_at_once_go_on_with_whichever_the_browser_kept() {
    for kept_second in [false, true] {
        let mut line = Line::signed_in();
        let (one, other) = (line.show(0, 100).unwrap(), line.show(0, 100).unwrap());
        let mut token = if kept_second { other } else { one };
        for n in 1..5 {
            token = line.show(token, 100 + n * 900).unwrap();
        }
        assert!(!line.ended);
    }
}

#[test]
fn a_thief_is_found_out_whoever_comes_first_and_however_soon() {
    for thief_first in [false, true] {
        for seconds_between in [0, 10, 31, 5000] {
            let mut line = Line::signed_in();
            let mine = line.show(0, 100);
            let theirs = line.show(0, 100 + seconds_between);
            let (first, second) = if thief_first { (theirs, mine) } else { (mine, theirs) };
            // Within the grace both have got a token; as soon as both have gone on, the session is over.
            if let (Some(first), Some(second)) = (first, second) {
                assert!(line.show(first, 900).is_some());
                assert_eq!(line.show(second, 901), None, "{thief_first} {seconds_between}");
            }
            assert!(line.ended, "{thief_first} {seconds_between}");
        }
    }
}

#[test]
fn an_old_token_is_no_lost_answer_once_the_line_has_gone_on_not_even_at_once() {
    let mut line = Line::signed_in();
    let one = line.show(0, 100).unwrap();
    line.show(one, 101).unwrap();
    assert_eq!(line.show(0, 102), None);
    assert!(line.ended);
}

#[test]
fn a_clock_set_back_does_not_open_the_door_for_longer() {
    let rotated_at = Some(UtcMillis(10_000_000));
    let shown = Shown { rotated_at, successor_used: false, sibling_used: false };
    assert_eq!(judge(shown, UtcMillis(10_000_000 - 5_000)), Verdict::Rotate, "two clocks of a fleet of servers");
    assert_eq!(judge(shown, UtcMillis(5_000_000)), Verdict::Reused);
}
