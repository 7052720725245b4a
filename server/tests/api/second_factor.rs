//! The second factor: set up, asked for, used once, lost, and switched off by whoever may.

use crate::site::{Answer, CHOSEN, Site, said};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

const FACTOR: &str = "/api/v1/session/second-factor";
const CONFIRM: &str = "/api/v1/session/second-factor/confirm";

/// What the telephone shows, so many steps from now.
fn code(site: &Site, secret: &str, steps: i64) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    totp.generate(u64::try_from(site.now() / 1000 + 30 * steps).unwrap()).to_string()
}

/// Sets the second factor of somebody up; its secret and recovery codes.
async fn set_up(site: &Site, cookie: &str) -> (String, Vec<String>) {
    let proposed = site.send("POST", cookie, FACTOR, &json!({"password": CHOSEN})).await;
    assert_eq!(proposed.status, 200, "{proposed:?}");
    let secret = proposed.json()["secret"].as_str().unwrap().to_owned();
    let confirmed = site.send("POST", cookie, CONFIRM, &json!({"code": code(site, &secret, 0)})).await;
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    let codes = confirmed.json()["recovery_codes"].as_array().unwrap().clone();
    (secret, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

async fn sign_in(site: &Site, code: Option<&str>) -> Answer {
    let body = json!({"user": "tono", "password": CHOSEN, "code": code});
    site.send("POST", "", "/api/v1/session", &body).await
}

#[tokio::test]
async fn a_second_factor_is_in_force_once_a_code_was_shown_and_each_code_opens_once() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let tono = site.person(&admin, "tono", "technician").await;
    let none = site.get(&tono, FACTOR).await.json();
    assert_eq!(none, json!({"enabled_at": null, "recovery_codes": 0}));
    assert_eq!(site.send("POST", &tono, CONFIRM, &json!({"code": "123456"})).await.code(), "nothing_proposed");
    let wrong = site.send("POST", &tono, FACTOR, &json!({"password": "wrong"})).await;
    assert_eq!((wrong.status, wrong.code(), wrong.field()), (403, "wrong_password".to_owned(), "password".to_owned()));
    let proposed = site.send("POST", &tono, FACTOR, &json!({"password": CHOSEN})).await.json();
    let uri = proposed["uri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/Tirta:tono?secret=") && uri.contains("issuer=Tirta"), "{uri}");
    assert_eq!(sign_in(&site, None).await.status, 200, "it is not in force yet");
    let bad = site.send("POST", &tono, CONFIRM, &json!({"code": "abc"})).await;
    assert_eq!((bad.status, bad.field()), (400, "code".to_owned()));

    let (secret, recovery) = set_up(&site, &tono).await;
    assert_eq!(recovery.iter().collect::<std::collections::BTreeSet<_>>().len(), 10);
    let again = site.send("POST", &tono, FACTOR, &json!({"password": CHOSEN})).await;
    assert_eq!((again.status, again.code()), (409, "enabled_already".to_owned()));
    assert_eq!(site.get(&tono, FACTOR).await.json()["recovery_codes"], 10);

    assert_eq!(said(&sign_in(&site, None).await), (401, "code_needed".to_owned()));
    let guess = site.send("POST", "", "/api/v1/session", &json!({"user": "tono", "password": "x", "code": "1"})).await;
    assert_eq!(guess.code(), "bad_credentials", "nobody else learns that there is a second factor");
    let used = code(&site, &secret, 0);
    assert_eq!(said(&sign_in(&site, Some(&used)).await), (401, "wrong_code".to_owned()), "it was shown at the set-up");
    let next = code(&site, &secret, 1);
    assert_eq!(sign_in(&site, Some(&next)).await.status, 200);
    assert_eq!(said(&sign_in(&site, Some(&next)).await), (401, "wrong_code".to_owned()), "a code opens once");
    site.let_pass(200_000);
    assert_eq!(said(&sign_in(&site, Some(&next)).await), (401, "wrong_code".to_owned()), "and not for long");
    let spaced = code(&site, &secret, 0);
    assert_eq!(sign_in(&site, Some(&format!("{} {}", &spaced[..3], &spaced[3..]))).await.status, 200);

    let log = site.get(&admin, "/api/v1/audit?act=user.totp_enabled,session.started&limit=9").await.json();
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries[0]["detail"], json!({"user": "tono", "second_factor": "totp"}));
    assert!(entries.iter().any(|entry| entry["act"] == "user.totp_enabled" && entry["who"] == "tono"));
    assert!(!log.to_string().contains(&secret));
    site.stop().await;
}

