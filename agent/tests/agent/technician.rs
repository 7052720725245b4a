//! A technician at the device, the dashboard far away, and a real agent between them.

use crate::support::{Authority, Server, Session};
use agent::identity::{Home, Identity};
use serde_json::{Value, json};
use shared::calibration::{Buffers, By, Calibration, CalibrationRecord, RecordId};
use shared::enrol::Broker;
use shared::message::calibrate::{CalibrationDown, CalibrationUp, News, Order, Step, View};
use shared::{Ack, Batch, DeviceName, Metric, UtcMillis};
use std::process::{Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

const AGENT: &str = env!("CARGO_BIN_EXE_tirta-agent");
/// A point takes ten quiet seconds, on a machine that does many other things.
const PATIENT: Duration = Duration::from_secs(180);

/// A device that has enrolled, with a simulated pH probe and thermometer.
struct Bench {
    broker: Server,
    folder: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let authority = Authority::new();
        let broker = Server::new(authority.tls(&authority.server("localhost", (2020, 2200)), true)).await;
        let bench = Self { broker, folder: tempfile::tempdir().unwrap() };
        let sum: String = authority.sha256().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut text = format!(
            "data_dir = {:?}\nserial = \"10000000deadbeef\"\n[server]\nurl = \"https://localhost:1\"\n\
             ca_sha256 = \"{sum}\"\n[uplink]\nbackoff_min_ms = 20\nbackoff_max_ms = 100\n\
             [clock]\nassume_synced = true\n",
            bench.data_dir(),
        );
        // A worn electrode is one whose calibration can be seen.
        for (metric, worn) in [("ph", true), ("temperature", false)] {
            text += &format!(
                "[[probe]]\nmetric = \"{metric}\"\nkind = \"simulated\"\nseed = 7\nworn = {worn}\ninterval_ms = 500\n"
            );
        }
        std::fs::write(bench.config(), text).unwrap();
        std::fs::create_dir(bench.data_dir()).unwrap();
        let device = authority.device("pi-7");
        std::fs::write(bench.data_dir().join("device.key"), &device.key).unwrap();
        let identity = Identity {
            name: DeviceName::numbered(7),
            broker: Broker { host: None, port: bench.broker.address.port() },
            server: None,
            key: device.key,
            certificate: device.certificate,
            ca: authority.pem(),
        };
        Home::new(&bench.data_dir()).save("10000000deadbeef".parse().unwrap(), &identity).unwrap();
        bench
    }

    fn data_dir(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("agent.toml")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(AGENT);
        command.args(arguments).arg("--config").arg(self.config()).kill_on_drop(true);
        command
    }

    /// Starts an agent, and waits until others on the device can speak with it: until then they read straight from the probe.
    async fn start(&self) -> Child {
        let agent = self.command(&["run"]).stderr(Stdio::null()).spawn().unwrap();
        let up = async {
            while UnixStream::connect(self.data_dir().join("agent.sock")).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENT, up).await.unwrap();
        agent
    }

    async fn output(&self, arguments: &[&str]) -> Output {
        timeout(PATIENT, self.command(arguments).output()).await.unwrap().unwrap()
    }

    /// The last pH that the agent measured, once `wanted` is true of it.
    async fn ph(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let seen = async {
            loop {
                let output = self.output(&["read", "--once", "--json"]).await;
                let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
                if let Some(row) = rows.into_iter().find(|row| row["metric"] == "ph" && wanted(row)) {
                    return row;
                }
            }
        };
        timeout(PATIENT, seen).await.unwrap()
    }
}

fn measured(row: &Value) -> bool {
    row["millivolts"].is_number()
}

fn is_uncalibrated(row: &Value) -> bool {
    row["flags"].as_str().unwrap().contains("uncalibrated")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn session() -> RecordId {
    RecordId::from_random(0xabc)
}

async fn order(broker: &mut Session, order: Order) {
    broker.publish("tirta/pi-7/down/calibration", &CalibrationDown::new(order).encode()).await;
}

/// The next news of a calibration.
async fn news(broker: &mut Session) -> News {
    loop {
        let published = broker.published().await.unwrap();
        broker.acknowledge(published.id).await;
        match published.topic.as_str() {
            "tirta/pi-7/up/calibration" => {
                return CalibrationUp::decode(published.payload.as_bytes()).unwrap().news;
            }
            // An agent whose readings nobody takes would look for another connection.
            "tirta/pi-7/up/readings" => {
                let batch = Batch::decode(published.payload.as_bytes(), UtcMillis(i64::MAX / 2)).unwrap();
                let ack = Ack::committed(batch.buffer, batch.last, vec![]);
                broker.publish("tirta/pi-7/down/ack", &ack.encode()).await;
            }
            _ => {}
        }
    }
}

async fn view(broker: &mut Session, wanted: impl Fn(&View) -> bool) -> View {
    let seen = async {
        loop {
            if let News::View(view) = news(broker).await
                && wanted(&view)
            {
                return view;
            }
        }
    };
    timeout(PATIENT, seen).await.unwrap()
}

async fn record(broker: &mut Session) -> CalibrationRecord {
    let seen = async {
        loop {
            if let News::Record(record) = news(broker).await {
                return record;
            }
        }
    };
    timeout(PATIENT, seen).await.unwrap()
}

/// What the doctor says of something.
fn verdict(report: &Output, about: &str) -> Value {
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["about"].as_str().unwrap().starts_with(about));
    found.unwrap_or_else(|| unreachable!("{about}: {report}"))["verdict"].clone()
}

