//! The one error of the interface: problem details (RFC 9457) with a code for programs and, where one field is
//! at fault, its name. Knows which store errors are whose fault; says nothing of the inside to the caller.

use crate::access::{Permission, Role};
use crate::store::StoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

/// Why a request was not done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// What went wrong and what to do, for people.
    detail: String,
    /// What went wrong, for programs.
    code: &'static str,
    /// The field or parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    field: Option<String>,
    /// When it makes sense to try again.
    #[serde(skip)]
    retry_after_s: Option<u64>,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem with a status, a code and words.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Problem"),
            status,
            detail: detail.into(),
            code,
            field: None,
            retry_after_s: None,
        }
    }

    /// A field or parameter that can't be taken.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", detail).about(field)
    }

    /// The same, naming the field at fault.
    #[must_use]
    pub fn about(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// Something that is not there.
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// No session, or none that is valid.
    pub fn no_session() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "no_session", "sign in first: POST /api/v1/session")
    }

    /// A role that may not do this.
    pub fn forbidden(permission: Permission, role: Role) -> Self {
        let (roles, permission) = (permission.roles().join(", "), permission.as_str());
        let detail = format!("this needs the permission {permission} (roles: {roles}); yours is {}", role.as_str());
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// A key that may not do this.
    pub fn not_in_scope(permission: Permission) -> Self {
        let detail = format!("this needs the permission {}, which this key has not", permission.as_str());
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// A key where only a person counts.
    pub fn no_person() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "this is for people who are signed in, not for keys")
    }

    /// A path that is there, but not with this method.
    pub fn no_such_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path has no such method")
    }

    /// Whether the caller is at fault, not the server.
    pub fn is_the_callers(&self) -> bool {
        self.status.is_client_error()
    }

    /// Somebody has to wait for so many milliseconds; `what` says why.
    pub fn too_often(code: &'static str, what: &str, wait_ms: i64) -> Self {
        let seconds = u64::try_from(wait_ms).unwrap_or_default().div_ceil(1000);
        let detail = format!("{what}: try again in {seconds} s");
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail).retry_after(seconds)
    }

    /// The same, to be tried again after some seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// A failure of this server; `why` goes to the log only.
    pub fn internal(why: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %why, "a request failed");
        let detail = "the server failed; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request failed at the database");
        let detail = "the database did not answer as it should; the server's log says why";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "database", detail).retry_after(5)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after_s.map(HeaderValue::from);
        let mut response = (self.status, axum::Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// For the document: what any operation may answer besides its own.
#[derive(IntoResponses)]
#[allow(dead_code)] // only its schema is used
pub enum Problems {
    /// The request can't be done; `code` and `field` say why.
    #[response(status = "4XX", content_type = "application/problem+json")]
    Caller(Problem),
    /// The server or its database failed.
    #[response(status = "5XX", content_type = "application/problem+json")]
    Server(Problem),
}
