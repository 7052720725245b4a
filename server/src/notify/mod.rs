//! How news of alerts leaves the server: one trait for every channel, and the task that reads the outbox for all of them.
//! Knows no rule and no table.
//!
//! A channel is told of each news at least once, in order for each alert, with a key by which it can tell a repetition.

pub mod dispatch;
mod mqtt;
mod tail;
mod webhook;

pub use mqtt::Mqtt;
pub use tail::Tail;
pub use webhook::{Webhook, WebhookError};

use crate::alert::{News, What};
use std::pin::Pin;

/// What the names of webhooks begin with.
pub const WEBHOOK: &str = "webhook:";

/// Why a channel did not take some news; in words, for the list of deliveries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Problem(pub String);

/// An answer that is waited for.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>>;

/// Somewhere to tell news.
pub trait Channel: Send + Sync {
    /// What it is called in the list of deliveries, for ever: deliveries are kept under this name.
    fn name(&self) -> &str;

    /// The host that it leads to, if it leads elsewhere. Never more of an address: it may hold somebody's key.
    fn host(&self) -> Option<String> {
        None
    }

    /// Whether it is to be told of such news at all.
    fn wants(&self, what: What) -> bool;

    /// Tells. When this returns `Ok`, whoever listens has it; everything else is tried again.
    ///
    /// # Errors
    /// When nobody has said that it arrived.
    fn deliver<'a>(&'a self, news: &'a News) -> Answer<'a>;
}
