//! The whole way of a reading, with the binaries that are shipped, as processes of their own.
//!
//! They have to be built: `cargo test --workspace` does, `cargo test --package xtask` does not.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
    time::Duration,
};
use tokio::net::TcpStream;
use xtask::chaos::{
    script::{Fault, Step},
    torment,
};
use xtask::fleet::{Fleet, FleetSetup, Folder, Programs, until};
use xtask::mqtt::Repeater;
use xtask::postgres::Postgres;

const PATIENCE: Duration = Duration::from_secs(90);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A little of everything, close together.
fn script() -> Vec<Step> {
    let faults = [
        Fault::KillAgent { agent: 0, down: ms(300) },
        Fault::Cut { which: None },
        Fault::KillServer { down: ms(1000) },
        Fault::KillAgent { agent: 1, down: ms(2000) },
        Fault::HalfOpen { which: Some(1) },
        Fault::TakeOver { agent: 2 },
        Fault::Slow { lasts: ms(2000), delay: ms(150), bytes_per_s: 4000 },
        Fault::Duplicate { batches: 20 },
        Fault::KillServer { down: ms(100) },
        Fault::Cut { which: Some(0) },
        Fault::Duplicate { batches: 20 },
    ];
    let times = (1..).map(|n| ms(1200 * n));
    times.zip(faults).map(|(at, fault)| Step { at, fault }).collect()
}

/// Torments a fleet that is up, and says whether the database holds exactly what was measured.
async fn survives(fleet: &mut Fleet) {
    let faults = torment(fleet, script(), 16).await.unwrap();
    for (kind, wanted) in [("kill_agent", 2), ("kill_server", 2), ("cut", 2), ("half_open", 1), ("take_over", 1)] {
        assert_eq!(faults[kind], wanted, "{kind}: {faults:?}");
    }
    assert!(faults["duplicate"] > 0, "{faults:?}");
    fleet.drain(PATIENCE).await.unwrap();
    fleet.stop().await.unwrap();
    let verdict = fleet.verdict().await.unwrap();
    assert!(verdict.is_good(), "{verdict} {:?}", verdict.examples);
    // Five devices, four metrics a second, for a good ten seconds.
    assert!(verdict.pushed > 200, "{verdict}");
}

