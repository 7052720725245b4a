//! The server as a whole, by what can be said to it over HTTP, WebSocket and MQTT. Knows none of its inside but the start.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may
#![allow(missing_docs)]

#[path = "../fleet/mod.rs"]
mod fleet;
#[path = "../receiver/mod.rs"]
mod receiver;

mod alerts;
mod alerts_out;
mod calibration;
mod command;
mod contract;
mod devices;
mod document;
mod examples;
mod headers;
mod hostile;
mod identity;
mod live;
mod permissions;
mod readings;
mod recompute;
mod registrations;
mod requests;
mod session;
mod site;
mod users;
