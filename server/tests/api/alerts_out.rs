//! What leaves the server and what comes in: silences, intake, outages, the live event, and kill -9 in between.

use crate::command::Folder;
use crate::fleet::until;
use crate::receiver::Receiver;
use crate::site::{self, Answer, Device, Site, config_text};
use serde_json::{Value, json};
use server::outage::{Cause, Turn, Window};
use shared::message::LinkState;
use shared::{Clock, Status, UtcMillis, topic};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

const JSON: &str = "content-type: application/json";

async fn report(site: &Site, token: &str, body: &Value) -> Answer {
    let bearer = format!("authorization: Bearer {token}");
    site.ask("POST", "/api/v1/webhooks/alerts", &[JSON, &bearer], &body.to_string()).await
}

async fn intake_token(site: &Site, cookie: &str, name: &str) -> String {
    let made = site.send("POST", cookie, "/api/v1/intake-tokens", &json!({"name": name})).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn another_systems_alert_is_shown_and_forwarded_like_any_other_and_a_repetition_is_the_same() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let device = Device::join(&site, &cookie).await;
    let token = intake_token(&site, &cookie, "scada").await;
    let mut watch = site.watch("", &[("cookie", &cookie)]).await.unwrap();
    let listener =
        crate::fleet::client::Client::connect_as(site.broker_port(), service(&site).tls(), "tirta-listener", None);
    let mut listener = listener.await.unwrap();
    listener.subscribe(topic::ALERTS).await.unwrap();
    let _ = device.client.subscribe(topic::ALERTS).await;

    let mut body = json!({"key": "pump-3", "state": "firing", "severity": "critical", "title": "Pump 3 is hot",
        "text": "82 C at the bearing", "device": device.name, "metric": "temperature", "value": 82.0});
    let first = report(&site, &token, &body).await;
    assert_eq!((first.status, first.json()["outcome"].clone()), (200, json!("raised")), "{first:?}");
    let again = report(&site, &token, &body).await.json();
    assert_eq!((again["outcome"].clone(), &again["alert"]), (json!("repeated"), &first.json()["alert"]));
    let event = watch.event_of("alert").await;
    assert_eq!((&event["withheld"], &event["news"]["what"]), (&Value::Null, &json!("raised")));
    assert_eq!(event["news"]["alert"]["detail"]["title"], "Pump 3 is hot");
    let (topic, text) = listener.next().await;
    assert_eq!((topic.as_str(), &serde_json::from_str::<Value>(&text).unwrap()), ("tirta/alerts", &event["news"]));

    let shown = site.get(&cookie, &format!("/api/v1/alerts/{}", first.json()["alert"])).await.json();
    assert_eq!(shown["alert"]["source"], "intake", "{shown}");
    body = json!({"key": "pump-3", "state": "resolved"});
    assert_eq!(report(&site, &token, &body).await.json()["outcome"], "resolved");
    assert_eq!(report(&site, &token, &body).await.json()["outcome"], "unknown");
    assert_eq!(watch.event_of("alert").await["news"]["what"], "cleared");
    let audit = site.get(&cookie, "/api/v1/audit").await.json();
    let acts: Vec<&str> = audit["entries"].as_array().unwrap().iter().filter_map(|e| e["act"].as_str()).collect();
    for act in ["intake_token.created", "alert.raised", "alert.cleared"] {
        assert_eq!(acts.iter().filter(|done| **done == act).count(), 1, "{act} of {acts:?}");
    }
    device.say(&Status::new(LinkState::Online)).await;
    site.stop().await;
}

/// The server's own identity, which may hear everything.
fn service(site: &Site) -> crate::fleet::Card {
    let read = |name: &str| std::fs::read_to_string(site.dir.path().join("data").join(name)).unwrap();
    let file = |name: &str| site.dir.path().join(name);
    crate::fleet::Card {
        name: "tirta-server".to_owned(),
        certificate: read("tirta-server.pem"),
        key: read("tirta-server.key"),
        ca: read("ca.pem"),
        certificate_file: file("unused.pem"),
        key_file: file("unused.key"),
        ca_file: file("data/ca.pem"),
    }
}

