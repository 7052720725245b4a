//! What reports conclude: statistics of readings, how often and how long limits were passed, which limits held, how many
//! readings were to be expected. Pure; knows no table and no HTTP.

mod beyond;
mod counted;
mod expected;
mod limits;
mod tally;

pub use beyond::{Beyond, Episode, Step, beyond};
pub use expected::{Pace, expected, usual_ms};
pub use limits::{Held, held};
pub use tally::{Statistics, Summary, Tallies};
