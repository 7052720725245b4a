//! The errors of each operation in the document: what every request of its kind may be answered, and what is special to it. Each
//! answer names the codes that it may have. Every answer of the tests is held against this.

use super::codes::meaning;
use crate::access::{Need, Permission};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Statuses and codes that only some operations have, by `operationId`.
const SPECIAL: &[(&str, &[(u16, &str)])] = &[
    ("approveWaiting", &[(404, "unknown_request"), (409, "taken"), (409, "unknown_device")]),
    ("calibrate", &[(404, "unknown_device"), (409, "revoked"), (409, "offline"), (422, "invalid"), (503, "not_sent")]),
    ("changePassword", &[(403, "wrong_password"), (429, "too_many_attempts")]),
    ("changeSettings", &[(404, "unknown_device"), (409, "revoked")]),
    ("changeUser", &[(404, "unknown_user"), (409, "taken"), (409, "last_admin")]),
    ("claim", &[(404, "unknown_label"), (404, "unknown_request"), (409, "taken"), (409, "unknown_device")]),
    ("createIntakeToken", &[(409, "taken")]),
    ("createUser", &[(409, "taken")]),
    ("deleteIntakeToken", &[(404, "unknown_token")]),
    ("deleteToken", &[(404, "unknown_token")]),
    ("endSession", &[(404, "unknown_session")]),
    ("endSilence", &[(404, "unknown_silence")]),
    (
        "enrol",
        &[
            (400, "csr_malformed"),
            (400, "csr_mismatch"),
            (400, "weak_key"),
            (403, "bad_token"),
            (403, "token_revoked"),
            (403, "token_expired"),
            (403, "token_used_up"),
            (403, "revoked"),
            (403, "unknown_key"),
            (403, "refused"),
            (429, "too_many_attempts"),
            (503, "too_many_waiting"),
        ],
    ),
    ("getAlert", &[(404, "unknown_alert")]),
    ("getDevice", &[(404, "unknown_device")]),
    ("getDeviceThresholds", &[(404, "unknown_device")]),
    ("getReadings", &[(404, "unknown_device")]),
    ("getSeries", &[(404, "unknown_device")]),
    ("importRegistrations", &[(400, "bad_csv")]),
    ("listCalibrations", &[(404, "unknown_device")]),
    ("listRecomputations", &[(404, "unknown_device")]),
    ("previewThreshold", &[(404, "unknown_device")]),
    ("recompute", &[(404, "unknown_device"), (409, "busy"), (409, "no_sensor")]),
    ("refuseWaiting", &[(404, "unknown_request")]),
    (
        "renew",
        &[
            (400, "csr_malformed"),
            (400, "csr_mismatch"),
            (400, "weak_key"),
            (403, "revoked"),
            (403, "unknown_key"),
            (403, "too_late"),
        ],
    ),
    ("replaceDevice", &[(404, "unknown_device"), (409, "second_key"), (409, "taken")]),
    ("reportAlert", &[(401, "bad_token"), (429, "too_many_attempts"), (429, "too_fast"), (429, "too_many_alerts")]),
    ("resetPassword", &[(404, "unknown_user")]),
    ("restoreAlerts", &[(404, "unknown_clearance")]),
    ("retireAuthority", &[(409, "authority")]),
    ("revokeDevice", &[(404, "unknown_device")]),
    ("rotateAuthority", &[(409, "authority")]),
    ("signIn", &[(401, "bad_credentials"), (429, "too_many_attempts")]),
    (
        "undoCalibration",
        &[(404, "unknown_device"), (404, "unknown_calibration"), (409, "revoked"), (409, "not_in_force")],
    ),
    (
        "watchLive",
        &[(400, "websocket_needed"), (403, "other_origin"), (405, "websocket_needed"), (426, "websocket_needed")],
    ),
];

/// Writes down the errors of an operation; what several have alike stands once, among the components.
pub fn describe(method: &str, operation: &mut Value, need: Need, components: &mut Map<String, Value>) {
    let errors = errors(method, operation, need);
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    responses.retain(|status, _| !status.ends_with("XX"));
    for (status, codes) in errors {
        // An answer that the operation describes itself, such as the plan of an import.
        if responses.contains_key(&status.to_string()) {
            continue;
        }
        let who = if status == 403 { permission(need) } else { None };
        let mut name = codes.iter().fold(status.to_string(), |name, code| format!("{name}-{code}"));
        if let Some(permission) = who {
            name = format!("{name}-{}", permission.as_str());
        }
        responses.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{name}")}));
        components.entry(name).or_insert_with(|| response(status, &codes, who));
    }
}

/// The codes of each status.
fn errors(method: &str, operation: &Value, need: Need) -> BTreeMap<u16, BTreeSet<&'static str>> {
    let mut errors: BTreeMap<u16, BTreeSet<&'static str>> = BTreeMap::new();
    if operation["tags"][0] == "health" && need == Need::Open {
        return errors;
    }
    let id = operation["operationId"].as_str().unwrap_or_default();
    let mut add = |status, code| errors.entry(status).or_default().insert(code);
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let content = &operation["requestBody"]["content"];
    if !parameters.is_empty() {
        add(400, "invalid");
        add(422, "invalid");
    }
    if parameters.iter().any(|parameter| parameter["in"] == "query") {
        add(400, "bad_query");
    }
    if parameters.iter().any(|parameter| parameter["in"] == "path") {
        add(400, "bad_path");
    }
    if !content.is_null() {
        let is_json = !content["application/json"].is_null();
        add(400, "bad_body");
        add(408, "too_slow");
        add(413, "too_large");
        if is_json {
            add(400, "bad_json");
            add(400, "invalid");
            add(422, "invalid");
        }
        add(415, if is_json { "not_json" } else { "not_csv" });
    }
    if method != "GET" {
        add(403, "other_origin");
        add(415, "not_json");
    }
    if need != Need::Open {
        add(401, "no_session");
        add(403, "forbidden");
    }
    if !matches!(need, Need::Open | Need::Session) {
        add(403, "change_password");
    }
    add(500, "internal");
    add(503, "database");
    let special = SPECIAL.iter().find(|(known, _)| *known == id).map(|(_, special)| *special);
    for (status, code) in special.unwrap_or_default() {
        add(*status, *code);
    }
    errors
}

fn permission(need: Need) -> Option<Permission> {
    if let Need::May(permission) = need { Some(permission) } else { None }
}

fn response(status: u16, codes: &BTreeSet<&'static str>, who: Option<Permission>) -> Value {
    let line = |code: &&'static str| format!("- `{code}`: {}", meaning(code).unwrap_or_default());
    let mut description = codes.iter().map(line).collect::<Vec<_>>().join("\n");
    if let Some(permission) = who {
        description +=
            &format!("\n\nOnly for the permission `{}`: {}.", permission.as_str(), permission.roles().join(", "));
    }
    let narrowed = json!({"properties": {"status": {"const": status}, "code": {"enum": codes}}});
    let schema = json!({"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]});
    let mut answer = json!({"description": description, "content": {"application/problem+json": {"schema": schema}}});
    if matches!(status, 429 | 503) {
        let about = "After how many seconds to try again";
        answer["headers"] = json!({"Retry-After": {"description": about, "schema": {"type": "integer", "minimum": 0}}});
    }
    answer
}
