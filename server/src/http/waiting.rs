//! Boards that wait for approval: seen, let in, refused; and the window in which re-flashed ones need none.

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Body, Id};
use super::thresholds::follow;
use super::{to_the_end, words};
use crate::cut_off::cut_off;
use crate::live::Event;
use crate::registry::{Column, cell};
use crate::run::App;
use crate::store::{Approval, Approved, WaitingBoard as Stored};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared::{DeviceName, UtcMillis, enrol::WaitReason};
use std::sync::Arc;
use utoipa::ToSchema;

/// The longest window in which re-flashed boards come back by themselves: a week.
const LONGEST_WINDOW_S: u32 = 7 * 86_400;

/// A board that waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingBoard {
    /// Names the request.
    id: String,
    /// The serial that it says.
    serial: String,
    /// SHA-256 of its public key, hexadecimal.
    key_sha256: String,
    /// Its model, as it says.
    #[schema(required)]
    model: Option<String>,
    /// Where it last asked from.
    address: String,
    /// `not_expected`; `second_key`: another key has enrolled with its serial; `shared_key`: two boards used one key.
    reason: &'static str,
    /// Whose identity was on its card.
    #[schema(required)]
    copied_from: Option<Copied>,
    /// The device that has its serial.
    #[schema(required)]
    device: Option<String>,
    /// The token that it shows.
    token_id: String,
    /// Since when (UTC milliseconds).
    since: i64,
    /// When it last asked (UTC milliseconds).
    last_asked: i64,
}

/// Whose identity was on a card.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CopiedCard)]
pub struct Copied {
    /// The device.
    name: String,
    /// Its board.
    serial: String,
}

/// All boards that wait.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingBoards {
    /// The oldest first.
    waiting: Vec<WaitingBoard>,
}

/// How a board is let in.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewApproval {
    /// The name of a new device; the registered or the next free one if absent.
    #[schema(value_type = Option<words::DeviceName>)]
    name: Option<DeviceName>,
    /// The device whose place it takes, with name and history.
    #[schema(value_type = Option<words::DeviceName>)]
    replaces: Option<DeviceName>,
    /// Where it stands.
    #[schema(max_length = 100)]
    location: Option<String>,
}

/// The name that a board has now.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovedBoard {
    /// It gets its certificate when it asks again.
    name: String,
}

/// The names of boards that were let in together.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovedBoards {
    /// In the order in which they came.
    approved: Vec<String>,
}

/// What holds for boards that come back.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnrolmentPolicy {
    /// Until when re-flashed boards come back to their names by themselves (UTC milliseconds); null: each waits for approval.
    #[schema(required)]
    returns_until: Option<i64>,
}

/// A window to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPolicy {
    /// For how many seconds re-flashed boards come back by themselves, at most a week; 0 closes the window.
    #[schema(maximum = 604800)]
    returns_for_s: u32,
}

impl From<Stored> for WaitingBoard {
    fn from(board: Stored) -> Self {
        Self {
            id: board.id,
            serial: board.serial.to_string(),
            key_sha256: board.public_key,
            model: board.model,
            address: board.address,
            reason: board.reason.as_str(),
            copied_from: board
                .copied_from
                .map(|from| Copied { name: from.name.to_string(), serial: from.serial.to_string() }),
            device: board.device.map(String::from),
            token_id: board.token,
            since: board.since.0,
            last_asked: board.last_asked.0,
        }
    }
}

/// All boards that wait for approval.
#[utoipa::path(get, path = "/api/v1/waiting", operation_id = "listWaiting", tag = "enrolment",
    responses((status = 200, body = WaitingBoards), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<WaitingBoards>, Problem> {
    let waiting = app.store.waiting().await?.into_iter().map(WaitingBoard::from).collect();
    Ok(Json(WaitingBoards { waiting }))
}

/// Lets a board in: as a new device, as the device whose serial it has with its new key, or in another device's place.
#[utoipa::path(post, path = "/api/v1/waiting/{id}/approve", operation_id = "approveWaiting", tag = "enrolment",
    params(("id" = words::ShortId, Path, description = "the request's id")), request_body = NewApproval,
    responses((status = 200, body = ApprovedBoard), Problems))]
pub async fn approve(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
    Body(new): Body<NewApproval>,
) -> Result<Json<ApprovedBoard>, Problem> {
    if new.name.is_some() && new.replaces.is_some() {
        return Err(Problem::invalid("name", "give name or replaces: a board that replaces a device gets its name"));
    }
    let location = new.location.as_deref().map(|text| cell::text(Column::Location, text)).transpose();
    let location = location.map_err(|refusal| Problem::invalid("location", refusal.to_string()))?;
    let approval = Approval { name: new.name, replaces: new.replaces, location };
    let name = to_the_end(async move { approved(&app, &caller, &id, &approval).await }).await?;
    Ok(Json(ApprovedBoard { name: name.to_string() }))
}

