//! What stands in the repository: files that are short and open with what they own, recipes that fit the code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may
#![allow(missing_docs)]

mod compose;
mod documents;
mod recipe;
mod tidy;
