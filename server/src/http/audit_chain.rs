//! The audit log as a chain: how it ends, whether it is whole, and all of it as a file that others can verify. Read only.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::error::{Problem, Problems};
use super::extract::Params;
use super::page::in_order;
use crate::registry::cell::neutralised;
use crate::run::App;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Json, extract::State};
use csv::WriterBuilder;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use shared::chain::{Broken, Head, Opening, Row};
use std::{error::Error, sync::Arc};
use utoipa::{IntoParams, ToSchema};

/// An end of the log. Written down elsewhere as `id:hash` it proves later that nothing up to it was changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditHead {
    /// The number of the last entry; 0 if there is none.
    id: i64,
    /// Its SHA-256, over itself and the hash of the one before (hexadecimal).
    hash: String,
}

impl From<Head> for AuditHead {
    fn from(Head { id, hash }: Head) -> Self {
        Self { id, hash }
    }
}

/// How the audit log ends.
#[utoipa::path(get, path = "/api/v1/audit/head", operation_id = "getAuditHead", tag = "audit",
    responses((status = 200, body = AuditHead), Problems))]
pub async fn head(State(app): State<Arc<App>>) -> Result<Json<AuditHead>, Problem> {
    Ok(Json(app.store.audit_head().await?.into()))
}

/// What the log is held against.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Against {
    /// An end that was written down, `NUMBER:HASH`: the log must still hold it.
    #[param(pattern = r"^\s*[0-9]{1,18}:[0-9A-Fa-f]{64}\s*$")]
    head: Option<String>,
}

/// Where the log is broken first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditBreak {
    /// The number of the first entry that is not as it should be.
    entry: i64,
    /// `changed`, `unhashed`, `removed`, `reordered`, `truncated` or `rewritten`.
    problem: &'static str,
    /// What is wrong, for people.
    detail: String,
}

impl From<Broken> for AuditBreak {
    fn from(broken: Broken) -> Self {
        Self { entry: broken.entry(), problem: broken.word(), detail: broken.to_string() }
    }
}

/// Whether the log is whole, as the server sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditVerdict {
    /// Every entry follows from the one before.
    intact: bool,
    /// How many were looked at; null if the log is broken.
    #[schema(required)]
    entries: Option<u64>,
    /// How the log ends; null if it is broken.
    #[schema(required)]
    head: Option<AuditHead>,
    /// Where it is broken; null if it is whole.
    #[schema(required)]
    broken: Option<AuditBreak>,
}

/// Looks through all of the log for what was changed, removed or put in. Whoever does not want to believe the server uses
/// `tirta audit verify`, which computes by itself.
#[utoipa::path(get, path = "/api/v1/audit/verify", operation_id = "verifyAudit", tag = "audit", params(Against),
    responses((status = 200, body = AuditVerdict), Problems))]
pub async fn verify(
    State(app): State<Arc<App>>,
    Params(against): Params<Against>,
) -> Result<Json<AuditVerdict>, Problem> {
    let known = against.head.map(|text| text.parse::<Head>()).transpose();
    let known = known.map_err(|error| Problem::invalid("head", error.to_string()))?;
    let _one_at_a_time = app.verifying.lock().await;
    Ok(Json(match app.store.verify_audit(known).await? {
        Ok((entries, head)) => {
            AuditVerdict { intact: true, entries: Some(entries), head: Some(head.into()), broken: None }
        }
        Err(broken) => {
            tracing::error!(%broken, "the audit log is broken");
            AuditVerdict { intact: false, entries: None, head: None, broken: Some(broken.into()) }
        }
    }))
}

/// The form of an export.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuditFormat {
    /// JSON, one object a line: it holds all that is needed to verify it.
    #[default]
    Jsonl,
    /// For spreadsheets.
    Csv,
}

