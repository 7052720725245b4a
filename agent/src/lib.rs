//! Tirta's edge agent: probes are sampled, readings are committed, then sent until the server has them.
//!
//! Data goes one way: [`probe`] → [`sampler`] → [`buffer`] → [`uplink`] → [`link`]. What the server
//! says comes back through [`downlink`]. Each module is a library part so that tests reach it;
//! `main.rs` has the command line only.

pub mod alarm;
pub mod allowance;
pub mod backoff;
pub mod buffer;
pub mod calibrate;
pub mod certificate;
pub mod cli;
pub mod config;
pub mod discover;
pub mod doctor;
pub mod downlink;
pub mod enrol;
pub mod files;
pub mod fleet;
pub mod gpio;
pub mod hostname;
pub mod https;
pub mod identify;
pub mod identity;
pub mod inherit;
pub mod lamp;
pub mod link;
pub mod local;
pub mod probe;
pub mod records;
pub mod renew;
pub mod repeats;
pub mod run;
pub mod sampler;
pub mod seek;
pub mod sensors;
pub mod sentinel;
pub mod settings;
pub mod setup;
pub mod status;
pub mod time;
pub mod trust;
pub mod uplink;
pub mod watchdog;
