//! `tirta-agent identify`: the device blinks.

use crate::config::Config;
use crate::identify::{BlinkError, Blinker};
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
    Blink(#[from] BlinkError),
}

/// Blinks: the running agent does it, or else this process, which then stays until it is over or `stop`
/// resolves. An agent whose service is locked up may not touch the board's lamp, and root may.
///
/// # Errors
/// When nothing can blink.
pub async fn identify(
    config: &Config,
    blinker: &Blinker,
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
    blinker.blink(time)?;
    tokio::select! {
        () = blinker.done() => {}
        () = stop => {
            blinker.stop();
            blinker.done().await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Alarm;
    use crate::lamp::led::tests::Board;
    use crate::lamp::led::{DARK, Led};

    #[tokio::test(start_paused = true)]
    async fn without_an_agent_this_process_blinks_until_it_is_over_or_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let board = Board::lent("ACT");
        board.led().show(DARK).unwrap();
        let text = format!(
            "data_dir = {:?}\nserver = {{ url = \"https://localhost\", ca_sha256 = \"{}\" }}\n",
            folder.path(),
            "00".repeat(32)
        );
        let config: Config = text.parse().unwrap();
        let blinker = Blinker::new(Alarm::start(None).unwrap().handle(), board.led());
        let ten = Duration::from_secs(10);
        let start = tokio::time::Instant::now();
        identify(&config, &blinker, ten, std::future::pending()).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 10);
        identify(&config, &blinker, ten, tokio::time::sleep(Duration::from_secs(3))).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 13);
        assert_eq!(board.shows(), Some(DARK));
        let nowhere = Led::new(folder.path(), &crate::config::Lamp::Usual);
        let none = Blinker::new(Alarm::start(None).unwrap().handle(), nowhere);
        assert!(identify(&config, &none, ten, std::future::pending()).await.is_err());
    }
}
