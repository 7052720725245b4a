//! Has the server compiled again when the dashboard was built again: the compiler alone notices changed files, but no new ones.

use std::fs;

fn main() {
    // Without the folder, cargo would run this each time, and never notice that the folder has come.
    let _ = fs::create_dir_all("dashboard/dist");
    println!("cargo::rerun-if-changed=dashboard/dist");
    println!("cargo::rerun-if-changed=migrations");
}
