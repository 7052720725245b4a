//! A program elsewhere that receives webhooks, and answers as a test tells it to.
#![allow(dead_code)] // each test file uses its part

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, http::header};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

/// What it was sent.
#[derive(Debug, Clone)]
pub struct Request {
    headers: HeaderMap,
    pub body: String,
    /// Whether the sender got to know that it arrived.
    pub answered: bool,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Default)]
struct Shared {
    heard: Mutex<Vec<Request>>,
    answers: Mutex<VecDeque<u16>>,
    to_hold: AtomicUsize,
    held: AtomicUsize,
}

pub struct Receiver {
    shared: Arc<Shared>,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::new(Shared::default()));
        let router = Router::new().fallback(take).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, address, serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The next requests are answered so; all after them with 204.
    pub fn answer_next(&mut self, answers: &[u16]) {
        *self.shared.answers.lock().unwrap() = answers.iter().copied().collect();
    }

    /// The next requests get no answer at all.
    pub fn hold_next(&mut self, requests: usize) {
        self.shared.to_hold.store(requests, Relaxed);
        self.shared.held.store(0, Relaxed);
    }

    /// How many wait for one.
    pub fn held(&self) -> usize {
        self.shared.held.load(Relaxed)
    }

    pub fn heard(&self) -> Vec<Request> {
        self.shared.heard.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> (StatusCode, HeaderMap) {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let answered = shared.to_hold.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err();
    shared.heard.lock().unwrap().push(Request { headers, body, answered });
    if !answered {
        shared.held.fetch_add(1, Relaxed);
        std::future::pending::<()>().await;
    }
    let answer = shared.answers.lock().unwrap().pop_front().unwrap_or(204);
    let mut headers = HeaderMap::new();
    if answer == 302 {
        headers.insert(header::LOCATION, "/elsewhere".parse().unwrap());
    }
    (StatusCode::from_u16(answer).unwrap(), headers)
}
