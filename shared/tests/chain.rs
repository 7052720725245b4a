//! The chain of the audit log: the bytes that are hashed, which are for ever, and each way of tampering.

#![allow(clippy::unwrap_used)] // a test may

use proptest::prelude::*;
use shared::chain::{Broken, Head, Opening, Row, Walk};

fn row(id: i64) -> Row {
    Row {
        id,
        at: 1_763_690_400_000 + id,
        who: "admin".to_owned(),
        act: "device.revoked".to_owned(),
        device: Some(format!("pi-{id}")),
        serial: None,
        address: Some("10.0.0.5".to_owned()),
        detail: r#"{"reason":"dicuri – Kolam 3"}"#.to_owned(),
        hash: None,
    }
}

/// So many entries, as a server writes them.
fn log(count: i64) -> Vec<Row> {
    let mut before = Head::of_nothing().hash;
    let chained = (1..=count).map(|id| {
        let hash = row(id).hash_after(&before);
        before.clone_from(&hash);
        Row { hash: Some(hash), ..row(id) }
    });
    chained.collect()
}

fn head(log: &[Row]) -> Head {
    log.last().map(|row| Head::of(row.id, row.hash.clone())).unwrap()
}

fn walk(log: &[Row], known: Option<Head>) -> Result<Head, Broken> {
    let mut walk = Walk::after(Head::of_nothing());
    known.map_or(Ok(()), |head| walk.insist_on(head))?;
    log.iter().try_for_each(|row| walk.take(row))?;
    walk.end()
}

#[test]
fn these_bytes_are_hashed_and_this_is_their_hash_for_ever() {
    let bytes = row(7).bytes(&Head::of_nothing().hash);
    let wanted = "0000000000000000000000000000000000000000000000000000000000000000\
        1:7,13:1763690400007,5:admin,14:device.revoked,4:pi-7,-,8:10.0.0.5,31:{\"reason\":\"dicuri – Kolam 3\"},";
    assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
    let hash = row(7).hash_after(&Head::of_nothing().hash);
    assert_eq!(hash, "6a622b782a5ce5dfa40a0173669776eacd2cb566aa021484cbc5dd537bf33c70");
}

#[test]
fn a_log_that_nobody_touched_is_whole_from_its_beginning_and_from_any_entry() {
    let log = log(9);
    assert_eq!(walk(&log, None), Ok(head(&log)));
    assert_eq!(walk(&log, Some(head(&log))), Ok(head(&log)));
    assert_eq!(walk(&log, Some(head(&log[..4]))), Ok(head(&log)), "it has grown since");
    assert_eq!(walk(&[], None), Ok(Head::of_nothing()));
    let mut late = Walk::after(head(&log[..4]));
    log[4..].iter().for_each(|row| late.take(row).unwrap());
    assert_eq!((late.entries(), late.end()), (5, Ok(head(&log))));
}

