//! Scripts of clocks that jump, daemons that touch their file, and servers that say the time.

use super::*;
use ClockQuality::{Repaired, Synced, Unsynced};
use proptest::prelude::*;

const NOON: i64 = 1_763_690_400_000;
const DAY: i64 = 86_400_000;

/// A machine whose true time is known to the test. It booted at NOON.
struct World {
    ticks: i64,
    /// Wall clock less the truth.
    error: i64,
    word: Word,
    judge: Judge,
    last: Option<Look>,
}

impl World {
    fn boot(error: i64, word: Word) -> Self {
        Self { ticks: 0, error, word, judge: Judge::default(), last: None }
    }

    fn truth(&self) -> UtcMillis {
        UtcMillis(NOON + self.ticks)
    }

    fn now(&self) -> Look {
        let wall = UtcMillis(self.truth().0 + self.error);
        Look { began: Ticks(self.ticks), word: self.word, wall, ticks: Ticks(self.ticks) }
    }

    fn look(&mut self) -> Stamp {
        let look = self.now();
        let stamp = self.judge.look(look);
        if stamp.clock == Synced {
            self.last = Some(look);
        }
        stamp
    }

    fn pass(&mut self, ms: i64) -> ClockQuality {
        self.ticks += ms;
        self.look().clock
    }

    /// Somebody sets the wall clock, wrongly.
    fn jump(&mut self, by: i64) {
        self.error += by;
    }

    /// The time daemon sets the clock right and touches its file.
    fn sync(&mut self) {
        self.error = 0;
        self.word = Word::Synced(self.truth());
    }

    fn server(&mut self) {
        self.judge.server_said(self.truth(), self.now());
    }

    /// The agent ends and starts again.
    fn restart(&mut self) {
        self.judge = self.last.map(Judge::resume).unwrap_or_default();
    }
}

#[test]
fn a_clock_that_jumped_is_not_trusted_until_the_daemon_has_touched_its_file_again() {
    for jump in [30 * DAY, -30 * DAY, 5_000, -5_000] {
        let mut world = World::boot(-50 * 365 * DAY, Word::Nothing);
        assert_eq!(world.pass(1_000), Unsynced);
        world.sync();
        assert_eq!(world.pass(1_000), Synced);
        world.jump(jump);
        assert_eq!(world.pass(1_000), Unsynced, "{jump}");
        assert_eq!(world.pass(60_000), Unsynced, "{jump}");
        world.sync();
        assert_eq!(world.pass(1_000), Synced, "{jump}");
    }
}

#[test]
fn a_clock_that_is_put_back_to_where_it_was_is_right_again() {
    let mut world = World::boot(0, Word::Vouched);
    assert_eq!(world.pass(1_000), Synced);
    world.jump(30 * DAY);
    assert_eq!(world.pass(1_000), Unsynced);
    world.jump(-30 * DAY);
    assert_eq!(world.pass(1_000), Synced);
}

#[test]
fn a_clock_for_which_nobody_speaks_any_more_is_not_synced() {
    let mut world = World::boot(0, Word::Nothing);
    world.look();
    world.sync();
    assert_eq!(world.pass(1_000), Synced);
    let touched = std::mem::replace(&mut world.word, Word::Nothing);
    assert_eq!(world.pass(1_000), Unsynced);
    // That a file is there again, with the time that it had, is no new word.
    world.ticks += 600_000;
    world.word = touched;
    assert_eq!(world.look().clock, Unsynced);
}

#[test]
fn a_file_that_was_touched_before_the_jump_proves_nothing() {
    let mut world = World::boot(-DAY, Word::Nothing);
    world.look();
    world.sync();
    world.pass(1_000);
    // Both between two looks: first the daemon, then the hand.
    world.ticks += 300;
    world.sync();
    world.jump(40 * DAY);
    assert_eq!(world.pass(300), Unsynced);
}

#[test]
fn a_jump_that_is_shorter_than_the_agent_was_away_is_noticed_by_the_one_that_starts_again() {
    let mut world = World::boot(-DAY, Word::Nothing);
    world.look();
    world.sync();
    world.pass(1_000);
    world.restart();
    // Within the hour that it was away the daemon has spoken, and then a hand set the clock.
    world.ticks += 1_800_000;
    world.sync();
    world.ticks += 1_800_000;
    world.jump(600_000);
    assert_eq!(world.look().clock, Unsynced);
    world.ticks += 60_000;
    world.sync();
    assert_eq!(world.look().clock, Synced);
}

#[test]
fn small_steps_do_not_count_as_jumps() {
    let mut world = World::boot(0, Word::Vouched);
    for _ in 0..10 {
        world.jump(400);
        assert_eq!(world.pass(1_000), Synced);
    }
}

