//! The audit log as auditors see it: its end, whether it is whole, all of it as a file, and what is asked of its list.

use crate::site::{Answer, Site};
use serde_json::{Value, json};
use server::audit::{Act, Actor};
use shared::UtcMillis;
use shared::chain::{Head, Opening, Row, Walk};

/// A file's bytes, without what says how they were cut for the way.
fn file(answer: &Answer) -> String {
    let mut rest = answer.body.as_slice();
    if answer.header("transfer-encoding") != "chunked" {
        return String::from_utf8(rest.to_vec()).unwrap();
    }
    let mut whole = vec![];
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        whole.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 4 + length..];
    }
    String::from_utf8(whole).unwrap()
}

async fn note(site: &Site, at: i64, who: &str, text: &str) {
    let entry = Actor::account(who).at("10.0.0.5").did(Act::SilenceMade, UtcMillis(at)).with("reason", text);
    site.app.store.note(entry).await.unwrap();
}

#[tokio::test]
async fn an_export_holds_more_than_one_answer_and_is_verified_without_the_server() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    for n in 0..1_100 {
        note(&site, 1_000 + n, "budi", "pembersihan").await;
    }
    let head = site.get(&admin, "/api/v1/audit/head").await.json();
    let exported = site.get(&admin, "/api/v1/audit/export").await;
    assert_eq!((exported.status, exported.header("content-type")), (200, "application/jsonl"));
    let wanted = format!("{}:{}", head["id"], head["hash"].as_str().unwrap());
    assert_eq!(exported.header("tirta-audit-head"), wanted);
    assert!(exported.header("content-disposition").contains(&format!("tirta-audit-{}.jsonl", head["id"])));
    let text = file(&exported);
    let mut lines = text.lines();
    let opening: Opening = serde_json::from_str(lines.next().unwrap()).unwrap();
    let mut walk = Walk::after(opening.after);
    walk.insist_on(opening.head).unwrap();
    lines.for_each(|line| walk.take(&serde_json::from_str::<Row>(line).unwrap()).unwrap());
    assert!(walk.entries() >= 1_100);
    assert_eq!(walk.end().unwrap().to_string(), wanted);

    let verdict = site.get(&admin, &format!("/api/v1/audit/verify?head={wanted}")).await.json();
    assert_eq!((&verdict["intact"], &verdict["head"], &verdict["broken"]), (&json!(true), &head, &Value::Null));
    let other = Head { id: 7, ..wanted.parse().unwrap() };
    let verdict = site.get(&admin, &format!("/api/v1/audit/verify?head={other}")).await.json();
    assert_eq!((&verdict["intact"], &verdict["broken"]["problem"]), (&json!(false), &json!("rewritten")));
    assert_eq!(verdict["broken"]["entry"], 7);
    let bad = site.get(&admin, "/api/v1/audit/verify?head=7").await;
    assert_eq!((bad.status, &*bad.field()), (400, "head"));
    site.stop().await;
}

#[tokio::test]
async fn a_part_is_exported_by_its_time_and_no_cell_of_a_spreadsheet_is_a_formula() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    // After the sign-in, which the log holds, too.
    let signed_in = site.get(&admin, "/api/v1/audit?limit=1").await.json()["entries"][0]["at"].as_i64().unwrap();
    let [one, two, three] = [10, 20, 30].map(|ms| signed_in + ms);
    for at in [one, two, three] {
        note(&site, at, "=cmd()", "@SUM(A1), \"x\"").await;
    }
    let part = file(&site.get(&admin, &format!("/api/v1/audit/export?from={two}&to={three}")).await);
    let lines: Vec<Value> = part.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[1]["at"]), (2, &json!(two)));
    assert_eq!(lines[0]["after"]["id"].as_i64().unwrap() + 1, lines[1]["id"].as_i64().unwrap());
    let csv = site.get(&admin, &format!("/api/v1/audit/export?format=csv&from={two}&to={three}")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let text = file(&csv);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (2, "id,at,who,act,device,serial,address,detail,hash"));
    assert!(lines[1].contains(&format!(",{two},'=cmd(),silence.made,,,10.0.0.5,")), "{text}");
    for (query, field) in [("format=xml", "format"), ("from=5&to=5", "from"), ("until=5", "until")] {
        let bad = site.get(&admin, &format!("/api/v1/audit/export?{query}")).await;
        assert_eq!((bad.status, &*bad.field()), (400, field), "{query}");
    }
    site.stop().await;
}

