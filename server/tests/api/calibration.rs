//! Calibration over HTTP: orders to a device and its answers, the records, and taking one back.

use crate::fleet;
use crate::site::{Device, Site};
use serde_json::{Value, json};
use shared::calibration::{Buffers, By, Calibration, CalibrationRecord, Fit, Health, Point, RecordId};
use shared::message::calibrate::{CalibrationDown, CalibrationUp, LiveSignal, News, Order, Problem, Step, View};
use shared::message::{LinkState, ProbeReport, Sensors};
use shared::sensor::Sensor;
use shared::{ClockQuality, Flag, Flags, Metric, Settings, Stamp, Status, Topic, UtcMillis};

fn id(n: u64) -> RecordId {
    RecordId::from_random(n)
}

pub fn record(n: u64, at: i64) -> CalibrationRecord {
    let stamp = Stamp { at: UtcMillis(at), clock: ClockQuality::Synced };
    let calibration = Calibration::Ph { zero_mv: 1503.0, acid_percent: 98.5, base_percent: 97.0 };
    let by = By::Device { name: "Siti".to_owned() };
    let mut record = CalibrationRecord::new(id(n), Metric::Ph, stamp, by, Some(calibration));
    record.buffers = Some(Buffers::Technical);
    record.points = vec![
        Point { nominal: 7.0, millivolts: 1503.25, celsius: Some(24.5), spread: Some(0.125) },
        Point { nominal: 4.0, millivolts: 2027.5, celsius: None, spread: None },
    ];
    record.health = Some(Health { slope_percent: 97.0, offset_mv: 1.0 });
    record
}

impl Device {
    /// Says something about a calibration.
    pub async fn tell(&self, news: News) {
        let topic = Topic::CalibrationUp(self.name.parse().unwrap()).to_string();
        self.client.publish(&topic, CalibrationUp::new(news).encode(), false).await.unwrap();
    }

    /// Says what it measures with.
    pub async fn describe(&self, sensors: &Sensors) {
        let topic = Topic::Sensors(self.name.parse().unwrap()).to_string();
        self.client.publish(&topic, sensors.encode(), true).await.unwrap();
    }

    /// The next order.
    pub async fn order(&mut self) -> Order {
        CalibrationDown::decode(self.hear(Topic::CalibrationDown).await.as_bytes()).unwrap().order
    }

    /// Gives a record and waits until the server has it.
    pub async fn calibrate(&mut self, record: &CalibrationRecord) -> u32 {
        self.tell(News::Record(record.clone())).await;
        match self.order().await {
            Order::Recorded { id, settings } if id == record.id => settings,
            other => panic!("{other:?}"),
        }
    }
}

async fn online(site: &Site, cookie: &str) -> Device {
    let device = Device::join(site, cookie).await;
    device.say(&Status::new(LinkState::Online)).await;
    fleet::until("the device is online", async || {
        site.get(cookie, &format!("/api/v1/devices/{}", device.name)).await.json()["state"] == "online"
    })
    .await;
    device
}

#[tokio::test]
async fn orders_go_to_the_device_in_the_name_of_the_account_and_its_views_to_whoever_watches() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = online(&site, &cookie).await;
    let mut watch = site.watch("", &[("cookie", &cookie)]).await.unwrap();
    let path = format!("/api/v1/devices/{}/calibration", device.name);
    let begin = json!({"order": "begin", "metric": "ph", "buffers": "nist", "lot": "A12"});
    let begun = site.send("POST", &cookie, &path, &begin).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    let session = begun.json()["session"].clone();
    let heard = device.order().await;
    let Order::Begin { session: told, metric, by, buffers, lot } = heard else { panic!("{heard:?}") };
    assert_eq!(session, told.to_string());
    assert_eq!((metric, by), (Metric::Ph, By::Dashboard { name: "admin".to_owned() }));
    assert_eq!((buffers, lot.as_deref()), (Some(Buffers::Nist), Some("A12")));
    let again = site.send("POST", &cookie, &path, &begin).await.json();
    assert_ne!(again["session"], session, "each session is another");
    device.order().await;

    for (body, expected) in [
        (json!({"order": "take", "session": session, "nominal": 4.01}), Order::Take { session: told, nominal: 4.01 }),
        (json!({"order": "drop", "session": session, "nominal": 4.01}), Order::Drop { session: told, nominal: 4.01 }),
        (json!({"order": "finish", "session": session}), Order::Finish { session: told }),
        (json!({"order": "cancel", "session": session}), Order::Cancel { session: told }),
    ] {
        let answer = site.send("POST", &cookie, &path, &body).await;
        assert_eq!((answer.status, answer.json()), (202, json!({"session": session})));
        assert_eq!(device.order().await, expected);
    }

    let view = view(told);
    device.tell(News::View(view.clone())).await;
    let event = watch.event_of("calibration").await;
    assert_eq!((&event["device"], &event["view"]), (&json!(device.name), &json!(view)));
    site.stop().await;
}

