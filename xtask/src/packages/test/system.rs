//! A Debian system of a release, made once and then unpacked anew for each run, in which the packages are tried.

use super::{Architecture, Package, Tally, file, shell, target_folder};
use crate::error::{Error, Tried};
use crate::prepare::{root, run_with};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// What the system has beside Debian's minimum.
const INCLUDE: &str = "systemd,systemd-sysv,dbus,udev";
/// For everything inside; a minute is usual.
const PATIENCE_S: &str = "600";

/// Makes it, lets the script run inside, and counts what it says.
pub fn run(suite: &str, out: &Path, tally: &mut Tally) -> Result<(), Error> {
    let system = fresh(suite)?;
    for package in Package::ALL {
        let deb = file(package, Architecture::Amd64, out);
        let name = deb.file_name().unwrap_or_default();
        shell::install(&deb, &system.join("srv/packages").join(name), 0o644)?;
    }
    let recipe = root().join("images/packages/test");
    shell::install(&recipe.join("inside.sh"), &system.join("srv/inside.sh"), 0o755)?;
    nspawn(&system, &["--pipe", "/bin/sh", "/srv/inside.sh", "image"])?;
    let units = system.join("etc/systemd/system");
    shell::install(&recipe.join("packages-test.service"), &units.join("packages-test.service"), 0o644)?;
    crate::error::make_folder(&units.join("default.target.wants"))?;
    let link = units.join("default.target.wants/packages-test.service");
    symlink("../packages-test.service", &link).tried(|| format!("make {}", link.display()))?;
    let console = nspawn(&system, &["--console=pipe", "--boot"]);
    let failed = tally.failed.len();
    count(&system, tally)?;
    console?;
    if tally.failed.len() > failed {
        println!("    What the services said is in {}", system.join("srv/journal").display());
        return Ok(());
    }
    fs::remove_dir_all(&system).tried(|| format!("remove {}", system.display()))
}

fn fresh(suite: &str) -> Result<PathBuf, Error> {
    let folder = target_folder().join("packages-test");
    crate::error::make_folder(&folder)?;
    let base = folder.join(format!("{suite}.tar"));
    if !base.exists() {
        println!("Making a Debian {suite} to try them in");
        let part = folder.join(format!("{suite}.part.tar"));
        let include = format!("--include={INCLUDE}");
        let words = ["--quiet", "--variant=minbase", &include, suite, &part.to_string_lossy()];
        run_with(&folder, "mmdebstrap", &words, &[])?;
        fs::rename(&part, &base).tried(|| format!("keep {}", base.display()))?;
    }
    let system = folder.join(suite);
    shell::empty_folder(&system)?;
    shell::output(&system, "tar", &["-x", "--exclude=./dev/*", "-f", &base.to_string_lossy()])?;
    Ok(system)
}

/// Without a network: the packages need nothing that is not there.
fn nspawn(system: &Path, words: &[&str]) -> Result<String, Error> {
    let directory = format!("--directory={}", system.display());
    let common = ["--kill-after=10", PATIENCE_S, "systemd-nspawn", "--quiet", "--register=no", "--keep-unit"];
    shell::output(system, "timeout", &[&common[..], &["--private-network", &directory], words].concat())
}

fn count(system: &Path, tally: &mut Tally) -> Result<(), Error> {
    let results = system.join("srv/results");
    let text = fs::read_to_string(&results).tried(|| format!("read {}", results.display()))?;
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("ok", sentence)) => tally.note(sentence, Ok(())),
            Some(("FAILED", sentence)) => tally.note("inside", Err(Error::Verdict(sentence.to_owned()))),
            _ => {}
        }
    }
    for phase in ["image", "booted"] {
        let ended = text.lines().any(|line| line == format!("end of {phase}"));
        if !ended {
            tally.note(
                phase,
                Err(Error::Verdict(format!("the script did not come to its end; see {}", system.display()))),
            );
        }
    }
    Ok(())
}
