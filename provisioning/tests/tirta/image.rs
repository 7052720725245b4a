//! `tirta image customise` on images that are made here: a table of partitions, a boot partition, and one more.

use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};
use fscommon::StreamSlice;
use std::fs::{File, OpenOptions};
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SECTOR: usize = 512;
/// The boot partition: one MiB in, and the smallest that is FAT32.
const BEGIN: usize = 2048 * SECTOR;
const END: usize = BEGIN + 68_000 * SECTOR;
const FLEET: &str =
    "ca_sha256 = \"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f\"\ntoken = \"s3cret\"\n";

/// An image with a file that is not ours, and something behind the boot partition.
fn image(label: &[u8; 11]) -> Vec<u8> {
    let mut disk = vec![0; END + 64 * SECTOR];
    let number = |sectors: usize| u32::try_from(sectors).unwrap().to_le_bytes();
    disk[450] = 0x0c;
    disk[454..458].copy_from_slice(&number(BEGIN / SECTOR));
    disk[458..462].copy_from_slice(&number((END - BEGIN) / SECTOR));
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk[512..BEGIN].fill(0xa5);
    disk[END..].fill(0x5a);
    let mut boot = vec![0; END - BEGIN];
    let how = FormatVolumeOptions::new().fat_type(FatType::Fat32).bytes_per_cluster(512).volume_label(*label);
    fatfs::format_volume(Cursor::new(&mut boot), how).unwrap();
    let files = FileSystem::new(Cursor::new(&mut boot), FsOptions::new()).unwrap();
    files.root_dir().create_file("config.txt").unwrap().write_all(&b"arm_64bit=1\n".repeat(500)).unwrap();
    files.unmount().unwrap();
    disk[BEGIN..END].copy_from_slice(&boot);
    disk
}

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        bench.put("tirta.img", &image(b"TIRTA-BOOT "));
        bench.put("fleet.toml", FLEET.as_bytes());
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn customise(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tirta"));
        command.args(["image", "customise"]).args(arguments).current_dir(self.0.path());
        command.env_remove("TIRTA_PASSWORD").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Who needs no input does not read it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn done(&self, arguments: &[&str], input: &str) {
        let output = self.customise(arguments, input);
        assert!(output.status.success(), "{output:?}");
    }

    fn complaint(&self, arguments: &[&str]) -> String {
        let output = self.customise(arguments, "");
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

fn text(image: &Path, name: &str) -> Option<String> {
    let disk: File = OpenOptions::new().read(true).write(true).open(image).unwrap();
    let slice = StreamSlice::new(disk, BEGIN as u64, END as u64).unwrap();
    let files = FileSystem::new(slice, FsOptions::new()).unwrap();
    let mut text = String::new();
    files.root_dir().open_file(name).ok()?.read_to_string(&mut text).unwrap();
    Some(text)
}

#[test]
fn the_files_are_on_the_boot_partition_and_all_else_is_as_it_was() {
    let bench = Bench::new();
    let image = bench.path("tirta.img");
    let before = std::fs::read(&image).unwrap();
    let key = format!("ssh-ed25519 {} sari@laptop", "A".repeat(68));
    bench.put("key.pub", format!("{key}\n").as_bytes());
    let network = ["--wifi-ssid", "Kolam 3", "--wifi-country", "ID", "--wifi-hidden", "--wifi-passphrase-file", "-"];
    let rest = ["--fleet-config", "fleet.toml", "--time-zone", "Asia/Jakarta", "--ssh-key", "key.pub", "tirta.img"];
    bench.done(&[&network[..], &rest[..]].concat(), "air bersih\n");
    assert_eq!(text(&image, "tirta-fleet.toml").as_deref(), Some(FLEET));
    let setup: shared::setup::SetupFile = toml::from_str(&text(&image, "tirta-setup.toml").unwrap()).unwrap();
    assert_eq!((setup.time_zone.as_deref(), &setup.ssh_authorized_keys), (Some("Asia/Jakarta"), &vec![key]));
    let wifi = setup.wifi.unwrap();
    assert_eq!((wifi.ssid.as_str(), wifi.passphrase.as_deref(), wifi.hidden), ("Kolam 3", Some("air bersih"), true));
    let after = std::fs::read(&image).unwrap();
    assert!(
        before[..BEGIN] == after[..BEGIN] && before[END..] == after[END..],
        "outside the partition nothing changed"
    );
    assert_eq!(text(&image, "config.txt"), Some("arm_64bit=1\n".repeat(500)));
    let changed = (0..after.len() / SECTOR).filter(|n| {
        let sector = n * SECTOR..(n + 1) * SECTOR;
        before[sector.clone()] != after[sector]
    });
    // Two files, the folder, two tables, and the count of what is free.
    assert!(changed.count() <= 8, "few sectors change");
}

#[test]
fn a_second_time_only_what_is_given_changes() {
    let bench = Bench::new();
    let image = bench.path("tirta.img");
    let long = format!("{}{FLEET}", "# a remark\n".repeat(200));
    bench.put("long.toml", long.as_bytes());
    bench.done(&["tirta.img", "--fleet-config", "long.toml", "--wifi-ssid", "Kolam", "--wifi-country", "ID"], "");
    assert_eq!(text(&image, "tirta-fleet.toml"), Some(long));
    bench.done(&["tirta.img", "--fleet-config", "fleet.toml", "--time-zone", "UTC"], "");
    assert_eq!(text(&image, "tirta-fleet.toml").as_deref(), Some(FLEET), "nothing of the longer one is left");
    let both = "time_zone = \"UTC\"\n\n[wifi]\nssid = \"Kolam\"\ncountry = \"ID\"\n";
    assert_eq!(text(&image, "tirta-setup.toml").as_deref(), Some(both));
    bench.put("setup.toml", b"time_zone = \"Asia/Jakarta\"\n");
    bench.done(&["tirta.img", "--setup", "setup.toml"], "");
    assert_eq!(text(&image, "tirta-setup.toml").as_deref(), Some("time_zone = \"Asia/Jakarta\"\n"));
}

#[test]
fn a_packed_image_is_unpacked_into_a_new_file_and_a_damaged_one_leaves_none() {
    let bench = Bench::new();
    let plain = std::fs::read(bench.path("tirta.img")).unwrap();
    let mut packed = ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
    bench.put("tirta.img.zst", &packed);
    let said = bench.complaint(&["tirta.img.zst", "--fleet-config", "fleet.toml"]);
    assert!(said.contains("tirta.img.zst: it is packed") && said.contains("--out"), "{said}");
    bench.done(&["tirta.img.zst", "--fleet-config", "fleet.toml", "--out", "pond.img"], "");
    assert_eq!(text(&bench.path("pond.img"), "tirta-fleet.toml").as_deref(), Some(FLEET));
    assert!(std::fs::read(bench.path("pond.img")).unwrap()[END..] == plain[END..]);
    let mode = std::fs::metadata(bench.path("pond.img")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "a token is in it");
    bench.done(&["tirta.img", "--fleet-config", "fleet.toml", "--out", "copy.img"], "");
    assert!(std::fs::read(bench.path("tirta.img")).unwrap() == plain, "with --out the image stays");
    let said = bench.complaint(&["tirta.img", "--fleet-config", "fleet.toml", "--out", "copy.img"]);
    assert!(said.contains("copy.img: it is there already"), "{said}");
    packed.truncate(packed.len() / 2);
    bench.put("torn.img.zst", &packed);
    let said = bench.complaint(&["torn.img.zst", "--fleet-config", "fleet.toml", "--out", "torn.img"]);
    assert!(said.contains("torn.img.zst: it can't be unpacked") && said.contains("download it again"), "{said}");
    assert!(!bench.path("torn.img").exists());
}

#[test]
fn what_is_wrong_is_named_with_its_fix_and_nothing_is_written() {
    let bench = Bench::new();
    let before = std::fs::read(bench.path("tirta.img")).unwrap();
    bench.put("bad.toml", FLEET.replace("0f0f", "0f").as_bytes());
    bench.put("seven", b"rahasia\n");
    bench.put("private", b"-----BEGIN OPENSSH PRIVATE KEY-----\n");
    bench.put("setup.toml", b"timezone = \"UTC\"\n");
    let wifi = ["tirta.img", "--wifi-ssid", "Kolam", "--wifi-country"];
    for (arguments, words) in [
        (&["tirta.img", "--fleet-config", "bad.toml"][..], ["bad.toml: ca_sha256", "64 hexadecimal digits"]),
        (&["tirta.img", "--fleet-config", "none.toml"], ["none.toml", "No such file"]),
        (&["tirta.img", "--fleet-config", "fleet.toml", "--time-zone", "../etc"], ["time_zone", "Asia/Jakarta"]),
        (&["tirta.img", "--ssh-key", "private"], ["private: ssh_authorized_keys", ".pub"]),
        (&["tirta.img", "--setup", "setup.toml"], ["setup.toml: ", "timezone"]),
        (&[&wifi[..], &["id"]].concat(), ["wifi.country", "ISO 3166"]),
        (&[&wifi[..], &["ID", "--wifi-passphrase-file", "seven"]].concat(), ["wifi.passphrase", "8 to 63"]),
    ] {
        let said = bench.complaint(arguments);
        assert!(words.iter().all(|word| said.contains(word)) && !said.contains("rahasia"), "{said}");
    }
    assert!(std::fs::read(bench.path("tirta.img")).unwrap() == before);
}

#[test]
fn a_disk_that_is_not_ours_is_left_alone() {
    let bench = Bench::new();
    bench.put("other.img", &image(b"WINDOWS    "));
    bench.put("short.img", &image(b"TIRTA-BOOT ")[..BEGIN + 4096]);
    let mut unformatted = image(b"TIRTA-BOOT ");
    unformatted[BEGIN..BEGIN + SECTOR].fill(0);
    bench.put("unformatted.img", &unformatted);
    for (name, words) in [
        ("other.img", "\"WINDOWS\" and not TIRTA-BOOT"),
        ("short.img", "cut short"),
        ("unformatted.img", "no FAT file system"),
        ("fleet.toml", "no image of a card"),
        ("none.img", "none.img: No such file"),
    ] {
        let before = std::fs::read(bench.path(name)).ok();
        let said = bench.complaint(&[name, "--fleet-config", "fleet.toml"]);
        assert!(said.contains(words) && said.contains(name), "{said}");
        assert!(std::fs::read(bench.path(name)).ok() == before);
    }
}
