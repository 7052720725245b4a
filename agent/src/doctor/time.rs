//! The clock: is it set, and how far is it from the server's?

use super::Finding;
use crate::time::Time;
use shared::UtcMillis;

/// The server gives its time to the second, and the answer takes a moment.
const EQUAL_S: i64 = 5;
/// Readings that are further off than this are refused by the server.
const FAR_S: i64 = 3600;

/// `server` is the server's time and this machine's when it came, if the server was reached.
pub(super) fn clock(time: &Time, server: Option<(UtcMillis, UtcMillis)>) -> Vec<Finding> {
    let off = server.map(|(there, here)| (here.0 - there.0) / 1000);
    vec![judge(time.is_synced(), off)]
}

fn judge(synced: bool, off: Option<i64>) -> Finding {
    let set = if synced { "the clock is set" } else { "the clock is not set by the network" };
    let text = match off {
        Some(off) if off.abs() <= EQUAL_S => format!("{set}; it agrees with the server's"),
        Some(off) => {
            let (amount, side) = (off.unsigned_abs(), if off > 0 { "ahead of" } else { "behind" });
            format!("{set}; it is {amount} s {side} the server's")
        }
        None => set.to_owned(),
    };
    let advice = "look at timedatectl; the network must let NTP through (UDP port 123). Readings are marked meanwhile, \
                  and put right once the clock is set";
    match (synced, off.map_or(0, i64::abs)) {
        (_, FAR_S..) => Finding::bad("time", text, advice),
        (true, ..=EQUAL_S) => Finding::ok("time", text),
        _ => Finding::warning("time", text, advice),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_clock_is_judged_by_whether_it_is_set_and_by_the_servers() {
        for (synced, off, verdict) in [
            (true, None, Verdict::Ok),
            (true, Some(-5), Verdict::Ok),
            (true, Some(6), Verdict::Warning),
            (false, Some(0), Verdict::Warning),
            (false, None, Verdict::Warning),
            (true, Some(-86_400), Verdict::Bad),
        ] {
            let finding = judge(synced, off);
            assert_eq!(finding.verdict, verdict, "{finding:?}");
        }
        assert!(judge(true, Some(-86_400)).text.contains("86400 s behind"));
    }
}
