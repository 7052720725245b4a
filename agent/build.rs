//! Puts the time of the build into the program: no device lives before it, whatever its clock says.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    // Not at each build: the program would be linked anew each time.
    println!("cargo::rerun-if-changed=build.rs");
    let seconds: u64 = match std::env::var("SOURCE_DATE_EPOCH") {
        // The same source gives the same bytes: reproducible-builds.org/specs/source-date-epoch
        Ok(text) => text.parse().map_err(|_| format!("SOURCE_DATE_EPOCH={text:?}: seconds since 1970 are needed"))?,
        #[allow(clippy::disallowed_methods)] // nobody passes the time into a build
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    };
    println!("cargo::rustc-env=TIRTA_BUILD_TIME={seconds}");
    Ok(())
}
