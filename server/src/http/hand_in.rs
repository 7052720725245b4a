//! Readings that programs hand in: one, or a batch of many devices, in JSON of our own or SenML. The answer comes after the
//! commit and says what became of each.

use super::auth::{By, Caller};
use super::error::{Problem, Problems};
use super::extract::{body, is_json, is_type, not_json, object, parse};
use super::key_caller::word;
use crate::digest::sha256_hex;
use crate::gateway::{Handed, NewReading, Refusal, senml};
use crate::live::Event;
use crate::run::App;
use crate::store::{Fate, HandInOutcome, HandedIn, Repeat};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Bytes};
use serde::{Deserialize, Serialize};
use shared::UtcMillis;
use shared::message::MAX_READINGS;
use std::sync::Arc;
use utoipa::ToSchema;

/// Longest `Idempotency-Key`, in bytes.
const LONGEST_KEY: usize = 128;

/// Readings of any number of devices.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingBatch {
    /// 1 to 1000.
    #[schema(value_type = Vec<NewReading>, min_items = 1, max_items = 1000)]
    readings: Vec<serde_json::Value>,
}

/// What became of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReadingOutcome {
    /// It is kept.
    Stored,
    /// It was kept before: nothing changed.
    Duplicate,
    /// It is not taken, for the reason that is said.
    Refused,
}

/// What became of one reading of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadingResult {
    /// Where it stood in the batch, from 0.
    index: usize,
    /// What became of it.
    outcome: ReadingOutcome,
    /// Why it is refused, for programs: `conflict`, `has_board`, `implausible_time`, `malformed`, `not_finite`,
    /// `not_of_this_key`, `revoked`, `unknown_device`, `unknown_metric` or `wrong_unit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<String>,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    field: Option<String>,
    /// What is wrong and what to do, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
}

/// What became of a batch: those that could be taken are kept, although others are refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResult {
    /// How many are kept that were not before.
    stored: usize,
    /// How many were kept before.
    duplicates: usize,
    /// How many are not taken.
    refused: usize,
    /// Of each, in the order of the batch.
    results: Vec<ReadingResult>,
}

/// What became of the one reading.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneResult {
    /// `stored`, or `duplicate` if it was kept before.
    outcome: ReadingOutcome,
}

/// A body as it came: what makes a repeat one is its bytes.
pub struct Sent {
    bytes: Bytes,
    senml: bool,
}

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let senml = is_type(content_type, senml::CONTENT_TYPE);
        if !senml && !is_json(content_type) {
            let detail =
                format!("send the header \"content-type: application/json\", or {} a batch", senml::CONTENT_TYPE);
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        let bytes = body(request, state).await?;
        if !senml {
            object(&bytes)?;
        }
        Ok(Self { bytes, senml })
    }
}

impl Sent {
    fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        parse(&self.bytes)
    }

    fn repeat(&self, kind: &str, key: String) -> Repeat {
        Repeat { key, request: sha256_hex(&[kind.as_bytes(), b" ", &self.bytes].concat()) }
    }
}

/// What the caller calls the request, so that it can be repeated.
pub struct IdempotencyKey(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
        let Some(value) = parts.headers.get(HEADER) else { return Ok(Self(None)) };
        let key = value.to_str().unwrap_or_default().trim();
        let good = (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if good && parts.headers.get_all(HEADER).iter().count() == 1 {
            return Ok(Self(Some(key.to_owned())));
        }
        let detail = format!("use one of 1 to {LONGEST_KEY} letters, digits and signs, such as a UUID");
        Err(Problem::invalid("idempotency-key", detail))
    }
}

/// Hands in one reading. The same device, metric and time is the same reading, however often it comes.
#[utoipa::path(post, path = "/api/v1/readings", operation_id = "handInReading", tag = "readings",
    params(("idempotency-key" = Option<String>, Header, pattern = "^[!-~]{1,128}$", description = "names this request: a repeat gets the same answer")),
    request_body = NewReading,
    responses((status = 201, body = OneResult, description = "kept"), (status = 200, body = OneResult, description = "kept before"), Problems))]
