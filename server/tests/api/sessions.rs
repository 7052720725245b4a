//! How long a session lasts and what ends it: its tokens for browsers and for programs, one stolen, one lost on the way.

use crate::site::{Answer, CHOSEN, Site};
use serde_json::{Value, json};

const SESSION: &str = "/api/v1/session";
const REFRESH: &str = "/api/v1/session/refresh";
const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

/// A browser: the two cookies.
struct Browser {
    access: String,
    refresh: String,
}

impl Browser {
    async fn sign_in(site: &Site) -> Self {
        let answer = site.sign_in_as("admin", &site.password).await;
        Self { access: answer.cookie(), refresh: answer.refresh() }
    }

    /// Changes the tokens, and keeps the new ones.
    async fn refresh(&mut self, site: &Site) {
        let answer = refresh(site, &self.refresh).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        (self.access, self.refresh) = (answer.cookie(), answer.refresh());
    }
}

async fn refresh(site: &Site, cookie: &str) -> Answer {
    site.ask("POST", REFRESH, &[&format!("cookie: {cookie}")], "").await
}

async fn status(site: &Site, cookie: &str) -> u16 {
    site.get(cookie, "/api/v1/devices").await.status
}

/// What the audit log says of sessions, the newest first.
async fn log(site: &Site) -> Vec<Value> {
    let admin = site.sign_in().await;
    let log = site.get(&admin, "/api/v1/audit?act=session.started,session.ended,session.reused").await.json();
    log["entries"].as_array().unwrap()[1..].to_vec()
}

#[tokio::test]
async fn an_access_token_ends_after_fifteen_minutes_and_the_refresh_token_gives_the_next() {
    let site = Site::start().await;
    let mut browser = Browser::sign_in(&site).await;
    site.let_pass(15 * MINUTE - 5000);
    assert_eq!(status(&site, &browser.access).await, 200);
    site.let_pass(5000);
    let over = site.get(&browser.access, SESSION).await;
    assert_eq!((over.status, over.code()), (401, "no_session".to_owned()));
    let (old_access, old_refresh) = (browser.access.clone(), browser.refresh.clone());
    browser.refresh(&site).await;
    assert!(browser.access != old_access && browser.refresh != old_refresh);
    let who = site.get(&browser.access, SESSION).await;
    assert_eq!((who.status, &who.json()["user"]), (200, &json!("admin")));
    // A refresh token opens nothing by itself, in whichever cookie, and neither does an access token there.
    for cookie in [browser.refresh.clone(), browser.refresh.replace("tirta_refresh", "tirta_session")] {
        assert_eq!(status(&site, &cookie).await, 401, "{cookie}");
    }
    let wrong = refresh(&site, &browser.access.replace("tirta_session", "tirta_refresh")).await;
    assert_eq!((wrong.status, wrong.code()), (401, "bad_refresh_token".to_owned()));
    assert!(wrong.set_cookie("tirta_refresh").contains("Max-Age=0"));
    site.stop().await;
}

#[tokio::test]
async fn a_session_ends_after_a_week_without_use_and_after_thirty_days_with_it() {
    let site = Site::start().await;
    let (mut used, idle) = (Browser::sign_in(&site).await, Browser::sign_in(&site).await);
    for _ in 0..4 {
        site.let_pass(6 * DAY);
        used.refresh(&site).await;
    }
    assert_eq!(refresh(&site, &idle.refresh).await.code(), "bad_refresh_token");
    site.let_pass(6 * DAY - MINUTE);
    used.refresh(&site).await;
    site.let_pass(MINUTE);
    assert_eq!(status(&site, &used.access).await, 401);
    assert_eq!(refresh(&site, &used.refresh).await.code(), "bad_refresh_token");
    site.stop().await;
}

