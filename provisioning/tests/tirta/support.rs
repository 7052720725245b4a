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

/// The access token of whoever has signed in, each time another.
const ACCESS: &str = "tirta_at_";

/// In the place of an answer: the access token has expired by then.
pub const EXPIRES: &str = "(expires)";

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
    signed_out: usize,
    /// The code that signing in needs.
    code: Option<String>,
    /// How often tokens were given.
    tokens: usize,
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

    /// The same, with an account whose telephone shows this code.
    pub fn with_code(answers: &[(&str, u16, Value)], code: &str) -> Self {
        let server = Self::new(answers);
        server.script.lock().unwrap().code = Some(code.to_owned());
        server
    }

    /// Runs `tirta` against it, in a folder.
    pub fn tirta_in(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tirta"));
        for name in ["TIRTA_CA", "TIRTA_USER", "TIRTA_PUBLIC_ADDRESS"] {
            command.env_remove(name);
        }
        command.env("TIRTA_SERVER", &self.address).env("TIRTA_PASSWORD", "secret");
        command.envs(self.script.lock().unwrap().code.iter().map(|code| ("TIRTA_CODE", code)));
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

    /// How often somebody signed in, and out again.
    pub fn signed_in(&self) -> usize {
        let script = self.script.lock().unwrap();
        assert_eq!(script.signed_in, script.signed_out, "every command ends its session");
        script.signed_in
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
    let tokens = |n: usize| {
        let (access, refresh) = (format!("{ACCESS}{n}"), format!("tirta_rt_{n}"));
        serde_json::json!({ "user": "admin", "access_token": access, "refresh_token": refresh }).to_string()
    };
    if line == "POST /api/v1/session" {
        let mut wanted = serde_json::json!({ "user": "admin", "password": "secret", "bearer": true });
        let given = serde_json::from_slice::<Value>(&body).unwrap();
        if let Some(code) = &script.code {
            if given["code"].is_null() {
                return Ok(reply(401, r#"{"code":"code_needed","detail":"the code, too"}"#.to_owned()));
            }
            wanted["code"] = code.as_str().into();
        }
        assert_eq!(given, wanted);
        script.signed_in += 1;
        script.tokens += 1;
        return Ok(reply(200, tokens(script.tokens)));
    }
    if line == "POST /api/v1/session/refresh" {
        let wanted = serde_json::json!({ "refresh_token": format!("tirta_rt_{}", script.tokens) });
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), wanted);
        script.tokens += 1;
        return Ok(reply(200, tokens(script.tokens)));
    }
    if text(header::AUTHORIZATION) != Some(format!("Bearer {ACCESS}{}", script.tokens)) {
        return Ok(reply(401, r#"{"code":"no_session","detail":"sign in"}"#.to_owned()));
    }
    if script.answers.front().is_some_and(|(line, ..)| line == EXPIRES) {
        script.answers.pop_front();
        return Ok(reply(401, r#"{"code":"no_session","detail":"sign in"}"#.to_owned()));
    }
    if line == "DELETE /api/v1/session" {
        script.signed_out += 1;
        return Ok(reply(204, String::new()));
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
