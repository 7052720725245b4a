//! `powercut` as a person runs it: it finds nothing with an honest card, and everything with one that lies.

use std::process::{Command, Output};

fn powercut(arguments: &[&str]) -> (Output, serde_json::Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(["powercut", "--no-build"]).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    assert!(line.is_some(), "{output:?}");
    (output, line.unwrap())
}

#[test]
fn nothing_is_lost_or_damaged_when_the_power_is_cut() {
    let (output, line) = powercut(&["--cuts", "40"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!((&line["cuts"], &line["lost"], &line["corrupt"]), (&40.into(), &0.into(), &0.into()));
    assert!(line["in_checkpoint"].as_u64() > Some(0), "{line}");
    assert!(line["torn"].as_u64() > Some(0), "{line}");
}

#[test]
fn a_card_that_lies_about_flushing_is_found_out() {
    let (output, line) = powercut(&["--cuts", "20", "--broken"]);
    assert!(!output.status.success());
    assert!(line["lost"].as_u64() > Some(5), "{line}");
    assert!(line["corrupt"].as_u64() > Some(0), "{line}");
}
