//! What a victim did, what it had said at each moment, and the moments at which it loses its power.

use super::card::Card;
use super::trace::Call;
use fastrand::Rng;
use serde::Serialize;
use std::path::Path;

/// What the victim had said to be safe.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Said {
    committed: u64,
    buffer: Option<String>,
    acknowledged: u64,
    settings: u32,
    calibration: u32,
    key: Option<String>,
    enrolled: bool,
    renewed: u32,
}

impl Said {
    /// Takes in a line.
    ///
    /// # Errors
    /// When it is none that a victim says.
    pub fn hear(&mut self, line: &str) -> Result<(), String> {
        let unknown = || format!("the victim said {line:?}");
        let words: Vec<&str> = line.split(' ').collect();
        let number = |word: &str| word.parse::<u32>().map_err(|_| unknown());
        match words[..] {
            ["committed", seq, buffer] => {
                self.committed = number(seq)?.into();
                self.buffer = Some(buffer.to_owned());
            }
            ["acknowledged", seq] => self.acknowledged = number(seq)?.into(),
            ["settings", version] => self.settings = number(version)?,
            ["calibration", version] => self.calibration = number(version)?,
            ["key", key] => self.key = Some(key.to_owned()),
            ["enrolled", _] => self.enrolled = true,
            ["renewed", times] => self.renewed = number(times)?,
            _ => return Err(unknown()),
        }
        Ok(())
    }
}

/// A victim's calls, and which moments are of interest.
#[derive(Debug)]
pub struct Tape {
    /// In their order.
    pub calls: Vec<Call>,
    flushes: Vec<usize>,
    checkpoints: Vec<usize>,
}

impl Tape {
    /// Looks through the calls once.
    ///
    /// # Errors
    /// When they make no sense.
    pub fn new(calls: Vec<Call>, root: &Path) -> Result<Self, String> {
        let mut card = Card::new(root, false);
        let (mut flushes, mut checkpoints) = (vec![], vec![]);
        for (n, call) in calls.iter().enumerate() {
            card.apply(call)?;
            if matches!(call, Call::Sync(_)) {
                flushes.push(n);
            }
            // The database itself is written only while the log is carried over into it.
            if card.is_dirty("buffer.db") {
                checkpoints.push(n + 1);
            }
        }
        Ok(Self { calls, flushes, checkpoints })
    }

    /// So many moments: each is the number of calls that were done. Sorted, so that one replay serves all.
    /// Those around a flush and within a checkpoint come more often, for there is where mistakes would be.
    pub fn moments(&self, count: u64, dice: &mut Rng) -> Vec<usize> {
        let mut moments: Vec<usize> = (0..count).map(|_| self.moment(dice)).collect();
        moments.sort_unstable();
        moments
    }

    fn moment(&self, dice: &mut Rng) -> usize {
        let any = |list: &[usize], dice: &mut Rng| dice.choice(list).copied();
        let chosen = match dice.u32(0..10) {
            0..=3 => any(&self.flushes, dice).map(|flush| (flush + dice.usize(0..=3)).saturating_sub(1)),
            4..=6 => any(&self.checkpoints, dice),
            _ => None,
        };
        chosen.unwrap_or_else(|| dice.usize(0..=self.calls.len())).min(self.calls.len())
    }

    /// Whether a moment lies within a checkpoint.
    pub fn in_checkpoint(&self, moment: usize) -> bool {
        self.checkpoints.binary_search(&moment).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape() -> Tape {
        let open = |fd, path: &str| Call::Open { fd, path: path.into(), create: true, truncate: false };
        let write = |fd| Call::Write { fd, at: Some(0), data: vec![1; 10] };
        let mut calls = vec![open(3, "/c/buffer.db"), open(4, "/c/buffer.db-wal")];
        calls.extend([write(4), Call::Sync(4), write(3), write(3), Call::Sync(3), write(4)]);
        Tape::new(calls, Path::new("/c")).unwrap()
    }

    #[test]
    fn a_checkpoint_lasts_from_the_first_write_to_the_database_to_its_flush() {
        let tape = tape();
        let inside: Vec<_> = (0..=8).filter(|moment| tape.in_checkpoint(*moment)).collect();
        assert_eq!(inside, [5, 6]);
    }

    #[test]
    fn every_moment_can_be_chosen_and_the_same_seed_chooses_the_same() {
        let moments = tape().moments(500, &mut Rng::with_seed(3));
        assert!((0..=8).all(|moment| moments.contains(&moment)), "{moments:?}");
        assert!(moments.is_sorted());
        assert_eq!(moments, tape().moments(500, &mut Rng::with_seed(3)));
    }

    #[test]
    fn what_was_said_is_understood_or_an_error() {
        let mut said = Said::default();
        for line in
            ["committed 57 00c0ffee00c0ffee", "acknowledged 40", "settings 3", "key ab12", "enrolled 1", "renewed 2"]
        {
            said.hear(line).unwrap();
        }
        assert_eq!((said.committed, said.acknowledged, said.settings), (57, 40, 3));
        assert_eq!((said.enrolled, said.renewed), (true, 2));
        assert!(said.hear("help").is_err());
    }
}
