//! The command line says what is wrong before it says anything to a server. What it says to one is in `xtask/tests`.

use std::{
    net::TcpListener,
    process::{Command, Output, Stdio},
};

fn tirta(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tirta"));
    for name in ["TIRTA_SERVER", "TIRTA_CA", "TIRTA_USER", "TIRTA_PASSWORD"] {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What it says when it fails.
fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_password_never_travels_in_the_clear() {
    let output = tirta(&["devices", "list", "--server", "http://192.0.2.1:8080"]).output().unwrap();
    assert!(complaint(&output).contains("plain HTTP would show the password"));
}

#[test]
fn without_a_password_it_says_where_it_looks_for_one() {
    let output = tirta(&["devices", "list"]).output().unwrap();
    assert!(complaint(&output).contains("set TIRTA_PASSWORD"));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let server = format!("http://{free}");
    let output = tirta(&["devices", "list", "--server", &server]).env("TIRTA_PASSWORD", "x").output().unwrap();
    assert!(complaint(&output).contains(&format!("{free} can't be reached")));
}

#[test]
fn a_duration_without_a_unit_is_explained() {
    let output = tirta(&["token", "create", "--valid", "7"]).output().unwrap();
    assert!(complaint(&output).contains("such as 7d"));
}

#[test]
fn a_spreadsheet_that_is_not_there_is_named_before_a_password_is_asked_for() {
    let output = tirta(&["devices", "import", "nowhere/fleet.csv"]).output().unwrap();
    assert!(complaint(&output).contains("nowhere/fleet.csv"));
}

#[test]
fn a_time_that_is_none_is_explained_with_what_to_write() {
    let words = ["recompute", "--device", "pi-7", "--metric", "ph", "--from", "last week", "--to", "2026-11-08"];
    let said = complaint(&tirta(&words).output().unwrap());
    assert!(said.contains("--from") && said.contains("such as 2026-11-01 (UTC)"), "{said}");
}
