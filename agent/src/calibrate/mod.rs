//! Guided calibration: the device leads it, because it sees the signal. Orders come from the server and from
//! the local socket alike; views go to whoever watches; a record is in force here before anybody else knows it.
//!
//! [`session`] is what happens, [`desk`] the task that it happens in, [`records`] what has to be kept, and
//! [`herald`] tells the server.

mod desk;
mod herald;
mod records;
mod session;
mod window;

pub use desk::{Calibrator, Desk};
pub use herald::Herald;
pub use records::{FILE_NAME, Records};