#[tokio::test]
async fn the_dashboard_calibrates_and_a_record_survives_a_kill_until_the_server_has_it() {
    let bench = Bench::new().await;
    let mut agent = bench.start().await;
    let mut broker = Session::ready(&bench.broker).await;
    let by = By::Dashboard { name: "admin".to_owned() };
    let begin = Order::Begin { session: session(), metric: Metric::Ph, by: by.clone(), buffers: None, lot: None };
    order(&mut broker, begin).await;
    view(&mut broker, |view| view.live.is_some()).await;
    for (taken, nominal) in [7.0, 4.0].into_iter().enumerate() {
        order(&mut broker, Order::Take { session: session(), nominal }).await;
        view(&mut broker, |view| view.points.len() == taken + 1).await;
    }
    order(&mut broker, Order::Finish { session: session() }).await;
    let last = view(&mut broker, |view| !matches!(view.step, Step::Waiting | Step::Settling { .. })).await;
    let Step::Finished { record: id } = last.step else { unreachable!("{last:?}") };
    let said = record(&mut broker).await;
    assert_eq!((said.id, said.metric, &said.by), (id, Metric::Ph, &by));
    assert_eq!((said.points.len(), said.buffers), (2, Some(Buffers::Technical)));
    assert!(matches!(said.calibration, Some(Calibration::Ph { .. })) && said.check().is_ok());

    let (report, _) = tokio::join!(bench.output(&["doctor", "--json"]), bench.broker.accept());
    assert_eq!((verdict(&report, "broker"), verdict(&report, "agent")), (json!("ok"), json!("ok")), "{report:?}");

    agent.kill().await.unwrap();
    let mut agent = bench.start().await;
    let mut broker = Session::ready(&bench.broker).await;
    assert_eq!(record(&mut broker).await, said, "it is said again at the next connection");
    assert!(!is_uncalibrated(&bench.ph(measured).await), "and it is in force");
    let file = || std::fs::read_to_string(bench.data_dir().join("calibration.json")).unwrap();
    assert!(file().contains(&id.to_string()));

    // The server has stored it; the settings that contain it come a little later.
    order(&mut broker, Order::Recorded { id, settings: 4 }).await;
    let active = json!({ "id": id.to_string(), "calibration": said.calibration });
    let settings = json!({ "v": 1, "version": 4, "interval_ms": {}, "calibrations": { "ph": active } });
    broker.publish("tirta/pi-7/down/settings", &settings.to_string()).await;
    let forgotten = async {
        while file().contains(&id.to_string()) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENT, forgotten).await.unwrap();
    agent.kill().await.unwrap();
}

#[tokio::test]
async fn a_technician_calibrates_reads_and_examines_a_device_whose_server_is_away() {
    let bench = Bench::new().await;
    let away = bench.output(&["calibrate", "ph", "--by", "Sari"]).await;
    assert_eq!(away.status.code(), Some(1));
    assert!(text(&away.stderr).contains("no agent runs") && text(&away.stderr).contains("start it"), "{away:?}");
    assert!(is_uncalibrated(&bench.ph(measured).await), "straight from the probe");

    let mut agent = bench.start().await;
    bench.ph(measured).await;
    let script = ["calibrate", "ph", "--by", "Sari", "--lot", "L-2291", "--points", "7.00,4.00", "--yes"];
    let calibrated = bench.output(&script).await;
    let said = text(&calibrated.stdout);
    assert!(calibrated.status.success(), "{said}{}", text(&calibrated.stderr));
    for word in ["Taken: pH 7.00", "Taken: pH 4.00", "Slope", "In force from now on"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let kept = std::fs::read_to_string(bench.data_dir().join("calibration.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["records"][0]["by"], json!({ "via": "device", "name": "Sari" }));
    assert_eq!((&kept["records"][0]["lot"], &kept["device"]), (&json!("L-2291"), &json!("pi-7")));
    bench.ph(|row| measured(row) && !is_uncalibrated(row)).await;

    let table = bench.output(&["read", "--once"]).await;
    assert!(text(&table.stdout).lines().any(|line| line.starts_with("ph ")), "{table:?}");
    let report = bench.output(&["doctor", "--json"]).await;
    assert_eq!(report.status.code(), Some(2), "its server is away");
    for (about, expected) in [
        ("configuration", "ok"),
        ("I2C", "ok"),
        ("probe ph", "ok"),
        ("time", "ok"),
        ("enrolment", "ok"),
        ("authority", "ok"),
        ("certificate", "ok"),
        ("server", "bad"),
        ("broker", "bad"),
        ("agent", "warning"),
    ] {
        assert_eq!(verdict(&report, about), expected, "{about}: {}", text(&report.stdout));
    }
    agent.kill().await.unwrap();
}

#[tokio::test]
async fn somebody_who_types_can_change_his_mind() {
    let bench = Bench::new().await;
    let mut agent = bench.start().await;
    bench.ph(measured).await;
    let mut dialogue = bench.command(&["calibrate", "ph", "--by", "Sari"]);
    let mut dialogue = dialogue.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    dialogue.stdin.as_mut().unwrap().write_all(b"help\ncancel\n").await.unwrap();
    let output = timeout(PATIENT, dialogue.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("The former calibration stays in force"), "{output:?}");
    let unknown = bench.output(&["calibrate", "tds", "--by", "Sari", "--points", "1413", "--yes"]).await;
    assert!(text(&unknown.stdout).contains("no probe for tds"), "{unknown:?}");
    assert!(!bench.data_dir().join("calibration.json").exists());
    agent.kill().await.unwrap();
}
