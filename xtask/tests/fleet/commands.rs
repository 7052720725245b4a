//! `demo` and `chaos` as a person runs them: what they print last, how they end, and what they leave behind.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};
use xtask::fleet::{Folder, until};

const PATIENCE: Duration = Duration::from_secs(120);

fn xtask(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).arg("--no-build").arg("--data").arg(data).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A demo that is ready to be looked at.
async fn running_demo(data: &Path) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut demo = xtask(&["demo", "--devices", "2"], data).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let ready = async { while !lines.next_line().await.unwrap().unwrap().contains("Ctrl-C stops everything") {} };
    timeout(PATIENCE, ready).await.unwrap();
    (demo, lines)
}

/// Processes that were started with a file in this folder.
fn processes_of(data: &Path) -> Vec<PathBuf> {
    let data = data.to_string_lossy().into_owned();
    let others = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let others = others.filter(|path| !path.ends_with("self") && !path.ends_with("thread-self"));
    let belongs = |path: &PathBuf| {
        let command = fs::read(path.join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        command.contains(&data) && !command.contains("--no-build")
    };
    others.filter(belongs).collect()
}

async fn nothing_is_left(data: &Path) {
    let gone = until("all processes are gone", PATIENCE, async || Ok(processes_of(data).is_empty().then_some(())));
    gone.await.unwrap();
}

async fn signal(name: &str, process: &Child) {
    let id = process.id().unwrap().to_string();
    assert!(Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status().await.unwrap().success());
}

/// Runs a command to its end; its last line.
async fn last_line(arguments: &[&str]) -> serde_json::Value {
    let folder = Folder::open(None, "command").unwrap();
    let output = timeout(PATIENCE * 2, xtask(arguments, &folder.path).output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    nothing_is_left(&folder.path).await;
    serde_json::from_str(String::from_utf8(output.stdout).unwrap().lines().last().unwrap()).unwrap()
}

#[tokio::test]
async fn a_demo_with_an_end_ends_with_its_verdict() {
    let verdict = last_line(&["demo", "--devices", "2", "--seconds", "3"]).await;
    assert_eq!((&verdict["devices"], &verdict["missing"], &verdict["duplicates"]), (&2.into(), &0.into(), &0.into()));
    assert_eq!(verdict["pushed"], verdict["stored"]);
    assert!(verdict["pushed"].as_u64() > Some(8), "{verdict}");
}

#[tokio::test]
async fn chaos_ends_with_its_verdict_and_the_faults() {
    let verdict = last_line(&["chaos", "--devices", "2", "--seconds", "12", "--seed", "3"]).await;
    assert_eq!((&verdict["missing"], &verdict["duplicates"]), (&0.into(), &0.into()));
    assert!(verdict["faults"]["cut"].as_u64() > Some(0), "{verdict}");
}

#[tokio::test]
async fn ctrl_c_stops_everything_in_order_and_the_next_demo_goes_on_from_there() {
    let folder = Folder::open(None, "interrupt").unwrap();
    for _ in 0..2 {
        let (mut demo, _lines) = running_demo(&folder.path).await;
        assert_eq!(processes_of(&folder.path).len(), 3, "a server and two agents");
        signal("INT", &demo).await;
        assert!(timeout(PATIENCE, demo.wait()).await.unwrap().unwrap().success());
        nothing_is_left(&folder.path).await;
    }
}

#[tokio::test]
async fn a_killed_demo_leaves_no_process_behind_and_two_run_side_by_side() {
    let (one, other) = (Folder::open(None, "killed").unwrap(), Folder::open(None, "beside").unwrap());
    let (first, second) = tokio::join!(running_demo(&one.path), running_demo(&other.path));
    signal("KILL", &first.0).await;
    nothing_is_left(&one.path).await;
    assert_eq!(processes_of(&other.path).len(), 3, "the other one is not concerned");
    drop(second);
    nothing_is_left(&other.path).await;
}

#[tokio::test]
async fn a_demo_with_a_history_goes_on_from_there_and_a_fleet_gets_only_one() {
    let folder = Folder::open(None, "history").unwrap();
    let demo = async |more: &[&str]| {
        let mut command = xtask(&["demo", "--devices", "2", "--seconds", "3"], &folder.path);
        let output = timeout(PATIENCE * 2, command.args(more).output()).await.unwrap().unwrap();
        nothing_is_left(&folder.path).await;
        let [out, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.success(), out, errors)
    };
    let (ok, out, errors) = demo(&["--history", "2d"]).await;
    assert!(ok, "{out} {errors}");
    for words in ["2 days of history", "sari", "supervisor", "alerts", "outages"] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let verdict: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!((&verdict["devices"], &verdict["missing"], &verdict["unknown"]), (&2.into(), &0.into(), &0.into()));
    let settings = fs::read_to_string(folder.path.join("agent-1/data/settings.json")).unwrap();
    assert!(settings.contains("\"thresholds\"") && settings.contains("\"calibrations\""), "{settings}");

    let (ok, _, errors) = demo(&["--history", "2d"]).await;
    assert!(!ok && errors.contains("leave --history out"), "{errors}");
    let (ok, out, errors) = demo(&[]).await;
    assert!(ok && out.contains("sari"), "{out} {errors}");
    let (ok, _, errors) = demo(&["--history", "100d"]).await;
    assert!(!ok && errors.contains("1d to 90d"), "{errors}");
}
