//! The contract between agent and server: identifiers, metrics, readings, messages, topics and rules.
//!
//! It knows no I/O, no runtime, no SQL and no wall clock; both sides depend on it and it depends on neither.

pub mod calibration;
pub mod chain;
pub mod clock;
pub mod enrol;
pub mod fleet;
pub mod id;
pub mod message;
pub mod metric;
pub mod reading;
pub mod rule;
pub mod sensor;
pub mod setup;
pub mod topic;

pub use clock::{Clock, ClockQuality, Stamp, UtcMillis};
pub use id::{BufferId, DeviceName, RunId, Seq, Serial};
pub use message::{Ack, Batch, PROTOCOL_VERSION, ServerTime, Settings, Status};
pub use metric::{Metric, Unit};
pub use reading::{Fault, Flag, Flags, Outcome, Reading, Value};
pub use topic::Topic;
