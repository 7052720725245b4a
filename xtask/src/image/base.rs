//! Debian's part of the image. It takes minutes under emulation and changes rarely, so it is kept under a name made from
//! everything that its recipe reads.

use super::{recipe, tools};
use crate::digest::sha256;
use crate::error::{Error, Tried, make_folder};
use crate::packages::{Architecture, target_folder};
use std::path::{Path, PathBuf};

/// What the base is made from, besides the architecture and the time.
const RECIPE: [&str; 6] =
    ["build-base", "packages.txt", "modules-of", "initramfs/conf", "initramfs/modules", "initramfs/overlay"];

/// Where packages come from, if not from where this machine has its own.
pub(super) const SOURCES: [&str; 3] = ["TIRTA_MIRROR", "TIRTA_SECURITY_MIRROR", "TIRTA_SUITES"];

/// The base, and whether it had to be built.
///
/// # Errors
/// When the recipe can't be read or a tool fails.
pub(super) fn made(architecture: Architecture, epoch: &str, fresh: bool) -> Result<(PathBuf, bool), Error> {
    let base = path(architecture, epoch)?;
    base.parent().map_or(Ok(()), make_folder)?;
    if let Ok(about) = std::fs::metadata(&base)
        && !fresh
    {
        let age = about.modified().ok().and_then(|made| made.elapsed().ok()).unwrap_or_default();
        let days = age.as_secs() / 86_400;
        println!(
            "Debian's part is there, {days} days old; --fresh takes Debian's packages of today: {}",
            base.display()
        );
        return Ok((base, false));
    }
    println!("Building Debian's part; under emulation that takes some minutes");
    tools::emulate(architecture)?;
    let script = recipe().join("build-base");
    let [script, to] = [&script, &base].map(|path| path.display().to_string());
    tools::as_root(&script, &[architecture.debian(), kernel(architecture), &to], epoch)?;
    Ok((base, true))
}

/// Where it is kept.
///
/// # Errors
/// When the recipe can't be read.
pub(super) fn path(architecture: Architecture, epoch: &str) -> Result<PathBuf, Error> {
    let sources = SOURCES.map(|name| std::env::var(name).unwrap_or_default()).join(" ");
    let key = key(&recipe(), architecture, &format!("{epoch} {sources}"))?;
    Ok(target_folder().join("image/base").join(format!("{}-{key}.tar", architecture.debian())))
}

/// Debian's name of the kernel, `linux-image-…`, and the suite that it is from, if not the usual one.
fn kernel(architecture: Architecture) -> &'static str {
    if architecture == Architecture::Armhf { "armmp" } else { "arm64/trixie-backports" }
}

fn key(recipe: &Path, architecture: Architecture, epoch: &str) -> Result<String, Error> {
    let mut all = vec![];
    for word in [architecture.debian(), kernel(architecture), epoch] {
        all.extend_from_slice(word.as_bytes());
        all.push(b'\n');
    }
    for name in RECIPE {
        let file = recipe.join(name);
        all.extend(std::fs::read(&file).tried(|| format!("read {}", file.display()))?);
        all.push(0);
    }
    Ok(sha256(&all).chars().take(16).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_base_is_another_one_as_soon_as_its_recipe_changes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("initramfs")).unwrap();
        for name in RECIPE {
            std::fs::copy(recipe().join(name), folder.path().join(name)).unwrap();
        }
        let now = |architecture, epoch| key(folder.path(), architecture, epoch).unwrap();
        let first = now(Architecture::Arm64, "1795564800");
        assert_eq!(first, now(Architecture::Arm64, "1795564800"));
        assert_ne!(first, now(Architecture::Armhf, "1795564800"));
        assert_ne!(first, now(Architecture::Arm64, "1795564801"));
        for name in RECIPE {
            let before = now(Architecture::Arm64, "1795564800");
            std::fs::write(folder.path().join(name), "# changed\n").unwrap();
            assert_ne!(before, now(Architecture::Arm64, "1795564800"), "{name}");
        }
    }
}
