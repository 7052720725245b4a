//! Who may do what: every operation is tried without a session and by every role, and held against the table.

use crate::site::{CHOSEN, Site};
use serde_json::{Value, json};
use server::access::{Need, Role, TABLE};
use std::collections::BTreeSet;

/// Method, path and what the document says of each operation.
fn operations() -> Vec<(String, String, Value)> {
    let document: Value = serde_json::from_str(&server::http::openapi::document().unwrap()).unwrap();
    let mut found = vec![];
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    found
}

#[test]
fn every_operation_has_a_line_in_the_table_and_every_line_an_operation_that_names_it() {
    let lines: BTreeSet<_> = TABLE.iter().map(|(m, p, _)| ((*m).to_owned(), (*p).to_owned())).collect();
    let documented: BTreeSet<_> = operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(documented.difference(&lines).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "without a line");
    assert_eq!(lines.difference(&documented).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "without a route");
    for (method, path, operation) in operations() {
        let (.., need) = TABLE.iter().find(|(m, p, _)| (*m, *p) == (&*method, &*path)).unwrap();
        assert_eq!(operation["x-permission"], need.as_str(), "{method} {path}");
        assert!(*need == Need::Open || !operation["responses"]["403"].is_null(), "{method} {path}");
    }
}

#[tokio::test]
async fn every_operation_lets_in_exactly_those_whom_the_table_names() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let mut people = vec![];
    for role in Role::ALL {
        let name = format!("walker-{}", role.as_str());
        people.push((role, name.clone(), site.person(&admin, &name, role.as_str()).await));
    }
    let (mut refused, mut let_in) = (0, 0);
    for (method, path, need) in TABLE {
        let concrete = path.replace("{name}", "pi-1").replace("{id}", "x");
        let nobody = site.ask(method, &concrete, &[], "").await;
        let said = (nobody.status, nobody.code_if_problem());
        if *need == Need::Open {
            assert!(!["no_session", "forbidden"].contains(&&*said.1), "{method} {path}: {nobody:?}");
        } else {
            assert_eq!(said, (401, "no_session".to_owned()), "{method} {path}");
        }
        for (role, name, cookie) in &mut people {
            let answer = site.ask(method, &concrete, &[&format!("cookie: {cookie}")], "").await;
            let code = answer.code_if_problem();
            match need {
                Need::May(permission) if !role.may(*permission) => {
                    assert_eq!((answer.status, &*code), (403, "forbidden"), "{method} {path} as {role:?}");
                    assert!(answer.json()["detail"].as_str().unwrap().contains(permission.as_str()), "{answer:?}");
                    refused += 1;
                }
                _ => {
                    let stopped = ["no_session", "forbidden", "change_password"].contains(&&*code);
                    assert!(!stopped, "{method} {path} as {role:?}: {answer:?}");
                    let_in += 1;
                }
            }
            // These two do what they say even without a body.
            if *method == "DELETE" && ["/api/v1/session", "/api/v1/sessions"].contains(path) {
                *cookie = site.sign_in_as(name, CHOSEN).await.cookie();
            }
        }
    }
    assert!(refused > 50 && let_in > 100, "{refused} {let_in}");
    site.stop().await;
}

#[tokio::test]
async fn a_refusal_names_the_permission_and_who_has_it() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let technician = site.person(&admin, "tono", "technician").await;
    let answer = site.send("PUT", &technician, "/api/v1/thresholds", &json!({})).await;
    assert_eq!((answer.status, answer.header("content-type")), (403, "application/problem+json"));
    let wanted = "this needs the permission set_thresholds (roles: admin, supervisor); yours is technician";
    assert_eq!(answer.json()["detail"], wanted);
    let session = site.get(&technician, "/api/v1/session").await.json();
    assert_eq!(session["permissions"], json!(["read", "handle_alerts", "calibrate", "claim_devices"]));
    let head = site.ask("HEAD", "/api/v1/audit", &[&format!("cookie: {technician}")], "").await;
    assert_eq!(head.status, 403, "asking whether it is there is reading");
    site.stop().await;
}

#[tokio::test]
async fn a_technician_handles_alerts_but_gives_them_to_nobody() {
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let technician = site.person(&admin, "tono", "technician").await;
    let supervisor = site.person(&admin, "sari", "supervisor").await;
    let act = |act: &str| json!({"ids": [1], "act": act, "assignee": "tono"});
    let path = "/api/v1/alerts/act";
    assert_eq!(site.send("POST", &technician, path, &act("acknowledge")).await.status, 200);
    let given = site.send("POST", &technician, path, &act("assign")).await;
    assert_eq!((given.status, given.code()), (403, "forbidden".to_owned()));
    assert_eq!(site.send("POST", &supervisor, path, &act("assign")).await.status, 200);
    site.stop().await;
}

#[tokio::test]
async fn a_technician_says_where_a_device_stands_and_lets_no_board_in_by_it() {
    use crate::fleet;
    let site = Site::start().await;
    let admin = site.sign_in().await;
    let technician = site.person(&admin, "tono", "technician").await;
    let supervisor = site.person(&admin, "sari", "supervisor").await;
    let wanted = json!({"uses": 1, "valid_s": 600});
    let token = site.send("POST", &admin, "/api/v1/enrolment-tokens", &wanted).await.json()["token"].clone();
    let (key, serial) = (fleet::p256(), fleet::random_serial());
    let board = json!({"serial": serial, "token": token, "csr": fleet::request(&key, &serial.to_string())});
    assert_eq!(site.send("POST", "", "/api/v1/enrol", &board).await.status, 202);
    let range = json!({"from": 1, "to": 1, "location": "Kolam 1"});
    assert_eq!(site.send("POST", &admin, "/api/v1/registrations/range", &range).await.status, 200);

    let claim = json!({"name": "pi-1", "serial": serial, "location": "Kolam 3"});
    let refused = site.send("POST", &technician, "/api/v1/claim", &claim).await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden".to_owned()), "{refused:?}");
    let known = json!({"name": "pi-1", "location": "Kolam 2"});
    let claimed = site.send("POST", &technician, "/api/v1/claim", &known).await;
    assert_eq!((claimed.status, &claimed.json()["approved"]), (200, &json!(false)), "{claimed:?}");
    let waits = site.get(&technician, "/api/v1/waiting").await.json();
    assert_eq!(waits["waiting"].as_array().unwrap().len(), 1, "it still waits");
    let claimed = site.send("POST", &supervisor, "/api/v1/claim", &claim).await;
    assert_eq!((claimed.status, &claimed.json()["approved"]), (200, &json!(true)), "{claimed:?}");
    site.stop().await;
}
