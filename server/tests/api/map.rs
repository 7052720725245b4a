//! The map: what it is drawn with, which other host a browser may load its tiles from, and who says where a device stands.

use crate::site::Site;
use serde_json::{Value, json};

const TILES: &str = "\n[map]\ntiles = \"https://tiles.example:8443/{z}/{x}/{y}.png\"\nattribution = \"© Peta\"\n\
    center = [-6.9, 107.6]\nzoom = 9\n";

/// What the policy says about pictures, and all the rest of it.
fn pictures(policy: &str) -> (Vec<&str>, Vec<&str>) {
    policy.split("; ").partition(|directive| directive.starts_with("img-src "))
}

#[tokio::test]
async fn without_a_configuration_the_map_needs_nobody_else() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let answer = site.get(&admin, "/api/v1/map").await;
    assert_eq!((answer.status, answer.json()), (200, json!({"tiles": null, "view": null})));
    assert_eq!(pictures(answer.header("content-security-policy")).0, ["img-src 'self' data:"]);
    assert_eq!(site.get("", "/api/v1/map").await.code(), "no_session");
    site.stop().await;
}

#[tokio::test]
async fn a_server_of_tiles_opens_one_host_for_pictures_and_nothing_else() {
    let (closed, open) = (Site::start().await, Site::start_with(TILES).await);
    let admin = open.sign_in().await;
    let reader = open.person(&admin, "wayan", "auditor").await;
    let told = open.get(&reader, "/api/v1/map").await;
    let tiles = json!({"template": "https://tiles.example:8443/{z}/{x}/{y}.png", "attribution": "© Peta", "attribution_url": null,
        "max_zoom": 19});
    let view = json!({"latitude": -6.9, "longitude": 107.6, "zoom": 9});
    assert_eq!(told.json(), json!({"tiles": tiles, "view": view}));
    for path in ["/", "/map", "/docs", "/api/v1/map", "/health/live"] {
        let before = closed.ask("GET", path, &[], "").await;
        let after = open.ask("GET", path, &[], "").await;
        let (before, after) =
            (pictures(before.header("content-security-policy")), pictures(after.header("content-security-policy")));
        assert_eq!(after.0, ["img-src 'self' data: https://tiles.example:8443"], "{path}");
        assert_eq!(before.1, after.1, "{path}: nothing else is another");
    }
    assert_eq!(open.get(&admin, "/api/v1/config").await.json()["map_tiles"], "https://tiles.example:8443");
    closed.stop().await;
    open.stop().await;
}

#[tokio::test]
async fn a_supervisor_puts_a_device_on_the_map_and_the_audit_log_says_from_where() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let supervisor = site.person(&admin, "sari", "supervisor").await;
    let technician = site.person(&admin, "tono", "technician").await;
    let made = site.send("POST", &admin, "/api/v1/devices", &json!({"name": "kolam-1", "location": "Kolam 1"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    let put = |latitude: f64| json!({"latitude": latitude, "longitude": 107.5882});
    let path = "/api/v1/devices/kolam-1";
    assert_eq!(site.send("PATCH", &technician, path, &put(-7.0)).await.code(), "forbidden");
    for latitude in [-7.0467, -7.05] {
        let answer = site.send("PATCH", &supervisor, path, &put(latitude)).await;
        assert_eq!((answer.status, &answer.json()["latitude"]), (200, &json!(latitude)), "{answer:?}");
    }
    let listed = site.get(&technician, "/api/v1/devices").await.json();
    let device = listed["devices"].as_array().unwrap().iter().find(|device| device["name"] == "kolam-1").unwrap();
    assert_eq!((&device["latitude"], &device["longitude"]), (&json!(-7.05), &json!(107.5882)));
    assert_eq!(device["location"], "Kolam 1", "what is not named stays");
    let log = site.get(&admin, "/api/v1/audit?device=kolam-1&act=device.changed").await.json();
    let detail: &Value = &log["entries"][0]["detail"];
    assert_eq!((&detail["before"], &detail["after"]), (&json!({"latitude": -7.0467}), &json!({"latitude": -7.05})));
    site.stop().await;
}
