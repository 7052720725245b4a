//! The tokens of whoever has signed in, which all copies of a client share: a copy that kept an old refresh token would look
//! like a thief. Knows no request.

use serde::Deserialize;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::MutexGuard;

/// What signing in and each refresh give.
#[derive(Clone, Deserialize)]
pub(crate) struct Tokens {
    access_token: String,
    refresh_token: String,
}

/// A session, or none yet.
#[derive(Clone, Default)]
pub(crate) struct Session {
    tokens: Arc<Mutex<Option<Tokens>>>,
    refreshing: Arc<tokio::sync::Mutex<()>>,
}

impl Session {
    /// From now on with these.
    pub(crate) fn keep(&self, tokens: Tokens) {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokens);
    }

    /// What is shown with each request.
    pub(crate) fn access(&self) -> Option<String> {
        self.with(|tokens| tokens.access_token.clone())
    }

    /// What the next ones are had for.
    pub(crate) fn refresh(&self) -> Option<String> {
        self.with(|tokens| tokens.refresh_token.clone())
    }

    fn with(&self, part: impl FnOnce(&Tokens) -> String) -> Option<String> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(part)
    }

    /// Waits until nobody else refreshes.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.refreshing.lock().await
    }
}
