//! Presets of people's own making: from the limits of a form to a preset, into a threshold, and out again.

use crate::site::{Site, said};
use serde_json::{Value, json};

const PATH: &str = "/api/v1/thresholds/presets";

fn pond(high: f64) -> Value {
    json!({"name": "Kolam lele", "source": "Measured here", "metrics": {"ph": {"high": {"warning": high}}}})
}

async fn shown(site: &Site, cookie: &str, id: &Value) -> Option<Value> {
    let all = site.get(cookie, PATH).await.json()["presets"].clone();
    all.as_array().unwrap().iter().find(|preset| preset["id"] == *id).cloned()
}

#[tokio::test]
async fn a_threshold_that_was_set_by_a_preset_stays_when_the_preset_changes_or_goes() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let supervisor = site.person(&cookie, "sari", "supervisor").await;
    let made = site.send("POST", &supervisor, PATH, &pond(8.5)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].clone();
    assert_eq!(
        (&made.json()["group"], &made.json()["changed_by"], &made.json()["version"]),
        (&json!("own"), &json!("sari"), &json!(1))
    );
    let fleet = json!([{"scope": "fleet"}]);
    let body = json!({"targets": fleet, "metric": "ph", "threshold": {"high": {"warning": 8.5}}, "preset": id});
    assert_eq!(site.send("PUT", &supervisor, "/api/v1/thresholds", &body).await.status, 200);

    let path = format!("{PATH}/{}", id.as_str().unwrap());
    let changed = site.send("PUT", &supervisor, &path, &pond(9.0)).await;
    assert_eq!((changed.status, &changed.json()["version"]), (200, &json!(2)), "{changed:?}");
    let in_force = async || site.get(&supervisor, "/api/v1/thresholds").await.json()["thresholds"][0].clone();
    assert_eq!(in_force().await["threshold"]["high"]["warning"], 8.5);
    assert_eq!(shown(&site, &supervisor, &id).await.unwrap()["metrics"]["ph"]["high"]["warning"], 9.0);

    assert_eq!(site.send("DELETE", &supervisor, &path, &json!({})).await.status, 204);
    assert_eq!(shown(&site, &supervisor, &id).await, None);
    assert_eq!((&in_force().await["threshold"]["high"]["warning"], &in_force().await["preset"]), (&json!(8.5), &id));
    for method in ["PUT", "DELETE"] {
        assert_eq!(said(&site.send(method, &supervisor, &path, &pond(9.0)).await), (404, "unknown_preset".to_owned()));
    }
    let again = site.send("PUT", &supervisor, "/api/v1/thresholds", &body).await;
    assert_eq!(again.status, 200, "whoever undoes a change sets again what was set by it: {again:?}");
    let audit = site.get(&cookie, "/api/v1/audit?act=preset.made,preset.changed,preset.removed").await.json();
    let acts: Vec<_> = audit["entries"].as_array().unwrap().iter().map(|entry| entry["act"].clone()).collect();
    assert_eq!(acts, ["preset.removed", "preset.changed", "preset.made"]);
    site.stop().await;
}

#[tokio::test]
async fn what_can_be_no_preset_is_refused_by_its_field_and_those_built_in_stay() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let technician = site.person(&cookie, "tono", "technician").await;
    assert_eq!(said(&site.send("POST", &technician, PATH, &pond(8.5)).await), (403, "forbidden".to_owned()));
    assert_eq!(site.get(&technician, PATH).await.status, 200);
    let with = |field: &str, value: Value| {
        let mut body = pond(8.5);
        body[field] = value;
        body
    };
    for (field, body) in [
        ("name", with("name", json!("  "))),
        ("name", with("name", json!("x".repeat(61)))),
        ("source", with("source", json!(""))),
        ("metrics", with("metrics", json!({}))),
        ("metrics.humidity", with("metrics", json!({"humidity": {"high": {"warning": 9}}}))),
        ("metrics.ph", with("metrics", json!({"ph": {}}))),
        ("metrics.ph.high.warn", with("metrics", json!({"ph": {"high": {"warn": 9}}}))),
        ("group", with("group", json!("own"))),
    ] {
        let answer = site.send("POST", &cookie, PATH, &body).await;
        assert_eq!((answer.status, answer.field().as_str()), (400, field), "{answer:?}");
    }
    assert_eq!(site.send("POST", &cookie, PATH, &pond(8.5)).await.status, 201);
    let twice = site.send("POST", &cookie, PATH, &pond(9.0)).await;
    assert_eq!((twice.status, twice.code(), twice.field()), (409, "taken".to_owned(), "name".to_owned()));
    let built_in = format!("{PATH}/wastewater-class-1");
    assert_eq!(said(&site.send("PUT", &cookie, &built_in, &pond(9.0)).await), (404, "unknown_preset".to_owned()));
    let kept = shown(&site, &cookie, &json!("wastewater-class-1")).await.unwrap();
    assert_eq!(kept["changed_by"], Value::Null);
    site.stop().await;
}
