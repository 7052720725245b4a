//! The server: takes in readings, keeps them, shows them and tells devices what to do.
//!
//! The path of a reading is `broker` -> `link` -> `ingest` -> `store`, then back as an ack and on as an event of `live`.

pub mod access;
pub mod admission;
pub mod alert;
pub mod audit;
pub mod backup;
pub mod broker;
pub mod ca;
pub mod clock;
pub mod config;
pub mod cut_off;
pub mod digest;
pub mod discovery;
pub mod enrol;
pub mod export;
pub mod gateway;
pub mod http;
pub mod identity;
pub mod ingest;
pub mod intake;
pub mod link;
pub mod live;
pub mod metrics;
pub mod notify;
pub mod outage;
pub mod preferences;
pub mod preview;
pub mod recompute;
pub mod registry;
pub mod report;
pub mod rotation;
pub mod run;
pub mod store;
pub mod system;
pub mod threshold;
pub mod tls;
pub mod totp;