/// Which part of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// `jsonl`, if nothing is said, or `csv`.
    #[serde(default)]
    #[param(inline)]
    format: AuditFormat,
    /// From this time on (UTC milliseconds).
    from: Option<i64>,
    /// Until before this time (UTC milliseconds).
    to: Option<i64>,
}

/// The log as a file, oldest first: every entry of that time and whatever lies between them, because a chain has no gaps.
/// The first line of `jsonl` says where the chain begins and how the log ends, the header `tirta-audit-head` too.
#[utoipa::path(get, path = "/api/v1/audit/export", operation_id = "exportAudit", tag = "audit", params(Part),
    responses((status = 200, description = "the file", content((String = "application/jsonl"), (String = "text/csv"))),
        Problems))]
pub async fn export(State(app): State<Arc<App>>, Params(part): Params<Part>) -> Result<Response, Problem> {
    let Part { format, from, to } = part;
    in_order(from, to)?;
    let head = app.store.audit_head().await?;
    let (after, through) = app.store.audit_part(from, to).await?;
    // What was added meanwhile is for the next export.
    let through = if through.id > head.id { head.clone() } else { through };
    // Whoever put something before the first entry is to be seen, too.
    let (first, last) = (if after.id == 0 { i64::MIN } else { after.id }, through.id);
    let opening = match format {
        AuditFormat::Jsonl => {
            line(&Opening { tirta_audit: Opening::VERSION, after, through: through.clone(), head: head.clone() })
        }
        AuditFormat::Csv => records([HEADING.map(str::to_owned)]),
    };
    let opening = opening.map_err(|error| Problem::internal(&error))?;
    let rest = stream::try_unfold(first, move |first| {
        let app = Arc::clone(&app);
        async move {
            let rows = app.store.audit_rows(first, last).await?;
            let Some(next) = rows.last().map(|row| row.id) else { return Ok(None) };
            Ok::<_, Failed>(Some((written(&rows, format)?, next)))
        }
    });
    // Whoever reads sees that the file ends too early.
    let rest = rest.inspect(|part| {
        if let Err(error) = part {
            tracing::error!(%error, "an export of the audit log was broken off");
        }
    });
    let body = Body::from_stream(stream::once(async move { Ok(opening) }).chain(rest));
    let (content_type, ending) = match format {
        AuditFormat::Jsonl => ("application/jsonl", "jsonl"),
        AuditFormat::Csv => ("text/csv; charset=utf-8", "csv"),
    };
    let name = format!("attachment; filename=\"tirta-audit-{}.{ending}\"", through.id);
    let headers = [(header::CONTENT_TYPE, content_type.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, [("tirta-audit-head", head.to_string())], body).into_response())
}

type Failed = Box<dyn Error + Send + Sync>;

fn line(value: &impl Serialize) -> Result<Bytes, Failed> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line.into())
}

fn written(rows: &[Row], format: AuditFormat) -> Result<Bytes, Failed> {
    match format {
        AuditFormat::Jsonl => Ok(rows.iter().map(line).collect::<Result<Vec<_>, _>>()?.concat().into()),
        AuditFormat::Csv => records(rows.iter().map(cells)),
    }
}

const HEADING: [&str; 9] = ["id", "at", "who", "act", "device", "serial", "address", "detail", "hash"];

fn records(records: impl IntoIterator<Item = [String; 9]>) -> Result<Bytes, Failed> {
    let mut file = WriterBuilder::new().from_writer(vec![]);
    for record in records {
        file.write_record(record)?;
    }
    Ok(file.into_inner().map_err(|error| error.to_string())?.into())
}

fn cells(row: &Row) -> [String; 9] {
    let text = |text: &Option<String>| neutralised(text.as_deref().unwrap_or_default());
    [
        row.id.to_string(),
        row.at.to_string(),
        neutralised(&row.who),
        neutralised(&row.act),
        text(&row.device),
        text(&row.serial),
        text(&row.address),
        neutralised(&row.detail),
        text(&row.hash),
    ]
}
