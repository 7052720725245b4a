//! The OpenAPI document: it is the one that is committed, it is sound, and every operation in it is guarded.

use crate::site::Site;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// All that may be done without a session.
const OPEN: [(&str, &str); 13] = [
    ("get", "/health/live"),
    ("get", "/health/ready"),
    ("post", "/api/v1/enrol"),
    ("post", "/api/v1/renew"),
    ("post", "/api/v1/session"),
    // Guarded by the refresh token.
    ("post", "/api/v1/session/refresh"),
    ("delete", "/api/v1/session"),
    // Guarded by the secret of an invitation.
    ("post", "/api/v1/join"),
    ("post", "/api/v1/join/look"),
    // Closed unless the configuration opens it, and then worth nothing without an admin.
    ("get", "/api/v1/sign-up"),
    ("post", "/api/v1/sign-up"),
    // Guarded by its bearer token.
    ("post", "/api/v1/webhooks/alerts"),
    ("get", "/metrics"),
];

fn document() -> Value {
    serde_json::from_str(&server::http::openapi::document().unwrap()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let operations = item.as_object().unwrap().clone();
        let path = path.clone();
        operations.into_iter().map(move |(method, operation)| (method, path.clone(), operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_committed_document_is_the_one_that_the_code_gives() {
    let made = server::http::openapi::document().unwrap();
    assert!(
        made == include_str!("../../openapi.json"),
        "server/openapi.json is out of date: run `tirta-server openapi > server/openapi.json`"
    );
}

#[test]
fn every_reference_in_the_document_leads_somewhere_and_every_operation_has_its_own_name() {
    let document = document();
    let schemas: BTreeSet<&String> = document["components"]["schemas"].as_object().unwrap().keys().collect();
    let text = document.to_string();
    let mut references = 0;
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap().to_owned();
        assert!(schemas.contains(&name), "{name}");
        references += 1;
    }
    assert!(references > 20);
    let mut names = BTreeMap::new();
    for (method, path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert_eq!(names.insert(name, format!("{method} {path}")), None, "{method} {path}");
    }
}

#[tokio::test]
async fn every_operation_but_a_few_needs_a_session_and_a_new_one_will_too() {
    let site = Site::start().await;
    let document = document();
    let mut open = BTreeSet::new();
    let mut guarded = 0;
    for (method, path, operation) in operations(&document) {
        let concrete = path.replace("{name}", "pi-1").replace("{id}", "x");
        for headers in [&[][..], &["cookie: tirta_session=invented"], &["cookie: tirta_session="]] {
            let answer = site.ask(&method.to_uppercase(), &concrete, headers, "").await;
            if OPEN.contains(&(&method, &path)) {
                assert_ne!(answer.code_if_problem(), "no_session", "{method} {path}");
                let by_token = path == "/api/v1/webhooks/alerts";
                let said = match &*path {
                    "/api/v1/webhooks/alerts" => serde_json::json!([{"intake": []}]),
                    "/metrics" => serde_json::json!([{"metrics": []}]),
                    _ => serde_json::json!([{}]),
                };
                assert_eq!(operation["security"], said, "{method} {path}");
                assert!(!by_token || matches!(answer.status, 401 | 429), "{answer:?}");
                open.insert((method.clone(), path.clone()));
            } else {
                assert_eq!((answer.status, answer.code()), (401, "no_session".to_owned()), "{method} {path}");
                assert_ne!(operation["security"], json!([{}]), "{method} {path} must not say that it is open");
                guarded += 1;
            }
        }
    }
    assert_eq!(open.len(), OPEN.len());
    assert!(guarded > 30, "{guarded}");
    site.stop().await;
}

#[test]
fn enrolment_is_described_as_agents_speak_it() {
    use shared::enrol::{Broker, CopiedFrom, EnrolReply, EnrolRequest, RenewRequest, WaitReason, Waiting};
    let serial = "10000000deadbeef".parse().unwrap();
    let text = String::new;
    let copied = CopiedFrom { name: shared::DeviceName::numbered(2), serial };
    let request =
        EnrolRequest { serial, token: text(), csr: text(), model: Some(text()), copied_from: Some(copied.clone()) };
    let renewal = RenewRequest { name: shared::DeviceName::numbered(1), csr: text() };
    let waiting = Waiting { reason: WaitReason::NotExpected, retry_s: 10 };
    let broker = Broker { host: Some(text()), port: 8883 };
    let (name, server_time) = (shared::DeviceName::numbered(1), shared::UtcMillis(0));
    let reply = EnrolReply { name, certificate: text(), ca: text(), broker: broker.clone(), server_time };
    let document = document();
    for (schema, said) in [
        ("EnrolRequest", serde_json::to_value(request).unwrap()),
        ("CopiedFrom", serde_json::to_value(copied).unwrap()),
        ("RenewRequest", serde_json::to_value(renewal).unwrap()),
        ("WaitForApproval", serde_json::to_value(waiting).unwrap()),
        ("EnrolReply", serde_json::to_value(reply).unwrap()),
        ("BrokerAddress", serde_json::to_value(broker).unwrap()),
    ] {
        let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(fields(&document["components"]["schemas"][schema]["properties"]), fields(&said), "{schema}");
    }
}
