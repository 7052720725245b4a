//! A PostgreSQL cluster of our own on loopback, thrown away afterwards. It never touches one that is there already.

use crate::error::{Error, Tried};
use crate::fleet::{free_port, last_words, until};
use std::{
    ffi::OsStr,
    fs::{DirBuilder, File},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::{Child, Command};

const START: Duration = Duration::from_secs(60);
/// PostgreSQL refuses to run as root; this user owns nothing.
const NOBODY: u32 = 65_534;

/// A running cluster.
pub struct Postgres {
    folder: PathBuf,
    url: String,
    process: Child,
}

impl Postgres {
    /// Makes one and waits until it answers.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub async fn start() -> Result<Self, Error> {
        let programs = programs().ok_or_else(|| Error::Missing("PostgreSQL's initdb is not installed".to_owned()))?;
        let folder = std::env::temp_dir().join(format!("tirta-postgres-{:08x}", fastrand::u32(..)));
        DirBuilder::new().mode(0o700).create(&folder).tried(|| format!("make {}", folder.display()))?;
        if is_root() {
            let owned = std::os::unix::fs::chown(&folder, Some(NOBODY), Some(NOBODY));
            owned.tried(|| format!("give {} away", folder.display()))?;
        }
        let data = folder.join("data");
        let log = folder.with_extension("log");
        let out = |log: &Path| File::create(log).tried(|| format!("write {}", log.display()));
        let made = as_ordinary_user(&programs.join("initdb"))
            .args([
                "--username",
                "tirta",
                "--auth",
                "trust",
                "--encoding",
                "UTF8",
                "--locale",
                "C",
                "--no-sync",
                "--pgdata",
            ])
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(out(&log)?)
            .stderr(out(&log)?)
            .status()
            .await;
        if !made.tried(|| "run initdb".to_owned())?.success() {
            return Err(Error::Program { program: "initdb".to_owned(), how: format!("failed; {}", last_words(&log)) });
        }
        let port = free_port(None)?;
        let number = port.to_string();
        let words: [&OsStr; 8] = [
            "-D".as_ref(),
            data.as_os_str(),
            "-h".as_ref(),
            "127.0.0.1".as_ref(),
            "-p".as_ref(),
            number.as_ref(),
            "-k".as_ref(),
            folder.as_os_str(),
        ];
        let process = as_ordinary_user(&programs.join("postgres"))
            .args(words)
            .stdin(Stdio::null())
            .stdout(out(&log)?)
            .stderr(out(&log)?)
            .kill_on_drop(true)
            .spawn()
            .tried(|| "start postgres".to_owned())?;
        let mut cluster = Self { folder, url: format!("postgres://tirta@127.0.0.1:{port}/postgres"), process };
        cluster.wait_until_it_answers(&programs, &number, &log).await?;
        let _ = std::fs::remove_file(&log);
        Ok(cluster)
    }

    /// Its address, with a user who may make databases.
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn wait_until_it_answers(&mut self, programs: &Path, port: &str, log: &Path) -> Result<(), Error> {
        until("PostgreSQL answers", START, async || {
            if let Some(status) = self.process.try_wait().tried(|| "look at postgres".to_owned())? {
                let how = format!("ended with {status}; {}", last_words(log));
                return Err(Error::Program { program: "postgres".to_owned(), how });
            }
            let asked = Command::new(programs.join("pg_isready"))
                .args(["--quiet", "--host", "127.0.0.1", "--port", port])
                .status()
                .await;
            Ok(asked.tried(|| "run pg_isready".to_owned())?.success().then_some(()))
        })
        .await
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Its data is thrown away, so it need not be told politely; its children end with it.
        let _ = self.process.start_kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The folder of PostgreSQL's programs, newest version first.
pub fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has_all = |folder: &PathBuf| ["initdb", "postgres", "pg_isready"].iter().all(|p| folder.join(p).is_file());
    versions.into_iter().rev().chain(std::env::split_paths(&path)).find(has_all)
}

/// Whether this process may do everything.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0)
}

/// A program that ends when this one does, and is never root.
fn as_ordinary_user(program: &Path) -> Command {
    if !is_root() {
        return crate::fleet::dying_with_us(program);
    }
    let mut command = Command::new("/usr/bin/setpriv");
    let id = NOBODY.to_string();
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--pdeathsig", "QUIT", "--"]).arg(program);
    // Ours may be a folder that nobody else may enter.
    command.current_dir("/");
    command
}
