//! The RFC's own examples, each rule of the bases, and that whatever is said with bases means the same as without.

use super::*;
use proptest::prelude::*;
use shared::{Flag, Metric};

fn pack(json: &str) -> Vec<Record> {
    serde_json::from_str(json).unwrap()
}

fn resolved(json: &str) -> Vec<Resolved> {
    resolve(pack(json)).unwrap()
}

fn at(ms: i64) -> Time {
    Time::At(UtcMillis(ms))
}

/// Name, unit, time and value of each.
fn facts(json: &str) -> Vec<(String, String, Time, Option<f64>)> {
    let fact = |r: Resolved| (r.name, r.unit.unwrap_or_default(), r.time, r.value);
    resolved(json).into_iter().map(fact).collect()
}

#[test]
fn the_examples_of_the_rfc_resolve_as_it_says() {
    // Section 5.1.1: a single data point.
    let single = r#"[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]"#;
    let name = "urn:dev:ow:10e2073a01080063".to_owned();
    assert_eq!(facts(single), [(name, "Cel".to_owned(), Time::FromNow(0), Some(23.1))]);
    // Section 5.1.2: multiple data points.
    let two =
        r#"[{"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":120.1},{"n":"current","u":"A","v":1.2}]"#;
    let said = facts(two);
    assert_eq!(
        (&*said[0].0, &*said[1].0),
        ("urn:dev:ow:10e2073a01080063:voltage", "urn:dev:ow:10e2073a01080063:current")
    );
    assert_eq!((&*said[0].1, &*said[1].1), ("V", "A"));
    // The same section: five seconds of a current, the newest without a time of its own.
    let many = r#"[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,
        "n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},
        {"n":"current","t":-3,"v":1.4},{"n":"current","t":-2,"v":1.5},{"n":"current","t":-1,"v":1.6},
        {"n":"current","v":1.7}]"#;
    let said = facts(many);
    assert_eq!((&*said[0].1, said[0].2), ("V", at(1_276_020_076_001)));
    assert_eq!((&*said[1].1, said[1].2), ("A", at(1_276_020_071_001)));
    assert_eq!((said[6].2, said[6].3), (at(1_276_020_076_001), Some(1.7)));
    // Section 5.1.5: a pack of several kinds of values, of which only the numbers are values here.
    let kinds = r#"[{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},{"n":"label","vs":"Machine Room"},
        {"n":"open","vb":false},{"n":"nfc-reader","vd":"aGkgCg"}]"#;
    assert_eq!(facts(kinds).iter().map(|fact| fact.3).collect::<Vec<_>>(), [Some(23.1), None, None, None]);
    // Section 5.1.4 is resolved already.
    let resolved_already = r#"[{"n":"urn:dev:ow:10e2073a01080063:voltage","u":"V","t":1.276020076e+09,"v":120.1}]"#;
    assert_eq!(facts(resolved_already)[0].2, at(1_276_020_076_000));
}

#[test]
fn bases_hold_until_another_and_a_record_of_bases_alone_is_none() {
    let said = resolved(
        r#"[{"bn":"well-3:","bt":1763690400,"bu":"Cel","bv":20},{"n":"temperature","v":1.5},{"n":"ph","u":"pH","v":-13},
        {"bn":"well-4:","bv":0,"bt":1763690460.5,"n":"temperature","v":19}]"#,
    );
    let said: Vec<_> = said.into_iter().map(|r| (r.index, r.name, r.unit.unwrap(), r.time, r.value.unwrap())).collect();
    let text = str::to_owned;
    let first = at(1_763_690_400_000);
    assert_eq!(said[0], (1, text("well-3:temperature"), text("Cel"), first, 21.5));
    assert_eq!(said[1], (2, text("well-3:ph"), text("pH"), first, 7.0));
    assert_eq!(said[2], (3, text("well-4:temperature"), text("Cel"), at(1_763_690_460_500), 19.0));
}