pub async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    raw: Sent,
) -> Result<Response, Problem> {
    if raw.senml {
        return Err(not_json());
    }
    let now = app.clock.now();
    let reading: NewReading = raw.json()?;
    let reading = reading.check(now).and_then(|handed| of_the_caller(handed, &caller));
    let (fates, repeated) = kept(&app, &caller, key.map(|key| raw.repeat("one", key)), vec![reading], now).await?;
    let (status, outcome) = match fates.into_iter().next() {
        Some(Fate::Stored) => (StatusCode::CREATED, ReadingOutcome::Stored),
        Some(Fate::Refused(refusal)) => return Err(refused(refusal)),
        Some(Fate::Duplicate) | None => (StatusCode::OK, ReadingOutcome::Duplicate),
    };
    Ok((status, repeated, Json(OneResult { outcome })).into_response())
}

/// Hands in readings of many devices, as JSON or SenML (RFC 8428). Those that can be taken are kept, although others are refused.
#[utoipa::path(post, path = "/api/v1/readings/batch", operation_id = "handInReadings", tag = "readings",
    params(("idempotency-key" = Option<String>, Header, pattern = "^[!-~]{1,128}$", description = "names this request: a repeat gets the same answer")),
    request_body(content((ReadingBatch = "application/json"), (Vec<senml::Record> = "application/senml+json"))),
    responses((status = 200, body = BatchResult), Problems))]
pub async fn batch(
    State(app): State<Arc<App>>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    raw: Sent,
) -> Result<Response, Problem> {
    let now = app.clock.now();
    let said = if raw.senml { of_senml(&raw, key.is_some(), now)? } else { of_json(&raw, now)? };
    if !(1..=MAX_READINGS).contains(&said.len()) {
        return Err(Problem::invalid("readings", format!("hand in 1 to {MAX_READINGS} at once")));
    }
    let (places, readings): (Vec<usize>, Vec<_>) = said.into_iter().unzip();
    let readings = readings.into_iter().map(|reading| reading.and_then(|handed| of_the_caller(handed, &caller)));
    let kind = if raw.senml { "senml" } else { "batch" };
    let repeat = key.map(|key| raw.repeat(kind, key));
    let (fates, repeated) = kept(&app, &caller, repeat, readings.collect(), now).await?;
    let results: Vec<_> = places.into_iter().zip(fates).map(|(index, fate)| result(index, fate)).collect();
    let count = |wanted| results.iter().filter(|result| result.outcome == wanted).count();
    let (stored, duplicates) = (count(ReadingOutcome::Stored), count(ReadingOutcome::Duplicate));
    let refused = count(ReadingOutcome::Refused);
    Ok((repeated, Json(BatchResult { stored, duplicates, refused, results })).into_response())
}

/// Each reading with its place.
type Said = Vec<(usize, Result<Handed, Refusal>)>;

fn of_json(raw: &Sent, now: UtcMillis) -> Result<Said, Problem> {
    let ReadingBatch { readings } = raw.json()?;
    let read = |said: serde_json::Value| {
        let reading: NewReading = serde_path_to_error::deserialize(said).map_err(|error| {
            let (path, detail) = (error.path().to_string(), error.inner().to_string());
            // A field that is missing or unknown stands in serde's words only.
            let field = if path == "." { detail.split('`').nth(1).unwrap_or("reading").to_owned() } else { path };
            Refusal::new("malformed", &field, detail)
        })?;
        reading.check(now)
    };
    Ok(readings.into_iter().map(read).enumerate().collect())
}

