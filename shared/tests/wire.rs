//! Golden bytes: what is on the wire today. A change here is a change of the protocol.

#![allow(clippy::unwrap_used)] // a test may

use proptest::prelude::*;
use shared::enrol::{CopiedFrom, EnrolRequest, WaitReason, Waiting};
use shared::message::{BufferStatus, Certificate, Cut, Intervals, LinkState, Refusal, Rejection, Renewal, Trouble};
use shared::*;

const NOW: UtcMillis = UtcMillis(1_763_690_500_000);
const BATCH: &str = concat!(
    r#"{"v":1,"buffer":"00c0ffee00c0ffee","units":{"ph":"pH","temperature":"°C"},"#,
    r#""columns":["seq","time","clock","metric","value","millivolts","flags","spread"],"readings":["#,
    r#"[41,1763690400000,"synced","ph",7.02,1497.25,"simulated uncalibrated",0.125],"#,
    r#"[42,1763690400010,"unsynced","temperature","no_answer",null,"",null]]}"#
);

fn batch() -> Batch {
    let stamp = |at, clock| Stamp { at: UtcMillis(at), clock };
    Batch {
        buffer: BufferId::from_random(0x00c0_ffee_00c0_ffee),
        readings: vec![
            Reading {
                seq: 41,
                stamp: stamp(1_763_690_400_000, ClockQuality::Synced),
                metric: Metric::Ph,
                outcome: Outcome::Measured(Value::new(7.02).unwrap()),
                millivolts: Some(Value::new(1497.25).unwrap()),
                flags: Flags::NONE.with(Flag::Simulated).with(Flag::Uncalibrated),
                spread: Some(Value::new(0.125).unwrap()),
            },
            Reading {
                seq: 42,
                stamp: stamp(1_763_690_400_010, ClockQuality::Unsynced),
                metric: Metric::Temperature,
                outcome: Outcome::Fault(Fault::NoAnswer),
                millivolts: None,
                flags: Flags::NONE,
                spread: None,
            },
        ],
    }
}

