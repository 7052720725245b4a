//! What every request has in common: origins, content types, sizes, headers, unknown paths, health.

use crate::site::Site;
use serde_json::json;

const JSON: &str = "content-type: application/json";

#[tokio::test]
async fn a_change_that_another_site_asks_for_is_refused() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let (cookie, body) = (format!("cookie: {cookie}"), json!({"uses": 1, "valid_s": 60}).to_string());
    let path = "/api/v1/enrolment-tokens";
    for foreign in
        ["origin: http://evil.example", "origin: null", "sec-fetch-site: cross-site", "sec-fetch-site: same-site"]
    {
        let answer = site.ask("POST", path, &[&cookie, JSON, foreign], &body).await;
        assert_eq!((answer.status, answer.code()), (403, "other_origin".to_owned()), "{foreign}");
    }
    let form = site.ask("POST", path, &[&cookie, "content-type: application/x-www-form-urlencoded"], "uses=1").await;
    assert_eq!((form.status, form.code()), (415, "not_json".to_owned()));
    let own = format!("origin: http://{}", site.plain);
    for good in [&[&cookie, JSON, &own][..], &[&cookie, JSON], &[&cookie, JSON, &own, "sec-fetch-site: same-origin"]] {
        assert_eq!(site.ask("POST", path, good, &body).await.status, 201, "{good:?}");
    }
    let tokens = site.ask("GET", path, &[&cookie], "").await.json();
    assert_eq!(tokens["tokens"].as_array().unwrap().len(), 3, "only the good ones did anything");
    site.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_json_is_refused_in_words() {
    let site = Site::start().await;
    let cookie = format!("cookie: {}", site.sign_in().await);
    let long = |bytes: usize| format!("{{\"note\":\"{}\"}}", "x".repeat(bytes));
    for (path, bytes, headers) in [
        ("/api/v1/enrol", 16 * 1024, &[JSON][..]),
        ("/api/v1/session", 16 * 1024, &[JSON]),
        ("/api/v1/enrolment-tokens", 64 * 1024, &[&cookie, JSON]),
    ] {
        let answer = site.ask("POST", path, headers, &long(bytes)).await;
        assert_eq!((answer.status, answer.code()), (413, "too_large".to_owned()), "{path}");
    }
    let almost = site.ask("POST", "/api/v1/enrolment-tokens", &[&cookie, JSON], &long(60 * 1024)).await;
    assert_eq!(almost.status, 400, "it is read, and found to be wrong");
    for (body, code, field) in [
        ("{", "bad_json", ""),
        ("{} {}", "invalid", "uses"),
        ("{\"uses\":1,\"valid_s\":60} 2", "bad_json", ""),
        ("{\"uses\":\"many\",\"valid_s\":60}", "invalid", "uses"),
        ("{\"uses\":0,\"valid_s\":60}", "invalid", "uses"),
        ("{\"uses\":1,\"valid_s\":59}", "invalid", "valid_s"),
        ("{\"uses\":1}", "invalid", "valid_s"),
        ("{\"uses\":1,\"valid_s\":60,\"colour\":1}", "invalid", "colour"),
        ("{\"uses\":1,\"valid_s\":60,\"note\":null}", "invalid", "note"),
    ] {
        let answer = site.ask("POST", "/api/v1/enrolment-tokens", &[&cookie, JSON], body).await;
        assert_eq!((answer.status, answer.code(), answer.field()), (400, code.to_owned(), field.to_owned()), "{body}");
    }
    site.stop().await;
}

#[tokio::test]
async fn every_answer_binds_the_browser_and_only_files_may_be_kept() {
    let site = Site::start().await;
    for path in ["/api/v1/devices", "/api/nowhere", "/health/live", "/", "/devices/pi-1", "/assets/nothing.js"] {
        let answer = site.ask("GET", path, &[], "").await;
        assert!(answer.header("content-security-policy").contains("default-src 'self'"), "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        let is_interface = path.starts_with("/api") || path.starts_with("/health");
        assert_eq!(answer.header("cache-control") == "no-store", is_interface, "{path}: {answer:?}");
    }
    site.stop().await;
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_and_the_dashboards_own_paths_are_pages() {
    let site = Site::start().await;
    for path in ["/api", "/api/v1/nothing", "/api/v2/devices", "/health/nothing", "/missing.js"] {
        let answer = site.ask("GET", path, &[], "").await;
        assert_eq!((answer.status, answer.code()), (404, "unknown_path".to_owned()), "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
    for (method, path) in [("PATCH", "/api/v1/session"), ("POST", "/health/live"), ("POST", "/somewhere")] {
        let answer = site.ask(method, path, &[], "").await;
        assert_eq!((answer.status, answer.code()), (405, "method_not_allowed".to_owned()), "{method} {path}");
    }
    // The dashboard, or the page that says how to build it.
    for path in ["/", "/devices/pi-1"] {
        let page = site.ask("GET", path, &[], "").await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(String::from_utf8_lossy(&page.body).contains("Tirta"), "{path}");
    }
    site.stop().await;
}

#[tokio::test]
async fn long_answers_are_compressed_for_who_can_read_that() {
    let site = Site::start().await;
    let cookie = format!("cookie: {}", site.sign_in().await);
    let plain = site.ask("GET", "/api/v1/openapi.json", &[&cookie], "").await;
    let packed = site.ask("GET", "/api/v1/openapi.json", &[&cookie, "accept-encoding: gzip"], "").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 3 < plain.body.len(), "{} of {}", packed.body.len(), plain.body.len());
    site.stop().await;
}

#[tokio::test]
async fn silent_and_half_sent_requests_stop_neither_others_nor_the_end() {
    use tokio::io::AsyncWriteExt;
    let site = Site::start().await;
    let mut silent = vec![];
    for n in 0..200 {
        let mut stream =
            tokio::net::TcpStream::connect(if n % 2 == 0 { site.plain } else { site.https }).await.unwrap();
        if n % 4 == 0 {
            stream.write_all(b"POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-len").await.unwrap();
        }
        silent.push(stream);
    }
    site.sign_in().await;
    assert_eq!(site.ask_https("GET", "/health/live", &[], "").await.status, 200);
    tokio::time::timeout(crate::fleet::SOON, site.stop()).await.expect("the server should have stopped");
    drop(silent);
}

#[tokio::test]
async fn readiness_says_which_part_failed_and_life_goes_on() {
    let site = Site::start().await;
    let link = &site.app.link;
    crate::fleet::until("the server is connected to its broker", async || link.connected()).await;
    let ready = site.ask("GET", "/health/ready", &[], "").await;
    assert_eq!((ready.status, ready.json()), (200, json!({"database": "ok", "broker": "ok"})));

    site.app.broker.as_ref().unwrap().stop().await;
    crate::fleet::until("the server has lost its broker", async || !link.connected()).await;
    let ready = site.ask("GET", "/health/ready", &[], "").await;
    assert_eq!((ready.status, ready.json()), (503, json!({"database": "ok", "broker": "failed"})));

    site.app.store.close().await;
    let ready = site.ask("GET", "/health/ready", &[], "").await;
    assert_eq!((ready.status, ready.json()), (503, json!({"database": "failed", "broker": "failed"})));
    assert_eq!(site.ask("GET", "/health/live", &[], "").await.status, 200);
    let devices = site.get("tirta_session=tirta_at_x", "/api/v1/devices").await;
    assert_eq!((devices.status, devices.code()), (503, "database".to_owned()));
    site.stop().await;
}
