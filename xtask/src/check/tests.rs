//! Every test of the workspace, two of cargo's test programs at once: most of a test with real processes is waiting.
//! Knows what cargo says of what it built, and nothing of what is tested.

use crate::error::{Error, Tried};
use crate::fleet::Folder;
use crate::postgres::Postgres;
use crate::prepare::{cargo, command, root, run};
use serde::Deserialize;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::{ffi::OsStr, fs, fs::File, path::Path, path::PathBuf, thread, time::Instant};

/// How many of them run at once.
const AT_ONCE: usize = 2;

/// A line of cargo's: something was built.
#[derive(Deserialize)]
struct Built {
    target: Target,
    manifest_path: PathBuf,
    executable: Option<PathBuf>,
    profile: Profile,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// A test program.
struct Program {
    name: String,
    package: PathBuf,
    file: PathBuf,
}

/// All of them, built, and a PostgreSQL of their own.
pub struct Tests {
    programs: Vec<Program>,
    postgres: Postgres,
}

/// Builds them all.
///
/// # Errors
/// When one can't be built, or PostgreSQL can't be started.
pub async fn build() -> Result<Tests, Error> {
    let programs = test_programs()?;
    Ok(Tests { programs, postgres: Postgres::start().await? })
}

impl Tests {
    /// Runs them all, on SQLite and on PostgreSQL, and gives way to whatever else goes on meanwhile.
    ///
    /// # Errors
    /// After all of them when a test failed: its output is shown.
    pub async fn run(self) -> Result<(), Error> {
        let Self { programs, postgres } = self;
        let url = postgres.url().to_owned();
        let run = tokio::task::spawn_blocking(move || run_programs(programs, &url));
        run.await.map_err(|_| cut_short())?
    }
}

fn run_programs(programs: Vec<Program>, postgres: &str) -> Result<(), Error> {
    let output = Folder::open(None, "tests")?;
    let count = programs.len();
    let left = Mutex::new(programs);
    let failed = thread::scope(|scope| {
        let work = || work_off(&left, &output.path, postgres);
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| Err(cut_short())))
            .collect::<Result<Vec<_>, _>>()
    })?
    .concat();
    if !failed.is_empty() {
        return Err(Error::Verdict(format!("of {count} test programs failed: {}", failed.join(", "))));
    }
    run(&root(), &cargo(), &["test", "--workspace", "--doc", "--quiet"])
}

fn cut_short() -> Error {
    Error::Missing("whoever ran the tests was cut short".to_owned())
}

fn test_programs() -> Result<Vec<Program>, Error> {
    let words = ["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"];
    let said = command(&root(), &cargo(), &words).stderr(Stdio::inherit()).output();
    let said = said.tried(|| "build the tests".to_owned())?;
    if !said.status.success() {
        return Err(Error::Program {
            program: "cargo test --no-run".to_owned(),
            how: format!("failed ({})", said.status),
        });
    }
    let built = said.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let mut programs: Vec<Program> = built.filter_map(|built: Built| program(built)).collect();
    // Those with whole fleets of processes take longest, and `xtask` has them.
    programs.sort_by(|a, b| b.package.cmp(&a.package));
    Ok(programs)
}

fn program(built: Built) -> Option<Program> {
    let package = built.manifest_path.parent()?.to_owned();
    let folder = package.file_name().map(OsStr::to_string_lossy)?;
    let name = format!("{folder}/{}", built.target.name);
    let file = built.executable.filter(|_| built.profile.test)?;
    Some(Program { name, package, file })
}

/// Takes one after the other from the list, and gives the names of those that failed.
fn work_off(left: &Mutex<Vec<Program>>, output: &Path, postgres: &str) -> Result<Vec<String>, Error> {
    let mut failed = Vec::new();
    loop {
        let mut list = left.lock().unwrap_or_else(PoisonError::into_inner);
        if list.is_empty() {
            return Ok(failed);
        }
        let program = list.remove(0);
        drop(list);
        // Its file's name, unlike its own, is nobody else's: a library and its tests may be called the same.
        let file = program.file.file_name().unwrap_or_default();
        if !run_one(&program, &output.join(file), postgres)? {
            failed.push(program.name);
        }
    }
}

fn run_one(program: &Program, output: &Path, postgres: &str) -> Result<bool, Error> {
    let file = File::create(output).tried(|| format!("write {}", output.display()))?;
    let same = file.try_clone().tried(|| format!("write {}", output.display()))?;
    let start = Instant::now();
    let mut command = Command::new(&program.file);
    command.current_dir(&program.package).env("CARGO_MANIFEST_DIR", &program.package);
    command.env("TIRTA_TEST_POSTGRES", postgres).stdout(file).stderr(same).stdin(Stdio::null());
    let passed = command.status().tried(|| format!("run {}", program.file.display()))?.success();
    let said = fs::read(output).tried(|| format!("read {}", output.display()))?;
    let said = String::from_utf8_lossy(&said);
    let result = said.lines().rfind(|line| line.starts_with("test result:")).unwrap_or("ended without a result");
    println!("{:7.1} s  {}: {result}", start.elapsed().as_secs_f64(), program.name);
    if !passed {
        println!("{said}");
    }
    Ok(passed)
}
