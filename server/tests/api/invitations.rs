//! Invitations: the role is the invitation's, the link works once, and nothing but an admin who still is one stands behind it.

use crate::site::{Answer, CHOSEN, Site};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

const INVITATIONS: &str = "/api/v1/invitations";
const JOIN: &str = "/api/v1/join";

async fn invite(site: &Site, admin: &str, wanted: &Value) -> (String, String) {
    let made = site.send("POST", admin, INVITATIONS, wanted).await;
    assert_eq!(made.status, 201, "{made:?}");
    let text = |field: &str| made.json()[field].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

async fn join(site: &Site, secret: &str, name: &str) -> Answer {
    site.send("POST", "", JOIN, &json!({"secret": secret, "name": name, "password": CHOSEN})).await
}

async fn state(site: &Site, admin: &str, id: &str) -> Value {
    let all = site.get(admin, INVITATIONS).await.json();
    let found = all["invitations"].as_array().unwrap().iter().find(|one| one["id"] == id).cloned();
    found.unwrap_or_else(|| panic!("{id} is not in {all}"))
}

#[tokio::test]
async fn whoever_is_invited_chooses_a_name_and_has_the_invited_role() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let wanted = json!({"role": "technician", "name": "Pak Tono", "email": "Tono@Kebun.example"});
    let (id, secret) = invite(&site, &admin, &wanted).await;
    assert!(secret.starts_with("tirta_iv_") && secret.len() > 40, "{secret}");
    let offered = site.send("POST", "", "/api/v1/join/look", &json!({"secret": secret})).await.json();
    assert_eq!((&offered["role"], &offered["name"]), (&json!("technician"), &json!("Pak Tono")));
    assert_eq!((&offered["invited_by"], &offered["email"]), (&json!("admin"), &json!("tono@kebun.example")));

    for (name, password, field) in [
        ("T", CHOSEN, "name"),
        ("visitor", CHOSEN, "name"),
        ("tono", "short", "password"),
        ("tono", "TonoTonoTono", "password"),
    ] {
        let body = json!({"secret": secret, "name": name, "password": password});
        let refused = site.send("POST", "", JOIN, &body).await;
        assert_eq!((refused.status, &*refused.field()), (400, field), "{refused:?}");
    }
    let taken = join(&site, &secret, "admin").await;
    assert_eq!((taken.status, taken.code(), &*taken.field()), (409, "taken".to_owned(), "name"));
    assert_eq!(state(&site, &admin, &id).await["state"], "open", "nothing of that used it up");

    let joined = join(&site, &secret, "tono").await;
    assert_eq!((joined.status, joined.json()["role"].as_str()), (201, Some("technician")), "{joined:?}");
    assert_eq!(joined.header("set-cookie"), "", "signing in is a request of its own");
    let signed_in = site.sign_in_as("tono@kebun.example", CHOSEN).await;
    assert_eq!(
        (signed_in.json()["role"].as_str(), signed_in.json()["must_change"].as_bool()),
        (Some("technician"), Some(false))
    );
    let used = state(&site, &admin, &id).await;
    assert_eq!((&used["state"], &used["used_by"]), (&json!("used"), &json!("tono")));
    let again = join(&site, &secret, "sari").await;
    assert_eq!((again.status, again.code()), (410, "invitation_used".to_owned()));

    let log = site.get(&admin, "/api/v1/audit?limit=5").await.json();
    let acts: Vec<_> = log["entries"].as_array().unwrap().iter().map(|entry| entry["act"].as_str().unwrap()).collect();
    assert!(acts.contains(&"user.invited") && acts.contains(&"user.joined"), "{acts:?}");
    assert!(
        !log.to_string().contains(&secret) && !site.get(&admin, INVITATIONS).await.json().to_string().contains(&secret)
    );
    site.stop().await;
}

#[tokio::test]
async fn nobody_who_joins_says_what_they_are() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let (id, secret) = invite(&site, &admin, &json!({"role": "auditor"})).await;
    for more in ["role", "email", "must_change", "permissions"] {
        let mut body = json!({"secret": secret, "name": "sari", "password": CHOSEN});
        body[more] = json!("admin");
        let refused = site.send("POST", "", JOIN, &body).await;
        assert_eq!((refused.status, &*refused.field()), (400, more), "{refused:?}");
    }
    assert_eq!(state(&site, &admin, &id).await["state"], "open");
    assert_eq!(join(&site, &secret, "sari").await.json()["role"], "auditor");
    site.stop().await;
}