#[tokio::test]
async fn a_refresh_token_of_two_ends_the_session_at_once_with_its_websocket_and_no_other() {
    let site = Site::start().await;
    let (mut browser, other) = (Browser::sign_in(&site).await, Browser::sign_in(&site).await);
    let stolen = browser.refresh.clone();
    browser.refresh(&site).await;
    let mut watch = site.watch("", &[("cookie", &browser.access)]).await.unwrap();
    site.let_pass(31_000);
    let thief = refresh(&site, &stolen).await;
    assert_eq!((thief.status, thief.code()), (401, "session_reused".to_owned()));
    assert!(thief.cookie().ends_with('=') && !thief.json().to_string().contains("tirta_rt"), "{thief:?}");
    assert_eq!(watch.closed().await, "signed out");
    assert_eq!(status(&site, &browser.access).await, 401);
    assert_eq!(refresh(&site, &browser.refresh).await.code(), "bad_refresh_token");
    assert_eq!(status(&site, &other.access).await, 200);
    let log = log(&site).await;
    assert_eq!((&log[0]["act"], &log[0]["detail"]["user"]), (&json!("session.reused"), &json!("admin")));
    site.stop().await;
}

#[tokio::test]
async fn a_lost_answer_is_given_once_more_and_a_thief_within_that_moment_is_found_out_later() {
    let site = Site::start().await;
    let mut browser = Browser::sign_in(&site).await;
    let lost = refresh(&site, &browser.refresh).await;
    assert_eq!(lost.status, 200);
    site.let_pass(20_000);
    browser.refresh(&site).await;
    assert_eq!(status(&site, &browser.access).await, 200);
    assert_eq!(status(&site, &lost.cookie()).await, 200, "of two tabs, none is cut off");
    // Whoever has the other answer is somebody else as soon as the browser has gone on with its own.
    browser.refresh(&site).await;
    assert_eq!(refresh(&site, &lost.refresh()).await.code(), "session_reused");
    assert_eq!(status(&site, &browser.access).await, 401);
    site.stop().await;
}

#[tokio::test]
async fn signing_out_needs_no_access_token_that_is_still_good() {
    let site = Site::start().await;
    let browser = Browser::sign_in(&site).await;
    let mut watch = site.watch("", &[("cookie", &browser.access)]).await.unwrap();
    site.let_pass(16 * MINUTE);
    let answer = site.ask("DELETE", SESSION, &[&format!("cookie: {}", browser.refresh)], "").await;
    assert_eq!((answer.status, answer.set_cookies.len()), (204, 2));
    assert_eq!(watch.closed().await, "signed out");
    assert_eq!(refresh(&site, &browser.refresh).await.status, 401);
    let log = log(&site).await;
    assert_eq!((&log[0]["act"], &log[0]["who"]), (&json!("session.ended"), &json!("admin")));
    assert_eq!(log[0]["detail"], json!({"user": "admin", "reason": "signed_out"}));
    let again = site.ask("DELETE", SESSION, &[&format!("cookie: {}", browser.refresh)], "").await;
    assert_eq!(again.status, 204, "whoever is signed out already is so afterwards");
    let foreign = site.ask("DELETE", SESSION, &["origin: http://evil.example"], "").await;
    assert_eq!(foreign.code(), "other_origin");
    site.stop().await;
}

#[tokio::test]
async fn a_websocket_outlives_its_access_token_and_ends_with_its_session() {
    let site = Site::start().await;
    let browser = Browser::sign_in(&site).await;
    let mut watch = site.watch("", &[("cookie", &browser.access)]).await.unwrap();
    site.let_pass(20 * MINUTE);
    let admin = site.sign_in().await;
    site.enrol(&admin).await;
    assert_eq!(
        watch.event_of("device").await["device"]["name"],
        "pi-1",
        "the access token has ended, the session has not"
    );
    let sessions = site.get(&admin, "/api/v1/sessions").await.json();
    let old = sessions["sessions"].as_array().unwrap().iter().find(|s| s["current"] == false).unwrap();
    let path = format!("/api/v1/sessions/{}", old["id"].as_str().unwrap());
    assert_eq!(site.send("DELETE", &admin, &path, &json!(null)).await.status, 204);
    assert_eq!(watch.closed().await, "signed out");
    site.stop().await;
}

