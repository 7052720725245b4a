//! The connection itself: rumqttc's event loop, its options, and the task that writes.

use super::fate::{self, Fate};
use super::trial::Credentials;
use super::{Candidate, Link, LinkState, Message, Request};
use crate::backoff::Backoff;
use crate::repeats::Repeats;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions, NoticeFailureReason,
    Packet, Publish, PublishOptions, QoS, SubscribeReasonCode, TlsConfiguration, Transport,
};
use rustls::ClientConfig;
use shared::{DeviceName, Topic};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Silence after which the broker is asked for a sign of life.
const KEEP_ALIVE_S: u16 = 20;
/// From the name's look-up to the broker's answer.
const CONNECT: Duration = Duration::from_secs(10);
/// The largest message that the server sends.
const MAX_INCOMING: u32 = 64 * 1024;
/// A connection that lasted this long was a good one: the next attempt need not wait long.
const LASTING: Duration = Duration::from_secs(5);
/// Messages that may be under way in each direction: a batch, a status, an answer, settings.
const IN_FLIGHT: u16 = 16;
/// Messages that may wait for the downlink.
const INBOX: usize = 64;

/// Host and port to dial.
pub type Dial = (String, u16);

/// Where and as whom to connect.
pub struct LinkConfig {
    /// The device: its client id.
    pub device: DeviceName,
    /// Where to dial; each attempt looks anew, since a server may move.
    pub dial: watch::Receiver<Dial>,
    /// The name that the broker's certificate must have.
    pub tls_name: String,
    /// With the device's certificate.
    pub tls: Arc<ClientConfig>,
    /// What the broker publishes, retained, when it loses this device.
    pub last_will: String,
    /// Between attempts.
    pub backoff: Backoff,
}

/// Starts connecting. The last handle ends when [`Link::close`] was called.
pub fn start(config: LinkConfig) -> (Link, mpsc::Receiver<Message>, JoinHandle<()>) {
    let (requests_sender, requests) = mpsc::channel(8);
    let (state_sender, state) = watch::channel(LinkState::Down);
    let (inbox_sender, inbox) = mpsc::channel(INBOX);
    let (client, events) = AsyncClient::builder(options(&config)).capacity(8).build();
    let give_up = Arc::new(Notify::new());
    let repeats = Arc::new(Repeats::default());
    let (refused_sender, refused) = watch::channel(0);
    let (candidates_sender, candidates) = mpsc::channel(1);
    let (trouble_sender, trouble) = watch::channel("other");
    let poller = Poller {
        events,
        client: client.clone(),
        filter: Topic::all_down(&config.device),
        state: state_sender,
        inbox: inbox_sender,
        give_up: Arc::clone(&give_up),
        backoff: config.backoff,
        credentials: Credentials::new(Arc::clone(&config.tls), refused_sender),
        candidates,
        trouble: trouble_sender,
        connections: 0,
        repeats: Arc::clone(&repeats),
    };
    let writer = Writer { client, give_up, candidates: candidates_sender, state: state.clone(), repeats };
    tokio::spawn(writer.run(requests));
    let task = tokio::spawn(poller.run());
    (Link::new(requests_sender, state).with_refusals(refused).with_trouble(trouble), inbox, task)
}

fn options(config: &LinkConfig) -> MqttOptions {
    let mut options = MqttOptions::new(config.device.as_str(), (config.tls_name.clone(), config.dial.borrow().1));
    let will = Topic::Status(config.device.clone()).to_string();
    let dial = config.dial.clone();
    options
        .set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(&config.tls))))
        .set_last_will(LastWill::new(will, config.last_will.clone(), QoS::AtLeastOnce, true, None))
        .set_clean_start(true)
        .set_keep_alive(KEEP_ALIVE_S)
        .set_connect_timeout(CONNECT)
        .set_max_packet_size(Some(MAX_INCOMING))
        // Its tables have a place for each message that may be under way: 65,535 places are 12 MB.
        .set_outgoing_inflight_upper_limit(IN_FLIGHT)
        .set_receive_maximum(Some(IN_FLIGHT))
        // The name in the certificate and the address to dial may differ.
        .set_socket_connector(move |_, _| {
            let (host, port) = dial.borrow().clone();
            async move {
                let stream = TcpStream::connect((host.as_str(), port)).await?;
                stream.set_nodelay(true)?;
                Ok(stream)
            }
        });
    options
}

