//! With what the link connects: the certificate that is proven, or one that is being tried.

use super::Candidate;
use super::fate::{Fate, TRIES};
use rumqttc::{EventLoop, TlsConfiguration, Transport};
use rustls::ClientConfig;
use std::sync::Arc;
use tokio::sync::watch;

/// What the poller knows of its certificates.
pub(super) struct Credentials {
    proven: Arc<ClientConfig>,
    trial: Option<(Candidate, u32)>,
    /// See [`super::Link::refused`].
    refused: watch::Sender<u32>,
}

impl Credentials {
    pub(super) fn new(proven: Arc<ClientConfig>, refused: watch::Sender<u32>) -> Self {
        Self { proven, trial: None, refused }
    }

    /// The next connection is made with this one. A former trial ends without a verdict.
    pub(super) fn try_with(&mut self, candidate: Candidate, events: &mut EventLoop) {
        dress(events, &candidate.tls);
        self.trial = Some((candidate, 0));
    }

    /// The link is up: what it was made with is good.
    pub(super) fn proven(&mut self) {
        self.refused.send_replace(0);
        if let Some((candidate, _)) = self.trial.take() {
            self.proven = candidate.tls;
            let _ = candidate.verdict.send(Ok(()));
        }
    }

    /// An attempt came to nothing. A trial that was refused often enough is over.
    pub(super) fn failed(&mut self, fate: Fate, why: &str, events: &mut EventLoop) {
        if fate == Fate::Unreached {
            return;
        }
        let Some((candidate, failures)) = self.trial.take() else {
            self.refused.send_modify(|refused| *refused = refused.saturating_add(fate.weight()));
            return;
        };
        if fate != Fate::Banned && failures + 1 < TRIES {
            self.trial = Some((candidate, failures + 1));
        } else {
            dress(events, &self.proven);
            let _ = candidate.verdict.send(Err(why.to_owned()));
        }
    }
}

/// Takes effect with the next connection.
fn dress(events: &mut EventLoop, tls: &Arc<ClientConfig>) {
    events.options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(tls))));
}
