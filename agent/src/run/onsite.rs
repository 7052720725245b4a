//! What answers at the device itself: the desk of the calibrations, and the local socket.

use super::rig;
use crate::buffer::Buffer;
use crate::calibrate::{Calibrator, Desk, Records};
use crate::config::Config;
use crate::identify::Blinker;
use crate::link::LinkState;
use crate::local::Local;
use crate::sampler::Sampler;
use crate::settings::SettingsFile;
use crate::time::Time;
use shared::calibration::RecordId;
use tokio::sync::watch;

/// The device's name and its link, once it has them.
pub(super) type Voiced = Option<(String, watch::Receiver<LinkState>)>;

/// Begins to take orders of calibrations.
pub(super) fn desk(config: &Config, settings: &SettingsFile, records: Records, sampler: &Sampler, time: &Time) -> Desk {
    let sensors = rig::sensors(&config.probes).probes;
    Calibrator {
        sensors: sensors.into_iter().filter_map(|(metric, report)| Some((metric, report.sensor?))).collect(),
        tap: sampler.tap(),
        in_force: sampler.calibrations(),
        settings: settings.watch(),
        records,
        time: time.clone(),
        draw: || RecordId::from_random(getrandom::u64().unwrap_or_else(|_| fastrand::u64(..))),
    }
    .start()
}

/// Answers at the local socket.
pub(super) fn listen(
    config: &Config,
    desk: &Desk,
    (sampler, buffer, blinker): (&Sampler, &Buffer, Blinker),
    time: &Time,
    voice: watch::Receiver<Voiced>,
) {
    let local = Local {
        desk: desk.clone(),
        latest: sampler.latest(),
        time: time.clone(),
        buffer: buffer.state(),
        voice,
        blinker,
    };
    if let Err(error) = local.listen(&config.data_dir) {
        // Measuring is what matters; only nobody at the device can ask.
        tracing::error!(%error, "the local socket can't be made");
    }
}
