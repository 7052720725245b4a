//! Cargo's part: programs in the profile that is shipped, for each kind of machine, without a trace of this one.

use super::{Architecture, Package, shell};
use crate::error::{Error, Tried};
use crate::prepare::{cargo, root, run, run_with};
use std::{
    env,
    path::{Path, PathBuf},
};

/// Where Cargo puts what it builds.
pub fn target_folder() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// `SOURCE_DATE_EPOCH`: what the environment says, or else the time of the last commit. Seconds since 1970.
///
/// # Errors
/// When it is no number, or there is neither.
pub fn epoch() -> Result<u64, Error> {
    let text = match env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => shell::output(&root(), "git", &["log", "-1", "--format=%ct"])?,
    };
    text.trim()
        .parse()
        .map_err(|_| Error::Missing(format!("SOURCE_DATE_EPOCH={text:?}: seconds since 1970 are needed")))
}

/// The program of a package.
pub fn program(package: Package, architecture: Architecture) -> PathBuf {
    target_folder().join(architecture.triple()).join("dist").join(package.name())
}

/// Compiles programs for a kind of machine.
///
/// # Errors
/// When the build fails.
pub fn compile(packages: &[Package], architecture: Architecture) -> Result<(), Error> {
    println!("Building for {}", architecture.debian());
    // A toolchain that does not come from rustup has its targets from somewhere else.
    let _ = run(&root(), "rustup", &["target", "add", architecture.triple()]);
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let home = home.ok_or_else(|| Error::Missing("set HOME: Cargo's folder is not known".to_owned()))?;
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let flags = format!("{} {}", remap(&home, "/cargo"), remap(&target_folder(), "/target"));
    let mut words = vec!["build", "--locked", "--profile", "dist", "--target", architecture.triple()];
    words.extend(packages.iter().flat_map(|package| ["--package", package.cargo()]));
    // Not as SOURCE_DATE_EPOCH: that would compile SQLite and ring anew after each commit, for nothing.
    let epoch = epoch()?.to_string();
    run_with(&root(), &cargo(), &words, &[("RUSTFLAGS", &flags), ("TIRTA_BUILD_TIME", &epoch)])
}

/// The oldest version of the C library that a program can be started with, such as "2.34".
///
/// # Errors
/// When it is no program for Linux.
pub fn glibc(program: &Path) -> Result<String, Error> {
    let told = shell::output(&root(), "readelf", &["--version-info".as_ref(), program.as_os_str()])?;
    newest_glibc(&told).ok_or_else(|| Error::Output {
        program: "readelf".to_owned(),
        line: format!("{} needs no version of the C library", program.display()),
    })
}

fn newest_glibc(told: &str) -> Option<String> {
    let versions = told.split("GLIBC_").skip(1).filter_map(|rest| {
        let version = rest.split(|letter: char| letter != '.' && !letter.is_ascii_digit()).next()?;
        let numbers = version.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>().ok()?;
        Some((numbers, version))
    });
    versions.max().map(|(_, version)| version.to_owned())
}

/// Whether a program is there; the error says what makes it.
///
/// # Errors
/// When it is not.
pub fn check(program: &Path) -> Result<(), Error> {
    std::fs::metadata(program).map(drop).tried(|| format!("look at {} (leave out --no-build)", program.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_newest_by_number_and_not_by_letter() {
        let told = "0x0010: Name: GLIBC_2.9 Flags: none\n  Name: GLIBC_2.34\n  Name: GLIBC_2.2.5\n  Name: GCC_3.0";
        assert_eq!(newest_glibc(told), Some("2.34".to_owned()));
        assert_eq!(newest_glibc("Name: GCC_3.0 GLIBC_PRIVATE"), None);
    }
}
