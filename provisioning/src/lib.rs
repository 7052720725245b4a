//! What an administrator's tools share: a client of the server's API. Knows neither the server's code nor its database.

pub mod client;
pub mod connect;
pub mod history;
pub mod instant;
pub mod registrations;
