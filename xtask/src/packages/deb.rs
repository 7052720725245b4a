//! A Debian package: a tree as it will lie on the machine, and `dpkg-deb` over it.

use super::{Architecture, Package, program, recipe, shell};
use crate::error::{Error, Tried};
use std::{
    fmt::Write,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Which package.
#[derive(Debug, Clone, Copy)]
pub struct Deb<'a> {
    /// What is in it.
    pub package: Package,
    /// For which kind of machine.
    pub architecture: Architecture,
    /// Its version.
    pub version: &'a str,
}

/// Builds it in the folder `out` from a program that Cargo has built; `manual` is what [`super::manual::write`] gives.
///
/// # Errors
/// When the program or a file of the recipe is missing, or `dpkg-deb` fails.
pub fn build(deb: &Deb, manual: &Path, out: &Path) -> Result<PathBuf, Error> {
    let Deb { package, architecture, version } = *deb;
    let name = package.name();
    let tree = program::target_folder().join("staged").join(format!("{name}_{}", architecture.debian()));
    shell::empty_folder(&tree)?;
    let program = program::program(package, architecture);
    program::check(&program)?;
    shell::install(&program, &tree.join("usr/bin").join(name), 0o755)?;
    let mut configuration = String::new();
    for item in recipe::items(&package.folder())? {
        shell::install(&crate::prepare::root().join(&item.from), &tree.join(&item.to), item.mode)?;
        if item.to.starts_with("etc/") {
            let _ = writeln!(configuration, "/{}", item.to);
        }
    }
    let manual = manual.join(name);
    for file in shell::files(&manual)? {
        shell::install(&manual.join(&file), &tree.join(&file), 0o644)?;
    }
    let doc = tree.join("usr/share/doc").join(name);
    shell::install(&recipe::packages().join("copyright"), &doc.join("copyright"), 0o644)?;
    let epoch = program::epoch()?;
    let date = shell::output(&tree, "date", &["--utc", "--rfc-email", &format!("--date=@{epoch}")])?;
    let changelog = read(&recipe::packages().join("changelog"))?;
    let changelog = changelog.replace("@PACKAGE@", name).replace("@VERSION@", version).replace("@DATE@", date.trim());
    shell::put(changelog.as_bytes(), &doc.join("changelog"), 0o644)?;
    compress(&tree)?;
    // Whatever this user's umask is.
    shell::output(&tree, "find", &[".", "-type", "d", "-exec", "chmod", "755", "{}", "+"])?;

    let about = tree.join("DEBIAN");
    let sums = sums(&tree)?;
    let size = installed_kib(&tree)?;
    shell::put(sums.as_bytes(), &about.join("md5sums"), 0o644)?;
    if !configuration.is_empty() {
        shell::put(configuration.as_bytes(), &about.join("conffiles"), 0o644)?;
    }
    let recipe = package.folder().join("debian");
    for file in shell::files(&recipe)? {
        let from = recipe.join(&file);
        if file == Path::new("control") {
            let control = read(&from)?
                .replace("@VERSION@", version)
                .replace("@ARCHITECTURE@", architecture.debian())
                .replace("@GLIBC@", &program::glibc(&program)?)
                .replace("@SIZE@", &size.to_string());
            shell::put(control.as_bytes(), &about.join(&file), 0o644)?;
        } else {
            shell::install(&from, &about.join(&file), 0o755)?;
        }
    }
    let made = out.join(format!("{name}_{version}_{}.deb", architecture.debian()));
    let words = ["--root-owner-group", "-Zxz", "--build", &tree.to_string_lossy(), &made.to_string_lossy()];
    crate::prepare::run_with(&tree, "dpkg-deb", &words, &[("SOURCE_DATE_EPOCH", &epoch.to_string())])?;
    Ok(made)
}

/// As Debian wants man pages and changelogs: `gzip` without a name and a time.
fn compress(tree: &Path) -> Result<(), Error> {
    let wanted = |file: &PathBuf| file.starts_with("usr/share/man") || file.ends_with("changelog");
    let files: Vec<_> = shell::files(tree)?.into_iter().filter(wanted).collect();
    let mut words: Vec<&std::ffi::OsStr> = vec!["-9n".as_ref(), "--".as_ref()];
    words.extend(files.iter().map(|file| file.as_os_str()));
    shell::output(tree, "gzip", &words).map(drop)
}

fn sums(tree: &Path) -> Result<String, Error> {
    let files: Vec<_> = shell::files(tree)?.into_iter().filter(|file| !file.starts_with("etc")).collect();
    shell::output(tree, "md5sum", &files)
}

/// As policy counts: each file rounded up, in KiB.
fn installed_kib(tree: &Path) -> Result<u64, Error> {
    let size = |file: &PathBuf| fs::metadata(tree.join(file)).map(|about| about.size().div_ceil(1024));
    let sizes = shell::files(tree)?.iter().map(size).sum::<std::io::Result<u64>>();
    sizes.tried(|| format!("look through {}", tree.display()))
}

fn read(file: &Path) -> Result<String, Error> {
    fs::read_to_string(file).tried(|| format!("read {}", file.display()))
}
