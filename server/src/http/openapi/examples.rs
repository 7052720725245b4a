//! The examples of the document: what may be sent and what comes back, for each operation. They are files, one for each tag; a test
//! holds each against its schema.

use serde_json::{Map, Value};

/// The files: by `operationId` what is sent (`request`), the parameters (`params`) and the main answer (`answer`).
const FILES: &[&str] = &[
    include_str!("examples/alerts.json"),
    include_str!("examples/audit.json"),
    include_str!("examples/authority.json"),
    include_str!("examples/calibration.json"),
    include_str!("examples/devices.json"),
    include_str!("examples/enrolment.json"),
    include_str!("examples/health.json"),
    include_str!("examples/keys.json"),
    include_str!("examples/readings.json"),
    include_str!("examples/registry.json"),
    include_str!("examples/reports.json"),
    include_str!("examples/session.json"),
    include_str!("examples/users.json"),
];

/// All examples by `operationId`.
///
/// # Errors
/// When a file is no JSON, which a test would show.
pub fn all() -> Result<Map<String, Value>, serde_json::Error> {
    let mut all = Map::new();
    for file in FILES {
        all.extend(serde_json::from_str::<Map<String, Value>>(file)?);
    }
    Ok(all)
}

/// Puts the example of an operation where readers of the document look for it.
pub fn put(operation: &mut Value, example: &Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        if let Some(value) = example["params"].get(&name) {
            parameter["example"] = value.clone();
        }
    }
    if let Some(sent) = example.get("request") {
        fill(operation.pointer_mut("/requestBody/content"), sent);
    }
    let answers = operation.get_mut("responses").and_then(Value::as_object_mut);
    let main = answers.into_iter().flatten().find(|(status, _)| status.starts_with('2'));
    if let (Some((_, answer)), Some(said)) = (main, example.get("answer")) {
        fill(answer.get_mut("content"), said);
    }
}

/// The example, or the one for a type where types differ.
fn fill(content: Option<&mut Value>, example: &Value) {
    for (kind, media) in content.and_then(Value::as_object_mut).into_iter().flatten() {
        media["example"] = example.get(kind).unwrap_or(example).clone();
    }
}
