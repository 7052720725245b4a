//! Readings on their whole way: from a device over MQTT to what a browser is told.

use crate::site::{Device, Site, reading};
use serde_json::json;
use shared::{Fault, Metric};

#[tokio::test]
async fn a_reading_goes_from_the_device_to_every_place_where_it_is_shown() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    let at = site.now() - 60_000;
    device
        .send(vec![
            reading(1, at, Metric::Ph, Ok(7.25)),
            reading(2, at + 1000, Metric::Ph, Err(Fault::NoAnswer)),
            reading(3, at + 1000, Metric::Temperature, Ok(-1.5)),
        ])
        .await;

    let latest = site.get(&cookie, "/api/v1/latest").await.json();
    let fault = json!({"device": device.name, "metric": "ph", "unit": "pH", "time": at + 1000, "clock": "synced",
        "value": null, "fault": "no_answer", "millivolts": 1500.0, "spread": 0.25, "flags": ["simulated"], "revision": 0});
    let latest = latest["latest"].as_array().unwrap();
    assert_eq!(latest.len(), 2);
    assert!(latest.contains(&fault), "{latest:?}");

    let path = format!("/api/v1/devices/{}/readings?metric=ph&from={at}&to={}", device.name, at + 1001);
    let both = site.get(&cookie, &path).await.json();
    assert_eq!((&both["unit"], &both["truncated"]), (&json!("pH"), &json!(false)));
    assert_eq!(both["readings"][0]["value"], 7.25);
    assert_eq!(both["readings"][1]["fault"], "no_answer");
    let one = site.get(&cookie, &format!("{path}&limit=1")).await.json();
    assert_eq!((one["readings"].as_array().unwrap().len(), &one["truncated"]), (1, &json!(true)));

    let range = format!("from={}&to={}&points=10", at - 1000, at + 60_000);
    let series = site.get(&cookie, &format!("/api/v1/devices/{}/series?metric=ph&{range}", device.name)).await.json();
    let sum = |column: &str| series[column].as_array().unwrap().iter().filter_map(|n| n.as_i64()).sum::<i64>();
    assert_eq!((sum("count"), sum("faults")), (1, 1), "{series}");
    let lengths = ["time", "min", "avg", "max", "count", "faults"].map(|c| series[c].as_array().unwrap().len());
    assert!(lengths.iter().all(|length| *length == lengths[0]), "{series}");
    let all = site.get(&cookie, &format!("/api/v1/series?metric=ph&{range}")).await.json();
    assert_eq!(all["series"], json!([series]));
    site.stop().await;
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_answered_with_the_field_that_is_wrong() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    Device::join(&site, &cookie).await;
    for (query, field) in [
        ("", "metric"),
        ("?metric=humidity", "metric"),
        ("?metric=ph&from=yesterday", "from"),
        ("?metric=ph&from=5&to=5", "from"),
        ("?metric=ph&from=6&to=5", "from"),
        ("?metric=ph&to=1763690400000000", "to"),
        ("?metric=ph&from=-9223372036854775808", "from"),
        ("?metric=ph&to=99999999999999999999", "to"),
        ("?metric=ph&since=5", "since"),
        ("?metric=ph&metric=tds", "metric"),
    ] {
        for path in ["/api/v1/devices/pi-1/readings", "/api/v1/devices/pi-1/series", "/api/v1/series"] {
            let answer = site.get(&cookie, &format!("{path}{query}")).await;
            let found = (answer.status, answer.code(), answer.field());
            assert_eq!(found, (400, "invalid".to_owned(), field.to_owned()), "{path}{query}: {answer:?}");
        }
    }
    for (path, field) in [
        ("/api/v1/devices/pi-1/readings?metric=ph&limit=0", "limit"),
        ("/api/v1/devices/pi-1/readings?metric=ph&limit=10001", "limit"),
        ("/api/v1/devices/pi-1/series?metric=ph&points=0", "points"),
        ("/api/v1/series?metric=ph&points=-1", "points"),
        ("/api/v1/series?metric=ph&points=2001", "points"),
    ] {
        let answer = site.get(&cookie, path).await;
        assert_eq!((answer.status, answer.field()), (400, field.to_owned()), "{path}");
    }
    for path in ["/api/v1/devices/pi-2/readings?metric=ph", "/api/v1/devices/PI%201/series?metric=ph"] {
        let answer = site.get(&cookie, path).await;
        assert_eq!((answer.status, answer.code()), (404, "unknown_device".to_owned()), "{path}");
    }
    site.stop().await;
}
