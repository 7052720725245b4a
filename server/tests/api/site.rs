//! A server on free ports of the loopback with a folder of its own, and the plainest possible clients for it.

pub use crate::device::{Device, reading};
use crate::fleet::{self, Card, client::Client};
use rcgen::KeyPair;
use rusqlite::Connection;
use serde_json::{Value, json};
use server::config::Config;
use server::run::{App, Running, start};
use shared::{Clock, UtcMillis};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, atomic::AtomicI64, atomic::Ordering};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest};
use tokio_tungstenite::{WebSocketStream, client_async};

/// The system's time and what a test adds to it.
pub struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> UtcMillis {
        UtcMillis(fleet::now().0 + self.0.load(Ordering::Relaxed))
    }
}

pub struct Site {
    pub app: Arc<App>,
    pub plain: SocketAddr,
    pub https: SocketAddr,
    pub password: String,
    pub dir: TempDir,
    clock: Arc<Ahead>,
    running: Running,
}

/// What people of the tests choose as their password.
pub const CHOSEN: &str = "air kolam jernih";

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    /// All of them: an answer may set more than one.
    pub set_cookies: Vec<String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn field(&self) -> String {
        self.json()["field"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The cookie of this name with all its marks; nothing if it sets none.
    pub fn set_cookie(&self, name: &str) -> &str {
        self.set_cookies.iter().find(|cookie| cookie.starts_with(&format!("{name}="))).map_or("", String::as_str)
    }

    /// The cookie that a client sends with each request.
    pub fn cookie(&self) -> String {
        self.set_cookie("tirta_session").split(';').next().unwrap().to_owned()
    }

    /// The cookie that a client sends for the next pair.
    pub fn refresh(&self) -> String {
        self.set_cookie("tirta_refresh").split(';').next().unwrap().to_owned()
    }
}

/// A configuration on free ports.
pub fn config_text(dir: &Path) -> String {
    format!(
        "data_dir = {dir:?}\n[http]\nhttps = \"127.0.0.1:0\"\nplain = \"127.0.0.1:0\"\n\
         [broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:0\"\n"
    )
}

impl Site {
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same with further lines of the table `[http]`, or further tables, in its configuration.
    pub async fn start_with(more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(Ahead(AtomicI64::new(0)));
        let text = config_text(&dir.path().join("data")).replace("[broker]", &format!("{more}\n[broker]"));
        let config = Config::parse(&text).unwrap();
        let mut running = start(&config, clock.clone()).await.unwrap();
        let password = running.first_password.take().unwrap();
        let (app, plain, https) = (running.app.clone(), running.plain.unwrap(), running.https);
        Self { app, plain, https, password, dir, clock, running }
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }

    /// Works in the server's database without the server, and beside the only thread of a test: on it, whoever waits for the
    /// server's lock keeps it from being given back.
    pub async fn with_database<T: Send + 'static>(&self, work: impl FnOnce(&Connection) -> T + Send + 'static) -> T {
        let file = self.dir.path().join("data/tirta.db");
        tokio::task::spawn_blocking(move || work(&Connection::open(file).unwrap())).await.unwrap()
    }

    pub fn let_pass(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::Relaxed);
    }

    pub fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// One request over plain HTTP; `headers` is given line by line.
    pub async fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        self.ask_from(Ipv4Addr::LOCALHOST, method, path, headers, body).await
    }

    /// The same from another address of the loopback.
    pub async fn ask_from(&self, from: Ipv4Addr, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let stream = self.connect(from).await;
        exchange(stream, self.plain, method, path, headers, body).await
    }

    async fn connect(&self, from: Ipv4Addr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(IpAddr::V4(from), 0)).unwrap();
        socket.connect(self.plain).await.unwrap()
    }

    /// One request over HTTPS by somebody who trusts the fleet's authority.
    pub async fn ask_https(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let ca = std::fs::read_to_string(self.dir.path().join("data/ca.pem")).unwrap();
        let tls = tokio_rustls::TlsConnector::from(Arc::new(fleet::trusting(&ca).with_no_client_auth()));
        let tcp = TcpStream::connect(self.https).await.unwrap();
        let stream = tls.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
        exchange(stream, self.https, method, path, headers, body).await
    }

    pub async fn get(&self, cookie: &str, path: &str) -> Answer {
        self.ask("GET", path, &[&format!("cookie: {cookie}")], "").await
    }

    pub async fn send(&self, method: &str, cookie: &str, path: &str, body: &Value) -> Answer {
        let headers = [&format!("cookie: {cookie}"), "content-type: application/json"];
        self.ask(method, path, &headers, &body.to_string()).await
    }

    pub async fn try_password(&self, from: Ipv4Addr, password: &str) -> Answer {
        let body = json!({"user": "admin", "password": password}).to_string();
        self.ask_from(from, "POST", "/api/v1/session", &["content-type: application/json"], &body).await
    }

    /// Signs in; returns the cookie.
    pub async fn sign_in(&self) -> String {
        let answer = self.try_password(Ipv4Addr::LOCALHOST, &self.password).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.cookie()
    }

    /// Tries to sign in as somebody.
    pub async fn sign_in_as(&self, user: &str, password: &str) -> Answer {
        self.send("POST", "", "/api/v1/session", &json!({"user": user, "password": password})).await
    }

    /// Makes an account; returns its first password.
    pub async fn make_user(&self, admin: &str, name: &str, role: &str) -> String {
        let made = self.send("POST", admin, "/api/v1/users", &json!({"name": name, "role": role})).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()["password"].as_str().unwrap().to_owned()
    }

    /// Somebody of a role who has chosen the password [`CHOSEN`]; returns the cookie.
    pub async fn person(&self, admin: &str, name: &str, role: &str) -> String {
        let first = self.make_user(admin, name, role).await;
        let cookie = self.sign_in_as(name, &first).await.cookie();
        let change = json!({"old": first, "new": CHOSEN});
        let changed = self.send("POST", &cookie, "/api/v1/session/password", &change).await;
        assert_eq!(changed.status, 204, "{changed:?}");
        cookie
    }

    /// Enrols a device over HTTP, as an agent does.
    pub async fn enrol(&self, cookie: &str) -> Card {
        let token = self
            .send("POST", cookie, "/api/v1/enrolment-tokens", &json!({"uses": 1, "valid_s": 600, "admits": "any"}))
            .await;
        assert_eq!(token.status, 201, "{token:?}");
        let (key, serial) = (KeyPair::generate().unwrap(), fleet::random_serial());
        let csr = fleet::request(&key, &serial.to_string());
        let body = json!({"serial": serial, "token": token.json()["token"], "csr": csr}).to_string();
        let answer = self.ask_https("POST", "/api/v1/enrol", &["content-type: application/json"], &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = |field: &str| answer.json()[field].as_str().unwrap().to_owned();
        let file = |name: &str| self.dir.path().join(name);
        Card {
            name: text("name"),
            certificate: text("certificate"),
            key: key.serialize_pem(),
            ca: text("ca"),
            certificate_file: file("unused.pem"),
            key_file: file("unused.key"),
            ca_file: file("data/ca.pem"),
        }
    }

    pub fn broker_port(&self) -> u16 {
        self.app.broker.as_ref().unwrap().local_addr().port()
    }

    /// Connects an enrolled device.
    pub async fn connect_device(&self, card: &Card) -> Client {
        let link = &self.app.link;
        fleet::until("the server is connected to its broker", async || link.connected()).await;
        Client::connect(self.broker_port(), card).await.unwrap()
    }

    /// Opens a WebSocket.
    pub async fn watch(&self, query: &str, headers: &[(&'static str, &str)]) -> Result<Watch, tungstenite::Error> {
        let mut request = format!("ws://{}/api/v1/live{query}", self.plain).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = self.connect(Ipv4Addr::LOCALHOST).await;
        client_async(request, stream).await.map(|(socket, _)| Watch { socket })
    }
}

/// Somebody who watches.
pub struct Watch {
    socket: WebSocketStream<TcpStream>,
}

impl Watch {
    /// The next event.
    pub async fn event(&mut self) -> Value {
        match self.next().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("an event should have come, not {other:?}"),
        }
    }

    /// The next event of a kind; others before it are skipped.
    pub async fn event_of(&mut self, kind: &str) -> Value {
        loop {
            let event = self.event().await;
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// Why the server closes; events before it are skipped.
    pub async fn closed(&mut self) -> String {
        loop {
            if let Message::Close(frame) = self.next().await {
                return frame.unwrap().reason.to_string();
            }
        }
    }

    async fn next(&mut self) -> Message {
        use futures_util::StreamExt;
        loop {
            let message = timeout(fleet::SOON, self.socket.next()).await.expect("something should have come");
            match message.unwrap().unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                other => return other,
            }
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    host: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Answer {
    let answer = try_exchange(stream, host, method, path, headers, body).await.expect("a whole head");
    crate::contract::check(method, path, &answer);
    answer
}

/// The same with a server that may be killed meanwhile.
pub async fn try_exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    host: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Option<Answer> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for header in headers {
        request += &format!("{header}\r\n");
    }
    if !body.is_empty() {
        request += &format!("content-length: {}\r\n", body.len());
    }
    request += "\r\n";
    stream.write_all(request.as_bytes()).await.ok()?;
    // A server that refuses early may close before it has read all of the body.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut raw = Vec::new();
    let _ = timeout(fleet::SOON, stream.read_to_end(&mut raw)).await.expect("an answer should have come");
    let end = raw.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8(raw[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let lines = lines.map(|line| line.split_once(':').unwrap());
    let pairs: Vec<_> = lines.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let set_cookies = pairs.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.clone()).collect();
    Some(Answer { status, headers: pairs.into_iter().collect(), set_cookies, body: raw[end + 4..].to_vec() })
}

impl Answer {
    /// The code, or nothing if the answer is no problem.
    pub fn code_if_problem(&self) -> String {
        if self.header("content-type") == "application/problem+json" { self.code() } else { String::new() }
    }
}

/// What an answer says in short.
pub fn said(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code_if_problem())
}
