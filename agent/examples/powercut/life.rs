//! What the victim does: it appends, commits, is acknowledged, takes settings, enrols, renews its certificate, stops
//! and starts again.
//! All contents follow from a number, so that the examiner needs no copy of them.

use agent::buffer::{Buffer, Measured};
use agent::identity::{Home, Identity};
use agent::probe::Sample;
use agent::settings::SettingsFile;
use agent::time::{BootClock, Discipline, Moment, SystemClock, Ticks, Time};
use agent::{config, files};
use shared::enrol::Broker;
use shared::message::Intervals;
use shared::reading::{Fault, Flag, Flags, Value};
use shared::{Clock, ClockQuality, DeviceName, Metric, Serial, Settings, Stamp, UtcMillis};
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

const METRICS: [Metric; 4] = [Metric::Ph, Metric::Tds, Metric::Temperature, Metric::Volume];

/// When the device was booted, which it learns late.
const REFERENCE: i64 = 1_763_690_400_000;

/// A file that is replaced as a whole, as calibrations are.
pub const CALIBRATION: &str = "calibration.json";

pub fn time() -> Time {
    Time::new(Arc::new(SystemClock), Discipline::Assumed)
}

/// The board that the card is in.
pub fn board() -> Result<Serial, Box<dyn Error>> {
    Ok("1000000000000007".parse()?)
}

/// The buffer as it is configured by default; it is the victim who says when a commit is due.
pub fn buffer_settings() -> config::Buffer {
    config::Buffer { commit_ms: 600_000, ..config::Buffer::default() }
}

/// The reading that gets the sequence `n`.
pub fn measured(n: u64) -> Measured {
    let whole = u32::try_from(n % 1_000_000).unwrap_or(0);
    let metric = METRICS[(n % 4) as usize];
    let sample = if n.is_multiple_of(50) {
        Sample { flags: Flags::NONE.with(Flag::Simulated), ..Sample::fault(Fault::NoAnswer) }
    } else {
        let millivolts = 1500.0 + f64::from(whole % 997);
        let spread = Value::new(millivolts / 1000.0).ok();
        Sample { spread, ..Sample::new(metric, Ok(f64::from(whole) / 100_000.0), Some(millivolts), Flags::NONE) }
    };
    let ticks = Ticks(i64::from(whole) * 2_500);
    // Most were taken by a clock that was wrong.
    let stamp = match n % 400 {
        0..300 => Stamp { at: UtcMillis(ticks.0), clock: ClockQuality::Unsynced },
        _ => Stamp { at: ticks.at(REFERENCE), clock: ClockQuality::Synced },
    };
    Measured { moment: Moment { stamp, ticks }, metric, sample }
}

/// The same once its time was repaired.
pub fn repaired(moment: Moment) -> Stamp {
    match moment.stamp.clock {
        ClockQuality::Unsynced => Stamp { at: moment.ticks.at(REFERENCE), clock: ClockQuality::Repaired },
        _ => moment.stamp,
    }
}

/// The time in a boot that knows nothing of it yet.
pub fn booted(boot: &str, folder: &Path) -> Time {
    Time::new(Arc::new(Booted), Discipline::File(folder.join("never"))).of_boot(boot, folder)
}

/// The clocks of a device that has just booted, without a network: both stand at zero.
struct Booted;

impl Clock for Booted {
    fn now(&self) -> UtcMillis {
        UtcMillis(0)
    }
}

impl BootClock for Booted {
    fn ticks(&self) -> Ticks {
        Ticks(0)
    }
}

/// The settings of a version.
pub fn settings(version: u32) -> Settings {
    let mut intervals = Intervals::default();
    for (n, metric) in (1..).zip(METRICS) {
        // Always within the limits.
        let _ = intervals.set(metric, 1_000 + u64::from(version) * n);
    }
    Settings::new(version, intervals)
}

/// A calibration's content; later ones are not always longer.
pub fn calibration(version: u32) -> String {
    let filler = "point ".repeat((version * 37 % 300) as usize);
    format!("{{\"version\":{version},\"note\":\"{filler}\",\"end\":{version}}}")
}