fn of_senml(raw: &Sent, repeatable: bool, now: UtcMillis) -> Result<Said, Problem> {
    let pack: Vec<senml::Record> = raw.json()?;
    let resolved = senml::resolve(pack).map_err(|error| Problem::invalid(error.field, error.detail))?;
    let read = |record: senml::Resolved| {
        let taken = record.check(now);
        let twice = record.is_from_now() && !repeatable;
        let taken = taken.and_then(|handed| match twice {
            true => Err(Refusal::new("implausible_time", "t", FROM_NOW)),
            false => Ok(handed),
        });
        (record.index, taken)
    };
    Ok(resolved.into_iter().map(read).collect())
}

const FROM_NOW: &str =
    "a time from now is another each time it is sent: send an Idempotency-Key with it, or the time itself";

/// A key may be for some devices only.
fn of_the_caller(handed: Handed, caller: &Caller) -> Result<Handed, Refusal> {
    match &caller.by {
        By::Key { devices: Some(devices), .. } if !devices.contains(&handed.device) => {
            let detail = format!("this key hands in nothing of {}", handed.device);
            Err(Refusal::new("not_of_this_key", "device", detail))
        }
        _ => Ok(handed),
    }
}

/// Keeps what was handed in and tells whoever watches; with the header of an answer that was given before.
async fn kept(
    app: &App,
    caller: &Caller,
    repeat: Option<Repeat>,
    readings: Vec<Result<Handed, Refusal>>,
    at: UtcMillis,
) -> Result<(Vec<Fate>, [(HeaderName, HeaderValue); 1]), Problem> {
    let owner = match &caller.by {
        By::Key { id, .. } => word(id),
        By::Session { .. } => caller.account.clone(),
    };
    let repeated = |was| [(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static(was))];
    match app.store.hand_in(&HandedIn { owner, repeat, readings, at }).await? {
        HandInOutcome::Done { fates, fresh, past } => {
            for (device, readings) in fresh {
                app.live.publish(Event::Readings { device, readings: readings.into() });
            }
            // Their charts have changed.
            for name in past {
                app.live.publish(Event::Device { name });
            }
            let count = |wanted: &Fate| fates.iter().filter(|fate| *fate == wanted).count();
            app.metrics.handed_in(count(&Fate::Stored), count(&Fate::Duplicate));
            Ok((fates, repeated("false")))
        }
        HandInOutcome::Repeated(fates) => Ok((fates, repeated("true"))),
        HandInOutcome::OtherRequest => {
            let detail = "something else was sent under this key: take a new key for each request";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "other_request", detail).about("idempotency-key"))
        }
        HandInOutcome::TooManyAnswers => {
            let detail =
                "too many keys of yours are kept: go on without one, a repeat is noticed by its time all the same";
            Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_answers", detail)
                .about("idempotency-key")
                .retry_after(3600))
        }
    }
}

fn refused(Refusal { code, field, detail }: Refusal) -> Problem {
    match code.as_str() {
        "conflict" => Problem::new(StatusCode::CONFLICT, "conflict", detail).about(field),
        "has_board" => Problem::new(StatusCode::CONFLICT, "has_board", detail).about(field),
        "revoked" => Problem::new(StatusCode::CONFLICT, "revoked", detail).about(field),
        "not_of_this_key" => Problem::new(StatusCode::FORBIDDEN, "not_of_this_key", detail).about(field),
        "unknown_device" => Problem::new(StatusCode::BAD_REQUEST, "unknown_device", detail).about(field),
        _ => Problem::invalid(field, detail),
    }
}

fn result(index: usize, fate: Fate) -> ReadingResult {
    let (outcome, refusal) = match fate {
        Fate::Stored => (ReadingOutcome::Stored, None),
        Fate::Duplicate => (ReadingOutcome::Duplicate, None),
        Fate::Refused(refusal) => (ReadingOutcome::Refused, Some(refusal)),
    };
    let (code, field, detail) = match refusal {
        Some(Refusal { code, field, detail }) => (Some(code), Some(field), Some(detail)),
        None => (None, None, None),
    };
    ReadingResult { index, outcome, code, field, detail }
}
