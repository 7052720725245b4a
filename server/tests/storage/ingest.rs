//! A reading's way through the real parts, over mutual TLS: device, broker, link, ingest, store, ack, live event.

use crate::databases::{Database, pi, reading};
use rcgen::{CertificateParams, DnType, KeyPair};
use rumqttc::{AsyncClient, Event as Mqtt, MqttOptions, Packet, PublishOptions, QoS, TlsConfiguration, Transport};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use server::audit::Actor;
use server::store::{Knock, NewSettings, NewToken, SettingsDone};
use server::{
    broker::Broker,
    ca::Authority,
    clock::SystemClock,
    ingest,
    link::{Link, LinkConfig},
    live::{Event, Live},
    store::{Store, StoreError},
    tls::TlsListener,
};
use shared::{
    Ack, Batch, BufferId, Clock, ClockQuality, DeviceName, Metric, Reading, Seq, Serial, ServerTime, Settings, Status,
    Topic, UtcMillis,
    message::{BufferStatus, Intervals, LinkState, MAX_PAYLOAD, Refusal},
};
use sqlx::{Connection, SqliteConnection};
use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

const DEADLINE: Duration = Duration::from_secs(30);
const BUFFER: u64 = 0xb0ff;

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("in vain: {what}"))
}

/// The server without its HTTP.
struct Server {
    database: Database,
    authority: Authority,
    store: Store,
    broker: Broker,
    link: Link,
    live: Live,
    stop: oneshot::Sender<()>,
    ingest: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        Self::start_sharing(None).await
    }

    async fn start_sharing(share: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path(), &[], SystemClock.now()).unwrap();
        let database = Database::sqlite();
        let store = database.open().await;
        let broker = start_broker(&authority, &store, "127.0.0.1:0".parse().unwrap()).await;
        let live = Live::new();
        let (link, stop, ingest) = start_ingest(&authority, &broker, &store, &live, "tirta-server-1", share);
        within("the link", until(|| link.connected())).await;
        Self { database, authority, store, broker, link, live, stop, ingest, _folder: folder }
    }

    /// Registers a device and connects it.
    async fn device(&self, n: u32) -> Device {
        let serial: Serial = format!("{n:016x}").parse().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, serial.to_string());
        let csr = params.serialize_request(&key).unwrap().pem().unwrap();
        let now = SystemClock.now();
        let (_, token) = self
            .store
            .create_token(&NewToken::open(1, UtcMillis(now.0 + 60_000)), &Actor::server(), now)
            .await
            .unwrap();
        let fingerprint = self.authority.check_csr(&csr, serial).unwrap();
        self.store.admit(&Knock::new(&token, serial, fingerprint), now).await.unwrap();
        let certificate =
            self.authority.sign_device(&csr, serial, &pi(n), Duration::from_secs(3600), now).unwrap().certificate;
        Device::connect(pi(n), self.broker.local_addr().port(), &certificate, &key, &self.authority.ca_pem()).await
    }

    /// Gives back what it has stored.
    async fn stop(self) -> (Store, Database) {
        self.stop.send(()).unwrap();
        within("ingest ends", self.ingest).await.unwrap();
        self.link.stop().await;
        self.broker.stop().await;
        (self.store, self.database)
    }
}

/// The link and ingest of one server.
fn start_ingest(
    authority: &Authority,
    broker: &Broker,
    store: &Store,
    live: &Live,
    client_id: &str,
    share: Option<&str>,
) -> (Link, oneshot::Sender<()>, JoinHandle<()>) {
    let config = LinkConfig {
        host: "127.0.0.1".to_owned(),
        port: broker.local_addr().port(),
        tls: authority.client_tls(),
        client_id: client_id.to_owned(),
        share: share.map(str::to_owned),
    };
    let (link, messages) = Link::start(&config);
    let (stop, stopped) = oneshot::channel();
    let shutdown = async { stopped.await.unwrap_or_default() };
    // Nobody is concerned with identities here.
    let (concerns, _) = mpsc::channel(1);
    let clock = Arc::new(SystemClock);
    let metrics = server::metrics::Metrics::new().unwrap();
    let running = ingest::run(messages, store.clone(), link.clone(), live.clone(), clock, concerns, metrics, shutdown);
    (link, stop, tokio::spawn(running))
}

async fn start_broker(authority: &Authority, store: &Store, addr: SocketAddr) -> Broker {
    let tls = authority.server_tls(true).unwrap();
    let listener = TlsListener::bind(addr, tls, Duration::from_secs(5)).await.unwrap();
    Broker::start(listener, store.clone()).unwrap()
}

