//! Accounts, first passwords and one's own sessions, as people see them.

use crate::site::{CHOSEN, Site};
use serde_json::{Value, json};

const PASSWORD: &str = "/api/v1/session/password";

#[tokio::test]
async fn a_first_password_opens_nothing_but_the_choice_of_another() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let first = site.make_user(&admin, "tono", "technician").await;
    let signed_in = site.sign_in_as("tono", &first).await;
    assert_eq!((signed_in.status, &signed_in.json()["must_change"]), (200, &json!(true)));
    let cookie = signed_in.cookie();
    for path in ["/api/v1/devices", "/api/v1/sessions", "/api/v1/openapi.json"] {
        let answer = site.get(&cookie, path).await;
        assert_eq!((answer.status, answer.code()), (403, "change_password".to_owned()), "{path}");
    }
    assert_eq!(site.get(&cookie, "/api/v1/session").await.json()["role"], "technician");
    for (old, new, field) in [
        (&*first, "short", "new"),
        (&*first, &*first, "new"),
        (&*first, "TonoTonoTono", "new"),
        ("wrong", CHOSEN, "old"),
    ] {
        let answer = site.send("POST", &cookie, PASSWORD, &json!({"old": old, "new": new})).await;
        assert!(answer.status >= 400 && answer.field() == field, "{new}: {answer:?}");
    }
    let other = site.sign_in_as("tono", &first).await.cookie();
    assert_eq!(site.send("POST", &cookie, PASSWORD, &json!({"old": first, "new": CHOSEN})).await.status, 204);
    assert_eq!(site.get(&cookie, "/api/v1/devices").await.status, 200, "the session goes on");
    assert_eq!(site.get(&other, "/api/v1/session").await.status, 401, "and no other");
    assert_eq!(site.sign_in_as("tono", &first).await.status, 401);
    assert_eq!(site.sign_in_as(" Tono ", CHOSEN).await.status, 200, "as telephones write it");
    site.stop().await;
}

#[tokio::test]
async fn accounts_are_made_found_by_address_listed_in_pages_and_refused_by_field() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let new = |name: &str, email: Value| json!({"name": name, "role": "auditor", "email": email});
    let made = site.send("POST", &admin, "/api/v1/users", &new("sari", json!("Sari@Example.org"))).await;
    assert_eq!((made.status, &made.json()["user"]["email"]), (201, &json!("sari@example.org")));
    let password = made.json()["password"].as_str().unwrap().to_owned();
    assert_eq!(site.sign_in_as("SARI@example.org", &password).await.json()["user"], "sari");
    for (name, email, status, field) in [
        ("sari", json!(null), 409, "name"),
        ("budi", json!("SARI@example.org"), 409, "email"),
        ("budi", json!("nowhere"), 400, "email"),
        ("Budi", json!(null), 400, "name"),
        ("b", json!(null), 400, "name"),
        ("b@example.org", json!(null), 400, "name"),
        ("server", json!(null), 400, "name"),
    ] {
        let answer = site.send("POST", &admin, "/api/v1/users", &new(name, email)).await;
        assert_eq!((answer.status, &*answer.field()), (status, field), "{name}");
    }
    let wrong = site.send("POST", &admin, "/api/v1/users", &json!({"name": "budi", "role": "god"})).await;
    assert_eq!((wrong.status, &*wrong.field()), (400, "role"));
    let first = site.get(&admin, "/api/v1/users?limit=1").await.json();
    assert_eq!((&first["users"][0]["name"], &first["next"]), (&json!("admin"), &json!("admin")));
    let second = site.get(&admin, "/api/v1/users?limit=1&after=admin").await.json();
    assert_eq!((&second["users"][0]["name"], &second["next"]), (&json!("sari"), &json!(null)));

    let path = "/api/v1/users/sari";
    let kept = site.send("PATCH", &admin, path, &json!({"role": "supervisor"})).await.json();
    assert_eq!((&kept["email"], &kept["role"]), (&json!("sari@example.org"), &json!("supervisor")));
    assert_eq!(site.send("PATCH", &admin, path, &json!({"email": null})).await.json()["email"], json!(null));
    assert_eq!(site.send("PATCH", &admin, "/api/v1/users/nobody", &json!({})).await.code(), "unknown_user");
    let log = site.get(&admin, "/api/v1/audit?limit=2").await.json();
    let entry = &log["entries"][1];
    assert_eq!((&entry["act"], &entry["who"]), (&json!("user.changed"), &json!("admin")));
    assert_eq!(
        (&entry["detail"]["before"]["role"], &entry["detail"]["after"]["role"]),
        (&json!("auditor"), &json!("supervisor"))
    );
    assert!(!log.to_string().contains(&password));
    site.stop().await;
}

