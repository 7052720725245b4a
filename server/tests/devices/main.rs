//! Who a device is and how it reaches the server: authority, enrolment, registry, broker. Knows no HTTP of people.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may
#![allow(missing_docs)]

#[path = "../fleet/mod.rs"]
mod fleet;

mod authority;
mod broker;
mod devices;
mod discovery;
mod enrol;
mod identity;
mod mosquitto;
mod registry;
mod rotation;
