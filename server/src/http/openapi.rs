//! The description of the interface, made from the code. `server/openapi.json` is a copy that a test compares.

use super::error::Problem;
use super::live::LiveEvent;
use super::token_words::ACCESS;
use crate::access::{Need, need};
use axum::http::header;
use axum::response::IntoResponse;
use std::sync::OnceLock;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "Tirta", description = "Readings, devices and settings of a fleet of water probes."),
    components(schemas(LiveEvent, Problem)),
    security(("session" = []), ("access_token" = []), ("key" = [])),
    modifiers(&Secrets),
    tags(
        (name = "session", description = "Signing in and out"),
        (name = "users", description = "Who may sign in, and what they may do"),
        (name = "keys", description = "What lets programs in"),
        (name = "devices", description = "The fleet"),
        (name = "calibration", description = "Calibrating probes, and computing history again"),
        (name = "readings", description = "What was measured"),
        (name = "alerts", description = "What is to hold, what does not, and what was done about it"),
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
        let scheme = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(ACCESS.cookie)));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("session", scheme);
        components.add_security_scheme("access_token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        components.add_security_scheme("key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        components.add_security_scheme("intake", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        components.add_security_scheme("metrics", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
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
    let (_, mut document) = super::api(None).split_for_parts();
    for (path, item) in &mut document.paths.paths {
        let methods = [
            ("GET", &mut item.get),
            ("PUT", &mut item.put),
            ("POST", &mut item.post),
            ("PATCH", &mut item.patch),
            ("DELETE", &mut item.delete),
        ];
        for (method, operation) in methods {
            if let (Some(operation), Ok(need)) = (operation, need(method, path)) {
                say_who_may(operation, need);
            }
        }
    }
    document.to_pretty_json().map(|text| text + "\n")
}

/// Writes down what an operation needs, and that others are refused.
fn say_who_may(operation: &mut Operation, need: Need) {
    operation.extensions.get_or_insert_default().insert("x-permission".to_owned(), need.as_str().into());
    let who = match need {
        Need::Open => return,
        Need::Session => "Refused: a request of another site, or by a key".to_owned(),
        Need::SignedIn => "Refused: a password has to be chosen first, or it is by a key".to_owned(),
        Need::May(permission) => format!("Refused: only for {}", permission.roles().join(", ")),
    };
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let refused = ResponseBuilder::new().description(who).content("application/problem+json", problem).build();
    operation.responses.responses.insert("403".to_owned(), refused.into());
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "getOpenapi", tag = "health",
    responses((status = 200, description = "OpenAPI 3.1")))]
pub async fn show() -> impl IntoResponse {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str())
}
