//! How fast the server takes in readings: many devices over mutual TLS, each with one batch in flight,
//! waiting for the ack that follows the commit. First steadily, four readings a message; then draining
//! backlogs in full batches. Prints its progress to stderr and one line of JSON to stdout.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)] // a benchmark may

mod client;
mod process;
mod schema;
mod water;

use clap::Parser;
use client::Client;
use process::Server;
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use schema::Schema;
use server::audit::Actor;
use server::store::{Knock, NewToken, Store};
use server::{ca::Authority, clock::SystemClock};
use shared::{Batch, BufferId, Clock, DeviceName, Serial, UtcMillis};
use std::{
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use water::Water;

/// Readings of a full batch, as the agents send them.
const FULL: u64 = 500;
/// Rows that the bare table is given.
const RAW_ROWS: u64 = 1_000_000;

#[derive(Parser)]
struct Options {
    /// How many devices.
    #[arg(long, default_value_t = 200)]
    devices: u32,
    /// How long the steady run takes; the backlog grows with it.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// The engine: for postgres, TIRTA_TEST_POSTGRES says where.
    #[arg(long, default_value = "sqlite", value_parser = ["sqlite", "postgres"])]
    database: String,
    /// Another database.
    #[arg(long)]
    database_url: Option<String>,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

struct Device {
    name: DeviceName,
    tls: Arc<rustls::ClientConfig>,
}

/// What one phase brought.
#[derive(Default)]
struct Phase {
    readings: u64,
    seconds: f64,
    cpu_s: f64,
    latencies_ms: Vec<f64>,
}

impl Phase {
    fn rate(&self) -> f64 {
        self.readings as f64 / self.seconds
    }

    fn percentile(&self, part: f64) -> f64 {
        let last = self.latencies_ms.len().saturating_sub(1);
        self.latencies_ms.get((last as f64 * part) as usize).copied().unwrap_or_default()
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let options = Options::parse();
    let folder = tempfile::tempdir().expect("a folder");
    let postgres = match (&options.database_url, options.database.as_str()) {
        (None, "sqlite") => None,
        (Some(url), _) => Some(url.clone()),
        (None, _) => Some(std::env::var("TIRTA_TEST_POSTGRES").expect("TIRTA_TEST_POSTGRES")),
    };
    let postgres = match postgres {
        Some(url) => Some(Schema::create(url).await),
        None => None,
    };
    let sqlite = format!("sqlite:{}", folder.path().join("tirta.db").display());
    let url = postgres.as_ref().map_or(sqlite, Schema::url);

    eprintln!("registering {} devices", options.devices);
    let devices = register(folder.path(), &url, options.devices).await;
    let size = || async {
        match &postgres {
            Some(schema) => schema.bytes().await,
            None => process::file_bytes(folder.path()),
        }
    };
    let bytes_before = size().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server::start(command(folder.path(), &url, port)).expect("the server starts");
    eprintln!("connecting them");
    let mut clients = connect(&devices, port).await;

    eprintln!("steady for {} s", options.seconds);
    let until = Duration::from_secs(options.seconds);
    let steady = phase(&server, &mut clients, move |client, n| Box::pin(steady(client, n, until))).await;
    eprintln!("  {:.0} readings/s, p50 {:.1} ms", steady.rate(), steady.percentile(0.5));

    let backlog = Arc::new(backlog(2 * options.seconds.max(1)));
    eprintln!("draining {} readings a device", backlog.len() as u64 * FULL);
    let drain = phase(&server, &mut clients, |client, _| Box::pin(drain(client, Arc::clone(&backlog)))).await;
    eprintln!("  {:.0} readings/s, p50 {:.1} ms", drain.rate(), drain.percentile(0.5));

    let peak_mb = server.peak_mb().unwrap();
    for client in clients {
        let _ = client.close().await;
    }
    server.stop().expect("the server stops");
    let bytes = size().await - bytes_before;
    let readings = steady.readings + drain.readings;
    check(&url, readings).await;
    if let Some(schema) = postgres {
        schema.remove().await;
    }
    eprintln!("a bare table");
    let raw = water::raw_rate(folder.path(), RAW_ROWS).expect("a bare table");

    let round = |n: f64, places: i32| (n * 10_f64.powi(places)).round() / 10_f64.powi(places);
    let per_million = |phase: &Phase| round(phase.cpu_s / phase.readings as f64 * 1e6, 2);
    let result = serde_json::json!({
        "bench": "ingest",
        "database": options.database,
        "devices": options.devices,
        "steady_readings_per_s": steady.rate().round(),
        "drain_readings_per_s": drain.rate().round(),
        "ack_p50_ms": round(steady.percentile(0.5), 1),
        "ack_p99_ms": round(steady.percentile(0.99), 1),
        "cpu_s_per_million": round((steady.cpu_s + drain.cpu_s) / readings as f64 * 1e6, 2),
        "steady_cpu_s_per_million": per_million(&steady),
        "drain_cpu_s_per_million": per_million(&drain),
        "rss_mb": round(peak_mb, 1),
        "bytes_per_reading": round(bytes as f64 / readings as f64, 1),
        "raw_readings_per_s": raw.round(),
        "steady_ratio_to_raw": round(steady.rate() / raw, 3),
        "drain_ratio_to_raw": round(drain.rate() / raw, 3),
    });
    println!("{result}");
}

/// Makes the authority and the devices before the server runs on the same files.
async fn register(folder: &Path, url: &str, count: u32) -> Vec<Device> {
    let now = SystemClock.now();
    let authority = Authority::open(folder, &[], now).expect("an authority");
    let store = Store::open(url).await.expect("a database");
    let (_, token) =
        store.create_token(&NewToken::open(count, UtcMillis(now.0 + 600_000)), &Actor::server(), now).await.unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.ca_pem().as_bytes()).unwrap()).unwrap();
    let roots = Arc::new(roots);
    let mut devices = vec![];
    for n in 1..=count {
        let serial: Serial = format!("{n:016x}").parse().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, serial.to_string());
        let csr = params.serialize_request(&key).unwrap().pem().unwrap();
        let fingerprint = authority.check_csr(&csr, serial).unwrap();
        store.admit(&Knock::new(&token, serial, fingerprint), now).await.unwrap();
        let name = DeviceName::numbered(n);
        let signed = authority.sign_device(&csr, serial, &name, Duration::from_secs(86_400), now).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(Arc::clone(&roots))
            .with_client_auth_cert(chain, key)
            .unwrap();
        devices.push(Device { name, tls: Arc::new(tls) });
    }
    store.close().await;
    devices
}

