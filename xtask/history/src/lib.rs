//! A past for the demo: weeks of a fleet's life, played through the server's own code with a clock that is turned by hand.
//!
//! `cast` says who and what there is, `plan` what will happen, `board` measures, `line` delivers, `crew` does what people do,
//! and `play` turns the clock. What is in the database afterwards was written by the server. Knows nothing of the processes
//! that go on from there.

pub mod board;
pub mod cast;
pub mod clock;
pub mod crew;
pub mod duty;
pub mod error;
pub mod identity;
pub mod line;
pub mod plan;
pub mod play;
pub mod producer;
pub mod setup;
pub mod span;
pub mod summary;
pub mod words;
