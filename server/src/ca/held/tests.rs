//! The power is cut before each change of a file, and what is found after it is whole.

use super::*;
use std::{collections::BTreeSet, fs, io};

const NOW: UtcMillis = UtcMillis(1_780_000_000_000);

/// Lets so many changes pass, and then none.
fn cut_after(changes: usize) -> impl FnMut() -> Result<(), CaError> {
    let mut left = changes;
    move || {
        left = left
            .checked_sub(1)
            .ok_or_else(|| CaError::Io { path: PathBuf::new(), source: io::Error::other("the power is cut") })?;
        Ok(())
    }
}

fn names(dir: &Path) -> BTreeSet<String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn begun() -> (tempfile::TempDir, Folder, Held) {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::of(dir.path());
    let held = folder.load_or_begin(NOW).unwrap();
    (dir, folder, held)
}

fn rotated() -> (tempfile::TempDir, Folder, Held) {
    let (dir, folder, held) = begun();
    folder.rotate(&held.newest, &Pair::make(NOW).unwrap(), &mut || Ok(())).unwrap();
    let held = folder.load().unwrap().unwrap();
    (dir, folder, held)
}

const ONE: [&str; 2] = ["ca.key", "ca.pem"];
const BOTH: [&str; 5] = ["ca-cross.pem", "ca-previous.key", "ca-previous.pem", "ca.key", "ca.pem"];

#[test]
fn a_rotation_that_is_cut_at_any_moment_has_happened_or_not() {
    let (mut before, mut after) = (0, 0);
    for changes in 0.. {
        let (dir, folder, old) = begun();
        let next = Pair::make(NOW).unwrap();
        let done = folder.rotate(&old.newest, &next, &mut cut_after(changes)).is_ok();
        // A file beside its place may be half-written as long as nothing is in place that needs it.
        let key = fs::read_to_string(dir.path().join("ca.key")).unwrap();
        for name in names(dir.path()).iter().filter(|name| name.ends_with(".new") && key == old.newest.key_pem) {
            let path = dir.path().join(name);
            let text = fs::read(&path).unwrap();
            fs::write(&path, &text[..text.len() / 2]).unwrap();
        }

        let found = folder.load().unwrap().unwrap();
        if let Some(previous) = &found.previous {
            assert_eq!(found.newest.sha256(), next.sha256(), "after {changes}");
            assert_eq!(previous.pair.sha256(), old.newest.sha256());
            assert!(next.is_crossed_by(&old.newest, &previous.cross));
            assert_eq!(names(dir.path()), BOTH.map(str::to_owned).into(), "after {changes}");
            after += 1;
        } else {
            assert_eq!(found.newest.sha256(), old.newest.sha256(), "after {changes}");
            assert_eq!(names(dir.path()), ONE.map(str::to_owned).into(), "after {changes}");
            folder.rotate(&found.newest, &next, &mut || Ok(())).unwrap();
            assert!(folder.load().unwrap().unwrap().previous.is_some());
            before += 1;
        }
        if done {
            assert!(before >= 8 && after >= 2, "{before} {after}");
            return;
        }
    }
}

#[test]
fn a_retirement_that_is_cut_at_any_moment_has_happened_or_not() {
    for changes in 0.. {
        let (dir, folder, held) = rotated();
        let done = folder.retire(&mut cut_after(changes)).is_ok();
        let found = folder.load().unwrap().unwrap();
        assert_eq!(found.newest.sha256(), held.newest.sha256());
        assert_eq!(found.previous.is_some(), changes == 0, "after {changes}");
        let left: BTreeSet<_> =
            if changes == 0 { BOTH.map(str::to_owned).into() } else { ONE.map(str::to_owned).into() };
        assert_eq!(names(dir.path()), left, "after {changes}");
        if done {
            assert!(changes > 3);
            return;
        }
    }
}

#[test]
fn a_lost_or_foreign_cross_certificate_is_made_again() {
    let (dir, folder, held) = rotated();
    let foreign = rotated().0;
    let cross = dir.path().join("ca-cross.pem");
    for damage in
        [None, Some(Vec::new()), Some(vec![0xff; 9]), Some(fs::read(foreign.path().join("ca-cross.pem")).unwrap())]
    {
        match damage {
            Some(damage) => fs::write(&cross, damage).unwrap(),
            None => fs::remove_file(&cross).unwrap(),
        }
        let found = folder.load().unwrap().unwrap().previous.unwrap();
        assert!(held.newest.is_crossed_by(&found.pair, &found.cross));
        assert!(cross.exists());
    }
}

#[test]
fn half_a_previous_authority_is_an_error_that_names_it_and_nothing_is_thrown_away() {
    for (missing, present) in [("ca-previous.key", "ca-previous.pem"), ("ca-previous.pem", "ca-previous.key")] {
        let (dir, folder, _) = rotated();
        fs::remove_file(dir.path().join(missing)).unwrap();
        let error = folder.load().unwrap_err();
        assert!(matches!(error, CaError::Half { .. }), "{error}");
        assert!(error.to_string().contains(missing), "{error}");
        assert!(dir.path().join(present).exists());
    }
}

#[test]
fn a_damaged_previous_authority_is_an_error_that_names_it() {
    for file in ["ca-previous.key", "ca-previous.pem"] {
        let (dir, folder, _) = rotated();
        fs::write(dir.path().join(file), "half").unwrap();
        let error = folder.load().unwrap_err().to_string();
        assert!(error.contains(file), "{error}");
    }
}

#[test]
fn a_restoration_that_is_cut_at_any_moment_begins_nothing_anew_and_can_be_done_again() {
    let (from, source, held) = rotated();
    let previous = &held.previous.as_ref().unwrap().pair;
    for changes in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::of(dir.path());
        let done = folder.restore(&held.newest, Some(previous), &mut cut_after(changes)).is_ok();
        match folder.load() {
            Ok(Some(found)) => assert_eq!(found.newest.sha256(), held.newest.sha256(), "after {changes}"),
            Ok(None) => assert!(!dir.path().join("ca-previous.pem").exists(), "after {changes}"),
            Err(error) => assert!(matches!(error, CaError::Half { .. }), "after {changes}: {error}"),
        }
        let complete = dir.path().join("ca.pem").exists();
        assert_eq!(folder.in_the_way(&held.newest, Some(previous)).unwrap().is_some(), complete, "after {changes}");
        folder.restore(&held.newest, Some(previous), &mut || Ok(())).unwrap();
        let found = folder.load().unwrap().unwrap();
        assert_eq!(found.previous.unwrap().pair.sha256(), previous.sha256());
        assert_eq!(names(dir.path()), BOTH.map(str::to_owned).into(), "after {changes}");
        if done {
            assert!(changes >= 8 && source.load().unwrap().is_some());
            drop(from);
            return;
        }
    }
}
