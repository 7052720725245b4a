//! What a file would do to the registry, line by line, before anything is done. Pure.

use super::csv::{File, Line};
use super::{Changes, Column, Entry, Refusal, Registration, Registry, cell, free_names};
use shared::{DeviceName, Serial};
use std::collections::{HashMap, HashSet};

/// What becomes of each line.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// In the order of the file.
    pub lines: Vec<Planned>,
    /// Headings that mean nothing here.
    pub unknown_columns: Vec<String>,
}

/// What becomes of one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The line's number in the file.
    pub number: u64,
    /// Serial, name and location: as they will be, or as they are written if the line is refused.
    pub shown: [String; 3],
    /// What happens.
    pub verdict: Verdict,
}

/// What happens with a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// A new registration.
    Created,
    /// These fields of a registration change.
    Changed(Vec<Change>),
    /// It says what is known.
    Unchanged,
    /// It can't be taken, for these reasons.
    Refused(Vec<Refusal>),
}

/// A field that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub column: Column,
    /// What it was.
    pub from: String,
    /// What it will be.
    pub to: String,
}

impl Plan {
    /// Whether no line is refused.
    pub fn is_clean(&self) -> bool {
        !self.lines.iter().any(|line| matches!(line.verdict, Verdict::Refused(_)))
    }
}

/// Works out what a file does to the registry, and what is to be written for it.
///
/// A line means the registration of its name; if there is none, that of its serial, which gets a new name then; else
/// it is new. A line without a name keeps the one that its serial has, or gets the next free one.
pub fn plan(registry: &Registry, file: File) -> (Plan, Changes) {
    let known = Known::new(registry);
    let names: Vec<Option<DeviceName>> = file.lines.iter().map(|line| known.name_said(line)).collect();
    let before: Vec<Option<&Registration>> = known.matched(&file.lines, &names);
    let kept: HashSet<&DeviceName> = before.iter().flatten().map(|registration| &registration.entry.name).collect();

    let named = names.iter().flatten();
    let taken: HashSet<&DeviceName> = named.chain(registry.registrations.iter().map(|r| &r.entry.name)).collect();
    let mut free = free_names(registry.devices.iter().map(|(name, _)| name), &taken);
    let mut after: Vec<Option<Entry>> = Vec::with_capacity(file.lines.len());
    for ((line, name), before) in file.lines.iter().zip(&names).zip(&before) {
        let name = name.clone().or_else(|| before.map(|r| r.entry.name.clone()));
        let name = if line.refusals.is_empty() { name.or_else(|| free.next()) } else { name };
        after.push(name.map(|name| known.entry(line, name, *before)));
    }

    let lines_of_name = numbers(&file.lines, after.iter().map(|entry| entry.as_ref().map(|e| e.name.clone())));
    let lines_of_serial = numbers(&file.lines, after.iter().map(|entry| entry.as_ref().and_then(|e| e.serial)));
    let (mut lines, mut changes) = (Vec::with_capacity(file.lines.len()), Changes::default());
    for ((line, before), after) in file.lines.into_iter().zip(before).zip(after) {
        let mut refusals = line.refusals;
        if let Some(entry) = &after {
            let other = |lines: &[u64]| lines.iter().copied().find(|&other| other != line.number);
            let twice = |column| move |line| Refusal::Twice { column, line };
            refusals.extend(other(&lines_of_name[&entry.name]).map(twice(Column::Name)));
            if let Some(serial) = entry.serial {
                refusals.extend(other(&lines_of_serial[&serial]).map(twice(Column::Serial)));
                let holder = known.by_serial.get(&serial).map(|holder| &holder.entry.name);
                refusals.extend(holder.filter(|name| !kept.contains(name)).cloned().map(Refusal::RegisteredAs));
            }
            refusals.extend(known.against_enrolled(entry));
            refusals.extend(half_position(entry));
        } else if refusals.is_empty() {
            // The series of free names has come to its end.
            refusals.push(Refusal::NoIdentity);
        }
        let (shown, verdict) = match (after, before) {
            (Some(entry), Some(before)) if refusals.is_empty() => {
                let changed = differences(&before.entry, &entry);
                let shown = shown(&entry);
                if changed.is_empty() {
                    (shown, Verdict::Unchanged)
                } else {
                    changes.changed.push((before.entry.name.clone(), entry));
                    (shown, Verdict::Changed(changed))
                }
            }
            (Some(entry), None) if refusals.is_empty() => {
                let shown = shown(&entry);
                changes.created.push(entry);
                (shown, Verdict::Created)
            }
            _ => (line.written, Verdict::Refused(refusals)),
        };
        lines.push(Planned { number: line.number, shown, verdict });
    }
    (Plan { lines, unknown_columns: file.unknown_columns }, changes)
}

/// The registry and the devices, by what a line may say of them.
struct Known<'a> {
    by_name: HashMap<&'a DeviceName, &'a Registration>,
    by_serial: HashMap<Serial, &'a Registration>,
    serial_of: HashMap<&'a DeviceName, Serial>,
    /// Devices that programs speak for.
    boardless: HashSet<&'a DeviceName>,
    name_of: HashMap<Serial, &'a DeviceName>,
}

