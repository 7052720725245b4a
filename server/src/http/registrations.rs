//! The registry: which devices are expected, in and out as CSV, and ranges of names. Shows plans, does not make them.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Body, CsvBody, Params};
use super::page::{Looks, Page};
use super::thresholds::follow;
use super::words;
use crate::audit::Act;
use crate::live::Event;
use crate::registry::csv::{FileError, read, write};
use crate::registry::plan::{Planned, Verdict, plan};
use crate::registry::range::{Range, RangeError};
use crate::registry::{self, Changes, Refusal};
use crate::run::App;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// What is expected under one name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Registration {
    /// The name that the device gets.
    name: String,
    /// The serial of the board; null while the name waits for whichever comes first.
    #[schema(required)]
    serial: Option<String>,
    /// Whether the device has enrolled: it keeps its name and serial from then on.
    enrolled: bool,
    /// Where it stands.
    location: String,
    /// Degrees north (WGS 84).
    #[schema(required)]
    latitude: Option<f64>,
    /// Degrees east.
    #[schema(required)]
    longitude: Option<f64>,
    /// What it is meant to measure.
    #[schema(value_type = Vec<words::Metric>)]
    metrics: Vec<&'static str>,
    /// Whatever else there is to know.
    notes: String,
    /// Since when it is registered (UTC milliseconds).
    created_at: i64,
    /// When that last changed (UTC milliseconds).
    changed_at: i64,
}

/// All registrations.
#[derive(Debug, Serialize, ToSchema)]
pub struct Registrations {
    /// In the order that was asked for.
    registrations: Vec<Registration>,
    /// Where it goes on; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// How to import.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct How {
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// What becomes of each line of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportPlan {
    /// Whether it was done: never for a dry run, nor if a line is refused.
    imported: bool,
    /// How many lines are new.
    created: usize,
    /// How many change something.
    changed: usize,
    /// How many say what is known.
    unchanged: usize,
    /// How many can't be taken.
    refused: usize,
    /// Headings that mean nothing here; their columns are left out.
    unknown_columns: Vec<String>,
    /// In the order of the file.
    lines: Vec<ImportLine>,
}

/// What becomes of one line.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportLine {
    /// Its number in the file, as an editor shows it.
    line: u64,
    /// What happens with it.
    verdict: ImportVerdict,
    /// The serial; as it is written if the line is refused.
    serial: String,
    /// The name.
    name: String,
    /// The location.
    location: String,
    /// The fields that change.
    changes: Vec<FieldChange>,
    /// Why it is refused.
    problems: Vec<LineProblem>,
}

/// What happens with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the counts of the plan say it
pub enum ImportVerdict {
    Created,
    Changed,
    Unchanged,
    Refused,
}

/// A field that changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldChange {
    /// Which column.
    field: &'static str,
    /// What it was.
    from: String,
    /// What it will be.
    to: String,
}

/// Something wrong with a line.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineProblem {
    /// The column at fault; null if it is the line.
    #[schema(required)]
    field: Option<&'static str>,
    /// What is wrong, for programs.
    code: &'static str,
    /// What it is about: the text at fault, or the other line, name or serial.
    about: String,
    /// What is wrong and what to do, for people.
    detail: String,
}

/// Why nothing was imported.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedImport {
    #[serde(flatten)]
    problem: Problem,
    /// With what is wrong in each line.
    plan: ImportPlan,
}

/// Names to reserve: `pi-from` to `pi-to`, both included.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRange {
    /// The first number.
    #[schema(minimum = 1, maximum = 99999)]
    from: u32,
    /// The last number; at most 10000 names at once.
    #[schema(minimum = 1, maximum = 99999)]
    to: u32,
    /// Where all of them will stand.
    #[serde(default)]
    #[schema(max_length = 100)]
    location: String,
}

/// What became of a range.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReservedRange {
    /// How many names are reserved now that were not before.
    reserved: usize,
    /// Names of the range that were registered or had enrolled already; they are as they were.
    taken: Vec<String>,
}

