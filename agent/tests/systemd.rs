//! The unit for systemd: it is valid, and says what the agent relies on.
#![allow(clippy::unwrap_used)] // a test may

use std::path::Path;
use std::process::Command;

fn unit() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/tirta-agent.service")).unwrap()
}

#[test]
fn the_unit_is_restarted_for_ever_watched_and_reaches_the_probes() {
    let unit = unit();
    for line in [
        "Type=notify",
        "WatchdogSec=60",
        "Restart=always",
        "StartLimitIntervalSec=0",
        "StateDirectory=tirta-agent",
        "User=tirta-agent",
        "DeviceAllow=char-i2c rw",
        "DeviceAllow=/dev/gpiomem rw",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    // It hides the serial and the Pi's model, or sets the devices aside.
    for line in ["PrivateDevices", "ProcSubset", "InaccessiblePaths"] {
        assert!(!unit.contains(line), "{line}");
    }
}

#[test]
fn systemd_finds_no_mistake_in_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tirta-agent.service");
    // Of the program it wants to see that it is there.
    let unit = unit().replace("/usr/bin/tirta-agent", env!("CARGO_BIN_EXE_tirta-agent"));
    std::fs::write(&file, unit).unwrap();
    match Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output() {
        Ok(output) => {
            let text = String::from_utf8(output.stderr).unwrap();
            let ours: Vec<_> = text.lines().filter(|line| line.contains("tirta-agent")).collect();
            assert!(ours.is_empty(), "{ours:#?}");
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
    }
}