/// A view with everything that one can have.
fn view(session: RecordId) -> View {
    let calibration = record(1, 0).calibration.unwrap();
    let live = LiveSignal {
        millivolts: 1503.25,
        spread: 0.5,
        settled: true,
        value: Some(7.0),
        celsius: Some(25.0),
        flags: Flags::NONE.with(Flag::Stuck).with(Flag::Unstable),
    };
    View {
        session,
        metric: Metric::Ph,
        step: Step::Settling { nominal: 7.0 },
        buffers: Some(Buffers::Technical),
        live: Some(live),
        points: record(1, 0).points,
        fit: Some(Fit { calibration, health: record(1, 0).health }),
        problem: Some(Problem { code: "slope".to_owned(), text: "the slope is 70 %".to_owned() }),
    }
}

#[tokio::test]
async fn an_order_that_lacks_something_is_refused_with_the_field() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let device = online(&site, &cookie).await;
    let path = format!("/api/v1/devices/{}/calibration", device.name);
    let session = id(1).to_string();
    for (body, status, field) in [
        (json!({"order": "begin"}), 422, "metric"),
        (json!({"order": "begin", "metric": "mood"}), 422, "metric"),
        (json!({"order": "begin", "metric": "ph", "lot": ""}), 422, "lot"),
        (json!({"order": "begin", "metric": "ph", "lot": "a\nb"}), 422, "lot"),
        (json!({"order": "begin", "metric": "ph", "buffers": "home-made"}), 400, "buffers"),
        (json!({"order": "begin", "metric": "ph", "by": "somebody"}), 400, "by"),
        (json!({"order": "take", "nominal": 7.0}), 422, "session"),
        (json!({"order": "finish", "session": "7"}), 422, "session"),
        (json!({"order": "take", "session": session}), 422, "nominal"),
        (json!({"order": "take", "session": session, "nominal": "seven"}), 400, "nominal"),
        (json!({"order": "stir", "session": session}), 400, "order"),
        (json!({}), 400, "order"),
    ] {
        let answer = site.send("POST", &cookie, &path, &body).await;
        assert_eq!((answer.status, answer.code(), answer.field()), (status, "invalid".to_owned(), field.to_owned()));
    }
    site.stop().await;
}

