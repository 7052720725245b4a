//! A machine below a folder, and set-up files as people write them.

use super::*;
use std::os::unix::fs::MetadataExt;

const WPA_FILE: &str = "etc/wpa_supplicant/wpa_supplicant-wlan0.conf";
const GOOD: &str = "time_zone = \"Asia/Jakarta\"\nssh_authorized_keys = [\"KEY\"]\n[wifi]\nssid = \"Kolam 3\"\n\
                    passphrase = \"air bersih\"\ncountry = \"ID\"\n";

fn key() -> String {
    format!("ssh-ed25519 {} sari@laptop", "A".repeat(68))
}

fn good() -> String {
    GOOD.replace("KEY", &key())
}

struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for below in ["etc", "usr/share/zoneinfo/Asia"] {
            std::fs::create_dir_all(folder.path().join(below)).unwrap();
        }
        std::fs::write(folder.path().join("usr/share/zoneinfo/Asia/Jakarta"), "TZif2").unwrap();
        std::os::unix::fs::symlink("/usr/share/zoneinfo/Etc/UTC", folder.path().join("etc/localtime")).unwrap();
        Self(folder)
    }

    fn apply(&self, text: &str) -> Applied {
        let file = self.0.path().join("tirta-setup.toml");
        std::fs::write(&file, text).unwrap();
        apply(&file, self.0.path())
    }

    /// What is wrong with a text, in words.
    fn problems(&self, text: &str) -> Vec<String> {
        self.apply(text).problems.iter().map(ToString::to_string).collect()
    }

    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.0.path().join(path)).ok()
    }

    fn mode(&self, path: &str) -> u32 {
        std::fs::metadata(self.0.path().join(path)).unwrap().mode() & 0o777
    }

    fn zone(&self) -> String {
        std::fs::read_link(self.0.path().join("etc/localtime")).unwrap().display().to_string()
    }
}

#[test]
fn network_keys_and_time_zone_are_put_where_their_services_look() {
    let machine = Machine::new();
    let applied = machine.apply(&good());
    assert!(applied.problems.is_empty(), "{:?}", applied.problems);
    assert_eq!(applied.done, ["Wi-Fi: \"Kolam 3\"", "SSH: 1 key(s)", "time zone: Asia/Jakarta"]);
    let psk_hex = hex(&psk("air bersih", "Kolam 3"));
    let expected = format!(
        "country=ID\nsae_pwe=2\nnetwork={{\n    ssid=4b6f6c616d2033\n    key_mgmt=WPA-PSK SAE\n    ieee80211w=1\n    \
         psk={psk_hex}\n    sae_password=61697220626572736968\n}}\n"
    );
    assert_eq!(machine.read(WPA_FILE), Some(expected));
    assert_eq!(machine.read("run/tirta/authorized_keys"), Some(key() + "\n"));
    assert_eq!(machine.zone(), "/usr/share/zoneinfo/Asia/Jakarta");
    assert_eq!(machine.read("etc/timezone").as_deref(), Some("Asia/Jakarta\n"));
    let modes = [WPA_FILE, "run/tirta/authorized_keys", "run/tirta", "etc/timezone"].map(|path| machine.mode(path));
    assert_eq!(modes, [0o600, 0o600, 0o755, 0o644]);
}

#[test]
fn without_a_file_there_is_nothing_to_do() {
    let machine = Machine::new();
    machine.apply(&good());
    let applied = apply(Path::new("/nowhere/tirta-setup.toml"), machine.0.path());
    assert!(applied.problems.is_empty() && applied.done.is_empty());
    assert!(machine.read(WPA_FILE).is_some(), "what was set up by other means stays");
}

#[test]
fn what_is_no_longer_in_the_file_is_undone_and_the_time_zone_stays() {
    let machine = Machine::new();
    machine.apply(&good());
    let applied = machine.apply("");
    assert_eq!(applied.done, ["Wi-Fi: none, cable only", "SSH: nobody", "time zone: as it was"]);
    assert_eq!((machine.read(WPA_FILE), machine.read("run/tirta/authorized_keys")), (None, None));
    assert_eq!(machine.zone(), "/usr/share/zoneinfo/Asia/Jakarta");
}

