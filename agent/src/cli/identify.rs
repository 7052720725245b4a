//! `tirta-agent identify`: the device blinks.

use crate::config::Config;
use crate::identify::{Lamp, LampError};
use crate::local::{Client, ClientError, Request};
use crate::run::is_running;
use std::time::Duration;

/// Why it does not blink.
#[derive(Debug, thiserror::Error)]
pub enum IdentifyError {
    /// The agent can't or won't.
    #[error(transparent)]
    Agent(#[from] ClientError),
    /// No agent runs, and this process can't either.
    #[error(transparent)]
    Lamp(#[from] LampError),
}

/// Blinks: the running agent does it, or else this process, which then stays until it is over.
///
/// # Errors
/// When nothing can blink.
pub async fn identify(config: &Config, lamp: &Lamp, time: Duration) -> Result<(), IdentifyError> {
    let request = Request::Identify { seconds: time.as_secs() };
    match Client::once(&config.data_dir, &request).await {
        Ok(_) => Ok(()),
        Err(ClientError::NotRunning) if !is_running(&config.data_dir) => {
            lamp.blink(time)?;
            lamp.done().await;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
