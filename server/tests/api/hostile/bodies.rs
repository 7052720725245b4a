//! Bodies that are too large, too deep, too slow or no JSON.

use super::{operations, site};
use crate::site::Answer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const JSON: &str = "content-type: application/json";

/// Sends bytes as they are; what comes back until the server closes.
async fn raw(address: std::net::SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses early may close before it has read all.
    let _ = stream.write_all(request).await;
    let mut answer = vec![];
    let _ = tokio::time::timeout(crate::fleet::SOON, stream.read_to_end(&mut answer)).await.expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

fn is_refused(answer: &Answer, what: &str) {
    assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
    assert!(!answer.code().is_empty(), "{what}: in words");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_by_every_operation_also_without_a_length() {
    let (site, cookie) = site().await;
    let mut tried = 0;
    for operation in operations().iter().filter(|operation| operation.example().is_some()) {
        let (kind, most) = match operation.id {
            "importRegistrations" => ("text/csv", 4 * 1024 * 1024 + 1),
            "handInReading" | "handInReadings" => ("application/json", shared::message::MAX_PAYLOAD + 1),
            _ => ("application/json", 64 * 1024 + 1),
        };
        // What is wrong about the caller is said first.
        if operation.id == "reportAlert" {
            continue;
        }
        let (kind, body) = (format!("content-type: {kind}"), "x".repeat(most));
        let answer = site.ask(&operation.method, &operation.path, &[&cookie, &kind], &body).await;
        assert_eq!((answer.status, answer.code()), (413, "too_large".to_owned()), "{}", operation.id);
        let chunked = format!(
            "{} {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{cookie}\r\n{kind}\r\ntransfer-encoding: chunked\r\n\r\n{most:x}\r\n{body}\r\n0\r\n\r\n",
            operation.method, operation.path
        );
        let answer = raw(site.plain, chunked.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{}: {answer:.200}", operation.id);
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
    site.stop().await;
}

#[tokio::test]
async fn json_that_is_nested_a_hundred_thousand_deep_ends_in_an_answer() {
    let (site, cookie) = site().await;
    for operation in operations().iter().filter(|operation| operation.example().is_some()) {
        let is_csv = operation.id == "importRegistrations";
        let kind = if is_csv { "content-type: text/csv" } else { JSON };
        for (levels, open, close) in
            [(100_000, "[", "]"), (15_000, "[", "]"), (3_000, "{\"a\":", "}"), (7_000, "[", "")]
        {
            let body = open.repeat(levels) + "1" + &close.repeat(levels);
            let answer = site.ask(&operation.method, &operation.path, &[&cookie, kind], &body).await;
            is_refused(&answer, &format!("{} {levels} {open}", operation.id));
        }
    }
    assert_eq!(site.ask("GET", "/health/live", &[], "").await.status, 200);
    site.stop().await;
}

#[tokio::test]
async fn numbers_that_are_none_or_too_large_and_bytes_that_are_no_text_are_refused_by_name() {
    let (site, cookie) = site().await;
    let path = "/api/v1/claim";
    for number in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "0x10",
        "01",
        "+1",
        ".5",
        "1.",
        "90.0000001",
        "\"1\"",
        "true",
        "{}",
    ] {
        let body = format!("{{\"name\":\"pi-1\",\"location\":\"x\",\"latitude\":{number},\"longitude\":1}}");
        is_refused(&site.ask("POST", path, &[&cookie, JSON], &body).await, number);
    }
    for number in ["-1", "4294967296", "18446744073709551616", "9".repeat(400).as_str(), "1.5", "1e3", "null"] {
        let body = format!("{{\"uses\":{number},\"valid_s\":60}}");
        let answer = site.ask("POST", "/api/v1/enrolment-tokens", &[&cookie, JSON], &body).await;
        is_refused(&answer, number);
        for name in ["limit", "before"] {
            let path = format!("/api/v1/alerts?{name}={}", if number == "null" { "" } else { number });
            let answer = site.ask("GET", &path, &[&cookie], "").await;
            assert!(answer.status == 400 || name == "before" && answer.status == 200, "{path}: {answer:?}");
        }
    }
    for twice in ["{\"name\":\"a\",\"name\":\"b\"}", "{\"name\":\"aa\",\"role\":\"auditor\",\"role\":\"admin\"}"] {
        let answer = site.ask("POST", "/api/v1/users", &[&cookie, JSON], twice).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid".to_owned()), "{twice}");
    }
    for bytes in [
        &b"{\"name\":\"\xff\xfe\"}"[..],
        b"{\"name\":\"\xed\xa0\x80\"}",
        b"{\"name\":\"\\ud800\"}",
        b"{\"name\":\"\xc0\xaf\"}",
        b"\xef\xbb\xbf{}",
        b"",
        b"\0",
    ] {
        let mut request = format!(
            "POST /api/v1/users HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{cookie}\r\n{JSON}\r\ncontent-length: {}\r\n\r\n",
            bytes.len()
        )
        .into_bytes();
        request.extend(bytes);
        let answer = raw(site.plain, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"code\":\""), "{bytes:?}: {answer}");
    }
    let users = site.ask("GET", "/api/v1/users", &[&cookie], "").await.json();
    assert_eq!(users["users"].as_array().map(Vec::len), Some(1), "nobody was made");
    site.stop().await;
}

/// Puts a value in the place of each that is like it in an example, one at a time.
fn with_each(example: &Value, is_like: fn(&Value) -> bool, new: &Value) -> Vec<Value> {
    if is_like(example) {
        return vec![new.clone()];
    }
    let mut all = vec![];
    match example {
        Value::Array(parts) => {
            for (n, part) in parts.iter().enumerate() {
                for changed in with_each(part, is_like, new) {
                    let mut parts = parts.clone();
                    parts[n] = changed;
                    all.push(parts.into());
                }
            }
        }
        Value::Object(fields) => {
            for (name, part) in fields {
                for changed in with_each(part, is_like, new) {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), changed);
                    all.push(fields.into());
                }
            }
        }
        _ => {}
    }
    all
}

