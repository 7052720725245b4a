//! The description of the interface, made from the code. `server/openapi.json` is a copy that a test compares. What operations
//! have in common is added here; what is special to one stands at its function.

pub mod codes;
mod errors;
mod examples;
mod special;

use super::error::{Problem, Problems};
use super::live::LiveEvent;
use super::{token_words, words};
use crate::access::{Need, need};
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// The session cookie.
const SESSION: &str = "session";
/// The access token of a session, for programs that act for a person.
const ACCESS: &str = "access";
/// An API key, for programs that act for themselves.
const KEY: &str = "key";
/// The token of another system that reports alerts.
const INTAKE: &str = "intake";
/// The token of whoever collects the numbers of this server.
const METRICS: &str = "metrics";

const ABOUT: &str = "Readings, devices, alerts and settings of a fleet of water probes.

Times are milliseconds since 1970 (UTC). Bodies are JSON in UTF-8; a field that is not described is refused. No text holds a control \
character but line feed, carriage return and tab. What can't be done is answered with problem details (RFC 9457): `code` is for programs, \
`detail` for people, `field` names the field or parameter at fault. Operations may be called with one secret: the session cookie, or \
`Authorization: Bearer` with an access token or an API key; `x-permission` says what it must allow. \
Every JSON answer to a GET has an `ETag`: `If-None-Match` asks whether it has changed.";

#[derive(OpenApi)]
#[openapi(
    info(title = "Tirta", description = "Readings, devices and settings of a fleet of water probes."),
    components(schemas(LiveEvent, Problem, words::SessionId, words::ShortId)),
    security(("session" = []), ("access" = []), ("key" = [])),
    servers((url = "/", description = "The server that shows this document")),
    modifiers(&Secrets),
    tags(
        (name = "session", description = "Signing in and out"),
        (name = "users", description = "Who may sign in, and what they may do"),
        (name = "keys", description = "What lets programs in"),
        (name = "devices", description = "The fleet"),
        (name = "calibration", description = "Calibrating probes, and computing history again"),
        (name = "readings", description = "What was measured"),
        (name = "alerts", description = "What is to hold, what does not, and what was done about it"),
        (name = "reports", description = "What a time was like"),
        (name = "enrolment", description = "How devices come in"),
        (name = "authority", description = "Whom the fleet's certificates come from"),
        (name = "audit", description = "Who did what"),
        (name = "registry", description = "Which devices are expected, and where"),
        (name = "health", description = "For supervisors"),
    )
)]
struct Frame;

struct Secrets;

impl Modify for Secrets {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let about = "What `POST /api/v1/session` sets in a browser.";
        let cookie = ApiKeyValue::with_description(token_words::ACCESS.cookie, about);
        components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        for (name, form, about) in [
            (ACCESS, "tirta_at_...", "The access token of a session: good for some minutes."),
            (KEY, "tirta_key_...", "An API key that an admin made for a program, with what it may do."),
            (INTAKE, "tirta_in_...", "The token of another system that reports alerts."),
            (METRICS, "any", "What the file of `http.metrics_token_file` holds."),
        ] {
            let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(form).description(Some(about));
            components.add_security_scheme(name, SecurityScheme::Http(bearer.build()));
        }
    }
}

/// All of the document but the operations.
pub fn frame() -> Document {
    Frame::openapi()
}

/// The document as JSON for people and programs, with a final line feed.
///
/// # Errors
/// When it can't be written as JSON, which a test would show.
pub fn document() -> Result<String, serde_json::Error> {
    let (_, document) = super::api(None).split_for_parts();
    let mut document = serde_json::to_value(document)?;
    complete(&mut document, &examples::all()?);
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

/// Adds to the operations what their own code does not say: who may, with which secret, what can go wrong, and an example.
fn complete(document: &mut Value, examples: &Map<String, Value>) {
    let schemas = document["components"]["schemas"].clone();
    let mut responses = Map::new();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let method = method.to_uppercase();
            let Ok(need) = need(&method, path) else { continue };
            operation["x-permission"] = need.as_str().into();
            if matches!(need, Need::Session | Need::SignedIn) {
                operation["security"] = json!([{SESSION: []}, {ACCESS: []}]);
            }
            name_answers(operation, &schemas);
            errors::describe(&method, operation, need, &mut responses);
            let id = operation["operationId"].as_str().unwrap_or_default();
            if let Some(example) = examples.get(id) {
                examples::put(operation, example);
            }
        }
    }
    document["components"]["responses"] = responses.into();
    let codes: Vec<&str> = codes::CODES.iter().map(|(code, _)| *code).collect();
    document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] = json!(codes);
    document["info"]["description"] = about().into();
}

/// An answer that says nothing of itself is what its schema is.
fn name_answers(operation: &mut Value, schemas: &Value) {
    for (_, answer) in operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten() {
        let media = answer["content"].as_object().and_then(|content| content.values().next());
        let reference = media.and_then(|media| media["schema"]["$ref"].as_str()).unwrap_or_default();
        let schema = &schemas[reference.rsplit('/').next().unwrap_or_default()];
        if answer["description"].as_str().is_none_or(str::is_empty) {
            answer["description"] = schema["description"].as_str().unwrap_or("Done.").into();
        }
    }
}

/// What holds for all operations, for people.
fn about() -> String {
    let lines = codes::CODES.iter().map(|(code, meaning)| format!("| `{code}` | {meaning} |\n"));
    format!("{ABOUT}\n\n## Codes of problems\n\n| code | meaning |\n|---|---|\n{}", lines.collect::<String>())
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "getOpenapi", tag = "health",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Value), Problems))]
pub async fn show() -> impl IntoResponse {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str())
}
