//! Copies of the database over HTTP: which there are, making one, taking one away. Whoever takes one away has every hash and every
//! secret of a second factor: that is for people who run the server, and it is written down.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::Id;
use crate::audit::Act;
use crate::backup::{self, Backup, Failure, Progress};
use crate::run::App;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, extract::State};
use futures_util::stream;
use serde::Serialize;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use utoipa::ToSchema;

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;

/// Copies of the database.
#[derive(Debug, Serialize, ToSchema)]
pub struct Backups {
    /// Whether this server makes them: of SQLite, not of PostgreSQL.
    possible: bool,
    /// After how many seconds one is made by itself; null: never.
    #[schema(required)]
    every_s: Option<u64>,
    /// How many are kept.
    keep: usize,
    /// How far the one is that is being made.
    #[schema(required)]
    running: Option<Progress>,
    /// Why the last try failed; null if it did not.
    #[schema(required)]
    failed: Option<Failure>,
    /// The newest first.
    backups: Vec<Backup>,
}

/// All copies, and why the last try failed: a folder that can't be read is a failure too, and must not hide the rest of a page.
pub(super) async fn standing(app: &App) -> Result<(Vec<Backup>, Option<Failure>), Problem> {
    match app.backups.list().await {
        Ok(backups) => Ok((backups, backup::last_failure(&app.store).await?)),
        Err(error) => Ok((vec![], Some(Failure { at: app.clock.now().0, why: error.to_string() }))),
    }
}

async fn all(app: &App) -> Result<Json<Backups>, Problem> {
    let (backups, failed) = standing(app).await?;
    Ok(Json(Backups {
        possible: app.store.is_sqlite(),
        every_s: app.backups.every().map(|every| every.as_secs()),
        keep: app.backups.keep(),
        running: app.backups.progress(),
        failed,
        backups,
    }))
}

/// The copies of the database that this server keeps, and how far one is that is being made.
#[utoipa::path(get, path = "/api/v1/backups", operation_id = "listBackups", tag = "health",
    responses((status = 200, body = Backups), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Backups>, Problem> {
    all(&app).await
}

/// Begins to make a copy of the database; how far it is, `GET /api/v1/backups` says. One that is being made already goes on.
#[utoipa::path(post, path = "/api/v1/backups", operation_id = "createBackup", tag = "health",
    responses((status = 202, body = Backups), Problems))]
pub async fn create(State(app): State<Arc<App>>, caller: Caller) -> Result<(StatusCode, Json<Backups>), Problem> {
    if !app.store.is_sqlite() {
        let detail = "the database is PostgreSQL, which this server does not copy: use pg_dump (docs/operations.md)";
        return Err(Problem::new(StatusCode::CONFLICT, "use_pg_dump", detail));
    }
    if app.backups.progress().is_none() {
        let (own, actor) = (Arc::clone(&app), caller.actor());
        // How it went is in the audit log, and on the page of whoever waits for it.
        tokio::spawn(async move { backup::run(&own.backups, &own.store, &*own.clock, &actor).await.map(drop) });
    }
    Ok((StatusCode::ACCEPTED, all(&app).await?))
}

/// A copy of the database as a file. It holds everything but what lies in files: not the authority's key, nor the server's.
#[utoipa::path(get, path = "/api/v1/backups/{id}", operation_id = "getBackup", tag = "health",
    params(("id" = String, Path, description = "the name of its file")),
    responses((status = 200, description = "an SQLite database", body = String, content_type = "application/vnd.sqlite3"),
        Problems))]
pub async fn download(State(app): State<Arc<App>>, caller: Caller, Id(name): Id) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("unknown_backup", "there is no such back-up (any more)");
    let path = app.backups.path(&name).ok_or_else(unknown)?;
    let file = File::open(&path).await.map_err(|error| Problem::internal(&error))?;
    app.store.note(caller.actor().did(Act::BackupTaken, app.clock.now()).with("name", name.as_str())).await?;
    tracing::warn!(name, user = caller.account, "somebody takes a back-up away");
    let body = stream::try_unfold(file, |mut file: File| async move {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(piece), file)))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.sqlite3".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}