#[test]
fn a_newer_version_and_a_field_that_must_be_understood_spoil_the_pack_and_others_are_passed_over() {
    let field = |json: &str| resolve(pack(json)).unwrap_err().field;
    assert_eq!(field(r#"[{"n":"a:ph","v":1},{"bver":11,"n":"a:ph","v":1}]"#), "[1].bver");
    assert_eq!(field(r#"[{"n":"a:ph","v":1,"depth_":3}]"#), "[0].depth_");
    assert_eq!(resolved(r#"[{"n":"a:ph","v":1,"depth":{"m":3},"ut":60}]"#).len(), 1);
}

const NOW: UtcMillis = UtcMillis(1_763_690_400_000);

#[test]
fn a_record_is_a_reading_of_the_device_and_metric_that_its_name_says() {
    let read = |json: &str| resolved(json)[0].check(NOW);
    let taken =
        read(r#"[{"bn":"well-3/","bt":1763690399,"n":"temperature","u":"K","v":293.15,"simulated":true}]"#).unwrap();
    assert_eq!((taken.device.as_str(), taken.reading.metric), ("well-3", Metric::Temperature));
    let stamp = Stamp { at: UtcMillis(NOW.0 - 1000), clock: ClockQuality::Synced };
    assert_eq!((taken.reading.stamp, taken.reading.flags.has(Flag::Simulated)), (stamp, true));
    let ago = read(r#"[{"n":"well-3:ph","u":"pH","v":7,"t":-90}]"#).unwrap().reading.stamp;
    assert_eq!(ago, Stamp { at: UtcMillis(NOW.0 - 90_000), clock: ClockQuality::Repaired });
    for (label, code, json) in [
        ("n", "malformed", r#"[{"n":"ph","u":"pH","v":7}]"#),
        ("n", "unknown_device", r#"[{"n":"urn:dev:ow:10e2073a01080063:ph","u":"pH","v":7}]"#),
        ("n", "unknown_metric", r#"[{"n":"well-3:humidity","u":"%RH","v":7}]"#),
        ("u", "wrong_unit", r#"[{"n":"well-3:ph","v":7}]"#),
        ("u", "wrong_unit", r#"[{"n":"well-3:ph","u":"Cel","v":7}]"#),
        ("v", "malformed", r#"[{"n":"well-3:ph","u":"pH","vs":"seven"}]"#),
        ("v", "malformed", r#"[{"n":"well-3:ph","u":"pH"}]"#),
        ("t", "implausible_time", r#"[{"n":"well-3:ph","u":"pH","v":7,"t":9e18}]"#),
        ("t", "implausible_time", r#"[{"n":"well-3:ph","u":"pH","v":7,"t":-9e18}]"#),
        ("t", "implausible_time", r#"[{"n":"well-3:ph","u":"pH","v":7,"t":300000000}]"#),
    ] {
        let refusal = read(json).unwrap_err();
        assert_eq!((&*refusal.field, &*refusal.code), (label, code), "{json}");
    }
}

/// A record that says all of itself, in whole milliseconds and eighths, which floats hold.
fn any_record() -> impl Strategy<Value = (String, String, i64, f64)> {
    let names = prop::sample::select(vec!["well-3:ph", "well-3:tds", "pond/level", "x"]);
    let units = prop::sample::select(vec!["pH", "mg/L", "m"]);
    (names, units, 1_700_000_000_000_i64..1_800_000_000_000, -80_000_i32..80_000)
        .prop_map(|(name, unit, ms, eighths)| (name.to_owned(), unit.to_owned(), ms, f64::from(eighths) / 8.0))
}

proptest! {
    #[test]
    fn what_is_said_with_bases_means_the_same_as_without(
        said in prop::collection::vec((any_record(), any::<[bool; 4]>(), 0_usize..4, -800_i32..800), 1..40),
    ) {
        let (mut name, mut unit, mut time, mut value) = (String::new(), None::<String>, 0.0, 0.0);
        let mut pack = Vec::new();
        for ((full, u, ms, v), [names, times, units, values], cut, eighths) in &said {
            let mut record = Record::default();
            let seconds = *ms as f64 / 1000.0;
            // A base that no longer fits has to be said anew; the others may be.
            if *names || !full.starts_with(&name) {
                name = full[..*cut.min(&full.len())].to_owned();
                record.bn = Some(name.clone());
            }
            if *times {
                time = (seconds / 60.0).floor() * 60.0;
                record.bt = Some(time);
            }
            if *units {
                unit = Some(u.clone());
                record.bu = unit.clone();
            }
            if *values {
                value = f64::from(*eighths) / 8.0;
                record.bv = Some(value);
            }
            record.n = Some(full[name.len()..].to_owned());
            record.u = (unit.as_ref() != Some(u)).then(|| u.clone());
            record.t = Some(seconds - time);
            record.v = Some(v - value);
            pack.push(record);
        }
        let found: Vec<_> = resolve(pack).unwrap().into_iter()
            .map(|r| (r.name, r.unit.unwrap(), r.time, r.value.unwrap())).collect();
        let wanted: Vec<_> = said.into_iter().map(|((name, unit, ms, v), ..)| (name, unit, at(ms), v)).collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn no_pack_however_odd_panics_or_makes_a_value_that_is_none(
        records in prop::collection::vec((any::<Option<f64>>(), any::<Option<f64>>(), any::<Option<f64>>(), any::<Option<f64>>()), 0..9),
    ) {
        let record = |(bt, t, bv, v)| Record { bt, t, bv, v, n: Some("well-3:ph".into()), u: Some("pH".into()), ..Record::default() };
        for one in resolve(records.into_iter().map(record).collect()).unwrap() {
            if let Ok(taken) = one.check(NOW) {
                prop_assert!(taken.reading.stamp.is_plausible(NOW));
            }
        }
    }
}
