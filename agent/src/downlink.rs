//! What the server says to this device: acknowledgements go to the uplink, settings are saved and applied.
//! A message that can't be read is logged and otherwise ignored.

use crate::link::Message;
use crate::sampler::Intervals;
use crate::settings::SettingsFile;
use shared::{Ack, DeviceName, Settings, Topic};
use tokio::sync::mpsc;

/// Where messages go.
pub struct Downlink {
    /// This device: messages to others should not come, and are ignored.
    pub device: DeviceName,
    /// The uplink's inbox.
    pub acks: mpsc::Sender<Ack>,
    /// The settings in force.
    pub settings: std::sync::Arc<SettingsFile>,
    /// The sampler's intervals.
    pub intervals: Intervals,
}

impl Downlink {
    /// Takes messages until the link is gone.
    pub async fn run(self, mut inbox: mpsc::Receiver<Message>) {
        while let Some(message) = inbox.recv().await {
            self.take(&message);
        }
    }

    fn take(&self, message: &Message) {
        let unreadable = |problem: &dyn std::fmt::Display| {
            tracing::warn!(topic = %message.topic, bytes = message.payload.len(), %problem, "a message of the server can't be read");
        };
        match Topic::parse(&message.topic) {
            Some(Topic::Ack(device)) if device == self.device => match Ack::decode(&message.payload) {
                // A full inbox means that the uplink is far behind: it will send again and be answered again.
                Ok(ack) => drop(self.acks.try_send(ack)),
                Err(problem) => unreadable(&problem),
            },
            Some(Topic::Settings(device)) if device == self.device => match Settings::decode(&message.payload) {
                Ok(settings) => {
                    let intervals = settings.intervals.clone();
                    if self.settings.offer(settings) {
                        self.intervals.apply(&intervals);
                    }
                }
                Err(problem) => unreadable(&problem),
            },
            _ => unreadable(&"it is none of this device's topics"),
        }
    }
}
