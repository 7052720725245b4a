//! An agent as a process, with the server and the broker that it meets.

use crate::support::{Authority, Published, Server, Session};
use serde_json::{Value, json};
use shared::enrol::EnrolRequest;
use shared::{Ack, Batch, UtcMillis};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub const AGENT: &str = env!("CARGO_BIN_EXE_tirta-agent");

pub struct Bench {
    pub authority: Authority,
    pub https: Server,
    pub broker: Server,
    pub folder: TempDir,
}

impl Bench {
    pub async fn new() -> Self {
        let authority = Authority::new();
        let certificate = authority.server("localhost", (2020, 2200));
        let https = Server::new(authority.tls(&certificate, false)).await;
        let broker = Server::new(authority.tls(&certificate, true)).await;
        let bench = Self { authority, https, broker, folder: tempfile::tempdir().unwrap() };
        bench.configure();
        bench
    }

    pub fn configure(&self) {
        let sum: String = self.authority.sha256().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut text = format!(
            "data_dir = {:?}\nserial = \"10000000deadbeef\"\n\
             [server]\nurl = \"https://localhost:{}\"\nca_sha256 = \"{sum}\"\ntoken = \"s3cret\"\n\
             [buffer]\ncommit_ms = 20\nkeep_acknowledged = true\n\
             [uplink]\nack_timeout_ms = 1000\nbackoff_min_ms = 20\nbackoff_max_ms = 100\n\
             [clock]\nassume_synced = true\n",
            self.folder.path().join("data"),
            self.https.address.port(),
        );
        for metric in ["ph", "tds", "temperature", "volume"] {
            text += &format!("[[probe]]\nmetric = \"{metric}\"\nkind = \"simulated\"\nseed = 7\ninterval_ms = 100\n");
        }
        std::fs::write(self.config(), text).unwrap();
    }

    pub fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("agent.toml")
    }

    pub fn start(&self) -> Child {
        let mut command = Command::new(AGENT);
        command.arg("run").arg("--config").arg(self.config()).stderr(Stdio::null()).kill_on_drop(true);
        command.spawn().unwrap()
    }

    /// Answers one enrolment; returns what was asked.
    pub async fn enrol(&self) -> EnrolRequest {
        let (path, body, to) = self.https.asked().await;
        assert_eq!(path, "/api/v1/enrol");
        let request: EnrolRequest = serde_json::from_value(body).unwrap();
        let reply = json!({
            "name": "pi-7",
            "certificate": self.authority.sign(&request.csr, "pi-7"),
            "ca": self.authority.pem(),
            "broker": { "port": self.broker.address.port() },
            "server_time": 1_763_690_400_000_i64,
        });
        to.answer(200, &reply).await;
        request
    }

    /// What `tirta-agent records` prints; an error while there is no buffer yet.
    pub async fn records(&self) -> Result<Vec<Value>, String> {
        let output = Command::new(AGENT).arg("records").arg("--config").arg(self.config()).output().await.unwrap();
        if !output.status.success() {
            return Err(String::from_utf8(output.stderr).unwrap());
        }
        let text = String::from_utf8(output.stdout).unwrap();
        Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

/// A server that keeps what it gets, as the real one does: each reading once.
#[derive(Default)]
pub struct Store(pub BTreeMap<(String, u64), Value>);

impl Store {
    pub async fn take(&mut self, session: &mut Session, published: &Published) {
        session.acknowledge(published.id).await;
        if published.topic != "tirta/pi-7/up/readings" {
            return;
        }
        let batch = Batch::decode(published.payload.as_bytes(), UtcMillis(i64::MAX / 2)).unwrap();
        assert_eq!(batch.refused, vec![]);
        let raw: Value = serde_json::from_str(&published.payload).unwrap();
        for row in raw["readings"].as_array().unwrap() {
            let key = (batch.buffer.to_string(), row[0].as_u64().unwrap());
            let former = self.0.insert(key, row.clone());
            assert!(former.is_none_or(|former| former == *row), "a repeat has the same content");
        }
        let ack = Ack::committed(batch.buffer, batch.last, vec![]);
        session.publish("tirta/pi-7/down/ack", &ack.encode()).await;
    }

    /// Takes messages until there are so many readings.
    pub async fn until(&mut self, session: &mut Session, readings: usize) {
        while self.0.len() < readings {
            let published = session.published().await.unwrap();
            self.take(session, &published).await;
        }
    }
}

pub fn terminate(child: &Child) {
    let id = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
}

pub fn key_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("data/device.key")).unwrap()
}
