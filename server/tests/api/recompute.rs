//! Computing history again over HTTP, and where its results are shown.

use crate::calibration::record;
use crate::site::{Device, Site, reading};
use serde_json::{Value, json};
use shared::Metric;
use shared::message::{ProbeReport, Sensors};
use shared::sensor::Sensor;

/// A device with a pH probe, a calibration and three readings from `at` on, a second apart.
async fn prepared(site: &Site, cookie: &str, at: i64) -> Device {
    let mut device = Device::join(site, cookie).await;
    let report = ProbeReport { source: "ads1115 0x48 A0".to_owned(), sensor: Sensor::usual(Metric::Ph), limits: None };
    device.describe(&Sensors::new([(Metric::Ph, report)].into())).await;
    device.calibrate(&record(1, at - 10)).await;
    // It has no thermometer, and says so.
    let cold = |n| {
        let reading = reading(n, at + n as i64 * 1000, Metric::Ph, Ok(1.5));
        shared::Reading { flags: reading.flags.with(shared::Flag::NoTemperature), ..reading }
    };
    device.send((1..=3).map(cold).collect()).await;
    device
}

#[tokio::test]
async fn history_is_computed_again_and_shown_unless_somebody_asks_for_what_the_device_sent() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let at = site.now() - 60_000;
    let device = prepared(&site, &cookie, at).await;
    let path = format!("/api/v1/devices/{}/recomputations", device.name);
    let body = json!({"metric": "ph", "from": at, "to": at + 3000});
    let made = site.send("POST", &cookie, &path, &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let about = ["revision", "metric", "from", "to", "made_by", "calibration", "readings", "changed"];
    let expected =
        [json!(1), json!("ph"), json!(at), json!(at + 3000), json!("admin"), json!(null), json!(2), json!(2)];
    assert_eq!(about.map(|field| made[field].clone()), expected);
    assert_eq!(made["digest"].as_str().unwrap().len(), 64);
    let named = json!({"metric": "ph", "from": at, "to": at + 3000, "calibration": "0000000000000001"});
    let again = site.send("POST", &cookie, &path, &named).await.json();
    assert_eq!((&again["revision"], &again["calibration"]), (&json!(2), &json!("0000000000000001")));
    assert_eq!(again["digest"], made["digest"], "it is the one that was in force");
    assert_eq!(site.get(&cookie, &path).await.json(), json!({"recomputations": [again, made]}));

    let range = format!("metric=ph&from={at}&to={}", at + 60_000);
    let shown = async |more: &str| {
        let readings = format!("/api/v1/devices/{}/readings?{range}{more}", device.name);
        let readings = site.get(&cookie, &readings).await.json()["readings"].as_array().unwrap().clone();
        readings.iter().map(|r| (r["revision"].as_u64().unwrap(), r["value"].as_f64().unwrap())).collect::<Vec<_>>()
    };
    // 3 mV below the zero of an electrode of 97 %: 3 / (3 x 59.16 x 0.97) above 7.
    assert_eq!(shown("").await, [(2, 7.017), (2, 7.017), (0, 1.5)]);
    assert_eq!(shown("&revision=1").await, [(1, 7.017), (1, 7.017), (0, 1.5)]);
    assert_eq!(shown("&revision=0").await, [(0, 1.5), (0, 1.5), (0, 1.5)]);
    let highest = async |more: &str| {
        let series = format!("/api/v1/devices/{}/series?{range}&points=1{more}", device.name);
        site.get(&cookie, &series).await.json()["max"].clone()
    };
    assert_eq!((highest("").await, highest("&revision=0").await), (json!([7.017]), json!([1.5])));
    site.stop().await;
}

#[tokio::test]
async fn what_can_not_be_computed_is_refused_with_the_reason() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let device = prepared(&site, &cookie, site.now() - 60_000).await;
    let path = format!("/api/v1/devices/{}/recomputations", device.name);
    let good = json!({"metric": "ph", "from": 0, "to": 1});
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    for (body, status, code, field) in [
        (with("metric", json!("mood")), 400, "invalid", "metric"),
        (with("from", json!(1)), 400, "invalid", "from"),
        (with("to", json!("yesterday")), 400, "invalid", "to"),
        (with("to", json!(1_763_690_400_000_000_i64)), 400, "invalid", "to"),
        (with("calibration", json!("newest")), 400, "invalid", "calibration"),
        (with("calibration", json!("0000000000000009")), 400, "invalid", "calibration"),
        (with("revision", json!(1)), 400, "invalid", "revision"),
        (with("metric", json!("tds")), 409, "no_sensor", "metric"),
    ] {
        let answer = site.send("POST", &cookie, &path, &body).await;
        let found = (answer.status, answer.code(), answer.field());
        assert_eq!(found, (status, code.to_owned(), field.to_owned()), "{body}");
    }
    let unknown = site.send("POST", &cookie, "/api/v1/devices/pi-99/recomputations", &good).await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown_device".to_owned()));
    let busy = site.app.recomputing.lock().await;
    let second = site.send("POST", &cookie, &path, &good).await;
    assert_eq!((second.status, second.code()), (409, "busy".to_owned()));
    drop(busy);
    assert_eq!(site.send("POST", &cookie, &path, &good).await.status, 201);
    site.stop().await;
}
