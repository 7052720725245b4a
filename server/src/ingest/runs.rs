//! Notices that two boards use one key: an agent draws an id at each start, and one that comes back after another was
//! heard belongs to a process that never ended. Kept in memory; a server that starts anew only needs a little longer.

use shared::{DeviceName, RunId};
use std::collections::{HashMap, VecDeque};

/// Runs of a device that are remembered.
const REMEMBERED: usize = 8;
/// So often a run has to come back: a message that was late looks like two, there and back.
const COMEBACKS: u32 = 3;

/// The runs of all devices.
#[derive(Debug, Default)]
pub(super) struct Runs(HashMap<DeviceName, Heard>);

#[derive(Debug, Default)]
struct Heard {
    /// The newest last.
    runs: VecDeque<RunId>,
    comebacks: u32,
}

impl Runs {
    /// Notes that a device spoke; whether two boards take turns. Then all that was heard of it is forgotten.
    pub fn are_two(&mut self, device: &DeviceName, run: RunId) -> bool {
        let heard = self.0.entry(device.clone()).or_default();
        if heard.runs.back() == Some(&run) {
            return false;
        }
        if let Some(before) = heard.runs.iter().position(|known| *known == run) {
            heard.runs.remove(before);
            heard.comebacks += 1;
        } else if heard.runs.len() == REMEMBERED {
            heard.runs.pop_front();
        }
        heard.runs.push_back(run);
        let two = heard.comebacks >= COMEBACKS;
        if two {
            self.0.remove(device);
        }
        two
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(runs: &[u64]) -> Vec<bool> {
        let mut heard = Runs::default();
        let device = DeviceName::numbered(7);
        runs.iter().map(|run| heard.are_two(&device, RunId::from_random(*run))).collect()
    }

    #[test]
    fn a_device_that_restarts_however_often_is_one() {
        let restarts: Vec<u64> = (0..50).flat_map(|run| [run, run]).collect();
        assert!(!hear(&restarts).contains(&true));
        assert!(!hear(&[1, 2, 1, 1, 3, 4]).contains(&true), "one late message is no second board");
        assert!(!hear(&[1, 2, 1, 2, 2, 2]).contains(&true), "nor when the newer run goes on");
    }

    #[test]
    fn two_boards_that_take_turns_are_noticed_even_when_both_restart() {
        assert_eq!(hear(&[1, 2, 1, 2, 1]), [false, false, false, false, true]);
        assert!(hear(&[1, 2, 1, 3, 2, 3]).contains(&true));
    }

    #[test]
    fn whoever_is_left_after_it_was_noticed_is_one_again() {
        assert_eq!(hear(&[1, 2, 1, 2, 1, 1, 1]), [false, false, false, false, true, false, false]);
    }
}
