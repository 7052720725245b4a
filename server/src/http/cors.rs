//! Pages of other origins that the configuration names may ask the interface with a token of their own, never with somebody's
//! cookie: no answer ever allows credentials.

use axum::http::{HeaderName, HeaderValue, Method, header};
use std::time::Duration;
use tower_http::cors::CorsLayer;

/// How long a browser need not ask again whether it may.
const REMEMBER: Duration = Duration::from_secs(600);

/// The layer for these origins; none if there are none, because then nobody is to be answered.
pub fn layer(origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return None;
    }
    let exposed =
        [header::ETAG, header::RETRY_AFTER, header::CONTENT_DISPOSITION, HeaderName::from_static("tirta-audit-head")];
    let sent = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        HeaderName::from_static("idempotency-key"),
    ];
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let layer = CorsLayer::new().allow_origin(origins).allow_methods(methods).allow_headers(sent);
    Some(layer.expose_headers(exposed).max_age(REMEMBER))
}