#[test]
fn no_character_of_a_name_or_passphrase_breaks_out() {
    let machine = Machine::new();
    let text = "[wifi]\nssid = 'a\" } psk=#'\npassphrase = 'a\"b#c\\\" d'\ncountry = \"ID\"\nhidden = true\n";
    assert_eq!(machine.problems(text), Vec::<String>::new());
    let conf = machine.read(WPA_FILE).unwrap();
    assert!(conf.contains("    ssid=6122207d2070736b3d23\n    scan_ssid=1\n"), "{conf}");
    assert!(conf.contains("    sae_password=61226223635c222064\n") && !conf.contains('"'), "{conf}");
}

#[test]
fn the_key_is_that_of_the_standard() {
    let key = hex(&psk("password", "IEEE"));
    assert_eq!(key, "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e");
}

#[test]
fn an_open_network_has_no_key() {
    let machine = Machine::new();
    assert_eq!(machine.problems("[wifi]\nssid = \"Warung\"\ncountry = \"ID\"\n"), Vec::<String>::new());
    let conf = machine.read(WPA_FILE).unwrap();
    assert!(conf.contains("key_mgmt=NONE") && !conf.contains("psk"), "{conf}");
}

#[test]
fn a_file_from_another_system_is_read_too() {
    let machine = Machine::new();
    let windows = format!("\u{feff}{}", good().replace('\n', "\r\n"));
    assert_eq!(machine.problems(&windows), Vec::<String>::new());
    assert_eq!(machine.zone(), "/usr/share/zoneinfo/Asia/Jakarta");
}

#[test]
fn a_mistake_in_one_part_does_not_cost_the_others_and_every_mistake_is_said() {
    for (from, to, words) in [
        ("Asia/Jakarta", "Asia/Jakarte", "time_zone: there is no /usr/share/zoneinfo/Asia/Jakarte"),
        ("Asia/Jakarta", "Asia", "time_zone: there is no /usr/share/zoneinfo/Asia;"),
        ("\"Asia/Jakarta\"", "7", "time_zone: a value has the wrong form"),
        ("ssh-ed25519", "ed25519", "ssh_authorized_keys: write the line"),
        (
            "time_zone =",
            "timezone =",
            "timezone: there is no such field; there are wifi, ssh_authorized_keys, time_zone",
        ),
    ] {
        let machine = Machine::new();
        let problems = machine.problems(&good().replace(from, to));
        assert!(problems.len() == 1 && problems[0].contains(words), "{words}: {problems:?}");
        assert!(problems[0].contains("tirta-setup.toml"), "{problems:?}");
        assert!(machine.read(WPA_FILE).is_some(), "{words}");
    }
    let machine = Machine::new();
    let problems = machine.problems(&good().replace("\"ID\"", "\"id\"").replace("Jakarta", "Jakarte"));
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(machine.read(WPA_FILE).is_none() && machine.read("run/tirta/authorized_keys").is_some());
}

#[test]
fn no_mistake_shows_the_passphrase() {
    for (from, to, words) in [
        ("\"air bersih\"", "12345678", "wifi: a value has the wrong form"),
        ("\"air bersih\"", "[\"12345678\"]", "wifi: a value has the wrong form"),
        ("\"air bersih\"", "\"1234567\"", "wifi.passphrase: a WPA passphrase has"),
        ("passphrase = \"air bersih\"", "password = \"12345678\"", "wifi: unknown field `password`"),
        ("\"air bersih\"", "12345678x", "line 5 is no TOML"),
        ("\"air bersih\"", "\"12345678", "line 5 is no TOML"),
        ("ssid = \"Kolam 3\"\npassphrase = \"air bersih\"", "12345678", "line 4 is no TOML"),
    ] {
        let problems = Machine::new().problems(&good().replace(from, to));
        assert!(problems.len() == 1 && problems[0].contains(words), "{words}: {problems:?}");
        assert!(!problems[0].contains("1234567"), "{problems:?}");
    }
}

#[test]
fn a_file_that_is_none_of_ours_is_refused() {
    let machine = Machine::new();
    let problems = machine.problems(&"#".repeat(70_000));
    assert!(problems.len() == 1 && problems[0].contains("longer than"), "{problems:?}");
    let file = machine.0.path().join("binary");
    std::fs::write(&file, [0xff; 9]).unwrap();
    assert!(apply(&file, machine.0.path()).problems[0].to_string().contains("UTF-8"));
}

#[test]
fn what_can_not_be_written_says_who_may() {
    let machine = Machine::new();
    std::fs::write(machine.0.path().join("run"), "").unwrap();
    let problems = machine.problems(&good());
    assert!(problems.len() == 1 && problems[0].contains("sudo") && problems[0].contains("run/tirta"), "{problems:?}");
}