impl From<registry::plan::Plan> for ImportPlan {
    fn from(plan: registry::plan::Plan) -> Self {
        let lines: Vec<ImportLine> = plan.lines.into_iter().map(ImportLine::from).collect();
        let count = |verdict| lines.iter().filter(|line| line.verdict == verdict).count();
        Self {
            imported: false,
            created: count(ImportVerdict::Created),
            changed: count(ImportVerdict::Changed),
            unchanged: count(ImportVerdict::Unchanged),
            refused: count(ImportVerdict::Refused),
            unknown_columns: plan.unknown_columns,
            lines,
        }
    }
}

impl From<Planned> for ImportLine {
    fn from(planned: Planned) -> Self {
        let (verdict, changes, refusals) = match planned.verdict {
            Verdict::Created => (ImportVerdict::Created, vec![], vec![]),
            Verdict::Changed(changes) => (ImportVerdict::Changed, changes, vec![]),
            Verdict::Unchanged => (ImportVerdict::Unchanged, vec![], vec![]),
            Verdict::Refused(refusals) => (ImportVerdict::Refused, vec![], refusals),
        };
        let change = |c: registry::plan::Change| FieldChange { field: c.column.as_str(), from: c.from, to: c.to };
        let problem = |refusal: Refusal| LineProblem {
            field: refusal.column().map(registry::Column::as_str),
            code: refusal.code(),
            about: refusal.about(),
            detail: refusal.to_string(),
        };
        let [serial, name, location] = planned.shown;
        Self {
            line: planned.number,
            verdict,
            serial,
            name,
            location,
            changes: changes.into_iter().map(change).collect(),
            problems: refusals.into_iter().map(problem).collect(),
        }
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_csv", error.to_string()).about("file")
    }
}

impl From<RangeError> for Problem {
    fn from(error: RangeError) -> Self {
        let field = match error {
            RangeError::From(_) => "from",
            RangeError::To { .. } => "to",
            RangeError::Location(_) => "location",
        };
        Self::invalid(field, error.to_string())
    }
}

/// All registrations.
#[utoipa::path(get, path = "/api/v1/registrations", operation_id = "listRegistrations", tag = "registry",
    params(Page), responses((status = 200, body = Registrations), Problems))]
pub async fn list(State(app): State<Arc<App>>, Params(page): Params<Page>) -> Result<Json<Registrations>, Problem> {
    let registry = app.store.registry().await?;
    let enrolled: std::collections::HashSet<_> = registry.devices.iter().map(|(name, _)| name).collect();
    let shown = |registration: &registry::Registration| {
        let entry = &registration.entry;
        Registration {
            name: entry.name.to_string(),
            serial: entry.serial.map(String::from),
            enrolled: enrolled.contains(&entry.name),
            location: entry.location.clone(),
            latitude: entry.latitude,
            longitude: entry.longitude,
            metrics: entry.metrics.iter().map(|metric| metric.as_str()).collect(),
            notes: entry.notes.clone(),
            created_at: registration.created_at.0,
            changed_at: registration.changed_at.0,
        }
    };
    let all: Vec<Registration> = registry.registrations.iter().map(shown).collect();
    let (registrations, next) = page.of(all, |registration| Looks {
        name: &registration.name,
        location: Some(&registration.location),
        serial: registration.serial.as_deref(),
    })?;
    Ok(Json(Registrations { registrations, next }))
}

/// Imports a spreadsheet, all lines or none. The columns are serial, name, location, latitude, longitude, metrics and
/// notes, in any order, with English or Indonesian headings, separated by comma or semicolon.
#[utoipa::path(post, path = "/api/v1/registrations/import", operation_id = "importRegistrations", tag = "registry",
    request_body(content = String, content_type = "text/csv"), params(How),
    responses((status = 200, body = ImportPlan),
        (status = 422, body = RefusedImport, content_type = "application/problem+json",
            description = "lines are refused, so nothing was imported"), Problems))]
