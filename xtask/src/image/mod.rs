//! `cargo xtask image`: the one image for every Raspberry Pi of a fleet, by the recipe in `images/`. It knows which step
//! follows which and what can be kept; what is in the image, only the recipe knows.

mod base;
mod bom;
mod tools;
mod twice;

use crate::digest::sha256_of_file;
use crate::error::{Error, Tried, make_folder, write};
use crate::packages::{self, Architecture, target_folder};
use crate::prepare::{root, run_with};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What the image may weigh, compressed.
const BUDGET: u64 = 200_000_000;

/// What was asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct ImageOptions {
    /// The boards' processor, as Debian calls it: arm64 for Raspberry Pi 3, 4, 5 and Zero 2 W, armhf for Pi 2, 3 and Zero 2 W with 32 bits.
    #[arg(long, value_name = "arm64|armhf", default_value = "arm64", value_parser = of_a_board)]
    pub architecture: Architecture,
    /// Takes Debian's packages of today, whatever is kept: for a release, with the security updates.
    #[arg(long)]
    pub fresh: bool,
    /// Builds all of it twice, from Debian's packages on, and compares the bytes.
    #[arg(long, conflicts_with = "fresh")]
    pub twice: bool,
    /// Where it is written; the repository's target/image if absent.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// The last line.
#[derive(Debug, Serialize)]
struct Line {
    image: String,
    /// As it is on the card, in bytes, before the data partition grows.
    bytes: u64,
    /// As it is downloaded, in bytes.
    compressed: u64,
    budget: u64,
    /// SHA-256 of the image, uncompressed.
    sha256: String,
    /// Whether Debian's part had to be built, too.
    base_built: bool,
    /// How long it took to lay the agent on top, once it was compiled.
    on_top_s: u64,
}

/// Builds it; its last line is one line of JSON.
///
/// # Errors
/// When a tool is missing or fails, or the image is too large.
pub fn run(options: &ImageOptions) -> Result<(), Error> {
    tools::install()?;
    let out = options.out.as_deref();
    if options.twice {
        return twice::run(options.architecture, out);
    }
    let made = make(options.architecture, out, options.fresh)?;
    println!("{}", serde_json::to_string(&made).unwrap_or_default());
    if made.compressed > made.budget {
        return Err(Error::Verdict(format!("{} bytes compressed are more than {}", made.compressed, made.budget)));
    }
    Ok(())
}

/// An architecture that there is an image for.
///
/// # Errors
/// When the word is none.
pub fn of_a_board(word: &str) -> Result<Architecture, String> {
    let known = word.parse().ok().filter(|one| *one != Architecture::Amd64);
    known.ok_or_else(|| "use arm64 or armhf".to_owned())
}

/// The file that `make` leaves, not compressed.
pub fn path(architecture: Architecture, out: Option<&Path>) -> PathBuf {
    let folder = out.map_or_else(|| target_folder().join("image"), Path::to_owned);
    folder.join(format!("tirta-{}-{}.img", env!("CARGO_PKG_VERSION"), architecture.debian()))
}

fn make(architecture: Architecture, out: Option<&Path>, fresh: bool) -> Result<Line, Error> {
    let image = path(architecture, out);
    let folder = image.parent().unwrap_or(Path::new("/")).to_owned();
    let work = target_folder().join("image/work").join(architecture.debian());
    for folder in [&folder, &work] {
        make_folder(folder)?;
    }
    let epoch = epoch()?;
    let (base, base_built) = base::made(architecture, &epoch, fresh)?;

    let package = packages::agent(architecture)?;
    let start = Instant::now();
    println!("Laying Tirta on top");
    let steps = recipe();
    let text = |path: &Path| path.display().to_string();
    tools::as_root(&text(&steps.join("build-root")), &[&text(&base), &text(&package), &text(&work)], &epoch)?;
    let dated = [("SOURCE_DATE_EPOCH", epoch.as_str())];
    run_with(&root(), &text(&steps.join("build-card")), &[&text(&work), &text(&image)], &dated)?;
    let compressed = PathBuf::from(format!("{}.zst", image.display()));
    run_with(
        &folder,
        "zstd",
        &["--quiet", "--force", "-12", "--threads=2", &text(&image), "-o", &text(&compressed)],
        &[],
    )?;
    let on_top_s = start.elapsed().as_secs();

    let sum = |file: &Path| sha256_of_file(file).tried(|| format!("read {}", text(file)));
    let sums = [sum(&image)?, sum(&compressed)?];
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    write(
        &folder.join(format!("{}.sha256", name(&compressed))),
        &format!("{}  {}\n{}  {}\n", sums[1], name(&compressed), sums[0], name(&image)),
    )?;
    bom::write(&work.join("packages"), &image, &epoch)?;
    let size =
        |path: &Path| std::fs::metadata(path).map(|about| about.len()).tried(|| format!("look at {}", text(path)));
    let [sha256, _] = sums;
    let (bytes, compressed) = (size(&image)?, size(&compressed)?);
    Ok(Line { image: name(&image), bytes, compressed, budget: BUDGET, sha256, base_built, on_top_s })
}

/// The folder with the recipe.
fn recipe() -> PathBuf {
    root().join("images")
}

/// The time that stands in everything that is made: seconds since 1970, from the recipe or the environment.
fn epoch() -> Result<String, Error> {
    if let Ok(epoch) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(epoch);
    }
    let file = recipe().join("epoch");
    let text = std::fs::read_to_string(&file).tried(|| format!("read {}", file.display()))?;
    Ok(text.trim().to_owned())
}
