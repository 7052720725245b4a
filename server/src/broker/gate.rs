//! Who a client is and what it may do: one gate for each connection, bound to its certificate.

use super::{
    connections::{Account, Line},
    limits::MAX_RETAINED,
};
use crate::{ca::PublicKeySha256, store::Store};
use mqtt5::{
    QoS,
    broker::{
        auth::{AuthProvider, AuthResult},
        events::{BrokerEventHandler, ClientPublishEvent, PublishAction},
    },
    error::Result,
    packet::{connect::ConnectPacket, publish::PublishPacket},
    protocol::v5::reason_codes::ReasonCode,
};
use shared::{DeviceName, Topic};
use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// What a refused publish or subscribe costs its sender: whoever tries topics gets slow.
const REFUSED: Duration = Duration::from_millis(100);

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whom a certificate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// A device, with the key of its certificate: only its own topics.
    Device(DeviceName, PublicKeySha256),
    /// A part of the server or a tool (`tirta-...`): any topic, any client id.
    Service(String),
}

impl Identity {
    /// What the certificate that the client showed says, if it is one of ours; and how long it is good still.
    pub fn of(stream: &TlsStream<TcpStream>) -> Option<(Self, Duration)> {
        let leaf = stream.get_ref().1.peer_certificates()?.first()?;
        let (_, certificate) = x509_parser::parse_x509_certificate(leaf).ok()?;
        let mut names = certificate.subject().iter_common_name();
        let name = names.next()?.as_str().ok()?;
        if names.next().is_some() {
            return None;
        }
        let left = certificate.validity().time_to_expiration()?.try_into().ok()?;
        Some((Self::named(name, PublicKeySha256::of(certificate.public_key().raw))?, left))
    }

    fn named(name: &str, key: PublicKeySha256) -> Option<Self> {
        if name.starts_with("tirta-") {
            return Some(Self::Service(name.to_owned()));
        }
        name.parse().ok().map(|name| Self::Device(name, key))
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Device(name, _) => name.as_str(),
            Self::Service(name) => name,
        }
    }
}

/// Stands between one client and everybody else.
pub(super) struct Gate {
    identity: Identity,
    /// Of this connection; a later one has a higher number.
    number: u64,
    closed: Arc<AtomicBool>,
    account: Arc<Account>,
    store: Store,
}

impl Gate {
    pub fn new(identity: Identity, line: &Line, store: Store) -> Self {
        let (closed, account) = (Arc::clone(&line.closed), Arc::clone(&line.account));
        Self { identity, number: line.number, closed, account, store }
    }

    pub fn is_service(&self) -> bool {
        matches!(self.identity, Identity::Service(_))
    }

    /// From now on nothing counts that comes from this connection: it is being thrown out, or the device is
    /// back on a newer one, and the last will of the old one would say that it is lost.
    fn is_over(&self) -> bool {
        self.closed.load(Ordering::Acquire) || self.account.newest.load(Ordering::Acquire) > self.number
    }

    async fn admit(&self, connect: &ConnectPacket, peer: SocketAddr) -> AuthResult {
        let refuse = |reason: ReasonCode, why: &str| {
            tracing::warn!(client = self.identity.as_str(), client_id = connect.client_id, %peer, why, "refused");
            AuthResult::fail(reason)
        };
        let (name, key) = match &self.identity {
            Identity::Service(name) => return AuthResult::success_with_user(name),
            Identity::Device(name, key) => (name, key),
        };
        if connect.client_id != name.as_str() {
            return refuse(ReasonCode::ClientIdentifierNotValid, "the client id is not the name in the certificate");
        }
        if let Some(will) = &connect.will {
            if !Topic::may_publish(name, &will.topic) {
                return refuse(ReasonCode::NotAuthorized, "the last will is for a topic that is not the device's");
            }
            if will.retain && !may_retain(&will.topic) {
                return refuse(ReasonCode::NotAuthorized, "the last will would be retained where nothing may be");
            }
            // Judged here, because past this point the device's older connection is done with.
            if will.qos == QoS::ExactlyOnce || will.payload.len() > MAX_RETAINED {
                return refuse(ReasonCode::QuotaExceeded, "the last will is too long, or of quality of service 2");
            }
        }
        match self.store.may_connect(name, key).await {
            Ok(true) if !self.is_over() => {
                self.account.newest.fetch_max(self.number, Ordering::AcqRel);
                AuthResult::success_with_user(name.as_str())
            }
            Ok(true) => refuse(ReasonCode::NotAuthorized, "the connection is over before it began"),
            Ok(false) => refuse(ReasonCode::Banned, "the device is revoked or unknown, or has another key"),
            Err(error) => {
                tracing::error!(%error, "nobody can be let in");
                refuse(ReasonCode::ServerUnavailable, "the database does not answer")
            }
        }
    }

