//! What was made, in numbers: for the screen and for whoever goes on from it.

use crate::cast::{Fate, Member};
use crate::crew::Account;
use crate::error::PlayError;
use serde::{Deserialize, Serialize};
use server::run::App;
use server::store::{AlertFilter, WhichOutages};
use shared::BufferId;

/// The file beside the server's, for its owner's eyes: it has passwords.
pub const FILE: &str = "history.json";

/// A device that goes on as a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Device {
    /// Its number.
    pub number: u32,
    /// The word for what is in its tank.
    pub water: String,
    /// Whether its pH electrode is worn.
    pub worn: bool,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Readings.
    pub readings: u64,
    /// Alerts, of whatever state.
    pub alerts: u64,
    /// Of those, not resolved.
    pub open_alerts: u64,
    /// Outages of devices.
    pub outages: u64,
    /// Calibrations.
    pub calibrations: u64,
    /// Entries of the audit log.
    pub audit: u64,
}

/// What is left when the past is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Summary {
    /// How many days.
    pub days: u32,
    /// How often was measured, in milliseconds.
    pub interval_ms: i64,
    /// How much was made.
    pub made: Made,
    /// The devices that go on.
    pub devices: Vec<Device>,
    /// Who has an account.
    pub accounts: Vec<Account>,
    /// The buffers that the past was sent from.
    pub buffers: Vec<BufferId>,
}

/// The members that go on.
pub fn devices(members: &[Member]) -> Vec<Device> {
    let lives = members.iter().filter(|member| member.fate == Fate::Lives);
    let device = |member: &Member| {
        let water = member.site().word.to_owned();
        Device { number: member.number, water, worn: member.worn }
    };
    lives.map(device).collect()
}

impl Made {
    /// Counts what the database holds; `readings` were counted when they were kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(app: &App, readings: u64) -> Result<Self, PlayError> {
        let now = app.clock.now();
        let mut made = Self { readings, ..Self::default() };
        let mut before = None;
        loop {
            let alerts = app.store.alerts(&AlertFilter::default(), before, server::store::MOST_ALERTS, now).await?;
            let Some(last) = alerts.last() else { break };
            before = Some(last.id);
            made.alerts += alerts.len() as u64;
            made.open_alerts += alerts.iter().filter(|alert| alert.resolved_at.is_none()).count() as u64;
        }
        let mut which = WhichOutages::default();
        loop {
            let outages = app.store.outages(&which, server::store::MOST_OUTAGES).await?;
            let Some(last) = outages.last() else { break };
            which.before = Some(last.id);
            made.outages += outages.iter().filter(|outage| outage.device.is_some()).count() as u64;
        }
        for device in app.store.devices().await? {
            made.calibrations += app.store.calibrations(&device.name).await?.len() as u64;
        }
        let last = app.store.audit(None, &[], None, 1).await?;
        made.audit = last.first().and_then(|entry| u64::try_from(entry.id).ok()).unwrap_or_default();
        Ok(made)
    }
}