#[test]
fn each_way_of_tampering_is_named_with_the_first_entry_that_is_wrong() {
    let whole = log(9);
    let with = |change: &dyn Fn(&mut Vec<Row>)| {
        let mut log = whole.clone();
        change(&mut log);
        walk(&log, Some(head(&whole)))
    };
    type Change<'a> = (&'a str, &'a dyn Fn(&mut Row));
    let changes: [Change<'_>; 8] = [
        ("at", &|row| row.at += 1),
        ("who", &|row| row.who = "budi".to_owned()),
        ("act", &|row| row.act = "device.approved".to_owned()),
        ("device", &|row| row.device = None),
        ("serial", &|row| row.serial = Some(String::new())),
        ("address", &|row| row.address = Some("10.0.0.6".to_owned())),
        ("detail", &|row| row.detail = r#"{"reason": "dicuri – Kolam 3"}"#.to_owned()),
        ("hash", &|row| row.hash = Some(Head::of_nothing().hash)),
    ];
    for (what, change) in changes {
        assert_eq!(with(&|log| change(&mut log[4])), Err(Broken::Changed(5)), "{what}");
    }
    assert_eq!(with(&|log| log[4].hash = None), Err(Broken::Unhashed(5)));
    assert_eq!(with(&|log| drop(log.drain(3..6))), Err(Broken::Removed { from: 4, to: 6 }));
    assert_eq!(with(&|log| drop(log.remove(0))), Err(Broken::Removed { from: 1, to: 1 }));
    assert_eq!(with(&|log| log.insert(5, row(5))), Err(Broken::Reordered { id: 5, after: 5 }));
    assert_eq!(with(&|log| log.swap(3, 4)), Err(Broken::Removed { from: 4, to: 4 }));
    let truncated = Broken::Truncated { last: 7, head: head(&whole) };
    assert_eq!((with(&|log| log.truncate(7)), truncated.entry()), (Err(truncated), 8));
}

#[test]
fn a_log_that_was_written_anew_is_told_by_a_head_that_was_written_down() {
    let whole = log(9);
    let mut before = Head::of_nothing().hash;
    let anew: Vec<Row> = whole
        .iter()
        .map(|old| {
            let row = Row { who: "budi".to_owned(), ..old.clone() };
            before = row.hash_after(&before);
            Row { hash: Some(before.clone()), ..row }
        })
        .collect();
    assert!(walk(&anew, None).is_ok(), "a chain alone can't tell");
    assert_eq!(walk(&anew, Some(head(&whole[..6]))), Err(Broken::Rewritten(6)));
    let mut late = Walk::after(head(&whole[..6]));
    assert_eq!(late.insist_on(head(&anew[..6])), Err(Broken::Rewritten(6)));
    assert_eq!(late.insist_on(head(&whole[..3])), Err(Broken::NotCovered { id: 3, first: 7 }));
}

#[test]
fn a_head_is_read_as_it_is_shown_and_other_texts_are_none() {
    let head = head(&log(3));
    assert_eq!(head.to_string().parse(), Ok(head.clone()));
    assert_eq!(format!(" {}\n", head.to_string().to_uppercase()).parse(), Ok(head.clone()));
    for bad in ["", "3", "3:", "3:abc", &head.hash, &format!("-1:{}", head.hash), &format!("3:{}x", &head.hash[1..])] {
        assert!(bad.parse::<Head>().is_err(), "{bad}");
    }
}

#[test]
fn an_entry_is_the_same_after_a_line_of_json_whatever_its_detail_looks_like() {
    for detail in ["{}", r#"{"b":1.50,"a":[1e3,"\u00e9"]}"#, r#"{"big":12345678901234567890}"#] {
        let row = Row { detail: detail.to_owned(), hash: Some("ab".to_owned()), ..row(1) };
        let line = serde_json::to_string(&row).unwrap();
        assert!(line.contains(detail), "{line}");
        assert_eq!(serde_json::from_str::<Row>(&line).unwrap(), row);
    }
    for detail in ["", "{", "{}\n", "{\n}", " {}"] {
        let row = Row { detail: detail.to_owned(), ..row(1) };
        let line = serde_json::to_string(&row).unwrap();
        assert!(!line.contains('\n'), "{line}");
        assert_ne!(serde_json::from_str::<Row>(&line).unwrap().detail, detail, "what is no JSON never verifies");
    }
    let head = Head::of_nothing();
    let opening = Opening { tirta_audit: Opening::VERSION, after: head.clone(), through: head.clone(), head };
    assert!(serde_json::to_string(&opening).unwrap().starts_with(r#"{"tirta_audit":1,"after":{"id":0,"#));
}

proptest! {
    #[test]
    fn two_entries_that_differ_are_never_hashed_alike(
        one in ("[a:,0-9-]{0,6}", "[a:,0-9-]{0,6}", proptest::option::of("[a:,0-9-]{0,6}"), proptest::option::of("[a:,0-9-]{0,3}")),
        other in ("[a:,0-9-]{0,6}", "[a:,0-9-]{0,6}", proptest::option::of("[a:,0-9-]{0,6}"), proptest::option::of("[a:,0-9-]{0,3}")),
    ) {
        let of = |(who, act, device, serial): (String, String, Option<String>, Option<String>)| {
            Row { who, act, device, serial, ..row(1) }.bytes("")
        };
        prop_assert_eq!(of(one.clone()) == of(other.clone()), one == other);
    }
}
