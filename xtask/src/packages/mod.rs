//! `cargo xtask packages`: Debian packages of all programs and a container image of the server, from plain Debian tools.
//!
//! What is in a package stands in `images/packages/`, not here. The same sources, tools and `SOURCE_DATE_EPOCH`
//! give the same bytes.

mod architecture;
mod deb;
mod manual;
mod oci;
mod program;
mod recipe;
pub(crate) mod shell;
pub mod test;

pub use architecture::Architecture;
pub use deb::{Deb, build};
pub use program::{epoch, target_folder};
pub use recipe::Package;

use crate::check::install_tools;
use crate::error::{Error, make_folder};
use crate::prepare;
use std::path::PathBuf;

/// The version of everything that is built here.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Debian's name of a package, and a program of it, for building.
const TOOLS: [(&str, &str); 8] = [
    ("dpkg", "dpkg-deb"),
    ("binutils", "readelf"),
    ("gcc", "gcc"),
    ("gcc-aarch64-linux-gnu", "aarch64-linux-gnu-gcc"),
    ("libc6-dev-arm64-cross", "/usr/aarch64-linux-gnu/include/stdio.h"),
    ("gcc-arm-linux-gnueabihf", "arm-linux-gnueabihf-gcc"),
    ("libc6-dev-armhf-cross", "/usr/arm-linux-gnueabihf/include/stdio.h"),
    ("mmdebstrap", "mmdebstrap"),
];

/// What is built.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PackagesOptions {
    /// Only for this architecture, as Debian calls it; can be said several times.
    #[arg(long, value_name = "amd64|arm64|armhf")]
    pub architecture: Vec<Architecture>,
    /// Where to put them; target/packages if absent.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Take the programs as they are.
    #[arg(long)]
    pub no_build: bool,
    /// Without the container image.
    #[arg(long)]
    pub no_container: bool,
}

/// The agent's package alone, in target/packages.
///
/// # Errors
/// When the build fails.
pub fn agent(architecture: Architecture) -> Result<PathBuf, Error> {
    install_tools(&TOOLS)?;
    let out = target_folder().join("packages");
    make_folder(&out)?;
    program::compile(&[Package::Agent], architecture)?;
    build(&Deb { package: Package::Agent, architecture, version: VERSION }, &manual::write()?, &out)
}

/// Builds them all.
///
/// # Errors
/// When a tool is missing and can't be installed, or a build fails.
pub fn run(options: &PackagesOptions) -> Result<(), Error> {
    install_tools(&TOOLS)?;
    let out = options.out.clone().unwrap_or_else(|| target_folder().join("packages"));
    make_folder(&out)?;
    let all = Architecture::ALL.into_iter();
    let wanted: Vec<_> =
        all.filter(|one| options.architecture.is_empty() || options.architecture.contains(one)).collect();
    if !options.no_build {
        prepare::dashboard()?;
        for architecture in &wanted {
            program::compile(&Package::of(*architecture), *architecture)?;
        }
    }
    let manual = manual::write()?;
    let mut made = Vec::new();
    for architecture in wanted {
        for package in Package::of(architecture) {
            let deb = Deb { package, architecture, version: VERSION };
            made.push(build(&deb, &manual, &out)?);
        }
        if architecture.has_server() && !options.no_container {
            made.push(oci::build(architecture, &out)?);
        }
    }
    println!("\nMade:");
    made.iter().for_each(|file| println!("    {}", file.display()));
    Ok(())
}
