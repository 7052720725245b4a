//! The description of the interface, made from the code. `server/openapi.json` is a copy that a test compares.

use super::auth::COOKIE;
use super::error::Problem;
use super::live::LiveEvent;
use axum::http::header;
use axum::response::IntoResponse;
use std::sync::OnceLock;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "Tirta", description = "Readings, devices and settings of a fleet of water probes."),
    components(schemas(LiveEvent, Problem)),
    security(("session" = [])),
    modifiers(&Secrets),
    tags(
        (name = "session", description = "Signing in and out"),
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
        let scheme = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("session", scheme);
        components.add_security_scheme("intake", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
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
    document.to_pretty_json().map(|text| text + "\n")
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "getOpenapi", tag = "health",
    responses((status = 200, description = "OpenAPI 3.1")))]
pub async fn show() -> impl IntoResponse {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str())
}
