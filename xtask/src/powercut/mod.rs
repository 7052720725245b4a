//! `cargo xtask powercut`: an agent's storage loses its power at any moment, and starts again.
//!
//! A victim that uses the agent's own library runs under `strace`, once. Its calls are then replayed up to any
//! of them onto a model of a card, and the agent's library is started on what that card could hold.
//! `docs/decisions/0007-power-cuts.md` says why this is faithful.

mod card;
mod examiner;
mod plan;
mod trace;

use crate::error::{Error, Tried, make_folder};
use crate::fleet::Folder;
use card::{Card, Image};
use examiner::{Examiner, Verdict};
use fastrand::Rng;
use plan::{Said, Tape};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use trace::Call;

/// Cuts that are made in the life of one victim.
const CUTS_A_LIFE: u64 = 250;
/// Examples that are shown.
const SHOWN: usize = 10;
/// Cuts between two lines of progress.
const PROGRESS: u64 = 100;

/// What was asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct PowercutOptions {
    /// How often the power is cut.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub cuts: u64,
    /// Which lives, and which moments.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Take the victim as it is.
    #[arg(long)]
    pub no_build: bool,
    /// The card says that it has flushed and has not: every loss must be found.
    #[arg(long, hide = true)]
    pub broken: bool,
}

/// The last line.
#[derive(Debug, Default, Serialize)]
struct Score {
    cuts: u64,
    /// Cuts after which something was not there that had been said to be safe.
    lost: u64,
    /// Cuts after which something was damaged, or the agent did not start.
    corrupt: u64,
    seed: u64,
    /// Lives of a victim.
    lives: u64,
    /// Their calls that changed or flushed something.
    calls: usize,
    /// Cuts while the log was being carried over into the database.
    in_checkpoint: u64,
    /// Writes of which only a part survived.
    torn: u64,
    #[serde(skip)]
    examples: Vec<String>,
}

/// Runs it to its end; its last line is one line of JSON.
///
/// # Errors
/// When anything was lost or damaged, or a tool is missing.
pub fn run(options: &PowercutOptions) -> Result<(), Error> {
    let victim = victim()?;
    let folder = Folder::in_memory("powercut")?;
    let lives = options.cuts.div_ceil(CUTS_A_LIFE);
    let score = Mutex::new(Score { seed: options.seed, ..Score::default() });
    for life in 0..lives {
        let cuts = CUTS_A_LIFE.min(options.cuts - life * CUTS_A_LIFE);
        let seed = options.seed.wrapping_mul(1_000_003).wrapping_add(life);
        let root = folder.path.join(format!("life-{life}"));
        let tape = record(&victim, &root, seed, cuts.clamp(60, 250) * 4)?;
        println!("Life {} of {lives}: {} calls; {cuts} cuts", life + 1, tape.calls.len());
        {
            let mut score = locked(&score);
            score.lives += 1;
            score.calls += tape.calls.len();
        }
        let moments = tape.moments(cuts, &mut Rng::with_seed(seed));
        let stage = Stage { victim: &victim, root: &root, tape: &tape, seed, broken: options.broken, score: &score };
        stage.cut_all(&moments, options.cuts)?;
        std::fs::remove_dir_all(&root).tried(|| format!("remove {}", root.display()))?;
    }
    let score = score.into_inner().unwrap_or_else(PoisonError::into_inner);
    for example in &score.examples {
        println!("    {example}");
    }
    println!("{}", serde_json::to_string(&score).unwrap_or_default());
    if score.lost + score.corrupt > 0 {
        return Err(Error::Verdict("a power cut costs what was said to be safe".to_owned()));
    }
    Ok(())
}

/// Beside this program, or one folder up for a test.
fn victim() -> Result<PathBuf, Error> {
    let us = std::env::current_exe().tried(|| "find this program's own file".to_owned())?;
    let mut places = us.ancestors().skip(1).take(2).map(|folder| folder.join("examples").join("powercut"));
    places.find(|place| place.exists()).ok_or_else(|| {
        Error::Missing("the victim is not built: run `cargo build --package agent --example powercut`".to_owned())
    })
}

