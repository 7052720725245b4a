//! `day` as a person runs it, but for two hours of it: the whole one takes a minute and a half.

use std::process::Command;

#[test]
fn two_hours_stay_within_the_budget_of_a_day() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_xtask")).args(["day", "--no-build", "--hours", "2"]).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line: serde_json::Value = text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap();
    // What memory needs at first is no growth, so the exit status counts for whole days only.
    assert!(line["readings"].as_u64() > Some(1_000), "{output:?}");
    assert!((1..20_000_000).contains(&line["written_a_day"].as_u64().unwrap()), "{output:?}");
}
