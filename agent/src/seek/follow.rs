//! Follows a server that nobody named to its next address: DHCP gives it another one, or it moves to another machine.
//! Knows the link only by whether it is up.

use super::Seeker;
use crate::backoff::Backoff;
use crate::identity::{Home, Origin};
use crate::link::{Dial, LinkState};
use crate::repeats::Repeats;
use shared::Serial;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// A link that is down for so long may have the wrong address.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two searches at most: a server may be away for months.
const LONGEST: Duration = Duration::from_secs(300);

/// Who follows the server.
pub struct Follower {
    /// Looks for it.
    pub seeker: Arc<Seeker>,
    /// Remembers it.
    pub home: Home,
    /// The board.
    pub serial: Serial,
    /// Whether the link is up.
    pub link: watch::Receiver<LinkState>,
    /// Where the link dials.
    pub dial: watch::Sender<Dial>,
    /// How long a link may be down before its address is doubted.
    pub patience: Backoff,
}

impl Follower {
    /// As patient as is right for a device.
    pub fn usual_patience() -> Backoff {
        Backoff::new(PATIENCE, LONGEST)
    }

    /// Follows for ever.
    pub async fn run(mut self) {
        let repeats = Repeats::default();
        loop {
            if self.link.wait_for(|state| *state == LinkState::Down).await.is_err() {
                return;
            }
            let patience = self.patience.next_delay();
            let up = timeout(patience, self.link.wait_for(|state| *state != LinkState::Down)).await;
            match up.map(|up| up.is_ok()) {
                Ok(true) => self.patience.reset(),
                // Nobody speaks with the server any more.
                Ok(false) => return,
                Err(_) => {
                    if let Err(error) = self.look().await
                        && let Some(unsaid) = repeats.say(&error, Instant::now())
                    {
                        tracing::warn!(%error, unsaid, "the server is not reached, and is not found elsewhere");
                    }
                }
            }
        }
    }

    /// Looks once, and goes to where the server is now.
    async fn look(&self) -> Result<(), String> {
        // Read anew: it may have been renewed, with another authority, since the link began.
        let identity = match self.home.load(self.serial) {
            Ok(Some(identity)) => identity,
            Ok(None) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let servers = self.seeker.servers_of(&identity).await.map_err(|error| error.to_string())?;
        let Some(now) = servers.first().map(super::Server::origin) else { return Ok(()) };
        if identity.server.as_ref() == Some(&now) {
            return Ok(());
        }
        let Origin { host, port, tls_name } = &now;
        tracing::info!(%host, port, %tls_name, "the server is found at another address");
        let moved = self.dial.borrow().0 != *host;
        if moved {
            self.dial.send_modify(|(dialled, _)| dialled.clone_from(host));
        }
        self.home.remember(self.serial, &now).map_err(|error| error.to_string())
    }
}
