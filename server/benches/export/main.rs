//! How much memory the server needs while readings are taken out of it: a tenth of them and all of them, as table and as
//! archive. More readings must not need more. Prints its progress to stderr and one line of JSON to stdout; ends with an error
//! if memory grows with what is exported, or anything is missing in it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)] // a benchmark may

#[path = "../ingest/process.rs"]
mod process;
#[path = "../ingest/schema.rs"]
mod schema;
mod taken;
#[path = "../ingest/water.rs"]
#[allow(dead_code)] // the bare table is another benchmark's
mod water;

use clap::Parser;
use process::Server;
use schema::Schema;
use server::access::Permission;
use server::audit::Actor;
use server::clock::SystemClock;
use server::registry::Entry;
use server::store::{Incoming, MakingKey, NewKey, Store};
use shared::{BufferId, Clock, DeviceName, UtcMillis, message::Received};
use std::{path::Path, process::Command, process::ExitCode, time::Instant};
use taken::{Taken, take};
use water::Water;

/// The readings are those of so many devices; one of them is a tenth.
const DEVICES: u64 = 10;
/// Readings of a batch, as the agents send them, and batches of a transaction.
const FULL: u64 = 500;
const TOGETHER: u64 = 40;
/// With ten times as many readings the server's memory may be so much larger at its highest.
const MOST_RATIO: f64 = 1.2;

#[derive(Parser)]
struct Options {
    /// How many readings.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// The engine: for postgres, TIRTA_TEST_POSTGRES says where.
    #[arg(long, default_value = "sqlite", value_parser = ["sqlite", "postgres"])]
    database: String,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// An export, and what it needed.
struct Measured {
    taken: Taken,
    peak: u64,
    seconds: f64,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let options = Options::parse();
    let rows = (options.rows / DEVICES / FULL).max(1) * DEVICES * FULL;
    let folder = tempfile::tempdir().expect("a folder");
    let postgres = match options.database.as_str() {
        "postgres" => Some(Schema::create(std::env::var("TIRTA_TEST_POSTGRES").expect("TIRTA_TEST_POSTGRES")).await),
        _ => None,
    };
    let sqlite = format!("sqlite:{}", folder.path().join("tirta.db").display());
    let url = postgres.as_ref().map_or(sqlite, Schema::url);
    eprintln!("writing {rows} readings of {DEVICES} devices");
    fill(&url, rows).await;

    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server::start(command(folder.path(), &url, port)).expect("the server starts");
    let key = key(&url).await;
    // What is needed once for all, such as caches, is needed before it is counted.
    export(&server, port, &key, "csv", "pi-1").await;
    let (mut results, mut fine) = (serde_json::Map::new(), true);
    for format in ["csv", "zip"] {
        let few = export(&server, port, &key, format, "pi-1").await;
        let all = export(&server, port, &key, format, "").await;
        let ratio = all.peak as f64 / few.peak.max(1) as f64;
        let whole = (few.taken.rows, all.taken.rows) == (rows / DEVICES, rows);
        fine &= whole && ratio <= MOST_RATIO;
        eprintln!("  {format}: {} rows, {} bytes, {:.1} s", all.taken.rows, all.taken.bytes, all.seconds);
        let result = serde_json::json!({
            "rows_out": all.taken.rows,
            "bytes": all.taken.bytes,
            "rows_per_s": (all.taken.rows as f64 / all.seconds).round(),
            "peak_bytes": all.peak,
            "peak_bytes_of_a_tenth": few.peak,
            "ratio": (ratio * 100.0).round() / 100.0,
        });
        results.insert(format.to_owned(), result);
    }
    server.stop().expect("the server stops");
    if let Some(schema) = postgres {
        schema.remove().await;
    }
    println!(
        "{}",
        serde_json::json!({
            "bench": "export", "database": options.database, "rows": rows, "csv": results["csv"], "zip": results["zip"],
            "most_ratio": MOST_RATIO, "fine": fine,
        })
    );
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Devices without a board, and their readings of four probes that are read every ten seconds.
async fn fill(url: &str, rows: u64) {
    let store = Store::open(url).await.expect("a database");
    let (now, each) = (SystemClock.now(), rows / DEVICES);
    let begin = now.0 - each.cast_signed() * 2_500;
    for n in 1..=DEVICES {
        let name = DeviceName::numbered(u32::try_from(n).unwrap());
        let as_it_is = |entry: Entry| Ok::<_, ()>(entry);
        store.make_machine(&name, as_it_is, 3_600_000, &Actor::server(), now).await.unwrap().unwrap();
        let mut water = Water::new(n);
        let mut batch = |first: u64| {
            let time = |seq: u64| begin + (seq / 4 * 10_000).cast_signed();
            let readings = (first..first + FULL).map(|seq| water.reading(seq, time(seq))).collect();
            let last = first + FULL - 1;
            let received = Received { buffer: BufferId::from_random(n), first, last, readings, refused: vec![] };
            Incoming { device: name.clone(), received, at: UtcMillis(now.0) }
        };
        for first in (1..=each).step_by((FULL * TOGETHER) as usize) {
            let until = (first + FULL * TOGETHER).min(each + 1);
            let batches: Vec<_> = (first..until).step_by(FULL as usize).map(&mut batch).collect();
            store.append(&batches).await.expect("they are kept");
        }
    }
    store.close().await;
}

async fn key(url: &str) -> String {
    let store = Store::open(url).await.expect("the database");
    let new = NewKey { name: "bench".to_owned(), scopes: vec![Permission::Read], devices: None, expires_at: None };
    let MakingKey::Done(_, secret) =
        store.create_key(&new, &Actor::account("admin"), SystemClock.now()).await.expect("a key")
    else {
        panic!("there is an admin and no such key")
    };
    store.close().await;
    secret
}

async fn export(server: &Server, port: u16, key: &str, format: &str, device: &str) -> Measured {
    server.memory_from_now().unwrap();
    let began = Instant::now();
    let path = format!("/api/v1/readings/export?from=0&format={format}&device={device}");
    let taken = take(port, key, &path, format == "zip").await.expect("a whole file");
    Measured { taken, peak: server.peak().unwrap(), seconds: began.elapsed().as_secs_f64() }
}

/// The real server, with its log only when something is wrong.
fn command(folder: &Path, url: &str, port: u16) -> Command {
    let config = format!(
        "data_dir = {folder:?}\ndatabase_url = {url:?}\npublic_hosts = []\nlog = \"warn\"\n\
         [http]\nhttps = \"127.0.0.1:0\"\nplain = \"127.0.0.1:{port}\"\n\
         [broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:0\"\n"
    );
    let path = folder.join("server.toml");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tirta-server"));
    command.arg("run").arg("--config").arg(path);
    command
}
