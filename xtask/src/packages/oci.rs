//! The server's container image: three layers over nothing, made without a container daemon and without root's help.
//!
//! What is in it: of Debian's `libc6`, `libgcc-s1` and `base-files` the files that `images/oci/keep` lists; the server; a user.
//! There is no shell, no package manager and no list of certificate authorities, since the server trusts only its own.

mod layout;

use super::{Architecture, Package, VERSION, program, recipe, shell};
use crate::error::{Error, Tried};
use crate::prepare::{root, run_with};
use layout::{Image, Layer};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Debian's release whose C library is inside.
const SUITE: &str = "trixie";
/// What is taken from it.
const INCLUDE: &str = "base-files,libc6,libgcc-s1";
/// The server's user and group inside: nobody on the host.
const USER: u32 = 65_532;

/// Builds it; the file is a tar of an OCI layout.
///
/// # Errors
/// When Debian's packages can't be had, the server is not built, or the file can't be written.
pub fn build(architecture: Architecture, out: &Path) -> Result<PathBuf, Error> {
    println!("Container image for {}", architecture.debian());
    let server = program::program(Package::Server, architecture);
    program::check(&server)?;
    let folder = program::target_folder().join("container");
    let base = base(architecture, &folder)?;
    let work = folder.join(architecture.debian());
    shell::empty_folder(&work)?;

    let libraries = work.join("libraries");
    crate::error::make_folder(&libraries)?;
    let recipe = root().join("images").join("oci");
    let (from, keep) = (base.to_string_lossy(), recipe.join("keep"));
    let words = ["-x", "--no-same-owner", "-p", "--wildcards", "-f", &from, "-T", &keep.to_string_lossy()];
    shell::output(&libraries, "tar", &words)?;
    let tree = work.join("server");
    shell::install(&server, &tree.join("usr/bin/tirta-server"), 0o755)?;
    for item in recipe::items(&recipe)? {
        shell::install(&root().join(&item.from), &tree.join(&item.to), item.mode)?;
    }
    let data = work.join("data");
    crate::error::make_folder(&data.join("var/lib/tirta-server"))?;
    shell::output(&data, "chmod", &["700", "var/lib/tirta-server"])?;

    let epoch = program::epoch()?;
    let layers = [
        Layer::pack(&libraries, ".", 0, epoch, &format!("{INCLUDE} of Debian {SUITE}, what is needed of them"))?,
        Layer::pack(&tree, ".", 0, epoch, &format!("tirta-server {VERSION}"))?,
        Layer::pack(&data, "var/lib/tirta-server", USER, epoch, "the folder for its data")?,
    ];
    let date = shell::output(&work, "date", &["--utc", &format!("--date=@{epoch}"), "+%Y-%m-%dT%H:%M:%SZ"])?;
    let image = Image { architecture: architecture.debian(), version: VERSION, user: USER, created: date.trim() };
    let layout = work.join("layout");
    image.write(&layers, &layout)?;
    let made = out.join(format!("tirta-server-{VERSION}-{}.oci.tar", architecture.debian()));
    let tar = layout::tar(&layout, ".", 0, epoch)?;
    fs::write(&made, tar).tried(|| format!("write {}", made.display()))?;
    Ok(made)
}

/// Debian's part, as it is today: a kept one would keep its holes.
fn base(architecture: Architecture, folder: &Path) -> Result<PathBuf, Error> {
    let name = architecture.debian();
    let base = folder.join(format!("base-{SUITE}-{name}.tar"));
    crate::error::make_folder(folder)?;
    let part = base.with_extension("part.tar");
    let (architectures, include) = (format!("--architectures={name}"), format!("--include={INCLUDE}"));
    let words = ["--quiet", "--variant=extract", &architectures, &include, SUITE, &part.to_string_lossy()];
    run_with(folder, "mmdebstrap", &words, &[("SOURCE_DATE_EPOCH", &program::epoch()?.to_string())])?;
    fs::rename(&part, &base).tried(|| format!("keep {}", base.display()))?;
    Ok(base)
}
