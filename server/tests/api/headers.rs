//! The headers that bind a browser: all of them, on every kind of answer.

use crate::site::{Answer, Site};

/// Sent with every answer, whatever it is.
const ALWAYS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(self), geolocation=(self), microphone=()"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-permitted-cross-domain-policies", "none"),
];

fn binds(answer: &Answer, what: &str) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
    for told in ["server", "x-powered-by"] {
        assert_eq!(answer.header(told), "", "{what} tells nobody what it runs on");
    }
    assert!(!answer.header("content-security-policy").contains("unsafe"), "{what}");
}

#[tokio::test]
async fn every_kind_of_answer_binds_the_browser_and_is_kept_only_if_it_may_be() {
    let site = Site::start().await;
    let cookie = format!("cookie: {}", site.sign_in().await);
    let json = "content-type: application/json";
    for (method, path, headers, status, cache) in [
        ("GET", "/api/v1/devices", &[&*cookie][..], 200, "no-store"),
        ("GET", "/api/v1/latest", &[&cookie], 200, "private, no-cache"),
        ("GET", "/api/v1/devices", &[], 401, "no-store"),
        ("GET", "/api/v1/alerts.csv", &[&cookie], 200, "no-store"),
        ("GET", "/api/v1/users", &[&cookie], 200, "no-store"),
        ("GET", "/api/v1/openapi.json", &[&cookie], 200, "private, no-cache"),
        ("POST", "/api/v1/users", &[&cookie, json], 400, "no-store"),
        ("POST", "/api/v1/users", &[&cookie, json, "origin: https://evil.example"], 403, "no-store"),
        ("GET", "/api/nowhere", &[], 404, "no-store"),
        ("TRACE", "/api/v1/devices", &[&cookie], 405, "no-store"),
        ("GET", "/health/live", &[], 200, "no-store"),
        ("GET", "/assets/missing.js", &[], 404, ""),
    ] {
        let body = if status == 400 { "{}" } else { "" };
        let answer = site.ask(method, path, headers, body).await;
        let what = format!("{method} {path} {headers:?}");
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert_eq!(answer.header("cache-control"), cache, "{what}");
        assert_eq!(answer.header("strict-transport-security"), "", "{what}: it did not come over TLS");
        binds(&answer, &what);
    }
    // With or without a dashboard that was built.
    for path in ["/", "/docs", "/theme.js", "/favicon.svg"] {
        let answer = site.ask("GET", path, &[], "").await;
        binds(&answer, path);
        assert_ne!(answer.header("cache-control"), "no-store", "{path}");
    }
    site.stop().await;
}

#[tokio::test]
async fn over_tls_a_browser_is_told_to_stay_there_and_no_cookie_ever_leaves_it() {
    let site = Site::start().await;
    for path in ["/api/v1/devices", "/", "/docs", "/health/live"] {
        let answer = site.ask_https("GET", path, &[], "").await;
        binds(&answer, path);
        assert_eq!(answer.header("strict-transport-security"), "max-age=86400", "{path}");
    }
    let body = serde_json::json!({"user": "admin", "password": site.password}).to_string();
    let signed_in = site.ask_https("POST", "/api/v1/session", &["content-type: application/json"], &body).await;
    assert_eq!(signed_in.set_cookies.len(), 2, "{signed_in:?}");
    for (cookie, path) in signed_in.set_cookies.iter().zip(["Path=/", "Path=/api/v1/session"]) {
        for wanted in [path, "HttpOnly", "SameSite=Strict", "Secure"] {
            assert!(cookie.split("; ").any(|part| part == wanted), "{wanted}: {cookie}");
        }
    }
    site.stop().await;
}