    async fn may_publish(&self, topic: &str) -> bool {
        self.may(|device| Topic::may_publish(device, topic), "publish", topic).await
    }

    async fn may_subscribe(&self, filter: &str) -> bool {
        self.may(|device| Topic::may_subscribe(device, filter), "subscribe", filter).await
    }

    async fn may(&self, allowed: impl Fn(&DeviceName) -> bool, what: &str, topic: &str) -> bool {
        let device = match &self.identity {
            Identity::Service(_) => return true,
            Identity::Device(name, _) => name,
        };
        self.account.messages.take(1.0).await;
        if self.is_over() {
            return false;
        }
        if !allowed(device) {
            tracing::warn!(client = device.as_str(), what, topic, "refused");
            tokio::time::sleep(REFUSED).await;
            return false;
        }
        true
    }
}

/// Only how a device is and what it measures with is worth keeping for whoever comes later.
fn may_retain(topic: &str) -> bool {
    matches!(Topic::parse(topic), Some(Topic::Status(_) | Topic::Sensors(_)))
}

impl AuthProvider for Gate {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        client_addr: SocketAddr,
    ) -> Answer<'a, Result<AuthResult>> {
        Box::pin(async move { Ok(self.admit(connect, client_addr).await) })
    }

    fn authorize_publish<'a>(&'a self, _: &str, _: Option<&'a str>, topic: &'a str) -> Answer<'a, bool> {
        Box::pin(self.may_publish(topic))
    }

    fn authorize_subscribe<'a>(&'a self, _: &str, _: Option<&'a str>, filter: &'a str) -> Answer<'a, bool> {
        Box::pin(self.may_subscribe(filter))
    }
}

impl BrokerEventHandler for Gate {
    /// Called after the access list and before the PUBACK: waiting here makes the client wait.
    fn on_client_publish<'a>(&'a self, event: ClientPublishEvent) -> Answer<'a, PublishAction> {
        Box::pin(async move {
            #[allow(clippy::cast_precision_loss)] // a packet is far below 2^52 bytes
            self.account.bytes.take(event.payload.len() as f64).await;
            if !event.retain || may_retain(&event.topic) {
                return PublishAction::Continue;
            }
            tracing::warn!(client = self.identity.as_str(), topic = %event.topic, "delivered, but not retained");
            let mut once = PublishPacket::new(&*event.topic, event.payload, event.qos);
            once.packet_id = event.packet_id;
            PublishAction::Transform(once)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_names_a_device_a_service_or_nobody() {
        let key = PublicKeySha256::of(b"key");
        let named = |name| Identity::named(name, key.clone());
        assert_eq!(named("pi-7"), Some(Identity::Device(DeviceName::numbered(7), key.clone())));
        assert_eq!(named("tirta-server"), Some(Identity::Service("tirta-server".to_owned())));
        for nobody in ["", "tirta", "Tirta-server", "pi/7", "+", "10000000deadbeef"] {
            assert_eq!(named(nobody), None, "{nobody:?}");
        }
    }
}
