//! Whole fleets of the binaries that are shipped, as processes of their own, and the commands that make them.
//!
//! They have to be built: `cargo test --workspace` does, `cargo test --package xtask` does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may
#![allow(missing_docs)]

mod api_document;
mod commands;
mod day;
mod discovery;
mod end_to_end;
mod identity;
mod powercut;
mod thresholds;
