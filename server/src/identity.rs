//! What devices say over MQTT that concerns their identity: the next certificate, and two boards with one key. Knows the
//! use cases and whom to tell; ingest hands it over and knows no certificate.

use crate::cut_off::cut_off;
use crate::enrol::{EnrolError, renew};
use crate::http::thresholds::follow;
use crate::run::App;
use shared::{DeviceName, Topic, message};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Most concerns that wait: a device asks again for a certificate that does not come.
pub const WAITING: usize = 256;

/// Something that concerns a device's identity.
#[derive(Debug)]
pub enum Concern {
    /// It asks for its next certificate.
    Renewal {
        /// Who, by the certificate that it has.
        device: DeviceName,
        /// Its request, PEM.
        csr: String,
    },
    /// Two boards use its key.
    SharedKey {
        /// Whose.
        device: DeviceName,
    },
}

/// Takes care of each until no more come.
pub async fn run(app: Arc<App>, mut concerns: mpsc::Receiver<Concern>) {
    while let Some(concern) = concerns.recv().await {
        match concern {
            Concern::Renewal { device, csr } => renewed(&app, &device, &csr).await,
            Concern::SharedKey { device } => quarantined(&app, &device).await,
        }
    }
}

async fn renewed(app: &App, device: &DeviceName, csr: &str) {
    match renew(&app.store, &app.authority, app.config.lifetimes, (device, csr), None, app.clock.now()).await {
        Ok(credentials) => {
            let certificate = message::Certificate::new(credentials.certificate, credentials.ca).encode();
            if let Err(error) = app.link.try_publish(&Topic::Certificate(device.clone()), certificate, false) {
                tracing::debug!(%device, %error, "a certificate is not sent; the device asks again");
            }
            app.live.publish(crate::live::Event::Device { name: device.clone() });
        }
        Err(error @ (EnrolError::Store(_) | EnrolError::Authority(_))) => {
            tracing::error!(%device, %error, "a certificate can't be renewed; the device asks again");
        }
        Err(error) => tracing::warn!(%device, %error, "a renewal is refused"),
    }
}

async fn quarantined(app: &App, device: &DeviceName) {
    match app.store.quarantine(device, app.clock.now()).await {
        Ok(true) => {
            tracing::warn!(%device, "two boards use one key: neither may connect until somebody approves one with a new key");
            cut_off(app, device).await;
            follow(app).await;
        }
        Ok(false) => {}
        Err(error) => tracing::error!(%device, %error, "two boards use one key, and it can't be withdrawn"),
    }
}
