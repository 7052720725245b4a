//! The TLS listener of both MQTT and HTTPS: hand-shakes with a time-out and beside each other, so that a silent connection stops nobody.
//! Knows nothing of what is said after the hand-shake.

mod half_open;

use half_open::HalfOpen;
use rustls::ServerConfig;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How long a hand-shake may take before the connection is closed.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that may be in their hand-shake at once. One more closes the oldest of whoever has most of them.
/// Far fewer than the 1024 files that a process may have open where nobody raised that.
const MAX_HALF_OPEN: usize = 256;
/// The same for one address: fewer, so that nobody fills the table alone; enough for a site behind one router
/// whose devices all come back after a power cut.
const MAX_HALF_OPEN_OF_ONE: usize = 192;
/// Connections that have shaken hands and wait to be taken up.
const READY: usize = 64;

/// A TCP listener whose connections are already hand-shaken.
#[derive(Debug)]
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    local_addr: SocketAddr,
    accepting: JoinHandle<()>,
}

impl TlsListener {
    /// Listens on `addr` (port 0: any free one).
    ///
    /// # Errors
    /// When the address can't be listened on.
    pub async fn bind(addr: SocketAddr, tls: Arc<ServerConfig>, handshake_timeout: Duration) -> io::Result<Self> {
        let tcp = TcpListener::bind(addr).await?;
        let local_addr = tcp.local_addr()?;
        let (connected, ready) = mpsc::channel(READY);
        let accepting = tokio::spawn(accept_all(tcp, TlsAcceptor::from(tls), handshake_timeout, connected));
        Ok(Self { ready, local_addr, accepting })
    }

    /// The next connection that has shaken hands. Never ends; may be dropped at any time without losing one.
    pub async fn accept(&mut self) -> (TlsStream<TcpStream>, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // Only when the runtime is shutting down.
            None => std::future::pending().await,
        }
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        // Frees the port at once; hand-shakes under way end because nobody takes them up.
        self.accepting.abort();
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        TlsListener::accept(self).await
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.local_addr)
    }
}

async fn accept_all(
    tcp: TcpListener,
    tls: TlsAcceptor,
    timeout: Duration,
    connected: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let half_open = HalfOpen::new(MAX_HALF_OPEN, MAX_HALF_OPEN_OF_ONE);
    loop {
        let (stream, peer) = match tcp.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, mostly: without a pause this would spin until one is closed.
                tracing::error!(%error, "a connection can't be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let mut place = half_open.enter(peer.ip());
        let (tls, connected) = (tls.clone(), connected.clone());
        tokio::spawn(async move {
            let shaken = tokio::select! {
                shaken = tokio::time::timeout(timeout, handshake(tls, stream)) => shaken,
                () = place.evicted() => return tracing::debug!(%peer, "closed: too many hand-shakes at once"),
            };
            match shaken {
                Ok(Ok(stream)) => {
                    // The place is kept until somebody takes the connection up: a bound for this queue too.
                    let _ = connected.send((stream, peer)).await;
                }
                // A certificate that is not accepted is worth a line, somebody who hangs up is not.
                Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    tracing::info!(%peer, %error, "TLS hand-shake failed");
                }
                Ok(Err(error)) => tracing::debug!(%peer, %error, "hung up in the TLS hand-shake"),
                Err(_) => tracing::debug!(%peer, "TLS hand-shake took too long"),
            }
        });
    }
}

async fn handshake(tls: TlsAcceptor, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    // Acks are small and waited for.
    stream.set_nodelay(true)?;
    tls.accept(stream).await
}
