//! What the server keeps, on SQLite and PostgreSQL: the storage contract, and what is judged and told from what is stored.
//! Knows no HTTP; devices and their broker are in `../devices`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may
#![allow(missing_docs)]

#[path = "../databases/mod.rs"]
mod databases;
#[path = "../receiver/mod.rs"]
mod receiver;
#[path = "../rules/mod.rs"]
mod rules;

mod accounts;
mod admin;
mod alerts;
mod audit_chain;
mod backup;
mod calibration;
mod handed_in;
mod ingest;
mod intake;
mod late;
mod notify;
mod outages;
mod parts;
mod people;
mod recompute;
mod reports;
mod sessions;
mod store;
mod thresholds;
