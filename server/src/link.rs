//! The server's one MQTT connection: the only module that polls it. Knows topics and bytes, not what they mean.
//!
//! One task polls and does nothing else; whoever wants to publish does it through [`Link`]. What
//! arrives is handed on without waiting: if ingest is behind, messages are dropped and counted, and
//! the agents, who keep every reading until it is acknowledged, send them again.

mod throw_out;

pub use throw_out::{ThrowOutError, throw_out};

use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, Packet, Publish, PublishOptions,
    PublishResult, QoS, SubscribeFilter, TlsConfiguration, Transport, mqttbytes::v5::PubAckReason,
};
use shared::{Topic, message::MAX_PAYLOAD, topic};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{
    Mutex, OwnedSemaphorePermit, Semaphore,
    mpsc::{self, error::TrySendError},
};
use tokio::task::JoinHandle;

/// Most messages that wait for ingest.
const QUEUE: usize = 4096;
/// Most kilobytes that all of them may have together.
const QUEUE_KIB: usize = 64 * 1024;
/// Most messages that wait to be published.
const OUTBOX: usize = 8192;
const BACKOFF: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Packets that are read or written together before they are flushed.
const TOGETHER: usize = 128;

/// Where and as whom the server connects.
#[derive(Clone)]
pub struct LinkConfig {
    /// Name or address of the broker; its certificate must be valid for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The server's certificate and whom it trusts.
    pub tls: Arc<rustls::ClientConfig>,
    /// Unlike that of any other connection to the broker.
    pub client_id: String,
    /// With several servers on one broker: the name under which they share the messages, so that
    /// each is taken in by one of them.
    pub share: Option<String>,
}

/// What the link hands on.
#[derive(Debug)]
pub enum Message {
    /// The link is up, for the first time or again: the broker may have forgotten what it retained.
    Connected,
    /// A device published something.
    Published {
        /// Where.
        topic: Topic,
        /// What.
        payload: Vec<u8>,
        /// Gives room for others when the message is done with.
        room: OwnedSemaphorePermit,
    },
}

/// A message that could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("the link to the broker can't publish: {0}")]
pub struct LinkError(String);

/// A handle on the connection. All clones share it.
#[derive(Clone)]
pub struct Link {
    client: AsyncClient,
    state: Arc<State>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

struct State {
    connected: AtomicBool,
    stopping: AtomicBool,
    dropped: AtomicU64,
    room: Arc<Semaphore>,
}

impl Link {
    /// Begins to connect, and connects again for ever; returns at once. The messages come in the receiver.
    pub fn start(config: &LinkConfig) -> (Self, mpsc::Receiver<Message>) {
        let mut options = MqttOptions::new(config.client_id.clone(), (config.host.clone(), config.port));
        options
            .set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(&config.tls))))
            .set_clean_start(true)
            .set_keep_alive(15)
            .set_connect_timeout(CONNECT_TIMEOUT)
            // More than a batch may have, so that one that is too large is answered, not lost.
            .set_max_packet_size(u32::try_from(2 * MAX_PAYLOAD).ok())
            .set_max_request_batch(TOGETHER)
            .set_read_batch_size(TOGETHER);
        // An ack is small and waited for: without this the kernel holds it back for 40 ms.
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        let (client, events) = AsyncClient::builder(options).capacity(OUTBOX).build();
        let (sender, receiver) = mpsc::channel(QUEUE);
        let state = Arc::new(State {
            connected: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            room: Arc::new(Semaphore::new(QUEUE_KIB)),
        });
        let poller = Poller {
            client: client.clone(),
            filters: filters(config.share.as_deref()),
            sender,
            state: Arc::clone(&state),
        };
        let task = tokio::spawn(poller.run(events));
        (Self { client, state, task: Arc::new(Mutex::new(Some(task))) }, receiver)
    }

    /// Publishes with QoS 1; waits while too much waits already.
    ///
    /// # Errors
    /// When the link has been stopped.
    pub async fn publish(&self, topic: &Topic, payload: String, retain: bool) -> Result<(), LinkError> {
        let options = PublishOptions::new(QoS::AtLeastOnce).retain(retain);
        self.client.publish(topic.to_string(), payload, options).await.map_err(|e| LinkError(e.to_string()))
    }

    /// Publishes with QoS 1 what may also get lost, such as an ack, because it is said again; never waits.
    ///
    /// # Errors
    /// When too much waits already, or the link has been stopped.
    pub fn try_publish(&self, topic: &Topic, payload: String, retain: bool) -> Result<(), LinkError> {
        let options = PublishOptions::new(QoS::AtLeastOnce).retain(retain);
        self.client.try_publish(topic.to_string(), payload, options).map_err(|e| LinkError(e.to_string()))
    }

    /// Publishes on [`topic::ALERTS`] with QoS 1; returns when the broker has said that it has it.
    ///
    /// # Errors
    /// When it will not be sent, or the broker refuses it.
    pub async fn publish_alert(&self, payload: String) -> Result<(), LinkError> {
        if !self.connected() {
            return Err(LinkError("there is no connection".to_owned()));
        }
        let options = PublishOptions::new(QoS::AtLeastOnce);
        let sent = self.client.publish_tracked(topic::ALERTS, payload, options).await;
        let notice = sent.map_err(|e| LinkError(e.to_string()))?;
        match notice.wait_async().await {
            Ok(PublishResult::Qos1(answer))
                if matches!(answer.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers) =>
            {
                Ok(())
            }
            Ok(answer) => Err(LinkError(format!("the broker refuses it: {answer:?}"))),
            Err(error) => Err(LinkError(error.to_string())),
        }
    }

    /// Whether the broker has the server's subscriptions now.
    pub fn connected(&self) -> bool {
        self.state.connected.load(Ordering::Relaxed)
    }

    /// Messages that were dropped because ingest was behind.
    pub fn dropped(&self) -> u64 {
        self.state.dropped.load(Ordering::Relaxed)
    }

    /// Says good-bye to the broker and ends the task that polls.
    pub async fn stop(&self) {
        self.state.stopping.store(true, Ordering::Relaxed);
        let Some(mut task) = self.task.lock().await.take() else { return };
        let good_bye = self.client.disconnect_with_timeout(Duration::from_secs(1));
        let ended = async {
            let _ = good_bye.await;
            (&mut task).await
        };
        if tokio::time::timeout(Duration::from_secs(3), ended).await.is_err() {
            task.abort();
        }
        self.state.connected.store(false, Ordering::Relaxed);
    }
}

