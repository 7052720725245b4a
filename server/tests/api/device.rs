//! A device on a site: what it sends and hears. Knows the contract with devices, and nothing of HTTP.

use crate::fleet::client::Client;
use crate::site::Site;
use shared::{
    Ack, Batch, BufferId, ClockQuality, DeviceName, Fault, Flag, Flags, Metric, Outcome, Reading, Stamp, Status, Topic,
    UtcMillis, Value,
};

/// A reading as a probe takes it.
pub fn reading(seq: u64, at: i64, metric: Metric, value: Result<f64, Fault>) -> Reading {
    Reading {
        seq,
        stamp: Stamp { at: UtcMillis(at), clock: ClockQuality::Synced },
        metric,
        outcome: value.map_or_else(Outcome::Fault, |number| Outcome::Measured(Value::new(number).unwrap())),
        millivolts: Some(Value::new(1500.0).unwrap()),
        flags: Flags::NONE.with(Flag::Simulated),
        spread: Some(Value::new(0.25).unwrap()),
    }
}

/// A device that is connected, and what it says and hears.
pub struct Device {
    pub name: String,
    pub client: Client,
    buffer: BufferId,
}

impl Device {
    /// Enrols and connects one.
    pub async fn join(site: &Site, cookie: &str) -> Self {
        let card = site.enrol(cookie).await;
        let client = site.connect_device(&card).await;
        client.subscribe(&Topic::all_down(&card.device())).await.unwrap();
        Self { name: card.name, client, buffer: BufferId::from_random(7) }
    }

    fn topic(&self, of: impl FnOnce(DeviceName) -> Topic) -> String {
        of(self.name.parse().unwrap()).to_string()
    }

    /// Sends readings and waits until the server has acknowledged them.
    pub async fn send(&mut self, readings: Vec<Reading>) {
        let last = readings.last().unwrap().seq;
        let batch = Batch { buffer: self.buffer, readings };
        self.client.publish(&self.topic(Topic::Readings), batch.encode(), false).await.unwrap();
        let ack = Ack::decode(self.hear(Topic::Ack).await.as_bytes()).unwrap();
        assert_eq!(ack.through, Some(last), "{ack:?}");
    }

    /// Says how it is.
    pub async fn say(&self, status: &Status) {
        self.client.publish(&self.topic(Topic::Status), status.encode(), true).await.unwrap();
    }

    /// The next message on one of its topics; others are skipped.
    pub async fn hear(&mut self, of: impl FnOnce(DeviceName) -> Topic) -> String {
        let topic = self.topic(of);
        loop {
            let (heard, text) = self.client.next().await;
            if heard == topic {
                return text;
            }
        }
    }
}
