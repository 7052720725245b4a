//! Readings that programs hand in: each once, by its device, metric and time; kept by the same way as what devices send. All
//! of a request is one transaction, its answer included, so that nothing is half done wherever it is cut.

use super::append::of_names;
use super::conn::{Conn, on_conn, transaction};
use super::idempotency::{Claim, Repeat, answer, claim};
use super::reading::Incoming;
use super::segment::{DAY_MS, unpack};
use super::{Store, StoreError, stored_name};
use crate::gateway::{Handed, Refusal};
use serde::{Deserialize, Serialize};
use shared::message::Received;
use shared::{BufferId, DeviceName, Metric, Outcome as Measured, Reading, UtcMillis};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The buffer in which this server numbers what has no number of its own.
const OWN: u64 = 0;
/// A reading that is so much ahead of the server's clock comes from a wrong one: it makes nothing after it the past.
const AHEAD_MS: i64 = 60_000;

/// What somebody hands in.
#[derive(Debug, Clone)]
pub struct HandedIn {
    /// Who: an account, or `key:` and the id of a key.
    pub owner: String,
    /// Under which key, if they may ask again.
    pub repeat: Option<Repeat>,
    /// The readings; those that were refused before have their places.
    pub readings: Vec<Result<Handed, Refusal>>,
    /// When it came.
    pub at: UtcMillis,
}

/// What became of a reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It is kept.
    Stored,
    /// It was kept before.
    Duplicate,
    /// It is not taken.
    Refused(Refusal),
}

/// What became of all of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// This, now.
    Done {
        /// In their order.
        fates: Vec<Fate>,
        /// Those that were not known before, in the order in which they were taken.
        fresh: Vec<(DeviceName, Vec<Reading>)>,
        /// Devices that got readings from before what was known.
        past: BTreeSet<DeviceName>,
    },
    /// This, before: the same was asked under the same key.
    Repeated(Vec<Fate>),
    /// Something else was asked under the same key.
    OtherRequest,
    /// Too many answers are kept for this one.
    TooManyAnswers,
}

/// What names a reading of a device for ever.
type Named = (Metric, i64);

/// A device that is written to.
struct Written {
    name: DeviceName,
    high: u64,
    latest: HashMap<Metric, Reading>,
    known: HashMap<Named, Reading>,
    past: Vec<Reading>,
    now: Vec<Reading>,
}

impl Store {
    /// Keeps what was handed in, if it is new; each reading once, however often and by however many it comes.
    ///
    /// # Errors
    /// When the database fails: then nothing is kept, and it is safe to ask again.
    pub async fn hand_in(&self, handed: &HandedIn) -> Result<Outcome, StoreError> {
        let (begin, _) = self.writing();
        Ok(transaction!(self, begin, |conn| {
            if let Some(repeat) = &handed.repeat {
                match claim(conn, &handed.owner, repeat, handed.at).await? {
                    Claim::Fresh => {}
                    Claim::Answered(text) => return Ok(Outcome::Repeated(stored_fates(&text)?)),
                    Claim::OfAnother => return Ok(Outcome::OtherRequest),
                    Claim::TooMany => return Ok(Outcome::TooManyAnswers),
                }
            }
            let outcome = self.keep(conn, handed).await?;
            let Outcome::Done { fates, .. } = &outcome else { return Ok(outcome) };
            // What changed nothing may be asked again under the same key, when its fault is mended.
            if fates.iter().all(|fate| matches!(fate, Fate::Refused(_))) {
                return Ok(outcome);
            }
            if let Some(repeat) = &handed.repeat {
                let text = serde_json::to_string(fates)
                    .map_err(|error| StoreError::Corrupt { what: "answer", why: error.to_string() })?;
                answer(conn, &handed.owner, repeat, &text).await?;
            }
            outcome
        }))
    }

