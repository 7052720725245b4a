//! API keys: what each opens, and that nobody gets more by one than they were given.

use crate::fleet;
use crate::site::{Answer, CHOSEN, Site, Watch, said};
use serde_json::{Value, json};
use server::access::{Need, Permission, TABLE};
use std::net::Ipv4Addr;
use tokio_tungstenite::tungstenite;

/// Makes a key; returns its id and its secret.
async fn make(site: &Site, admin: &str, body: &Value) -> (String, String) {
    let made = site.send("POST", admin, "/api/v1/keys", body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let text = |field: &str| made.json()[field].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

async fn get(site: &Site, key: &str, path: &str) -> Answer {
    site.ask("GET", path, &[&format!("authorization: Bearer {key}")], "").await
}

async fn watch(site: &Site, key: &str) -> Result<Watch, tungstenite::Error> {
    site.watch("", &[("authorization", &format!("Bearer {key}"))]).await
}

#[tokio::test]
async fn every_operation_lets_in_exactly_the_keys_whose_scope_it_needs() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let (mut refused, mut let_in) = (0, 0);
    for scope in Permission::ALL.into_iter().filter(|scope| !scope.is_for_people()) {
        let name = scope.as_str().replace('_', "-");
        let (_, key) = make(&site, &admin, &json!({"name": name, "scopes": [scope.as_str()]})).await;
        for (method, path, need) in TABLE.iter().filter(|(.., need)| *need != Need::Open) {
            let concrete = path.replace("{name}", "pi-1").replace("{id}", "x");
            let answer = site.ask(method, &concrete, &[&format!("authorization: Bearer {key}")], "").await;
            let code = answer.code_if_problem();
            if *need == Need::May(scope) {
                let stopped = ["no_session", "forbidden", "change_password", "bad_token", "too_fast"].contains(&&*code);
                assert!(!stopped, "{method} {path} by a key for {scope:?}: {answer:?}");
                let_in += 1;
            } else {
                assert_eq!((answer.status, &*code), (403, "forbidden"), "{method} {path} by a key for {scope:?}");
                refused += 1;
            }
        }
    }
    assert!(refused > 500 && let_in > 60, "{refused} {let_in}");
    site.stop().await;
}

#[tokio::test]
async fn a_key_is_shown_once_and_named_in_the_log_with_what_it_does() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let wanted = json!({"name": "gateway", "scopes": ["read", "approve_devices", "read"], "valid_s": 600});
    let (id, key) = make(&site, &admin, &wanted).await;
    assert!(key.starts_with("tirta_key_") && key.len() == 53, "256 bits: {key}");
    let listed = site.get(&admin, "/api/v1/keys").await;
    assert!(!String::from_utf8(listed.body.clone()).unwrap().contains(&key));
    let shown = &listed.json()["keys"][0];
    assert_eq!(
        (&shown["state"], &shown["used_at"], &shown["made_by"]),
        (&json!("good"), &json!(null), &json!("admin"))
    );
    assert_eq!((&shown["scopes"], &shown["devices"]), (&json!(["read", "approve_devices"]), &json!(null)));

    assert_eq!(get(&site, &key, "/api/v1/devices").await.status, 200);
    let used = site.get(&admin, "/api/v1/keys").await.json()["keys"][0]["used_at"].as_i64().unwrap();
    assert!((site.now() - used).abs() < 60_000);
    let headers = [&format!("authorization: Bearer {key}"), "content-type: application/json"];
    let made = site.ask("POST", "/api/v1/devices", &headers, r#"{"name":"well-3"}"#).await;
    assert_eq!(made.status, 201, "{made:?}");
    let log = site.get(&admin, "/api/v1/audit").await.json();
    let newest = &log["entries"][0];
    assert_eq!((&newest["act"], &newest["who"]), (&json!("device.registered"), &json!("key:gateway")));
    let before = &log["entries"][1];
    assert_eq!(
        (&before["act"], &before["detail"]["key"], &before["who"]),
        (&json!("key.created"), &json!(id), &json!("admin"))
    );
    assert!(!log.to_string().contains(&key));
    site.stop().await;
}

#[tokio::test]
async fn nobody_gives_a_key_more_than_they_have_and_no_key_makes_keys() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let supervisor = site.person(&admin, "sari", "supervisor").await;
    let refused = site.send("POST", &supervisor, "/api/v1/keys", &json!({"name": "x", "scopes": ["read"]})).await;
    assert_eq!(said(&refused), (403, "forbidden".to_owned()), "only an admin makes keys");
    for (field, body) in [
        ("scopes[1]", json!({"name": "x", "scopes": ["read", "manage_users"]})),
        ("scopes[0]", json!({"name": "x", "scopes": ["calibrate"]})),
        ("scopes[0]", json!({"name": "x", "scopes": ["everything"]})),
        ("scopes", json!({"name": "x", "scopes": []})),
        ("name", json!({"name": "X y", "scopes": ["read"]})),
        ("valid_s", json!({"name": "x", "scopes": ["read"], "valid_s": 5})),
        ("devices", json!({"name": "x", "scopes": ["read"], "devices": []})),
    ] {
        let answer = site.send("POST", &admin, "/api/v1/keys", &body).await;
        assert_eq!((answer.status, answer.field()), (400, field.to_owned()), "{body}: {answer:?}");
    }
    let all: Vec<_> = Permission::ALL.iter().filter(|p| !p.is_for_people()).map(|p| p.as_str()).collect();
    let (id, key) = make(&site, &admin, &json!({"name": "mighty", "scopes": all})).await;
    let headers = [&format!("authorization: Bearer {key}"), "content-type: application/json"];
    let body = json!({"name": "child", "scopes": ["read"]}).to_string();
    assert_eq!(said(&site.ask("POST", "/api/v1/keys", &headers, &body).await), (403, "forbidden".to_owned()));
    let path = format!("/api/v1/keys/{id}");
    assert_eq!(said(&site.ask("DELETE", &path, &headers, "").await), (403, "forbidden".to_owned()));
    let taken = site.send("POST", &admin, "/api/v1/keys", &json!({"name": "mighty", "scopes": ["read"]})).await;
    assert_eq!(said(&taken), (409, "taken".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn a_key_counts_in_its_header_only_and_never_beside_a_cookie() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let (_, key) = make(&site, &admin, &json!({"name": "x", "scopes": ["read"]})).await;
    let no_session = (401, "no_session".to_owned());
    assert_eq!(said(&site.ask("GET", &format!("/api/v1/devices?key={key}"), &[], "").await), no_session);
    assert_eq!(said(&site.ask("GET", &format!("/api/v1/latest?access_token={key}"), &[], "").await), no_session);
    assert_eq!(said(&site.get(&format!("tirta_session={key}"), "/api/v1/devices").await), no_session);
    let in_the_path = format!("/api/v1/live?authorization=Bearer%20{key}");
    assert_eq!(site.ask("GET", &in_the_path, &[], "").await.status, 401);
    // A header that is there and wrong is not made good by a cookie that is right.
    for wrong in ["Bearer tirta_key_invented", "Basic YWRtaW46eA==", "tirta_key_invented", "Bearer "] {
        let headers = [&format!("cookie: {admin}"), &*format!("authorization: {wrong}")];
        assert_eq!(
            said(&site.ask("GET", "/api/v1/devices", &headers, "").await),
            (401, "bad_token".to_owned()),
            "{wrong}"
        );
    }
    // A key that may less than the cookie beside it may less.
    let headers = [&format!("cookie: {admin}"), &*format!("authorization: bearer {key}")];
    assert_eq!(site.ask("GET", "/api/v1/devices", &headers, "").await.status, 200, "the word is known in any letters");
    assert_eq!(said(&site.ask("GET", "/api/v1/audit", &headers, "").await), (403, "forbidden".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn a_secret_of_another_kind_is_no_key_and_a_key_is_no_secret_of_another_kind() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let intake = site.send("POST", &admin, "/api/v1/intake-tokens", &json!({"name": "scada"})).await.json();
    let wanted = json!({"uses": 1, "valid_s": 600});
    let enrolment = site.send("POST", &admin, "/api/v1/enrolment-tokens", &wanted).await.json();
    for token in [&intake["token"], &enrolment["token"]] {
        let answer = get(&site, token.as_str().unwrap(), "/api/v1/devices").await;
        assert_eq!(said(&answer), (401, "bad_token".to_owned()));
    }
    let (_, key) = make(&site, &admin, &json!({"name": "x", "scopes": ["read", "handle_alerts"]})).await;
    let headers = [&format!("authorization: Bearer {key}"), "content-type: application/json"];
    let report = json!({"key": "k", "state": "firing", "title": "hot"}).to_string();
    let answer = site.ask("POST", "/api/v1/webhooks/alerts", &headers, &report).await;
    assert_eq!(said(&answer), (401, "bad_token".to_owned()), "{answer:?}");
    site.stop().await;
}

#[tokio::test]
async fn a_key_that_is_withdrawn_opens_nothing_at_once_and_its_connection_ends() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let (id, key) = make(&site, &admin, &json!({"name": "x", "scopes": ["read"]})).await;
    let (_, other) = make(&site, &admin, &json!({"name": "y", "scopes": ["read"]})).await;
    let mut watching = watch(&site, &key).await.unwrap();
    let mut goes_on = watch(&site, &other).await.unwrap();
    assert_eq!(site.send("DELETE", &admin, &format!("/api/v1/keys/{id}"), &json!({})).await.status, 204);
    assert_eq!(watching.closed().await, "signed out");
    assert!(matches!(watch(&site, &key).await, Err(tungstenite::Error::Http(answer)) if answer.status() == 401));
    let answer = get(&site, &key, "/api/v1/devices").await;
    assert_eq!(said(&answer), (401, "bad_token".to_owned()));
    assert!(answer.json()["detail"].as_str().unwrap().contains("withdrawn"));
    site.send("POST", &admin, "/api/v1/devices", &json!({"name": "well-3"})).await;
    assert_eq!(goes_on.event_of("device").await["device"]["name"], "well-3", "another key is another");
    let again = site.send("DELETE", &admin, &format!("/api/v1/keys/{id}"), &json!({})).await;
    assert_eq!(again.status, 204);
    assert_eq!(
        said(&site.send("DELETE", &admin, "/api/v1/keys/none", &json!({})).await),
        (404, "unknown_api_key".to_owned())
    );
    site.stop().await;
}

#[tokio::test]
async fn a_key_ends_with_its_time_and_its_name_is_free_again() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let (_, key) = make(&site, &admin, &json!({"name": "x", "scopes": ["read"], "valid_s": 600})).await;
    assert_eq!(get(&site, &key, "/api/v1/devices").await.status, 200);
    site.let_pass(601_000);
    assert_eq!(said(&get(&site, &key, "/api/v1/devices").await), (401, "bad_token".to_owned()));
    assert_eq!(site.get(&admin, "/api/v1/keys").await.json()["keys"][0]["state"], "expired");
    let (_, again) = make(&site, &admin, &json!({"name": "x", "scopes": ["read"]})).await;
    assert_eq!(get(&site, &again, "/api/v1/devices").await.status, 200);
    site.stop().await;
}

#[tokio::test]
async fn keys_are_withdrawn_for_good_with_their_makers_right_to_make_them_and_their_connections_end() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let mut budi = site.person(&admin, "budi", "admin").await;
    let (_, other) = make(&site, &admin, &json!({"name": "other", "scopes": ["read"]})).await;
    let path = "/api/v1/users/budi";
    let take = [
        ("PATCH", path.to_owned(), json!({"role": "supervisor"})),
        ("PATCH", path.to_owned(), json!({"disabled": true})),
        ("POST", format!("{path}/reset-password"), json!(null)),
    ];
    for (method, path, body) in take {
        let (_, key) = make(&site, &budi, &json!({"name": "x", "scopes": ["read", "manage_fleet"]})).await;
        let mut watching = watch(&site, &key).await.unwrap();
        let taken = site.send(method, &admin, &path, &body).await;
        assert_eq!(taken.status, 200, "{taken:?}");
        assert_eq!(watching.closed().await, "signed out", "{body}");
        assert_eq!(said(&get(&site, &key, "/api/v1/devices").await), (401, "bad_token".to_owned()), "{body}");
        let log = site.get(&admin, "/api/v1/audit?act=user.changed,user.password_reset&limit=1").await.json();
        assert_eq!(log["entries"][0]["detail"]["keys_withdrawn"], 1, "{log}");
        let back = json!({"role": "admin", "disabled": false});
        assert_eq!(site.send("PATCH", &admin, "/api/v1/users/budi", &back).await.status, 200);
        assert_eq!(said(&get(&site, &key, "/api/v1/devices").await), (401, "bad_token".to_owned()), "{body}");
        let keys = site.get(&admin, "/api/v1/keys").await.json();
        let of_budi = keys["keys"].as_array().unwrap().iter().filter(|key| key["made_by"] == "budi");
        assert!(of_budi.into_iter().all(|key| key["state"] == "revoked"), "{keys}");
        budi = site.sign_in_as("budi", CHOSEN).await.cookie();
    }
    assert_eq!(get(&site, &other, "/api/v1/devices").await.status, 200, "another's key is another's");
    site.stop().await;
}

#[tokio::test]
async fn who_tries_keys_waits_ever_longer_and_a_key_that_asks_too_fast_waits_for_itself_only() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let (_, key) = make(&site, &admin, &json!({"name": "x", "scopes": ["read"]})).await;
    let (_, other) = make(&site, &admin, &json!({"name": "y", "scopes": ["read"]})).await;
    let guesser = Ipv4Addr::new(127, 0, 0, 9);
    let guess = async || {
        let header = "authorization: Bearer tirta_key_guess";
        site.ask_from(guesser, "GET", "/api/v1/devices", &[header], "").await
    };
    let mut last = guess().await;
    for _ in 0..8 {
        last = guess().await;
    }
    assert_eq!(said(&last), (429, "too_many_attempts".to_owned()));
    assert!(!last.header("retry-after").is_empty());
    let header = format!("authorization: Bearer {key}");
    let same_place = site.ask_from(guesser, "GET", "/api/v1/devices", &[&header], "").await;
    assert_eq!(same_place.status, 200, "who guesses keeps no good key out");
    let mut answer = get(&site, &key, "/api/v1/authority").await;
    for _ in 0..1000 {
        if answer.status != 200 {
            break;
        }
        answer = get(&site, &key, "/api/v1/authority").await;
    }
    assert_eq!(said(&answer), (429, "too_fast".to_owned()));
    assert_eq!(get(&site, &other, "/api/v1/authority").await.status, 200);
    site.let_pass(60_000);
    fleet::until("the key may ask again", async || get(&site, &key, "/api/v1/authority").await.status == 200).await;
    site.stop().await;
}
