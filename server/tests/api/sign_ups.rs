//! Asking for an account: off unless the configuration says otherwise, worth nothing before an admin says yes, and no way to
//! learn whose an address is.

use crate::site::{Answer, CHOSEN, Site};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

const APPROVAL: &str = "[accounts]\nregistration = \"approval\"\n";
const SIGN_UP: &str = "/api/v1/sign-up";
const JSON: [&str; 1] = ["content-type: application/json"];

fn wish(name: &str) -> Value {
    json!({"name": name, "password": CHOSEN, "display_name": "Pak Tono", "email": "tono@kebun.example"})
}

/// Each from another address of the loopback.
async fn ask(site: &Site, from: u8, wish: &Value) -> Answer {
    site.ask_from(Ipv4Addr::new(127, 0, 1, from), "POST", SIGN_UP, &JSON, &wish.to_string()).await
}

#[tokio::test]
async fn nobody_asks_where_the_configuration_does_not_say_so() {
    let site = Site::start().await;
    assert_eq!(site.get("", SIGN_UP).await.json()["registration"], "closed");
    let refused = ask(&site, 1, &wish("tono")).await;
    assert_eq!((refused.status, refused.code()), (403, "registration_closed".to_owned()));
    let admin = site.sign_in().await;
    assert_eq!(site.get(&admin, "/api/v1/sign-ups").await.json()["sign_ups"], json!([]));
    site.stop().await;
}

#[tokio::test]
async fn who_asks_waits_is_told_so_and_gets_in_when_an_admin_gives_a_role() {
    let site = Site::start_with(APPROVAL).await;
    let admin = site.sign_in().await;
    let tech = site.person(&admin, "sari", "technician").await;
    let mut watch = site.watch("", &[("cookie", &admin)]).await.unwrap();
    let mut elsewhere = site.watch("", &[("cookie", &tech)]).await.unwrap();
    assert_eq!(site.get("", SIGN_UP).await.json()["registration"], "approval");
    let asked = ask(&site, 1, &wish("tono")).await;
    assert_eq!((asked.status, asked.json()), (202, json!({"state": "waiting"})));
    watch.event_of("signups").await;

    let waits = site.sign_in_as("Tono", CHOSEN).await;
    assert_eq!((waits.status, waits.code()), (403, "awaiting_approval".to_owned()));
    assert_eq!(waits.header("set-cookie"), "");
    let wrong = site.sign_in_as("tono", "air kolam keruh").await;
    assert_eq!((wrong.status, wrong.code()), (401, "bad_credentials".to_owned()), "only the right password is told");

    let shown = site.get(&admin, "/api/v1/sign-ups").await.json();
    let first = &shown["sign_ups"][0];
    assert_eq!((&first["name"], &first["address"]), (&json!("tono"), &json!("127.0.1.1")));
    assert!(!shown.to_string().contains("argon2"), "{shown}");
    let path = "/api/v1/sign-ups/tono/approve";
    let without = site.send("POST", &admin, path, &json!({})).await;
    assert_eq!((without.status, &*without.field()), (400, "role"));
    let approved = site.send("POST", &admin, path, &json!({"role": "technician"})).await;
    assert_eq!((approved.status, &approved.json()["email"]), (200, &json!("tono@kebun.example")), "{approved:?}");
    watch.event_of("signups").await;
    let signed_in = site.sign_in_as("tono", CHOSEN).await.json();
    assert_eq!((&signed_in["role"], &signed_in["must_change"]), (&json!("technician"), &json!(false)));
    let again = site.send("POST", &admin, path, &json!({"role": "admin"})).await;
    assert_eq!((again.status, again.code()), (404, "unknown_sign_up".to_owned()));

    // One who may not see who asks is not told that somebody does: the next event there is another.
    site.send("POST", &admin, "/api/v1/registrations/range", &json!({"from": 1, "to": 1})).await;
    let token = json!({"uses": 1, "valid_s": 600});
    let token = site.send("POST", &admin, "/api/v1/enrolment-tokens", &token).await.json()["token"].clone();
    let (key, serial) = (crate::fleet::p256(), crate::fleet::random_serial());
    let board = json!({"serial": serial, "token": token, "csr": crate::fleet::request(&key, &serial.to_string())});
    site.send("POST", "", "/api/v1/enrol", &board).await;
    assert_ne!(elsewhere.event().await["type"], "signups");

    let log = site.get(&admin, "/api/v1/audit?limit=20").await.json();
    let asked = log["entries"].as_array().unwrap().iter().find(|entry| entry["act"] == "user.asked").unwrap();
    assert_eq!((&asked["who"], &asked["address"]), (&json!("visitor"), &json!("127.0.1.1")));
    assert!(log.to_string().contains("user.approved"));
    site.stop().await;
}