#[tokio::test]
async fn a_program_signs_in_calls_refreshes_and_signs_out_with_bearer_tokens_alone() {
    let site = Site::start().await;
    let body = json!({"user": "admin", "password": site.password, "bearer": true});
    let answer = site.send("POST", "", SESSION, &body).await;
    assert_eq!((answer.status, answer.set_cookies.len()), (200, 0));
    let tokens = answer.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    let bearer = |word: &Value| format!("authorization: Bearer {}", word.as_str().unwrap());
    let access = bearer(&tokens["access_token"]);
    let devices = site.ask("GET", "/api/v1/devices", &[&access], "").await;
    assert_eq!(devices.status, 200);
    // No cookie is used, so no other site can misuse it: a program may say any origin.
    let token = json!({"uses": 1, "valid_s": 60}).to_string();
    let headers = [&*access, "content-type: application/json", "origin: https://tool.example"];
    assert_eq!(site.ask("POST", "/api/v1/enrolment-tokens", &headers, &token).await.status, 201);
    let mut watch = site.watch("", &[("authorization", access.split_once(": ").unwrap().1)]).await.unwrap();

    site.let_pass(16 * MINUTE);
    assert_eq!(site.ask("GET", "/api/v1/devices", &[&access], "").await.code(), "no_session");
    let next = site.send("POST", "", REFRESH, &json!({"refresh_token": tokens["refresh_token"]})).await;
    assert_eq!((next.status, next.set_cookies.len()), (200, 0));
    let (next, old) = (next.json(), tokens);
    assert_ne!(next["refresh_token"], old["refresh_token"]);
    let access = bearer(&next["access_token"]);
    assert_eq!(site.ask("GET", "/api/v1/devices", &[&access], "").await.status, 200);
    assert_eq!(site.ask("DELETE", SESSION, &[&access], "").await.status, 204);
    assert_eq!(watch.closed().await, "signed out");
    assert_eq!(site.ask("GET", "/api/v1/devices", &[&access], "").await.status, 401);
    let after = site.send("POST", "", REFRESH, &json!({"refresh_token": next["refresh_token"]})).await;
    assert_eq!(after.code(), "bad_refresh_token");
    site.stop().await;
}

#[tokio::test]
async fn a_header_that_is_wrong_is_not_made_good_by_a_cookie() {
    let site = Site::start().await;
    let browser = Browser::sign_in(&site).await;
    let cookie = format!("cookie: {}", browser.access);
    for (wrong, code) in [
        ("Bearer tirta_at_invented", "no_session"),
        ("Bearer tirta_key_x", "bad_token"),
        ("Basic YWRtaW46eA==", "bad_token"),
        ("Bearer", "bad_token"),
        ("", "bad_token"),
    ] {
        let answer = site.ask("GET", "/api/v1/devices", &[&cookie, &format!("authorization: {wrong}")], "").await;
        assert_eq!((answer.status, answer.code()), (401, code.to_owned()), "{wrong}");
    }
    let cookie = format!("cookie: {}", browser.refresh);
    let foreign = ["authorization: Basic eA==", "origin: http://evil.example", &cookie];
    assert_eq!(
        site.ask("POST", REFRESH, &foreign, "").await.code(),
        "other_origin",
        "a browser adds such a header by itself"
    );
    let invented = ["authorization: Bearer tirta_rt_x", &cookie];
    assert_eq!(site.ask("POST", REFRESH, &invented, "").await.code(), "bad_refresh_token");
    assert_eq!(refresh(&site, &browser.refresh).await.status, 200, "and it was not used up by them");
    site.stop().await;
}

#[tokio::test]
async fn a_refresh_says_what_the_account_may_do_now() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    site.person(&admin, "tono", "technician").await;
    let tono = site.sign_in_as("tono", CHOSEN).await;
    let refreshed = refresh(&site, &tono.refresh()).await.json();
    assert_eq!((&refreshed["user"], &refreshed["role"]), (&json!("tono"), &json!("technician")));
    assert_eq!(site.send("PATCH", &admin, "/api/v1/users/tono", &json!({"disabled": true})).await.status, 200);
    assert_eq!(refresh(&site, &tono.refresh()).await.code(), "bad_refresh_token");
    let log = log(&site).await;
    assert_eq!(log[0]["detail"], json!({"user": "tono", "reason": "disabled", "sessions": 2}));
    site.stop().await;
}