/// What the enrolment gives, and what it has become after so many renewals. Later ones are not always longer.
pub fn identity(key: String, renewed: u32) -> Identity {
    let lines = 40 + (renewed * 37 % 50) as usize;
    let certificate = format!("the certificate {renewed}\n").repeat(lines);
    let broker = Broker { host: None, port: 8883 };
    let ca = format!("the authority {renewed}\n").repeat(lines / 2);
    Identity { name: DeviceName::numbered(7), broker, server: None, key, certificate, ca }
}

/// Tells keys apart.
pub fn fingerprint(key: &rcgen::KeyPair) -> String {
    key.public_key_raw().iter().rev().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn say(what: impl std::fmt::Display) -> std::io::Result<()> {
    // In one piece, so that it is one call of the system.
    let line = format!("{what}\n");
    let mut output = std::io::stdout().lock();
    output.write_all(line.as_bytes())?;
    output.flush()
}

pub async fn live(folder: &Path, seed: u64, deeds: u32) -> Result<(), Box<dyn Error>> {
    let mut dice = fastrand::Rng::with_seed(seed);
    files::make_folder(folder)?;
    let home = Home::new(folder);
    say(format_args!("key {}", fingerprint(&home.key_pair(board()?)?)))?;
    let file = SettingsFile::open(folder, &time());
    let (mut taken, mut version, mut calibrated, mut enrolled) = (0_u64, 0, 0, false);
    let mut renewed = 0;
    let mut left = deeds;
    while left > 0 {
        // Each life is a boot: it does not know what time it is until the server says so.
        let clock = booted(&format!("boot-{left}"), folder);
        let (buffer, worker) = Buffer::start(folder, &buffer_settings(), clock.clone())?;
        let mut state = buffer.state();
        let opened = state.wait_for(Option::is_some).await?.map_or(0, |ledger| ledger.next - 1);
        taken = taken.max(opened);
        // Some lives are spent offline, some die young.
        let online = dice.u32(0..3) > 0;
        let lasts = left.min(dice.u32(20..600));
        left -= lasts;
        for _ in 0..lasts {
            for _ in 0..dice.u64(1..=24) {
                taken += 1;
                buffer.append(measured(taken));
            }
            buffer.flush().await;
            let ledger = *state.borrow_and_update();
            let ledger = ledger.ok_or("the buffer is gone")?;
            say(format_args!("committed {} {}", ledger.next - 1, ledger.id))?;
            if online && dice.u32(0..10) > 0 {
                for _ in 0..2 {
                    let Some(batch) = buffer.next_batch(500, false).await else { break };
                    let through = batch.readings.last().map_or(0, |reading| reading.seq);
                    // The server has it from now on, whether the agent hears of it or not.
                    say(format_args!("acknowledged {through}"))?;
                    buffer.acknowledge(batch.buffer, through).await;
                }
            }
            if dice.u32(0..60) == 0 {
                clock.server_said(UtcMillis(REFERENCE));
            }
            if dice.u32(0..20) == 0 && file.offer(settings(version + 1)) {
                version += 1;
                say(format_args!("settings {version}"))?;
            }
            if dice.u32(0..20) == 0 {
                calibrated += 1;
                files::write_atomically(&folder.join(CALIBRATION), calibration(calibrated).as_bytes(), 0o644)?;
                say(format_args!("calibration {calibrated}"))?;
            }
            if !enrolled && dice.u32(0..20) == 0 {
                home.save(board()?, &identity(home.key_pair(board()?)?.serialize_pem(), 0))?;
                enrolled = true;
                say("enrolled 1")?;
            } else if enrolled && dice.u32(0..20) == 0 {
                renewed += 1;
                let next = identity(String::new(), renewed);
                home.renew(&next.certificate, &next.ca)?;
                say(format_args!("renewed {renewed}"))?;
            }
        }
        worker.stop();
    }
    Ok(())
}
