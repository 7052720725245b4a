//! What a monitoring system reads, and who is not let in; the configuration that a supporter reads.

use crate::site::{Device, Site, reading};
use serde_json::json;
use shared::Metric;

const TOKEN: &str = "0123456789abcdef-metrics";

/// The value of a line.
fn value(text: &str, line: &str) -> Option<f64> {
    text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn what_happens_is_counted_and_only_whoever_has_the_token_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metrics.token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let site = Site::start_with(&format!("metrics_token_file = {file:?}")).await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    let at = site.now();
    device.send(vec![reading(1, at, Metric::Ph, Ok(7.0)), reading(2, at, Metric::Ph, Ok(7.1))]).await;
    device.send(vec![reading(2, at, Metric::Ph, Ok(7.1)), reading(3, at, Metric::Ph, Ok(7.2))]).await;
    let well = json!({"name": "well-3"});
    assert_eq!(site.send("POST", &cookie, "/api/v1/devices", &well).await.status, 201);
    let handed = json!({"device": "well-3", "metric": "ph", "time": at, "value": 7.0, "unit": "pH"});
    for status in [201, 200] {
        assert_eq!(site.send("POST", &cookie, "/api/v1/readings", &handed).await.status, status);
    }
    let _watch = site.watch("", &[("cookie", &cookie)]).await.unwrap();
    site.get(&cookie, &format!("/api/v1/devices/{}", device.name)).await;
    site.get(&cookie, "/nowhere/at/all").await;

    let bearer = format!("authorization: Bearer {TOKEN}");
    let answer = site.ask("GET", "/metrics", &[&bearer], "").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    let text = String::from_utf8(answer.body.clone()).unwrap();
    for (line, wanted) in [
        ("tirta_readings_total{outcome=\"committed\"}", 4.0),
        ("tirta_readings_total{outcome=\"repeated\"}", 2.0),
        ("tirta_batches_total{outcome=\"committed\"}", 2.0),
        ("tirta_ingest_lag_seconds_count", 2.0),
        ("tirta_websocket_watchers", 1.0),
        ("tirta_broker_connected", 1.0),
        ("tirta_devices{state=\"revoked\"}", 0.0),
    ] {
        assert_eq!(value(&text, line), Some(wanted), "{line} in {text}");
    }
    let route = "tirta_http_requests_total{method=\"GET\",route=\"/api/v1/devices/{name}\",status=\"200\"}";
    assert_eq!(value(&text, route), Some(1.0), "{text}");
    assert!(text.contains("route=\"other\""), "{text}");
    assert!(!text.contains(&device.name) && !text.contains("/nowhere"), "no label is of somebody's making");

    for headers in [vec![], vec![format!("cookie: {cookie}")], vec!["authorization: Bearer wrong".to_owned()]] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let refused = site.ask("GET", "/metrics", &headers, "").await;
        assert!(matches!(refused.status, 401 | 429) && !refused.json().to_string().contains("tirta_"), "{refused:?}");
    }
    site.stop().await;
}

#[tokio::test]
async fn without_a_token_in_the_configuration_nobody_reads_what_is_counted() {
    let site = Site::start().await;
    let answer = site.ask("GET", "/metrics", &[&format!("authorization: Bearer {TOKEN}")], "").await;
    assert_eq!((answer.status, answer.code()), (404, "no_metrics".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn the_configuration_in_force_is_shown_to_whoever_may_see_it() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let shown = site.get(&cookie, "/api/v1/config").await.json();
    assert_eq!((&shown["storage"], &shown["broker"]["kind"]), (&"sqlite".into(), &"embedded".into()), "{shown}");
    assert_eq!((&shown["metrics"], &shown["time_zone"]), (&false.into(), &"Asia/Jakarta".into()));
    let technician = site.person(&cookie, "tono", "technician").await;
    assert_eq!(site.get(&technician, "/api/v1/config").await.code(), "forbidden");
    site.stop().await;
}
