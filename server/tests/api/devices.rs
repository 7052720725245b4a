//! Devices, their settings and tokens, and what becomes of one that is thrown out.

use crate::fleet;
use crate::site::{Device, Site, reading};
use serde_json::{Value, json};
use shared::message::{BufferStatus, LinkState, Trouble};
use shared::{BufferId, ClockQuality, Metric, Settings, Status, Topic};

async fn shown(site: &Site, cookie: &str, name: &str) -> Value {
    let answer = site.get(cookie, &format!("/api/v1/devices/{name}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Waits until a field of a device is what it should be.
async fn until_shown(site: &Site, cookie: &str, name: &str, field: &str, wanted: Value) -> Value {
    let mut device = Value::Null;
    fleet::until(&format!("{field} of {name} is {wanted}"), async || {
        device = shown(site, cookie, name).await;
        device.pointer(field) == Some(&wanted)
    })
    .await;
    device
}

fn online() -> Status {
    let mut status = Status::new(LinkState::Online);
    status.agent = "0.1.0".to_owned();
    status.clock = Some(ClockQuality::Synced);
    status.settings = 1;
    let buffer = BufferStatus::new(BufferId::from_random(7), 3, 0);
    status.buffer = Some(BufferStatus { trouble: Some(Trouble::DiskFull), set_aside: 1, ..buffer });
    status.alarm = Some("no_gpio".to_owned());
    status.probes = [("ph".to_owned(), "ok".to_owned()), ("tds".to_owned(), "no_answer".to_owned())].into();
    status
}

#[tokio::test]
async fn a_device_is_never_then_online_then_offline_when_it_falls_silent_or_is_lost() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    let new = shown(&site, &cookie, &device.name).await;
    assert_eq!((&new["state"], &new["last_seen"], &new["agent"]), (&json!("never"), &json!(null), &json!(null)));

    device.say(&online()).await;
    let up = until_shown(&site, &cookie, &device.name, "/state", json!("online")).await;
    assert_eq!(up["agent"], "0.1.0");
    assert_eq!(up["clock"], "synced");
    let buffer = json!({"id": "0000000000000007", "pending": 3, "dropped": 0, "trouble": "disk_full", "set_aside": 1});
    assert_eq!((&up["buffer"], &up["alarm"]), (&buffer, &json!("no_gpio")));
    assert_eq!(up["probes"], json!({"ph": "ok", "tds": "no_answer"}));
    assert_eq!((&up["simulated"], &up["settings"]["applied"]), (&json!(false), &json!(1)));

    site.let_pass(91_000);
    assert_eq!(shown(&site, &cookie, &device.name).await["state"], "offline", "it has been silent for too long");
    device.send(vec![reading(1, site.now(), Metric::Ph, Ok(7.0))]).await;
    let heard = until_shown(&site, &cookie, &device.name, "/state", json!("online")).await;
    assert_eq!(heard["simulated"], true);

    device.say(&online().last_will()).await;
    let lost = until_shown(&site, &cookie, &device.name, "/state", json!("offline")).await;
    assert_eq!(lost["last_seen"], heard["last_seen"], "a last will is no sign of life");
    let list = site.get(&cookie, "/api/v1/devices").await.json();
    assert_eq!(list, json!({"devices": [lost], "next": null}));
    site.stop().await;
}

#[tokio::test]
async fn a_revoked_device_is_cut_off_at_once_for_good_and_its_readings_stay() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    let bystander = Device::join(&site, &cookie).await;
    device.send(vec![reading(1, site.now(), Metric::Ph, Ok(7.0))]).await;

    let path = format!("/api/v1/devices/{}/revoke", device.name);
    assert_eq!(site.send("POST", &cookie, &path, &json!(null)).await.status, 204);
    device.client.ended().await;
    assert!(bystander.client.is_connected());
    assert_eq!(shown(&site, &cookie, &device.name).await["state"], "revoked");
    assert_eq!(site.get(&cookie, "/api/v1/latest").await.json()["latest"][0]["value"], 7.0);
    assert_eq!(site.send("POST", &cookie, &path, &json!(null)).await.status, 204, "asking again is no mistake");

    let settings = format!("/api/v1/devices/{}/settings", device.name);
    let told = site.send("PUT", &cookie, &settings, &json!({"interval_ms": {"ph": 1000}})).await;
    assert_eq!((told.status, told.code()), (409, "revoked".to_owned()));
    let unknown = site.send("POST", &cookie, "/api/v1/devices/pi-99/revoke", &json!(null)).await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown_device".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn settings_get_a_version_reach_the_device_and_count_as_applied_when_it_says_so() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    let path = format!("/api/v1/devices/{}/settings", device.name);

    let first = site.send("PUT", &cookie, &path, &json!({"interval_ms": {"ph": 1000, "tds": 60_000}})).await;
    assert_eq!(first.json(), json!({"version": 1, "applied": 0, "interval_ms": {"ph": 1000, "tds": 60_000}}));
    let heard = Settings::decode(device.hear(Topic::Settings).await.as_bytes()).unwrap();
    assert_eq!((heard.version, heard.intervals.get(Metric::Ph).unwrap().as_millis()), (1, 1000));

    device.say(&online()).await;
    until_shown(&site, &cookie, &device.name, "/settings/applied", json!(1)).await;
    let second = site.send("PUT", &cookie, &path, &json!({"interval_ms": {}})).await;
    assert_eq!(second.json(), json!({"version": 2, "applied": 1, "interval_ms": {}}));

    for (body, field) in [
        (json!({"interval_ms": {"humidity": 1000}}), "interval_ms.humidity"),
        (json!({"interval_ms": {"ph": 99}}), "interval_ms.ph"),
        (json!({"interval_ms": {"ph": 86_400_001}}), "interval_ms.ph"),
        (json!({"interval_ms": {"ph": "fast"}}), "interval_ms.ph"),
        (json!({"interval_ms": {"ph": 1.5}}), "interval_ms.ph"),
        (json!({"interval": {}}), "interval"),
        (json!({}), "interval_ms"),
    ] {
        let answer = site.send("PUT", &cookie, &path, &body).await;
        assert_eq!((answer.status, answer.field()), (400, field.to_owned()), "{body}");
    }
    let now = shown(&site, &cookie, &device.name).await;
    assert_eq!(now["settings"]["version"], 2, "what was refused changed nothing");
    site.stop().await;
}

#[tokio::test]
async fn a_token_is_shown_once_and_worth_nothing_once_withdrawn() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let path = "/api/v1/enrolment-tokens";
    let made = site.send("POST", &cookie, path, &json!({"uses": 2, "valid_s": 600, "note": "pond"})).await.json();
    let secret = made["token"].as_str().unwrap();
    let pin = made["ca_sha256"].as_str().unwrap();
    assert!(pin.len() == 64 && pin.bytes().all(|b| b.is_ascii_hexdigit()), "an agent can pin the server with {pin}");
    let listed = site.get(&cookie, path).await;
    assert!(!String::from_utf8_lossy(&listed.body).contains(secret));
    let expires_at = made["created_at"].as_i64().unwrap() + 600_000;
    let listed = &listed.json()["tokens"][0];
    let (id, created_at) = (&made["id"], &made["created_at"]);
    let about = json!({"id": id, "uses": 2, "uses_left": 2, "expires_at": expires_at, "note": "pond", "created_at": created_at,
        "created_by": "admin", "admits": "registered", "location": null, "serials": [], "revoked_at": null});
    assert_eq!(*listed, about);
    let fleet: shared::fleet::FleetFile = toml::from_str(made["fleet_file"].as_str().unwrap()).unwrap();
    assert_eq!((fleet.token.as_str(), fleet.ca_sha256.as_str()), (secret, pin));

    let one = format!("{path}/{}", id.as_str().unwrap());
    assert_eq!(site.send("DELETE", &cookie, &one, &json!(null)).await.status, 204);
    assert_eq!(site.send("DELETE", &cookie, &one, &json!(null)).await.status, 204, "once more is no harm");
    assert!(site.get(&cookie, path).await.json()["tokens"][0]["revoked_at"].is_i64(), "it can be seen why");
    let none = site.send("DELETE", &cookie, &format!("{path}/x"), &json!(null)).await;
    assert_eq!((none.status, none.code()), (404, "unknown_token".to_owned()));
    let serial = fleet::random_serial();
    let csr = fleet::request(&fleet::p256(), &serial.to_string());
    let enrol = site.send("POST", "", "/api/v1/enrol", &json!({"serial": serial, "token": secret, "csr": csr})).await;
    assert_eq!((enrol.status, enrol.code(), enrol.field()), (403, "token_revoked".to_owned(), "token".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn what_a_device_sends_to_enrol_is_judged_field_by_field() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let new = json!({"uses": 1, "valid_s": 600, "admits": "any"});
    let token = site.send("POST", &cookie, "/api/v1/enrolment-tokens", &new).await.json()["token"].clone();
    let (serial, other) = (fleet::random_serial(), fleet::random_serial());
    let csr = |name: &str| fleet::request(&fleet::p256(), name);
    let good = csr(&serial.to_string());
    for (body, status, code, field) in [
        (json!({"serial": serial, "token": token, "csr": csr(&other.to_string())}), 400, "csr_mismatch", "csr"),
        (json!({"serial": serial, "token": token, "csr": "rubbish"}), 400, "csr_malformed", "csr"),
        (json!({"serial": "xyz", "token": token, "csr": good}), 400, "invalid", "serial"),
        (json!({"serial": serial, "csr": good}), 400, "invalid", "token"),
        (json!({"serial": serial, "token": token, "csr": good}), 200, "", ""),
        (json!({"serial": other, "token": token, "csr": csr(&other.to_string())}), 403, "token_used_up", "token"),
        (json!({"serial": serial, "token": token, "csr": csr(&serial.to_string())}), 202, "", ""),
    ] {
        let answer = site.send("POST", "", "/api/v1/enrol", &body).await;
        let found = (answer.status, answer.code_if_problem());
        assert_eq!(found, (status, code.to_owned()), "{answer:?}");
        if status >= 400 {
            assert_eq!(answer.field(), field, "{answer:?}");
        }
    }
    site.stop().await;
}