/// Lets a victim live, and writes down all that it does to its files.
fn record(victim: &Path, root: &Path, seed: u64, deeds: u64) -> Result<Tape, Error> {
    make_folder(root)?;
    let log = root.with_extension("strace");
    let status = Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-xx", "-s", "4194304", "-e", "signal=none", "-e", trace::TRACED, "-o"])
        .arg(&log)
        .arg(victim)
        .arg("live")
        .arg(root.join("data"))
        .args([seed.to_string(), deeds.to_string()])
        .stdout(Stdio::null())
        .status();
    let program = "strace of the victim".to_owned();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(Error::Program { program, how: format!("ended with {status}") }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::Missing("`strace` is needed and is not on this machine".to_owned()));
        }
        Err(error) => return Err(error).tried(|| "run strace".to_owned()),
    }
    let text = std::fs::read_to_string(&log).tried(|| format!("read {}", log.display()))?;
    let _ = std::fs::remove_file(&log);
    let unread = |line: String| Error::Output { program: "strace".to_owned(), line };
    Tape::new(trace::read(&text).map_err(unread)?, root).map_err(unread)
}

/// One life, and what its cuts are counted in.
struct Stage<'a> {
    victim: &'a Path,
    root: &'a Path,
    tape: &'a Tape,
    seed: u64,
    broken: bool,
    score: &'a Mutex<Score>,
}

impl Stage<'_> {
    /// On all cores.
    fn cut_all(&self, moments: &[usize], all: u64) -> Result<(), Error> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shares = moments.chunks(moments.len().div_ceil(cores).max(1));
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                shares.enumerate().map(|(n, share)| scope.spawn(move || self.cut(n, share, all))).collect();
            threads.into_iter().try_for_each(|thread| {
                thread.join().unwrap_or_else(|_| Err(Error::Verdict("the replay itself failed".to_owned())))
            })
        })
    }

    fn cut(&self, share: usize, moments: &[usize], all: u64) -> Result<(), Error> {
        let mut examiner = Examiner::new(self.victim, self.root.join(format!("after-{share}")));
        let mut card = Card::new(self.root, self.broken);
        let mut said = Said::default();
        let mut done = 0;
        for (n, moment) in moments.iter().enumerate() {
            let unread = |line| Error::Output { program: "the victim".to_owned(), line };
            for call in &self.tape.calls[done..*moment] {
                card.apply(call).map_err(unread)?;
                if let Call::Said(line) = call {
                    said.hear(line).map_err(unread)?;
                }
            }
            done = *moment;
            let dice = self.seed ^ (*moment as u64) << 20 ^ (n as u64);
            let image = card.cut(&mut Rng::with_seed(dice));
            let verdict = examiner.examine(self.root, &image, &said)?;
            let in_checkpoint = self.tape.in_checkpoint(*moment);
            self.count(&image, &verdict, in_checkpoint, &format!("seed {}, call {moment}", self.seed), all);
        }
        Ok(())
    }

    fn count(&self, image: &Image, verdict: &Verdict, in_checkpoint: bool, place: &str, all: u64) {
        let mut score = locked(self.score);
        score.cuts += 1;
        score.lost += u64::from(!verdict.lost.is_empty());
        score.corrupt += u64::from(!verdict.corrupt.is_empty());
        score.in_checkpoint += u64::from(in_checkpoint);
        score.torn += image.torn;
        for problem in verdict.lost.iter().chain(&verdict.corrupt) {
            if score.examples.len() < SHOWN {
                score.examples.push(format!("{place}: {problem}"));
            }
        }
        if score.cuts.is_multiple_of(PROGRESS) {
            println!("    {} of {all} cuts, {} lost, {} corrupt", score.cuts, score.lost, score.corrupt);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
