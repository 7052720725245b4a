//! Boards that wait, windows, replacements, claims and the audit log, as a browser sees them; and who tries to get in.

use crate::fleet::{self, request};
use crate::site::{Answer, Site};
use rcgen::KeyPair;
use serde_json::{Value, json};
use shared::Serial;

struct Board {
    serial: Serial,
    key: KeyPair,
}

impl Board {
    fn new() -> Self {
        Self { serial: fleet::random_serial(), key: fleet::p256() }
    }

    fn csr(&self) -> String {
        request(&self.key, &self.serial.to_string())
    }

    async fn ask(&self, site: &Site, token: &Value) -> Answer {
        let body = json!({"serial": self.serial, "token": token, "csr": self.csr(), "model": "Raspberry Pi 4\0"});
        site.send("POST", "", "/api/v1/enrol", &body).await
    }
}

async fn token(site: &Site, cookie: &str) -> Value {
    let new = json!({"uses": 50, "valid_s": 600});
    site.send("POST", cookie, "/api/v1/enrolment-tokens", &new).await.json()["token"].clone()
}

async fn waiting(site: &Site, cookie: &str) -> Vec<Value> {
    site.get(cookie, "/api/v1/waiting").await.json()["waiting"].as_array().unwrap().clone()
}

async fn acts(site: &Site, cookie: &str, query: &str) -> Vec<String> {
    let log = site.get(cookie, &format!("/api/v1/audit{query}")).await.json();
    let acts = log["entries"].as_array().unwrap().iter().map(|entry| entry["act"].as_str().unwrap().to_owned());
    acts.collect()
}

#[tokio::test]
async fn a_board_waits_is_seen_and_is_let_in_with_one_click() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let (token, board) = (token(&site, &cookie).await, Board::new());
    let answer = board.ask(&site, &token).await;
    assert_eq!((answer.status, answer.json()["reason"].as_str()), (202, Some("not_expected")));
    let waits = waiting(&site, &cookie).await;
    assert_eq!(
        (waits.len(), &waits[0]["serial"], &waits[0]["model"]),
        (1, &json!(board.serial), &json!("Raspberry Pi 4"))
    );
    let path = format!("/api/v1/waiting/{}/approve", waits[0]["id"].as_str().unwrap());
    let approved = site.send("POST", &cookie, &path, &json!({"location": "Pond"})).await;
    assert_eq!((approved.status, approved.json()), (200, json!({"name": "pi-1"})));
    assert_eq!(site.send("POST", &cookie, &path, &json!({})).await.code(), "unknown_request");
    let identity = board.ask(&site, &token).await;
    assert_eq!((identity.status, &identity.json()["name"]), (200, &json!("pi-1")));
    let device = site.get(&cookie, "/api/v1/devices/pi-1").await.json();
    assert_eq!((&device["location"], &device["model"]), (&json!("Pond"), &json!("Raspberry Pi 4")));
    let certificate = &device["certificate"];
    let life = certificate["expires_at"].as_i64().unwrap() - certificate["issued_at"].as_i64().unwrap();
    assert_eq!((life + 999) / 86_400_000, 30, "a certificate counts whole seconds");
    let log = site.get(&cookie, "/api/v1/audit?device=pi-1").await.json();
    assert_eq!((&log["entries"][0]["act"], &log["entries"][0]["who"]), (&json!("device.approved"), &json!("admin")));
    assert_eq!(log["entries"][0]["address"], "127.0.0.1");
    site.stop().await;
}

