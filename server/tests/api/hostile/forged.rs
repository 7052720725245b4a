//! Requests that another site makes a browser send, that pretend to be another method or to come from elsewhere, and guesses.

use super::{operations, site};
use serde_json::json;
use std::net::Ipv4Addr;

const JSON: &str = "content-type: application/json";
const GUESSER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

#[tokio::test]
async fn no_other_site_can_change_anything_by_a_browser_that_is_signed_in() {
    let (site, cookie) = site().await;
    let before = site.ask("GET", "/api/v1/audit?limit=500", &[&cookie], "").await.json();
    let mut tried = 0;
    for operation in operations().iter().filter(|operation| operation.method != "GET") {
        let body = operation.example().map_or_else(String::new, |example| example.to_string());
        for foreign in ["origin: https://evil.example", "origin: null", "sec-fetch-site: cross-site"] {
            let answer = site.ask(&operation.method, &operation.path, &[&cookie, JSON, foreign], &body).await;
            assert_eq!((answer.status, answer.code()), (403, "other_origin".to_owned()), "{} {foreign}", operation.id);
            tried += 1;
        }
        // What a form can send without being asked first; an old browser names no origin with it.
        for form in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/html"]
        {
            let kind = format!("content-type: {form}");
            let answer = site.ask(&operation.method, &operation.path, &[&cookie, &kind], "{\"a\":1}").await;
            assert_eq!((answer.status, answer.code()), (415, "not_json".to_owned()), "{} {form}", operation.id);
        }
        let answer = site.ask(&operation.method, &operation.path, &[&cookie], "{\"a\":1}").await;
        assert_eq!((answer.status, answer.code()), (415, "not_json".to_owned()), "{} without a type", operation.id);
    }
    assert!(tried > 60, "{tried}");
    let after = site.ask("GET", "/api/v1/audit?limit=500", &[&cookie], "").await.json();
    assert_eq!(after, before, "nothing was done");
    site.stop().await;
}

#[tokio::test]
async fn a_socket_opens_for_no_other_site() {
    let (site, cookie) = site().await;
    let cookie = cookie.trim_start_matches("cookie: ");
    for foreign in ["https://evil.example", "null", "http://localhost.evil.example"] {
        let refused = site.watch("", &[("cookie", cookie), ("origin", foreign)]).await;
        assert!(refused.is_err(), "{foreign}");
    }
    let own = format!("http://{}", site.plain);
    assert!(site.watch("", &[("cookie", cookie), ("origin", &own)]).await.is_ok());
    site.stop().await;
}

#[tokio::test]
async fn a_method_is_the_one_of_the_request_whatever_else_it_says() {
    let (site, cookie) = site().await;
    for header in ["x-http-method-override: DELETE", "x-http-method: DELETE", "x-method-override: DELETE"] {
        for path in ["/api/v1/session", "/api/v1/sessions", "/api/v1/session?_method=DELETE"] {
            let answer = site.ask("GET", path, &[&cookie, header], "").await;
            assert_eq!(answer.status, 200, "{path} {header}");
        }
    }
    assert_eq!(site.ask("GET", "/api/v1/session", &[&cookie], "").await.status, 200, "still signed in");
    for method in ["TRACE", "CONNECT", "PROPFIND", "PATCH", "FOO"] {
        let answer = site.ask(method, "/api/v1/session", &[&cookie], "").await;
        assert!(matches!(answer.status, 400 | 405), "{method}: {answer:?}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("tirta_session"), "{method} echoes nothing");
    }
    site.stop().await;
}

#[tokio::test]
async fn an_address_is_the_one_of_the_connection_whatever_headers_say() {
    let (site, cookie) = site().await;
    let told = ["x-forwarded-for: 203.0.113.9", "forwarded: for=203.0.113.9", "x-real-ip: 203.0.113.9"];
    let body = json!({"name": "scada"}).to_string();
    let made = site.ask("POST", "/api/v1/intake-tokens", &[&cookie, JSON, told[0], told[1], told[2]], &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let log = site.ask("GET", "/api/v1/audit?act=intake_token.created", &[&cookie], "").await.json();
    assert_eq!(log["entries"][0]["address"], "127.0.0.1");
    // Nor does another address in each header buy more guesses.
    let guess = json!({"user": "admin", "password": "guess"}).to_string();
    let mut statuses = vec![];
    for n in 0..12 {
        let header = format!("x-forwarded-for: 203.0.113.{n}");
        statuses.push(site.ask_from(GUESSER, "POST", "/api/v1/session", &[JSON, &header], &guess).await.status);
    }
    // How many are let through depends on how long the machine takes for each.
    assert!(statuses.contains(&429), "{statuses:?}");
    site.stop().await;
}

#[tokio::test]
async fn who_guesses_tokens_or_cookies_is_slowed_down_or_learns_nothing_and_others_are_not_kept_out() {
    let (site, cookie) = site().await;
    let made = site.ask("POST", "/api/v1/intake-tokens", &[&cookie, JSON], "{\"name\":\"scada\"}").await.json();
    let good = format!("authorization: Bearer {}", made["token"].as_str().unwrap());
    let report = json!({"key": "pump", "state": "firing", "title": "hot"}).to_string();
    let mut statuses = vec![];
    for n in 0..12 {
        let bad = format!("authorization: Bearer tirta_in_{n:032}");
        statuses.push(site.ask_from(GUESSER, "POST", "/api/v1/webhooks/alerts", &[JSON, &bad], &report).await.status);
    }
    assert!(statuses[0] == 401 && statuses.contains(&429), "{statuses:?}");
    // The right one of the same site, behind the same router, and of another.
    for from in [GUESSER, Ipv4Addr::LOCALHOST] {
        assert_eq!(site.ask_from(from, "POST", "/api/v1/webhooks/alerts", &[JSON, &good], &report).await.status, 200);
    }
    let known = cookie.trim_start_matches("cookie: tirta_session=");
    for guess in ["", "x", &known[1..], &known.to_uppercase(), "' OR '1'='1", "null", "undefined", "../../etc/passwd"] {
        let answer = site.ask("GET", "/api/v1/session", &[&format!("cookie: tirta_session={guess}")], "").await;
        assert_eq!((answer.status, answer.code()), (401, "no_session".to_owned()), "{guess}");
    }
    assert_eq!(site.ask("GET", "/api/v1/session", &[&cookie], "").await.status, 200);
    site.stop().await;
}
