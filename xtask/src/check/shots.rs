//! `cargo xtask shots`: the pictures that the documentation shows, taken by the dashboard's own journeys. Knows which
//! pictures a text names, and nothing of what is on them.

use super::{browser, packages};
use crate::error::{Error, Tried, make_folder};
use crate::fleet::Folder;
use crate::prepare::root;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Which pictures.
#[derive(Debug, Clone, clap::Args)]
pub struct ShotsOptions {
    /// Only those of the guides: some minutes instead of all journeys.
    #[arg(long)]
    pub guides: bool,
}

/// How the journeys that take the pictures of the guides are marked.
const GUIDES: &str = "@guides";

/// Takes the pictures anew: the browser's tests make them on their way. Those of the guides come first, on fleets of their
/// own: what other journeys leave behind would stand on them.
///
/// # Errors
/// When a test fails, or a picture can't be kept.
pub async fn shots(options: &ShotsOptions) -> Result<(), Error> {
    packages::install_missing()?;
    let taken = Folder::open(None, "shots")?;
    browser(Some(&taken.path), &["--grep", GUIDES]).await?;
    if !options.guides {
        browser(Some(&taken.path), &["--grep-invert", GUIDES]).await?;
    }
    let kept = root().join("docs").join("images");
    make_folder(&kept)?;
    let texts: String = documents()?.into_iter().map(|(_, text)| text).collect();
    for from in entries(&taken.path)? {
        let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(name) = name.strip_prefix("docs-").filter(|name| texts.contains(&format!("images/{name}"))) {
            fs::copy(&from, kept.join(name)).tried(|| format!("keep {name}"))?;
        }
    }
    println!("The pictures are in {}", kept.display());
    Ok(())
}

/// The texts of the documentation with their files: `docs` with its folders, and those beside it.
///
/// # Errors
/// When a folder or a text can't be read.
pub fn documents() -> Result<Vec<(PathBuf, String)>, Error> {
    let mut files: Vec<PathBuf> = entries(&root())?.into_iter().filter(|path| path.is_file()).collect();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        let (deeper, here): (Vec<_>, Vec<_>) = entries(&folder)?.into_iter().partition(|path| path.is_dir());
        folders.extend(deeper);
        files.extend(here);
    }
    files.retain(|file| file.extension().is_some_and(|ending| ending == "md"));
    files.sort();
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).tried(|| format!("read {}", file.display()))?;
        Ok((file, text))
    };
    files.into_iter().map(read).collect()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let what = || format!("look through {}", folder.display());
    fs::read_dir(folder).tried(what)?.map(|entry| entry.map(|entry| entry.path()).tried(what)).collect()
}
