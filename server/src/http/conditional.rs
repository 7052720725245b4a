//! Asking whether something has changed (`ETag`, `If-None-Match`) and changing only what one has seen (`If-Match`).
//! Knows answers only as bytes.

use super::error::Problem;
use super::extract::is_json;
use crate::digest::sha256_hex;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::{HeaderValue, Method, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::{http::HeaderName, middleware::Next};

/// Longer answers are not held in memory to see whether they have changed.
const LONGEST: u64 = 1024 * 1024;

/// What a browser may keep, if it asks before each use whether it still holds; `{}` stands for one name. All else stays out of
/// every memory: people, tokens, the audit log, and all that names whoever did something, as alerts (who resolved) and devices
/// (who calibrated) do.
const KEPT: [&str; 11] = [
    "/api/v1/authority",
    "/api/v1/availability",
    "/api/v1/devices/{}/readings",
    "/api/v1/devices/{}/series",
    "/api/v1/latest",
    "/api/v1/openapi.json",
    "/api/v1/outages",
    "/api/v1/readings",
    "/api/v1/readings/count",
    "/api/v1/registrations",
    "/api/v1/series",
];

/// Gives each JSON answer to a GET a tag, and answers 304 to whoever has it already. The tag is weak: it is that of the JSON,
/// however that is packed on the way.
pub async fn tag(request: Request, next: Next) -> Response {
    let is_get = *request.method() == Method::GET;
    let is_kept = is_get && may_be_kept(request.uri().path());
    let known = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect::<Vec<_>>();
    let response = next.run(request).await;
    let length = response.body().size_hint().exact();
    if !is_get
        || response.status() != StatusCode::OK
        || !is_json(response.headers().get(header::CONTENT_TYPE))
        || length.is_none_or(|l| l > LONGEST)
    {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let digest = sha256_hex(&body);
    let tag = format!("W/\"{}\"", &digest[..32]);
    let Ok(value) = HeaderValue::from_str(&tag) else { return Response::from_parts(head, body.into()) };
    head.headers.insert(header::ETAG, value);
    if is_kept {
        // Private: no proxy keeps what somebody was let in to see.
        head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    if known.iter().any(|known| names(known, &tag)) {
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(header::CONTENT_TYPE);
        head.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(head, Body::empty());
    }
    Response::from_parts(head, body.into())
}

fn may_be_kept(path: &str) -> bool {
    let is_like = |kept: &str| {
        kept.split('/').count() == path.split('/').count()
            && kept.split('/').zip(path.split('/')).all(|(wanted, given)| wanted == "{}" || wanted == given)
    };
    KEPT.into_iter().any(is_like)
}

/// Whether `If-None-Match` names a tag; weak or not makes no difference there (RFC 9110, 13.1.2).
fn names(known: &HeaderValue, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(known) = known.to_str() else { return false };
    known.trim() == "*" || known.split(',').any(|known| opaque(known) == opaque(tag))
}

/// The version that a change is made from: `If-Match: "7"`. Without the header the change is made whatever stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<u32>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut sent = parts.headers.get_all(header::IF_MATCH).iter();
        let (first, more) = (sent.next(), sent.next());
        let Some(first) = first else { return Ok(Self(None)) };
        let text = first.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
        match version {
            Some(version) if more.is_none() => Ok(Self(Some(version))),
            _ => Err(Problem::invalid(
                "if-match",
                "send one version between quotes, as `version` says it: If-Match: \"7\"",
            )),
        }
    }
}

/// Somebody else was faster.
pub fn stale(version: u32) -> Problem {
    let detail = format!("somebody changed it meanwhile: it has version {version} now; read it again and decide anew");
    Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail).about("if-match")
}

/// The version of what was changed, as the next `If-Match` names it.
pub fn version_tag(version: u32) -> [(HeaderName, String); 1] {
    [(header::ETAG, format!("\"{version}\""))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_people_and_tokens_is_kept_by_nobody() {
        for kept in ["/api/v1/latest", "/api/v1/devices/pi-7/series", "/api/v1/openapi.json"] {
            assert!(may_be_kept(kept), "{kept}");
        }
        for open in [
            "/api/v1/users",
            "/api/v1/session",
            "/api/v1/audit",
            "/api/v1/enrolment-tokens",
            "/api/v1/alerts",
            "/api/v1/alerts/7",
            "/api/v1/alerts/clearances",
            "/api/v1/silences",
            "/api/v1/thresholds",
            "/api/v1/thresholds/history",
            "/api/v1/devices",
            "/api/v1/devices/pi-7",
            "/api/v1/devices/pi-7/calibrations",
            "/api/v1/devices/pi-7/recomputations",
            "/api/v1/readings/exports",
            "/api/v1/waiting",
            "/api/v1/latestx",
            "/api/v1/latest/x",
            "/api/v1/devices/pi-7/series/x",
        ] {
            assert!(!may_be_kept(open), "{open}");
        }
    }

    #[test]
    fn a_tag_is_found_among_several_weak_or_not() {
        let named = |known: &'static str| names(&HeaderValue::from_static(known), "W/\"ab\"");
        assert!(named("W/\"ab\"") && named("\"ab\"") && named("\"x\", W/\"ab\"") && named("*"));
        assert!(!named("\"abc\"") && !named("") && !named("ab"));
    }

    #[tokio::test]
    async fn a_version_is_one_number_between_quotes() {
        let read = async |headers: &[&'static str]| {
            let mut request = Request::new(Body::empty());
            for value in headers {
                request.headers_mut().append(header::IF_MATCH, HeaderValue::from_static(value));
            }
            IfMatch::from_request_parts(&mut request.into_parts().0, &()).await.map_err(|_| "refused")
        };
        assert_eq!(read(&[]).await, Ok(IfMatch(None)));
        assert_eq!(read(&["*"]).await, Ok(IfMatch(None)));
        assert_eq!(read(&["\"7\""]).await, Ok(IfMatch(Some(7))));
        for bad in [&["7"][..], &["W/\"7\""], &["\"7\", \"8\""], &["\"7\"", "\"8\""], &["\"-1\""], &[""]] {
            assert_eq!(read(bad).await, Err("refused"), "{bad:?}");
        }
    }
}
