//! Whether the same inputs give the same bytes: everything is made twice, Debian's part included, and compared.

use super::{epoch, make, path};
use crate::digest::sha256_of_file;
use crate::error::{Error, Tried};
use crate::packages::{Architecture, target_folder};
use serde::Serialize;
use std::path::Path;

/// The last line.
#[derive(Debug, Serialize)]
struct Line {
    /// Whether all of it has the same bytes.
    same: bool,
    /// SHA-256 of each part, of the first and the second build.
    parts: Vec<(String, String, String)>,
}

/// Builds into two folders below `out`; the last line is JSON. It stays what was built, for whoever looks for a difference.
pub(super) fn run(architecture: Architecture, out: Option<&Path>) -> Result<(), Error> {
    let out = out.map_or_else(|| target_folder().join("image"), Path::to_owned);
    let mut builds = vec![];
    for folder in ["once", "twice"] {
        let folder = out.join(folder);
        make(architecture, Some(&folder), true)?;
        let kept = folder.join("base.tar");
        let base = super::base::path(architecture, &epoch()?)?;
        std::fs::copy(&base, &kept).tried(|| format!("copy {}", base.display()))?;
        let image = path(architecture, Some(&folder));
        let files = ["img", "img.zst", "cdx.json", "manifest"].map(|ending| image.with_extension(ending));
        let parts: Result<Vec<_>, Error> = std::iter::once(kept)
            .chain(files)
            .map(|file| {
                let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                Ok((name, sha256_of_file(&file).tried(|| format!("read {}", file.display()))?))
            })
            .collect();
        builds.push(parts?);
    }
    let [first, second] = builds.as_slice() else { return Ok(()) };
    let parts: Vec<_> =
        first.iter().zip(second).map(|((name, one), (_, other))| (name.clone(), one.clone(), other.clone())).collect();
    let same = parts.iter().all(|(_, one, other)| one == other);
    println!("{}", serde_json::to_string(&Line { same, parts }).unwrap_or_default());
    if same { Ok(()) } else { Err(Error::Verdict("the second build has other bytes than the first".to_owned())) }
}