#[tokio::test]
async fn an_invitation_that_many_use_at_once_makes_one_account() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let (_, secret) = invite(&site, &admin, &json!({"role": "technician"})).await;
    let answers = futures_util::future::join_all(["a1", "b2", "c3", "d4"].map(|name| join(&site, &secret, name))).await;
    let mut said: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    said.sort_unstable();
    assert_eq!(said, [201, 410, 410, 410]);
    assert_eq!(site.get(&admin, "/api/v1/users").await.json()["users"].as_array().unwrap().len(), 2);
    site.stop().await;
}

#[tokio::test]
async fn an_invitation_ends_by_time_by_hand_and_with_the_right_of_whoever_made_it() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let budi = site.person(&admin, "budi", "admin").await;
    let (by_hand, first) = invite(&site, &admin, &json!({"role": "technician", "valid_s": 3600})).await;
    let (_, by_time) = invite(&site, &admin, &json!({"role": "technician", "valid_s": 3600})).await;
    let (_, by_budi) = invite(&site, &budi, &json!({"role": "admin"})).await;

    let path = format!("{INVITATIONS}/{by_hand}");
    assert_eq!(site.send("DELETE", &budi, &path, &json!(null)).await.status, 204);
    assert_eq!(site.send("DELETE", &budi, &format!("{INVITATIONS}/none"), &json!(null)).await.status, 404);
    assert_eq!(join(&site, &first, "tono").await.code(), "invitation_withdrawn");

    let demoted = site.send("PATCH", &admin, "/api/v1/users/budi", &json!({"role": "supervisor"})).await;
    assert_eq!(demoted.status, 200);
    assert_eq!(join(&site, &by_budi, "tono").await.code(), "invitation_withdrawn");
    site.send("PATCH", &admin, "/api/v1/users/budi", &json!({"role": "admin"})).await;
    assert_eq!(
        join(&site, &by_budi, "tono").await.code(),
        "invitation_withdrawn",
        "not even when the right comes back"
    );

    site.let_pass(3_600_000);
    let late = join(&site, &by_time, "tono").await;
    assert_eq!((late.status, late.code()), (410, "invitation_expired".to_owned()));
    site.stop().await;
}

#[tokio::test]
async fn only_admins_invite_and_only_within_bounds() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let sari = site.person(&admin, "sari", "supervisor").await;
    let rini = site.person(&admin, "rini", "auditor").await;
    for cookie in [&sari, &rini] {
        let refused = site.send("POST", cookie, INVITATIONS, &json!({"role": "auditor"})).await;
        assert_eq!((refused.status, refused.code()), (403, "forbidden".to_owned()));
    }
    assert_eq!(site.get(&sari, INVITATIONS).await.status, 403);
    assert_eq!(site.get(&rini, INVITATIONS).await.status, 200);
    for (wanted, field) in [
        (json!({"role": "god"}), "role"),
        (json!({}), "role"),
        (json!({"role": "auditor", "valid_s": 3599}), "valid_s"),
        (json!({"role": "auditor", "valid_s": 2_592_001}), "valid_s"),
        (json!({"role": "auditor", "email": "nowhere"}), "email"),
        (json!({"role": "auditor", "name": "x".repeat(81)}), "name"),
        (json!({"role": "auditor", "secret": "mine"}), "secret"),
    ] {
        let refused = site.send("POST", &admin, INVITATIONS, &wanted).await;
        assert_eq!((refused.status, &*refused.field()), (400, field), "{refused:?}");
    }
    site.send("PATCH", &admin, "/api/v1/users/sari", &json!({"email": "sari@kebun.example"})).await;
    let taken =
        site.send("POST", &admin, INVITATIONS, &json!({"role": "auditor", "email": "Sari@kebun.example"})).await;
    assert_eq!((taken.status, &*taken.field()), (409, "email"));
    site.stop().await;
}

#[tokio::test]
async fn whoever_guesses_invitations_is_slowed_down_and_keeps_out_nobody_who_was_invited() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let (_, secret) = invite(&site, &admin, &json!({"role": "technician"})).await;
    let headers = ["content-type: application/json"];
    let guess = json!({"secret": "tirta_iv_guess", "name": "tono", "password": CHOSEN}).to_string();
    let mut tried = 0;
    loop {
        let answer = site.ask_from(Ipv4Addr::LOCALHOST, "POST", JOIN, &headers, &guess).await;
        if answer.status == 429 {
            assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
            break;
        }
        assert_eq!((answer.status, answer.code()), (404, "unknown_invitation".to_owned()));
        tried += 1;
        assert!(tried < 20);
    }
    assert_eq!(join(&site, &secret, "tono").await.status, 201, "behind the same router");
    site.stop().await;
}