#[tokio::test]
async fn another_role_or_being_disabled_takes_effect_at_once_also_for_who_watches() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let path = "/api/v1/users/tono";
    let mut cookie = site.person(&admin, "tono", "technician").await;
    for change in [json!({"role": "auditor"}), json!({"disabled": true})] {
        let mut watch = site.watch("", &[("cookie", &cookie)]).await.unwrap();
        assert_eq!(site.send("PATCH", &admin, path, &change).await.status, 200);
        assert_eq!(watch.closed().await, "signed out");
        assert_eq!(site.get(&cookie, "/api/v1/devices").await.status, 401, "{change}");
        let again = site.sign_in_as("tono", CHOSEN).await;
        if change["disabled"] == true {
            assert_eq!((again.status, again.code()), (401, "bad_credentials".to_owned()));
        } else {
            assert_eq!(again.json()["role"], "auditor");
            cookie = again.cookie();
        }
    }
    assert_eq!(site.send("PATCH", &admin, path, &json!({"disabled": false})).await.status, 200);
    cookie = site.sign_in_as("tono", CHOSEN).await.cookie();
    let mut watch = site.watch("", &[("cookie", &cookie)]).await.unwrap();
    let reset = site.send("POST", &admin, &format!("{path}/reset-password"), &json!(null)).await;
    assert_eq!((reset.status, &reset.json()["user"]["must_change"]), (200, &json!(true)));
    assert_eq!(watch.closed().await, "signed out");
    assert_eq!(site.sign_in_as("tono", CHOSEN).await.status, 401);
    let first = reset.json()["password"].as_str().unwrap().to_owned();
    assert_eq!(site.sign_in_as("tono", &first).await.json()["must_change"], true);
    let own = site.send("POST", &admin, "/api/v1/users/admin/reset-password", &json!(null)).await;
    assert_eq!((own.status, own.code()), (409, "own_account".to_owned()), "a stolen token is no password");
    assert_eq!(site.sign_in_as("admin", &site.password.clone()).await.status, 200);
    site.stop().await;
}

#[tokio::test]
async fn the_last_admin_who_may_sign_in_stays_one() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    for change in [json!({"role": "auditor"}), json!({"disabled": true})] {
        let answer = site.send("PATCH", &admin, "/api/v1/users/admin", &change).await;
        assert_eq!((answer.status, answer.code()), (409, "last_admin".to_owned()), "{change}");
    }
    assert_eq!(site.get(&admin, "/api/v1/users").await.status, 200, "nothing has changed");
    site.person(&admin, "budi", "admin").await;
    assert_eq!(site.send("PATCH", &admin, "/api/v1/users/admin", &json!({"disabled": true})).await.status, 200);
    assert_eq!(site.get(&admin, "/api/v1/users").await.status, 401);
    site.stop().await;
}

#[tokio::test]
async fn ones_own_sessions_are_shown_with_whence_and_end_one_by_one_or_all() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let other = site.sign_in_as("admin", &site.password.clone()).await.cookie();
    let tono = site.person(&admin, "tono", "technician").await;
    let long = format!("user-agent: {}", "x".repeat(999));
    let body = json!({"user": "admin", "password": site.password}).to_string();
    let third = site.ask("POST", "/api/v1/session", &[&long, "content-type: application/json"], &body).await.cookie();

    let shown = site.get(&admin, "/api/v1/sessions").await.json();
    let sessions = shown["sessions"].as_array().unwrap();
    assert_eq!((sessions.len(), sessions.iter().filter(|s| s["current"] == true).count()), (3, 1), "{shown}");
    assert!(sessions.iter().all(|s| s["address"] == "127.0.0.1"), "{shown}");
    let agent = sessions.iter().find_map(|s| s["agent"].as_str()).unwrap();
    assert_eq!(agent.len(), 200);
    let id = |sessions: &Value| {
        let current = |s: &&Value| s["current"] == true;
        sessions["sessions"].as_array().unwrap().iter().find(current).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let of_other = id(&site.get(&other, "/api/v1/sessions").await.json());
    let path = format!("/api/v1/sessions/{of_other}");
    let foreign = site.send("DELETE", &tono, &path, &json!(null)).await;
    assert_eq!((foreign.status, foreign.code()), (404, "unknown_session".to_owned()));
    let mut watch = site.watch("", &[("cookie", &other)]).await.unwrap();
    assert_eq!(site.send("DELETE", &admin, &path, &json!(null)).await.status, 204);
    assert_eq!(watch.closed().await, "signed out");
    assert_eq!(site.get(&other, "/api/v1/session").await.status, 401);

    let everywhere = site.send("DELETE", &admin, "/api/v1/sessions", &json!(null)).await;
    assert!(everywhere.status == 204 && everywhere.set_cookie("tirta_session").contains("Max-Age=0"), "{everywhere:?}");
    for cookie in [&admin, &third] {
        assert_eq!(site.get(cookie, "/api/v1/session").await.status, 401);
    }
    assert_eq!(site.get(&tono, "/api/v1/session").await.status, 200);
    site.stop().await;
}

#[tokio::test]
async fn nobody_can_lock_somebody_else_out_by_guessing() {
    let site = Site::start().await;
    let elsewhere = std::net::Ipv4Addr::new(127, 0, 0, 2);
    while site.try_password(elsewhere, "guess").await.status != 429 {}
    assert_eq!(site.sign_in_as("admin", &site.password.clone()).await.status, 200);
    site.stop().await;
}
