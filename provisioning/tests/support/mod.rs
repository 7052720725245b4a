//! `tirta` against a server that stands in for the real one: it answers from a list, in order, and remembers what it
//! was asked. Knows no command.

#![allow(dead_code)] // each test file uses a part of it

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

/// The cookie of whoever has signed in.
const COOKIE: &str = "session=stand-in";

/// A request without that for the session.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Method and path with query.
    pub line: String,
    /// As it came.
    pub body: Vec<u8>,
    /// What it says that it is.
    pub content_type: Option<String>,
}

impl Asked {
    /// The body as JSON; null if there is none.
    pub fn json(&self) -> Value {
        if self.body.is_empty() { Value::Null } else { serde_json::from_slice(&self.body).unwrap() }
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<(String, u16, String)>,
    asked: Vec<Asked>,
    signed_in: usize,
}

/// The server.
pub struct StandIn {
    address: String,
    script: Arc<Mutex<Script>>,
}

impl StandIn {
    /// A server that gives these answers, each to one request: method and path, status, JSON; a text as it is.
    pub fn new(answers: &[(&str, u16, Value)]) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let text = |json: &Value| match json {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        let answers = answers.iter().map(|(line, status, json)| ((*line).to_owned(), *status, text(json)));
        let script = Arc::new(Mutex::new(Script { answers: answers.collect(), ..Script::default() }));
        let shared = Arc::clone(&script);
        std::thread::spawn(move || serve(listener, shared));
        Self { address, script }
    }

    /// Runs `tirta` against it, in a folder.
    pub fn tirta_in(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tirta"));
        for name in ["TIRTA_CA", "TIRTA_USER", "TIRTA_PUBLIC_ADDRESS"] {
            command.env_remove(name);
        }
        command.env("TIRTA_SERVER", &self.address).env("TIRTA_PASSWORD", "secret");
        command.current_dir(folder).args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs `tirta` against it; what it says when all went well.
    pub fn tirta(&self, arguments: &[&str]) -> String {
        told(&self.tirta_in(Path::new("."), arguments))
    }

    /// Runs `tirta` against it; what it complains about.
    pub fn refused(&self, arguments: &[&str]) -> String {
        complaint(&self.tirta_in(Path::new("."), arguments))
    }

    /// What it was asked since the last time, when every answer has been given.
    pub fn asked(&self) -> Vec<Asked> {
        let mut script = self.script.lock().unwrap();
        let left: Vec<&String> = script.answers.iter().map(|(line, ..)| line).collect();
        assert!(left.is_empty(), "never asked: {left:?}, but {:?}", script.asked);
        std::mem::take(&mut script.asked)
    }

    /// What it was asked: method and path, and the body as JSON.
    pub fn asked_json(&self) -> Vec<(String, Value)> {
        self.asked().into_iter().map(|asked| (asked.line.clone(), asked.json())).collect()
    }

    /// How often somebody signed in.
    pub fn signed_in(&self) -> usize {
        self.script.lock().unwrap().signed_in
    }
}

/// What a command said that went well.
pub fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a command said that failed.
pub fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn serve(listener: std::net::TcpListener, script: Arc<Mutex<Script>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let script = Arc::clone(&script);
            let service = service_fn(move |request| answer(request, Arc::clone(&script)));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
}

async fn answer(request: Request<Incoming>, script: Arc<Mutex<Script>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    let line = format!("{} {}", head.method, head.uri);
    let text = |name| head.headers.get(name).map(|value: &header::HeaderValue| value.to_str().unwrap().to_owned());
    let mut script = script.lock().unwrap();
    let reply = |status: u16, body: String| Response::builder().status(status).body(Full::from(body)).unwrap();
    if line == "POST /api/v1/session" {
        let wanted = serde_json::json!({ "user": "admin", "password": "secret" });
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), wanted);
        script.signed_in += 1;
        let mut reply = reply(204, String::new());
        reply.headers_mut().insert(header::SET_COOKIE, format!("{COOKIE}; HttpOnly").parse().unwrap());
        return Ok(reply);
    }
    if text(header::COOKIE).as_deref() != Some(COOKIE) {
        return Ok(reply(401, r#"{"code":"not_signed_in","detail":"sign in"}"#.to_owned()));
    }
    script.asked.push(Asked { line: line.clone(), body, content_type: text(header::CONTENT_TYPE) });
    Ok(match script.answers.pop_front() {
        Some((wanted, status, json)) if wanted == line => reply(status, json),
        other => reply(
            500,
            format!(
                r#"{{"code":"not_in_the_script","detail":"asked {line}, not {}"}}"#,
                other.map(|o| o.0).unwrap_or_default()
            ),
        ),
    })
}