#[tokio::test]
async fn the_ends_of_all_numbers_are_answered_in_every_parameter_and_field() {
    let (site, cookie) = site().await;
    let ends = [i64::MIN, -1, 0, i64::MAX];
    let mut tried = 0;
    for operation in operations() {
        let parameters = operation.said["parameters"].as_array().into_iter().flatten();
        let whole = |parameter: &&Value| parameter["in"] == "query" && parameter["schema"]["type"] == "integer";
        let names: Vec<_> = parameters.filter(whole).map(|parameter| parameter["name"].as_str().unwrap()).collect();
        let mut asked: Vec<(String, Option<Value>)> = vec![];
        for (one, other) in names.iter().flat_map(|one| names.iter().map(move |other| (one, other))) {
            for (a, b) in ends.iter().flat_map(|a| ends.iter().map(move |b| (a, b))) {
                // A metric, where one is needed, is taken and passed over where it is not.
                let both = if one == other { format!("{one}={a}") } else { format!("{one}={a}&{other}={b}") };
                asked.push((format!("{}?{both}&metric=ph", operation.path), None));
            }
        }
        if let Some(example) = operation.example() {
            for end in ends.map(Value::from).into_iter().chain([json!(u64::MAX), json!(f64::MAX), json!(f64::MIN)]) {
                let bodies = with_each(example, Value::is_number, &end).into_iter();
                asked.extend(bodies.map(|body| (operation.path.clone(), Some(body))));
                // Times belong together.
                let mut apart = example.clone();
                if apart["from"].is_number() {
                    apart["from"] = json!(i64::MIN);
                    apart["to"] = end;
                    asked.push((operation.path.clone(), Some(apart)));
                }
            }
        }
        for (path, body) in asked {
            let body = body.map(|body| body.to_string()).unwrap_or_default();
            let answer = site.ask(&operation.method, &path, &[&cookie, JSON], &body).await;
            assert!(answer.status < 500, "{path} {body}: {answer:?}");
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
    site.stop().await;
}

#[tokio::test]
async fn control_characters_are_kept_nowhere() {
    let (site, cookie) = site().await;
    let mut tried = 0;
    for operation in operations().iter().filter(|operation| !operation.is_open()) {
        let Some(example) = operation.example().filter(|example| example.is_object()) else { continue };
        for control in ["a\u{0}b", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{8}"] {
            for body in with_each(example, Value::is_string, &json!(control)) {
                let answer = site.ask(&operation.method, &operation.path, &[&cookie, JSON], &body.to_string()).await;
                is_refused(&answer, &format!("{} {body}", operation.id));
                tried += 1;
            }
        }
    }
    assert!(tried > 150, "{tried}");
    site.stop().await;
}

#[tokio::test]
async fn a_body_that_dribbles_holds_its_connection_only_so_long() {
    let (site, _) = site().await;
    let mut stream = TcpStream::connect(site.plain).await.unwrap();
    let head = format!("POST /api/v1/session HTTP/1.1\r\nhost: x\r\n{JSON}\r\ncontent-length: 1000\r\n\r\n{{");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 2000];
    let read = tokio::time::timeout(crate::fleet::SOON, stream.read(&mut answer)).await.expect("an answer").unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("too_slow"), "{answer}");
    site.stop().await;
}
