//! The in-process MQTT broker: who may connect, what they may say, and how they are thrown out. Knows no reading.
//!
//! MQTT itself is done by the crate `mqtt5`; this module is the only one that knows it. What is ours: the TLS
//! listener, the identity (the common name of the certificate), the access list (`shared::Topic`) and the limits.
//! The broker is a plain pipe. It keeps no session and writes nothing to disk: agents send again until the
//! server acknowledges, and the server publishes its retained settings again at each start.

mod bucket;
mod connections;
mod gate;
mod limits;

pub use limits::MAX_PACKET;

use crate::{store::Store, tls::TlsListener};
use connections::Connections;
use gate::{Gate, Identity};
use mqtt5::broker::{
    client_handler::ClientHandler, resource_monitor::ResourceMonitor, router::MessageRouter, sys_topics::BrokerStats,
    tls_acceptor::TlsStreamWrapper, transport::BrokerTransport,
};
use shared::DeviceName;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_rustls::server::TlsStream;

/// How often what disconnected clients left behind is cleared away.
const SWEEP: Duration = Duration::from_secs(60);

/// Longer than any connection lasts, and than a timer can be set.
const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);

/// What can go wrong when the broker is started.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The limits contradict each other.
    #[error("the embedded broker refuses its limits: {0}")]
    Limits(String),
}

/// A running broker. Stopping is explicit; dropping it closes only the listener.
pub struct Broker {
    router: Arc<MessageRouter>,
    connections: Arc<Connections>,
    accepting: JoinHandle<()>,
    local_addr: SocketAddr,
}

impl Broker {
    /// Starts taking connections from `listener`, whose TLS must ask for certificates of the fleet's authority.
    /// `store` says at each connection whether the device is still welcome.
    ///
    /// # Errors
    /// When the limits are refused.
    pub fn start(listener: TlsListener, store: Store) -> Result<Self, BrokerError> {
        limits::check().map_err(|e| BrokerError::Limits(e.to_string()))?;
        let local_addr = listener.local_addr();
        let connections = Arc::new(Connections::default());
        let router = Arc::new(limits::router());
        let engine = Engine {
            router: Arc::clone(&router),
            stats: Arc::new(BrokerStats::new()),
            monitor: Arc::new(ResourceMonitor::new(limits::unmonitored())),
            connections: Arc::clone(&connections),
            store,
        };
        let accepting = tokio::spawn(engine.accept_all(listener));
        Ok(Self { router, connections, accepting, local_addr })
    }

    /// Throws a device out: returns when it is disconnected. It must be revoked in the store first, or it
    /// comes straight back.
    pub async fn kick(&self, device: &DeviceName) {
        self.connections.close_all_of(device.as_str()).await;
        // One that had to be cut off could not leave by itself. A device's client id is its name.
        self.router.unregister_client(device.as_str()).await;
    }

    /// Stops listening, tells every client that the server goes, and returns when they are gone.
    pub async fn stop(&self) {
        self.accepting.abort();
        self.connections.close_all().await;
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// How many clients are connected now, or about to be.
    pub fn connection_count(&self) -> usize {
        self.connections.len()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What every connection shares.
struct Engine {
    router: Arc<MessageRouter>,
    stats: Arc<BrokerStats>,
    monitor: Arc<ResourceMonitor>,
    connections: Arc<Connections>,
    store: Store,
}

impl Engine {
    async fn accept_all(self, mut listener: TlsListener) {
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                (stream, peer) = listener.accept() => self.serve(stream, peer),
                _ = sweep.tick() => self.router.sweep_sessions().await,
            }
        }
    }

    fn serve(&self, stream: TlsStream<TcpStream>, peer: SocketAddr) {
        let Some((identity, good_for)) = Identity::of(&stream) else {
            tracing::warn!(%peer, "a certificate of the fleet that names neither a device nor a service: closed");
            return;
        };
        let (name, most) = (identity.as_str().to_owned(), limits::connections_of(&identity));
        let (client, router) = (name.clone(), Arc::clone(&self.router));
        self.connections.open(&name, most, |line| {
            let gate = Arc::new(Gate::new(identity, &line, self.store.clone()));
            let handler = ClientHandler::new(
                BrokerTransport::tls(TlsStreamWrapper::new(stream)),
                peer,
                Arc::new(limits::of(&gate)),
                Arc::clone(&self.router),
                gate,
                None,
                Arc::clone(&self.stats),
                Arc::clone(&self.monitor),
                line.close,
            );
            async move {
                // A certificate that ends ends its connection too. A device renews it long before.
                let good_for = good_for.min(FOR_EVER);
                match tokio::time::timeout(good_for, Box::pin(handler.run())).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "MQTT connection ended"),
                    Err(_) => {
                        tracing::info!(%peer, client, "cut: its certificate has expired");
                        router.unregister_client(&client).await;
                    }
                }
            }
        });
    }
}
