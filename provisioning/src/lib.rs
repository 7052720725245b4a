//! What an administrator's tools share: a client of the server's API, sheets of labels, and what
//! a site adds to an image. Knows neither the server's
//! code nor its database.

pub mod audit;
pub mod authority;
pub mod boards;
pub mod client;
pub mod connect;
pub mod fleet_file;
pub mod history;
pub mod image;
pub mod instant;
pub mod keys;
pub mod labels;
pub mod people;
pub mod registrations;
mod session;
pub mod thresholds;
pub mod tokens;
pub mod trail;
pub mod users;
pub mod waiting;
