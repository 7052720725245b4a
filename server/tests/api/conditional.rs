//! Asking again only for what has changed, changing only what one has seen, and pages of other origins.

use crate::site::Site;
use serde_json::json;

const JSON: &str = "content-type: application/json";

#[tokio::test]
async fn an_answer_has_a_tag_and_is_sent_again_only_when_it_has_changed() {
    let site = Site::start().await;
    let cookie = format!("cookie: {}", site.sign_in().await);
    let first = site.ask("GET", "/api/v1/thresholds", &[&cookie], "").await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{first:?}");
    assert_eq!(first.header("cache-control"), "no-store", "it names who set them: only programs keep it");
    let known = format!("if-none-match: {tag}");
    let again = site.ask("GET", "/api/v1/thresholds", &[&cookie, &known], "").await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, &*tag));
    let packed = site.ask("GET", "/api/v1/thresholds", &[&cookie, &known, "accept-encoding: gzip"], "").await;
    assert_eq!(packed.status, 304, "however it is packed on the way");
    let set =
        json!({"targets": [{"scope": "fleet", "target": ""}], "metric": "ph", "threshold": {"low": {"warning": 6.5}}});
    let changed = site.ask("PUT", "/api/v1/thresholds", &[&cookie, JSON], &set.to_string()).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let newer = site.ask("GET", "/api/v1/thresholds", &[&cookie, &known], "").await;
    assert_eq!((newer.status, newer.header("etag") == tag), (200, false));
    let nobody = site.ask("GET", "/api/v1/thresholds", &[&known], "").await;
    assert_eq!((nobody.status, nobody.header("etag")), (401, ""), "a tag lets nobody in");
    site.stop().await;
}

#[tokio::test]
async fn what_is_about_people_or_names_them_stays_out_of_every_memory() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let paths = ["users", "session", "audit", "enrolment-tokens", "config", "alerts", "alerts/clearances", "silences"];
    for path in paths.into_iter().chain([
        "thresholds",
        "thresholds/history?scope=fleet&target=&metric=ph",
        "devices",
        "waiting",
    ]) {
        let answer = site.get(&cookie, &format!("/api/v1/{path}")).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{path}: {answer:?}");
    }
    for path in ["latest", "outages", "registrations"] {
        let answer = site.get(&cookie, &format!("/api/v1/{path}")).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "private, no-cache"), "{path}");
    }
    site.stop().await;
}

#[tokio::test]
async fn a_change_of_what_somebody_else_has_changed_meanwhile_is_refused() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let card = site.enrol(&admin).await;
    let cookie = format!("cookie: {admin}");
    let path = format!("/api/v1/devices/{}/settings", card.name);
    let settings = json!({"interval_ms": {"ph": 1000}}).to_string();
    let first = site.ask("PUT", &path, &[&cookie, JSON, "if-match: \"0\""], &settings).await;
    assert_eq!((first.status, first.header("etag")), (200, "\"1\""), "{first:?}");
    let late = site.ask("PUT", &path, &[&cookie, JSON, "if-match: \"0\""], &settings).await;
    assert_eq!((late.status, late.code(), &*late.field()), (412, "stale".to_owned(), "if-match"));
    assert!(late.json()["detail"].as_str().unwrap().contains("version 1"), "{late:?}");
    let bad = site.ask("PUT", &path, &[&cookie, JSON, "if-match: 1"], &settings).await;
    assert_eq!((bad.status, &*bad.field()), (400, "if-match"));
    assert_eq!(
        site.ask("PUT", &path, &[&cookie, JSON], &settings).await.status,
        200,
        "who does not ask is not held up"
    );

    let set = |low: f64| {
        let threshold = json!({"low": {"warning": low}});
        json!({"targets": [{"scope": "fleet", "target": ""}], "metric": "ph", "threshold": threshold}).to_string()
    };
    let put = async |version: &str, low: f64| {
        let seen = format!("if-match: \"{version}\"");
        site.ask("PUT", "/api/v1/thresholds", &[&cookie, JSON, &seen], &set(low)).await.status
    };
    assert_eq!((put("0", 6.0).await, put("0", 6.1).await, put("1", 6.2).await), (200, 412, 200));
    let kept = site.get(&admin, "/api/v1/thresholds").await.json();
    assert_eq!(kept["thresholds"][0]["version"], 2, "{kept}");
    site.stop().await;
}

#[tokio::test]
async fn no_page_of_another_origin_is_answered_unless_the_configuration_names_it() {
    let ask = [
        "origin: https://maps.example",
        "access-control-request-method: GET",
        "access-control-request-headers: authorization",
    ];
    let closed = Site::start().await;
    let preflight = closed.ask("OPTIONS", "/api/v1/devices", &ask, "").await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (405, ""));
    closed.stop().await;

    let site = Site::start_with("cors_origins = [\"https://maps.example\"]").await;
    let cookie = format!("cookie: {}", site.sign_in().await);
    let preflight = site.ask("OPTIONS", "/api/v1/devices", &ask, "").await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (200, "https://maps.example"));
    assert!(preflight.header("access-control-allow-headers").contains("authorization"), "{preflight:?}");
    assert_eq!(preflight.header("access-control-allow-credentials"), "", "never with a cookie");
    let other = ["origin: https://evil.example", ask[1], ask[2]];
    let preflight = site.ask("OPTIONS", "/api/v1/devices", &other, "").await;
    assert_eq!(preflight.header("access-control-allow-origin"), "");

    let read = site.ask("GET", "/api/v1/devices", &[ask[0]], "").await;
    let named = (read.status, read.header("access-control-allow-origin"));
    assert_eq!(named, (401, "https://maps.example"), "a page may read why it was refused");
    let read = site.ask("GET", "/api/v1/devices", &[ask[0], &cookie], "").await;
    assert_eq!(read.header("access-control-allow-credentials"), "", "and no browser shows it what a cookie opened");
    let body = json!({"returns_for_s": 60}).to_string();
    for origin in [ask[0], other[0]] {
        let change = site.ask("PUT", "/api/v1/enrolment-policy", &[origin, &cookie, JSON], &body).await;
        assert_eq!((change.status, change.code()), (403, "other_origin".to_owned()), "{origin}");
    }
    site.stop().await;
}
