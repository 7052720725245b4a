//! What people do about alerts: they look now and then, and deal with what they see, sooner if it is critical. Which of them
//! does what is drawn for each alert, by what it is about and not by its id, so that a seed is one past.

use crate::cast::{Member, SITES};
use crate::span::{HOUR, MINUTE, hour_of};
use crate::words;
use fastrand::Rng;
use serde_json::{Value, json};
use server::alert::{Alert, Kind};
use shared::rule::Severity;
use std::collections::BTreeSet;

/// How often somebody looks.
pub const LOOK_EVERY: i64 = 15 * MINUTE;

/// Something that somebody will do.
#[derive(Debug, Clone)]
pub struct Errand {
    /// When (UTC milliseconds).
    pub at: i64,
    /// Who.
    pub who: &'static str,
    /// What is asked of `/api/v1/alerts/act`.
    pub body: Value,
}

/// Who knows which alerts already.
#[derive(Debug, Default)]
pub struct Duty(BTreeSet<i64>);

impl Duty {
    /// Somebody looks at the open alerts: what will be done about those that nobody has seen yet. At night only what is critical
    /// wakes anybody.
    pub fn look(&mut self, open: &[Alert], members: &[Member], seed: u64, now: i64) -> Vec<Errand> {
        let awake = (6..21).contains(&hour_of(now));
        let mut errands = vec![];
        for alert in open.iter().filter(|alert| awake || alert.severity == Severity::Critical) {
            // What belongs to a larger one is dealt with there.
            if alert.parent.is_none() && self.0.insert(alert.id) {
                errands.extend(dealt_with(alert, members, seed, now));
            }
        }
        errands
    }
}

fn dealt_with(alert: &Alert, members: &[Member], seed: u64, now: i64) -> Vec<Errand> {
    let mut random = Rng::with_seed(seed ^ mark(alert));
    let minutes = |random: &mut Rng, range| random.i64(range) * MINUTE;
    let site = site(alert, members);
    let technician = SITES.get(site).map_or("budi", |site| site.technician);
    let critical = alert.severity == Severity::Critical;
    let soon = if critical { 3..=14 } else { 8..=55 };
    let seen = now + minutes(&mut random, soon);
    let act = |at, who, mut body: Value| {
        body["ids"] = json!([alert.id]);
        Errand { at, who, body }
    };
    let mut errands = vec![];
    let luck = random.f64();
    if !critical && luck < 0.12 {
        // Nobody cares, and it goes by itself.
        return errands;
    }
    if !critical && luck < 0.2 {
        errands.push(act(seen, technician, json!({"act": "read"})));
        return errands;
    }
    if luck > 0.85 {
        errands.push(act(seen, "sari", json!({"act": "assign", "assignee": technician})));
    }
    let taken = seen + 2 * MINUTE;
    errands.push(act(taken, technician, json!({"act": "acknowledge"})));
    let texts = words::note(alert, site);
    if random.f64() < 0.75 {
        let text = texts.get(random.usize(0..texts.len().max(1))).copied().unwrap_or_default();
        let noted = taken + minutes(&mut random, 6..=45);
        errands.push(act(noted, technician, json!({"act": "note", "text": text})));
        if random.f64() < 0.2 {
            let until = noted + 3 * HOUR;
            errands.push(act(noted + MINUTE, technician, json!({"act": "snooze", "until": until})));
        }
    }
    if alert.kind == Kind::RepeatedOutages || random.f64() < 0.1 {
        let done = taken + minutes(&mut random, 90..=240);
        errands.push(act(done, technician, json!({"act": "resolve", "reason": words::RESOLVED})));
    }
    errands
}

fn site(alert: &Alert, members: &[Member]) -> usize {
    let device = alert.device.as_deref().unwrap_or_default();
    let of_device = members.iter().find(|member| member.name().as_str() == device).map(|member| member.site);
    let of_place = || SITES.iter().position(|site| Some(site.name) == alert.location.as_deref());
    of_device.or_else(of_place).unwrap_or(0)
}

/// The same for the same alert of another run.
fn mark(alert: &Alert) -> u64 {
    let of = format!("{} {:?} {:?} {:?}", alert.kind.as_str(), alert.device, alert.metric, alert.since / MINUTE);
    of.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
