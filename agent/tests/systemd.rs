//! The units for systemd: they are valid, and say what the agent relies on.
#![allow(clippy::unwrap_used)] // a test may

use std::path::Path;
use std::process::Command;

fn unit_of(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd").join(name)).unwrap()
}

fn unit() -> String {
    unit_of("tirta-agent.service")
}

const UNITS: [&str; 3] = ["tirta-agent.service", "tirta-hostname.service", "tirta-hostname.path"];

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
fn the_host_name_follows_the_identity_and_that_unit_may_do_nothing_else() {
    let path = unit_of("tirta-hostname.path");
    let folder = unit().lines().find_map(|line| line.strip_prefix("StateDirectory=").map(str::to_owned)).unwrap();
    let watched = format!("/var/lib/{folder}/identity.toml");
    assert!(path.lines().any(|line| line == format!("PathChanged={watched}")), "{path}");
    let service = unit_of("tirta-hostname.service");
    for line in [
        "Type=oneshot",
        "ExecStart=/usr/bin/tirta-agent set-hostname --config /etc/tirta/agent.toml",
        // Without a name there is nothing to do.
        &format!("ConditionPathExists={watched}"),
        "ProtectSystem=strict",
        "ReadWritePaths=/etc",
        // To set the name, and to look into the agent's folder, which is closed to others.
        "CapabilityBoundingSet=CAP_SYS_ADMIN CAP_DAC_READ_SEARCH",
        "PrivateNetwork=yes",
        "NoNewPrivileges=yes",
    ] {
        assert!(service.lines().any(|found| found == line), "{line}");
    }
    // Its own host name space would keep the name to itself.
    assert!(!service.contains("ProtectHostname") && !service.contains("User="));
}

#[test]
fn systemd_finds_no_mistake_in_the_units() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = vec![];
    for name in UNITS {
        let file = folder.path().join(name);
        // Of the program it wants to see that it is there.
        std::fs::write(&file, unit_of(name).replace("/usr/bin/tirta-agent", env!("CARGO_BIN_EXE_tirta-agent")))
            .unwrap();
        files.push(file);
    }
    match Command::new("systemd-analyze").args(["verify", "--man=no"]).args(files).output() {
        Ok(output) => {
            let text = String::from_utf8(output.stderr).unwrap();
            let ours: Vec<_> = text.lines().filter(|line| line.contains("tirta-")).collect();
            assert!(ours.is_empty(), "{ours:#?}");
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
    }
}
