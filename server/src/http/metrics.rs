//! `/metrics` for Prometheus, closed unless the configuration names the file of a token; and counting every request.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::{Peer, unknown_token};
use super::error::{Problem, Problems};
use super::model;
use super::token_words::bearer;
use crate::digest::sha256_hex;
use crate::metrics::Looked;
use crate::run::App;
use crate::store;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, middleware::Next};
use std::{collections::BTreeMap, sync::Arc, time::Instant};

/// What the server counts, as text for Prometheus. The token is the one in the file `http.metrics_token_file`; without that
/// nobody is answered.
#[utoipa::path(get, path = "/metrics", operation_id = "getMetrics", tag = "health", security(("metrics" = [])),
    responses((status = 200, description = "text format 0.0.4", content_type = "text/plain", body = String), Problems))]
pub async fn show(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let Some(wanted) = &app.metrics_token else {
        let detail = "no metrics here: the configuration names no http.metrics_token_file";
        return Err(Problem::not_found("no_metrics", detail));
    };
    // Hashes are compared: how long that takes tells nothing of the token.
    if bearer(&headers).is_none_or(|token| sha256_hex(token.as_bytes()) != *wanted) {
        let detail = "send the token of http.metrics_token_file: Authorization: Bearer ...";
        return Err(unknown_token(&app, Some(peer.ip()), detail));
    }
    let text = app.metrics.text(&look(&app).await?).map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

/// What is looked up for whoever asks how the server is.
pub(super) async fn look(app: &App) -> Result<Looked, Problem> {
    let now = app.clock.now();
    // Of a state that no device is in there is a zero.
    let mut devices: BTreeMap<&str, i64> = model::State::ALL.iter().map(|state| (state.as_str(), 0)).collect();
    for device in app.store.devices().await? {
        *devices.entry(model::state(&device, now).as_str()).or_default() += 1;
    }
    Ok(Looked {
        devices: devices.into_iter().collect(),
        alerts: app.store.unresolved_alerts().await?,
        watchers: app.live.watchers(),
        connected: app.link.connected(),
        dropped: app.link.dropped(),
        database_errors: store::errors(),
    })
}

/// Counts a request under the template of its path; files and unknown paths are one.
pub async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    // Anybody may invent methods.
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let started = Instant::now();
    let response = next.run(request).await;
    app.metrics.answered(method, route.as_deref().unwrap_or("other"), response.status().as_u16(), started.elapsed());
    response
}
