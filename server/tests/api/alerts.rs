//! Thresholds and alerts: what is set reaches the device, what its readings pass is shown, and what people do with that.

use crate::fleet;
use crate::site::{Answer, Device, Site, reading};
use serde_json::{Value, json};
use shared::message::LinkState;
use shared::{Metric, Settings, Status, Topic};

async fn set(site: &Site, cookie: &str, target: &str, threshold: Value) -> Value {
    let body = json!({"targets": [{"scope": "device", "target": target}], "metric": "ph", "threshold": threshold});
    let answer = site.send("PUT", cookie, "/api/v1/thresholds", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn alerts(site: &Site, cookie: &str, query: &str) -> Value {
    let answer = site.get(cookie, &format!("/api/v1/alerts{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn a_threshold_reaches_its_device_which_is_waited_for_until_it_says_that_it_runs_it() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    let changed =
        set(&site, &cookie, &device.name, json!({"high": {"warning": 9, "critical": 14}, "hold_ms": 5000})).await;
    assert_eq!(changed, json!({"devices": [device.name]}));
    let settings = Settings::decode(device.hear(Topic::Settings).await.as_bytes()).unwrap();
    assert_eq!(settings.version, 1);
    assert_eq!(settings.thresholds[&Metric::Ph].hold_ms, 5000);

    let path = format!("/api/v1/devices/{}/thresholds", device.name);
    let shown = site.get(&cookie, &path).await.json();
    let own = &shown["thresholds"]["ph"];
    assert_eq!((&own["scope"], &own["version"], &own["applied"]), (&json!("device"), &json!(1), &json!(false)));
    assert_eq!(own["waiting_since"], own["changed_at"]);
    assert_eq!(own["threshold"], json!({"high": {"warning": 9.0, "critical": 14.0}, "hold_ms": 5000, "clear_ms": 0}));
    let mut status = Status::new(LinkState::Online);
    status.settings = 1;
    device.say(&status).await;
    fleet::until("the device runs it", async || {
        let own = &site.get(&cookie, &path).await.json()["thresholds"]["ph"];
        own["applied"] == true && own["waiting_since"].is_null()
    })
    .await;

    set(&site, &cookie, &device.name, Value::Null).await;
    let settings = Settings::decode(device.hear(Topic::Settings).await.as_bytes()).unwrap();
    assert!(settings.version == 2 && settings.thresholds.is_empty());
    let history = site.get(&cookie, &format!("/api/v1/thresholds/history?scope=device&target={}", device.name)).await;
    let versions: Vec<_> =
        history.json()["thresholds"].as_array().unwrap().iter().map(|t| t["version"].clone()).collect();
    assert_eq!(versions, [json!(2), json!(1)]);
    assert_eq!(site.get(&cookie, "/api/v1/thresholds").await.json(), json!({"thresholds": []}));
    site.stop().await;
}

#[tokio::test]
async fn a_threshold_that_can_not_be_is_refused_by_its_field_and_none_of_the_targets_has_it() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let device = site.enrol(&cookie).await.name;
    let good = json!({"high": {"warning": 9}});
    let own = json!({"scope": "device", "target": device});
    for (targets, metric, threshold, field) in [
        (json!([own]), "humidity", good.clone(), "metric"),
        (json!([]), "ph", good.clone(), "targets"),
        (json!([own, {"scope": "device", "target": "pi-99"}]), "ph", good.clone(), "targets[1].target"),
        (json!([{"scope": "location", "target": "Nowhere"}]), "ph", good.clone(), "targets[0].target"),
        (json!([{"scope": "fleet", "target": "x"}]), "ph", good.clone(), "targets[0].target"),
        (json!([own]), "ph", json!({"high": {"warning": 9, "critical": 8}}), "threshold.high.critical"),
        (json!([own]), "ph", json!({"high": {"warn": 9}}), "threshold.high.warn"),
        (json!([own]), "ph", json!({}), "threshold"),
    ] {
        let body = json!({"targets": targets, "metric": metric, "threshold": threshold});
        let answer = site.send("PUT", &cookie, "/api/v1/thresholds", &body).await;
        assert_eq!((answer.status, answer.field().as_str()), (400, field), "{answer:?}");
    }
    let body = json!({"targets": [own], "metric": "ph", "threshold": good, "preset": "none-such"});
    assert_eq!(site.send("PUT", &cookie, "/api/v1/thresholds", &body).await.field(), "preset");
    assert_eq!(site.get(&cookie, "/api/v1/thresholds").await.json(), json!({"thresholds": []}));
    let presets = site.get(&cookie, "/api/v1/thresholds/presets").await.json();
    assert!(presets["presets"].as_array().unwrap().iter().any(|preset| preset["id"] == "wastewater-class-1"));
    site.stop().await;
}

#[tokio::test]
async fn a_threshold_of_a_location_that_has_lost_its_devices_can_be_taken_away_but_not_set() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    site.with_database(|database| {
        let pond = "INSERT INTO registration (name, location, metrics, notes, created_at, changed_at)
            VALUES ('pi-7', 'Pond', '', '', 0, 0)";
        database.execute(pond, []).unwrap()
    })
    .await;
    let put = async |metric: &str, threshold: Value| {
        let body =
            json!({"targets": [{"scope": "location", "target": "Pond"}], "metric": metric, "threshold": threshold});
        site.send("PUT", &cookie, "/api/v1/thresholds", &body).await
    };
    assert_eq!(put("ph", json!({"high": {"warning": 9}})).await.status, 200);
    site.with_database(|database| database.execute("DELETE FROM registration", []).unwrap()).await;
    for refused in [put("ph", json!({"high": {"warning": 8}})).await, put("tds", Value::Null).await] {
        assert_eq!((refused.status, refused.field().as_str()), (400, "targets[0].target"), "{refused:?}");
    }
    let taken = put("ph", Value::Null).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    assert_eq!(site.get(&cookie, "/api/v1/thresholds").await.json(), json!({"thresholds": []}));
    site.stop().await;
}

#[tokio::test]
async fn what_passes_a_limit_is_an_alert_that_is_found_acted_upon_and_exported() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    set(&site, &cookie, &device.name, json!({"high": {"warning": 9}})).await;
    device.send(vec![reading(1, site.now() - 1000, Metric::Ph, Ok(9.4))]).await;
    let list = alerts(&site, &cookie, "?state=open,acknowledged&q=pi-").await;
    assert_eq!(list["counts"], json!({"open": 1, "acknowledged": 0, "critical": 0, "unread": 1}));
    let alert = &list["alerts"][0];
    assert_eq!((&alert["kind"], &alert["value"], &alert["limit"]), (&json!("high"), &json!(9.4), &json!(9.0)));
    assert!(
        alert["text"]["id"].as_str().unwrap().starts_with(&format!("pH {} tinggi: 9,4 (batas 9,0) sejak", device.name))
    );
    assert_eq!(alert["simulated"], true);

    let id = alert["id"].as_i64().unwrap();
    let act = async |body: Value| site.send("POST", &cookie, "/api/v1/alerts/act", &body).await;
    assert_eq!(act(json!({"ids": [id], "act": "resolve"})).await.field(), "reason");
    assert_eq!(act(json!({"ids": [], "act": "read"})).await.field(), "ids");
    assert_eq!(act(json!({"ids": [id], "act": "snooze", "until": 5})).await.field(), "until");
    assert_eq!(act(json!({"ids": [id], "act": "acknowledge"})).await.json(), json!({"done": [id]}));
    assert_eq!(act(json!({"ids": [id], "act": "note", "text": "on my way"})).await.status, 200);
    let whole = site.get(&cookie, &format!("/api/v1/alerts/{id}")).await.json();
    let what: Vec<_> = whole["events"].as_array().unwrap().iter().map(|event| event["what"].clone()).collect();
    assert_eq!(what, [json!("raised"), json!("acknowledged"), json!("noted")]);
    assert_eq!(whole["alert"]["acknowledged_by"], "admin");
    assert_eq!(whole["events"][2]["detail"]["text"], "on my way");

    let file = String::from_utf8(site.get(&cookie, "/api/v1/alerts.csv?severity=warning").await.body).unwrap();
    assert_eq!(file.lines().count(), 2);
    assert!(file.starts_with("id,source,kind,") && file.contains(&format!("{id},rule,high,{}", device.name)));
    assert!(alerts(&site, &cookie, "?severity=critical").await["alerts"].as_array().unwrap().is_empty());
    assert_eq!(site.get(&cookie, "/api/v1/alerts?state=shut").await.field(), "state");
    assert_eq!(site.get(&cookie, "/api/v1/alerts?limit=0").await.field(), "limit");
    assert_eq!(site.get(&cookie, "/api/v1/alerts/77").await.code(), "unknown_alert");

    let cleared = site.send("POST", &cookie, "/api/v1/alerts/clear", &json!({})).await.json();
    assert_eq!(cleared["clearance"]["alerts"], 1);
    assert!(alerts(&site, &cookie, "").await["alerts"].as_array().unwrap().is_empty());
    let restore = format!("/api/v1/alerts/clearances/{}/restore", cleared["clearance"]["id"]);
    assert_eq!(site.send("POST", &cookie, &restore, &json!({})).await.json(), json!({"alerts": 1}));
    assert_eq!(site.send("POST", &cookie, &restore, &json!({})).await.code(), "unknown_clearance");
    assert_eq!(alerts(&site, &cookie, "").await["alerts"][0]["id"], id);
    site.stop().await;
}

#[tokio::test]
async fn a_threshold_is_tried_on_the_readings_of_the_last_days() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    let values = [7.0, 9.5, 9.6, 7.0, 9.3, 7.0];
    let start = site.now() - 3_600_000;
    let readings =
        values.iter().zip(1..).map(|(value, n)| reading(n, start + 60_000 * n as i64, Metric::Ph, Ok(*value)));
    device.send(readings.collect()).await;
    let body = json!({"device": device.name, "metric": "ph", "threshold": {"high": {"warning": 9}}});
    let preview = site.send("POST", &cookie, "/api/v1/thresholds/preview", &body).await.json();
    assert_eq!((&preview["count"], &preview["readings"], &preview["truncated"]), (&json!(2), &json!(6), &json!(false)));
    assert_eq!(preview["alerts"][0]["extreme"], 9.6);
    assert_eq!(preview["alerts"][1]["resolved_at"], start + 360_000);
    assert!(alerts(&site, &cookie, "").await["alerts"].as_array().unwrap().is_empty(), "nothing was set");
    let unknown = json!({"device": "pi-99", "metric": "ph", "threshold": {"high": {"warning": 9}}});
    assert_eq!(site.send("POST", &cookie, "/api/v1/thresholds/preview", &unknown).await.code(), "unknown_device");
    site.stop().await;
}

