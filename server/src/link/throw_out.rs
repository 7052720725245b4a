//! Ending a device's connection to a broker that is not ours: whoever connects under its client id takes its place.
//! Knows no revocation list; a device that the broker still lets in comes straight back.

use super::{CONNECT_TIMEOUT, LinkConfig};
use rumqttc::{AsyncClient, ConnectionError, Event, MqttOptions, Packet, TlsConfiguration, Transport};
use shared::DeviceName;
use std::{sync::Arc, time::Duration};

/// How long the whole may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why a device may still be connected.
#[derive(Debug, thiserror::Error)]
pub enum ThrowOutError {
    /// The broker was not reached, or refused.
    #[error("broker: {host}:{port} did not let the server take the place of {device}: {why}")]
    Refused {
        /// Who should have been thrown out.
        device: DeviceName,
        /// The broker.
        host: String,
        /// Its port.
        port: u16,
        /// What it said.
        why: String,
    },
}

/// Ends the connection of a device to an external broker: connects in its place, with the server's certificate and
/// the device's client id, and leaves. `config` says where; it must be a listener that lets a service choose its
/// client id (without Mosquitto's `use_username_as_clientid`), or the server pushes itself off the broker instead.
/// The broker must have the new revocation list first.
///
/// # Errors
/// When the broker can't be reached in time, or refuses.
pub async fn throw_out(config: &LinkConfig, device: &DeviceName) -> Result<(), ThrowOutError> {
    let refused = |why: String| {
        let (device, host, port) = (device.clone(), config.host.clone(), config.port);
        ThrowOutError::Refused { device, host, port, why }
    };
    match tokio::time::timeout(PATIENCE, take_place(config, device)).await {
        Ok(done) => done.map_err(|error| refused(error.to_string())),
        Err(_) => Err(refused("no answer in time".to_owned())),
    }
}

async fn take_place(config: &LinkConfig, device: &DeviceName) -> Result<(), ConnectionError> {
    let mut options = MqttOptions::new(device.as_str(), (config.host.clone(), config.port));
    options
        .set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(&config.tls))))
        .set_clean_start(true)
        .set_connect_timeout(CONNECT_TIMEOUT);
    let (client, mut events) = AsyncClient::builder(options).capacity(1).build();
    let mut in_place = false;
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                in_place = true;
                // Room for one is there. Nothing is lost if it is not said: the connection ends with its owner.
                let _ = client.try_disconnect();
            }
            Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => return Ok(()),
            Ok(_) => {}
            Err(_) if in_place => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
