//! The WebSocket: who may open it, what comes, and when it ends.

use crate::site::{Device, Site, reading};
use serde_json::json;
use server::live::Event;
use shared::message::LinkState;
use shared::{DeviceName, Metric, Status};
use tokio_tungstenite::tungstenite;

/// The status with which opening was refused.
fn refused(result: Result<crate::site::Watch, tungstenite::Error>) -> u16 {
    match result {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it should have been refused"),
    }
}

#[tokio::test]
async fn only_a_session_of_the_same_site_may_watch() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let own = format!("http://{}", site.plain);
    assert_eq!(refused(site.watch("", &[]).await), 401);
    assert_eq!(refused(site.watch("", &[("cookie", "tirta_session=invented"), ("origin", &own)]).await), 401);
    assert_eq!(refused(site.watch("", &[("cookie", &cookie), ("origin", "http://evil.example")]).await), 403);
    assert_eq!(refused(site.watch("?device=no/name", &[("cookie", &cookie), ("origin", &own)]).await), 400);
    assert!(site.watch("", &[("cookie", &cookie), ("origin", &own)]).await.is_ok());
    let plain = site.get(&cookie, "/api/v1/live").await;
    assert_eq!((plain.status, plain.code()), (400, "websocket_needed".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn a_watcher_is_told_of_readings_and_devices_as_they_come() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut all = site.watch("", &[("cookie", &cookie)]).await.unwrap();
    let mut device = Device::join(&site, &cookie).await;
    let enrolled = all.event().await;
    assert_eq!((&enrolled["type"], &enrolled["device"]["name"]), (&json!("device"), &json!("pi-1")));
    assert_eq!(enrolled["device"]["state"], "never");
    let mut other = site.watch("?device=pi-2", &[("cookie", &cookie)]).await.unwrap();

    let at = site.now();
    device.send(vec![reading(1, at, Metric::Ph, Ok(7.5)), reading(2, at, Metric::Volume, Ok(900.0))]).await;
    let event = all.event_of("readings").await;
    assert_eq!(event["device"], "pi-1");
    assert_eq!((&event["readings"][0]["value"], &event["readings"][1]["unit"]), (&json!(7.5), &json!("L")));
    device.say(&Status::new(LinkState::Online)).await;
    assert_eq!(all.event_of("device").await["device"]["state"], "online");

    site.app.live.publish(Event::Device { name: DeviceName::numbered(1) });
    Device::join(&site, &cookie).await;
    let first = other.event().await;
    assert_eq!(first["device"]["name"], "pi-2", "one who watches pi-2 hears nothing of pi-1");
    site.stop().await;
}

#[tokio::test]
async fn a_watcher_is_told_when_a_device_falls_silent_which_sends_nothing() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let device = Device::join(&site, &cookie).await;
    let mut watch = site.watch("", &[("cookie", &cookie)]).await.unwrap();
    device.say(&Status::new(LinkState::Online)).await;
    assert_eq!(watch.event_of("device").await["device"]["state"], "online");
    site.let_pass(91_000);
    while watch.event_of("device").await["device"]["state"] != "offline" {}
    site.stop().await;
}

#[tokio::test]
async fn a_watcher_that_is_too_slow_is_told_to_fetch_everything_again() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    Device::join(&site, &cookie).await;
    let mut watch = site.watch("", &[("cookie", &cookie)]).await.unwrap();
    // Without a pause: the server can't send even one of them meanwhile on this one thread.
    for _ in 0..5000 {
        site.app.live.publish(Event::Device { name: DeviceName::numbered(1) });
    }
    assert_eq!(watch.event_of("missed").await, json!({"type": "missed"}));
    assert_eq!(watch.event().await["type"], "device", "and then it goes on");
    site.stop().await;
}

#[tokio::test]
async fn signing_out_closes_what_the_session_opened_and_nothing_else() {
    let site = Site::start().await;
    let (one, other) = (site.sign_in().await, site.sign_in().await);
    let mut closing = site.watch("", &[("cookie", &one)]).await.unwrap();
    let mut staying = site.watch("", &[("cookie", &other)]).await.unwrap();
    assert_eq!(site.send("DELETE", &one, "/api/v1/session", &json!(null)).await.status, 204);
    assert_eq!(closing.closed().await, "signed out");
    Device::join(&site, &other).await;
    assert_eq!(staying.event().await["type"], "device");
    site.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_tells_its_watchers() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut watch = site.watch("", &[("cookie", &cookie)]).await.unwrap();
    let (reason, ()) = tokio::join!(watch.closed(), site.stop());
    assert_eq!(reason, "the server stops");
}
