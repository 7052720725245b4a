//! A real MQTT client (rumqttc) that reports what happens to it and never connects twice.

use super::{Card, SOON};
use rumqttc::{
    AsyncClient, Event, Incoming, MqttOptions, PublishOptions, PublishResult, QoS, TlsConfiguration, Transport,
    mqttbytes::v5::{LastWill, PubAckReason, SubscribeReasonCode},
};
use rustls::ClientConfig;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

/// What came in: topic and text.
pub type Heard = (String, String);

pub struct Client {
    client: AsyncClient,
    heard: mpsc::UnboundedReceiver<Heard>,
    ended: watch::Receiver<Option<String>>,
    polling: JoinHandle<()>,
}

impl Client {
    /// Connects with the card's certificate and its name as client id.
    pub async fn connect(port: u16, card: &Card) -> Result<Self, String> {
        Self::connect_as(port, card.tls(), &card.name, None).await
    }

    /// The same with any client id and last will. The error is the broker's (or TLS's) reason.
    pub async fn connect_as(
        port: u16,
        tls: Arc<ClientConfig>,
        client_id: &str,
        will: Option<(&str, &str, bool)>,
    ) -> Result<Self, String> {
        let mut options = MqttOptions::new(client_id, ("localhost", port));
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
        options.set_keep_alive(30);
        options.set_max_packet_size(Some(1024 * 1024));
        if let Some((topic, text, retain)) = will {
            options.set_last_will(LastWill::new(topic, text, QoS::AtLeastOnce, retain, None));
        }
        let (client, mut events) = AsyncClient::builder(options).capacity(1000).build();
        loop {
            match timeout(SOON, events.poll()).await.map_err(|_| "no answer".to_owned())? {
                Ok(Event::Incoming(Incoming::ConnAck(_))) => break,
                Ok(_) => {}
                Err(error) => return Err(format!("{error:?}")),
            }
        }
        let (say, heard) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(None);
        let polling = tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Incoming::Publish(publish))) => {
                        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                        let _ = say.send((text(&publish.topic), text(&publish.payload)));
                    }
                    Ok(Event::Incoming(Incoming::Disconnect(reason))) => {
                        end.send_replace(Some(format!("{:?}", reason.reason_code)));
                    }
                    Ok(_) => {}
                    Err(error) => {
                        end.send_if_modified(|ended| ended.is_none() && ended.replace(format!("{error:?}")).is_none());
                        return;
                    }
                }
            }
        });
        Ok(Self { client, heard, ended, polling })
    }

    /// Asks for messages; the error is the broker's refusal.
    pub async fn subscribe(&self, filter: &str) -> Result<(), String> {
        let notice = self.client.subscribe_tracked(filter, QoS::AtLeastOnce).await.map_err(|e| format!("{e:?}"))?;
        let answer = timeout(SOON, notice.wait_async()).await.map_err(|_| "no answer".to_owned())?;
        match answer {
            Ok(ack) if ack.return_codes.iter().all(|code| matches!(code, SubscribeReasonCode::Success(_))) => Ok(()),
            refused => Err(format!("{refused:?}")),
        }
    }

    /// Publishes with QoS 1; the error is the broker's refusal.
    pub async fn publish(&self, topic: &str, text: impl Into<Vec<u8>>, retain: bool) -> Result<(), String> {
        let options = PublishOptions::new(QoS::AtLeastOnce).retain(retain);
        let notice = self.client.publish_tracked(topic, text.into(), options).await.map_err(|e| format!("{e:?}"))?;
        match timeout(SOON, notice.wait_async()).await.map_err(|_| "no answer".to_owned())? {
            Ok(PublishResult::Qos1(ack))
                if matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers) =>
            {
                Ok(())
            }
            other => Err(format!("{other:?}")),
        }
    }

    /// Publishes without waiting for an answer.
    pub async fn throw(&self, topic: &str, text: impl Into<Vec<u8>>) {
        let options = PublishOptions::new(QoS::AtLeastOnce);
        let _ = self.client.publish(topic, text.into(), options).await;
    }

    /// The next message.
    pub async fn next(&mut self) -> Heard {
        timeout(SOON, self.heard.recv()).await.expect("a message should have come").expect("still connected")
    }

    pub fn is_connected(&self) -> bool {
        self.ended.borrow().is_none()
    }

    /// Waits until the broker ends the connection, and says how.
    pub async fn ended(&mut self) -> String {
        self.ended_within(SOON).await
    }

    pub async fn ended_within(&mut self, limit: Duration) -> String {
        let ended = timeout(limit, self.ended.wait_for(Option::is_some)).await;
        ended.expect("the connection should have been ended").unwrap().clone().unwrap()
    }

    /// Goes without a good-bye, as in a power cut: the broker has to send the last will.
    pub async fn die(self) {
        self.polling.abort();
        let _ = self.polling.await;
    }

    /// Says good-bye.
    pub async fn leave(mut self) {
        let _ = self.client.disconnect().await;
        self.ended().await;
    }
}
