//! Readings as files of any size, made while they are taken; and how far those of somebody are. What stands in a file,
//! [`crate::export`] knows.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Id, Params};
use super::history::{Asked, Meant};
use super::serve::stopped;
use super::words;
use crate::alert::words::zone;
use crate::audit::Act;
use crate::export::{Export, Format, Order, Piece, Running, State as How, Status, TooMany, make};
use crate::run::App;
use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, extract::State};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc::{Receiver, channel};
use utoipa::{IntoParams, ToSchema};

/// How often it is looked whether whoever takes a file may still do so.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// When it makes sense to ask again for an export, if there are too many.
const AGAIN_S: u64 = 30;

/// Which readings, and in what form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Ordered {
    /// From when on (UTC milliseconds); a day before `to` if absent.
    #[param(minimum = -86_400_000, maximum = 253_402_300_799_999_i64)]
    from: Option<i64>,
    /// Until when, exclusive (UTC milliseconds); now if absent.
    #[param(minimum = -86_400_000, maximum = 253_402_300_799_999_i64)]
    to: Option<i64>,
    /// Of which devices: names with a comma between; of all if absent.
    device: Option<String>,
    /// Only of devices at this location.
    location: Option<String>,
    /// What was measured: metrics with a comma between; everything if absent.
    #[param(value_type = Option<words::Metrics>)]
    metric: Option<String>,
    /// `all`, `good`, `fault` or `flagged`; all if absent.
    #[serde(default)]
    #[param(inline)]
    status: Status,
    /// `csv`, if nothing is said, or `zip`: a table for each device, with alerts, outages and calibrations.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// The zone of the local times, such as `Asia/Makassar`; the fleet's if absent.
    tz: Option<String>,
}

/// How an export stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunningExport {
    /// Names it, until the server is started anew.
    id: u64,
    /// Its form.
    format: Format,
    /// Since when (UTC milliseconds).
    began_at: i64,
    /// Readings that are written.
    rows: u64,
    /// About how many there will be, or at most.
    about_rows: u64,
    /// Bytes that were sent, before they were packed for the way.
    bytes: u64,
    /// `running`, `done`, `stopped` or `broken`.
    state: &'static str,
}

impl From<Arc<Export>> for RunningExport {
    fn from(export: Arc<Export>) -> Self {
        Self {
            id: export.id,
            format: export.format,
            began_at: export.began_at.0,
            rows: export.rows(),
            about_rows: export.about,
            bytes: export.bytes(),
            state: match export.state() {
                How::Running => "running",
                How::Done => "done",
                How::Stopped => "stopped",
                How::Broken => "broken",
            },
        }
    }
}

/// One's own exports.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunningExports {
    /// Those that are under way and those that ended in the last minutes, the newest first.
    exports: Vec<RunningExport>,
}

/// Readings as a file, device by device, oldest first: a table (CSV), or an archive (ZIP) of tables. One that broke off is seen to
/// have: the transfer ends with an error, and an archive has neither a directory nor its last member, `manifest.json`.
#[utoipa::path(get, path = "/api/v1/readings/export", operation_id = "exportReadings", tag = "readings", params(Ordered),
    responses((status = 200, description = "the file", content((String = "text/csv"), (String = "application/zip"))),
        Problems))]
pub async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    method: Method,
    Params(ordered): Params<Ordered>,
) -> Result<Response, Problem> {
    let Ordered { from, to, device, location, metric, status, format, tz } = ordered;
    let unknown =
        |name: &str| Problem::invalid("tz", format!("{name:?} is no time zone: use a name such as Asia/Jakarta"));
    let zone = match tz.as_deref() {
        Some(name) => zone(name).ok_or_else(|| unknown(name))?,
        None => app.config.alerts.time_zone.clone(),
    };
    // A file has no limit.
    let asked = Asked { from, to, device, location, metric, status, limit: None };
    let mut meant = asked.meant(&app).await?;
    let file = format!("tirta-{}-{}.{}", day(meant.range.0.0, &zone), day(meant.range.1.0 - 1, &zone), format.as_str());
    let headers = [
        (header::CONTENT_TYPE, format.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ];
    // Whoever only asks whether it could be had has not had it.
    if method == Method::HEAD {
        return Ok(headers.into_response());
    }
    meant.count(&app).await?;
    let Meant { sources, range: (from, to), status, location, named } = meant;
    let about = sources.iter().map(|source| source.about).sum();
    let running = app.exports.begin(&caller.account, format, about, Arc::clone(&app.clock)).map_err(too_many)?;
    let order = Order { sources, from, to, status, location, named, zone, format, at: app.clock.now() };
    note(&app, &caller, &order, about).await?;
    let body = Body::from_stream(pieces(take(app, caller, order, running)));
    Ok((headers, body).into_response())
}

/// One's own exports: how far they are, and how those of the last minutes have ended.
#[utoipa::path(get, path = "/api/v1/readings/exports", operation_id = "listExports", tag = "readings",
    responses((status = 200, body = RunningExports), Problems))]