#[tokio::test]
async fn a_device_that_is_not_there_gets_no_order() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let device = Device::join(&site, &cookie).await;
    let begin = json!({"order": "begin", "metric": "ph"});
    let path = format!("/api/v1/devices/{}/calibration", device.name);
    let offline = site.send("POST", &cookie, &path, &begin).await;
    assert_eq!((offline.status, offline.code()), (409, "offline".to_owned()));
    site.send("POST", &cookie, &format!("/api/v1/devices/{}/revoke", device.name), &json!(null)).await;
    let revoked = site.send("POST", &cookie, &path, &begin).await;
    assert_eq!((revoked.status, revoked.code()), (409, "revoked".to_owned()));
    let unknown = site.send("POST", &cookie, "/api/v1/devices/pi-99/calibration", &begin).await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown_device".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn a_record_is_stored_answered_listed_and_part_of_every_later_settings() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    let at = site.now() - 1000;
    assert_eq!(device.calibrate(&record(1, at)).await, 1);
    let settings = format!("/api/v1/devices/{}/settings", device.name);
    let changed = site.send("PUT", &cookie, &settings, &json!({"interval_ms": {"ph": 5000}})).await;
    assert_eq!(changed.json()["version"], 2);
    let heard = Settings::decode(device.hear(Topic::Settings).await.as_bytes()).unwrap();
    assert_eq!((heard.version, heard.calibration(Metric::Ph)), (2, record(1, at).calibration));
    assert_eq!(device.calibrate(&record(1, at)).await, 1, "said again, answered the same");

    let path = format!("/api/v1/devices/{}/calibrations", device.name);
    let listed = site.get(&cookie, &path).await.json();
    let expected = json!({
        "id": "0000000000000001", "metric": "ph", "at": at, "clock": "synced", "by": "Siti", "via": "device",
        "buffers": "technical", "lot": null,
        "points": [{"nominal": 7.0, "millivolts": 1503.25, "celsius": 24.5, "spread": 0.125},
                   {"nominal": 4.0, "millivolts": 2027.5, "celsius": null, "spread": null}],
        "calibration": {"kind": "ph", "zero_mv": 1503.0, "acid_percent": 98.5, "base_percent": 97.0},
        "health": {"slope_percent": 97.0, "offset_mv": 1.0}, "undoes": null, "undone_by": null});
    assert_eq!(listed, json!({"calibrations": [expected], "active": {"ph": "0000000000000001"}}));
    let shown = site.get(&cookie, &format!("/api/v1/devices/{}", device.name)).await.json();
    let in_force = json!({"ph": {"id": "0000000000000001", "at": at, "by": "Siti", "health": expected["health"]}});
    assert_eq!((&shown["calibrations"], &shown["sensors"]), (&in_force, &json!({})));
    site.stop().await;
}

#[tokio::test]
async fn a_record_that_is_none_or_anothers_is_not_kept_and_holds_up_nobody() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let (mut device, mut other) = (Device::join(&site, &cookie).await, Device::join(&site, &cookie).await);
    other.calibrate(&record(1, site.now())).await;
    let of_another_probe = CalibrationRecord { metric: Metric::Tds, ..record(2, site.now()) };
    let without_points = CalibrationRecord { points: vec![], ..record(3, site.now()) };
    let nobody = CalibrationRecord { by: By::Device { name: String::new() }, ..record(4, site.now()) };
    for bad in [record(1, site.now()), of_another_probe, without_points, nobody] {
        device.tell(News::Record(bad)).await;
    }
    let topic = Topic::CalibrationUp(device.name.parse().unwrap()).to_string();
    device.client.publish(&topic, "no news".to_owned(), false).await.unwrap();
    // The answer to the good one is the first that comes.
    assert_eq!(device.calibrate(&record(5, site.now())).await, 1);
    let listed = site.get(&cookie, &format!("/api/v1/devices/{}/calibrations", device.name)).await.json();
    assert_eq!(listed["calibrations"].as_array().unwrap().len(), 1);
    site.stop().await;
}

#[tokio::test]
async fn the_calibration_in_force_can_be_taken_back_and_only_that() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    let path = format!("/api/v1/devices/{}/calibrations", device.name);
    let undo = |id: &str| format!("{path}/{id}/undo");
    for n in 1..=2 {
        device.calibrate(&record(n, site.now())).await;
    }
    let (first, second) = (id(1).to_string(), id(2).to_string());
    let refused = site.send("POST", &cookie, &undo(&first), &json!(null)).await;
    assert_eq!((refused.status, refused.code()), (409, "not_in_force".to_owned()));
    for unknown in ["0000000000000009", "x", "%2F"] {
        let answer = site.send("POST", &cookie, &undo(unknown), &json!(null)).await;
        assert_eq!((answer.status, answer.code()), (404, "unknown_calibration".to_owned()), "{unknown}");
    }

    let undone = site.send("POST", &cookie, &undo(&second), &json!(null)).await;
    assert_eq!(undone.status, 201, "{undone:?}");
    let undone = undone.json();
    let about = ["by", "via", "undoes", "undone_by"].map(|field| undone[field].clone());
    assert_eq!(about, [json!("admin"), json!("dashboard"), json!(second), json!(null)]);
    assert_eq!((&undone["points"], &undone["health"]["offset_mv"]), (&json!([]), &json!(1.0)));
    let heard = loop {
        let heard = Settings::decode(device.hear(Topic::Settings).await.as_bytes()).unwrap();
        if heard.version == 3 {
            break heard;
        }
    };
    assert_eq!(heard.calibrations[&Metric::Ph].id.to_string(), undone["id"]);
    assert_eq!(heard.calibration(Metric::Ph), record(1, 0).calibration);

    let listed = site.get(&cookie, &path).await.json();
    let ids: Vec<_> = listed["calibrations"].as_array().unwrap().iter().map(|r| r["id"].clone()).collect();
    assert_eq!(ids, [undone["id"].clone(), json!(second), json!(first)]);
    assert_eq!(listed["calibrations"][1]["undone_by"], undone["id"]);
    assert_eq!(listed["active"], json!({"ph": undone["id"]}));
    site.stop().await;
}

