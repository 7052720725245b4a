//! MQTT clients that do what no good client does: take over another's session, and deliver twice.

use crate::error::Error;
use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, PublishOptions, QoS, TlsConfiguration, Transport};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    collections::{HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{sleep, timeout},
};

const ALL_READINGS: &str = "tirta/+/up/readings";
const ALL_STATUS: &str = "tirta/+/up/status";
/// What is in the status of a device whose disk is full.
const DISK_FULL: &[u8] = br#""trouble":"disk_full""#;
/// How long a broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Batches that are kept for a late second delivery.
const HISTORY: usize = 300;

/// The files with which a client shows who it is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Whom it trusts.
    pub ca: PathBuf,
    /// Its certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Identity {
    fn tls(&self) -> Result<ClientConfig, Error> {
        let wrong = |why: &dyn std::fmt::Display| Error::Mqtt {
            what: format!("use the identity {}", self.certificate.display()),
            why: why.to_string(),
        };
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.ca).map_err(|e| wrong(&e))?).map_err(|e| wrong(&e))?;
        let chain = CertificateDer::pem_file_iter(&self.certificate).map_err(|e| wrong(&e))?;
        let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|e| wrong(&e))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|e| wrong(&e))?;
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(&e))?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|e| wrong(&e))
    }

    fn client(&self, client_id: &str, port: u16) -> Result<(AsyncClient, EventLoop), Error> {
        let mut options = MqttOptions::new(client_id, ("127.0.0.1", port));
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(self.tls()?))));
        options.set_clean_start(true);
        options.set_connect_timeout(PATIENCE);
        options.set_max_packet_size(Some(512 * 1024));
        Ok(AsyncClient::builder(options).capacity(100).build())
    }
}

/// Connects in a device's name with its own certificate, so that the broker closes the session that
/// it has, and goes away without a word.
///
/// # Errors
/// When the broker does not let it in.
pub async fn take_over(identity: &Identity, client_id: &str, port: u16) -> Result<(), Error> {
    let refused = |why: String| Error::Mqtt { what: format!("take over the session of {client_id}"), why };
    let (_client, mut events) = identity.client(client_id, port)?;
    let accepted = async {
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Incoming::ConnAck(_))) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(refused(error.to_string())),
            }
        }
    };
    timeout(PATIENCE, accepted).await.map_err(|_| refused("no answer".to_owned()))?
}

/// A client with the server's own certificate that sends batches of devices a second time: at once,
/// and again later when asked. It hears what devices say of their disks, too.
pub struct Repeater {
    late: mpsc::Sender<Order>,
    copies: Arc<AtomicU64>,
    full_disks: Arc<AtomicU64>,
    tasks: [AbortHandle; 2],
}

enum Order {
    /// A batch went by.
    Seen(String, Vec<u8>),
    /// Send this many of the old ones again, oldest first.
    Late(usize),
}

impl Repeater {
    /// Starts it; every `every`-th batch is sent twice at once.
    ///
    /// # Errors
    /// When its identity can't be used. That it can't connect is no error: the server may be dead just now.
    pub fn start(identity: &Identity, port: u16, every: usize) -> Result<Self, Error> {
        let (client, events) = identity.client("tirta-repeater", port)?;
        let (late, orders) = mpsc::channel(1000);
        let (copies, full_disks) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let listening = listen(events, client.clone(), late.clone(), Arc::clone(&full_disks));
        let listening = tokio::spawn(listening).abort_handle();
        let sending = tokio::spawn(repeat(client, orders, every.max(1), Arc::clone(&copies))).abort_handle();
        Ok(Self { late, copies, full_disks, tasks: [listening, sending] })
    }

    /// Sends up to `count` old batches again.
    pub async fn send_late(&self, count: usize) {
        let _ = self.late.send(Order::Late(count)).await;
    }

    /// How many copies it has handed to its client.
    pub fn copies(&self) -> u64 {
        self.copies.load(Ordering::Relaxed)
    }

    /// How many statuses it has heard that told of a full disk.
    pub fn full_disks(&self) -> u64 {
        self.full_disks.load(Ordering::Relaxed)
    }
}

impl Drop for Repeater {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Polls, and nothing else: whoever polls must not wait for a publish.
async fn listen(mut events: EventLoop, client: AsyncClient, seen: mpsc::Sender<Order>, full_disks: Arc<AtomicU64>) {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                let _ = client.try_subscribe(ALL_READINGS, QoS::AtLeastOnce);
                let _ = client.try_subscribe(ALL_STATUS, QoS::AtLeastOnce);
            }
            Ok(Event::Incoming(Incoming::Publish(publish))) if publish.topic.ends_with(b"/status") => {
                let told = publish.payload.windows(DISK_FULL.len()).any(|part| part == DISK_FULL);
                full_disks.fetch_add(u64::from(told), Ordering::Relaxed);
            }
            Ok(Event::Incoming(Incoming::Publish(publish))) => {
                let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                let _ = seen.try_send(Order::Seen(topic, publish.payload.to_vec()));
            }
            Ok(_) => {}
            // The server was killed: it comes back.
            Err(_) => sleep(Duration::from_millis(200)).await,
        }
    }
}

async fn repeat(client: AsyncClient, mut orders: mpsc::Receiver<Order>, every: usize, copies: Arc<AtomicU64>) {
    // Its own copies come back to it: each batch counts once.
    let mut known = HashSet::new();
    let mut history = VecDeque::new();
    while let Some(order) = orders.recv().await {
        let again = match order {
            Order::Seen(topic, payload) => {
                if !known.insert(fingerprint(&payload)) {
                    continue;
                }
                history.push_back((topic.clone(), payload.clone()));
                if history.len() > HISTORY {
                    history.pop_front();
                }
                if known.len().is_multiple_of(every) { vec![(topic, payload)] } else { vec![] }
            }
            Order::Late(count) => history.iter().take(count).cloned().collect(),
        };
        for (topic, payload) in again {
            if client.publish(topic, payload, PublishOptions::new(QoS::AtLeastOnce)).await.is_ok() {
                copies.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn fingerprint(payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    payload.hash(&mut hasher);
    hasher.finish()
}