pub async fn list(State(app): State<Arc<App>>, caller: Caller) -> Json<RunningExports> {
    Json(RunningExports { exports: app.exports.of(&caller.account).into_iter().map(RunningExport::from).collect() })
}

/// Stops one of one's own exports: its file breaks off.
#[utoipa::path(delete, path = "/api/v1/readings/exports/{id}", operation_id = "stopExport", tag = "readings",
    params(("id" = u64, Path, description = "the export's id")),
    responses((status = 204, description = "Stopped, or over already."), Problems))]
pub async fn stop(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    if id.parse().is_ok_and(|id| app.exports.stop(&caller.account, id)) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found("unknown_export", "you have no such export, or it is long over"))
}

fn too_many(what: TooMany) -> Problem {
    let detail = match what {
        TooMany::Own => "you have as many exports under way as are allowed: wait for one, or stop it",
        TooMany::Everybodys => "as many exports are under way as the server makes at a time: try again soon",
    };
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_exports", detail).retry_after(AGAIN_S)
}

/// The day of a time in a zone, for the file's name.
fn day(at: i64, zone: &jiff::tz::TimeZone) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    at.to_zoned(zone.clone()).date().to_string()
}

/// Who has taken what out is in the audit log.
async fn note(app: &App, caller: &Caller, order: &Order, about: u64) -> Result<(), Problem> {
    let names: Vec<_> = order.sources.iter().map(|source| source.device.to_string()).collect();
    let entry = caller.actor().did(Act::ReadingsExported, order.at).with("format", order.format.as_str());
    let entry = entry.with("from", order.from.0).with("to", order.to.0).with("count", about);
    // Of thousands of devices the names say no more than that all were meant.
    let entry = if order.named { entry.with("devices", names) } else { entry.with("location", order.location.clone()) };
    Ok(app.store.note(entry).await?)
}

/// Makes the file in a task of its own, which ends when the file is whole, when it is stopped, when the server stops, or when
/// whoever takes it may do so no longer.
fn take(app: Arc<App>, caller: Caller, order: Order, running: Running) -> Receiver<Piece> {
    let (to, pieces) = channel(1);
    tokio::spawn(async move {
        let mut stopping = app.stopping.clone();
        let why = tokio::select! {
            made = make(app.store.clone(), order, to, &running) => match made {
                Ok(()) => return,
                Err(error) => error.to_string(),
            },
            () = running.stopped() => "it was stopped".to_owned(),
            () = stopped(&mut stopping) => "the server stops".to_owned(),
            () = shut_out(&app, &caller) => "whoever takes it may do so no longer".to_owned(),
        };
        tracing::warn!(who = caller.account, why, "an export breaks off");
    });
    pieces
}

/// Waits until what let somebody in is good no more.
async fn shut_out(app: &Arc<App>, caller: &Caller) {
    let mut ended = app.signed_out.subscribe();
    loop {
        let looked = tokio::time::timeout(LOOK_EVERY, ended.recv()).await;
        match looked {
            Ok(Ok(id)) if !caller.is_ended_by(&id) => continue,
            _ => {}
        }
        if !caller.is_still_let_in(app).await.unwrap_or(true) {
            return;
        }
    }
}

/// What is sent, as a body: without the last piece it ends with an error, so that nobody takes a part for the whole.
fn pieces(from: Receiver<Piece>) -> impl stream::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::unfold(Some(from), async |from| {
        let mut from = from?;
        match from.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes.into()), Some(from))),
            Some(Piece::End) => None,
            None => Some((Err(std::io::Error::other("the export broke off")), None)),
        }
    })
    // Whoever packs it for the way asks once more behind the end.
    .fuse()
}