#[tokio::test]
async fn a_recovery_code_opens_once_and_what_is_stored_of_it_opens_nothing() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let tono = site.person(&admin, "tono", "technician").await;
    let (_, recovery) = set_up(&site, &tono).await;
    let typed = recovery[0].to_uppercase().replace('-', " ");
    let (one, other) = tokio::join!(sign_in(&site, Some(&typed)), sign_in(&site, Some(&recovery[0])));
    let mut both = [said(&one), said(&other)];
    both.sort();
    assert_eq!(both, [(200, String::new()), (401, "wrong_code".to_owned())]);
    assert_eq!(site.get(&tono, FACTOR).await.json()["recovery_codes"], 9);
    let log = site.get(&admin, "/api/v1/audit?act=session.started&limit=1").await.json();
    assert_eq!(log["entries"][0]["detail"]["second_factor"], "recovery_code");
    let file = std::fs::read(site.dir.path().join("data/tirta.db-wal")).unwrap();
    for code in &recovery {
        assert!(!file.windows(code.len()).any(|part| part == code.as_bytes()), "{code}");
    }
    site.stop().await;
}

#[tokio::test]
async fn guessing_codes_is_slowed_down_like_guessing_passwords_and_asking_for_one_costs_nothing() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let tono = site.person(&admin, "tono", "technician").await;
    let (secret, _) = set_up(&site, &tono).await;
    for _ in 0..10 {
        assert_eq!(said(&sign_in(&site, None).await), (401, "code_needed".to_owned()));
    }
    let mut wrong = 0;
    while sign_in(&site, Some("000000")).await.code() == "wrong_code" {
        wrong += 1;
    }
    assert!((3..=6).contains(&wrong), "{wrong}");
    let slowed = sign_in(&site, Some(&code(&site, &secret, 1))).await;
    assert_eq!((slowed.status, slowed.code()), (429, "too_many_attempts".to_owned()));
    let elsewhere = json!({"user": "tono", "password": CHOSEN, "code": code(&site, &secret, 1)}).to_string();
    let from = std::net::Ipv4Addr::new(127, 0, 0, 2);
    let headers = ["content-type: application/json"];
    let answer = site.ask_from(from, "POST", "/api/v1/session", &headers, &elsewhere).await;
    assert_eq!(answer.status, 200, "its owner is not locked out: {answer:?}");
    site.stop().await;
}

#[tokio::test]
async fn it_is_switched_off_with_the_password_or_by_an_admin() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let tono = site.person(&admin, "tono", "technician").await;
    let off = format!("{FACTOR}/disable");
    let of_tono = "/api/v1/users/tono/second-factor";
    set_up(&site, &tono).await;
    assert_eq!(site.send("POST", &tono, &off, &json!({"password": "wrong"})).await.code(), "wrong_password");
    assert_eq!(said(&sign_in(&site, None).await).0, 401);
    assert_eq!(site.send("POST", &tono, &off, &json!({"password": CHOSEN})).await.status, 204);
    assert_eq!(sign_in(&site, None).await.status, 200);
    assert_eq!(site.send("POST", &tono, &off, &json!({"password": CHOSEN})).await.code(), "not_enabled");

    let (_, old) = set_up(&site, &tono).await;
    assert_eq!(site.send("DELETE", &tono, of_tono, &Value::Null).await.code(), "forbidden");
    // By the name alone, as everything else about an account.
    let address = json!({"email": "tono@kebun.example"});
    assert_eq!(site.send("PATCH", &admin, "/api/v1/users/tono", &address).await.status, 200);
    let by_address = "/api/v1/users/tono@kebun.example/second-factor";
    assert_eq!(site.send("DELETE", &admin, by_address, &Value::Null).await.code(), "unknown_user");
    assert_eq!(site.send("DELETE", &admin, of_tono, &Value::Null).await.status, 204);
    assert_eq!(sign_in(&site, None).await.status, 200);
    let log = site.get(&admin, "/api/v1/audit?act=user.totp_disabled&limit=1").await.json();
    assert_eq!((&log["entries"][0]["who"], &log["entries"][0]["detail"]["user"]), (&json!("admin"), &json!("tono")));
    assert_eq!(site.send("DELETE", &admin, of_tono, &Value::Null).await.code(), "not_enabled");
    // One's own is switched off with one's password only: a token alone, which may be stolen, does not do.
    let own = site.send("DELETE", &admin, "/api/v1/users/admin/second-factor", &Value::Null).await;
    assert_eq!(said(&own), (409, "own_account".to_owned()));
    let nobody = "/api/v1/users/nobody/second-factor";
    assert_eq!(site.send("DELETE", &admin, nobody, &Value::Null).await.code(), "unknown_user");
    set_up(&site, &tono).await;
    assert_eq!(said(&sign_in(&site, Some(&old[0])).await).1, "wrong_code", "codes of before are gone");
    site.stop().await;
}
