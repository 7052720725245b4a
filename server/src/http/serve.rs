//! Serves HTTP on a listener: a bounded number of connections, time-outs for silent ones, and an end in good order.

use super::auth::Peer;
use super::places::{Place, Places};
use axum::{Router, body::Body, serve::Listener};
use hyper::{Request, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::{server::conn::auto::Builder, service::TowerToHyperService};
use std::{net::SocketAddr, pin::pin, time::Duration};
use tokio::sync::watch;
use tower::ServiceExt;

/// Connections of one listener at a time.
const MOST_CONNECTIONS: u32 = 2000;
/// The same of one address: a site behind one router, or a proxy, has many.
const MOST_OF_ONE: u32 = 500;
/// How long a request's head may take; also how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests may take to finish once the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves until `stopping` becomes true, then finishes what is under way.
pub async fn serve<L>(mut listener: L, router: Router, mut stopping: watch::Receiver<bool>)
where
    L: Listener<Addr = SocketAddr>,
{
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let places = Places::new(MOST_CONNECTIONS, MOST_OF_ONE);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&mut listener, &places) => accepted,
            () = stopped(&mut stopping) => break,
        };
        let Some((io, peer, place)) = accepted else { break };
        let kept = place.clone();
        let service = TowerToHyperService::new(router.clone().map_request(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(kept.clone());
            request
        }));
        let (builder, mut stopping) = (builder.clone(), stopping.clone());
        tokio::spawn(async move {
            let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(io), service));
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stopped(&mut stopping) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, %error, "a connection ended badly");
            }
            drop(place);
        });
    }
    drop(listener);
    // Every connection holds a place: when all are back, all are done.
    if tokio::time::timeout(STOP_TIMEOUT, places.all_free()).await.is_err() {
        tracing::warn!("some HTTP requests did not finish in time");
    }
}

/// The next connection that is given a place, as soon as there is room for it.
async fn accept<L>(listener: &mut L, places: &Places) -> Option<(L::Io, SocketAddr, Place)>
where
    L: Listener<Addr = SocketAddr>,
{
    loop {
        let free = places.free().await?;
        let (io, peer) = listener.accept().await;
        match places.give(free, peer.ip()) {
            Some(place) => return Some((io, peer, place)),
            None => tracing::debug!(%peer, "closed: too many connections of this address"),
        }
    }
}

/// Waits until the server stops.
pub async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // The sender is only dropped when the server is gone, which is a stop too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
