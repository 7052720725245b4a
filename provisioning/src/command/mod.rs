//! The commands of `tirta`, a module per noun: each owns its arguments and what it prints. What is so, the server says.

pub mod access;
pub mod audit;
pub mod authority;
pub mod calibrations;
pub mod devices;
pub mod error;
pub mod fleet_config;
pub mod image;
pub mod labels;
pub mod registry;
pub mod token;
pub mod waiting;
mod words;
