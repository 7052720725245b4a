//! Holds every answer that the tests of the interface get against its document: its status, its type, its body and the code of its
//! problem must be described. So what the document promises is tried by whatever else is tried.

use crate::site::Answer;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// The document.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&server::http::openapi::document().unwrap()).unwrap());

/// Each schema is made once.
static SCHEMAS: LazyLock<Mutex<HashMap<String, &'static Validator>>> = LazyLock::new(Mutex::default);

/// What a schema of the document says of a value: nothing if it is right.
pub fn wrong(key: &str, schema: &Value, value: &Value) -> Option<String> {
    let validator = *SCHEMAS.lock().unwrap().entry(key.to_owned()).or_insert_with(|| {
        let whole = json!({"allOf": [schema], "components": DOCUMENT["components"]});
        Box::leak(Box::new(jsonschema::draft202012::new(&whole).unwrap()))
    });
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    (!errors.is_empty()).then(|| errors.join("; "))
}

/// A part of the document, or the component that it names.
pub fn resolved(part: &'static Value) -> &'static Value {
    match part["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => part,
    }
}

/// The operation that a request is meant for.
pub fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let fits = |template: &str| {
        let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        let alike = |(wanted, given): (&&str, &&str)| wanted == given || wanted.starts_with('{') && !given.is_empty();
        wanted.len() == given.len() && wanted.iter().zip(&given).all(alike)
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let mut found: Vec<_> = paths.iter().filter(|(template, _)| fits(template)).collect();
    // Fixed words go before names.
    found.sort_by_key(|(template, _)| template.matches('{').count());
    let (_, item) = found.first()?;
    item.get(method.to_lowercase())
}

/// Fails the test if the document does not describe this answer.
pub fn check(method: &str, path: &str, answer: &Answer) {
    let Some(operation) = operation(method, path) else { return };
    let shown = || format!("{method} {path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    let response = operation["responses"].get(answer.status.to_string());
    let response = resolved(response.unwrap_or_else(|| panic!("the document has no such status: {}", shown())));
    let kind = answer.header("content-type").split(';').next().unwrap_or_default().to_owned();
    let Some(content) = response["content"].as_object() else {
        assert!(answer.body.is_empty(), "the document says that there is no body: {}", shown());
        return;
    };
    let media = content.get(&kind).unwrap_or_else(|| panic!("the document has no such type {kind:?}: {}", shown()));
    if kind.ends_with("json") && !answer.header("content-encoding").contains("gzip") {
        let key = format!("{} {} {kind}", operation["operationId"], answer.status);
        let wrong = wrong(&key, &media["schema"], &answer.json());
        assert_eq!(wrong, None, "{}", shown());
    }
}
