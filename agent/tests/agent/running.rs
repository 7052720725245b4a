//! The whole agent as a process: it enrols, delivers, obeys, survives a kill, and stops when told to.

use crate::bench::{AGENT, Bench, Store, key_of, terminate};
use crate::support::{PATIENT, Session};
use serde_json::{Value, json};
use shared::enrol::EnrolRequest;
use shared::message::Sensors;
use std::collections::BTreeMap;
use std::process::Stdio;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

#[tokio::test]
async fn a_device_enrols_delivers_survives_a_kill_and_stops_in_order() {
    let bench = Bench::new().await;
    let mut store = Store::default();

    let mut agent = bench.start();
    bench.enrol().await;
    let mut session = Session::ready(&bench.broker).await;
    store.until(&mut session, 20).await;
    let key = key_of(bench.folder.path());

    // Killed in the middle, with a batch under way that nobody answers.
    session.published().await.unwrap();
    agent.kill().await.unwrap();
    let mut agent = bench.start();
    let mut session = Session::ready(&bench.broker).await;
    store.until(&mut session, 40).await;
    assert_eq!(key_of(bench.folder.path()), key, "it did not enrol again");

    // Settings change how it measures, and it says so.
    let settings = r#"{"v":1,"version":3,"interval_ms":{"ph":3600000,"tds":3600000,"volume":3600000}}"#;
    session.publish("tirta/pi-7/down/settings", settings).await;
    loop {
        let published = session.published().await.unwrap();
        store.take(&mut session, &published).await;
        if published.topic.ends_with("status") && published.payload.contains("\"settings\":3") {
            break;
        }
    }

    // Told to stop, it delivers the rest, says good-bye and ends well.
    terminate(&agent);
    let mut last_words = None;
    while let Some(published) = session.published().await {
        store.take(&mut session, &published).await;
        last_words = Some(published);
    }
    let last_words = last_words.unwrap();
    assert_eq!((last_words.topic.as_str(), last_words.retain), ("tirta/pi-7/up/status", true));
    assert!(last_words.payload.contains("\"state\":\"stopped\""), "{}", last_words.payload);
    assert!(timeout(PATIENT, agent.wait()).await.unwrap().unwrap().success());

    // Nothing is missing, nothing is there twice, and the content is the same.
    let mut records = bench.records().await.unwrap();
    let ledger = records.pop().unwrap();
    assert_eq!((ledger["pending"].clone(), ledger["dropped"].clone()), (json!(0), json!(0)));
    assert_eq!(ledger["next_seq"], json!(records.len() + 1));
    let kept: BTreeMap<_, _> = records
        .into_iter()
        .map(|record| {
            let key = (record["buffer"].as_str().unwrap().to_owned(), record["reading"][0].as_u64().unwrap());
            (key, record["reading"].clone())
        })
        .collect();
    assert_eq!(kept, store.0);
}

