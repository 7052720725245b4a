//! `tirta-agent identify`: the device blinks.

use crate::config::Config;
use crate::identify::{Lamp, LampError};
use crate::local::{Client, ClientError, Request};
use crate::run::is_running;
use std::future::Future;
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

/// Blinks: the running agent does it, or else this process, which then stays until it is over or `stop`
/// resolves. An agent whose service is locked up may not touch the board's lamp, and root may.
///
/// # Errors
/// When nothing can blink.
pub async fn identify(
    config: &Config,
    lamp: &Lamp,
    time: Duration,
    stop: impl Future<Output = ()>,
) -> Result<(), IdentifyError> {
    let request = Request::Identify { seconds: time.as_secs() };
    match Client::once(&config.data_dir, &request).await {
        Ok(_) => return Ok(()),
        Err(ClientError::Refused(_)) => {}
        Err(ClientError::NotRunning) if !is_running(&config.data_dir) => {}
        Err(error) => return Err(error.into()),
    }
    lamp.blink(time)?;
    tokio::select! {
        () = lamp.done() => {}
        () = stop => {
            lamp.stop();
            lamp.done().await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Alarm;

    #[tokio::test(start_paused = true)]
    async fn without_an_agent_this_process_blinks_until_it_is_over_or_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let led = folder.path().join("ACT");
        std::fs::create_dir(&led).unwrap();
        std::fs::write(led.join("trigger"), "none [mmc0]").unwrap();
        let text = format!(
            "data_dir = {:?}\nserver = {{ url = \"https://localhost\", ca_sha256 = \"{}\" }}\n",
            folder.path(),
            "00".repeat(32)
        );
        let config: Config = text.parse().unwrap();
        let lamp = Lamp::new(Alarm::start(None).unwrap().handle(), folder.path());
        let ten = Duration::from_secs(10);
        let start = tokio::time::Instant::now();
        identify(&config, &lamp, ten, std::future::pending()).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 10);
        identify(&config, &lamp, ten, tokio::time::sleep(Duration::from_secs(3))).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 13);
        assert_eq!(std::fs::read_to_string(led.join("trigger")).unwrap(), "mmc0");
        std::fs::remove_dir_all(&led).unwrap();
        let none = Lamp::new(Alarm::start(None).unwrap().handle(), folder.path());
        assert!(identify(&config, &none, ten, std::future::pending()).await.is_err());
    }
}