/// One batch of one row, written by hand.
fn row(row: &str) -> Vec<u8> {
    format!(r#"{{"v":1,"buffer":"00c0ffee00c0ffee","units":{{"ph":"pH","tds":"g/L"}},"readings":[{row}]}}"#)
        .into_bytes()
}

fn refusal(text: &str) -> Refusal {
    let received = Batch::decode(&row(text), NOW).unwrap();
    assert_eq!(received.readings, vec![]);
    assert_eq!((received.refused[0].seq, received.refused[0].row.as_str()), (1, text));
    received.refused[0].reason
}

#[test]
fn a_batch_has_these_bytes_and_reads_back() {
    assert_eq!(batch().encode(), BATCH);
    let received = Batch::decode(BATCH.as_bytes(), NOW).unwrap();
    assert_eq!(received.readings, batch().readings);
    assert_eq!((received.first, received.last, received.refused.len()), (41, 42, 0));
}

proptest! {
    #[test]
    fn a_number_arrives_as_it_was_sent_to_the_last_bit(bits: u64, other: u64) {
        let numbers = [bits, other].map(|bits| Value::new(f64::from_bits(bits)));
        prop_assume!(numbers.iter().all(Result::is_ok));
        let [value, millivolts] = numbers.map(Result::unwrap);
        let mut sent = batch();
        sent.readings.truncate(1);
        sent.readings[0].outcome = Outcome::Measured(value);
        sent.readings[0].millivolts = Some(millivolts);
        let received = Batch::decode(sent.encode().as_bytes(), NOW).unwrap();
        prop_assert_eq!(received.readings, sent.readings);
    }
}

#[test]
fn a_row_of_a_full_batch_costs_less_than_80_bytes() {
    let mut full = batch();
    full.readings = (1..=500).map(|seq| Reading { seq, ..full.readings[0] }).collect();
    assert!(full.encode().len() / 500 < 80, "{}", full.encode().len() / 500);
}

#[test]
fn fields_and_columns_of_the_future_are_tolerated() {
    let text =
        BATCH.replace(r#""v":1,"#, r#""v":1,"compressed":false,"#).replace("\"\",null]", "\"\",null,{\"x\":1},2]");
    assert_eq!(Batch::decode(text.as_bytes(), NOW).unwrap().readings, batch().readings);
}

#[test]
fn a_row_of_an_older_agent_without_the_spread_is_read() {
    let older = BATCH.replace(r#","spread"]"#, "]").replace(",0.125]", "]").replace(r#""",null]"#, r#"""]"#);
    let mut expected = batch().readings;
    expected[0].spread = None;
    let received = Batch::decode(older.as_bytes(), NOW).unwrap();
    assert_eq!((received.readings, received.refused), (expected, vec![]));
}

#[test]
fn a_bad_row_is_refused_alone_and_with_its_reason() {
    let good = r#"[1,1763690400000,"synced","ph",7.02,null,""]"#;
    assert_eq!(Batch::decode(&row(good), NOW).unwrap().readings.len(), 1);
    let with = |from: &str, to: &str| refusal(&good.replace(from, to));
    assert_eq!(with("\"ph\"", "\"humidity\""), Refusal::UnknownMetric);
    assert_eq!(with("\"ph\"", "\"tds\""), Refusal::WrongUnit);
    assert_eq!(with("7.02", "1e999"), Refusal::NotFinite);
    assert_eq!(with("7.02", "null"), Refusal::Malformed);
    assert_eq!(with("7.02,null,", "7.02,"), Refusal::Malformed);
    assert_eq!(with("\"\"]", "\"\",\"wide\"]"), Refusal::Malformed);
    assert_eq!(with("1763690400000", "5000"), Refusal::ImplausibleTime);
    assert_eq!(with("1763690400000", "4102444800000"), Refusal::ImplausibleTime);
    assert_eq!(with("\"synced\"", "\"perfect\""), Refusal::Malformed);

    let mixed = row(&format!("{good},{},{}", good.replace("[1", "[2").replace("ph", "mood"), good.replace("[1", "[3")));
    let received = Batch::decode(&mixed, NOW).unwrap();
    assert_eq!((received.readings.len(), received.refused.len(), received.last), (2, 1, 3));
}

#[test]
fn an_unsynced_1970_is_a_reading() {
    assert_eq!(Batch::decode(&row(r#"[1,5000,"unsynced","ph",7.0,null,""]"#), NOW).unwrap().readings.len(), 1);
}

#[test]
fn what_can_not_be_attributed_is_rejected_whole() {
    let rejected = |payload: &[u8]| Batch::decode(payload, NOW).unwrap_err();
    assert!(matches!(rejected(b"not json"), Rejection::Malformed(_)));
    assert!(matches!(rejected(br#"{"v":1,"buffer":"x","readings":[]}"#), Rejection::Malformed(_)));
    assert!(matches!(rejected(&row("")), Rejection::Malformed(_)));
    assert!(matches!(rejected(&row(r#"["1",2]"#)), Rejection::Malformed(_)));
    assert!(matches!(rejected(&row("NaN")), Rejection::Malformed(_)));
    assert!(matches!(rejected(&row(r#"[0,1763690400000,"synced","ph",7.02,null,""]"#)), Rejection::Malformed(_)));
    let beyond = r#"[9223372036854775808,1763690400000,"synced","ph",7.02,null,""]"#;
    assert!(matches!(rejected(&row(beyond)), Rejection::Malformed(_)));
    let twice = r#"[1,1763690400000,"synced","ph",7.02,null,""],[1,1763690400000,"synced","ph",7.02,null,""]"#;
    assert!(matches!(rejected(&row(twice)), Rejection::Malformed(_)));
    assert_eq!(rejected(&vec![b' '; message::MAX_PAYLOAD + 1]), Rejection::TooLarge);
    assert_eq!(rejected(br#"{"v":2,"rows":"in a new form"}"#), Rejection::UnsupportedVersion(2));
}

#[test]
fn acks_have_these_bytes() {
    let buffer = BufferId::from_random(0x00c0_ffee_00c0_ffee);
    let cases = [
        (Ack::committed(buffer, 42, vec![]), r#"{"v":1,"buffer":"00c0ffee00c0ffee","through":42}"#),
        (
            Ack::committed(buffer, 42, vec![(41, Refusal::UnknownMetric)]),
            r#"{"v":1,"buffer":"00c0ffee00c0ffee","through":42,"refused":[[41,"unknown_metric"]]}"#,
        ),
        (
            Ack::rejected(&Rejection::UnsupportedVersion(2)),
            r#"{"v":1,"rejected":"unsupported_version","detail":"protocol version 2 is not supported, this server speaks 1","supported":[1]}"#,
        ),
    ];
    for (ack, bytes) in cases {
        assert_eq!(ack.encode(), bytes);
        assert_eq!(Ack::decode(bytes.as_bytes()).unwrap(), ack);
    }
    let newer = r#"{"v":1,"buffer":"00c0ffee00c0ffee","through":42,"refused":[[41,"too_wet"]],"x":1}"#;
    assert_eq!(Ack::decode(newer.as_bytes()).unwrap().refused, vec![(41, Refusal::Other)]);
}

#[test]
fn settings_have_these_bytes_and_tolerate_a_newer_server() {
    let mut intervals = Intervals::default();
    intervals.set(Metric::Ph, 10_000).unwrap();
    assert!(intervals.set(Metric::Ph, 0).is_err());
    let settings = Settings::new(3, intervals);
    let bytes = r#"{"v":1,"version":3,"interval_ms":{"ph":10000}}"#;
    assert_eq!(settings.encode(), bytes);
    let newer =
        r#"{"v":1,"version":3,"interval_ms":{"ph":10000,"mood":5},"thresholds":{"mood":{},"tds":{"high":5}},"x":1}"#;
    assert_eq!(Settings::decode(newer.as_bytes()).unwrap(), settings);
    let error = Settings::decode(br#"{"v":9,"version":3}"#).unwrap_err();
    assert!(error.to_string().contains("protocol version 9 is not supported"), "{error}");
}

#[test]
fn settings_carry_thresholds_in_these_bytes() {
    let bytes = concat!(
        r#"{"v":1,"version":4,"interval_ms":{},"thresholds":{"ph":{"low":{"warning":5.5,"critical":5.0},"high":{"warning":6.5},"#,
        r#""hysteresis":0.1,"hold_ms":60000,"clear_ms":30000,"rate":{"change":0.5,"within_ms":600000,"severity":"warning"},"#,
        r#""missing":{"after_ms":900000,"severity":"warning"},"fault":{"after_ms":60000,"severity":"critical"}}}}"#
    );
    let settings = Settings::decode(bytes.as_bytes()).unwrap();
    assert_eq!(settings.encode(), bytes);
    assert!(settings.thresholds[&Metric::Ph].check().is_ok());
}

#[test]
fn the_servers_time_has_these_bytes_and_tolerates_a_newer_server() {
    let bytes = r#"{"v":1,"time":1763690500000}"#;
    assert_eq!(ServerTime::new(NOW).encode(), bytes);
    assert_eq!(ServerTime::decode(br#"{"v":1,"time":1763690500000,"leap":0}"#).unwrap(), ServerTime::new(NOW));
    assert!(ServerTime::decode(br#"{"v":1}"#).is_err());
}

#[test]
fn a_status_has_these_bytes() {
    let mut status = Status::new(LinkState::Online);
    status.agent = "0.1.0".to_owned();
    status.boot = "b7".to_owned();
    status.run = Some(RunId::from_random(7));
    status.clock = Some(ClockQuality::Synced);
    status.settings = 3;
    status.buffer = Some(BufferStatus::new(BufferId::from_random(1), 12, 0));
    status.probes.insert("ph".to_owned(), "ok".to_owned());
    let bytes = concat!(
        r#"{"v":1,"state":"online","agent":"0.1.0","boot":"b7","run":"0000000000000007","clock":"synced","settings":3,"#,
        r#""buffer":{"id":"0000000000000001","pending":12,"dropped":0},"probes":{"ph":"ok"}}"#
    );
    assert_eq!(status.encode(), bytes);
    assert_eq!(Status::decode(bytes.as_bytes()).unwrap(), status);
    (status.up_s, status.cut) = (Some(86_400), Some(Cut { ago_s: 75, why: "timed_out".to_owned() }));
    let more = r#""clock":"synced","up_s":86400,"cut":{"ago_s":75,"why":"timed_out"},"settings":3,"#;
    assert!(status.encode().contains(more), "{}", status.encode());
    assert_eq!(Status::decode(status.encode().as_bytes()).unwrap(), status);
    let last_will = r#"{"v":1,"state":"lost","agent":"0.1.0","boot":"b7","run":"0000000000000007","settings":0}"#;
    assert_eq!(status.last_will().encode(), last_will);
    assert_eq!(Status::decode(br#"{"v":1,"state":"online","boot":"b7"}"#).unwrap().run, None, "an older agent");
}

#[test]
fn a_buffers_trouble_is_a_word_and_a_newer_agents_word_is_tolerated() {
    let status = |trouble: &str| {
        let text = format!(
            r#"{{"v":1,"state":"online","buffer":{{"id":"0000000000000001","pending":12,"dropped":0,"trouble":{trouble},"set_aside":2,"later":1}}}}"#
        );
        Status::decode(text.as_bytes()).unwrap().buffer.unwrap()
    };
    assert_eq!(status(r#""disk_full""#).trouble, Some(Trouble::DiskFull));
    assert_eq!(status(r#""card_error""#).trouble, Some(Trouble::CardError));
    assert_eq!(status(r#""worn_out""#).trouble, Some(Trouble::Other));
    assert_eq!((status("null").trouble, status("null").set_aside), (None, 2));
    let mut said = Status::new(LinkState::Online);
    said.buffer = Some(status(r#""disk_full""#));
    assert!(said.encode().contains(r#""dropped":0,"trouble":"disk_full","set_aside":2}"#), "{}", said.encode());
}

#[test]
fn a_renewal_and_its_answer_have_these_bytes() {
    let csr = "-----BEGIN CERTIFICATE REQUEST-----\n";
    assert_eq!(Renewal::new(csr.to_owned()).encode(), r#"{"v":1,"csr":"-----BEGIN CERTIFICATE REQUEST-----\n"}"#);
    let answer = Certificate::new("certificate".to_owned(), "ca".to_owned());
    let bytes = r#"{"v":1,"certificate":"certificate","ca":"ca"}"#;
    assert_eq!(answer.encode(), bytes);
    assert_eq!(Certificate::decode(bytes.replace('}', r#","later":1}"#).as_bytes()).unwrap(), answer);
    assert!(Renewal::decode(br#"{"v":2,"csr":""}"#).is_err());
}

#[test]
fn what_is_said_at_the_enrolment_has_these_bytes_and_tolerates_an_older_agent() {
    let request = EnrolRequest {
        serial: "10000000deadbeef".parse().unwrap(),
        token: "tirta_x".to_owned(),
        csr: "csr".to_owned(),
        model: Some("Raspberry Pi 4 Model B Rev 1.4".to_owned()),
        copied_from: Some(CopiedFrom { name: DeviceName::numbered(7), serial: "10000000cafebabe".parse().unwrap() }),
    };
    let bytes = concat!(
        r#"{"serial":"10000000deadbeef","token":"tirta_x","csr":"csr","model":"Raspberry Pi 4 Model B Rev 1.4","#,
        r#""copied_from":{"name":"pi-7","serial":"10000000cafebabe"}}"#
    );
    assert_eq!(serde_json::to_string(&request).unwrap(), bytes);
    let older = r#"{"serial":"10000000deadbeef","token":"tirta_x","csr":"csr"}"#;
    assert_eq!(serde_json::from_str::<EnrolRequest>(older).unwrap().copied_from, None);
    let waiting = Waiting { reason: WaitReason::SecondKey, retry_s: 30 };
    assert_eq!(serde_json::to_string(&waiting).unwrap(), r#"{"reason":"second_key","retry_s":30}"#);
    let newer: Waiting = serde_json::from_str(r#"{"reason":"full_moon","retry_s":30}"#).unwrap();
    assert_eq!(newer.reason, WaitReason::Other);
}
