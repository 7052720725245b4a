//! Looks at all devices again and again, and has written and told what is to be. The one file here that does things.

use super::{Seen, Watcher, Window, over, tell};
use crate::http::serve::stopped;
use crate::link::Link;
use crate::store::{Device, Store, StoreError};
use shared::{Clock, UtcMillis};
use std::collections::BTreeMap;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// How often.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A server that has heard nothing for longer was out itself.
const DEAF_MS: i64 = 30_000;
/// How often it is written that the server hears.
const BEAT_MS: i64 = 5_000;
/// A device that was heard further in the future than this was heard before the server's clock was set back.
const AHEAD_MS: i64 = 10_000;
/// How far back the server's own outages matter to devices that are gone.
const BACK_MS: i64 = 30 * 86_400_000;

/// The watch over all devices.
pub struct Watch {
    store: Store,
    watcher: Watcher,
    grace_ms: i64,
    deaf_ms: i64,
    beat: Option<UtcMillis>,
}

/// Runs until the server stops. A failure is logged and tried again at the next look.
pub async fn run(mut watch: Watch, link: Link, clock: Arc<dyn Clock>, mut stopping: watch::Receiver<bool>) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            () = stopped(&mut stopping) => return,
        }
        // Without its broker the server hears nobody: that is no device's outage.
        if !link.connected() {
            continue;
        }
        if let Err(error) = watch.look(clock.now()).await {
            tracing::warn!(%error, "outages are not looked at; it is tried again");
        }
    }
}

impl Watch {
    /// Begins now; an outage is worth an alert after `grace_ms`.
    pub fn new(store: Store, now: UtcMillis, grace_ms: i64) -> Self {
        Self { store, watcher: Watcher::new(now, grace_ms), grace_ms, deaf_ms: DEAF_MS, beat: None }
    }

    /// The same for whoever plays the past and looks less often: two looks that are so far apart are no deafness yet.
    #[must_use]
    pub fn looking_each(self, pause_ms: i64) -> Self {
        Self { deaf_ms: DEAF_MS.max(pause_ms), ..self }
    }

    /// One look, when the server hears.
    ///
    /// # Errors
    /// When the database fails: the next look finds the same.
    pub async fn look(&mut self, now: UtcMillis) -> Result<(), StoreError> {
        if self.beat.is_none_or(|at| !(0..BEAT_MS).contains(&(now.0 - at.0))) {
            if let Some(deaf) = self.store.hears(now, self.deaf_ms).await? {
                tracing::warn!(seconds = deaf.ms() / 1000, "the server has heard nothing for a while");
                self.watcher.was_deaf(now);
            }
            self.beat = Some(now);
        }
        let mut devices = self.store.devices().await?;
        for device in devices.iter_mut().filter(|device| device.last_seen.is_some_and(|at| at.0 > now.0 + AHEAD_MS)) {
            self.store.was_seen_by(&device.name, now).await?;
            device.last_seen = Some(now);
        }
        let seen: Vec<Seen> = devices.into_iter().filter_map(in_service).collect();
        let time = Window { from: now.0 - BACK_MS, to: now.0 };
        let open = self.store.open_outages().await?;
        let deaf = self.store.deaf_times(time).await?;
        let turns = self.watcher.look(&seen, &open.open, &deaf, now);
        if !turns.is_empty() {
            for turn in &turns {
                tracing::info!(?turn, "an outage");
            }
            self.store.keep_turns(&turns, now).await?;
        }
        let open = if turns.is_empty() { open } else { self.store.open_outages().await? };
        let mut in_service: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for seen in &seen {
            *in_service.entry(seen.location.clone()).or_default() += 1;
        }
        let due = tell(&open.outs, &open.groups, &in_service, self.grace_ms, now.0);
        if !due.is_empty() {
            self.store.tell_outages(&due, now).await?;
        }
        self.store.end_outage_alerts(&over(&open.outs, &open.groups), now).await
    }
}

/// A device in service that has been heard; others can't be missed.
fn in_service(device: Device) -> Option<Seen> {
    if device.revoked_at.is_some() || device.quarantined_at.is_some() {
        return None;
    }
    let silent_ms = device.silent_ms();
    let Device { name, location, status, last_seen, .. } = device;
    Some(Seen { name, location, status, last_seen: last_seen?, silent_ms })
}