async fn connect(devices: &[Device], port: u16) -> Vec<Client> {
    let mut clients = vec![];
    for device in devices {
        let begin = Instant::now();
        let client = loop {
            match Client::connect(&device.name, port, Arc::clone(&device.tls)).await {
                Ok(client) => break client,
                Err(error) if begin.elapsed() > Duration::from_secs(20) => panic!("{}: {error}", device.name),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        clients.push(client);
    }
    clients
}

type Done = (Client, u64, Vec<f64>);
type Running = std::pin::Pin<Box<dyn Future<Output = Done> + Send>>;

/// Lets every device run, and adds up.
async fn phase(server: &Server, clients: &mut Vec<Client>, run: impl Fn(Client, u64) -> Running) -> Phase {
    let cpu_before = server.cpu_s().unwrap();
    let begin = Instant::now();
    let mut running = JoinSet::new();
    for (n, client) in std::mem::take(clients).into_iter().enumerate() {
        running.spawn(run(client, n as u64));
    }
    let mut sum = Phase::default();
    while let Some(ended) = running.join_next().await {
        let (client, readings, latencies_ms) = ended.expect("a device");
        clients.push(client);
        sum.readings += readings;
        sum.latencies_ms.extend(latencies_ms);
    }
    sum.seconds = begin.elapsed().as_secs_f64();
    sum.cpu_s = server.cpu_s().unwrap() - cpu_before;
    sum.latencies_ms.sort_by(f64::total_cmp);
    sum
}

/// Four readings, the ack, the next four.
async fn steady(mut client: Client, n: u64, during: Duration) -> Done {
    let buffer = BufferId::from_random(1);
    let mut water = Water::new(n + 1);
    let (mut seq, mut latencies) = (0, vec![]);
    let begin = Instant::now();
    while begin.elapsed() < during {
        let now = SystemClock.now().0;
        let readings: Vec<_> = (1..=4).map(|i| water.reading(seq + i, now)).collect();
        seq += 4;
        let payload = Batch { buffer, readings }.encode();
        let sent = Instant::now();
        client.deliver(payload.as_bytes(), buffer, seq).await.expect("an ack");
        latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
    }
    (client, seq, latencies)
}

/// Full batches of four probes that were read every ten seconds. They are made beforehand, because
/// the devices that would make them are other machines.
fn backlog(batches: u64) -> Vec<String> {
    let begin = SystemClock.now().0 - (batches * FULL) as i64 * 2_500;
    let mut water = Water::new(77);
    let batch = |n: u64| {
        let readings = (n * FULL + 1..=(n + 1) * FULL).map(|seq| water.reading(seq, begin + seq as i64 / 4 * 10_000));
        Batch { buffer: BufferId::from_random(2), readings: readings.collect() }.encode()
    };
    (0..batches).map(batch).collect()
}

async fn drain(mut client: Client, backlog: Arc<Vec<String>>) -> Done {
    let (mut seq, mut latencies) = (0, vec![]);
    for payload in backlog.iter() {
        seq += FULL;
        let sent = Instant::now();
        client.deliver(payload.as_bytes(), BufferId::from_random(2), seq).await.expect("an ack");
        latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
    }
    (client, seq, latencies)
}

/// What was acknowledged must be there, or the figures are worth nothing.
async fn check(url: &str, acknowledged: u64) {
    let store = Store::open(url).await.expect("the database");
    let mut kept = 0;
    let each = |_: &DeviceName, _, _: &_| {
        kept += 1;
        Ok::<_, server::store::StoreError>(())
    };
    store.export(None, each).await.expect("an export");
    assert_eq!(kept, acknowledged, "acknowledged and kept");
    store.close().await;
}

/// The real server, with its log only when something is wrong.
fn command(folder: &Path, url: &str, port: u16) -> Command {
    let config = format!(
        "data_dir = {folder:?}\ndatabase_url = {url:?}\npublic_hosts = []\nlog = \"warn\"\n\
         [http]\nhttps = \"127.0.0.1:0\"\n[broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:{port}\"\n"
    );
    let path = folder.join("server.toml");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tirta-server"));
    command.arg("run").arg("--config").arg(path);
    command
}