#[tokio::test]
async fn all_that_nobody_expected_are_let_in_together_and_second_keys_are_not() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let (token, boards) = (token(&site, &cookie).await, [Board::new(), Board::new(), Board::new()]);
    for board in &boards {
        assert_eq!(board.ask(&site, &token).await.status, 202);
    }
    let all = site.send("POST", &cookie, "/api/v1/waiting/approve-all", &json!(null)).await.json();
    assert_eq!(all, json!({"approved": ["pi-1", "pi-2", "pi-3"]}));
    let again = Board { serial: boards[0].serial, key: fleet::p256() };
    assert_eq!(again.ask(&site, &token).await.json()["reason"], "second_key");
    let all = site.send("POST", &cookie, "/api/v1/waiting/approve-all", &json!(null)).await.json();
    assert_eq!(all, json!({"approved": []}));
    assert_eq!(waiting(&site, &cookie).await[0]["device"], "pi-1");

    let policy = site.send("PUT", &cookie, "/api/v1/enrolment-policy", &json!({"returns_for_s": 600})).await.json();
    assert!(policy["returns_until"].is_i64());
    assert_eq!(again.ask(&site, &token).await.json()["name"], "pi-1");
    let closed = site.send("PUT", &cookie, "/api/v1/enrolment-policy", &json!({"returns_for_s": 0})).await.json();
    assert_eq!(closed, json!({"returns_until": null}));
    let long = site.send("PUT", &cookie, "/api/v1/enrolment-policy", &json!({"returns_for_s": 9_999_999})).await;
    assert_eq!((long.status, long.field()), (400, "returns_for_s".to_owned()));
    assert!(acts(&site, &cookie, "?device=pi-1").await.contains(&"device.returned".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn a_replaced_board_is_cut_off_and_its_key_renews_nothing_any_more() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let (token, old, new) = (token(&site, &cookie).await, Board::new(), Board::new());
    old.ask(&site, &token).await;
    site.send("POST", &cookie, "/api/v1/waiting/approve-all", &json!(null)).await;
    assert_eq!(old.ask(&site, &token).await.status, 200);
    let renewal = json!({"name": "pi-1", "csr": old.csr()});
    assert_eq!(site.send("POST", "", "/api/v1/renew", &renewal).await.json()["name"], "pi-1");
    let path = "/api/v1/devices/pi-1/replace";
    let replaced = site.send("POST", &cookie, path, &json!({"serial": new.serial})).await;
    assert_eq!(replaced.json(), json!({"name": "pi-1", "waiting": true}));
    assert_eq!(new.ask(&site, &token).await.json()["name"], "pi-1");
    let refused = site.send("POST", "", "/api/v1/renew", &renewal).await;
    assert_eq!((refused.status, refused.code()), (403, "unknown_key".to_owned()), "the name is another board's");
    assert_eq!(old.ask(&site, &token).await.code(), "unknown_key");
    let own = site.send("POST", &cookie, path, &json!({"serial": new.serial})).await;
    assert_eq!((own.status, own.field()), (409, "serial".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn a_label_is_claimed_for_a_place_and_lets_the_board_in_that_waits() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let (token, board) = (token(&site, &cookie).await, Board::new());
    assert_eq!(board.ask(&site, &token).await.status, 202);
    let range = json!({"from": 7, "to": 7, "location": "Store room"});
    site.send("POST", &cookie, "/api/v1/registrations/range", &range).await;
    let claim =
        json!({"name": "pi-7", "serial": board.serial, "location": "Pond", "latitude": -6.2, "longitude": 106.8});
    let claimed = site.send("POST", &cookie, "/api/v1/claim", &claim).await.json();
    assert_eq!(claimed, json!({"name": "pi-7", "serial": board.serial, "location": "Pond", "approved": true}));
    assert_eq!(board.ask(&site, &token).await.json()["name"], "pi-7");
    let unknown = site.send("POST", &cookie, "/api/v1/claim", &json!({"name": "pi-99", "location": "Pond"})).await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown_label".to_owned()));
    let nameless = site.send("POST", &cookie, "/api/v1/claim", &json!({"location": "Pond"})).await;
    assert_eq!((nameless.status, nameless.field()), (400, "name".to_owned()));
    assert!(acts(&site, &cookie, "").await.contains(&"device.claimed".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn whoever_tries_tokens_is_told_to_wait_and_a_good_token_from_the_same_address_is_not() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let (good, board) = (token(&site, &cookie).await, Board::new());
    let mut statuses = vec![];
    for n in 0..12 {
        let guess = board.ask(&site, &json!(format!("tirta_{n:032}"))).await;
        statuses.push(guess.status);
        if guess.status == 429 {
            assert_eq!(guess.code(), "too_many_attempts");
            assert!(guess.headers.contains_key("retry-after"));
        }
    }
    assert_eq!(statuses[0], 403);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(board.ask(&site, &good).await.status, 202, "one who guesses keeps nobody else out");
    site.stop().await;
}

#[tokio::test]
async fn a_huge_request_is_refused_before_it_is_looked_at() {
    let site = Site::start().await;
    let body = json!({"serial": fleet::random_serial(), "token": "x", "csr": "x".repeat(100_000)});
    let answer = site.send("POST", "", "/api/v1/enrol", &body).await;
    assert_eq!((answer.status, answer.code()), (413, "too_large".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn an_enrolment_while_the_database_is_away_is_to_be_tried_again_and_costs_nothing() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let (token, board) = (token(&site, &cookie).await, Board::new());
    site.app.store.close().await;
    let answer = board.ask(&site, &token).await;
    assert_eq!((answer.status, answer.code()), (503, "database".to_owned()));
    assert!(answer.headers.contains_key("retry-after"));
    site.stop().await;
}

#[tokio::test]
async fn the_audit_log_is_read_page_by_page() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    for _ in 0..3 {
        token(&site, &cookie).await;
    }
    let page = site.get(&cookie, "/api/v1/audit?limit=2").await.json();
    assert_eq!((page["entries"].as_array().unwrap().len(), page["next"].as_i64()), (2, Some(3)));
    let rest = site.get(&cookie, "/api/v1/audit?limit=3&before=3").await.json();
    let acts: Vec<_> = rest["entries"].as_array().unwrap().iter().map(|entry| entry["act"].as_str().unwrap()).collect();
    assert_eq!((acts, &rest["next"]), (vec!["token.created", "session.started"], &Value::Null));
    let bad = site.get(&cookie, "/api/v1/audit?limit=0").await;
    assert_eq!((bad.status, bad.field()), (400, "limit".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn the_audit_log_is_asked_for_kinds_of_acts_and_an_unknown_kind_is_named() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    for _ in 0..2 {
        token(&site, &cookie).await;
    }
    site.send("PUT", &cookie, "/api/v1/enrolment-policy", &json!({"returns_for_s": 600})).await;
    assert_eq!(acts(&site, &cookie, "?act=policy.changed").await, ["policy.changed"]);
    let both = acts(&site, &cookie, "?act=token.created,policy.changed,token.created&limit=2").await;
    assert_eq!(both, ["policy.changed", "token.created"]);
    assert!(acts(&site, &cookie, "?act=device.revoked").await.is_empty());
    for (act, named) in [("token.eaten", "token.eaten"), ("token.created,", "\"\""), ("", "\"\"")] {
        let bad = site.get(&cookie, &format!("/api/v1/audit?act={act}")).await;
        assert_eq!((bad.status, bad.field()), (400, "act".to_owned()), "{act:?}");
        let detail = bad.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(named) && detail.contains("token.created"), "{detail}");
    }
    site.stop().await;
}

#[tokio::test]
async fn the_authority_is_changed_and_retired_over_the_interface_and_both_are_written_down() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let path = "/api/v1/authority";
    let before = site.get(&cookie, path).await.json();
    assert_eq!(before["previous"], Value::Null);
    let early = site.send("POST", &cookie, &format!("{path}/retire"), &json!(null)).await;
    assert_eq!((early.status, early.code()), (409, "authority".to_owned()));
    let rotated = site.send("POST", &cookie, &format!("{path}/rotate"), &json!(null)).await.json();
    assert_eq!((&rotated["previous"]["ca_sha256"], &rotated["previous"]["devices"]), (&before["ca_sha256"], &json!(0)));
    let again = site.send("POST", &cookie, &format!("{path}/rotate"), &json!(null)).await;
    assert_eq!(again.status, 409);
    let retired = site.send("POST", &cookie, &format!("{path}/retire"), &json!(null)).await.json();
    assert_eq!((&retired["ca_sha256"], &retired["previous"]), (&rotated["ca_sha256"], &Value::Null));
    assert_eq!(acts(&site, &cookie, "?limit=2").await, ["authority.retired", "authority.rotated"]);
    site.stop().await;
}
