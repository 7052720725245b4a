//! What happened to the devices in the time of an export, as tables: alerts, outages and calibrations, page by page.

use super::line::{MARK, utc};
use super::{Order, make::Broken};
use crate::alert::table;
use crate::outage::Window;
use crate::registry::cell::neutralised;
use crate::store::{AlertFilter, KeptRecord, MOST_ALERTS, MOST_OUTAGES, Outage, Store, WhichOutages};
use csv::{Terminator, WriterBuilder};
use shared::calibration::By;
use std::{collections::BTreeSet, io};

/// The columns of outages.
const OUTAGES: [&str; 7] = ["id", "device", "location", "started_at_utc", "ended_at_utc", "cause", "alert"];
/// The columns of calibrations. What was measured and what came of it are JSON.
const CALIBRATIONS: [&str; 10] =
    ["id", "device", "metric", "at_utc", "clock", "by", "via", "points", "calibration", "undoes"];

/// Where a page of a table begins: behind this id; the first has none.
pub type Behind = Option<i64>;

/// Lines of a table, how many, and where it goes on.
pub struct Page {
    /// As they stand in the file.
    pub text: Vec<u8>,
    /// Without the heading.
    pub rows: u64,
    /// `None`: that was all.
    pub next: Behind,
}

/// The names of the devices that are meant.
pub fn names(order: &Order) -> BTreeSet<String> {
    order.sources.iter().map(|source| source.device.to_string()).collect()
}

/// Alerts that began in the time, newest first: those of the devices, and if none was named those of no device.
///
/// # Errors
/// When the database fails.
pub async fn alerts(store: &Store, order: &Order, names: &BTreeSet<String>, behind: Behind) -> Result<Page, Broken> {
    let (from, to) = (Some(order.from.0), Some(order.to.0));
    let filter = AlertFilter { from, to, location: order.location.clone(), ..AlertFilter::default() };
    let all = store.alerts(&filter, behind, MOST_ALERTS, order.at).await?;
    let is_meant = |device: Option<&str>| device.map_or(!order.named, |device| names.contains(device));
    let lines = all.iter().filter(|alert| is_meant(alert.device.as_deref())).map(table::line);
    let next = all.last().filter(|_| all.len() == MOST_ALERTS as usize).map(|alert| alert.id);
    page(behind.is_none().then_some(&table::HEADING), lines, next)
}

/// Outages that reach into the time, newest first; those of the server itself too, if no device was named.
///
/// # Errors
/// When the database fails.
pub async fn outages(store: &Store, order: &Order, names: &BTreeSet<String>, behind: Behind) -> Result<Page, Broken> {
    let time = Some(Window { from: order.from.0, to: order.to.0 });
    let which = WhichOutages { time, before: behind, location: order.location.clone(), device: None };
    let all = store.outages(&which, MOST_OUTAGES).await?;
    let is_meant = |device: Option<&str>| device.map_or(!order.named, |device| names.contains(device));
    let lines = all.iter().filter(|outage| is_meant(outage.device.as_deref())).map(outage);
    let next = all.last().filter(|_| all.len() == MOST_OUTAGES as usize).map(|outage| outage.id);
    page(behind.is_none().then_some(&OUTAGES), lines, next)
}

/// The calibrations of one device that were made in the time, oldest first; the page behind it is that of the next device.
///
/// # Errors
/// When the database fails.
pub async fn calibrations(store: &Store, order: &Order, behind: Behind) -> Result<Page, Broken> {
    let place = behind.map_or(0, |last| last + 1);
    let source = usize::try_from(place).ok().and_then(|place| order.sources.get(place));
    let kept = match source {
        Some(source) => store.calibrations(&source.device).await?,
        None => vec![],
    };
    let within = kept.iter().filter(|kept| (order.from..order.to).contains(&kept.record.stamp.at));
    let lines = within.map(calibration).collect::<Result<Vec<_>, _>>()?;
    page(behind.is_none().then_some(&CALIBRATIONS), lines, source.map(|_| place))
}

fn page<const N: usize>(
    heading: Option<&[&str; N]>,
    lines: impl IntoIterator<Item = [String; N]>,
    next: Behind,
) -> Result<Page, Broken> {
    let mut file = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(vec![]);
    let mut rows = 0;
    if let Some(heading) = heading {
        file.write_record(heading)?;
    }
    for line in lines {
        file.write_record(line)?;
        rows += 1;
    }
    let lines = file.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    let mark = if heading.is_some() { MARK } else { "" };
    Ok(Page { text: [mark.as_bytes(), &lines].concat(), rows, next })
}

fn outage(outage: &Outage) -> [String; 7] {
    let text = |text: &Option<String>| neutralised(text.as_deref().unwrap_or_default());
    [
        outage.id.to_string(),
        text(&outage.device),
        text(&outage.location),
        utc(outage.started_at),
        outage.ended_at.map(utc).unwrap_or_default(),
        outage.cause.as_str().to_owned(),
        outage.alert.map(|alert| alert.to_string()).unwrap_or_default(),
    ]
}

fn calibration(kept: &KeptRecord) -> Result<[String; 10], serde_json::Error> {
    let record = &kept.record;
    let (By::Dashboard { name } | By::Device { name }) = &record.by;
    let via = if matches!(record.by, By::Dashboard { .. }) { "dashboard" } else { "device" };
    Ok([
        record.id.to_string(),
        kept.device.to_string(),
        record.metric.to_string(),
        utc(record.stamp.at.0),
        record.stamp.clock.as_str().to_owned(),
        neutralised(name),
        via.to_owned(),
        serde_json::to_string(&record.points)?,
        record.calibration.map(|calibration| serde_json::to_string(&calibration)).transpose()?.unwrap_or_default(),
        record.undoes.map(|id| id.to_string()).unwrap_or_default(),
    ])
}