#[tokio::test]
async fn whoever_tries_intake_tokens_waits_and_what_cannot_be_taken_is_named() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let token = intake_token(&site, &cookie, "scada").await;
    let taken = site.send("POST", &cookie, "/api/v1/intake-tokens", &json!({"name": "scada"})).await;
    assert_eq!((taken.status, taken.field()), (409, "name".to_owned()));
    let good = json!({"key": "k", "state": "firing", "title": "t"});
    for (field, value) in [
        ("key", json!("")),
        ("title", json!("")),
        ("state", json!("on")),
        ("severity", json!("bad")),
        ("device", json!("pi-99")),
        ("metric", json!("mood")),
        ("at", json!(5)),
        ("colour", json!("red")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = report(&site, &token, &body).await;
        assert_eq!((answer.status, answer.field()), (400, field.to_owned()), "{answer:?}");
    }
    let mut last = 0;
    for n in 0..8 {
        last = report(&site, &format!("tirta_in_guess{n}"), &good).await.status;
    }
    assert_eq!(last, 429);
    assert_eq!(report(&site, &token, &good).await.status, 200, "who guesses keeps no token that counts waiting");
    let listed = site.get(&cookie, "/api/v1/intake-tokens").await.json();
    assert!(listed["tokens"][0]["used_at"].is_i64() && !listed.to_string().contains(&token));
    let id = listed["tokens"][0]["id"].as_str().unwrap().to_owned();
    // A system that floods is slowed down itself.
    while site.app.report_rate.take(&id, UtcMillis(site.now() + 60_000)).is_ok() {}
    let slowed = report(&site, &token, &good).await;
    assert_eq!((slowed.status, slowed.code().as_str(), slowed.header("retry-after")), (429, "too_fast", "1"));
    assert_eq!(site.send("DELETE", &cookie, &format!("/api/v1/intake-tokens/{id}"), &json!(null)).await.status, 204);
    site.let_pass(120_000);
    assert_eq!(report(&site, &token, &good).await.code(), "bad_token");
    site.stop().await;
}

#[tokio::test]
async fn a_silence_is_made_shown_and_ended_and_what_is_wrong_with_it_is_named() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let good = json!({"kind": "maintenance", "scope": "fleet", "to": site.now() + 60_000, "reason": "cleaning"});
    for (field, value) in [
        ("to", json!(site.now() - 1)),
        ("to", json!(site.now() + 400 * 86_400_000_i64)),
        ("reason", json!(" ")),
        ("target", json!("pi-1")),
        ("scope", json!("house")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = site.send("POST", &cookie, "/api/v1/silences", &body).await;
        assert_eq!((answer.status, answer.field()), (400, field.to_owned()), "{answer:?}");
    }
    let mut nobody = good.clone();
    (nobody["scope"], nobody["target"]) = (json!("device"), json!("pi-9"));
    assert_eq!(site.send("POST", &cookie, "/api/v1/silences", &nobody).await.field(), "target");
    (nobody["scope"], nobody["target"]) = (json!("location"), json!("Nowhere"));
    assert_eq!(site.send("POST", &cookie, "/api/v1/silences", &nobody).await.field(), "target");
    let made = site.send("POST", &cookie, "/api/v1/silences", &good).await;
    assert_eq!((made.status, &made.json()["active"]), (201, &json!(true)), "{made:?}");
    let list =
        async |query: &str| site.get(&cookie, &format!("/api/v1/silences{query}")).await.json()["silences"].clone();
    assert_eq!(list("").await[0], made.json());
    let path = format!("/api/v1/silences/{}/end", made.json()["id"]);
    let ended = site.send("POST", &cookie, &path, &json!(null)).await;
    assert_eq!(
        (ended.status, &ended.json()["active"], &ended.json()["ended_by"]),
        (200, &json!(false), &json!("admin"))
    );
    assert_eq!(list("").await, json!([]));
    assert_eq!(list("?since=0").await.as_array().unwrap().len(), 1);
    assert_eq!(site.send("POST", &cookie, "/api/v1/silences/7/end", &json!(null)).await.code(), "unknown_silence");
    site.stop().await;
}