#[tokio::test]
async fn the_list_is_narrowed_by_who_when_and_what_stands_in_it() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    for (at, who, text) in [(10, "budi", "Pompa 100%"), (20, "sari", "pompa 100x"), (30, "budi", "sumur")] {
        note(&site, at, who, text).await;
    }
    for (query, wanted) in [
        ("who=budi", &[30, 10][..]),
        ("from=20&who=budi", &[30]),
        ("from=10&to=30", &[20, 10]),
        ("q=POMPA", &[20, 10]),
        ("q=100%25", &[10]),
        ("q=10.0.0.5&limit=1", &[30]),
        ("q=tidak+ada", &[]),
        ("q=&who=sari", &[20]),
    ] {
        let found = site.get(&admin, &format!("/api/v1/audit?{query}")).await.json();
        let times: Vec<i64> = found["entries"].as_array().unwrap().iter().map(|e| e["at"].as_i64().unwrap()).collect();
        assert_eq!(times, wanted, "{query}");
    }
    let bad = site.get(&admin, "/api/v1/audit?from=9&to=3").await;
    assert_eq!((bad.status, &*bad.field()), (400, "from"));
    site.stop().await;
}

#[tokio::test]
async fn the_log_is_followed_from_an_entry_on_without_missing_or_repeating_one() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    for n in 0..5 {
        note(&site, 1_000 + n, "budi", "pembersihan").await;
    }
    let (mut seen, mut after) = (vec![], json!(0));
    loop {
        let part = site.get(&admin, &format!("/api/v1/audit?act=silence.made&limit=2&after={after}")).await.json();
        seen.extend(part["entries"].as_array().unwrap().iter().map(|entry| entry["at"].as_i64().unwrap()));
        if part["next"].is_null() {
            break;
        }
        after = part["next"].clone();
    }
    assert_eq!(seen, [1_000, 1_001, 1_002, 1_003, 1_004]);
    assert_eq!(site.get(&admin, "/api/v1/audit?before=9&after=1").await.field(), "after");
    site.stop().await;
}

#[tokio::test]
async fn what_somebody_changes_stands_in_the_log_with_what_was_before() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let card = site.enrol(&admin).await;
    let path = format!("/api/v1/devices/{}/settings", card.name);
    for ms in [1000, 2000] {
        let changed = site.send("PUT", &admin, &path, &json!({"interval_ms": {"ph": ms}})).await;
        assert_eq!(changed.status, 200, "{changed:?}");
    }
    site.send("PUT", &admin, "/api/v1/enrolment-policy", &json!({"returns_for_s": 60})).await;
    site.send("PUT", &admin, "/api/v1/enrolment-policy", &json!({"returns_for_s": 0})).await;
    let log = site.get(&admin, "/api/v1/audit?act=device.settings_changed,policy.changed").await.json();
    let of = |n: usize| &log["entries"][n];
    assert_eq!(of(0)["detail"]["before"]["returns_until"], of(1)["detail"]["returns_until"]);
    assert_eq!((&of(2)["who"], &of(2)["device"]), (&json!("admin"), &json!(card.name)));
    assert_eq!(of(2)["detail"]["before"]["ph"], 1000, "{log}");
    assert_eq!(of(2)["detail"]["after"]["ph"], 2000);
    site.stop().await;
}
