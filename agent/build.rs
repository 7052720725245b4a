//! Puts the time of the build into the program: no device lives before it, whatever its clock says.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> Result<(), Box<dyn Error>> {
    // The first is for us alone: libraries in C are compiled anew whenever the second changes.
    const TOLD: [&str; 2] = ["TIRTA_BUILD_TIME", "SOURCE_DATE_EPOCH"];
    for name in TOLD {
        println!("cargo::rerun-if-env-changed={name}");
    }
    // Not at each build: the program would be linked anew each time.
    println!("cargo::rerun-if-changed=build.rs");
    // The same source gives the same bytes: reproducible-builds.org/specs/source-date-epoch
    let told = TOLD.iter().find_map(|name| Some((name, std::env::var(name).ok()?)));
    let seconds: u64 = match told {
        Some((name, text)) => text.parse().map_err(|_| format!("{name}={text:?}: seconds since 1970 are needed"))?,
        #[allow(clippy::disallowed_methods)] // nobody passes the time into a build
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    };
    println!("cargo::rustc-env=TIRTA_BUILD_TIME={seconds}");
    Ok(())
}
