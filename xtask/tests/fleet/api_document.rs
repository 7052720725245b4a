//! The commands of `docs/api.md`, run as they stand, one after the other, against a real server.

use std::{process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};
use xtask::fleet::{Folder, Ports, Programs, Server, ServerSetup, free_port};

const PATIENCE: Duration = Duration::from_secs(120);
const DOCUMENT: &str = include_str!("../../../docs/api.md");
/// Where the document's server listens.
const ADDRESS: &str = "http://127.0.0.1:8080";

/// What a reader would type.
fn commands() -> String {
    let blocks = DOCUMENT.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_commands_of_the_document_do_what_it_says() {
    let folder = Folder::open(None, "api-document").unwrap();
    let programs = Programs::beside_us().unwrap();
    let port = || free_port(None).unwrap();
    let ports = Ports { https: port(), http: port(), broker: port() };
    let setup = ServerSetup { folder: folder.path.clone(), ports, ..ServerSetup::default() };
    let mut server = Server::start(&programs, setup).await.unwrap();

    // A window for the chart is not to be had here; that there is something to draw is.
    let before = "set -euo pipefail; gnuplot() { test \"$(wc -l < ph.dat)\" -ge 10; }\n";
    let script = format!("{before}{}", commands().replace(ADDRESS, &server.http_url()));
    assert!(script.matches("curl").count() > 10 && !script.contains(ADDRESS), "{script}");
    let path = format!("{}:{}", programs.server.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let run = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&folder.path)
        .env("PATH", path)
        .env("TIRTA_PASSWORD", server.password().unwrap())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, run).await.unwrap().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches(r#"{"outcome":"stored"}"#).count(), 12, "ten, and one that is repeated: {said}");
    assert!(said.contains(r#""stored":3,"duplicates":0,"refused":0"#), "the batch: {said}");
    assert!(said.contains(r#""stored":4,"duplicates":0,"refused":0"#), "SenML: {said}");
    assert!(said.contains(r#""location":"South""#), "{said}");
    assert!(!said.contains(r#""outcome":"refused""#), "{said}");
    server.stop().await.unwrap();
}
