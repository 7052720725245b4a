//! Judges a folder that a card could hold after a power cut, by starting the agent's own parts on it, twice.

use crate::life::{self, CALIBRATION, board, calibration, identity, measured, settings, time};
use agent::buffer::{self, Buffer, Ledger, Measured};
use agent::files;
use agent::identity::Home;
use agent::settings::SettingsFile;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use shared::{Reading, Seq};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::timeout;

/// A whole start is a matter of milliseconds; a machine may be slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder, and what the victim had said before the cut.
#[derive(Deserialize)]
pub struct Case {
    folder: PathBuf,
    /// The last sequence that was said to be committed, and in which buffer.
    committed: Seq,
    buffer: Option<String>,
    /// What the server had.
    acknowledged: Seq,
    settings: u32,
    calibration: u32,
    key: Option<String>,
    enrolled: bool,
    renewed: u32,
}

/// What is wrong, in words; nothing if all is well.
#[derive(Serialize, Default)]
pub struct Verdict {
    /// It was said to be safe and is not there.
    lost: Vec<String>,
    /// It is there and damaged.
    corrupt: Vec<String>,
}

pub async fn examine(case: &Case) -> Verdict {
    let mut verdict = Verdict::default();
    // As the agent begins.
    if let Err(error) = files::make_folder(&case.folder) {
        verdict.corrupt.push(format!("data_dir: {error}"));
    }
    verdict.settings(case);
    verdict.calibration(case);
    verdict.identity(case);
    for start in 1..=2 {
        verdict.buffer(case, start).await;
    }
    let names = std::fs::read_dir(&case.folder).map(|entries| entries.flatten().map(|entry| entry.file_name()));
    for name in names.into_iter().flatten().filter(|name| name.to_string_lossy().contains("set-aside")) {
        verdict.corrupt.push(format!("{} was broken", name.display()));
    }
    verdict
}

impl Verdict {
    fn settings(&mut self, case: &Case) {
        let found = SettingsFile::open(&case.folder, &time()).watch().borrow().clone();
        if found.version < case.settings {
            self.lost.push(format!("settings {} of {}", found.version, case.settings));
        } else if found.version > case.settings + 1 || (found.version > 0 && found != settings(found.version)) {
            self.corrupt.push(format!("settings {found:?} after {}", case.settings));
        }
    }

    fn calibration(&mut self, case: &Case) {
        let found = std::fs::read_to_string(case.folder.join(CALIBRATION));
        let said = case.calibration;
        match found {
            Ok(text) if text == calibration(said + 1) || (said > 0 && text == calibration(said)) => {}
            Err(_) if said == 0 => {}
            Ok(text) if (1..said).any(|older| text == calibration(older)) => {
                self.lost.push(format!("calibration {said}: there is an older one"));
            }
            Ok(text) => self.corrupt.push(format!("calibration {said}: {text:?}")),
            Err(error) => self.lost.push(format!("calibration {said}: {error}")),
        }
    }

    fn identity(&mut self, case: &Case) {
        let home = Home::new(&case.folder);
        let settled = |board| home.settle(board).and_then(|()| home.load(board)).map_err(|e| e.to_string());
        let loaded = board().map_err(|e| e.to_string()).and_then(settled);
        match loaded {
            Ok(Some(found)) => {
                // Both or none: a certificate with another's authority would be neither.
                let is = |times| {
                    let right = identity(found.key.clone(), times);
                    (&found.name, &found.certificate, &found.ca) == (&right.name, &right.certificate, &right.ca)
                };
                let said = case.renewed;
                if (0..said).any(is) {
                    self.lost.push(format!("renewal {said}: there is an older pair"));
                } else if !is(said) && !is(said + 1) {
                    self.corrupt.push(format!("the identity is another than after {said} renewals"));
                }
            }
            Ok(None) if case.enrolled => self.lost.push("the identity".to_owned()),
            Ok(None) => {}
            Err(error) => self.corrupt.push(format!("identity: {error}")),
        }
        let pair = board().map_err(|e| e.to_string()).and_then(|board| home.key_pair(board).map_err(|e| e.to_string()));
        match pair {
            Err(error) => self.corrupt.push(format!("key: {error}")),
            Ok(key) => {
                let key = life::fingerprint(&key);
                if case.key.as_ref().is_some_and(|said| *said != key) {
                    self.lost.push("the key is another".to_owned());
                }
            }
        }
    }

    async fn buffer(&mut self, case: &Case, start: u32) {
        let clock = life::booted(&format!("after-{start}"), &case.folder);
        let started = match Buffer::start(&case.folder, &life::buffer_settings(), clock) {
            Ok(started) => started,
            Err(error) => return self.corrupt.push(format!("start {start}: {error}")),
        };
        let (buffer, worker) = started;
        let mut state = buffer.state();
        let opened = match timeout(PATIENCE, state.wait_for(Option::is_some)).await {
            Ok(Ok(ledger)) => *ledger,
            _ => None,
        };
        match opened {
            None => self.corrupt.push(format!("start {start}: the buffer does not open")),
            Some(ledger) => {
                self.rows(case, ledger);
                // And it can be gone on with.
                buffer.append(measured(ledger.next));
                buffer.flush().await;
                let next = state.borrow().map_or(0, |ledger| ledger.next);
                if next != ledger.next + 1 {
                    self.corrupt.push(format!("start {start}: after {ledger:?} the next sequence is {next}"));
                }
            }
        }
        let _ = tokio::task::spawn_blocking(move || worker.stop()).await;
    }

    fn rows(&mut self, case: &Case, ledger: Ledger) {
        let path = buffer::path(&case.folder);
        match integrity(&path) {
            Ok(text) if text == "ok" => {}
            Ok(text) => self.corrupt.push(format!("integrity: {text}")),
            Err(error) => self.corrupt.push(format!("integrity: {error}")),
        }
        if case.committed > 0 && case.buffer.as_ref().is_some_and(|said| *said != ledger.id.to_string()) {
            self.lost.push(format!("the buffer is another: {}", ledger.id));
        }
        if ledger.next <= case.committed.max(case.acknowledged) {
            self.lost.push(format!("{ledger:?} after {} were committed", case.committed));
        }
        let mut there: BTreeMap<Seq, Reading> = BTreeMap::new();
        let mut keep = |reading: Reading| {
            there.insert(reading.seq, reading);
        };
        if let Err(error) = buffer::inspect(&path, |_, reading| keep(reading)) {
            self.corrupt.push(format!("rows: {error}"));
        }
        let missing = (case.acknowledged + 1..=case.committed).filter(|seq| !there.contains_key(seq)).count();
        if missing > 0 {
            self.lost.push(format!("{missing} rows up to {}", case.committed));
        }
        let changed = there.values().filter(|reading| !is_right(reading)).count();
        if changed > 0 {
            self.corrupt.push(format!("{changed} rows are not what was measured"));
        }
    }
}

fn is_right(reading: &Reading) -> bool {
    let right = measured(reading.seq);
    let Measured { moment, metric, sample } = right;
    let found = (reading.stamp, reading.metric, reading.outcome, reading.millivolts, reading.spread, reading.flags);
    let right = |stamp| (stamp, metric, sample.outcome, sample.millivolts, sample.spread, sample.flags);
    found == right(moment.stamp) || found == right(life::repaired(moment))
}

fn integrity(path: &Path) -> rusqlite::Result<String> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.query_row("PRAGMA integrity_check", [], |row| row.get(0))
}
