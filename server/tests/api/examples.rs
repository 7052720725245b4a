//! What the document says beside the operations' own words: examples, errors, codes. Each is held against what it is about.

use crate::contract::{DOCUMENT, resolved, wrong};
use serde_json::{Value, json};
use server::http::openapi::codes::CODES;
use std::collections::BTreeSet;
use std::path::Path;

/// `operationId` and what the document says of it.
fn operations() -> impl Iterator<Item = (&'static str, &'static Value)> {
    let items = DOCUMENT["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    operations.map(|operation| (operation["operationId"].as_str().unwrap(), operation))
}

/// The main answer of an operation.
fn main_answer(operation: &'static Value) -> &'static Value {
    let mut answers = operation["responses"].as_object().unwrap().iter();
    answers.find(|(status, _)| status.starts_with(['1', '2'])).map(|(_, answer)| resolved(answer)).unwrap()
}

/// The parts of a body or an answer: type and what is said of it.
fn media(of: &'static Value) -> impl Iterator<Item = (&'static String, &'static Value)> {
    of["content"].as_object().into_iter().flatten()
}

#[test]
fn the_document_is_one_by_the_rules_of_openapi_itself() {
    let rules: Value = serde_json::from_str(include_str!("openapi-3.1.schema.json")).unwrap();
    let rules = jsonschema::draft202012::new(&rules).unwrap();
    let errors: Vec<String> =
        rules.iter_errors(&DOCUMENT).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert!(!rules.is_valid(&json!({"openapi": "3.1.0", "paths": {}})), "the rules can tell");
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::draft202012::meta::validate(schema).is_ok(), "{name}");
    }
}

#[test]
fn every_operation_has_examples_that_are_what_its_schemas_say() {
    let mut checked = 0;
    let mut hold = |key: String, part: &Value| {
        let example = part.get("example").unwrap_or_else(|| panic!("{key} has no example"));
        assert_eq!(wrong(&key, &part["schema"], example), None, "{key}: {example}");
        checked += 1;
    };
    for (id, operation) in operations() {
        for (kind, body) in media(&operation["requestBody"]) {
            hold(format!("{id}, request {kind}"), body);
        }
        // The document itself is its own example.
        for (kind, answer) in media(main_answer(operation)).filter(|_| id != "getOpenapi") {
            hold(format!("{id}, answer {kind}"), answer);
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let needed = parameter["required"] == true;
            if needed || !parameter["example"].is_null() {
                hold(format!("{id}, {}", parameter["name"]), parameter);
            }
        }
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn every_operation_and_every_parameter_is_described_and_every_tag() {
    let tags = DOCUMENT["tags"].as_array().unwrap();
    for (id, operation) in operations() {
        assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{id}");
        let tag = tags.iter().find(|tag| tag["name"] == operation["tags"][0]);
        assert!(tag.is_some_and(|tag| tag["description"].is_string()), "{id}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{id}, {}", parameter["name"]);
        }
        for status in operation["responses"].as_object().unwrap().keys() {
            assert!(status.parse::<u16>().is_ok(), "{id}: {status} says nothing");
        }
    }
    for part in ["title", "version", "description", "license"] {
        assert!(!DOCUMENT["info"][part].is_null(), "{part}");
    }
    assert_eq!(DOCUMENT["servers"][0]["url"], "/");
    let schemes: Vec<_> = DOCUMENT["components"]["securitySchemes"].as_object().unwrap().keys().collect();
    assert_eq!(schemes, ["access", "intake", "key", "metrics", "session"]);
}

/// Calls `look` with each file of the server.
fn sources(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_code_of_the_source_is_in_the_list_and_every_code_of_the_list_in_the_source() {
    let is_word = |text: &str| text.len() > 2 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let (mut used, mut words) = (BTreeSet::new(), BTreeSet::new());
    sources(Path::new("src"), &mut |path, text| {
        // The list itself; and a table of fields, whose codes come from elsewhere.
        if ["openapi/codes.rs", "openapi/special.rs", "http/enrol.rs"].iter().any(|file| path.ends_with(file)) {
            return;
        }
        let parts: Vec<&str> = text.split('"').collect();
        for pair in parts.windows(2).filter(|pair| is_word(pair[1])) {
            words.insert(pair[1].to_owned());
            let before = pair[0].trim_end();
            let last = before.rsplit(['(', '{', ';']).next().unwrap_or_default();
            let by_status = before.ends_with(',') && (last.contains("StatusCode::") || before.ends_with(".status(),"));
            if by_status || before.ends_with("not_found(") {
                used.insert(pair[1].to_owned());
            }
        }
    });
    let known: BTreeSet<String> = CODES.iter().map(|(code, _)| (*code).to_owned()).collect();
    assert!(used.len() > 30, "{used:?}");
    assert_eq!(used.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "add them to openapi/codes.rs");
    assert_eq!(known.difference(&words).collect::<Vec<_>>(), Vec::<&String>::new(), "nobody says them");
    assert!(CODES.is_sorted_by_key(|entry| entry.0), "by the alphabet");
    let shown = DOCUMENT["info"]["description"].as_str().unwrap();
    assert!(CODES.iter().all(|(code, meaning)| shown.contains(&format!("| `{code}` | {meaning} |"))));
}
