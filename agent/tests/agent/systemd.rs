//! The units for systemd: they are valid, and say what the agent relies on.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

fn unit_of(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd").join(name)).unwrap()
}

fn unit() -> String {
    unit_of("tirta-agent.service")
}

const SERVICES: [&str; 3] = ["tirta-agent.service", "tirta-hostname.service", "tirta-setup.service"];
const PATH: &str = "tirta-hostname.path";

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
        // The lamp is there on every Pi; elsewhere the unit starts without it.
        "ReadWritePaths=-/sys/devices/platform/leds",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    // It hides the serial and the Pi's model, or sets the devices aside.
    for line in ["PrivateDevices=", "ProcSubset=", "InaccessiblePaths="] {
        assert!(!unit.lines().any(|found| found.starts_with(line)), "{line}");
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
fn the_set_up_comes_before_the_network_and_is_written_where_its_readers_look() {
    let unit = unit_of("tirta-setup.service");
    let file = format!("/boot/firmware/{}", shared::setup::SETUP_FILE);
    for line in [
        "Type=oneshot",
        "DefaultDependencies=no",
        &format!("ConditionPathExists={file}"),
        &format!("ExecStart=/usr/bin/tirta-agent apply-setup --file {file}"),
        "Before=network-pre.target systemd-networkd.service wpa_supplicant@wlan0.service ssh.service",
        // /run/tirta, which stays, and which sshd believes.
        "RuntimeDirectory=tirta",
        "RuntimeDirectoryMode=0755",
        "RuntimeDirectoryPreserve=yes",
        "ReadWritePaths=/etc",
        "CapabilityBoundingSet=",
        "PrivateNetwork=yes",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn the_set_up_is_applied_as_far_as_it_goes_and_a_mistake_fails_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tirta-setup.toml");
    let apply = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tirta-agent"));
        command.arg("apply-setup").arg("--file").arg(&file).arg("--root").arg(folder.path()).output().unwrap()
    };
    assert!(apply().status.success(), "without a file there is nothing to do");
    std::fs::write(&file, "time_zone = \"Mars/Olympus\"\n[wifi]\nssid = \"Kolam\"\ncountry = \"ID\"\n").unwrap();
    let output = apply();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("time_zone"), "{said}");
    assert!(folder.path().join("etc/wpa_supplicant/wpa_supplicant-wlan0.conf").exists());
}

#[test]
fn the_lamps_rule_lends_two_files_and_never_calls_itself() {
    let rule = unit_of("99-tirta-led.rules");
    // Choosing a trigger reports a "change".
    assert!(rule.contains("\nACTION==\"add\", SUBSYSTEM==\"leds\", KERNEL==\"ACT|led0\","), "{rule}");
    assert_eq!(rule.matches("ACTION").count(), 1);
    let folder = tempfile::tempdir().unwrap();
    for file in ["trigger", "delay_on", "delay_off", "brightness"] {
        std::fs::write(folder.path().join(file), "").unwrap();
        std::fs::set_permissions(folder.path().join(file), Permissions::from_mode(0o644)).unwrap();
    }
    let command = rule.split_once("/bin/sh -c '").unwrap().1.split_once('\'').unwrap().0;
    let own = std::fs::metadata(folder.path()).unwrap().gid().to_string();
    let command = command.replace("/sys%p", folder.path().to_str().unwrap()).replace("tirta-agent", &own);
    assert!(Command::new("/bin/sh").args(["-c", &command]).status().unwrap().success(), "{command}");
    let mode = |file: &str| std::fs::metadata(folder.path().join(file)).unwrap().mode() & 0o777;
    let modes = ["delay_on", "delay_off", "trigger", "brightness"].map(mode);
    assert_eq!(modes, [0o664, 0o664, 0o644, 0o644]);
    assert_eq!(std::fs::read_to_string(folder.path().join("trigger")).unwrap(), "timer\n");
}

#[test]
fn no_service_may_more_than_it_needs() {
    for name in SERVICES {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, unit_of(name)).unwrap();
        // In tenths: below 2.0.
        let judge = ["security", "--offline=true", "--threshold=19", "--no-pager"];
        match Command::new("systemd-analyze").args(judge).arg(&file).output() {
            Ok(output) => assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout)),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
        }
    }
}

#[test]
fn systemd_finds_no_mistake_in_the_units() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = vec![];
    for name in SERVICES.into_iter().chain([PATH]) {
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