async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A device as the server sees it: what an agent would send and get.
struct Device {
    name: DeviceName,
    client: AsyncClient,
    inbox: mpsc::UnboundedReceiver<(Topic, Vec<u8>)>,
    polling: JoinHandle<()>,
}

impl Drop for Device {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

impl Device {
    async fn connect(name: DeviceName, port: u16, certificate: &str, key: &KeyPair, ca: &str) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        let mut options = MqttOptions::new(name.to_string(), ("127.0.0.1", port));
        options
            .set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(tls))))
            .set_max_packet_size(Some(1_000_000));
        let (client, mut events) = AsyncClient::builder(options).capacity(100).build();
        let (sender, inbox) = mpsc::unbounded_channel();
        let (ready, subscribed) = oneshot::channel();
        let polling = tokio::spawn(async move {
            let mut ready = Some(ready);
            loop {
                match events.poll().await {
                    Ok(Mqtt::Incoming(Packet::SubAck(_))) => drop(ready.take().map(|ready| ready.send(()))),
                    Ok(Mqtt::Incoming(Packet::Publish(message))) => {
                        let topic = Topic::parse(str::from_utf8(&message.topic).unwrap()).unwrap();
                        let _ = sender.send((topic, message.payload.to_vec()));
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        });
        client.subscribe(Topic::all_down(&name), QoS::AtLeastOnce).await.unwrap();
        within("a subscription", subscribed).await.unwrap();
        Self { name, client, inbox, polling }
    }

    async fn publish(&self, topic: Topic, payload: impl Into<Vec<u8>>) {
        let options = PublishOptions::new(QoS::AtLeastOnce);
        self.client.publish(topic.to_string(), payload.into(), options).await.unwrap();
    }

    async fn send(&self, payload: impl Into<Vec<u8>>) {
        self.publish(Topic::Readings(self.name.clone()), payload).await;
    }

    async fn ack(&mut self) -> Ack {
        loop {
            let (topic, payload) = within("an ack", self.inbox.recv()).await.unwrap();
            if topic == Topic::Ack(self.name.clone()) {
                return Ack::decode(&payload).unwrap();
            }
        }
    }

    /// The time that the server says, asked for by a status with this clock.
    async fn time(&mut self, clock: ClockQuality) -> ServerTime {
        let mut status = Status::new(LinkState::Online);
        status.clock = Some(clock);
        self.publish(Topic::Status(self.name.clone()), status.encode()).await;
        loop {
            let (topic, payload) = within("the time", self.inbox.recv()).await.unwrap();
            if topic == Topic::Time(self.name.clone()) {
                return ServerTime::decode(&payload).unwrap();
            }
        }
    }

    async fn settings(&mut self) -> Settings {
        loop {
            let (topic, payload) = within("settings", self.inbox.recv()).await.unwrap();
            if topic == Topic::Settings(self.name.clone()) {
                return Settings::decode(&payload).unwrap();
            }
        }
    }
}

/// pH readings of now with these sequences.
fn ph(seqs: std::ops::RangeInclusive<Seq>) -> Vec<Reading> {
    let since = SystemClock.now().0 - crate::databases::NOW.0;
    seqs.map(|seq| reading(seq, since, Metric::Ph, 7.0)).collect()
}

fn batch(readings: Vec<Reading>) -> String {
    Batch { buffer: BufferId::from_random(BUFFER), readings }.encode()
}

async fn seqs(store: &Store) -> Vec<(DeviceName, Seq)> {
    let mut all = vec![];
    let each = |device: &DeviceName, _, reading: &Reading| {
        all.push((device.clone(), reading.seq));
        Ok::<_, StoreError>(())
    };
    store.export(None, each).await.unwrap();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_committed_then_acknowledged_and_seen_live() {
    let server = Server::start().await;
    let mut device = server.device(1).await;
    let mut watcher = server.live.subscribe();
    let sent = ph(1..=5);
    for _ in 0..2 {
        device.send(batch(sent.clone())).await;
        let ack = device.ack().await;
        assert_eq!((ack.buffer, ack.through, ack.rejected), (Some(BufferId::from_random(BUFFER)), Some(5), None));
        assert_eq!(seqs(&server.store).await, (1..=5).map(|seq| (pi(1), seq)).collect::<Vec<_>>());
    }
    let event = within("an event", watcher.recv()).await.unwrap();
    assert!(matches!(event, Event::Readings { device, readings } if device == pi(1) && *readings == *sent));
    // The repeat is no news.
    assert!(watcher.try_recv().is_err());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_clock_is_not_synced_is_told_the_time_and_another_is_not() {
    let server = Server::start().await;
    let mut device = server.device(1).await;
    let before = SystemClock.now();
    for clock in [ClockQuality::Unsynced, ClockQuality::Repaired] {
        let told = device.time(clock).await.time;
        assert!(before <= told && told <= SystemClock.now());
    }
    let mut watcher = server.live.subscribe();
    let mut synced = Status::new(LinkState::Online);
    synced.clock = Some(ClockQuality::Synced);
    for status in [&synced, &synced.last_will()] {
        device.publish(Topic::Status(pi(1)), status.encode()).await;
        within("an event", watcher.recv()).await.unwrap();
    }
    // It would come before what the server says afterwards.
    server.link.publish(&Topic::Settings(pi(1)), Settings::default().encode(), false).await.unwrap();
    let (topic, _) = within("the next message", device.inbox.recv()).await.unwrap();
    assert_eq!(topic, Topic::Settings(pi(1)));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_is_answered_and_loses_nothing_else() {
    let server = Server::start().await;
    let mut device = server.device(1).await;
    let good = batch(ph(1..=1));
    let bad = [
        (b"\xff\x00 not json".to_vec(), "malformed"),
        (good.replace("7.0", "NaN").into_bytes(), "malformed"),
        (good.replace("\"v\":1", "\"v\":2").into_bytes(), "unsupported_version"),
        (vec![b' '; MAX_PAYLOAD + 1], "too_large"),
        (batch(ph(1..=1001)).into_bytes(), "too_large"),
    ];
    for (payload, code) in bad {
        device.send(payload).await;
        let ack = device.ack().await;
        assert_eq!((ack.rejected.as_deref(), ack.through), (Some(code), None), "{:?}", ack.detail);
    }
    device.send(good).await;
    assert_eq!(device.ack().await.through, Some(1));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_no_reading_is_refused_by_name_and_kept_beside_the_good_ones() {
    let server = Server::start().await;
    let mut device = server.device(1).await;
    let mut year_2100 = ph(3..=3);
    year_2100[0].stamp.at = UtcMillis(4_102_444_800_000);
    let mut year_1970 = ph(4..=4);
    year_1970[0].stamp.at = UtcMillis(5_000);
    let text = batch([ph(1..=2), year_2100, year_1970, ph(5..=6)].concat());
    let text = text.replacen("\"ph\",7", "\"mood\",7", 1).replacen("[6,", "[6,\"\",", 1);
    device.send(text).await;
    let ack = device.ack().await;
    assert_eq!(ack.through, Some(6));
    let refused = [
        (1, Refusal::UnknownMetric),
        (3, Refusal::ImplausibleTime),
        (4, Refusal::ImplausibleTime),
        (6, Refusal::Malformed),
    ];
    assert_eq!(ack.refused, refused);
    assert_eq!(seqs(&server.store).await, [(pi(1), 2), (pi(1), 5)]);
    assert_eq!(server.database.number("SELECT COUNT(*) FROM refused WHERE sent LIKE '[%]'").await, 4);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_fails_nothing_is_acknowledged_and_afterwards_everything_is() {
    let server = Server::start().await;
    let (mut device, mut other) = (server.device(1).await, server.device(2).await);
    server.database.tamper("ALTER TABLE recent RENAME TO hidden").await;
    device.send(batch(ph(1..=2))).await;
    device.send("nonsense").await;
    assert!(device.ack().await.rejected.is_some());
    // A backlog does not need that table. It comes after the batch, so its ack says that the batch has been tried.
    other.send(batch(ph(1..=300))).await;
    assert_eq!(other.ack().await.through, Some(300));
    assert!(device.inbox.try_recv().is_err());
    server.database.tamper("ALTER TABLE hidden RENAME TO recent").await;
    device.send(batch(ph(1..=2))).await;
    assert_eq!(device.ack().await.through, Some(2));
    assert_eq!(seqs(&server.store).await.len(), 302);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_the_database_objects_to_does_not_hold_back_those_beside_it() {
    let server = Server::start().await;
    let mut devices = [server.device(1).await, server.device(2).await, server.device(3).await];
    server.database.tamper(
        "CREATE TRIGGER objection BEFORE INSERT ON recent WHEN NEW.device = 'pi-2' BEGIN SELECT RAISE(ABORT, 'no'); END",
    ).await;
    // While another writer holds the database, the batches queue up into one group.
    let mut holder = SqliteConnection::connect(&server.database.url).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut holder).await.unwrap();
    for device in &devices {
        device.send(batch(ph(1..=2))).await;
        // Handed on before the next is sent: the rejection comes the same way.
        device.send("nonsense").await;
    }
    for device in &mut devices {
        assert!(device.ack().await.rejected.is_some());
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    assert_eq!(devices[0].ack().await.through, Some(2));
    assert_eq!(devices[2].ack().await.through, Some(2));
    let (store, _database) = server.stop().await;
    assert_eq!(seqs(&store).await, [(pi(1), 1), (pi(1), 2), (pi(3), 1), (pi(3), 2)]);
    assert!(devices[1].inbox.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_recorded_and_announced() {
    let server = Server::start().await;
    let device = server.device(1).await;
    let mut watcher = server.live.subscribe();
    let mut status = Status::new(LinkState::Online);
    status.buffer = Some(BufferStatus::new(BufferId::from_random(BUFFER), 12, 3));
    device.publish(Topic::Status(pi(1)), "no status").await;
    device.publish(Topic::Status(pi(1)), status.encode()).await;
    let event = within("an event", watcher.recv()).await.unwrap();
    assert!(matches!(event, Event::Device { name } if name == pi(1)));
    assert_eq!(server.store.device(&pi(1)).await.unwrap().unwrap().status, Some(status));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_broker_was_restarted_readings_flow_and_settings_are_retained_again() {
    let mut server = Server::start().await;
    let mut device = server.device(1).await;
    let mut intervals = Intervals::default();
    intervals.set(Metric::Ph, 5_000).unwrap();
    let new = NewSettings::of(intervals.clone());
    assert_eq!(
        server.store.change_settings(&pi(1), &new, &Actor::server(), SystemClock.now()).await.unwrap(),
        SettingsDone::Done(1)
    );
    let address = server.broker.local_addr();
    server.broker.stop().await;
    within("the link notices", until(|| !server.link.connected())).await;
    server.broker = within("the port", async {
        loop {
            let tls = server.authority.server_tls(true).unwrap();
            if let Ok(listener) = TlsListener::bind(address, tls, Duration::from_secs(5)).await {
                break Broker::start(listener, server.store.clone()).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    within("the link comes back", until(|| server.link.connected())).await;
    device.client.subscribe(Topic::all_down(&pi(1)), QoS::AtLeastOnce).await.unwrap();
    assert_eq!(device.settings().await, Settings::new(1, intervals));
    device.send(batch(ph(1..=3))).await;
    assert_eq!(device.ack().await.through, Some(3));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_finishes_what_has_arrived() {
    let server = Server::start().await;
    let mut device = server.device(1).await;
    let mut holder = SqliteConnection::connect(&server.database.url).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut holder).await.unwrap();
    device.send(batch(ph(1..=2))).await;
    device.send("nonsense").await;
    assert!(device.ack().await.rejected.is_some());
    let stopping = tokio::spawn(server.stop());
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    let (store, _database) = within("the stop", stopping).await.unwrap();
    assert_eq!(seqs(&store).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_that_share_a_broker_take_in_each_batch_once() {
    let server = Server::start_sharing(Some("tirta-server")).await;
    let (other_store, other_live) = (server.database.open().await, Live::new());
    let mut watchers = [server.live.subscribe(), other_live.subscribe()];
    let (other, stop, ingest) = start_ingest(
        &server.authority,
        &server.broker,
        &other_store,
        &other_live,
        "tirta-server-2",
        Some("tirta-server"),
    );
    within("the other link", until(|| other.connected())).await;
    let mut device = server.device(1).await;
    for seq in 1..=20 {
        device.send(batch(ph(seq..=seq))).await;
        assert_eq!(device.ack().await.through, Some(seq));
    }
    assert_eq!(seqs(&server.store).await, (1..=20).map(|seq| (pi(1), seq)).collect::<Vec<_>>());
    let taken = watchers.each_mut().map(|watcher| std::iter::from_fn(|| watcher.try_recv().ok()).count());
    assert!(taken[0] + taken[1] == 20 && taken[0] > 0 && taken[1] > 0, "{taken:?}");
    stop.send(()).unwrap();
    within("the other ingest ends", ingest).await.unwrap();
    other.stop().await;
    server.stop().await;
}