    async fn keep(&self, conn: &mut Conn<'_>, handed: &HandedIn) -> Result<Outcome, StoreError> {
        let mut devices = written(conn, handed).await?;
        let fates: Vec<Fate> = handed.readings.iter().map(|reading| fate(reading, &mut devices, handed.at)).collect();
        let devices: Vec<Written> = devices.into_values().filter_map(Result::ok).collect();
        let past: BTreeSet<_> = devices.iter().filter(|d| !d.past.is_empty()).map(|d| d.name.clone()).collect();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for Written { name, high, past, now, .. } in devices {
            let first = high + 1 + past.len() as u64;
            before.extend(batch(&name, past, high + 1, handed.at));
            after.extend(batch(&name, now, first, handed.at));
        }
        let of_the_past = before.len();
        before.append(&mut after);
        self.append_on(conn, &before, of_the_past).await?;
        let fresh = before.into_iter().skip(of_the_past).map(|batch| (batch.device, batch.received.readings));
        Ok(Outcome::Done { fates, fresh: fresh.collect(), past })
    }
}

/// A batch of the server's own numbering, the oldest reading first; none of nothing.
fn batch(device: &DeviceName, mut readings: Vec<Reading>, first: u64, at: UtcMillis) -> Option<Incoming> {
    readings.sort_by_key(|reading| reading.stamp.at);
    readings.iter_mut().zip(first..).for_each(|(reading, seq)| reading.seq = seq);
    let last = readings.last()?.seq;
    let received = Received { buffer: BufferId::from_random(OWN), first, last, readings, refused: vec![] };
    Some(Incoming { device: device.clone(), received, at })
}

/// What becomes of a reading; one that is new is put with its device.
fn fate(
    reading: &Result<Handed, Refusal>,
    devices: &mut BTreeMap<DeviceName, Result<Written, Refusal>>,
    at: UtcMillis,
) -> Fate {
    let Handed { device, reading } = match reading {
        Ok(handed) => handed,
        Err(refusal) => return Fate::Refused(refusal.clone()),
    };
    let device = match devices.get_mut(device) {
        Some(Ok(device)) => device,
        Some(Err(refusal)) => return Fate::Refused(refusal.clone()),
        None => return Fate::Refused(unknown(device)),
    };
    let named = (reading.metric, reading.stamp.at.0);
    if let Some(known) = device.known.get(&named) {
        if (known.outcome, known.flags) == (reading.outcome, reading.flags) {
            return Fate::Duplicate;
        }
        let value = match known.outcome {
            Measured::Measured(value) => value.get().to_string(),
            Measured::Fault(fault) => fault.to_string(),
        };
        let detail = format!("the reading of this time is kept with {value}: nothing is ever written over");
        return Fate::Refused(Refusal::new("conflict", "value", detail));
    }
    device.known.insert(named, *reading);
    let latest = device
        .latest
        .get(&reading.metric)
        .filter(|latest| latest.stamp.may_alert() && latest.stamp.at.0 <= at.0 + AHEAD_MS && reading.stamp.may_alert());
    if latest.is_some_and(|latest| reading.stamp.at < latest.stamp.at) {
        device.past.push(*reading);
    } else {
        device.now.push(*reading);
    }
    Fate::Stored
}

fn unknown(device: &DeviceName) -> Refusal {
    let detail = format!("there is no device {device}: make it with POST /api/v1/devices");
    Refusal::new("unknown_device", "device", detail)
}

