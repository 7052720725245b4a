//! Tirta's edge agent: probes are sampled, readings are committed, then sent until the server has them.
//!
//! Data goes one way: [`probe`] → [`sampler`] → [`buffer`] → [`uplink`] → [`link`]. What the server
//! says comes back through [`downlink`]. Each module is a library part so that tests reach it;
//! `main.rs` has the command line only.

pub mod backoff;
pub mod buffer;
pub mod config;
pub mod downlink;
pub mod enrol;
pub mod files;
pub mod identity;
pub mod link;
pub mod probe;
pub mod records;
pub mod run;
pub mod sampler;
pub mod settings;
pub mod status;
pub mod time;
pub mod trust;
pub mod uplink;
pub mod watchdog;
