//! What goes wrong, and when: drawn from a seed before anything starts, so that a failure can be had again.
//! Knows no process and no network.

use fastrand::Rng;
use std::{fmt, time::Duration};

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of an agent (by index), which is started again after a while.
    KillAgent {
        /// Which.
        agent: usize,
        /// How long it stays dead.
        down: Duration,
    },
    /// `kill -9` of the server, which is started again after a while.
    KillServer {
        /// How long it stays dead.
        down: Duration,
    },
    /// A connection is reset, or all.
    Cut {
        /// Any number names one of those that there are then.
        which: Option<usize>,
    },
    /// A connection, or all, swallows everything and never closes.
    HalfOpen {
        /// Any number names one of those that there are then.
        which: Option<usize>,
    },
    /// Somebody with the device's own certificate takes its session over.
    TakeOver {
        /// Whose.
        agent: usize,
    },
    /// The network gets slow for everybody.
    Slow {
        /// For how long.
        lasts: Duration,
        /// Each piece of data waits this long.
        delay: Duration,
        /// Most bytes a second.
        bytes_per_s: u32,
    },
    /// Batches that were delivered long ago come again.
    Duplicate {
        /// How many.
        batches: usize,
    },
    /// An agent's wall clock jumps; the time daemon sets it right after a while.
    ClockJump {
        /// Whose.
        agent: usize,
        /// By how much: thirty days, ahead or back.
        days: i32,
        /// Whether the daemon's word is gone too, as after a boot.
        forget: bool,
        /// For how long.
        lasts: Duration,
    },
    /// The first agent's disk is full for a while.
    FullDisk {
        /// For how long.
        lasts: Duration,
    },
}

impl Fault {
    /// Its name in the last line.
    pub fn kind(self) -> &'static str {
        match self {
            Self::KillAgent { .. } => "kill_agent",
            Self::KillServer { .. } => "kill_server",
            Self::Cut { .. } => "cut",
            Self::HalfOpen { .. } => "half_open",
            Self::TakeOver { .. } => "take_over",
            Self::Slow { .. } => "slow",
            Self::Duplicate { .. } => "duplicate",
            Self::ClockJump { .. } => "clock_jump",
            Self::FullDisk { .. } => "full_disk",
        }
    }
}

/// All names, in the order of the last line.
pub const KINDS: [&str; 9] =
    ["kill_agent", "kill_server", "cut", "half_open", "take_over", "slow", "duplicate", "clock_jump", "full_disk"];

/// The agent that has a disk of its own.
pub const ON_SMALL_DISK: usize = 0;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = |which: Option<usize>| if which.is_some() { "one connection" } else { "every connection" };
        match *self {
            Self::KillAgent { agent, down } => {
                write!(f, "kill -9 agent {}, back after {} ms", agent + 1, down.as_millis())
            }
            Self::KillServer { down } => write!(f, "kill -9 the server, back after {} ms", down.as_millis()),
            Self::Cut { which } => write!(f, "reset {}", whose(which)),
            Self::HalfOpen { which } => write!(f, "{} goes half-open", whose(which)),
            Self::TakeOver { agent } => write!(f, "take over the session of agent {}", agent + 1),
            Self::Slow { lasts, delay, bytes_per_s } => write!(
                f,
                "slow network for {} ms: {} ms more, {bytes_per_s} bytes/s",
                lasts.as_millis(),
                delay.as_millis()
            ),
            Self::Duplicate { batches } => write!(f, "deliver {batches} old batches again"),
            Self::ClockJump { agent, days, forget, lasts } => {
                let word = if forget { ", and nobody vouches for it" } else { "" };
                write!(f, "the clock of agent {} jumps {days:+} days{word}, for {} ms", agent + 1, lasts.as_millis())
            }
            Self::FullDisk { lasts } => {
                write!(f, "the disk of agent {} is full for {} ms", ON_SMALL_DISK + 1, lasts.as_millis())
            }
        }
    }
}

/// A fault and its time, from the start of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Duration,
    /// What.
    pub fault: Fault,
}

/// How many of each kind two minutes hold.
const IN_TWO_MINUTES: [(&str, u64); 9] = [
    ("kill_agent", 12),
    ("kill_server", 5),
    ("cut", 16),
    ("half_open", 6),
    ("take_over", 6),
    ("slow", 4),
    ("duplicate", 6),
    ("clock_jump", 8),
    ("full_disk", 3),
];

/// An agent may take so long to notice that its disk has room again.
pub const RECOVERS: Duration = Duration::from_secs(12);

