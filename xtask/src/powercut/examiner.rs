//! The process that starts the agent's library on a folder. One that dies of what it finds is a finding.

use super::card::Image;
use super::plan::Said;
use crate::error::{Error, Tried, make_folder};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What is wrong, in words.
#[derive(Debug, Default, Deserialize)]
pub struct Verdict {
    /// Was said to be safe and is not there.
    pub lost: Vec<String>,
    /// Is damaged.
    pub corrupt: Vec<String>,
}

#[derive(Serialize)]
struct Case<'a> {
    folder: &'a Path,
    #[serde(flatten)]
    said: &'a Said,
}

/// An examiner with its own folder.
pub struct Examiner {
    program: PathBuf,
    folder: PathBuf,
    process: Option<(Child, ChildStdin, BufReader<ChildStdout>)>,
}

impl Examiner {
    /// Starts nothing yet.
    pub fn new(program: &Path, folder: PathBuf) -> Self {
        Self { program: program.to_owned(), folder, process: None }
    }

    /// Puts an image onto the disk and has it judged.
    ///
    /// # Errors
    /// When the image can't be written or the examiner can't be started.
    pub fn examine(&mut self, root: &Path, image: &Image, said: &Said) -> Result<Verdict, Error> {
        let here = |path: &Path| self.folder.join(path.strip_prefix(root).unwrap_or(path));
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).tried(|| format!("empty {}", self.folder.display()))?;
        }
        make_folder(&self.folder)?;
        for folder in &image.folders {
            make_folder(&here(folder))?;
        }
        for (path, bytes) in &image.files {
            let path = here(path);
            // A file of which the name survived and the folder did not is not to be found.
            if path.parent().is_some_and(Path::is_dir) {
                fs::write(&path, bytes).tried(|| format!("write {}", path.display()))?;
            }
        }
        match self.ask(&Case { folder: &self.folder.join("data"), said }) {
            Ok(verdict) => Ok(verdict),
            Err(how) => {
                self.end();
                Ok(Verdict { corrupt: vec![format!("the examiner ended: {how}")], ..Verdict::default() })
            }
        }
    }

    fn ask(&mut self, case: &Case) -> Result<Verdict, String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let case = serde_json::to_string(case).map_err(|error| words(&error))?;
        if self.process.is_none() {
            self.process = Some(start(&self.program).map_err(|error| words(&error))?);
        }
        let (_, input, output) = self.process.as_mut().ok_or("it is not there")?;
        writeln!(input, "{case}").map_err(|error| words(&error))?;
        let mut line = String::new();
        output.read_line(&mut line).map_err(|error| words(&error))?;
        serde_json::from_str(&line).map_err(|error| format!("{error} in {line:?}"))
    }

    fn end(&mut self) {
        if let Some((mut child, input, _)) = self.process.take() {
            drop(input);
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Examiner {
    fn drop(&mut self) {
        self.end();
    }
}

fn start(program: &Path) -> std::io::Result<(Child, ChildStdin, BufReader<ChildStdout>)> {
    let mut child = Command::new(program).arg("examine").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(input), Some(output)) => Ok((child, input, BufReader::new(output))),
        _ => Err(std::io::Error::other("it has no input or output")),
    }
}