#[tokio::test]
async fn outages_are_listed_and_count_in_the_availability_of_their_day_but_not_those_of_the_server() {
    const HOUR: i64 = 3_600_000;
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let device = Device::join(&site, &cookie).await;
    // It has been in service for a month.
    site.with_database(|database| {
        database.execute("UPDATE device SET enrolled_at = enrolled_at - 2592000000", []).unwrap()
    })
    .await;
    let from = site.now() - 40 * HOUR;
    let (window, cause, detail) = (Window { from, to: from + 6 * HOUR }, Cause::Power, serde_json::Map::new());
    let passed = Turn::Passed { device: device.name.parse().unwrap(), location: None, window, cause, detail };
    site.app.store.keep_turns(&[passed], server::clock::SystemClock.now()).await.unwrap();
    let outages =
        async |query: &str| site.get(&cookie, &format!("/api/v1/outages{query}")).await.json()["outages"].clone();
    let all = outages("?device=pi-1").await;
    assert_eq!(
        (&all[0]["cause"], &all[0]["started_at"], all.as_array().unwrap().len()),
        (&json!("power"), &json!(from), 1)
    );
    assert_eq!(outages(&format!("?from={}", window.to)).await, json!([]));

    let query = format!("availability?per=month&from={}&to={}", from - 6 * HOUR, from + 18 * HOUR);
    let rows = site.get(&cookie, &format!("/api/v1/{query}")).await.json()["rows"].clone();
    let total = |field: &str| rows.as_array().unwrap().iter().map(|row| row[field].as_i64().unwrap()).sum::<i64>();
    assert_eq!((total("out_ms"), total("outages"), total("unknown_ms")), (6 * HOUR, 1, 0), "{rows}");
    if let [row] = &rows.as_array().unwrap()[..] {
        assert_eq!(row["availability_percent"], 75.0);
    }
    // A card that is written anew, and being thrown out afterwards, change nothing of the past.
    let (enrolled, revoked) = (from + 12 * HOUR, from + 13 * HOUR);
    let (first, second) = (
        format!("INSERT INTO service SELECT name, enrolled_at, {enrolled} FROM device"),
        format!("UPDATE device SET enrolled_at = {enrolled}, revoked_at = {revoked}"),
    );
    site.with_database(move |database| [first, second].map(|sql| database.execute(&sql, []).unwrap())).await;
    let rows = site.get(&cookie, &format!("/api/v1/{query}")).await.json()["rows"].clone();
    let total = |field: &str| rows.as_array().unwrap().iter().map(|row| row[field].as_i64().unwrap()).sum::<i64>();
    assert_eq!((total("out_ms"), total("outages")), (6 * HOUR, 1), "{rows}");
    if let [row] = &rows.as_array().unwrap()[..] {
        assert!((row["availability_percent"].as_f64().unwrap() - 100.0 * 13.0 / 19.0).abs() < 1e-6, "{row}");
    }
    let later = site.get(&cookie, &format!("/api/v1/availability?from={}", revoked + HOUR)).await.json();
    assert_eq!(later["rows"], json!([]), "it was not in service any more");
    site.with_database(|database| database.execute("UPDATE device SET revoked_at = NULL", []).unwrap()).await;
    // A clock that leaps is a server that heard nothing meanwhile.
    until("the server has noticed that it hears", async || {
        let beats = "SELECT COUNT(*) FROM policy WHERE name = 'heard_at'";
        site.with_database(|database| database.query_row(beats, [], |row| row.get::<_, i64>(0)).unwrap()).await == 1
    })
    .await;
    site.let_pass(HOUR);
    let cookie = site.sign_in().await;
    let outages =
        async |query: &str| site.get(&cookie, &format!("/api/v1/outages{query}")).await.json()["outages"].clone();
    until("the server has noticed its own outage", async || outages("").await[0]["device"] == Value::Null).await;
    assert_eq!(outages("").await[0]["cause"], "server");
    for (query, field) in
        [("outages?limit=0", "limit"), ("availability?per=year", "per"), ("outages?colour=red", "colour")]
    {
        let answer = site.get(&cookie, &format!("/api/v1/{query}")).await;
        assert_eq!((answer.status, answer.field()), (400, field.to_owned()), "{answer:?}");
    }
    site.stop().await;
}

