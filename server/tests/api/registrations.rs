//! The registry over HTTP: dry run, all or nothing, export, ranges, and what enrolment makes of it.

use crate::site::{Answer, Site};
use serde_json::{Value, json};

const A: &str = "10000000000000aa";

async fn import(site: &Site, cookie: &str, query: &str, file: &str) -> Answer {
    let headers = [&format!("cookie: {cookie}"), "content-type: text/csv; charset=utf-8"];
    site.ask("POST", &format!("/api/v1/registrations/import{query}"), &headers, file).await
}

async fn registered(site: &Site, cookie: &str) -> Vec<Value> {
    let answer = site.get(cookie, "/api/v1/registrations").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["registrations"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_registry_is_walked_page_by_page_with_every_name_once() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let file = "name,location\npond,North\nlake,North\npi-10,North\npi-2,North\n";
    assert_eq!(import(&site, &cookie, "", file).await.status, 200);
    let (mut walked, mut after) = (vec![], String::new());
    loop {
        let page = site.get(&cookie, &format!("/api/v1/registrations?limit=1{after}")).await.json();
        walked.push(page["registrations"][0]["name"].as_str().unwrap().to_owned());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(walked, ["lake", "pond", "pi-2", "pi-10"]);
    site.stop().await;
}

fn counts(plan: &Value) -> [u64; 4] {
    ["created", "changed", "unchanged", "refused"].map(|verdict| plan[verdict].as_u64().unwrap())
}

#[tokio::test]
async fn a_file_is_tried_imported_exported_and_imported_again_without_a_change() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let file = format!("Nama;Lokasi;Lintang;Bujur;Seri;Harga\r\npi-7;=Kolam;-6,2;106,8;{A};9\r\npi-8;;;;;\r\n");
    let dry = import(&site, &cookie, "?dry_run=true", &file).await;
    assert_eq!((dry.status, counts(&dry.json())), (200, [2, 0, 0, 0]), "{dry:?}");
    assert_eq!((&dry.json()["imported"], &dry.json()["unknown_columns"]), (&json!(false), &json!(["Harga"])));
    assert_eq!(registered(&site, &cookie).await, [json!(null); 0], "a dry run writes nothing");

    let done = import(&site, &cookie, "", &file).await.json();
    assert_eq!((counts(&done), &done["imported"]), ([2, 0, 0, 0], &json!(true)));
    let kept = registered(&site, &cookie).await;
    assert_eq!(
        (&kept[0]["name"], &kept[0]["serial"], &kept[0]["location"]),
        (&json!("pi-7"), &json!(A), &json!("=Kolam"))
    );
    assert_eq!(
        (&kept[0]["latitude"], &kept[0]["enrolled"], &kept[1]["serial"]),
        (&json!(-6.2), &json!(false), &json!(null))
    );

    let export = site.get(&cookie, "/api/v1/registrations/export").await;
    assert_eq!(export.header("content-type"), "text/csv; charset=utf-8");
    assert!(export.header("content-disposition").contains("tirta-registry.csv"));
    let text = String::from_utf8(export.body).unwrap();
    assert!(text.contains(&format!("{A},pi-7,'=Kolam,-6.2,106.8,,\r\n")), "{text}");
    assert_eq!(counts(&import(&site, &cookie, "", &text).await.json()), [0, 0, 2, 0]);
    assert_eq!(registered(&site, &cookie).await, kept);
    site.stop().await;
}

#[tokio::test]
async fn one_refused_line_stops_the_whole_file_and_the_answer_says_why() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let answer = import(&site, &cookie, "", &format!("serial,name\n{A},pi-1\n{A},pi-2\n,Pi 3\n")).await;
    assert_eq!((answer.status, answer.code(), answer.field()), (422, "lines_refused".to_owned(), "file".to_owned()));
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let plan = &answer.json()["plan"];
    assert_eq!(counts(plan), [0, 0, 0, 3]);
    let first = &plan["lines"][0];
    assert_eq!((&first["line"], &first["problems"][0]["code"]), (&json!(2), &json!("twice")));
    assert_eq!(first["problems"][0]["about"], "3");
    let third = &plan["lines"][2];
    assert_eq!((&third["name"], &third["problems"][0]["field"]), (&json!("Pi 3"), &json!("name")));
    assert_eq!(registered(&site, &cookie).await.len(), 0);
    site.stop().await;
}

#[tokio::test]
async fn what_is_no_file_of_this_kind_is_refused_with_what_to_send() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let headless = import(&site, &cookie, "", "pi-1,Greenhouse\n").await;
    assert_eq!((headless.status, headless.code()), (400, "bad_csv".to_owned()));
    assert!(headless.json()["detail"].as_str().unwrap().contains("serial,name,location"));
    let json = site.send("POST", &cookie, "/api/v1/registrations/import", &json!({})).await;
    assert_eq!((json.status, json.code()), (415, "not_csv".to_owned()));
    let misspelt = import(&site, &cookie, "?dryrun=true", "name\npi-1\n").await;
    assert_eq!((misspelt.status, misspelt.field()), (400, "dryrun".to_owned()), "it must not import for real");
    let large = import(&site, &cookie, "", &"x".repeat(server::registry::csv::MOST_BYTES + 1)).await;
    assert_eq!((large.status, large.code()), (413, "too_large".to_owned()));
    let longer_than_other_bodies = format!("name,notes\npi-1,{}\n", "x".repeat(100_000));
    assert_eq!(import(&site, &cookie, "?dry_run=true", &longer_than_other_bodies).await.status, 200);
    assert_eq!(registered(&site, &cookie).await.len(), 0);
    site.stop().await;
}

#[tokio::test]
async fn a_reserved_name_is_handed_out_with_its_location_and_is_kept_from_then_on() {
    let site = Site::start().await;
    let cookie = site.sign_in().await;
    let range = |from: u32, to: u32| json!({"from": from, "to": to, "location": "Greenhouse"});
    let path = "/api/v1/registrations/range";
    let reserved = site.send("POST", &cookie, path, &range(5, 6)).await;
    assert_eq!(reserved.json(), json!({"reserved": 2, "taken": []}), "{reserved:?}");
    let again = site.send("POST", &cookie, path, &range(4, 6)).await.json();
    assert_eq!(again, json!({"reserved": 1, "taken": ["pi-5", "pi-6"]}));
    let bad = site.send("POST", &cookie, path, &range(9, 3)).await;
    assert_eq!((bad.status, bad.field()), (400, "to".to_owned()));

    let card = site.enrol(&cookie).await;
    assert_eq!(card.name, "pi-4");
    let device = site.get(&cookie, "/api/v1/devices/pi-4").await.json();
    assert_eq!(device["location"], "Greenhouse");
    let kept = registered(&site, &cookie).await;
    assert_eq!((&kept[0]["serial"], &kept[0]["enrolled"]), (&device["serial"], &json!(true)));

    let serial = device["serial"].as_str().unwrap();
    let renamed = import(&site, &cookie, "", &format!("serial,name\n{serial},pi-99\n")).await;
    let problem = &renamed.json()["plan"]["lines"][0]["problems"][0];
    assert_eq!((&problem["code"], &problem["about"]), (&json!("enrolled_as"), &json!("pi-4")));

    let mut watch = site.watch("", &[("cookie", &cookie)]).await.unwrap();
    assert_eq!(import(&site, &cookie, "", "name,location\npi-4,Roof\n").await.status, 200);
    assert_eq!(watch.event_of("device").await["device"]["location"], "Roof", "whoever watches sees it at once");
    site.stop().await;
}
