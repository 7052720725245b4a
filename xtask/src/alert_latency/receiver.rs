//! A webhook's receiver on this machine: takes whatever is posted, and notes when.

use super::Heard;
use crate::error::{Error, Tried};
use crate::fleet::now_ms;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// It ends when it is dropped.
pub(super) struct Receiver {
    pub(super) port: u16,
    accepting: JoinHandle<()>,
}

impl Receiver {
    pub(super) async fn start(heard: Heard) -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.tried(|| "listen on loopback".to_owned())?;
        let port = listener.local_addr().tried(|| "ask for a port".to_owned())?.port();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let heard = heard.clone();
                let answer = service_fn(move |request| answer(heard.clone(), request));
                let serving = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                tokio::spawn(serving);
            }
        });
        Ok(Self { port, accepting })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(heard: Heard, request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let body = request.into_body().collect().await;
    let now = now_ms();
    let news = body.ok().and_then(|body| serde_json::from_slice(&body.to_bytes()).ok());
    let mut response = Response::new(Empty::new());
    match news {
        Some(news) => heard.take(&news, now),
        None => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    Ok(response)
}
