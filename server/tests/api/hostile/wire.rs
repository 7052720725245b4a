//! What is wrong below the interface: paths that lead elsewhere, requests whose end is in doubt, hosts that are made up.

use super::site;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes and reads until the server closes, which it must.
async fn raw(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![];
    let _ = tokio::time::timeout(crate::fleet::SOON, stream.read_to_end(&mut answer)).await.expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of the first answer; nothing if the server only closed.
fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn no_path_leads_out_of_the_dashboards_files() {
    let (site, _) = site().await;
    let inside = std::fs::read_to_string("Cargo.toml").unwrap();
    assert!(inside.contains("name = \"server\""));
    for wanted in ["Cargo.toml", "server.example.toml", "etc/passwd", "src/main.rs", "data/ca.key", "tirta.db"] {
        for way in [
            "/../",
            "/../../",
            "/../../../../../../../../",
            "/assets/../../",
            "/assets/../../../",
            "/./../../",
            "//",
            "///etc/../",
            "/%2e%2e/",
            "/%2e%2e/%2e%2e/",
            "/..%2f..%2f",
            "/..%5c..%5c",
            "/..\\..\\",
            "/%252e%252e%252f",
            "/....//....//",
            "/docs/../../",
            "/docs/%2e%2e/%2e%2e/",
            "/..;/",
            "/%c0%ae%c0%ae/",
            "/assets/..%00/",
            "/.%2e/",
            "/file:///",
        ] {
            for path in [format!("{way}{wanted}"), format!("{way}{wanted}%00"), format!("{way}{wanted}%00.js")] {
                let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
                let answer = raw(site.plain, &request).await;
                let code = status(&answer);
                assert!(matches!(code, "400" | "404" | "200"), "{path}: {answer:.300}");
                // The dashboard's own page stands for paths that it may know.
                assert!(code != "200" || answer.contains("<!doctype html>"), "{path}: {answer:.300}");
                for secret in ["name = \"server\"", "data_dir", "root:x:", "fn main", "PRIVATE KEY", "SQLite format"] {
                    assert!(!answer.contains(secret), "{path}: {secret}");
                }
            }
        }
    }
    // A whole address as the target, and none.
    for target in [
        "http://evil.example/api/v1/devices",
        "*",
        "api/v1/devices",
        "",
        "/api/v1/../v1/devices",
        "/API/v1/devices",
        "/api//v1/devices",
    ] {
        let answer = raw(site.plain, &format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert!(matches!(status(&answer), "400" | "401" | "404" | "200"), "{target}: {answer:.300}");
        assert!(!answer.contains("\"devices\":"), "{target}");
    }
    site.stop().await;
}

#[tokio::test]
async fn a_request_whose_end_is_in_doubt_smuggles_no_other_behind_it() {
    let (site, cookie) = site().await;
    // What must not be done, and a request that ends the conversation wherever the server thinks that it is.
    let hidden = format!("DELETE /api/v1/session HTTP/1.1\r\nhost: x\r\n{cookie}\r\n\r\n");
    let last = "GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let json = "content-type: application/json";
    for lengths in [
        // Both, in each order; twice; none that is one.
        format!("content-length: {}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", 5 + hidden.len()),
        format!("transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n{hidden}"),
        format!("content-length: 0\r\ncontent-length: {}\r\n\r\n{hidden}", hidden.len()),
        format!("content-length: 0, {}\r\n\r\n{hidden}", hidden.len()),
        format!("content-length: +0\r\n\r\n{hidden}"),
        format!("content-length: -1\r\n\r\n{hidden}"),
        format!("content-length : 0\r\n\r\n{hidden}"),
        format!("transfer-encoding : chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("transfer-encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}"),
        format!("transfer-encoding: identity\r\ncontent-length: 0\r\n\r\n{hidden}"),
        format!("transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("transfer-encoding: chunked\r\n\r\n0_\r\n\r\n{hidden}"),
        format!("transfer-encoding: chunked\r\n\r\n-0\r\n\r\n{hidden}"),
        format!("transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{hidden}"),
    ] {
        let request = format!("POST /api/v1/session HTTP/1.1\r\nhost: x\r\n{json}\r\n{lengths}{last}");
        let answer = raw(site.plain, &request).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{lengths:?}: {answer}");
        let still = site.ask("GET", "/api/v1/session", &[&cookie], "").await;
        assert_eq!(still.status, 200, "the hidden request was done: {lengths:?}");
    }
    site.stop().await;
}

#[tokio::test]
async fn a_host_that_is_made_up_is_repeated_nowhere_and_opens_nothing() {
    let (site, cookie) = site().await;
    for host in ["evil.example", "evil.example:443", "x\" onload=\"alert(1)", "", "..", "[::1]:1", "a@b"] {
        for path in ["/", "/docs", "/api/v1/devices", "/api/v1/session", "/nowhere.js"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            let answer = raw(site.plain, &request).await;
            assert!(matches!(status(&answer), "200" | "400" | "401" | "404"), "{host} {path}: {answer:.300}");
            assert!(host.len() < 3 || !answer.contains(host), "{host} {path}: {answer:.300}");
            assert!(!answer.to_lowercase().contains("\r\nlocation:"), "{host} {path}");
        }
    }
    // A page of another name that leads to this server (DNS rebinding) has no cookie, and the token's address is the configured one.
    let request = "POST /api/v1/enrolment-tokens HTTP/1.1\r\nhost: evil.example\r\norigin: http://evil.example\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 23\r\n";
    let refused = raw(site.plain, &format!("{request}\r\n{{\"uses\":1,\"valid_s\":60}}")).await;
    assert_eq!(status(&refused), "401", "{refused}");
    let made = raw(site.plain, &format!("{request}{cookie}\r\n\r\n{{\"uses\":1,\"valid_s\":60}}")).await;
    assert!(status(&made) == "201" && !made.contains("evil.example"), "{made}");
    site.stop().await;
}

#[tokio::test]
async fn a_head_without_end_or_sense_is_refused() {
    let (site, _) = site().await;
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(1_000_000));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(5000));
    let path = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "z".repeat(200_000));
    for request in
        [&*long, &many, &path, "GET / HTTP/9.9\r\n\r\n", "\0\0\0\0\r\n\r\n", "GET /\r\n\r\n", "\u{16}\u{3}\u{1}"]
    {
        let mut stream = TcpStream::connect(site.plain).await.unwrap();
        let _ = stream.write_all(request.as_bytes()).await;
        let _ = stream.shutdown().await;
        let mut answer = vec![];
        let _ = tokio::time::timeout(crate::fleet::SOON, stream.read_to_end(&mut answer)).await.expect("an end");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let known = ["", "400", "404", "414", "431", "505"];
        assert!(known.contains(&status(&answer)), "{request:.40}: {answer:.200}");
    }
    assert_eq!(site.ask("GET", "/health/live", &[], "").await.status, 200);
    site.stop().await;
}
