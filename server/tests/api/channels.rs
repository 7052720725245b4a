//! Where news goes, as an admin sees it: what each channel is, how it fares, and a test.

use crate::receiver::Receiver;
use crate::site::{Site, said};
use serde_json::{Value, json};

/// A site with one webhook; the folder holds its secret.
async fn with_webhook(url: &str) -> (Site, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("siren.secret");
    std::fs::write(&secret, "a secret of the siren\n").unwrap();
    let hook = format!(
        "[[alerts.webhook]]\nname = \"siren\"\nurl = \"{url}\"\nsecret_file = {secret:?}\nevents = [\"raised\"]"
    );
    (Site::start_with(&hook).await, folder)
}

async fn channel(site: &Site, cookie: &str, name: &str) -> Value {
    let channels = site.get(cookie, "/api/v1/channels").await.json()["channels"].clone();
    channels.as_array().unwrap().iter().find(|channel| channel["name"] == name).cloned().unwrap_or_default()
}

async fn tested(site: &Site, cookie: &str, name: &str) -> Value {
    let answer = site.send("POST", cookie, &format!("/api/v1/channels/{name}/test"), &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn a_test_reaches_the_receiver_signed_and_says_what_it_answered() {
    let mut receiver = Receiver::start().await;
    let (site, _secret) = with_webhook(&format!("{}?key=of-somebody", receiver.url())).await;
    let cookie = site.sign_in().await;
    let shown = channel(&site, &cookie, "webhook:siren").await;
    assert_eq!(
        (&shown["kind"], &shown["host"], &shown["configured"]),
        (&json!("webhook"), &json!("127.0.0.1"), &json!(true))
    );
    assert_eq!(shown["events"], json!(["raised"]));
    let all = site.get(&cookie, "/api/v1/channels").await;
    let text = String::from_utf8(all.body.clone()).unwrap();
    assert!(!text.contains("of-somebody") && !text.contains("a secret") && !text.contains("/hook"), "{text}");

    assert_eq!(tested(&site, &cookie, "webhook:siren").await, json!({"delivered": true, "problem": null}));
    let heard = receiver.heard();
    let news: Value = serde_json::from_str(&heard[0].body).unwrap();
    assert_eq!((heard.len(), &news["what"], &news["alert"]), (1, &json!("test"), &Value::Null));
    assert!(
        heard[0].header("tirta-signature").starts_with("v1=") && news["text"]["en"].as_str().unwrap().contains("admin")
    );

    receiver.answer_next(&[500]);
    let failed = tested(&site, &cookie, "webhook:siren").await;
    assert_eq!(failed["delivered"], false);
    assert!(failed["problem"].as_str().unwrap().contains("500"), "{failed}");
    let entries = site.get(&cookie, "/api/v1/audit?act=channel.tested").await.json()["entries"].clone();
    let told: Vec<_> = entries.as_array().unwrap().iter().map(|entry| entry["detail"]["delivered"].clone()).collect();
    assert_eq!(told, [json!(false), json!(true)]);
    let shown = channel(&site, &cookie, "webhook:siren").await;
    assert_eq!((&shown["sent"], &shown["failed"]), (&json!(0), &json!(0)), "a test is no news");
    site.stop().await;
}

#[tokio::test]
async fn a_test_goes_to_no_other_place_not_too_often_and_not_for_everybody() {
    let (site, _secret) = with_webhook("http://127.0.0.1:9/").await;
    let cookie = site.sign_in().await;
    let test = async |cookie: &str, name: &str| {
        site.send("POST", cookie, &format!("/api/v1/channels/{name}/test"), &json!({})).await
    };
    let supervisor = site.person(&cookie, "sari", "supervisor").await;
    assert_eq!(said(&test(&supervisor, "mqtt").await), (403, "forbidden".to_owned()));
    assert_eq!(site.get(&supervisor, "/api/v1/channels").await.status, 200);
    assert_eq!(said(&test(&cookie, "webhook:other").await), (404, "unknown_channel".to_owned()));
    let refused = tested(&site, &cookie, "webhook:siren").await;
    assert_eq!(refused["delivered"], false, "nobody listens there");
    assert_eq!(tested(&site, &cookie, "mqtt").await["delivered"], true);
    let mut last = 0;
    for _ in 0..6 {
        last = test(&cookie, "webhook:siren").await.status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    site.let_pass(10_000);
    assert_eq!(test(&cookie, "webhook:siren").await.status, 200);
    site.stop().await;
}

#[tokio::test]
async fn how_a_channel_fares_is_counted_and_one_that_was_taken_out_is_still_shown() {
    let receiver = Receiver::start().await;
    let (site, _secret) = with_webhook(&receiver.url()).await;
    let cookie = site.sign_in().await;
    let made = site.send("POST", &cookie, "/api/v1/intake-tokens", &json!({"name": "scada"})).await.json();
    let bearer = format!("authorization: Bearer {}", made["token"].as_str().unwrap());
    let report = json!({"key": "pump-3", "state": "firing", "title": "Pump 3 is hot"}).to_string();
    let headers = ["content-type: application/json", &bearer];
    assert_eq!(site.ask("POST", "/api/v1/webhooks/alerts", &headers, &report).await.status, 200);
    crate::fleet::until("it has arrived", async || channel(&site, &cookie, "webhook:siren").await["sent"] == 1).await;
    let now = site.now();
    site.with_database(move |database| {
        let gone = "INSERT INTO delivery (outbox, channel, state, tries, next_at, done_at, problem)
            SELECT MIN(id), 'webhook:old', 'failed', 3, 0, ?1, 'it answered 410 Gone' FROM outbox";
        database.execute(gone, [now]).unwrap()
    })
    .await;
    let old = channel(&site, &cookie, "webhook:old").await;
    assert_eq!((&old["configured"], &old["failed"], &old["host"]), (&json!(false), &json!(1), &Value::Null), "{old}");
    assert_eq!(old["problem"], "it answered 410 Gone");
    let system = site.get(&cookie, "/api/v1/system").await.json();
    assert_eq!(system["deliveries"]["failed"], 1);
    site.stop().await;
}
