//! Notices when a device goes and when it is back. Remembers a little between two looks; what counts is in the database.

use super::{Before, Cause, Gone, Window};
use serde_json::{Map, Value};
use shared::message::{LinkState, Status};
use shared::{DeviceName, UtcMillis};
use std::collections::BTreeMap;

/// A device that is back sooner was not gone: a certificate is changed like that, and a short cut mends itself.
const SHORTEST_MS: i64 = 10_000;

/// A device in service that has been heard at least once.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which.
    pub name: DeviceName,
    /// Where it is registered.
    pub location: Option<String>,
    /// What it, or its last will, said last.
    pub status: Option<Status>,
    /// When anything last came from it.
    pub last_seen: UtcMillis,
    /// If nothing was heard of it for so long it is gone, whatever it said last.
    pub silent_ms: i64,
}

/// An outage that has not ended.
#[derive(Debug, Clone)]
pub struct Open {
    /// Of the row.
    pub id: i64,
    /// Whose.
    pub device: DeviceName,
    /// Since when (UTC ms).
    pub started_at: i64,
    /// What was known then.
    pub before: Before,
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// A device is gone.
    Begin {
        /// Which.
        device: DeviceName,
        /// Where.
        location: Option<String>,
        /// Since when: its last sign of life.
        started_at: i64,
        /// What is known of it.
        before: Before,
    },
    /// It is back, or out of service.
    End {
        /// Which outage.
        id: i64,
        /// Whose.
        device: DeviceName,
        /// Since when (UTC ms).
        ended_at: i64,
        /// Why it was gone.
        cause: Cause,
        /// What that was concluded from.
        detail: Map<String, Value>,
    },
    /// It was gone between two looks and is back already.
    Passed {
        /// Which.
        device: DeviceName,
        /// Where.
        location: Option<String>,
        /// From when until when.
        window: Window,
        /// Why.
        cause: Cause,
        /// What that was concluded from.
        detail: Map<String, Value>,
    },
}

/// Looks again and again.
#[derive(Debug)]
pub struct Watcher {
    /// Since when the server has heard devices without a break.
    hearing_since: i64,
    /// After how long of that somebody can be missed.
    grace_ms: i64,
    /// When it was first seen that a device is gone.
    gone: BTreeMap<DeviceName, i64>,
    /// How the others were at the last look: boot, and when they were heard.
    there: BTreeMap<DeviceName, (String, i64)>,
}

impl Watcher {
    /// Begins to hear.
    pub fn new(now: UtcMillis, grace_ms: i64) -> Self {
        Self { hearing_since: now.0, grace_ms, gone: BTreeMap::new(), there: BTreeMap::new() }
    }

    /// The server heard nothing for a while, and hears again: all who are there have to be given the time to say so.
    pub fn was_deaf(&mut self, now: UtcMillis) {
        *self = Self::new(now, self.grace_ms);
    }

    /// One look at all devices in service; `deaf`: when the server heard nothing, lately.
    pub fn look(&mut self, devices: &[Seen], open: &[Open], deaf: &[Window], now: UtcMillis) -> Vec<Turn> {
        // The clock may have been set back.
        self.hearing_since = self.hearing_since.min(now.0);
        self.gone.values_mut().for_each(|since| *since = (*since).min(now.0));
        let mut turns = vec![];
        let open: BTreeMap<&DeviceName, &Open> = open.iter().map(|open| (&open.device, open)).collect();
        let in_service: BTreeMap<&DeviceName, &Seen> = devices.iter().map(|seen| (&seen.name, seen)).collect();
        for open in open.values().filter(|open| !in_service.contains_key(&open.device)) {
            let (detail, device) = (Map::from_iter([("out_of_service".to_owned(), true.into())]), open.device.clone());
            turns.push(Turn::End { id: open.id, device, ended_at: now.0, cause: Cause::Unknown, detail });
        }
        self.gone.retain(|name, _| in_service.contains_key(name));
        self.there.retain(|name, _| in_service.contains_key(name));
        for seen in devices {
            let turn = match (gone(seen, now), open.get(&seen.name)) {
                (Some(gone), None) => self.begins(seen, gone, deaf, now),
                (None, Some(open)) => Some(ends(seen, open, deaf)),
                (None, None) => self.has_passed(seen, deaf),
                (Some(_), Some(_)) => None,
            };
            turns.extend(turn);
            if gone(seen, now).is_none() {
                self.gone.remove(&seen.name);
                let boot = seen.status.as_ref().map(|status| status.boot.clone()).unwrap_or_default();
                self.there.insert(seen.name.clone(), (boot, seen.last_seen.0));
            }
        }
        turns
    }

    fn begins(&mut self, seen: &Seen, gone: Gone, deaf: &[Window], now: UtcMillis) -> Option<Turn> {
        let since = *self.gone.entry(seen.name.clone()).or_insert(now.0);
        if now.0 - self.hearing_since < self.grace_ms || now.0 - since < SHORTEST_MS {
            return None;
        }
        let mut started_at = seen.last_seen.0;
        for deaf in deaf {
            // Whether it went while nobody could hear is not known.
            if (deaf.from - seen.silent_ms..deaf.to).contains(&started_at) {
                started_at = deaf.to;
            }
        }
        let (boot, run) = seen.status.as_ref().map(|s| (s.boot.clone(), s.run)).unwrap_or_default();
        let (device, location) = (seen.name.clone(), seen.location.clone());
        Some(Turn::Begin { device, location, started_at, before: Before { gone, boot, run } })
    }

    /// A board that boots in half a minute is back before it is missed: its boot id tells.
    fn has_passed(&self, seen: &Seen, deaf: &[Window]) -> Option<Turn> {
        let status = seen.status.as_ref()?;
        let (boot, heard) = self.there.get(&seen.name)?;
        let window = Window { from: *heard, to: seen.last_seen.0 };
        let before = Before { gone: Gone::Silent, boot: boot.clone(), run: None };
        if window.ms() < SHORTEST_MS || deaf.iter().any(|deaf| deaf.within(window).is_some()) {
            return None;
        }
        let (cause, detail) = before.cause(status, false);
        let (device, location) = (seen.name.clone(), seen.location.clone());
        (cause == Cause::Power).then_some(Turn::Passed { device, location, window, cause, detail })
    }
}

/// Whether a device is gone, by what it said last and when it was heard.
fn gone(seen: &Seen, now: UtcMillis) -> Option<Gone> {
    match seen.status.as_ref().map(|status| status.state) {
        Some(LinkState::Lost) => Some(Gone::Lost),
        Some(LinkState::Stopped) => Some(Gone::Stopped),
        Some(LinkState::Online) | None => (now.0 - seen.last_seen.0 > seen.silent_ms).then_some(Gone::Silent),
    }
}

fn ends(seen: &Seen, open: &Open, deaf: &[Window]) -> Turn {
    let window = Window { from: open.started_at, to: seen.last_seen.0.max(open.started_at) };
    let deaf = deaf.iter().any(|deaf| deaf.within(window).is_some());
    let (cause, detail) = match &seen.status {
        Some(status) => open.before.cause(status, deaf),
        None => (Cause::Unknown, Map::new()),
    };
    Turn::End { id: open.id, device: open.device.clone(), ended_at: window.to, cause, detail }
}

#[cfg(test)]
mod tests;
