//! The MQTT connection. This is the only module that polls it, and nothing is published from the task
//! that does: requests come through a channel and are written by another task.
//!
//! The rest of the agent sees a [`Link`] (publish, reconnect, try another certificate, close, up or down) and an
//! inbox of messages. Up means: connected and subscribed. Sessions are clean, because the buffer is what
//! remembers; the broker is a plain pipe.

mod connection;
mod fate;
mod trial;

pub use connection::{Dial, LinkConfig, start};
pub use fate::{ENOUGH, TRIES};

use rustls::ClientConfig;
use shared::Topic;
use std::sync::Arc;
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
    /// Connect with this instead, and stay with it if that works.
    Try(Candidate),
    /// Say good-bye and end.
    Close,
}

/// Another certificate to connect with.
#[derive(Debug)]
pub struct Candidate {
    /// The whole set-up of TLS.
    pub tls: Arc<ClientConfig>,
    /// Told once the link is up with it, or why it was refused several times; dropped when that can't be known.
    pub verdict: oneshot::Sender<Result<(), String>>,
}

/// Resolves when the broker has the message. It proves that the link is alive, nothing more.
pub type Delivery = oneshot::Receiver<()>;

/// The handle. Clones use the same connection.
#[derive(Debug, Clone)]
pub struct Link {
    requests: mpsc::Sender<Request>,
    state: watch::Receiver<LinkState>,
    refused: watch::Receiver<u32>,
    trouble: watch::Receiver<&'static str>,
}

impl Link {
    /// A handle over channels; in a test the other ends are the test's.
    pub fn new(requests: mpsc::Sender<Request>, state: watch::Receiver<LinkState>) -> Self {
        Self { requests, state, refused: watch::channel(0).1, trouble: watch::channel("other").1 }
    }

    /// The same with a count of refusals.
    #[must_use]
    pub fn with_refusals(self, refused: watch::Receiver<u32>) -> Self {
        Self { refused, ..self }
    }

    /// The same with the word for what went wrong last.
    #[must_use]
    pub fn with_trouble(self, trouble: watch::Receiver<&'static str>) -> Self {
        Self { trouble, ..self }
    }

    /// Why there was no connection before this one, see [`shared::message::Cut::why`].
    pub fn trouble(&self) -> &'static str {
        *self.trouble.borrow()
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

    /// Connects with another certificate, and goes back to the former if the broker refuses it several times.
    /// Resolves once that is known; a network that is away decides nothing.
    pub async fn try_with(&self, tls: Arc<ClientConfig>) -> oneshot::Receiver<Result<(), String>> {
        let (verdict, told) = oneshot::channel();
        let _ = self.requests.send(Request::Try(Candidate { tls, verdict })).await;
        told
    }

    /// How clearly the broker has refused this device since it was last up, or was not believed. From [`ENOUGH`] on
    /// it is no accident.
    pub fn refused(&self) -> watch::Receiver<u32> {
        self.refused.clone()
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