fn filters(share: Option<&str>) -> Vec<SubscribeFilter> {
    let shared = share.map(|name| format!("$share/{name}/")).unwrap_or_default();
    Topic::ALL_UP.map(|filter| SubscribeFilter::new(format!("{shared}{filter}"), QoS::AtLeastOnce)).into()
}

/// The task that polls.
struct Poller {
    client: AsyncClient,
    filters: Vec<SubscribeFilter>,
    sender: mpsc::Sender<Message>,
    state: Arc<State>,
}

impl Poller {
    async fn run(self, mut events: EventLoop) {
        let mut backoff = *BACKOFF.start();
        let mut told = false;
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => self.subscribe(),
                Ok(Event::Incoming(Packet::SubAck(answer))) => {
                    let refused = answer.return_codes.iter().any(|code| !is_granted(code));
                    if refused {
                        tracing::error!(?answer.return_codes, "the broker refuses the server's subscriptions");
                        continue;
                    }
                    (backoff, told) = (*BACKOFF.start(), false);
                    self.state.connected.store(true, Ordering::Relaxed);
                    tracing::info!("connected to the broker");
                    self.hand_on(Message::Connected);
                }
                Ok(Event::Incoming(Packet::Publish(message))) => self.receive(message),
                Ok(_) => {}
                Err(ConnectionError::RequestsDone) => return,
                Err(error) => {
                    self.state.connected.store(false, Ordering::Relaxed);
                    if self.state.stopping.load(Ordering::Relaxed) {
                        return;
                    }
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(%error, "no connection to the broker; trying again until there is one");
                    }
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(*BACKOFF.end());
                }
            }
        }
    }

    /// From a task of its own: the one that polls must never wait for its own queue.
    fn subscribe(&self) {
        let (client, filters) = (self.client.clone(), self.filters.clone());
        tokio::spawn(async move {
            if let Err(error) = client.subscribe_many(filters).await {
                tracing::error!(%error, "can't subscribe");
            }
        });
    }

    fn receive(&self, message: Publish) {
        let topic = str::from_utf8(&message.topic).ok().and_then(Topic::parse);
        let Some(topic) = topic.filter(Topic::is_up) else { return };
        let kib = u32::try_from(message.payload.len() / 1024 + 1).unwrap_or(u32::MAX);
        match Arc::clone(&self.state.room).try_acquire_many_owned(kib) {
            Ok(room) => self.hand_on(Message::Published { topic, payload: message.payload.into(), room }),
            Err(_) => self.drop_one(),
        }
    }

    fn hand_on(&self, message: Message) {
        // Closed means that ingest has stopped; the agents keep what comes now.
        if let Err(TrySendError::Full(_)) = self.sender.try_send(message) {
            self.drop_one();
        }
    }

    fn drop_one(&self) {
        let before = self.state.dropped.fetch_add(1, Ordering::Relaxed);
        if before.is_multiple_of(1000) {
            tracing::warn!(dropped = before + 1, "ingest is behind: messages are dropped and will be sent again");
        }
    }
}

fn is_granted(code: &rumqttc::SubscribeReasonCode) -> bool {
    matches!(code, rumqttc::SubscribeReasonCode::Success(_))
}
