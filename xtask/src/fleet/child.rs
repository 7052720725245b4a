//! One process of the fleet: started with its log in a file, stopped politely or killed. Knows not what it runs.

use super::until;
use crate::error::{Error, Tried};
use std::{
    ffi::{OsStr, OsString},
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    process::{ChildStdout, Command},
    time::timeout,
};

/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(15);

/// A running process. Dropping it kills it; so does the death of this one, however that comes.
#[derive(Debug)]
pub struct Child {
    name: String,
    log: PathBuf,
    process: tokio::process::Child,
}

impl Child {
    /// Starts `program`; its error output is appended to `log`.
    ///
    /// # Errors
    /// When the log can't be opened or the program can't be started.
    pub fn start(name: &str, program: &Path, arguments: &[&OsStr], log: &Path) -> Result<Self, Error> {
        Self::start_with(name, program, arguments, log, &[])
    }

    /// The same, with environment variables.
    ///
    /// # Errors
    /// When the log can't be opened or the program can't be started.
    pub fn start_with(
        name: &str,
        program: &Path,
        arguments: &[&OsStr],
        log: &Path,
        environment: &[(&str, OsString)],
    ) -> Result<Self, Error> {
        let mut command = dying_with_us(program);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        Self::spawn(name, command, arguments, log, Stdio::null())
    }

    /// The same, and what it prints is read by the caller. Someone has to, until it ends.
    ///
    /// # Errors
    /// When the log can't be opened or the program can't be started.
    pub fn start_reading(
        name: &str,
        program: &Path,
        arguments: &[&OsStr],
        log: &Path,
    ) -> Result<(Self, ChildStdout), Error> {
        let mut child = Self::spawn(name, dying_with_us(program), arguments, log, Stdio::piped())?;
        let out = child.process.stdout.take().ok_or_else(|| child.ended("has no output to read"))?;
        Ok((child, out))
    }

    /// The same as [`Self::start`], within a folder of its own.
    ///
    /// # Errors
    /// When the log can't be opened or the program can't be started.
    pub fn start_in(
        folder: &Path,
        name: &str,
        program: &Path,
        arguments: &[&OsStr],
        log: &Path,
    ) -> Result<Self, Error> {
        let mut command = dying_with_us(program);
        command.current_dir(folder);
        Self::spawn(name, command, arguments, log, Stdio::null())
    }

    fn spawn(name: &str, mut command: Command, arguments: &[&OsStr], log: &Path, out: Stdio) -> Result<Self, Error> {
        let errors = append(log)?;
        let process = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            // A Ctrl-C at the terminal is for us alone: we stop the others in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .tried(|| format!("start {name}"))?;
        Ok(Self { name: name.to_owned(), log: log.to_owned(), process })
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn kill(&mut self) -> Result<(), Error> {
        self.process.kill().await.tried(|| format!("kill {}", self.name))
    }

    /// SIGTERM, and waits for its end.
    ///
    /// # Errors
    /// When it does not end in time (it is killed then) or ends with a failure.
    pub async fn stop(&mut self) -> Result<(), Error> {
        if let Some(id) = self.id() {
            // Before that, the signal would not ask it to end but end it: it has only just begun.
            let _ = until("a process listens to SIGTERM", GRACE, async || {
                Ok((listens_to_sigterm(id) || self.process.try_wait().is_ok_and(|end| end.is_some())).then_some(()))
            })
            .await;
            terminate(id).await?;
        }
        match timeout(GRACE, self.process.wait()).await {
            Ok(ended) => match ended.tried(|| format!("wait for {}", self.name))? {
                status if status.success() => Ok(()),
                status => Err(self.ended(&format!("ended with {status} when it was asked to stop"))),
            },
            Err(_) => {
                self.kill().await?;
                Err(self.ended(&format!("did not stop within {} s", GRACE.as_secs())))
            }
        }
    }

    /// Waits for its end; whether it was a good one.
    ///
    /// # Errors
    /// When it can't be waited for.
    pub async fn ended_well(&mut self) -> Result<bool, Error> {
        Ok(self.process.wait().await.tried(|| format!("wait for {}", self.name))?.success())
    }

    /// An error if the process has ended by itself.
    ///
    /// # Errors
    /// That it has, and how.
    pub fn still_runs(&mut self) -> Result<(), Error> {
        match self.process.try_wait().tried(|| format!("look at {}", self.name))? {
            None => Ok(()),
            Some(status) => Err(self.ended(&format!("ended by itself with {status}"))),
        }
    }

    fn ended(&self, how: &str) -> Error {
        Error::Program { program: self.name.clone(), how: format!("{how}; {}", last_words(&self.log)) }
    }
}

/// A command whose process the kernel kills when this one dies, be it by `kill -9`: there must be no
/// fleet left over. `setpriv` becomes the program itself, so that its process id is the program's.
pub fn dying_with_us(program: &Path) -> Command {
    const SETPRIV: &str = "/usr/bin/setpriv";
    if Path::new(SETPRIV).exists() {
        let mut command = Command::new(SETPRIV);
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Whether a process handles SIGTERM by now, as the kernel sees it.
fn listens_to_sigterm(id: u32) -> bool {
    const SIGTERM: u64 = 1 << (15 - 1);
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & SIGTERM != 0)
}

/// Asks a process to end. The shell's own `kill` saves a dependency with unsafe code in it.
async fn terminate(id: u32) -> Result<(), Error> {
    let status = Command::new("sh").args(["-c", "kill -TERM \"$0\" 2>/dev/null", &id.to_string()]).status().await;
    // Gone already is as good.
    status.map(|_| ()).tried(|| "run sh".to_owned())
}

fn append(log: &Path) -> Result<File, Error> {
    OpenOptions::new().create(true).append(true).open(log).tried(|| format!("open {}", log.display()))
}

/// The end of a log, for an error message.
pub fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().rev().take(8).collect();
    lines.reverse();
    format!("the last lines of {}:\n    {}", log.display(), lines.join("\n    "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_that_has_only_just_begun_is_stopped_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            // It takes the time to start a second program before it listens.
            let script = "sleep 0.05; trap 'exit 0' TERM; while :; do sleep 0.02; done";
            let arguments = ["-c".as_ref(), script.as_ref()];
            let mut child = Child::start("sh", Path::new("/bin/sh"), &arguments, &folder.path().join("log")).unwrap();
            child.stop().await.unwrap();
        }
    }
}