#[tokio::test]
async fn a_threshold_of_the_fleet_is_there_for_a_device_that_enrols_later() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let body = json!({"targets": [{"scope": "fleet"}], "metric": "ph", "threshold": {"high": {"warning": 9}}});
    assert_eq!(site.send("PUT", &cookie, "/api/v1/thresholds", &body).await.json(), json!({"devices": []}));
    let mut device = Device::join(&site, &cookie).await;
    let settings = Settings::decode(device.hear(Topic::Settings).await.as_bytes()).unwrap();
    assert!(settings.thresholds.contains_key(&Metric::Ph));
    site.stop().await;
}

#[tokio::test]
async fn a_control_character_is_refused_by_its_field_wherever_text_is_taken() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let refused = |answer: Answer, field: &str| {
        assert_eq!(
            (answer.status, answer.code().as_str(), answer.field().as_str()),
            (422, "invalid", field),
            "{answer:?}"
        );
    };
    let act = async |body: Value| site.send("POST", &cookie, "/api/v1/alerts/act", &body).await;
    refused(act(json!({"ids": [1], "act": "resolve", "reason": "re\0paired"})).await, "reason");
    refused(act(json!({"ids": [1], "act": "assign", "assignee": "si\u{1b}ti"})).await, "assignee");
    refused(act(json!({"ids": [1], "act": "note", "text": "\0"})).await, "text");
    assert_eq!(act(json!({"ids": [1], "act": "note", "text": "two\nlines"})).await.json(), json!({"done": []}));
    let clear = json!({"q": "pi\0", "severity": "warning"});
    refused(site.send("POST", &cookie, "/api/v1/alerts/clear", &clear).await, "q");
    let silence =
        json!({"kind": "silence", "scope": "fleet", "from": site.now(), "to": site.now() + 60_000, "reason": "a\0b"});
    refused(site.send("POST", &cookie, "/api/v1/silences", &silence).await, "reason");
    for (path, field) in [
        ("/api/v1/alerts?q=a%00", "q"),
        ("/api/v1/alerts?device=%07", "device"),
        ("/api/v1/alerts.csv?assignee=%00", "assignee"),
        ("/api/v1/audit?device=pi%00", "device"),
    ] {
        refused(site.get(&cookie, path).await, field);
    }
    refused(site.send("DELETE", &cookie, "/api/v1/intake-tokens/a%00", &Value::Null).await, "id");
    site.stop().await;
}
