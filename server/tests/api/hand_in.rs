//! Readings that programs hand in, and the devices that they are of.

use crate::site::{Answer, Site};
use serde_json::{Value, json};

/// A program with a key.
struct Program<'a> {
    site: &'a Site,
    authorization: String,
}

impl Program<'_> {
    async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [&*self.authorization, "content-type: application/json"];
        self.site.ask(method, path, &headers, &body.to_string()).await
    }

    async fn hand_in(&self, more: &[&str], path: &str, body: &str) -> Answer {
        self.site.ask("POST", path, &[&[&*self.authorization][..], more].concat(), body).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.site.ask("GET", path, &[&self.authorization], "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

const JSON: &str = "content-type: application/json";
const SENML: &str = "content-type: application/senml+json";
const BATCH: &str = "/api/v1/readings/batch";

/// A program that may do all that gateways do; `more`: further fields of its key.
async fn program<'a>(site: &'a Site, admin: &str, more: Value) -> Program<'a> {
    let mut body =
        json!({"name": "gateway", "scopes": ["read", "write_readings", "approve_devices", "configure_devices"]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = site.send("POST", admin, "/api/v1/keys", &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let authorization = format!("authorization: Bearer {}", made.json()["key"].as_str().unwrap());
    Program { site, authorization }
}

fn said(answer: &Answer) -> (u16, String, String) {
    (answer.status, answer.code(), answer.field())
}

fn ph(device: &str, time: i64, value: f64) -> Value {
    json!({"device": device, "metric": "ph", "time": time, "value": value, "unit": "pH"})
}

fn outcomes(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let results = answer.json()["results"].as_array().unwrap().clone();
    results.iter().map(|r| r["code"].as_str().or(r["outcome"].as_str()).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_device_without_a_board_is_made_measures_stands_somewhere_else_and_goes() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let program = program(&site, &admin, json!({})).await;
    let new = json!({"name": "well-3", "location": " North ", "latitude": -6.2, "longitude": 106.8, "metrics": ["tds", "ph"],
        "notes": "hand pump", "silent_after_s": 120});
    let made = program.send("POST", "/api/v1/devices", &new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let device = made.json();
    assert_eq!(
        (&device["state"], &device["serial"], &device["key_sha256"]),
        (&json!("never"), &json!(null), &json!(""))
    );
    assert_eq!(
        (&device["location"], &device["latitude"], &device["metrics"]),
        (&json!("North"), &json!(-6.2), &json!(["ph", "tds"]))
    );

    let now = site.now();
    assert_eq!(program.send("POST", "/api/v1/readings", &ph("well-3", now, 7.0)).await.status, 201);
    let shown = program.get("/api/v1/devices/well-3").await;
    assert_eq!((&shown["state"], &shown["silent_after_s"]), (&json!("online"), &json!(120)));
    site.let_pass(121_000);
    assert_eq!(program.get("/api/v1/devices/well-3").await["state"], "offline");

    let change = json!({"location": "South", "latitude": null, "longitude": null, "silent_after_s": 600});
    let changed = program.send("PATCH", "/api/v1/devices/well-3", &change).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let device = changed.json();
    assert_eq!(
        (&device["location"], &device["latitude"], &device["notes"]),
        (&json!("South"), &json!(null), &json!("hand pump"))
    );
    assert_eq!(
        (&device["state"], &device["metrics"]),
        (&json!("online"), &json!(["ph", "tds"])),
        "what is not named stays"
    );
    assert_eq!(program.send("PATCH", "/api/v1/devices/well-3", &change).await.status, 200, "changes nothing any more");

    let taken = program.send("POST", "/api/v1/devices", &new).await;
    assert_eq!(said(&taken), (409, "taken".into(), "name".into()));
    assert_eq!(program.send("DELETE", "/api/v1/devices/well-3", &json!({})).await.status, 204);
    let refused = program.send("POST", "/api/v1/readings", &ph("well-3", now + 1, 7.0)).await;
    assert_eq!(said(&refused), (409, "revoked".into(), "device".into()));
    let readings = program.get("/api/v1/devices/well-3/readings?metric=ph").await;
    assert_eq!(readings["readings"].as_array().unwrap().len(), 1, "its data stays");
    assert_eq!(
        program.send("POST", "/api/v1/devices", &json!({"name": "well-3"})).await.status,
        201,
        "it is taken back"
    );
    assert_eq!(program.get("/api/v1/devices/well-3").await["notes"], "hand pump");
    let told = site.get(&admin, "/api/v1/audit?device=well-3").await.json();
    let acts: Vec<_> = told["entries"].as_array().unwrap().iter().map(|entry| entry["act"].clone()).collect();
    assert_eq!(acts, ["device.registered", "device.revoked", "device.changed", "device.registered"]);
    let before = json!({"location": "North", "latitude": -6.2, "longitude": 106.8, "silent_after_s": 120});
    let after = json!({"location": "South", "latitude": null, "longitude": null, "silent_after_s": 600});
    assert_eq!(told["entries"][2]["detail"], json!({"before": before, "after": after}));
    site.stop().await;
}

#[tokio::test]
async fn what_a_device_cannot_be_is_refused_and_one_with_a_board_stays_what_it_is() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let program = program(&site, &admin, json!({})).await;
    for (field, body) in [
        ("name", json!({"name": "Well 3"})),
        ("latitude", json!({"name": "well-3", "latitude": 91, "longitude": 5})),
        ("latitude", json!({"name": "well-3", "latitude": 5})),
        ("silent_after_s", json!({"name": "well-3", "silent_after_s": 5})),
        ("location", json!({"name": "well-3", "location": "x".repeat(101)})),
        ("serial", json!({"name": "well-3", "serial": "10000000a3c40011"})),
    ] {
        let answer = program.send("POST", "/api/v1/devices", &body).await;
        assert_eq!((answer.status, answer.field()), (400, field.to_owned()), "{body}: {answer:?}");
    }
    let card = site.enrol(&admin).await;
    let board = ph(&card.name, site.now(), 7.0);
    let refused = program.send("POST", "/api/v1/readings", &board).await;
    assert_eq!(said(&refused), (409, "has_board".into(), "device".into()), "only its board says what it measures");
    let silence =
        program.send("PATCH", &format!("/api/v1/devices/{}", card.name), &json!({"silent_after_s": 600})).await;
    assert_eq!((silence.status, silence.field()), (400, "silent_after_s".to_owned()));
    let moved = program.send("PATCH", &format!("/api/v1/devices/{}", card.name), &json!({"location": "North"})).await;
    assert_eq!((moved.status, &moved.json()["location"]), (200, &json!("North")));
    assert!(moved.json()["serial"].is_string());

    program.send("POST", "/api/v1/devices", &json!({"name": "well-3"})).await;
    let settings = program.send("PUT", "/api/v1/devices/well-3/settings", &json!({"interval_ms": {"ph": 1000}})).await;
    assert_eq!((settings.status, settings.code()), (409, "no_board".to_owned()), "nobody there can be told anything");
    let claim = json!({"name": "well-3", "serial": "10000000a3c40011", "location": "North"});
    let claimed = site.send("POST", &admin, "/api/v1/claim", &claim).await;
    assert_eq!((claimed.status, claimed.code()), (409, "no_board".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn a_reading_is_stored_then_a_duplicate_and_another_value_for_it_a_conflict() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let program = program(&site, &admin, json!({})).await;
    program.send("POST", "/api/v1/devices", &json!({"name": "well-3"})).await;
    let now = site.now();
    let send = async |body: Value| program.send("POST", "/api/v1/readings", &body).await;
    let first = send(ph("well-3", now, 7.0)).await;
    assert_eq!((first.status, &first.json()["outcome"]), (201, &json!("stored")));
    let again = send(ph("well-3", now, 7.0)).await;
    assert_eq!((again.status, &again.json()["outcome"]), (200, &json!("duplicate")));
    assert_eq!(said(&send(ph("well-3", now, 7.1)).await), (409, "conflict".into(), "value".into()));
    assert_eq!(said(&send(ph("well-4", now, 7.1)).await), (400, "unknown_device".into(), "device".into()));
    assert_eq!(said(&send(ph("well-3", now / 1000, 7.1)).await), (400, "invalid".into(), "time".into()));
    let simulated = json!({"device": "well-3", "metric": "temperature", "time": now, "value": 300.15, "unit": "K", "simulated": true});
    assert_eq!(send(simulated).await.status, 201);
    let fault = json!({"device": "well-3", "metric": "tds", "time": now, "fault": "no_answer"});
    assert_eq!(send(fault).await.status, 201);
    let latest = program.get("/api/v1/latest").await;
    let of =
        |metric: &str| latest["latest"].as_array().unwrap().iter().find(|r| r["metric"] == metric).unwrap().clone();
    assert_eq!(
        (&of("ph")["value"], &of("ph")["clock"], &of("ph")["flags"]),
        (&json!(7.0), &json!("synced"), &json!([]))
    );
    assert_eq!((&of("temperature")["value"], &of("temperature")["flags"]), (&json!(27.0), &json!(["simulated"])));
    assert_eq!((&of("tds")["value"], &of("tds")["fault"]), (&json!(null), &json!("no_answer")));
    assert_eq!(program.get("/api/v1/devices/well-3").await["simulated"], true);
    site.stop().await;
}

#[tokio::test]
async fn a_batch_is_taken_as_far_as_it_can_be_and_says_of_each_what_became_of_it() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let program = program(&site, &admin, json!({})).await;
    for name in ["well-3", "well-4"] {
        program.send("POST", "/api/v1/devices", &json!({"name": name})).await;
    }
    let mut watch = site.watch("?device=well-4", &[("authorization", &program.authorization[15..])]).await.unwrap();
    let now = site.now();
    let batch = json!({"readings": [
        ph("well-3", now, 7.0), ph("well-4", now, 8.0), ph("well-3", now, 7.0), ph("well-3", now, 7.1),
        {"device": "well-3", "metric": "ph", "time": now + 1, "value": 7.0, "unit": "mg/L"},
        {"device": "well-3", "metric": "ph", "time": "now", "value": 7.0, "unit": "pH"},
        {"device": "well-3", "metric": "ph", "value": 7.0, "unit": "pH"},
        {"device": "well-3", "metric": "ph", "time": now, "value": 7.0, "unit": "pH", "colour": "blue"},
        ph("nowhere", now, 7.0),
    ]});
    let answer = program.send("POST", BATCH, &batch).await;
    let wanted = [
        "stored",
        "stored",
        "duplicate",
        "conflict",
        "wrong_unit",
        "malformed",
        "malformed",
        "malformed",
        "unknown_device",
    ];
    assert_eq!(outcomes(&answer), wanted);
    let body = answer.json();
    assert_eq!((&body["stored"], &body["duplicates"], &body["refused"]), (&json!(2), &json!(1), &json!(6)));
    let fields: Vec<_> = (4..9).map(|n| body["results"][n]["field"].as_str().unwrap().to_owned()).collect();
    assert_eq!(fields, ["unit", "time", "time", "colour", "device"]);
    assert_eq!(watch.event_of("readings").await["readings"][0]["value"], 8.0);

    assert_eq!(said(&program.send("POST", BATCH, &json!({"readings": []})).await).2, "readings");
    let many: Vec<_> = (0..1001).map(|n| ph("well-3", now - n, 7.0)).collect();
    assert_eq!(said(&program.send("POST", BATCH, &json!({"readings": many})).await).2, "readings");
    let huge = json!({"readings": [{"device": "x".repeat(300_000)}]});
    assert_eq!(program.send("POST", BATCH, &huge).await.status, 413);
    let html = program.hand_in(&["content-type: text/html"], BATCH, "x").await;
    assert_eq!((html.status, html.code()), (415, "not_json".to_owned()));
    assert_eq!(program.hand_in(&[JSON], BATCH, "{").await.code(), "bad_json");
    site.stop().await;
}

#[tokio::test]
async fn a_pack_of_senml_is_resolved_and_a_time_from_now_needs_a_key_for_its_repeat() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let program = program(&site, &admin, json!({})).await;
    program.send("POST", "/api/v1/devices", &json!({"name": "well-3"})).await;
    let seconds = site.now() / 1000;
    let pack = json!([
        {"bn": "well-3:", "bt": seconds, "bu": "Cel", "n": "temperature", "v": 23.1},
        {"n": "temperature", "t": -5, "v": 23.0}, {"n": "ph", "u": "pH", "v": 7.02},
        {"n": "tds", "u": "ppm", "v": 412}, {"n": "label", "vs": "Pump house"},
    ]);
    let answer = program.hand_in(&[SENML], BATCH, &pack.to_string()).await;
    assert_eq!(outcomes(&answer), ["stored", "stored", "stored", "stored", "unknown_metric"]);
    let series = program.get("/api/v1/devices/well-3/readings?metric=temperature").await;
    let times: Vec<_> = series["readings"].as_array().unwrap().iter().map(|r| r["time"].as_i64().unwrap()).collect();
    assert_eq!(times, [(seconds - 5) * 1000, seconds * 1000]);
    assert_eq!(outcomes(&program.hand_in(&[SENML], BATCH, &pack.to_string()).await)[..4], ["duplicate"; 4]);

    let from_now = json!([{"n": "well-3/ph", "u": "pH", "v": 7.1, "t": -60}]).to_string();
    let answer = program.hand_in(&[SENML], BATCH, &from_now).await;
    assert_eq!(
        (outcomes(&answer), &answer.json()["results"][0]["field"]),
        (vec!["implausible_time".to_owned()], &json!("t"))
    );
    let headers = [SENML, "idempotency-key: 7f9c"];
    assert_eq!(outcomes(&program.hand_in(&headers, BATCH, &from_now).await), ["stored"]);
    site.let_pass(5000);
    let repeat = program.hand_in(&headers, BATCH, &from_now).await;
    assert_eq!((outcomes(&repeat), repeat.header("idempotency-replayed")), (vec!["stored".to_owned()], "true"));
    let kept = program.get("/api/v1/devices/well-3/readings?metric=ph").await;
    assert_eq!(kept["readings"].as_array().unwrap().len(), 2, "{kept}");
    assert!(kept["readings"].as_array().unwrap().iter().any(|r| r["clock"] == "repaired"));

    let newer = json!([{"bver": 11, "n": "well-3:ph", "u": "pH", "v": 7}]).to_string();
    assert_eq!(said(&program.hand_in(&[SENML], BATCH, &newer).await).2, "[0].bver");
    let words = json!([{"n": "well-3:ph", "u": "pH", "v": "seven"}]).to_string();
    assert_eq!(program.hand_in(&[SENML], BATCH, &words).await.status, 400);
    assert_eq!(program.hand_in(&[SENML], "/api/v1/readings", &from_now).await.status, 415);
    site.stop().await;
}

#[tokio::test]
async fn a_repeat_under_a_key_gets_the_same_answer_and_another_body_none() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let program = program(&site, &admin, json!({})).await;
    program.send("POST", "/api/v1/devices", &json!({"name": "well-3"})).await;
    let now = site.now();
    let body = ph("well-3", now, 7.0).to_string();
    let headers = [JSON, "idempotency-key: a-1"];
    let first = program.hand_in(&headers, "/api/v1/readings", &body).await;
    let repeat = program.hand_in(&headers, "/api/v1/readings", &body).await;
    assert_eq!((first.status, repeat.status, first.body.clone()), (201, 201, repeat.body.clone()));
    assert_eq!((first.header("idempotency-replayed"), repeat.header("idempotency-replayed")), ("false", "true"));
    let other = program.hand_in(&headers, "/api/v1/readings", &ph("well-3", now, 7.1).to_string()).await;
    assert_eq!(said(&other), (422, "other_request".into(), "idempotency-key".into()));
    let spaced = program.hand_in(&[JSON, "idempotency-key: two words"], "/api/v1/readings", &body).await;
    assert_eq!(said(&spaced).2, "idempotency-key");
    let long = format!("idempotency-key: {}", "x".repeat(129));
    assert_eq!(program.hand_in(&[JSON, &long], "/api/v1/readings", &body).await.status, 400);
    let twice = [JSON, "idempotency-key: a-1", "idempotency-key: a-2"];
    assert_eq!(program.hand_in(&twice, "/api/v1/readings", &body).await.status, 400, "which of them?");
    site.stop().await;
}

#[tokio::test]
async fn a_key_for_some_devices_hands_in_nothing_of_others_and_alerts_come_of_what_it_hands_in() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let program = program(&site, &admin, json!({"devices": ["well-3"]})).await;
    for name in ["well-3", "well-4"] {
        program.send("POST", "/api/v1/devices", &json!({"name": name, "location": "North"})).await;
    }
    let rule = json!({"targets": [{"scope": "location", "target": "North"}], "metric": "ph", "threshold": {"high": {"warning": 9}}});
    let set = site.send("PUT", &admin, "/api/v1/thresholds", &rule).await;
    assert_eq!(set.status, 200, "{set:?}");
    let now = site.now();
    let batch = json!({"readings": [ph("well-3", now, 9.5), ph("well-4", now, 9.5)]});
    assert_eq!(outcomes(&program.send("POST", BATCH, &batch).await), ["stored", "not_of_this_key"]);
    let one = program.send("POST", "/api/v1/readings", &ph("well-4", now, 9.5)).await;
    assert_eq!(said(&one), (403, "not_of_this_key".into(), "device".into()));
    let alerts = program.get("/api/v1/alerts").await;
    let alerts = alerts["alerts"].as_array().unwrap();
    assert_eq!((alerts.len(), &alerts[0]["device"], &alerts[0]["value"]), (1, &json!("well-3"), &json!(9.5)));
    site.stop().await;
}

#[tokio::test]
async fn many_who_hand_in_the_same_at_once_yield_it_once() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let program = program(&site, &admin, json!({})).await;
    program.send("POST", "/api/v1/devices", &json!({"name": "well-3"})).await;
    let now = site.now();
    let readings: Vec<_> = (0..100).map(|n| ph("well-3", now - n, 7.0)).collect();
    let batch = json!({"readings": readings});
    let send = || program.send("POST", BATCH, &batch);
    let answers = tokio::join!(send(), send(), send(), send());
    let stored: u64 =
        [answers.0, answers.1, answers.2, answers.3].iter().map(|a| a.json()["stored"].as_u64().unwrap()).sum();
    assert_eq!(stored, 100);
    let kept = program.get("/api/v1/devices/well-3/readings?metric=ph").await;
    assert_eq!(kept["readings"].as_array().unwrap().len(), 100);
    site.stop().await;
}
