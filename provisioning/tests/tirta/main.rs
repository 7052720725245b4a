//! The command line `tirta`, as a process, against a server that is played.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may
#![allow(missing_docs)]

mod api;
mod audit_chain;
mod cli;
mod image;
mod labels;
mod support;
