//! The MQTT connection. This is the only module that polls it, and nothing is published from the task
//! that does: requests come through a channel and are written by another task.
//!
//! The rest of the agent sees a [`Link`] (publish, reconnect, close, up or down) and an inbox of
//! messages. Up means: connected and subscribed. Sessions are clean, because the buffer is what
//! remembers; the broker is a plain pipe.

mod connection;

pub use connection::{Dial, LinkConfig, start};

use shared::Topic;
use tokio::sync::{mpsc, oneshot, watch};

/// A message of the server.
#[derive(Debug, Clone)]
pub struct Message {
    /// As it came.
    pub topic: String,
    /// As it came.
    pub payload: Vec<u8>,
}

/// Whether messages can be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Not now.
    Down,
    /// Connected and subscribed, for the so-manieth time.
    Up(u64),
}

/// What the writing task is asked to do.
#[derive(Debug)]
pub enum Request {
    /// Publish with QoS 1.
    Publish {
        /// Where.
        topic: Topic,
        /// What.
        payload: String,
        /// Whether the broker keeps it for later subscribers.
        retain: bool,
        /// Told when the broker has it; dropped when that can't be known any more.
        delivered: oneshot::Sender<()>,
    },
    /// Give this connection up and make another: it is believed to be dead.
    Reconnect(&'static str),
    /// Say good-bye and end.
    Close,
}

/// Resolves when the broker has the message. It proves that the link is alive, nothing more.
pub type Delivery = oneshot::Receiver<()>;

/// The handle. Clones use the same connection.
#[derive(Debug, Clone)]
pub struct Link {
    requests: mpsc::Sender<Request>,
    state: watch::Receiver<LinkState>,
}

impl Link {
    /// A handle over channels; in a test the other ends are the test's.
    pub fn new(requests: mpsc::Sender<Request>, state: watch::Receiver<LinkState>) -> Self {
        Self { requests, state }
    }

    /// Publishes with QoS 1.
    pub async fn publish(&self, topic: Topic, payload: String, retain: bool) -> Delivery {
        let (delivered, delivery) = oneshot::channel();
        let _ = self.requests.send(Request::Publish { topic, payload, retain, delivered }).await;
        delivery
    }

    /// Gives the connection up and makes another.
    pub async fn reconnect(&self, why: &'static str) {
        let _ = self.requests.send(Request::Reconnect(why)).await;
    }

    /// Says good-bye to the broker, which then does not publish the last will.
    pub async fn close(&self) {
        let _ = self.requests.send(Request::Close).await;
    }

    /// Up or down, and whatever follows.
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }
}