#[tokio::test]
async fn nobody_who_asks_says_what_they_are_to_be() {
    let site = Site::start_with(APPROVAL).await;
    for more in ["role", "must_change", "permissions", "approved"] {
        let mut body = wish("tono");
        body[more] = json!("admin");
        let refused = ask(&site, 1, &body).await;
        assert_eq!((refused.status, &*refused.field()), (400, more), "{refused:?}");
    }
    assert_eq!(site.sign_in_as("tono", CHOSEN).await.code(), "bad_credentials", "nothing was kept");
    site.stop().await;
}

#[tokio::test]
async fn an_address_that_somebody_has_is_told_to_the_admin_alone() {
    let site = Site::start_with(APPROVAL).await;
    let admin = site.sign_in().await;
    let sari = json!({"name": "sari", "role": "auditor", "email": "tono@kebun.example"});
    assert_eq!(site.send("POST", &admin, "/api/v1/users", &sari).await.status, 201);
    let (of_sari, of_nobody) = (ask(&site, 1, &wish("tono")).await, {
        let mut other = wish("budi");
        other["email"] = json!("budi@kebun.example");
        ask(&site, 2, &other).await
    });
    assert_eq!((of_sari.status, of_sari.body), (of_nobody.status, of_nobody.body), "the same for both");
    let path = "/api/v1/sign-ups/tono/approve";
    let taken = site.send("POST", &admin, path, &json!({"role": "technician"})).await;
    assert_eq!((taken.status, &*taken.field()), (409, "email"));
    let approved = site.send("POST", &admin, path, &json!({"role": "technician", "email": null})).await;
    assert_eq!((approved.status, &approved.json()["email"]), (200, &json!(null)), "it had not been lost");
    site.stop().await;
}

#[tokio::test]
async fn a_name_is_one_persons_and_free_again_when_it_is_refused_or_nobody_decides() {
    let site = Site::start_with(APPROVAL).await;
    let admin = site.sign_in().await;
    assert_eq!(ask(&site, 1, &wish("admin")).await.code(), "taken");
    assert_eq!(ask(&site, 2, &wish("tono")).await.status, 202);
    let other = json!({"name": "tono", "password": "bukan yang itu"});
    assert_eq!(ask(&site, 3, &other).await.code(), "taken");
    let refuse = "/api/v1/sign-ups/tono/refuse";
    assert_eq!(site.send("POST", &admin, refuse, &json!(null)).await.status, 204);
    assert_eq!(site.send("POST", &admin, refuse, &json!(null)).await.status, 404);
    assert_eq!(site.sign_in_as("tono", CHOSEN).await.code(), "bad_credentials");
    assert_eq!(ask(&site, 3, &other).await.status, 202);
    // An admin who makes the account goes before.
    let first = site.make_user(&admin, "tono", "auditor").await;
    assert_eq!(site.sign_in_as("tono", "bukan yang itu").await.code(), "bad_credentials");
    assert_eq!(site.sign_in_as("tono", &first).await.status, 200);
    let path = "/api/v1/sign-ups/tono/approve";
    let taken = site.send("POST", &admin, path, &json!({"role": "admin"})).await;
    assert_eq!((taken.status, &*taken.field()), (409, "name"));
    assert_eq!(site.get(&admin, "/api/v1/users").await.json()["users"][1]["role"], "auditor");
    let then = shared::UtcMillis(site.now() + 1);
    assert_eq!(site.app.store.forget_sign_ups(then).await.unwrap(), 1);
    assert_eq!(site.get(&admin, "/api/v1/sign-ups").await.json()["sign_ups"], json!([]));
    site.stop().await;
}

#[tokio::test]
async fn asking_is_slowed_down_by_address_and_bounded() {
    let site = Site::start_with(APPROVAL).await;
    let mut asked = 0;
    while ask(&site, 1, &wish("admin")).await.status == 409 {
        asked += 1;
        assert!(asked < 20);
    }
    assert_eq!(ask(&site, 1, &wish("admin")).await.code(), "too_many_attempts");
    assert_eq!(ask(&site, 2, &wish("tono")).await.status, 202, "another address asks as before");
    for n in 0..9 {
        assert_eq!(ask(&site, 2, &wish(&format!("tono-{n}"))).await.status, 202, "{n}");
        site.let_pass(60_000);
    }
    let full = ask(&site, 2, &wish("tono-9")).await;
    assert_eq!((full.status, full.code()), (429, "too_many_waiting".to_owned()));
    assert_eq!(ask(&site, 3, &wish("sari")).await.status, 202);
    site.stop().await;
}
