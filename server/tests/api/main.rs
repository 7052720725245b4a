//! The server as a whole, by what can be said to it over HTTP, WebSocket and MQTT. Knows none of its inside but the start.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may
#![allow(missing_docs)]

#[path = "../fleet/mod.rs"]
mod fleet;
#[path = "../receiver/mod.rs"]
mod receiver;

mod alerts;
mod alerts_out;
mod audit;
mod calibration;
mod channels;
mod command;
mod conditional;
mod contract;
mod device;
mod devices;
mod document;
mod examples;
mod hand_in;
mod headers;
mod history;
mod hostile;
mod identity;
mod invitations;
mod keys;
mod live;
mod map;
mod metrics;
mod permissions;
mod presets;
mod profile;
mod readings;
mod recompute;
mod registrations;
mod reports;
mod requests;
mod second_factor;
mod session;
mod sessions;
mod sign_ups;
mod site;
mod system;
mod users;
