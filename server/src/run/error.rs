//! Why the server can't start, in the words of the part that can't.

use crate::broker::BrokerError;
use crate::ca::CaError;
use crate::config::ConfigError;
use crate::http::password::PasswordError;
use crate::metrics::MetricsError;
use crate::notify::WebhookError;
use crate::store::StoreError;
use std::{io, net::SocketAddr};

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The authority can't be opened.
    #[error("{0}")]
    Authority(#[from] CaError),
    /// The database can't be opened.
    #[error("{database}: {error}")]
    Database {
        /// Which, without secrets.
        database: String,
        /// Why.
        error: StoreError,
    },
    /// The database failed while the server was starting.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// An address can't be listened on.
    #[error("{key}: can't listen on {address}: {error}")]
    Listen {
        /// The key of the configuration.
        key: &'static str,
        /// What it says.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// The broker can't be started.
    #[error("{0}")]
    Broker(#[from] BrokerError),
    /// The first password can't be made.
    #[error("{0}")]
    Password(#[from] PasswordError),
    /// There is nobody whose password could be changed.
    #[error("there is no account yet: the first start makes it and prints its password")]
    NoAccount,
    /// Somebody who is to be told of alerts can't be.
    #[error("configuration: {0}")]
    Webhook(#[from] WebhookError),
    /// What is counted can't be.
    #[error("{0}")]
    Metrics(#[from] MetricsError),
    /// Something that the configuration names can't be used.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The log's filter is none.
    #[error("configuration: log: {0}")]
    Log(String),
}