impl<'a> Known<'a> {
    fn new(registry: &'a Registry) -> Self {
        let registrations = &registry.registrations;
        Self {
            by_name: registrations.iter().map(|r| (&r.entry.name, r)).collect(),
            by_serial: registrations.iter().filter_map(|r| Some((r.entry.serial?, r))).collect(),
            serial_of: registry.devices.iter().filter_map(|(name, serial)| Some((name, (*serial)?))).collect(),
            boardless: registry.devices.iter().filter(|(_, serial)| serial.is_none()).map(|(name, _)| name).collect(),
            name_of: registry.devices.iter().filter_map(|(name, serial)| Some(((*serial)?, name))).collect(),
        }
    }

    /// The name that a line gives, or else the one that its board has had since it enrolled.
    fn name_said(&self, line: &Line) -> Option<DeviceName> {
        let enrolled = || Some((*self.name_of.get(&line.wanted.serial?)?).clone());
        line.wanted.name.clone().or_else(enrolled)
    }

    /// The registration that each line means. One that a line means by name is meant by no other by serial.
    fn matched(&self, lines: &[Line], names: &[Option<DeviceName>]) -> Vec<Option<&'a Registration>> {
        let by_name = |name: &Option<DeviceName>| self.by_name.get(name.as_ref()?).copied();
        let named: HashSet<&DeviceName> = names.iter().filter_map(by_name).map(|r| &r.entry.name).collect();
        let by_serial = |line: &Line| self.by_serial.get(&line.wanted.serial?).copied();
        let unnamed = |line| by_serial(line).filter(|r| !named.contains(&r.entry.name));
        lines.iter().zip(names).map(|(line, name)| by_name(name).or_else(|| unnamed(line))).collect()
    }

    /// What a line makes of the registration that it means.
    fn entry(&self, line: &Line, name: DeviceName, before: Option<&Registration>) -> Entry {
        let before = before.map_or_else(|| Entry::named(name.clone()), |r| r.entry.clone());
        let wanted = line.wanted.clone();
        Entry {
            serial: wanted.serial.or(before.serial).or_else(|| self.serial_of.get(&name).copied()),
            name,
            location: wanted.location.unwrap_or(before.location),
            latitude: wanted.latitude.unwrap_or(before.latitude),
            longitude: wanted.longitude.unwrap_or(before.longitude),
            metrics: wanted.metrics.unwrap_or(before.metrics),
            notes: wanted.notes.unwrap_or(before.notes),
        }
    }

    /// A device that has enrolled keeps its name and serial.
    fn against_enrolled(&self, entry: &Entry) -> Option<Refusal> {
        let serial = entry.serial?;
        if let Some(name) = self.name_of.get(&serial).filter(|name| ***name != entry.name) {
            return Some(Refusal::EnrolledAs((*name).clone()));
        }
        if self.boardless.contains(&entry.name) {
            return Some(Refusal::NoBoard(entry.name.clone()));
        }
        let enrolled = self.serial_of.get(&entry.name).filter(|enrolled| **enrolled != serial)?;
        Some(Refusal::EnrolledWith { name: entry.name.clone(), serial: enrolled.to_string() })
    }
}

/// The numbers of the lines that have each key.
fn numbers<K: std::hash::Hash + Eq>(lines: &[Line], keys: impl Iterator<Item = Option<K>>) -> HashMap<K, Vec<u64>> {
    let mut numbers: HashMap<K, Vec<u64>> = HashMap::new();
    for (line, key) in lines.iter().zip(keys) {
        if let Some(key) = key {
            numbers.entry(key).or_default().push(line.number);
        }
    }
    numbers
}

fn half_position(entry: &Entry) -> Option<Refusal> {
    let missing = match (entry.latitude, entry.longitude) {
        (None, Some(_)) => Column::Latitude,
        (Some(_), None) => Column::Longitude,
        _ => return None,
    };
    Some(Refusal::HalfPosition { missing })
}

fn shown(entry: &Entry) -> [String; 3] {
    [entry.serial.map(String::from).unwrap_or_default(), entry.name.to_string(), entry.location.clone()]
}

fn differences(before: &Entry, after: &Entry) -> Vec<Change> {
    let (before, after) = (fields(before), fields(after));
    let changed = Column::ALL.into_iter().zip(before).zip(after).filter(|((_, from), to)| from != to);
    changed.map(|((column, from), to)| Change { column, from, to }).collect()
}

/// The fields of an entry as text, in the order of the columns.
fn fields(entry: &Entry) -> [String; 7] {
    let [serial, name, location] = shown(entry);
    let degrees = |value: Option<f64>| value.map(|degrees| degrees.to_string()).unwrap_or_default();
    let (latitude, longitude) = (degrees(entry.latitude), degrees(entry.longitude));
    [serial, name, location, latitude, longitude, cell::joined(&entry.metrics), entry.notes.clone()]
}

#[cfg(test)]
mod tests;