/// Lets one board in and tells everybody whom it concerns.
pub async fn approved(app: &App, caller: &Caller, id: &str, approval: &Approval) -> Result<DeviceName, Problem> {
    let conflict = |field, detail: String| Err(Problem::new(StatusCode::CONFLICT, "taken", detail).about(field));
    let name = match app.store.approve(id, approval, &caller.actor(), app.clock.now()).await? {
        Approved::As(name) => name,
        Approved::Instead(name) => {
            cut_off(app, &name).await;
            name
        }
        Approved::Unknown => return Err(unknown_request()),
        Approved::NameTaken(name) => {
            return conflict(
                "name",
                format!("{name} belongs to another board: to replace that one, say so by replaces"),
            );
        }
        Approved::NoDevice(name) => {
            return Err(Problem::new(StatusCode::CONFLICT, "unknown_device", format!("there is no device {name}"))
                .about("replaces"));
        }
        Approved::InService(name) => {
            return conflict("replaces", format!("this board is {name} itself: it can't take another's place"));
        }
    };
    tracing::info!(device = %name, user = caller.account, "approved");
    follow(app).await;
    app.live.publish(Event::Waiting);
    app.live.publish(Event::Device { name: name.clone() });
    Ok(name)
}

/// Lets in all boards that wait because nobody expected them. Those with a second key are looked at one by one.
#[utoipa::path(post, path = "/api/v1/waiting/approve-all", operation_id = "approveAllWaiting", tag = "enrolment",
    responses((status = 200, body = ApprovedBoards), Problems))]
pub async fn approve_all(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<ApprovedBoards>, Problem> {
    to_the_end(async move { all_approved(&app, &caller).await }).await
}

async fn all_approved(app: &App, caller: &Caller) -> Result<Json<ApprovedBoards>, Problem> {
    let mut names = vec![];
    for board in app.store.waiting().await?.into_iter().filter(|board| board.reason == WaitReason::NotExpected) {
        match approved(app, caller, &board.id, &Approval::default()).await {
            Ok(name) => names.push(name.to_string()),
            // Somebody else was faster, or two keys say one serial.
            Err(problem) if problem.is_the_callers() => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(Json(ApprovedBoards { approved: names }))
}

/// Says no to a board: it is told so when it asks again.
#[utoipa::path(post, path = "/api/v1/waiting/{id}/refuse", operation_id = "refuseWaiting", tag = "enrolment",
    params(("id" = words::ShortId, Path, description = "the request's id")),
    responses((status = 204, description = "refused"), Problems))]
pub async fn refuse(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    if !app.store.refuse(&id, &caller.actor(), app.clock.now()).await? {
        return Err(unknown_request());
    }
    app.live.publish(Event::Waiting);
    Ok(StatusCode::NO_CONTENT)
}

/// What holds for boards that come back.
#[utoipa::path(get, path = "/api/v1/enrolment-policy", operation_id = "getEnrolmentPolicy", tag = "enrolment",
    responses((status = 200, body = EnrolmentPolicy), Problems))]
pub async fn policy(State(app): State<Arc<App>>) -> Result<Json<EnrolmentPolicy>, Problem> {
    let until = app.store.returns_until(app.clock.now()).await?;
    Ok(Json(EnrolmentPolicy { returns_until: until.map(|until| until.0) }))
}

/// Opens or closes the window in which re-flashed boards come back to their names by themselves. A device that is connected
/// with its old key is never replaced like that.
#[utoipa::path(put, path = "/api/v1/enrolment-policy", operation_id = "setEnrolmentPolicy", tag = "enrolment",
    request_body = NewPolicy, responses((status = 200, body = EnrolmentPolicy), Problems))]
pub async fn set_policy(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewPolicy>,
) -> Result<Json<EnrolmentPolicy>, Problem> {
    if new.returns_for_s > LONGEST_WINDOW_S {
        let detail = format!("{} s is more than {LONGEST_WINDOW_S} s", new.returns_for_s);
        return Err(Problem::invalid("returns_for_s", detail));
    }
    let now = app.clock.now();
    let until = UtcMillis(now.0 + i64::from(new.returns_for_s) * 1000);
    app.store.let_return_until(until, &caller.actor(), now).await?;
    tracing::warn!(user = caller.account, seconds = new.returns_for_s, "re-flashed boards may come back by themselves");
    Ok(Json(EnrolmentPolicy { returns_until: (until > now).then_some(until.0) }))
}

fn unknown_request() -> Problem {
    Problem::not_found("unknown_request", "no board waits under this id: it was approved or refused already")
}
