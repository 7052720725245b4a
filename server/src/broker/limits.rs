//! How much a client may send, receive and leave behind. Knows the settings of `mqtt5`, not who a client is.

use super::{
    bucket::Bucket,
    connections::Account,
    gate::{Gate, Identity},
};
use mqtt5::broker::{
    BrokerConfig, ResourceLimits, StorageConfig, config::StorageBackend, router::MessageRouter, storage::QueueLimits,
};
use shared::message::MAX_PAYLOAD;
use std::{sync::Arc, time::Duration};

/// Most bytes of one MQTT packet: the largest batch, its topic and some properties.
pub const MAX_PACKET: usize = MAX_PAYLOAD + 8 * 1024;
/// Most bytes of a retained message: a status or settings.
pub(super) const MAX_RETAINED: usize = 64 * 1024;
/// Connections of one device at a time: one, and those that it is about to replace.
const CONNECTIONS_OF_DEVICE: usize = 16;
/// Publishes a second of one device, and at once. A device sends a batch or two a second; while it catches
/// up it has one batch in flight, so that the round trip limits it before this does.
const MESSAGES: (f64, f64) = (100.0, 300.0);
/// Bytes a second of one device, and at once.
const BYTES: (f64, f64) = (8_000_000.0, 16_000_000.0);
/// Messages that wait for one device beyond those in flight: acks and settings, all of them small. So many that
/// a device which acknowledges none of them is slowed down by its own limits long before it slows the server.
const WAITING_FOR_DEVICE: usize = 4096;
/// The same for a service: batches, which may be large.
const WAITING_FOR_SERVICE: usize = 256;
/// What a client that can't keep up is kept beyond that; then its oldest messages go.
const BACKLOG: QueueLimits = QueueLimits { max_messages: 2000, max_bytes: 16 * 1024 * 1024 };

/// What a device that connects may spend.
pub(super) fn account() -> Account {
    Account::new(Bucket::new(MESSAGES.0, MESSAGES.1), Bucket::new(BYTES.0, BYTES.1))
}

/// How many connections may have one certificate. Tools and servers share theirs.
pub(super) fn connections_of(identity: &Identity) -> usize {
    match identity {
        Identity::Device(..) => CONNECTIONS_OF_DEVICE,
        Identity::Service(_) => usize::MAX,
    }
}

/// The settings of one connection.
pub(super) fn of(gate: &Arc<Gate>) -> BrokerConfig {
    let config = base();
    if gate.is_service() {
        return BrokerConfig {
            client_channel_capacity: WAITING_FOR_SERVICE,
            max_outbound_inflight: 128,
            server_receive_maximum: Some(4096),
            ..config
        };
    }
    BrokerConfig {
        client_channel_capacity: WAITING_FOR_DEVICE,
        max_subscriptions_per_client: 8,
        server_receive_maximum: Some(32),
        event_handler: Some(Arc::clone(gate) as _),
        ..config
    }
}

pub(super) fn check() -> mqtt5::error::Result<()> {
    base().validate().map(|_| ())
}

fn base() -> BrokerConfig {
    BrokerConfig {
        bind_addresses: vec![],
        max_packet_size: MAX_PACKET,
        max_retained_message_size: MAX_RETAINED,
        // At most once is enough for nothing, exactly once is promised by our own acks.
        maximum_qos: 1,
        // A client could fill these with topics before any of them is judged.
        topic_alias_maximum: 0,
        session_expiry_interval: Duration::ZERO,
        // Nothing is published there, and no device may read it.
        sys_topics_enabled: false,
        storage_config: StorageConfig {
            backend: StorageBackend::Memory,
            enable_persistence: false,
            ..StorageConfig::default()
        },
        ..BrokerConfig::default()
    }
}

pub(super) fn router() -> MessageRouter {
    MessageRouter::new().with_fallback_queue_limits(BACKLOG).with_retained_limits(0, MAX_RETAINED)
}

/// The crate's own rate limits count by client id and refuse; ours count by certificate and delay.
pub(super) fn unmonitored() -> ResourceLimits {
    ResourceLimits {
        max_connections: usize::MAX,
        max_connections_per_ip: usize::MAX,
        max_message_rate_per_client: 0,
        max_bandwidth_per_client: 0,
        max_connection_rate: u32::MAX,
        ..ResourceLimits::default()
    }
}