#[tokio::test]
async fn to_take_back_the_first_calibration_shows_a_probe_without_one() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let mut device = Device::join(&site, &cookie).await;
    device.calibrate(&record(1, site.now())).await;
    let undo = format!("/api/v1/devices/{}/calibrations/{}/undo", device.name, id(1));
    assert_eq!(site.send("POST", &cookie, &undo, &json!(null)).await.json()["calibration"], Value::Null);
    let shown = site.get(&cookie, &format!("/api/v1/devices/{}", device.name)).await.json();
    assert_eq!(shown["calibrations"], json!({}));
    site.stop().await;
}

#[tokio::test]
async fn what_a_device_measures_with_is_shown_and_whoever_watches_is_told() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let device = Device::join(&site, &cookie).await;
    let mut watch = site.watch("", &[("cookie", &cookie)]).await.unwrap();
    let sensor = Sensor::usual(Metric::Ph);
    let limits = sensor.as_ref().map(|sensor| sensor.law().limits());
    let ph = ProbeReport { source: "ads1115 0x48 A0".to_owned(), sensor, limits };
    let temperature = ProbeReport { source: "simulated".to_owned(), sensor: None, limits: None };
    device.describe(&Sensors::new([(Metric::Ph, ph), (Metric::Temperature, temperature)].into())).await;
    let shown = watch.event_of("device").await["device"]["sensors"].clone();
    let expected = json!({
        "ph": {"source": "ads1115 0x48 A0", "sensor": {"ph": {"midpoint_mv": 1500.0, "gain": 3.0}},
               "limits": {"possible": [0.0, 14.0], "usual": [2.0, 12.0]}},
        "temperature": {"source": "simulated", "sensor": null, "limits": null}});
    assert_eq!(shown, expected);
    site.stop().await;
}

#[test]
fn a_view_is_described_as_devices_send_it() {
    let document: Value = serde_json::from_str(&server::http::openapi::document().unwrap()).unwrap();
    let schema = |name: &str| document["components"]["schemas"][name].clone();
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    let view = json!(view(id(1)));
    for (name, said) in [
        ("CalibrationView", &view),
        ("CalibrationPoint", &view["points"][0]),
        ("LiveSignal", &view["live"]),
        ("CalibrationFit", &view["fit"]),
        ("ProbeHealth", &view["fit"]["health"]),
        ("CalibrationProblem", &view["problem"]),
        ("SensorLimits", &json!(Sensor::usual(Metric::Ph).unwrap().law().limits())),
    ] {
        assert_eq!(fields(&schema(name)["properties"]), fields(said), "{name}");
    }
    let kinds = [
        (
            "Calibration",
            vec![
                json!(record(1, 0).calibration),
                json!(Calibration::Cell { k: 1.0 }),
                json!(Calibration::Linear { slope: 1.0, offset: 0.0 }),
            ],
        ),
        (
            "CalibrationStep",
            vec![
                json!(Step::Waiting),
                json!(Step::Settling { nominal: 7.0 }),
                json!(Step::Finished { record: id(1) }),
                json!(Step::Ended),
            ],
        ),
    ];
    for (name, said) in kinds {
        let described: Vec<_> =
            schema(name)["oneOf"].as_array().unwrap().iter().map(|kind| fields(&kind["properties"])).collect();
        assert_eq!(described, said.iter().map(fields).collect::<Vec<_>>(), "{name}");
    }
    for buffers in [Buffers::Technical, Buffers::Nist] {
        assert!(schema("Buffers")["enum"].as_array().unwrap().contains(&json!(buffers)));
    }
}
