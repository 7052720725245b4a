//! Reading a request: JSON bodies, query parameters and names in paths, with errors that name the field. No text that comes
//! through here from people or their programs holds a control character.

use super::characters;
use super::error::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::QueryRejection};
use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;
use shared::{DeviceName, calibration::RecordId};
use std::{error::Error, time::Duration};

/// How long a body may take: somebody who dribbles it holds a connection.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = json(request, state).await?;
        object(&bytes)?;
        parse(&bytes).map(Self)
    }
}

/// A JSON body of a device: what it says of itself is cleaned where it is kept, because a stray NUL of its board must not keep
/// it out.
#[derive(Debug)]
pub struct DeviceBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for DeviceBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = json(request, state).await?;
        object(&bytes)?;
        read(&bytes).map(Self)
    }
}

/// Lets pass only a body whose fields have names: serde takes a list of what would stand in them for them.
///
/// # Errors
/// For a list.
pub(super) fn object(bytes: &[u8]) -> Result<(), Problem> {
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::invalid(".", "send an object with named fields, not a list"));
    }
    Ok(())
}

async fn json<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    if !is_json(request.headers().get(header::CONTENT_TYPE)) {
        return Err(not_json());
    }
    body(request, state).await
}

/// What JSON of people or their programs says.
///
/// # Errors
/// When it is none, is something else, or holds a control character.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let value = read(bytes)?;
    // Read once more, as what it is: the type does not know its texts.
    let plain = serde_json::from_slice(bytes)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "bad_json", format!("the body is not JSON: {error}")))?;
    characters::check_json(&plain)?;
    Ok(value)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let json = &mut serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut *json).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if cause.is_data() {
            Problem::invalid(field(&path, &cause.to_string()), cause.to_string())
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "bad_json", format!("the body is not JSON: {cause}"))
        }
    })?;
    json.end().map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "bad_json", format!("more than one JSON value: {error}"))
    })?;
    Ok(value)
}

/// A file of comma-separated values, as bytes.
#[derive(Debug)]
pub struct CsvBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for CsvBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_csv(request.headers().get(header::CONTENT_TYPE)) {
            let detail = "send the file with the header \"content-type: text/csv\"";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_csv", detail));
        }
        body(request, state).await.map(Self)
    }
}

/// All of a body, if it comes in time and is not larger than its path takes.
pub(super) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, state))
        .await
        .map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body did not arrive in time"))?
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than this path takes")
            }
            status => Problem::new(status, "bad_body", rejection.body_text()),
        })
}

/// Whether a content type is CSV. A browser can't send it to another site without asking first.
pub fn is_csv(content_type: Option<&HeaderValue>) -> bool {
    is_type(content_type, "text/csv")
}

/// Whether a content type is JSON. A browser can't send it to another site without asking first.
pub fn is_json(content_type: Option<&HeaderValue>) -> bool {
    is_type(content_type, "application/json")
}

/// Whether a content type is this one.
pub(super) fn is_type(content_type: Option<&HeaderValue>, wanted: &str) -> bool {
    let essence = content_type.and_then(|v| v.to_str().ok()).and_then(|v| v.split(';').next()).map(str::trim);
    essence.is_some_and(|e| e.eq_ignore_ascii_case(wanted))
}

/// The answer to a body of another type.
pub fn not_json() -> Problem {
    let detail = "send the body with the header \"content-type: application/json\"";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail)
}

/// Query parameters.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(params) = Query::try_from_uri(&parts.uri).map_err(|rejection| why(&rejection))?;
        let Query(all) =
            Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|rejection| why(&rejection))?;
        all.iter().try_for_each(|(name, text)| characters::check(name, text))?;
        Ok(Self(params))
    }
}

/// Which parameter is at fault: axum keeps that in the causes of its rejection.
fn why(rejection: &QueryRejection) -> Problem {
    let mut cause: Option<&(dyn Error + 'static)> = rejection.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<serde_path_to_error::Error<serde::de::value::Error>>() {
            let detail = match error.inner().to_string() {
                number if number.contains("digit found") || number.contains("number too") => {
                    "a whole number is needed".to_owned()
                }
                other => other,
            };
            return Problem::invalid(field(&error.path().to_string(), &detail), detail);
        }
        cause = error.source();
    }
    Problem::new(StatusCode::BAD_REQUEST, "bad_query", rejection.body_text())
}

/// The field at fault: serde's path, or for one that is missing or unknown the name in serde's words.
fn field(path: &str, detail: &str) -> String {
    let named = detail.split('`').nth(1);
    match (path, named) {
        ("." | "?", Some(name)) => name.to_owned(),
        (path, Some(name)) if detail.starts_with("missing field") => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    }
}

/// The device that a path names. A name of a wrong form is like one that nobody has.
#[derive(Debug)]
pub struct Named(pub DeviceName);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = segment(parts, state).await?;
        name.parse().map(Self).map_err(|_| unknown_device(&name))
    }
}

/// The device and the calibration that a path names.
#[derive(Debug)]
pub struct NamedRecord(pub DeviceName, pub RecordId);

impl<S: Send + Sync> FromRequestParts<S> for NamedRecord {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((name, id)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::new(rejection.status(), "bad_path", rejection.body_text()))?;
        let name = name.parse().map_err(|_| unknown_device(&name))?;
        Ok(Self(name, id.parse().map_err(|_| unknown_calibration(&id))?))
    }
}

/// The one other name in a path.
#[derive(Debug)]
pub struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = segment(parts, state).await?;
        characters::check("id", &id)?;
        Ok(Self(id))
    }
}

/// The one part of a path that is no fixed word.
async fn segment<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    let Path(text) = Path::<String>::from_request_parts(parts, state)
        .await
        .map_err(|rejection| Problem::new(rejection.status(), "bad_path", rejection.body_text()))?;
    Ok(text)
}

/// There is no such device.
pub fn unknown_device(name: &str) -> Problem {
    let shown: String = name.chars().take(40).collect();
    Problem::not_found("unknown_device", format!("there is no device {shown:?}"))
}

/// The device has no such calibration.
pub fn unknown_calibration(id: &str) -> Problem {
    let shown: String = id.chars().take(40).collect();
    Problem::not_found("unknown_calibration", format!("the device has no calibration {shown:?}"))
}