#[tokio::test]
async fn a_device_says_what_it_measures_with_and_measures_with_the_calibration_that_it_is_told() {
    let bench = Bench::new().await;
    let mut store = Store::default();
    let mut agent = bench.start();
    bench.enrol().await;
    let mut session = Session::ready(&bench.broker).await;
    let sensors = loop {
        let published = session.published().await.unwrap();
        store.take(&mut session, &published).await;
        if published.topic == "tirta/pi-7/up/sensors" {
            break published;
        }
    };
    assert!(sensors.retain);
    let sensors = Sensors::decode(sensors.payload.as_bytes()).unwrap();
    assert_eq!(sensors.probes.len(), 4);
    assert!(sensors.probes.values().all(|probe| probe.source == "simulated" && probe.sensor.is_some()));

    // No simulated tank is as warm as this calibration makes it.
    let warm = |row: &Value| row[3] == "temperature" && row[4].as_f64().is_some_and(|celsius| celsius > 35.0);
    store.until(&mut session, 20).await;
    assert!(!store.0.values().any(warm));
    let linear = r#"{"kind":"linear","slope":1.0,"offset":15.0}"#;
    let active = format!(r#"{{"id":"00000000000000aa","calibration":{linear}}}"#);
    let settings = format!(r#"{{"v":1,"version":3,"calibrations":{{"temperature":{active}}}}}"#);
    session.publish("tirta/pi-7/down/settings", &settings).await;
    while !store.0.values().any(warm) {
        let published = session.published().await.unwrap();
        store.take(&mut session, &published).await;
    }
    agent.kill().await.unwrap();

    // It survives a restart, before the server has said anything again.
    let before = store.0.len();
    let mut agent = bench.start();
    let mut session = Session::ready(&bench.broker).await;
    store.until(&mut session, before + 20).await;
    let celsius: Vec<f64> =
        store.0.values().filter(|row| row[3] == "temperature").filter_map(|row| row[4].as_f64()).collect();
    assert!(celsius.last().is_some_and(|last| *last > 35.0), "{celsius:?}");
    agent.kill().await.unwrap();
}

#[tokio::test]
async fn a_device_whose_key_is_dead_makes_another_and_enrols_anew_while_it_measures_on() {
    let bench = Bench::new().await;
    let mut store = Store::default();
    let agent = bench.start();
    let first = bench.enrol().await;
    let mut session = Session::ready(&bench.broker).await;
    store.until(&mut session, 20).await;
    let key = key_of(bench.folder.path());
    // Quarantined: the connection is cut, and the broker lets it in no more.
    drop(session);
    let mut banned = Session::accept(&bench.broker).await;
    banned.send(&[0x20, 3, 0, 0x8a, 0]).await;
    let (path, _, to) = bench.https.asked().await;
    assert_eq!(path, "/api/v1/renew");
    to.answer(403, &json!({ "code": "unknown_key", "detail": "two boards used it" })).await;

    // It waits until somebody has looked, with one key and not with the dead one.
    let (_, body, to) = bench.https.asked().await;
    to.answer(202, &json!({ "reason": "shared_key", "retry_s": 5 })).await;
    let waiting: EnrolRequest = serde_json::from_value(body).unwrap();
    let again = bench.enrol().await;
    let public = |request: &EnrolRequest| {
        use rcgen::PublicKeyData;
        let params = rcgen::CertificateSigningRequestParams::from_pem(&request.csr).unwrap();
        params.public_key.der_bytes().to_vec()
    };
    assert_eq!(public(&waiting), public(&again));
    assert_ne!(public(&first), public(&again));
    assert_eq!((first.serial, first.copied_from), (again.serial, again.copied_from));
    assert_ne!(key_of(bench.folder.path()), key);

    // The same process and the same buffer, without a gap.
    let mut session = Session::ready(&bench.broker).await;
    store.until(&mut session, 60).await;
    let buffers: std::collections::BTreeSet<_> = store.0.keys().map(|(buffer, _)| buffer.clone()).collect();
    assert_eq!(buffers.len(), 1);
    let seqs: Vec<u64> = store.0.keys().map(|(_, seq)| *seq).collect();
    assert!(seqs.iter().copied().eq(1..=seqs.len() as u64), "{seqs:?}");
    terminate(&agent);
}

#[tokio::test]
async fn a_copied_card_in_another_board_takes_its_place_only_under_the_same_name() {
    let bench = Bench::new().await;
    let mut store = Store::default();
    let mut agent = bench.start();
    bench.enrol().await;
    let mut session = Session::ready(&bench.broker).await;
    store.until(&mut session, 20).await;
    // Readings that the server does not have are on the card when the board dies.
    session.published().await.unwrap();
    agent.kill().await.unwrap();
    let key = key_of(bench.folder.path());
    let text = std::fs::read_to_string(bench.config()).unwrap();
    std::fs::write(bench.config(), text.replace("10000000deadbeef", "10000000cafebabe")).unwrap();

    let agent = bench.start();
    let request = bench.enrol().await;
    let from = request.copied_from.unwrap();
    assert_eq!((from.name.as_str(), from.serial.to_string().as_str()), ("pi-7", "10000000deadbeef"));
    assert_eq!(request.serial.to_string(), "10000000cafebabe");
    assert_ne!(key_of(bench.folder.path()), key);
    let mut session = Session::ready(&bench.broker).await;
    let copied = bench.folder.path().join("data/copied/10000000deadbeef");
    while copied.exists()
        || store.0.keys().map(|(buffer, _)| buffer).collect::<std::collections::BTreeSet<_>>().len() < 2
    {
        let published = session.published().await.unwrap();
        store.take(&mut session, &published).await;
    }
    // Both buffers are whole: what was under way when the first board died as well.
    let first = store.0.keys().next().unwrap().0.clone();
    let (one, other): (Vec<_>, Vec<_>) = store.0.keys().partition(|(buffer, _)| *buffer == first);
    for buffer in [one, other] {
        assert!(buffer.iter().map(|(_, seq)| *seq).eq(1..=buffer.len() as u64), "{buffer:?}");
    }
    terminate(&agent);
}

#[tokio::test]
async fn two_agents_never_share_a_folder() {
    let bench = Bench::new().await;
    let mut first = bench.start();
    bench.enrol().await;
    let output = Command::new(AGENT).arg("run").arg("--config").arg(bench.config()).output();
    let output = timeout(PATIENT, output).await.unwrap().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("another agent runs with it"));
    first.kill().await.unwrap();
}

#[tokio::test]
async fn a_device_that_nobody_lets_in_measures_all_the_same() {
    let bench = Bench::new().await;
    let mut agent = bench.start();
    // Nobody answers its requests; its readings wait.
    let counted = async {
        // At first there is no buffer, or one that is just being made.
        while !bench.records().await.is_ok_and(|records| records.last().unwrap()["pending"].as_u64() > Some(10)) {}
    };
    timeout(PATIENT, counted).await.unwrap();
    terminate(&agent);
    assert!(timeout(PATIENT, agent.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn a_configuration_that_makes_no_sense_ends_it_with_the_reason() {
    let bench = Bench::new().await;
    let text = std::fs::read_to_string(bench.config()).unwrap();
    std::fs::write(bench.config(), text.replace("commit_ms", "comit_ms")).unwrap();
    let output = Command::new(AGENT).arg("run").arg("--config").arg(bench.config()).output();
    let output = timeout(PATIENT, output).await.unwrap().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown field `comit_ms`"));
}

#[tokio::test]
async fn a_server_that_is_gone_for_long_does_not_fill_the_log() {
    let bench = Bench::new().await;
    let text = std::fs::read_to_string(bench.config()).unwrap();
    // Nobody listens there, and it tries again after a tenth of a second at most.
    let port = format!(":{}", bench.https.address.port());
    std::fs::write(bench.config(), text.replace(&port, ":1")).unwrap();
    let mut command = Command::new(AGENT);
    command.arg("run").arg("--config").arg(bench.config()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut agent = command.spawn().unwrap();
    let measured_for_some_time = async {
        while !bench.records().await.is_ok_and(|records| records.last().unwrap()["pending"].as_u64() > Some(120)) {}
    };
    timeout(PATIENT, measured_for_some_time).await.unwrap();
    terminate(&agent);
    let mut log = String::new();
    timeout(PATIENT, agent.stderr.take().unwrap().read_to_string(&mut log)).await.unwrap().unwrap();
    assert_eq!(log.matches("not enrolled").count(), 1, "{log}");
    assert!(log.lines().count() < 10, "{log}");
}

#[tokio::test]
async fn a_log_that_can_not_be_written_stops_nothing() {
    let bench = Bench::new().await;
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(AGENT);
    command.arg("run").arg("--config").arg(bench.config()).stderr(full).kill_on_drop(true);
    let mut agent = command.spawn().unwrap();
    let measured = async {
        while !bench.records().await.is_ok_and(|records| records.last().unwrap()["pending"].as_u64() > Some(10)) {}
    };
    timeout(PATIENT, measured).await.unwrap();
    terminate(&agent);
    assert!(timeout(PATIENT, agent.wait()).await.unwrap().unwrap().success());
}

/// Lets no file of a process grow beyond so many bytes.
fn limit_files(child: &Child, bytes: &str) {
    let id = child.id().unwrap().to_string();
    let limit = format!("--fsize={bytes}:");
    assert!(std::process::Command::new("prlimit").args(["--pid", &id, &limit]).status().unwrap().success());
}

#[tokio::test]
async fn while_the_card_can_not_be_written_it_measures_on_says_so_and_loses_nothing() {
    let bench = Bench::new().await;
    let mut store = Store::default();
    // The signal that comes with such a limit would end it; no full disk sends one.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" run --config \"$1\"", AGENT]).arg(bench.config());
    let mut agent = command.stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    bench.enrol().await;
    let mut session = Session::ready(&bench.broker).await;
    store.until(&mut session, 20).await;

    let mut times = vec![];
    for (limit, said) in [("1", true), ("unlimited", false)] {
        limit_files(&agent, limit);
        loop {
            let published = session.published().await.unwrap();
            store.take(&mut session, &published).await;
            if published.topic.ends_with("status") && published.payload.contains("\"trouble\":\"card_error\"") == said {
                break;
            }
        }
        times.push(crate::support::synced().now().0);
    }
    terminate(&agent);
    while let Some(published) = session.published().await {
        store.take(&mut session, &published).await;
    }
    assert!(timeout(PATIENT, agent.wait()).await.unwrap().unwrap().success());
    let records = bench.records().await.unwrap();
    let (ledger, readings) = records.split_last().unwrap();
    assert_eq!((&ledger["dropped"], &ledger["pending"]), (&json!(0), &json!(0)));
    assert_eq!(readings.len(), store.0.len());
    let meanwhile = readings.iter().filter_map(|record| record["reading"][1].as_i64());
    let meanwhile = meanwhile.filter(|at| (times[0]..times[1]).contains(at)).count();
    assert!(meanwhile > 0, "it did not measure on");
}