/// Draws a script. What is down is neither killed nor robbed before it is back.
pub fn draw(seed: u64, seconds: u64, devices: usize) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    let mut kinds: Vec<&str> = IN_TWO_MINUTES
        .iter()
        .flat_map(|&(kind, count)| {
            std::iter::repeat_n(kind, usize::try_from((count * seconds).div_ceil(120)).unwrap_or(0))
        })
        .collect();
    rng.shuffle(&mut kinds);
    let slot = Duration::from_secs(seconds) / u32::try_from(kinds.len().max(1)).unwrap_or(1);
    let mut agent_back = vec![Duration::ZERO; devices];
    let mut clock_right = vec![Duration::ZERO; devices];
    let (mut server_back, mut fair_again) = (Duration::ZERO, Duration::ZERO);
    let mut steps = Vec::new();
    for (at, kind) in (0_u32..).map(|n| slot * n).zip(kinds) {
        let at = at + slot.mul_f64(rng.f64() * 0.9);
        let millis = |rng: &mut Rng, range: std::ops::Range<u64>| Duration::from_millis(rng.u64(range));
        // The one that has been up longest: there is always one.
        let agent = (0..devices).min_by_key(|&n| (agent_back[n] > at, rng.u32(..))).unwrap_or(0);
        let which = if rng.u8(..4) == 0 { None } else { Some(rng.usize(..1000)) };
        let (at, fault) = match kind {
            "kill_agent" => {
                let at = at.max(agent_back[agent]);
                let down = millis(&mut rng, 50..4000);
                agent_back[agent] = at + down + Duration::from_millis(500);
                (at, Fault::KillAgent { agent, down })
            }
            "kill_server" => {
                let at = at.max(server_back);
                let down = millis(&mut rng, 50..4000);
                server_back = at + down + Duration::from_secs(4);
                (at, Fault::KillServer { down })
            }
            "cut" => (at, Fault::Cut { which }),
            "half_open" => (at, Fault::HalfOpen { which }),
            "take_over" => (at.max(server_back), Fault::TakeOver { agent }),
            "slow" => {
                let (lasts, delay) = (millis(&mut rng, 2000..8000), millis(&mut rng, 50..600));
                let at = at.max(fair_again);
                fair_again = at + lasts;
                (at, Fault::Slow { lasts, delay, bytes_per_s: rng.u32(500..8000) })
            }
            "clock_jump" => {
                // Whoever's clock is right.
                let agent = (0..devices).min_by_key(|&n| (clock_right[n] > at, rng.u32(..))).unwrap_or(0);
                let at = at.max(clock_right[agent]);
                let lasts = millis(&mut rng, 2000..10_000);
                clock_right[agent] = at + lasts + Duration::from_secs(2);
                let days = if rng.bool() { 30 } else { -30 };
                (at, Fault::ClockJump { agent, days, forget: rng.bool(), lasts })
            }
            "full_disk" => {
                // It is not killed meanwhile: what waits in its memory would be gone, as it is on any device.
                let at = at.max(agent_back[ON_SMALL_DISK]);
                let lasts = millis(&mut rng, 3000..7000);
                agent_back[ON_SMALL_DISK] = at + lasts + RECOVERS;
                (at, Fault::FullDisk { lasts })
            }
            _ => (at.max(server_back), Fault::Duplicate { batches: rng.usize(5..60) }),
        };
        steps.push(Step { at, fault });
    }
    steps.sort_by_key(|step| step.at);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(steps: &[Step], kinds: &[&str]) -> usize {
        steps.iter().filter(|step| kinds.contains(&step.fault.kind())).count()
    }

    #[test]
    fn a_seed_is_a_script_and_another_seed_is_another() {
        assert_eq!(draw(1, 120, 5), draw(1, 120, 5));
        assert_ne!(draw(1, 120, 5), draw(2, 120, 5));
    }

    #[test]
    fn two_minutes_hold_more_than_ten_kills_and_ten_cuts_and_some_of_everything() {
        for seed in 1..=50 {
            let steps = draw(seed, 120, 5);
            assert!(count(&steps, &["kill_agent", "kill_server"]) > 10);
            assert!(count(&steps, &["cut"]) > 10);
            for kind in KINDS {
                assert!(count(&steps, &[kind]) > 0, "{kind}");
            }
        }
    }

    #[test]
    fn nobody_is_killed_while_dead() {
        for seed in 1..=50 {
            let mut back = [Duration::ZERO; 3];
            let mut server_back = Duration::ZERO;
            for Step { at, fault } in draw(seed, 120, 3) {
                match fault {
                    Fault::KillAgent { agent, down } => {
                        assert!(at >= back[agent], "seed {seed}");
                        back[agent] = at + down;
                    }
                    Fault::FullDisk { lasts } => {
                        assert!(at >= back[ON_SMALL_DISK], "seed {seed}");
                        back[ON_SMALL_DISK] = at + lasts + RECOVERS;
                    }
                    Fault::KillServer { down } => {
                        assert!(at >= server_back, "seed {seed}");
                        server_back = at + down;
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn even_a_short_script_has_one_of_each() {
        let steps = draw(7, 1, 1);
        assert_eq!(count(&steps, &KINDS), KINDS.len());
    }
}
