//! Puts the parts together, starts them, and stops them in order.

use crate::{broker::Broker, ca::Authority, http::throttle::Throttle, link::Link, live::Live, store::Store};
use shared::Clock;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};

/// What every part of the running server may use.
pub struct App {
    /// The database.
    pub store: Store,
    /// The fleet's authority.
    pub authority: Authority,
    /// Events for whoever watches.
    pub live: Live,
    /// The connection to the broker.
    pub link: Link,
    /// The broker, if it runs in this process.
    pub broker: Option<Broker>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where devices are sent when they enrol.
    pub broker_address: shared::enrol::Broker,
    /// Hashes of sessions that have just ended, for the connections that they opened.
    pub signed_out: broadcast::Sender<String>,
    /// Who guesses passwords.
    pub throttle: Throttle,
    /// Becomes true when the server stops.
    pub stopping: watch::Receiver<bool>,
}
