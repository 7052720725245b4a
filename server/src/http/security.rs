//! What every request and answer has in common: where it may come from, the headers that bind a browser, and its log line.

use super::error::Problem;
use super::extract::{is_csv, is_json, is_type, not_json};
use super::token_words::{Transport, bearer};
use crate::config::Tiles;
use crate::gateway::senml;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::{middleware::Next, response::Response};
use std::time::Instant;
use tracing::Instrument;

/// What a browser may load, as every answer says it.
#[derive(Debug, Clone)]
pub struct Policy(HeaderValue);

impl Policy {
    /// Scripts, styles and connections of this server only, none of them inline, and no page may frame it. Pictures may also
    /// come from the one origin that the map's tiles have, if the configuration names any.
    pub fn new(tiles: Option<&Tiles>) -> Self {
        let tiles = tiles.map(|tiles| format!(" {}", tiles.origin)).unwrap_or_default();
        let text = format!(
            "default-src 'self'; img-src 'self' data:{tiles}; object-src 'none'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'"
        );
        // An origin is letters, digits and points; were it not, everything would be closed.
        Self(HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'")))
    }
}

/// Over TLS: a browser never asks this host without it again, for a day. It keeps that only if it trusts the certificate, and then
/// lets nobody pass one that it does not trust: a longer time would lock everybody out of a server whose authority was lost or
/// changed. Who comes every day is protected every day.
const TRANSPORT_SECURITY: &str = "max-age=86400";

/// Sent with every answer, beside its [`Policy`].
const HEADERS: [(HeaderName, &str); 7] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), "camera=(self), geolocation=(self), microphone=()"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
];

/// Adds the security headers, and keeps what the interface says out of caches, unless it says itself who may keep it.
pub async fn headers(State(Policy(policy)): State<Policy>, request: Request, next: Next) -> Response {
    let is_interface = !is_static(request.uri().path());
    let secure = request.extensions().get::<Transport>().is_some_and(|transport| transport.secure);
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TRANSPORT_SECURITY));
    }
    if is_chunked {
        // A proxy in front may see its end elsewhere: nothing that stands behind it is taken for another request.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if is_interface {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

/// Whether a path is one of the dashboard's files.
pub fn is_static(path: &str) -> bool {
    let is_within = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    !["/api", "/health", "/metrics"].into_iter().any(is_within)
}

/// Refuses what another site made a browser send: a change, or opening a WebSocket. A cookie alone proves nothing.
///
/// # Errors
/// 403 for another site, 415 for a body that is neither JSON, SenML nor CSV: a form could send others without being asked.
pub async fn same_origin(request: Request, next: Next) -> Result<Response, Problem> {
    let headers = request.headers();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let opens_socket = headers.contains_key(header::UPGRADE);
    if reads && !opens_socket {
        return Ok(next.run(request).await);
    }
    // No other site can make a browser send this header, and whoever sends it is not let in by a cookie.
    if bearer(headers).is_none() && !is_same_origin(headers, request.uri()) {
        tracing::warn!(origin = ?headers.get(header::ORIGIN), "refused a request of another site");
        return Err(Problem::new(StatusCode::FORBIDDEN, "other_origin", "requests of other sites are refused"));
    }
    let has_body = headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    let content_type = headers.get(header::CONTENT_TYPE);
    let asks_first = is_json(content_type) || is_csv(content_type) || is_type(content_type, senml::CONTENT_TYPE);
    if has_body && !asks_first {
        return Err(not_json());
    }
    Ok(next.run(request).await)
}

/// Whether a browser says that the request comes from this site. Who says nothing is no browser: agents and tools
/// send no origin, and no other site can make them send anything.
fn is_same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site"))
        && !matches!(site, "same-origin" | "none")
    {
        return false;
    }
    let Some(origin) = text(header::ORIGIN) else { return true };
    let host = text(header::HOST).or_else(|| uri.authority().map(|a| a.as_str()));
    let origin = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    match (origin, host) {
        (Some(origin), Some(host)) => !host.is_empty() && origin.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// Logs each request with its duration. Queries stay out of the log, and files and health checks are for debugging.
pub async fn log(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_interface = path.starts_with("/api/");
    // At the level of errors, so that whatever is logged while the request is done says which one it was.
    let span = tracing::error_span!("http", method = %request.method(), path);
    async {
        let started = Instant::now();
        let response = next.run(request).await;
        let (status, us) = (response.status().as_u16(), started.elapsed().as_micros());
        if is_interface {
            tracing::info!(status, us, "request");
        } else {
            tracing::debug!(status, us, "request");
        }
        response
    }
    .instrument(span)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
        is_same_origin(&headers, &Uri::from_static("/api/v1/session"))
    }

    #[test]
    fn only_the_own_site_and_programs_without_an_origin_may_change_something() {
        assert!(same(&[("host", "tirta.local:8443")]));
        assert!(same(&[("host", "tirta.local:8443"), ("origin", "https://tirta.local:8443")]));
        assert!(same(&[("host", "tirta.local"), ("origin", "https://Tirta.local"), ("sec-fetch-site", "same-origin")]));
        for bad in ["https://evil.example", "null", "", "https://tirta.local:8443.evil.example", "https://tirta.local"]
        {
            assert!(!same(&[("host", "tirta.local:8443"), ("origin", bad)]), "{bad}");
        }
        assert!(!same(&[("host", "tirta.local"), ("sec-fetch-site", "cross-site")]));
        assert!(!same(&[("host", ""), ("origin", "https://")]));
        assert!(!same(&[("origin", "https://tirta.local")]));
    }
}