pub async fn import(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(how): Params<How>,
    CsvBody(file): CsvBody,
) -> Result<Response, Problem> {
    let file = read(&file)?;
    if how.dry_run {
        let (plan, _) = plan(&app.store.registry().await?, file);
        return Ok(Json(ImportPlan::from(plan)).into_response());
    }
    let decide = |registry: &registry::Registry| {
        let (plan, changes) = plan(registry, file);
        let changes = if plan.is_clean() { changes } else { Changes::default() };
        let enrolled: std::collections::HashSet<_> = registry.devices.iter().map(|(name, _)| name).collect();
        let seen: Vec<_> = changes.names().filter(|name| enrolled.contains(name)).cloned().collect();
        ((plan, seen), changes)
    };
    let now = app.clock.now();
    let entry = caller.actor().did(Act::RegistryImported, now);
    let tell = |(plan, _): &(registry::plan::Plan, Vec<_>)| {
        let count = |wanted: fn(&Verdict) -> bool| plan.lines.iter().filter(|line| wanted(&line.verdict)).count();
        let created = count(|verdict| matches!(verdict, Verdict::Created));
        let changed = count(|verdict| matches!(verdict, Verdict::Changed(_)));
        let does_something = plan.is_clean() && created + changed > 0;
        does_something.then(|| {
            let entry = entry.with("created", created).with("changed", changed);
            entry.with("changes", told_changes(plan))
        })
    };
    let (plan, seen) = app.store.change_registry(now, decide, tell).await?;
    let mut plan = ImportPlan::from(plan);
    if plan.refused > 0 {
        let detail = format!("{} of {} lines are refused, so nothing was imported", plan.refused, plan.lines.len());
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines_refused", detail).about("file");
        let answer = (StatusCode::UNPROCESSABLE_ENTITY, Json(RefusedImport { problem, plan }));
        return Ok(([(header::CONTENT_TYPE, "application/problem+json")], answer).into_response());
    }
    plan.imported = true;
    follow(&app).await;
    tracing::info!(user = caller.account, created = plan.created, changed = plan.changed, "imported registrations");
    for name in seen {
        app.live.publish(Event::Device { name });
    }
    Ok(Json(plan).into_response())
}

/// What an import changed, for the audit log: of each name the fields, as they were and as they are. Of a large import its
/// beginning; the rest is in the spreadsheet that was exported before.
fn told_changes(plan: &registry::plan::Plan) -> Vec<Value> {
    const MOST: usize = 200;
    let fields = |changes: &[registry::plan::Change]| -> Vec<Value> {
        let told = |c: &registry::plan::Change| json!({ "field": c.column.as_str(), "before": c.from, "after": c.to });
        changes.iter().map(told).collect()
    };
    let told = plan.lines.iter().filter_map(|line| match &line.verdict {
        Verdict::Changed(changes) => Some(json!({ "name": line.shown[1], "changes": fields(changes) })),
        _ => None,
    });
    told.take(MOST).collect()
}

/// All registrations as a spreadsheet: importing it again changes nothing. Text that a spreadsheet would take for a
/// formula has an apostrophe before it, which an import takes off.
#[utoipa::path(get, path = "/api/v1/registrations/export", operation_id = "exportRegistrations", tag = "registry",
    responses((status = 200, description = "the file", body = String, content_type = "text/csv"), Problems))]
pub async fn export(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Problem> {
    let registry = app.store.registry().await?;
    let text = write(registry.registrations.iter().map(|r| &r.entry)).map_err(|error| Problem::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"tirta-registry.csv\""),
    ];
    Ok((headers, text))
}

/// Reserves a range of names for boards that are not known yet: they are handed out in the order in which boards enrol.
#[utoipa::path(post, path = "/api/v1/registrations/range", operation_id = "reserveRange", tag = "registry",
    request_body = NewRange, responses((status = 200, body = ReservedRange), Problems))]
pub async fn range(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewRange>,
) -> Result<Json<ReservedRange>, Problem> {
    let range = Range::new(new.from, new.to, &new.location)?;
    let decide = |registry: &registry::Registry| {
        let (taken, changes) = range.reserve(registry);
        ((taken, changes.created.len()), changes)
    };
    let now = app.clock.now();
    let entry = caller.actor().did(Act::RegistryReserved, now).with("from", new.from).with("to", new.to);
    let tell = |(_, reserved): &(Vec<_>, usize)| (*reserved > 0).then(|| entry.with("reserved", *reserved));
    let (taken, reserved) = app.store.change_registry(now, decide, tell).await?;
    tracing::info!(user = caller.account, from = new.from, to = new.to, reserved, "reserved names");
    Ok(Json(ReservedRange { reserved, taken: taken.into_iter().map(String::from).collect() }))
}
