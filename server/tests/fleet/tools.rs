//! The command-line clients of Mosquitto, as anybody may use them who has a device's certificate.

use super::{Card, SOON};
use std::process::Output;
use tokio::{process::Command, time::timeout};

/// One of the programs, connecting with a card.
pub fn tool(program: &str, port: u16, card: &Card, client_id: &str) -> Command {
    let mut command = Command::new(program);
    command
        .args(["-h", "localhost", "-p", &port.to_string(), "-V", "mqttv5", "-i", client_id, "-q", "1"])
        .arg("--cafile")
        .arg(&card.ca_file)
        .arg("--cert")
        .arg(&card.certificate_file)
        .arg("--key")
        .arg(&card.key_file)
        .kill_on_drop(true);
    command
}

pub async fn publish(port: u16, card: &Card, client_id: &str, topic: &str, text: &str, more: &[&str]) -> Output {
    run(tool("mosquitto_pub", port, card, client_id).args(["-t", topic, "-m", text]).args(more)).await
}

pub async fn run(command: &mut Command) -> Output {
    let output = timeout(SOON, command.output()).await.expect("the program should have ended");
    output.unwrap_or_else(|e| {
        panic!("{:?}: {e}: apt install mosquitto mosquitto-clients", command.as_std().get_program())
    })
}

/// What a program printed, for messages of failing tests.
pub fn said(output: &Output) -> String {
    format!("{} {}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
