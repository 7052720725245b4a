//! Silences and maintenance windows: alerts are kept and shown meanwhile, but nobody is told.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Body, Id, Params};
use super::thresholds::registered;
use crate::run::App;
use crate::store::{NewSilence as Wanted, Silence as Kept};
use crate::threshold::{Scope, Target};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared::{DeviceName, UtcMillis};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The longest silence: a year.
const LONGEST_MS: i64 = 366 * 86_400_000;
/// Longest reason and location, in characters.
const LONGEST_TEXT: usize = 200;

/// Why nobody is told.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SilenceKind {
    /// Somebody works there: outages count as planned.
    Maintenance,
    /// Somebody knows already.
    Silence,
}

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SilenceScope {
    /// All devices.
    Fleet,
    /// Those at a location.
    Location,
    /// One.
    Device,
}

/// The silence that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSilence {
    /// Why nobody is told.
    kind: SilenceKind,
    /// For whom.
    scope: SilenceScope,
    /// Which location or device; absent for the fleet.
    #[schema(max_length = 200)]
    target: Option<String>,
    /// From when on (UTC milliseconds); at once if absent.
    from: Option<i64>,
    /// Until when (UTC milliseconds).
    to: i64,
    /// Why, for people.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// A silence or maintenance window.
#[derive(Debug, Serialize, ToSchema)]
pub struct Silence {
    /// Names it.
    id: i64,
    /// `maintenance` or `silence`.
    kind: String,
    /// `fleet`, `location` or `device`.
    scope: String,
    /// Which location or device; empty for the fleet.
    target: String,
    /// From when on (UTC milliseconds).
    from: i64,
    /// Until when it was wanted (UTC milliseconds).
    to: i64,
    /// Why.
    reason: String,
    /// By whom.
    made_by: String,
    /// When (UTC milliseconds).
    made_at: i64,
    /// When somebody ended it early.
    #[schema(required)]
    ended_at: Option<i64>,
    /// Who.
    #[schema(required)]
    ended_by: Option<String>,
    /// Whether it holds now.
    active: bool,
}

/// Silences.
#[derive(Debug, Serialize, ToSchema)]
pub struct Silences {
    /// The newest first.
    silences: Vec<Silence>,
}

/// Which silences.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Also those that were over, but not by then (UTC milliseconds); only what holds or comes if absent.
    since: Option<i64>,
}

fn shown(kept: Kept, now: UtcMillis) -> Silence {
    let Kept { id, kind, scope, target, from_at, to_at, reason, made_by, made_at, ended_at, ended_by } = kept;
    let active = from_at <= now.0 && now.0 < ended_at.unwrap_or(to_at);
    Silence { id, kind, scope, target, from: from_at, to: to_at, reason, made_by, made_at, ended_at, ended_by, active }
}

impl NewSilence {
    fn check(self, now: UtcMillis) -> Result<Wanted, Problem> {
        let from = self.from.unwrap_or(now.0);
        if self.to <= from || self.to <= now.0 {
            return Err(Problem::invalid("to", "it must be after from, and after now"));
        }
        if self.to.saturating_sub(from) > LONGEST_MS {
            return Err(Problem::invalid("to", "at most a year after from"));
        }
        let reason = self.reason.trim().to_owned();
        if reason.is_empty() || reason.chars().count() > LONGEST_TEXT {
            return Err(Problem::invalid("reason", format!("say why, in at most {LONGEST_TEXT} characters")));
        }
        let target = self.target.map(|target| target.trim().to_owned()).filter(|target| !target.is_empty());
        let (scope, target) = match (self.scope, target) {
            (SilenceScope::Fleet, None) => ("fleet", String::new()),
            (SilenceScope::Fleet, Some(_)) => {
                return Err(Problem::invalid(
                    "target",
                    "the fleet has none: leave it out, or name a location or device",
                ));
            }
            (_, None) => return Err(Problem::invalid("target", "name the location or device")),
            (SilenceScope::Location, Some(target)) if target.chars().count() <= LONGEST_TEXT => ("location", target),
            (SilenceScope::Location, Some(_)) => {
                return Err(Problem::invalid("target", format!("at most {LONGEST_TEXT} characters")));
            }
            (SilenceScope::Device, Some(target)) => match target.parse::<DeviceName>() {
                Ok(name) => ("device", name.to_string()),
                Err(error) => return Err(Problem::invalid("target", error.to_string())),
            },
        };
        let kind = match self.kind {
            SilenceKind::Maintenance => "maintenance",
            SilenceKind::Silence => "silence",
        };
        let (kind, scope, from, to) = (kind.to_owned(), scope.to_owned(), UtcMillis(from), UtcMillis(self.to));
        Ok(Wanted { kind, scope, target, from, to, reason })
    }
}

/// Silences and maintenance windows that hold or come, the newest first.
#[utoipa::path(get, path = "/api/v1/silences", operation_id = "listSilences", tag = "alerts", params(Which),
    responses((status = 200, body = Silences), Problems))]
pub async fn list(State(app): State<Arc<App>>, Params(which): Params<Which>) -> Result<Json<Silences>, Problem> {
    let now = app.clock.now();
    let since = which.since.map_or(now, UtcMillis);
    let silences = app.store.silences(since).await?;
    Ok(Json(Silences { silences: silences.into_iter().map(|kept| shown(kept, now)).collect() }))
}

/// Makes a silence or a maintenance window.
#[utoipa::path(post, path = "/api/v1/silences", operation_id = "createSilence", tag = "alerts",
    request_body = NewSilence, responses((status = 201, body = Silence), Problems))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewSilence>,
) -> Result<(StatusCode, Json<Silence>), Problem> {
    let now = app.clock.now();
    let scope = match new.scope {
        SilenceScope::Fleet => Scope::Fleet,
        SilenceScope::Location => Scope::Location,
        SilenceScope::Device => Scope::Device,
    };
    let wanted = new.check(now)?;
    let target = Target { scope, target: wanted.target.clone() };
    registered(&app).await?.check(&target).map_err(|why| Problem::invalid("target", why))?;
    let made = app.store.add_silence(&wanted, &caller.actor(), now).await?;
    tracing::info!(silence = made.id, scope = made.scope, target = made.target, user = caller.account, "silenced");
    Ok((StatusCode::CREATED, Json(shown(made, now))))
}

/// Ends a silence before its time.
#[utoipa::path(post, path = "/api/v1/silences/{id}/end", operation_id = "endSilence", tag = "alerts",
    params(("id" = i64, Path, description = "the silence's id")),
    responses((status = 200, body = Silence), Problems))]
pub async fn end(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<Json<Silence>, Problem> {
    let now = app.clock.now();
    let unknown = || Problem::not_found("unknown_silence", "there is no such silence");
    let id: i64 = id.parse().map_err(|_| unknown())?;
    let ended = app.store.end_silence(id, &caller.actor(), now).await?.ok_or_else(unknown)?;
    Ok(Json(shown(ended, now)))
}
