//! `cargo xtask packages-test`: the built packages, installed by `apt` into Debian systems that boot; the foreign ones run by an
//! emulator; the container image unpacked by somebody else's tool. What is tried stands in `images/packages/test/inside.sh`.

mod container;
mod foreign;
mod system;

use super::{Architecture, Deb, Package, VERSION, build, manual, oci, shell, target_folder};
use crate::check::install_tools;
use crate::error::{Error, Tried};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

/// Debian's name of a package, and a program of it, for testing.
const TOOLS: [(&str, &str); 6] = [
    ("mmdebstrap", "mmdebstrap"),
    ("systemd-container", "systemd-nspawn"),
    ("qemu-user-static", "qemu-aarch64-static"),
    ("umoci", "umoci"),
    ("shellcheck", "shellcheck"),
    ("iproute2", "ip"),
];

/// How much is tried.
#[derive(Debug, Clone, clap::Args)]
pub struct TestOptions {
    /// Only in this release of Debian; can be said several times.
    #[arg(long, value_name = "NAME", default_values = ["bookworm", "trixie"])]
    pub suite: Vec<String>,
    /// Take the programs as they are.
    #[arg(long)]
    pub no_build: bool,
}

/// What was tried: sentences that held, and those that did not.
#[derive(Default)]
struct Tally {
    held: usize,
    failed: Vec<String>,
}

impl Tally {
    /// Says it, and counts it.
    fn note(&mut self, sentence: &str, result: Result<(), Error>) {
        match result {
            Ok(()) => {
                println!("    ok {sentence}");
                self.held += 1;
            }
            Err(error) => {
                println!("    FAILED {sentence}: {error}");
                self.failed.push(format!("{sentence}: {error}"));
            }
        }
    }
}

/// Tries everything; the last line is JSON.
///
/// # Errors
/// When something does not hold, or a system can't be made.
pub fn run(options: &TestOptions) -> Result<(), Error> {
    if !crate::postgres::is_root() {
        return Err(Error::Missing("packages are installed into systems that boot: run this as root".to_owned()));
    }
    let start = Instant::now();
    install_tools(&TOOLS)?;
    let out = target_folder().join("packages");
    super::run(&super::PackagesOptions { out: Some(out.clone()), no_build: options.no_build, ..Default::default() })?;
    let mut tally = Tally::default();
    println!("\nPackages and scripts");
    tally.note("maintainer scripts are good shell", scripts());
    for package in Package::ALL {
        tally.note(
            &format!("{} is the same to the last byte when it is built again", package.name()),
            twice(package, &out),
        );
    }
    for architecture in [Architecture::Arm64, Architecture::Armhf] {
        println!("\nOn an emulated {}", architecture.debian());
        for package in Package::of(architecture) {
            tally.note(
                &format!("{} has all files and runs", package.name()),
                foreign::runs(package, architecture, &out),
            );
        }
    }
    println!("\nContainer image");
    container::run(&out, &mut tally)?;
    for suite in &options.suite {
        println!("\nDebian {suite}");
        system::run(suite, &out, &mut tally)?;
    }
    let seconds = start.elapsed().as_secs();
    println!(
        "{}",
        serde_json::json!({ "suites": options.suite, "held": tally.held, "failed": tally.failed, "seconds": seconds })
    );
    match tally.failed.len() {
        0 => Ok(()),
        failed => Err(Error::Verdict(format!("{failed} of {} did not hold", failed + tally.held))),
    }
}

/// The file of a package for a kind of machine.
fn file(package: Package, architecture: Architecture, out: &Path) -> PathBuf {
    out.join(format!("{}_{VERSION}_{}.deb", package.name(), architecture.debian()))
}

fn scripts() -> Result<(), Error> {
    let recipes = super::recipe::packages();
    let is_script = |file: &PathBuf| {
        let text = fs::read_to_string(recipes.join(file)).unwrap_or_default();
        text.starts_with("#!/bin/sh")
    };
    let scripts: Vec<_> = shell::files(&recipes)?.into_iter().filter(is_script).collect();
    shell::output(&recipes, "shellcheck", &scripts).map(drop)
}

fn twice(package: Package, out: &Path) -> Result<(), Error> {
    let again = target_folder().join("packages-again");
    shell::empty_folder(&again)?;
    let deb = Deb { package, architecture: Architecture::Amd64, version: VERSION };
    let second = build(&deb, &manual::write()?, &again)?;
    same(&file(package, Architecture::Amd64, out), &second)
}

/// That two files have the same bytes.
fn same(one: &Path, other: &Path) -> Result<(), Error> {
    let read = |file: &Path| fs::read(file).tried(|| format!("read {}", file.display()));
    if read(one)? == read(other)? {
        return Ok(());
    }
    Err(Error::Verdict(format!("{} and {} differ", one.display(), other.display())))
}
