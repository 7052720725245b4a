//! Signing in and out, and what keeps others from it.

use crate::site::Site;
use serde_json::json;
use std::net::Ipv4Addr;

const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

#[tokio::test]
async fn the_first_password_signs_in_and_nothing_else_does() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let session = site.get(&cookie, "/api/v1/session").await.json();
    assert_eq!((&session["user"], &session["role"]), (&json!("admin"), &json!("admin")));
    assert_eq!((&session["must_change"], session["permissions"].as_array().unwrap().len()), (&json!(false), 14));
    assert_eq!(session["time_zone"], "Asia/Jakarta", "whose times the pages show");

    let wrong = site.try_password(HOME, "wrong").await;
    assert_eq!((wrong.status, wrong.code()), (401, "bad_credentials".to_owned()));
    assert_eq!(wrong.header("set-cookie"), "");
    let body = json!({"user": "nobody", "password": site.password});
    let nobody = site.send("POST", "", "/api/v1/session", &body).await;
    assert_eq!(nobody.json(), wrong.json(), "the answer must not tell which accounts there are");
    site.stop().await;
}

#[tokio::test]
async fn the_cookie_is_for_this_site_only_and_over_tls_never_leaves_it() {
    let site = Site::start().await;
    let plain = site.try_password(HOME, &site.password).await;
    for (name, kind, path, seconds) in
        [("tirta_session", "tirta_at_", "/", 900), ("tirta_refresh", "tirta_rt_", "/api/v1/session", 30 * 86_400)]
    {
        let parts: Vec<_> = plain.set_cookie(name).split("; ").collect();
        let secret = parts[0].strip_prefix(&format!("{name}={kind}")).unwrap();
        assert_eq!(
            (secret.len(), parts[1]),
            (43, &*format!("Path={path}")),
            "256 bits, seen where they must be: {parts:?}"
        );
        let age: i64 = parts[2].strip_prefix("Max-Age=").unwrap().parse().unwrap();
        assert!((seconds - 60..=seconds).contains(&age), "{parts:?}");
        assert_eq!(parts[3..], ["HttpOnly", "SameSite=Strict"]);
    }
    let answer = plain.json();
    let mut said: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    said.sort_unstable();
    let harmless = ["must_change", "permissions", "role", "time_zone", "user"];
    assert_eq!(said, harmless, "no token that a script could read: {plain:?}");

    let body = json!({"user": "admin", "password": site.password}).to_string();
    let secure = site.ask_https("POST", "/api/v1/session", &["content-type: application/json"], &body).await;
    for cookie in &secure.set_cookies {
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{secure:?}");
    }
    assert_eq!(secure.set_cookies.len(), 2);
    site.stop().await;
}

#[tokio::test]
async fn what_is_stored_of_a_session_and_a_password_opens_nothing() {
    let site = Site::start().await;
    let signed_in = site.try_password(HOME, &site.password).await;
    let files =
        ["tirta.db", "tirta.db-wal"].map(|name| std::fs::read(site.dir.path().join("data").join(name)).unwrap());
    let holds = |text: &str| files.iter().any(|file| file.windows(text.len()).any(|part| part == text.as_bytes()));
    for cookie in [signed_in.cookie(), signed_in.refresh()] {
        assert!(!holds(cookie.split_once("=tirta_").unwrap().1.split_once('_').unwrap().1), "{cookie}");
    }
    assert!(!holds(&site.password));
    assert!(holds("$argon2id$"));
    site.stop().await;
}

#[tokio::test]
async fn one_who_guesses_is_slowed_down_and_keeps_nobody_else_out() {
    let site = Site::start().await;
    for _ in 0..5 {
        assert_eq!(site.try_password(ELSEWHERE, "guess").await.status, 401);
    }
    let slowed = site.try_password(ELSEWHERE, &site.password).await;
    assert_eq!((slowed.status, slowed.code()), (429, "too_many_attempts".to_owned()), "not even the right one");
    let wait: i64 = slowed.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");

    assert_eq!(site.try_password(HOME, &site.password).await.status, 200, "from another address");
    site.let_pass(wait * 1000);
    assert_eq!(site.try_password(ELSEWHERE, &site.password).await.status, 200, "after the wait");
    assert_eq!(site.try_password(ELSEWHERE, &site.password).await.status, 200, "a right one costs nothing");
    // How many depends on how long the machine takes for each, but five would be a count that began anew.
    let mut guesses = 0;
    while site.try_password(ELSEWHERE, "guess").await.status == 401 {
        guesses += 1;
    }
    assert!(guesses < 5, "it forgives no guess before it: {guesses}");
    site.stop().await;
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once_and_no_other() {
    let site = Site::start().await;
    let (one, other) = (site.sign_in().await, site.sign_in().await);
    let answer = site.send("DELETE", &one, "/api/v1/session", &json!(null)).await;
    assert_eq!(answer.status, 204);
    assert!(answer.set_cookie("tirta_session").starts_with("tirta_session=; Path=/; Max-Age=0;"), "{answer:?}");
    assert!(answer.set_cookie("tirta_refresh").starts_with("tirta_refresh=; Path=/api/v1/session; Max-Age=0;"));
    assert_eq!(site.get(&one, "/api/v1/devices").await.status, 401);
    assert_eq!(site.get(&other, "/api/v1/devices").await.status, 200);
    site.stop().await;
}

#[tokio::test]
async fn signing_in_again_with_a_cookie_ends_the_session_that_it_had() {
    let site = Site::start().await;
    let old = site.sign_in().await;
    let again = site.send("POST", &old, "/api/v1/session", &json!({"user": "admin", "password": site.password})).await;
    assert_eq!(again.status, 200);
    assert_eq!(site.get(&old, "/api/v1/devices").await.status, 401);
    assert_eq!(site.get(&again.cookie(), "/api/v1/devices").await.status, 200);
    site.stop().await;
}

#[tokio::test]
async fn refused_sign_ins_are_written_down_once_a_minute_with_their_number_and_no_invented_name() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let refusals = async || {
        let log = site.get(&admin, "/api/v1/audit?act=session.refused").await.json();
        log["entries"].as_array().unwrap().clone()
    };
    for (user, _) in [("admin", 1), ("nobody-at-all", 2), ("admin", 3)] {
        let body = json!({"user": user, "password": "guess"}).to_string();
        let answer =
            site.ask_from(ELSEWHERE, "POST", "/api/v1/session", &["content-type: application/json"], &body).await;
        assert_eq!(answer.status, 401);
    }
    let first = refusals().await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(
        (&first[0]["address"], &first[0]["detail"]),
        (&json!("127.0.0.2"), &json!({"count": 1, "user": "admin"}))
    );
    site.let_pass(61_000);
    assert_eq!(site.try_password(ELSEWHERE, "guess").await.status, 401);
    let then = refusals().await;
    assert_eq!((then.len(), &then[0]["detail"]), (2, &json!({"count": 3, "user": "admin"})));
    assert!(!json!(then).to_string().contains("nobody-at-all"), "it may be a password in the wrong field");
    site.stop().await;
}
