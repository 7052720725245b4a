//! The errors of each operation in the document: what every request of its kind may be answered, and what is special to it. Each
//! answer names the codes that it may have. Every answer of the tests is held against this.

use super::codes::meaning;
use super::special::SPECIAL;
use crate::access::{Need, Permission};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Writes down the errors of an operation; what several have alike stands once, among the components.
pub fn describe(method: &str, operation: &mut Value, need: Need, components: &mut Map<String, Value>) {
    let errors = errors(method, operation, need);
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    responses.retain(|status, _| !status.ends_with("XX"));
    tag(method, responses, components);
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

/// Every JSON answer to a GET has a tag, and is not sent to whoever has it already.
fn tag(method: &str, responses: &mut Map<String, Value>, components: &mut Map<String, Value>) {
    let Some(answer) = responses.get_mut("200").filter(|_| method == "GET") else { return };
    if answer["content"]["application/json"].is_null() {
        return;
    }
    let tag = json!({"description": "What `If-None-Match` may name the next time", "schema": {"type": "string"}});
    answer["headers"]["ETag"] = tag.clone();
    let same = json!({"description": "The answer is still what `If-None-Match` names.", "headers": {"ETag": tag}});
    responses.insert("304".to_owned(), json!({"$ref": "#/components/responses/304"}));
    components.entry("304").or_insert(same);
}

/// The codes of each status.
fn errors(method: &str, operation: &Value, need: Need) -> BTreeMap<u16, BTreeSet<&'static str>> {
    let mut errors: BTreeMap<u16, BTreeSet<&'static str>> = BTreeMap::new();
    let id = operation["operationId"].as_str().unwrap_or_default();
    let special = SPECIAL.iter().find(|(known, _)| *known == id).map(|(_, special)| *special);
    if operation["tags"][0] == "health" && need == Need::Open && special.is_none() {
        return errors;
    }
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
        // A key may be none, or in too much use.
        add(401, "bad_token");
        add(429, "too_fast");
        add(429, "too_many_attempts");
        add(403, "forbidden");
    }
    if !matches!(need, Need::Open | Need::Session) {
        add(403, "change_password");
    }
    add(500, "internal");
    add(503, "database");
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