/// Where no disk may be mounted, it can't be full.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_reported_and_costs_no_reading() {
    let folder = Folder::open(None, "disk").unwrap();
    let setup = FleetSetup { small_disk: true, ..FleetSetup::new(&folder.path, 1).unwrap() };
    let mut fleet = Fleet::start(&Programs::beside_us().unwrap(), &setup).await.unwrap();
    let listener = Repeater::start(&fleet.service_identity(), fleet.services_port(), usize::MAX).unwrap();
    if let Some(disk) = &fleet.disk {
        disk.fill().unwrap();
        until("it is reported", PATIENCE, async || Ok((listener.full_disks() > 0).then_some(()))).await.unwrap();
        disk.relieve().unwrap();
    }
    fleet.drain(PATIENCE).await.unwrap();
    fleet.stop().await.unwrap();
    let verdict = fleet.verdict().await.unwrap();
    assert!(verdict.is_good(), "{verdict} {:?}", verdict.examples);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_cut_or_restart_loses_or_doubles_a_reading() {
    let folder = Folder::open(None, "journey").unwrap();
    let setup = FleetSetup { proxied: true, ..FleetSetup::new(&folder.path, 5).unwrap() };
    let mut fleet = Fleet::start(&Programs::beside_us().unwrap(), &setup).await.unwrap();
    let names: BTreeSet<_> = (0..5).filter_map(|n| fleet.name(n)).collect();
    assert_eq!(names, BTreeSet::from(["pi-1", "pi-2", "pi-3", "pi-4", "pi-5"]));
    survives(&mut fleet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_holds_with_mosquitto_and_postgresql() {
    let folder = Folder::open(None, "engines").unwrap();
    let postgres = Postgres::start().await.unwrap();
    let mut setup = FleetSetup { proxied: true, mosquitto: true, ..FleetSetup::new(&folder.path, 5).unwrap() };
    setup.database_url = Some(postgres.url().to_owned());
    let mut fleet = Fleet::start(&Programs::beside_us().unwrap(), &setup).await.unwrap();
    survives(&mut fleet).await;
    assert!(!fleet.server.data_dir().join("tirta.db").exists(), "nothing went to SQLite");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_silent_connections_do_not_stop_a_new_device() {
    let folder = Folder::open(None, "silence").unwrap();
    let setup = FleetSetup::new(&folder.path, 1).unwrap();
    let programs = Programs::beside_us().unwrap();
    let mut fleet = Fleet::start_server(&programs, &setup).await.unwrap();
    let mut silent = Vec::new();
    for _ in 0..200 {
        for port in [setup.ports.broker, setup.ports.https] {
            silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        }
    }
    fleet.add_agents(&programs, &setup).await.unwrap();
    fleet.agents[0].start().unwrap();
    fleet.wait_until_all_are_online().await.unwrap();
    assert_eq!(silent.len(), 400);
    drop(silent);
    fleet.drain(PATIENCE).await.unwrap();
    fleet.stop().await.unwrap();
    let verdict = fleet.verdict().await.unwrap();
    assert!(verdict.is_good(), "{verdict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_killed_while_it_enrols_gets_one_name_all_the_same() {
    let folder = Folder::open(None, "enrol").unwrap();
    let setup = FleetSetup::new(&folder.path, 2).unwrap();
    let programs = Programs::beside_us().unwrap();
    let mut fleet = Fleet::start_server(&programs, &setup).await.unwrap();
    fleet.add_agents(&programs, &setup).await.unwrap();
    for life in [1, 15, 30, 60, 100, 150, 220, 300, 400] {
        for agent in &mut fleet.agents {
            agent.start().unwrap();
        }
        // Not a wait for something, but the moment at which it is killed.
        tokio::time::sleep(ms(life)).await;
        for agent in &mut fleet.agents {
            agent.kill().await.unwrap();
        }
    }
    for agent in &mut fleet.agents {
        agent.start().unwrap();
    }
    fleet.wait_until_all_are_online().await.unwrap();
    let names: BTreeSet<String> = fleet.devices().await.unwrap().into_iter().map(|device| device.name).collect();
    assert_eq!(names, BTreeSet::from(["pi-1".to_owned(), "pi-2".to_owned()]));
    fleet.drain(PATIENCE).await.unwrap();
    fleet.stop().await.unwrap();
    let verdict = fleet.verdict().await.unwrap();
    assert!(verdict.is_good(), "{verdict} {:?}", verdict.examples);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_written_buffer_is_set_aside_and_what_was_delivered_stays() {
    let folder = Folder::open(None, "damage").unwrap();
    let setup = FleetSetup::new(&folder.path, 1).unwrap();
    let mut fleet = Fleet::start(&Programs::beside_us().unwrap(), &setup).await.unwrap();
    let agent = &mut fleet.agents[0];
    until("something was acknowledged", PATIENCE, async || {
        let account = agent.account().await?;
        Ok((account.records.len() as u64 > account.pending).then_some(()))
    })
    .await
    .unwrap();
    agent.kill().await.unwrap();
    let before = agent.account().await.unwrap();
    let old = before.records[0].buffer.clone();
    damage(&agent.data_dir().join("buffer.db"));
    agent.start().unwrap();
    until("a new buffer has readings", PATIENCE, async || {
        // Between the two files there is none to look into.
        let account = agent.account().await.ok();
        let fresh = account.and_then(|account| account.records.into_iter().find(|record| record.buffer != old));
        Ok(fresh.map(|_| ()))
    })
    .await
    .unwrap();
    fleet.drain(PATIENCE).await.unwrap();
    fleet.stop().await.unwrap();

    let verdict = fleet.verdict().await.unwrap();
    assert_eq!((verdict.missing, verdict.duplicates, verdict.different), (0, 0, 0), "{verdict}");
    assert!(verdict.pushed > 0);
    // What the server has beyond the agent's account is what the old buffer had delivered, unchanged.
    let stored = fleet.server.export().await.unwrap();
    let delivered: Vec<_> = stored.iter().filter(|stored| stored.record.buffer == old).collect();
    assert_eq!(delivered.len(), verdict.unknown);
    assert!(!delivered.is_empty());
    let recorded = |seq| before.records.iter().find(|record| record.seq == seq);
    assert!(
        delivered
            .iter()
            .all(|stored| recorded(stored.record.seq).is_some_and(|record| record.row == stored.record.row))
    );
    let kept = fs::read_dir(fleet.agents[0].data_dir()).unwrap().flatten();
    let kept: Vec<_> = kept.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(kept.iter().any(|name| name.starts_with("buffer.db.")), "the damaged file is kept: {kept:?}");
}

/// As a card leaves it whose power went in the middle of a write.
fn damage(database: &Path) {
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(database.with_extension(format!("db{ending}")));
    }
    let mut bytes = fs::read(database).unwrap();
    bytes.truncate(bytes.len() / 2);
    let broken = bytes.len().min(4096);
    bytes[..broken].fill(0x5a);
    fs::write(database, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_makes_a_token_and_sees_the_devices() {
    let folder = Folder::open(None, "admin").unwrap();
    let setup = FleetSetup::new(&folder.path, 1).unwrap();
    let mut fleet = Fleet::start(&Programs::beside_us().unwrap(), &setup).await.unwrap();
    let password = fleet.server.password().unwrap().to_owned();
    until("its readings have arrived and say that they are simulated", PATIENCE, async || {
        Ok(fleet.devices().await?.iter().any(|device| device.simulated).then_some(()))
    })
    .await
    .unwrap();

    let plain = fleet.server.http_url();
    let made = tirta(&["token", "create", "--server", &plain, "--uses", "3", "--valid", "1h"], &password);
    assert!(made.status.success(), "{made:?}");
    assert!(String::from_utf8(made.stdout).unwrap().trim().len() >= 16);

    let (https, ca) = (fleet.server.https_url(), fleet.server.data_dir().join("ca.pem"));
    let listed = tirta(&["devices", "list", "--server", &https, "--ca", ca.to_str().unwrap()], &password);
    let text = String::from_utf8(listed.stdout).unwrap();
    assert!(text.starts_with("pi-1 ") && text.contains("online") && text.contains("simulated"), "{text}");

    let of_one = ["--server", &plain, "--device", "pi-1"];
    let none = tirta(&[&["calibrations", "list"], &of_one[..]].concat(), &password);
    assert!(none.status.success() && none.stdout.is_empty(), "{none:?}");
    let undone = tirta(&[&["calibrations", "undo", "00c0ffee00c0ffee"], &of_one[..]].concat(), &password);
    assert!(String::from_utf8(undone.stderr).unwrap().contains("unknown_calibration"));
    let range = ["recompute", "--metric", "speed", "--from", "2026-11-01", "--to", "2026-11-02T00:00:00+07:00"];
    let unknown = tirta(&[&range[..], &of_one[..]].concat(), &password);
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("no_sensor"));

    let refused = tirta(&["devices", "list", "--server", &plain], "wrong");
    assert!(!refused.status.success());
    assert!(String::from_utf8(refused.stderr).unwrap().contains("bad_credentials"));
    fleet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_registers_a_fleet_from_a_spreadsheet_and_gets_it_back() {
    let folder = Folder::open(None, "registry").unwrap();
    let setup = FleetSetup::new(&folder.path, 0).unwrap();
    let mut fleet = Fleet::start_server(&Programs::beside_us().unwrap(), &setup).await.unwrap();
    let (password, server) = (fleet.server.password().unwrap().to_owned(), fleet.server.http_url());
    let devices = |arguments: &[&str]| {
        let output = tirta(&[&["devices", "--server", &server], arguments].concat(), &password);
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let file = folder.path.join("fleet.csv");
    let path = file.to_str().unwrap();
    fs::write(&file, "Nama;Lokasi;Seri\r\npi-3;Kolam;10000000000000aa\r\npi-3;;\r\n").unwrap();
    let (good, said) = devices(&["import", path]);
    assert!(!good && said.contains("line 2: refused pi-3  name: line 3 has the same name"), "{said}");

    fs::write(&file, "Nama;Lokasi;Seri\r\npi-3;Kolam;10000000000000aa\r\n").unwrap();
    let (good, said) = devices(&["import", path, "--dry-run"]);
    assert!(good && said.ends_with("a dry run: nothing was imported\n"), "{said}");
    let (good, said) = devices(&["import", path]);
    assert!(good && said.ends_with("1 created, 0 changed, 0 unchanged, 0 refused\n"), "{said}");
    let (good, said) = devices(&["range", "1", "4", "--location", "Greenhouse"]);
    assert!(good && said == "3 names reserved\nregistered or enrolled already: pi-3\n", "{said}");

    let (good, export) = devices(&["export"]);
    assert!(good && export.contains("10000000000000aa,pi-3,Kolam,,,,\r\n"), "{export}");
    fs::write(&file, &export).unwrap();
    let (good, said) = devices(&["import", path]);
    assert!(good && said == "0 created, 0 changed, 4 unchanged, 0 refused\n", "{said}");
    fleet.stop().await.unwrap();
}

fn tirta(arguments: &[&str], password: &str) -> Output {
    let program = Programs::beside_us().unwrap().server.with_file_name("tirta");
    Command::new(program).args(arguments).env("TIRTA_PASSWORD", password).output().unwrap()
}
