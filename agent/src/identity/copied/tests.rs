//! Cards that came from other boards, cut off at every step.

use super::*;
use crate::identity::Identity;
use shared::enrol::Broker;
use tempfile::TempDir;

fn serial(n: u32) -> Serial {
    format!("10000000{n:08x}").parse().unwrap()
}

fn identity(n: u32) -> Identity {
    Identity {
        name: DeviceName::numbered(n),
        broker: Broker { host: None, port: 8883 },
        server: None,
        key: String::new(),
        certificate: "certificate".to_owned(),
        ca: "ca".to_owned(),
    }
}

const OWN: [&str; 8] = [
    "device.key",
    "identity.toml",
    "device.pem",
    "ca.pem",
    "settings.json",
    "calibration.json",
    "buffer.db",
    "buffer.db-wal",
];

/// The card of board `n`, which is called so too.
fn card(n: u32) -> (TempDir, Home, String) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    home.settle(serial(n)).unwrap();
    let key = home.key_pair(serial(n)).unwrap().serialize_pem();
    home.save(serial(n), &identity(n)).unwrap();
    for name in ["settings.json", "calibration.json", "buffer.db", "buffer.db-wal", "buffer.db-shm"] {
        std::fs::write(folder.path().join(name), format!("{name} of {n}")).unwrap();
    }
    (folder, home, key)
}

/// Whether this text is anywhere on the card.
fn holds(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() { holds(&path, text) } else { std::fs::read_to_string(&path).unwrap().contains(text) }
    })
}

#[test]
fn a_copied_card_enrols_as_another_device_and_keeps_the_readings_apart() {
    let (folder, home, key) = card(1);
    home.settle(serial(2)).unwrap();
    assert!(!holds(folder.path(), &key), "the other's key is gone");
    assert!(OWN.iter().all(|name| !folder.path().join(name).exists()));
    assert_eq!(home.copied_from().unwrap(), Some(CopiedFrom { name: DeviceName::numbered(1), serial: serial(1) }));
    let kept = folder.path().join(FOLDER).join(serial(1).to_string());
    for name in ["buffer.db", "buffer.db-wal", "buffer.db-shm"] {
        assert_eq!(std::fs::read_to_string(kept.join(name)).unwrap(), format!("{name} of 1"));
    }
    home.key_pair(serial(2)).unwrap();
    home.settle(serial(2)).unwrap();
    home.save(serial(2), &identity(2)).unwrap();
    assert_eq!(home.inherited(&identity(2).name).unwrap(), None);
    assert_eq!((home.kept_for_others(Some(&identity(2).name)), home.copied_from().unwrap()), (1, None));
    home.settle(serial(2)).unwrap();
    assert_eq!(home.load(serial(2)).unwrap().unwrap().name, identity(2).name);
}

#[test]
fn a_board_that_takes_the_others_name_inherits_its_buffer_until_that_is_empty() {
    let (_folder, home, _) = card(1);
    home.settle(serial(2)).unwrap();
    home.key_pair(serial(2)).unwrap();
    home.save(serial(2), &identity(1)).unwrap();
    let name = identity(1).name;
    let folder = home.inherited(&name).unwrap().unwrap();
    assert!(buffer::path(&folder).exists());
    assert_eq!(home.kept_for_others(Some(&name)), 0);
    home.end_inheritance(&folder).unwrap();
    assert!(!folder.exists());
    assert_eq!((home.inherited(&name).unwrap(), home.kept_for_others(Some(&name))), (None, 0));
}

/// Every way in which the power may be cut: after each step, with what is done already done.
fn cut_after(steps: usize) -> (TempDir, Home, String) {
    let (folder, home, key) = card(1);
    let root = folder.path();
    let buffer = format!("{FOLDER}/{}", serial(1));
    let note =
        Note { board: serial(2), serial: serial(1), name: Some(identity(1).name), buffer, done: false, decided: false };
    let kept = root.join(&note.buffer);
    let moved = |name: &str| std::fs::rename(root.join(name), kept.join(name)).unwrap();
    let removed = |name: &str| std::fs::remove_file(root.join(name)).unwrap();
    let all: [&dyn Fn(); 11] = [
        &|| home.write_note(&note).unwrap(),
        &|| removed("device.key"),
        &|| std::fs::create_dir_all(&kept).unwrap(),
        &|| moved("buffer.db"),
        &|| moved("buffer.db-wal"),
        &|| moved("buffer.db-shm"),
        &|| removed("settings.json"),
        &|| removed("calibration.json"),
        &|| removed("device.pem"),
        &|| removed("ca.pem"),
        &|| removed("identity.toml"),
    ];
    all[..steps].iter().for_each(|step| step());
    (folder, home, key)
}

#[test]
fn a_power_cut_at_any_step_brings_nothing_back_and_forgets_nothing() {
    for steps in 0..=11 {
        // In the board where it began, and in yet another.
        for board in [serial(2), serial(3)] {
            let (folder, home, key) = cut_after(steps);
            assert!(home.load(board).unwrap().is_none(), "after {steps}");
            home.settle(board).unwrap();
            assert!(!holds(folder.path(), &key), "after {steps}");
            assert!(OWN.iter().all(|name| !folder.path().join(name).exists()), "after {steps}");
            let from = home.copied_from().unwrap().unwrap();
            assert_eq!((from.name, from.serial), (identity(1).name, serial(1)), "after {steps}");
            let kept = home.inherited(&identity(1).name).unwrap().unwrap();
            for name in ["buffer.db", "buffer.db-wal"] {
                assert_eq!(std::fs::read_to_string(kept.join(name)).unwrap(), format!("{name} of 1"), "after {steps}");
            }
        }
    }
}

#[test]
fn the_card_of_a_board_that_had_only_a_key_is_told_apart_too() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let first = home.key_pair(serial(1)).unwrap().serialize_pem();
    std::fs::write(folder.path().join("buffer.db"), "readings").unwrap();
    home.settle(serial(2)).unwrap();
    assert!(!holds(folder.path(), &first));
    assert_ne!(home.key_pair(serial(2)).unwrap().serialize_pem(), first);
    assert_eq!(home.copied_from().unwrap(), None, "there is no name to tell");
    assert_eq!(home.kept_for_others(None), 1);
    assert_eq!(home.inherited(&identity(1).name).unwrap(), None);
}

#[test]
fn a_card_that_is_copied_again_keeps_each_boards_readings() {
    let (folder, home, _) = card(1);
    home.settle(serial(2)).unwrap();
    home.key_pair(serial(2)).unwrap();
    std::fs::write(folder.path().join("buffer.db"), "of 2").unwrap();
    home.settle(serial(3)).unwrap();
    assert_eq!((home.kept_for_others(None), home.copied_from().unwrap()), (2, None));
    // Back in the first board, whose key is gone: it is a board like any other, and its former readings stay apart.
    home.key_pair(serial(3)).unwrap();
    std::fs::write(folder.path().join("buffer.db"), "of 3").unwrap();
    home.settle(serial(1)).unwrap();
    assert_eq!(home.kept_for_others(None), 3);
}

#[test]
fn a_broken_note_stops_everything_with_a_word_of_what_to_do() {
    let (folder, home, _) = card(1);
    std::fs::write(folder.path().join(NOTE), "board = 7").unwrap();
    let error = home.settle(serial(2)).unwrap_err().to_string();
    assert!(error.contains("copied.toml"), "{error}");
}