/// The task that writes: everything that is published goes through here.
struct Writer {
    client: AsyncClient,
    give_up: Arc<Notify>,
    candidates: mpsc::Sender<Candidate>,
    state: watch::Receiver<LinkState>,
    repeats: Arc<Repeats>,
}

impl Writer {
    async fn run(self, mut requests: mpsc::Receiver<Request>) {
        while let Some(request) = requests.recv().await {
            match request {
                Request::Publish { topic, payload, retain, delivered } => {
                    self.publish(topic, payload, retain, delivered);
                }
                Request::Reconnect(why) => {
                    if let Some(unsaid) = said(&self.repeats, why) {
                        tracing::warn!(why, unsaid, "the connection is given up");
                    }
                    self.give_up.notify_one();
                }
                // One at a time: a second, while the first waits to be looked at, is told that nothing is known of it.
                Request::Try(candidate) => drop(self.candidates.try_send(candidate)),
                Request::Close => {
                    if let Err(error) = self.client.disconnect_with_timeout(Duration::from_secs(1)).await {
                        tracing::debug!(%error, "no good-bye");
                    }
                    return;
                }
            }
        }
    }

    fn publish(&self, topic: Topic, payload: String, retain: bool, delivered: oneshot::Sender<()>) {
        // Who publishes must not rely on a link that is down; the message is made anew then.
        if *self.state.borrow() == LinkState::Down {
            return;
        }
        let options = PublishOptions::at_least_once().retain(retain);
        // Never waits: behind a dead connection the order to give it up must get through.
        match self.client.try_publish_tracked(topic.to_string(), payload, options) {
            Ok(notice) => {
                tokio::spawn(async move {
                    match notice.wait_completion_async().await {
                        Ok(()) => drop(delivered.send(())),
                        // Usual after a cut, and whoever waits for it knows.
                        Err(error) => tracing::debug!(%topic, %error, "not delivered"),
                    }
                });
            }
            Err(error) => {
                if let Some(unsaid) = said(&self.repeats, "not published") {
                    tracing::warn!(%error, unsaid, "not published");
                }
            }
        }
    }
}

struct Poller {
    events: EventLoop,
    client: AsyncClient,
    filter: String,
    state: watch::Sender<LinkState>,
    inbox: mpsc::Sender<Message>,
    give_up: Arc<Notify>,
    backoff: Backoff,
    credentials: Credentials,
    candidates: mpsc::Receiver<Candidate>,
    trouble: watch::Sender<&'static str>,
    connections: u64,
    repeats: Arc<Repeats>,
}