/// The devices that are named, locked, with what is known of them; or why nothing is taken for one.
async fn written(
    conn: &mut Conn<'_>,
    handed: &HandedIn,
) -> Result<BTreeMap<DeviceName, Result<Written, Refusal>>, StoreError> {
    let mut wanted: BTreeMap<&DeviceName, Vec<Named>> = BTreeMap::new();
    for Handed { device, reading } in handed.readings.iter().flatten() {
        wanted.entry(device).or_default().push((reading.metric, reading.stamp.at.0));
    }
    let names: Vec<&str> = wanted.keys().map(|name| name.as_str()).collect();
    let lock = conn.lock();
    let rows: Vec<(String, Option<String>, Option<i64>)> = of_names!(conn, &names, |list| format!(
        "SELECT name, serial, COALESCE(revoked_at, quarantined_at) FROM device WHERE name IN ({list}) ORDER BY name{lock}"
    ));
    let own = BufferId::from_random(OWN);
    let buffers: Vec<(String, i64, Vec<u8>)> = of_names!(conn, &names, |list| format!(
        "SELECT device, high_seq, latest FROM buffer WHERE buffer = '{own}' AND device IN ({list})"
    ));
    let mut buffers: HashMap<String, (i64, Vec<u8>)> =
        buffers.into_iter().map(|(name, high, latest)| (name, (high, latest))).collect();
    let mut devices = BTreeMap::new();
    for (name, serial, out) in rows {
        let (high, latest) = buffers.remove(&name).unwrap_or_default();
        let name = stored_name(&name)?;
        let refused = match (serial, out) {
            (Some(_), _) => Some(("has_board", "it has a board, which alone says what it measures")),
            (None, Some(_)) => Some(("revoked", "it is decommissioned: nothing is taken for it")),
            (None, None) => None,
        };
        let device = match refused {
            Some((code, why)) => Err(Refusal::new(code, "device", format!("{name}: {why}"))),
            None => {
                let known = known(conn, &name, wanted.get(&name).map(Vec::as_slice).unwrap_or_default()).await?;
                let latest = if latest.is_empty() { vec![] } else { unpack(&latest, None)? };
                let latest = latest.into_iter().map(|reading| (reading.metric, reading)).collect();
                Ok(Written { name: name.clone(), high: high.cast_unsigned(), latest, known, past: vec![], now: vec![] })
            }
        };
        devices.insert(name, device);
    }
    Ok(devices)
}

/// Those of the readings that are kept already, from wherever they came. A segment lies within one UTC day.
async fn known(
    conn: &mut Conn<'_>,
    device: &DeviceName,
    wanted: &[Named],
) -> Result<HashMap<Named, Reading>, StoreError> {
    const RECENT: &str = "SELECT packed FROM recent WHERE device = $1 AND first_at <= $2 AND last_at >= $3";
    let mut days: BTreeMap<(i64, Metric), (i64, i64)> = BTreeMap::new();
    for &(metric, at) in wanted {
        let (low, high) = days.entry((at.div_euclid(DAY_MS), metric)).or_insert((at, at));
        (*low, *high) = (at.min(*low), at.max(*high));
    }
    let low = days.values().map(|(low, _)| *low).min().unwrap_or_default();
    let high = days.values().map(|(_, high)| *high).max().unwrap_or_default();
    let mut packed: Vec<(Vec<u8>,)> = on_conn!(conn, |c| {
        sqlx::query_as(RECENT).bind(device.as_str()).bind(high).bind(low).fetch_all(&mut *c).await?
    });
    for ((day, metric), (low, high)) in days {
        let sql = AssertSqlSafe(format!(
            "SELECT packed FROM segment WHERE device = $1 AND metric = '{metric}'
             AND first_at >= $2 AND first_at <= $3 AND last_at >= $4"
        ));
        packed.append(&mut on_conn!(conn, |c| {
            let query = sqlx::query_as(sql).bind(device.as_str()).bind(day * DAY_MS).bind(high).bind(low);
            query.fetch_all(&mut *c).await?
        }));
    }
    let wanted: BTreeSet<Named> = wanted.iter().copied().collect();
    let mut known = HashMap::new();
    for (packed,) in packed {
        let found = unpack(&packed, None)?.into_iter().map(|reading| ((reading.metric, reading.stamp.at.0), reading));
        known.extend(found.filter(|(named, _)| wanted.contains(named)));
    }
    Ok(known)
}

fn stored_fates(text: &str) -> Result<Vec<Fate>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt { what: "answer", why: error.to_string() })
}
