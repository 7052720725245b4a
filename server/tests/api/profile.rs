//! One's own profile: kept with the account, so that it is the same on the next phone, and nobody else's to see or change.

use crate::site::{CHOSEN, Site};
use serde_json::{Value, json};

const PROFILE: &str = "/api/v1/profile";

#[tokio::test]
async fn what_somebody_prefers_comes_along_to_the_next_phone_and_is_nobody_elses() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let tono = site.person(&admin, "tono", "technician").await;
    let usual = site.get(&tono, PROFILE).await.json();
    assert_eq!((&usual["language"], &usual["theme"]), (&json!(null), &json!("system")));
    let heard = json!({"severities": ["warning", "critical"], "sound": false, "browser": false, "quiet": null});
    assert_eq!(usual["notifications"], heard);

    let heard =
        json!({"severities": ["critical"], "sound": true, "browser": true, "quiet": {"from": "22:00", "to": "05:30"}});
    let wanted = json!({"language": "id", "theme": "dark", "display_name": " Pak Tono ", "notifications": heard});
    assert_eq!(site.send("PATCH", &tono, PROFILE, &wanted).await.status, 200);
    let next = site.sign_in_as("tono", CHOSEN).await.cookie();
    let shown = site.get(&next, PROFILE).await.json();
    assert_eq!((&shown["language"], &shown["theme"]), (&json!("id"), &json!("dark")));
    assert_eq!((&shown["display_name"], &shown["notifications"]), (&json!("Pak Tono"), &heard));
    site.send("PATCH", &tono, PROFILE, &json!({"language": null})).await;
    let kept = site.get(&next, PROFILE).await.json();
    assert_eq!((&kept["language"], &kept["theme"]), (&json!(null), &json!("dark")), "only what was named");
    assert_eq!(site.get(&admin, PROFILE).await.json()["theme"], "system");
    let users = site.get(&admin, "/api/v1/users").await.json();
    assert_eq!(users["users"][1]["display_name"], "Pak Tono");
    assert!(!users.to_string().contains("dark"), "what somebody likes is theirs: {users}");
    site.stop().await;
}

#[tokio::test]
async fn an_address_is_changed_by_its_owner_is_one_persons_and_the_change_is_written_down() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let tono = site.person(&admin, "tono", "technician").await;
    let sari = site.person(&admin, "sari", "auditor").await;
    let to = |email: Value| json!({"email": email});
    let changed = site.send("PATCH", &tono, PROFILE, &to(json!("Tono@Kebun.example"))).await;
    assert_eq!(changed.json()["email"], "tono@kebun.example");
    assert_eq!(site.sign_in_as("tono@kebun.example", CHOSEN).await.json()["user"], "tono");
    let taken = site.send("PATCH", &sari, PROFILE, &to(json!("tono@kebun.example"))).await;
    assert_eq!((taken.status, &*taken.field()), (409, "email"));
    let log = site.get(&admin, "/api/v1/audit?act=user.changed&limit=1").await.json();
    let entry = &log["entries"][0];
    assert_eq!((&entry["who"], &entry["act"]), (&json!("tono"), &json!("user.changed")));
    assert_eq!(entry["detail"]["after"]["email"], "tono@kebun.example");
    assert_eq!(site.send("PATCH", &tono, PROFILE, &to(json!(null))).await.json()["email"], json!(null));
    site.stop().await;
}

#[tokio::test]
async fn whoever_asks_which_addresses_there_are_waits_and_what_somebody_likes_costs_nothing() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let sari = site.person(&admin, "sari", "auditor").await;
    site.send("PATCH", &admin, PROFILE, &json!({"email": "admin@kebun.example"})).await;
    let guess = async || site.send("PATCH", &sari, PROFILE, &json!({"email": "admin@kebun.example"})).await;
    let mut told = 0;
    let slowed = loop {
        let answer = guess().await;
        if answer.status != 409 {
            break answer;
        }
        told += 1;
    };
    assert!((3..=6).contains(&told), "{told}");
    assert_eq!((slowed.status, slowed.code()), (429, "too_many_attempts".to_owned()));
    for _ in 0..10 {
        assert_eq!(site.send("PATCH", &sari, PROFILE, &json!({"theme": "dark", "email": null})).await.status, 200);
    }
    site.stop().await;
}

#[tokio::test]
async fn a_profile_that_cannot_be_is_refused_by_field_and_changes_nothing() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let heard = |quiet: Value, severities: Value| json!({"notifications": {"severities": severities, "sound": true, "browser": false, "quiet": quiet}});
    for (wanted, field) in [
        (json!({"role": "admin"}), "role"),
        (json!({"name": "root"}), "name"),
        (json!({"language": "fr"}), "language"),
        (json!({"theme": "pink"}), "theme"),
        (json!({"theme": "dark", "email": "nowhere"}), "email"),
        (json!({"display_name": "x".repeat(81)}), "display_name"),
        (json!({"notifications": {"sound": true}}), "notifications"),
        (heard(json!({"from": "25:00", "to": "05:00"}), json!([])), "notifications.quiet.from"),
        (heard(json!({"from": "05:00", "to": "05:00"}), json!([])), "notifications.quiet.to"),
        (heard(json!(null), json!(["loud"])), "notifications.severities[0]"),
    ] {
        let refused = site.send("PATCH", &admin, PROFILE, &wanted).await;
        assert!(refused.status == 400 && refused.field().starts_with(field), "{wanted}: {refused:?}");
    }
    assert_eq!(site.get(&admin, PROFILE).await.json()["theme"], "system");
    assert_eq!(site.get("", PROFILE).await.status, 401);
    site.stop().await;
}