/// A server that runs as a process of its own, and whoever asks it.
struct Process {
    server: crate::command::Server,
    plain: SocketAddr,
    first: Option<String>,
}

impl Process {
    async fn start(folder: &Folder, first: bool) -> Self {
        let mut server = folder.run().await;
        let line = if first { Some(server.line().await) } else { None };
        let first = line.map(|line| line.split('"').nth(3).unwrap().to_owned());
        let ready = server.line().await;
        let plain = ready.rsplit_once("http://").unwrap().1.parse().unwrap();
        Self { server, plain, first }
    }

    /// What it answers; nothing if it is killed meanwhile.
    async fn ask(&self, method: &str, path: &str, headers: &[&str], body: &Value) -> Option<Answer> {
        let stream = TcpStream::connect(self.plain).await.ok()?;
        let body = body.to_string();
        site::try_exchange(stream, self.plain, method, path, headers, &body).await
    }
}

#[tokio::test]
async fn a_server_that_is_killed_between_raise_and_send_loses_nothing_and_repeats_only_under_the_same_key() {
    let (folder, mut receiver) = (Folder::new(), Receiver::start().await);
    let secret = folder.data().with_file_name("secret");
    std::fs::write(&secret, "not so secret as that").unwrap();
    let hook =
        format!("[[alerts.webhook]]\nname = \"siren\"\nurl = \"{}\"\nsecret_file = {secret:?}\n", receiver.url());
    folder.configure(&format!("{}{hook}", config_text(&folder.data())));
    let mut process = Process::start(&folder, true).await;
    let sign_in = json!({"user": "admin", "password": process.first.take().unwrap()});
    let cookie = process.ask("POST", "/api/v1/session", &[JSON], &sign_in).await.unwrap().cookie();
    let cookie = format!("cookie: {cookie}");
    let made = process.ask("POST", "/api/v1/intake-tokens", &[JSON, &cookie], &json!({"name": "scada"})).await.unwrap();
    let bearer = format!("authorization: Bearer {}", made.json()["token"].as_str().unwrap());

    let mut accepted = 0;
    for life in 0..4 {
        // The first answers never come: the server is killed while it waits for them.
        receiver.hold_next(3);
        for n in 0..6 {
            let body = json!({"key": format!("{life}-{n}"), "state": "firing", "title": "Pump is hot"});
            let answer = process.ask("POST", "/api/v1/webhooks/alerts", &[JSON, &bearer], &body).await.unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
            accepted += 1;
        }
        if life % 2 == 1 {
            until("something is under way", async || receiver.held() > 0).await;
        }
        process.server.kill().await;
        receiver.hold_next(0);
        process = Process::start(&folder, false).await;
    }
    // What got no answer does not count: the server can't know that it arrived.
    let keys = async || {
        let answered = receiver.heard().into_iter().filter(|request| request.answered);
        answered.map(|request| request.header("idempotency-key").to_owned()).collect::<BTreeSet<_>>()
    };
    // Longer than a lease: what was under way when the server was killed comes after it.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
    while keys().await.len() < accepted {
        assert!(tokio::time::Instant::now() < deadline, "{} of {accepted} have come", keys().await.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let alerts = process.ask("GET", "/api/v1/alerts?limit=100", &[&cookie], &json!(null)).await.unwrap().json();
    let ids: BTreeSet<i64> = alerts["alerts"].as_array().unwrap().iter().map(|a| a["id"].as_i64().unwrap()).collect();
    let expected: BTreeSet<String> = ids.iter().map(|id| format!("alert-{id}-1")).collect();
    assert_eq!((ids.len(), keys().await), (accepted, expected), "each alert under one key, and no other");
    assert!(receiver.heard().len() > accepted, "what was under way at a kill came again, under its key");
    process.server.kill().await;
}