impl Poller {
    async fn run(mut self) {
        // When the present connection was made, and by when its subscription must be answered.
        let mut since: Option<Instant> = None;
        let mut deadline: Option<Instant> = None;
        loop {
            // If a poll is dropped in the middle of whatever it did, only a new connection may follow.
            let event = tokio::select! {
                event = self.events.poll() => event,
                () = self.give_up.notified() => Err(lost("given up", Fate::Unreached)),
                Some(candidate) = self.candidates.recv() => {
                    self.take(candidate);
                    Err(lost("another certificate is tried", Fate::Unreached))
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    Err(lost("the broker does not answer the subscription", Fate::Refused))
                }
            };
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    since = Some(Instant::now());
                    deadline = Some(Instant::now() + CONNECT);
                    self.subscribe();
                }
                Ok(Event::Incoming(Packet::SubAck(answer))) => {
                    deadline = None;
                    if answer.return_codes.iter().all(|code| matches!(code, SubscribeReasonCode::Success(_))) {
                        self.connections += 1;
                        if let Some(unsaid) = said(&self.repeats, "connected") {
                            tracing::info!(connection = self.connections, unsaid, "connected");
                        }
                        self.credentials.proven();
                        self.state.send_replace(LinkState::Up(self.connections));
                    } else {
                        if let Some(unsaid) = said(&self.repeats, "subscription refused") {
                            tracing::error!(codes = ?answer.return_codes, filter = %self.filter, unsaid, "the broker refuses the subscription");
                        }
                        let error = lost("the broker refuses the subscription", Fate::Refused);
                        self.pause(&error, since.take()).await;
                    }
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => self.deliver(&publish),
                Ok(_) => {}
                Err(ConnectionError::RequestsDone) => {
                    self.state.send_replace(LinkState::Down);
                    return;
                }
                Err(error) => {
                    deadline = None;
                    self.pause(&error, since.take()).await;
                }
            }
        }
    }

    fn deliver(&self, publish: &Publish) {
        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
        let message = Message { topic, payload: publish.payload.to_vec() };
        if self.inbox.try_send(message).is_err()
            && let Some(unsaid) = said(&self.repeats, "too fast")
        {
            tracing::warn!(unsaid, "messages of the server come faster than they are taken: one is dropped");
        }
    }

    /// After a connection was lost or not made: says so and waits before the next attempt.
    async fn pause(&mut self, error: &ConnectionError, since: Option<Instant>) {
        self.events.clean();
        // Sessions are clean, so nothing goes on: whoever waits for a delivery shall know it now.
        self.events.drain_pending_as_failed(NoticeFailureReason::SessionReset);
        let was_up = self.state.send_replace(LinkState::Down) != LinkState::Down;
        if since.is_some_and(|since| since.elapsed() >= LASTING) {
            self.backoff.reset();
        }
        self.trouble.send_replace(trouble_of(error));
        self.credentials.failed(fate_of(error, since.is_some()), &chain(error), &mut self.events);
        if let ConnectionError::ConnectionRefused(ConnectReturnCode::Banned) = error {
            if let Some(unsaid) = said(&self.repeats, "revoked") {
                tracing::error!(unsaid, "the server has revoked this device");
            }
            // Only a person can change that; no need to hurry.
            self.backoff.exhaust();
        }
        let delay = self.backoff.next_delay();
        let error = chain(error);
        if let Some(unsaid) = said(&self.repeats, &error) {
            tracing::warn!(%error, was_up, again_in_s = delay.as_secs_f32(), unsaid, "not connected");
        }
        tokio::select! {
            () = sleep(delay) => {}
            // It may be what is missing.
            Some(candidate) = self.candidates.recv() => self.take(candidate),
        }
        // Who asked meanwhile to give up meant the connection that is gone.
        let _ = timeout(Duration::ZERO, self.give_up.notified()).await;
    }

    fn take(&mut self, candidate: Candidate) {
        self.credentials.try_with(candidate, &mut self.events);
        self.backoff.reset();
    }

    /// Subscribes, from a task of its own. Sessions are clean, so it is needed after every connection.
    fn subscribe(&self) {
        let (client, filter, repeats) = (self.client.clone(), self.filter.clone(), Arc::clone(&self.repeats));
        tokio::spawn(async move {
            if let Err(error) = client.subscribe(filter, QoS::AtLeastOnce).await
                && let Some(unsaid) = said(&repeats, "not subscribed")
            {
                tracing::warn!(%error, unsaid, "not subscribed");
            }
        });
    }
}

/// A network may come and go every minute for years.
fn said(repeats: &Repeats, what: &str) -> Option<u64> {
    repeats.say(what, Instant::now().into_std())
}

/// The end that this side makes, and what it says about the certificate.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
struct Ours {
    why: &'static str,
    fate: Fate,
}

fn lost(why: &'static str, fate: Fate) -> ConnectionError {
    ConnectionError::Io(std::io::Error::other(Ours { why, fate }))
}

/// What a connection that came to its end says about its certificate; `welcomed`: the broker had let it in.
fn fate_of(error: &ConnectionError, welcomed: bool) -> Fate {
    let ours = match error {
        ConnectionError::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref::<Ours>()),
        _ => None,
    };
    match ours {
        Some(ours) => ours.fate,
        None if welcomed => Fate::Unreached,
        None => fate::judge(error),
    }
}

/// The word for an end, or for an attempt that came to nothing.
fn trouble_of(error: &ConnectionError) -> &'static str {
    match error {
        ConnectionError::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<Ours>()) => "given_up",
        error => fate::trouble(error),
    }
}

/// An error with its causes: rumqttc's own text hides the TLS alert.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
