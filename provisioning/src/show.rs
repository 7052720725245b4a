//! Lines for people and for `awk`: what the command line prints of what the server says.

use provisioning::client::{Device, Token};
use provisioning::history::{Record, Records, Revision};
use provisioning::instant::{day, minute};

pub fn token(token: &Token) -> String {
    format!("{}  {:>5} left  until {}  {}", token.id, token.uses_left, day(token.expires_at), token.note)
}

pub fn device(device: &Device) -> String {
    let pending = device.buffer.as_ref().map_or_else(|| "-".to_owned(), |buffer| buffer.pending.to_string());
    let agent = device.agent.as_deref().unwrap_or("-");
    let note = if device.simulated { "simulated" } else { "" };
    format!("{:<12} {:<16} {:<8} {pending:>8} pending  {agent:<8} {note}", device.name, device.serial, device.state)
        .trim_end()
        .to_owned()
}

pub fn records(records: &Records) -> impl Iterator<Item = String> {
    records.calibrations.iter().map(|record| {
        let in_force = records.active.get(&record.metric) == Some(&record.id);
        self::record(record, if in_force { "in force" } else { "" })
    })
}

pub fn record(record: &Record, note: &str) -> String {
    let Record { id, metric, at, by, via, calibration, undoes, undone_by } = record;
    let values = calibration.iter().flatten().filter(|(name, _)| *name != "kind");
    let mut about: Vec<String> = values.map(|(name, value)| format!("{name}={value}")).collect();
    if about.is_empty() {
        about.push("not calibrated".to_owned());
    }
    about.extend(undoes.iter().map(|other| format!("undoes {other}")));
    about.extend(undone_by.iter().map(|other| format!("undone by {other}")));
    let about = about.join(" ");
    format!("{id}  {metric:<11} {}  {via:<9} {by:<16} {note:<8}  {about}", minute(*at)).trim_end().to_owned()
}

pub fn revision(device: &str, made: &Revision) -> String {
    let Revision { revision, metric, readings, changed, digest } = made;
    format!("{device} {metric}  revision {revision}  {readings} readings  {changed} changed  sha256 {digest}")
}
