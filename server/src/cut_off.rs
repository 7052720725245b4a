//! What follows when a key is worth nothing any more: its connections end, on whichever broker, and nobody lets it in again.

use crate::ca::CaError;
use crate::link::throw_out;
use crate::live::Event;
use crate::run::App;
use crate::store::StoreError;
use shared::DeviceName;
use std::time::Duration;

/// After how long a device is thrown out of an external broker, again and again: it comes straight back until that broker
/// has read the revocation list, which is not ours to say.
const AGAIN: [Duration; 4] = [Duration::ZERO, Duration::from_secs(3), Duration::from_secs(15), Duration::from_secs(60)];

/// Why there is no new list.
#[derive(Debug, thiserror::Error)]
pub enum RevocationError {
    /// What it would hold can't be read.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// It can't be made or written.
    #[error("{0}")]
    Authority(#[from] CaError),
}

/// Ends the connections of a device whose key was withdrawn in the store before, and tells brokers and watchers.
pub async fn cut_off(app: &App, name: &DeviceName) {
    if let Err(error) = write_revocations(app).await {
        tracing::error!(device = %name, %error, "the revocation list is not written; it is tried again within minutes");
    }
    if let Some(broker) = &app.broker {
        broker.kick(name).await;
    }
    if let Some(config) = app.services.clone() {
        let device = name.clone();
        tokio::spawn(async move {
            for pause in AGAIN {
                tokio::time::sleep(pause).await;
                if let Err(error) = throw_out(&config, &device).await {
                    tracing::warn!(%error, "a revoked device may still be connected to the broker");
                }
            }
        });
    }
    app.live.publish(Event::Device { name: name.clone() });
}

/// Writes the list of withdrawn certificates, for brokers that ask for one.
///
/// # Errors
/// When the database fails or the list can't be made or written.
pub async fn write_revocations(app: &App) -> Result<(), RevocationError> {
    let now = app.clock.now();
    // Held until it is written: a list that was read before another revocation must not be written after that one's.
    let mut listed = app.listed.lock().await;
    *listed = None;
    let withdrawn = app.store.withdrawn(now).await?;
    app.authority.write_crl(&withdrawn, now)?;
    *listed = Some(now);
    Ok(())
}