#[test]
fn a_clock_of_1970_is_never_synced_whoever_vouches_for_it() {
    let mut world = World::boot(-NOON, Word::Vouched);
    assert_eq!(world.pass(1_000), Unsynced);
    world.jump(NOON);
    assert_eq!(world.pass(1_000), Synced, "now it is set");
}

#[test]
fn the_servers_time_stamps_what_the_own_clock_can_not() {
    let mut world = World::boot(-NOON, Word::Nothing);
    world.pass(1_000);
    world.server();
    assert_eq!(world.pass(7_777), Repaired);
    assert_eq!(world.look().at, world.truth());
    assert_eq!(world.judge.reference(), Some(NOON));
    world.sync();
    assert_eq!(world.pass(1_000), Synced, "the own clock is better as soon as it is right");
}

#[test]
fn a_server_that_agrees_confirms_a_clock_that_jumped() {
    let mut world = World::boot(-100 * DAY, Word::Vouched);
    assert_eq!(world.pass(1_000), Synced, "the administrator vouches for it");
    // chrony sets it at last.
    world.jump(100 * DAY);
    assert_eq!(world.pass(1_000), Unsynced);
    world.server();
    assert_eq!(world.pass(1_000), Synced);
    // Without a word of the daemon it confirms nothing.
    let mut alone = World::boot(0, Word::Nothing);
    alone.server();
    assert_eq!(alone.pass(1_000), Repaired);
}

#[test]
fn a_synced_clock_is_kept_whatever_the_server_says() {
    let mut world = World::boot(0, Word::Vouched);
    world.pass(1_000);
    let look = world.now();
    world.judge.server_said(UtcMillis(look.wall.0 + 3 * DAY), look);
    assert_eq!(world.look(), Stamp { at: look.wall, clock: Synced });
    assert_eq!(world.judge.reference(), Some(NOON));
}

#[test]
fn of_servers_times_that_agree_the_one_that_travelled_fastest_counts() {
    let mut world = World::boot(-NOON, Word::Nothing);
    world.server();
    let late = UtcMillis(world.truth().0 - 4_000);
    world.judge.server_said(late, world.now());
    assert_eq!(world.look().at, world.truth());
    // A server whose clock was set is another matter.
    let other = UtcMillis(world.truth().0 + DAY);
    world.judge.server_said(other, world.now());
    assert_eq!(world.look().at, other);
    world.judge.server_said(UtcMillis(5_000), world.now());
    assert_eq!(world.look().at, other, "1970 is no time of a server");
}

#[derive(Debug, Clone)]
enum Event {
    Pass(i64),
    Jump(i64),
    Sync,
    Server,
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1..5_000_i64).prop_map(Event::Pass),
        1 => (5_000..10_000_000_i64).prop_map(Event::Pass),
        2 => (-40 * DAY..40 * DAY).prop_map(Event::Jump),
        1 => (-10_000..10_000_i64).prop_map(Event::Jump),
        2 => Just(Event::Sync),
        1 => Just(Event::Server),
        1 => Just(Event::Restart),
    ]
}

proptest! {
    /// The tolerance is that within which the server confirms a clock, and the jumps that are too small to see.
    #[test]
    fn no_script_of_jumps_syncs_and_restarts_makes_a_false_time_trusted(
        first in -NOON..NOON, vouched in any::<bool>(), events in prop::collection::vec(event(), 0..80),
    ) {
        let mut world = World::boot(first, Word::Nothing);
        if vouched {
            // Who vouches for a clock that is wrong from the start is not to be helped.
            (world.error, world.word) = (0, Word::Vouched);
        }
        let (mut rows, mut small) = (vec![], 0);
        world.look();
        for event in events {
            match event {
                Event::Pass(ms) => { world.pass(ms); }
                Event::Jump(by) => {
                    world.jump(by);
                    if by.abs() <= JUMP_MS {
                        small += by.abs();
                    }
                    // The agent's own second: it sees each jump by itself.
                    world.look();
                }
                Event::Sync if !vouched => {
                    world.sync();
                    small = 0;
                    world.look();
                }
                Event::Sync => {}
                Event::Server => world.server(),
                Event::Restart => { world.restart(); world.look(); }
            }
            let tolerance = AGREES_MS + JUMP_MS + small;
            let stamp = world.look();
            let apart = stamp.at.0.abs_diff(world.truth().0);
            prop_assert!(stamp.clock == Unsynced || apart <= tolerance.unsigned_abs(), "{stamp:?} is off by {apart} ms");
            if stamp.clock == Unsynced {
                rows.push((world.ticks, NOON + world.ticks));
            }
            if let Some(reference) = world.judge.reference() {
                for (ticks, truth) in rows.drain(..) {
                    let apart = Ticks(ticks).at(reference).0.abs_diff(truth);
                    prop_assert!(apart <= tolerance.unsigned_abs(), "a repaired row is off by {apart} ms");
                }
            }
        }
    }
}
