//! The agent, its parts and as a process, against an authority and a server that are played. `../day.rs` measures alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may
#![allow(missing_docs)]

mod ads1115;
mod bench;
mod discover;
mod enrol;
mod link;
mod package;
mod renew;
mod running;
mod support;
mod systemd;
mod technician;
