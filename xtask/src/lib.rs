//! The project's own tools: a real fleet on this machine, faults for it, and the checks that CI runs.
//!
//! It starts the built binaries and speaks their protocols; it knows none of their code, so that what
//! it proves holds for what is shipped. The end-to-end tests use the same [`fleet`] as `demo` and `chaos`.

pub mod alert_latency;
pub mod bench;
pub mod boards;
pub mod chaos;
pub mod check;
pub mod day;
pub mod demo;
pub mod digest;
pub mod error;
pub mod fleet;
pub mod fuzz;
pub mod image;
pub mod image_test;
pub mod mqtt;
pub mod packages;
pub mod postgres;
pub mod powercut;
pub mod prepare;
pub mod proxy;
pub mod verify;
