//! Golden bytes of the messages about calibrations and sensors. A change here is a change of the protocol.

#![allow(clippy::unwrap_used)] // a test may

use shared::calibration::{Active, Buffers, By, Calibration, CalibrationRecord, Health, Point, RecordId};
use shared::message::calibrate::{CalibrationDown, CalibrationUp, News, Order, Step};
use shared::message::{ProbeReport, Sensors};
use shared::sensor::Sensor;
use shared::*;
use std::collections::BTreeMap;

const ID: &str = "0000000000000abc";

fn id() -> RecordId {
    RecordId::from_random(0xabc)
}

fn record() -> CalibrationRecord {
    let stamp = Stamp { at: UtcMillis(1_763_690_400_000), clock: ClockQuality::Synced };
    let calibration = Calibration::Ph { zero_mv: 1512.5, acid_percent: 97.5, base_percent: 96.0 };
    let by = By::Device { name: "Sari".to_owned() };
    CalibrationRecord {
        buffers: Some(Buffers::Technical),
        lot: Some("A12".to_owned()),
        points: vec![Point { nominal: 7.0, millivolts: 1512.25, celsius: Some(25.5), spread: Some(0.25) }],
        health: Some(Health { slope_percent: 96.0, offset_mv: 4.125 }),
        ..CalibrationRecord::new(id(), Metric::Ph, stamp, by, Some(calibration))
    }
}

#[test]
fn a_record_is_written_as_it_always_was() {
    let golden = concat!(
        r#"{"v":1,"news":"record","id":"0000000000000abc","metric":"ph","stamp":{"at":1763690400000,"clock":"synced"},"#,
        r#""by":{"via":"device","name":"Sari"},"buffers":"technical","lot":"A12","#,
        r#""points":[{"nominal":7.0,"millivolts":1512.25,"celsius":25.5,"spread":0.25}],"#,
        r#""calibration":{"kind":"ph","zero_mv":1512.5,"acid_percent":97.5,"base_percent":96.0},"#,
        r#""health":{"slope_percent":96.0,"offset_mv":4.125}}"#
    );
    let news = CalibrationUp::new(News::Record(record()));
    assert_eq!(news.encode(), golden);
    assert_eq!(CalibrationUp::decode(golden.as_bytes()).unwrap(), news);
}

#[test]
fn a_record_from_outside_is_checked() {
    let field = |record: CalibrationRecord| record.check().unwrap_err().0;
    assert_eq!(record().check(), Ok(()));
    assert_eq!(field(CalibrationRecord { by: By::Device { name: String::new() }, ..record() }), "by.name");
    assert_eq!(field(CalibrationRecord { lot: Some("x".repeat(65)), ..record() }), "lot");
    assert_eq!(field(CalibrationRecord { points: vec![], ..record() }), "points");
    assert_eq!(CalibrationRecord { points: vec![], calibration: None, undoes: Some(id()), ..record() }.check(), Ok(()));
}

#[test]
fn orders_are_written_as_they_always_were() {
    let session = id();
    let by = By::Dashboard { name: "admin".to_owned() };
    let begin = Order::Begin { session, metric: Metric::Ph, by, buffers: Some(Buffers::Nist), lot: None };
    for (order, golden) in [
        (
            begin,
            r#"{"v":1,"order":"begin","session":"ID","metric":"ph","by":{"via":"dashboard","name":"admin"},"buffers":"nist"}"#,
        ),
        (Order::Take { session, nominal: 6.86 }, r#"{"v":1,"order":"take","session":"ID","nominal":6.86}"#),
        (Order::Drop { session, nominal: 6.86 }, r#"{"v":1,"order":"drop","session":"ID","nominal":6.86}"#),
        (Order::Finish { session }, r#"{"v":1,"order":"finish","session":"ID"}"#),
        (Order::Cancel { session }, r#"{"v":1,"order":"cancel","session":"ID"}"#),
        (Order::Recorded { id: session, settings: 12 }, r#"{"v":1,"order":"recorded","id":"ID","settings":12}"#),
    ] {
        let message = CalibrationDown::new(order);
        assert_eq!(message.encode(), golden.replace("ID", ID));
        assert_eq!(CalibrationDown::decode(message.encode().as_bytes()).unwrap(), message);
    }
}

#[test]
fn a_view_is_read_as_it_always_was() {
    let golden = concat!(
        r#"{"v":1,"news":"view","session":"0000000000000abc","metric":"ph","step":{"is":"settling","nominal":4.0},"#,
        r#""live":{"millivolts":2030.5,"spread":0.3,"settled":false,"value":4.01,"celsius":25.0,"flags":"unstable"},"#,
        r#""points":[],"problem":{"code":"slope","text":"worn"}}"#
    );
    let up = CalibrationUp::decode(golden.as_bytes()).unwrap();
    assert_eq!(up.encode(), golden);
    let News::View(view) = up.news else { unreachable!() };
    assert_eq!(view.step, Step::Settling { nominal: 4.0 });
    assert!(view.live.unwrap().flags.has(Flag::Unstable));
}

#[test]
fn settings_carry_the_calibrations_and_a_sibling_shares_them() {
    let mut settings = Settings::new(3, message::Intervals::default());
    let cell = Calibration::Cell { k: 1.02 };
    settings.calibrations.insert(Metric::Tds, Active { id: id(), calibration: Some(cell) });
    let golden = r#"{"v":1,"version":3,"interval_ms":{},"calibrations":{"tds":{"id":"0000000000000abc","calibration":{"kind":"cell","k":1.02}}}}"#;
    assert_eq!(settings.encode(), golden);
    assert_eq!(Settings::decode(golden.as_bytes()).unwrap(), settings);
    assert_eq!((settings.calibration(Metric::Tds), settings.calibration(Metric::Ec)), (Some(cell), Some(cell)));
    assert_eq!(settings.calibration(Metric::Ph), None);
    settings.calibrations.insert(Metric::Ec, Active { id: id(), calibration: None });
    assert_eq!(settings.calibration(Metric::Ec), None, "undone, although its sibling has one");
}

#[test]
fn what_a_newer_peer_says_of_unknown_metrics_and_kinds_is_passed_over() {
    let newer = r#"{"v":1,"version":3,"calibrations":{"ozone":{"id":"0000000000000abc","calibration":null},"ph":{"id":"0000000000000abc","calibration":{"kind":"spline"}}}}"#;
    assert_eq!(Settings::decode(newer.as_bytes()).unwrap().calibrations, BTreeMap::new());
    let sensor = Sensor::usual(Metric::Ph);
    let report = ProbeReport { source: "ads1115 0x48 A0".to_owned(), sensor, limits: None };
    let sensors = Sensors::new(BTreeMap::from([(Metric::Ph, report)]));
    let golden =
        r#"{"v":1,"probes":{"ph":{"source":"ads1115 0x48 A0","sensor":{"ph":{"midpoint_mv":1500.0,"gain":3.0}}}}}"#;
    assert_eq!(sensors.encode(), golden);
    let newer = golden.replace("}}}}}", r#"}}},"ozone":{"source":"x","sensor":{"ozone":{}}}}}"#);
    assert_eq!(Sensors::decode(newer.as_bytes()).unwrap(), sensors);
}
