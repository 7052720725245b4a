//! Events for whoever watches in a browser, over a WebSocket. Ends with the session or the key that opened it.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::Caller;
use super::devices;
use super::error::{Problem, Problems};
use super::extract::Params;
use super::model::{Device, Reading};
use super::places::Place;
use super::serve::stopped;
use super::{wire, words};
use crate::access::Permission;
use crate::alert::News;
use crate::live::Event;
use crate::run::App;
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use shared::{DeviceName, message::calibrate::View};
use std::{sync::Arc, time::Duration};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior};
use utoipa::{IntoParams, ToSchema};

/// How often a watcher is pinged and its session looked up: it may have ended on another instance, or by time.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A watcher that has not answered for this long is gone.
const SILENCE: Duration = Duration::from_secs(65);
/// A watcher that takes longer to receive one event is too slow to watch.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// A watcher has nothing to say but pongs.
const LONGEST_MESSAGE: usize = 4096;

/// What a watcher is told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum LiveEvent {
    /// New readings of a device, committed a moment ago.
    Readings {
        /// The device's name.
        device: String,
        /// In the order of the device's buffer.
        readings: Vec<Reading>,
    },
    /// A device changed: its state, status, settings or registration.
    Device {
        /// The device as it is now.
        device: Box<Device>,
    },
    /// A board waits for approval, or does not any more: the list has changed.
    Waiting,
    /// Somebody asks for an account, or does not any more: the list has changed. Only for those who may see it.
    SignUps,
    /// How a guided calibration stands: about once a second while one runs.
    Calibration {
        /// The device's name.
        device: String,
        /// How it stands.
        #[schema(value_type = wire::View)]
        view: Arc<View>,
    },
    /// Something happened to an alert.
    Alert {
        /// What webhooks are told, too.
        #[schema(value_type = News)]
        news: Arc<News>,
        /// Why nobody is to be disturbed by it: `silenced`, `snoozed`, `maintenance`, `linked` or `untold`.
        #[schema(required)]
        withheld: Option<String>,
    },
    /// Events were dropped because this watcher was slow: it should fetch everything again.
    Missed,
}

/// What to watch.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Watch {
    /// Only events of this device; of all if absent.
    #[param(value_type = Option<words::DeviceName>)]
    device: Option<DeviceName>,
}

/// Live events as JSON text messages (see `LiveEvent`) over a WebSocket.
#[utoipa::path(get, path = "/api/v1/live", operation_id = "watchLive", tag = "readings", params(Watch),
    responses((status = 101, description = "WebSocket whose messages are LiveEvent"), Problems))]
pub async fn watch(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(place): Extension<Place>,
    Params(watch): Params<Watch>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade
        .map_err(|rejection| Problem::new(rejection.status(), "websocket_needed", rejection.body_text()))?
        .max_message_size(LONGEST_MESSAGE)
        .max_frame_size(LONGEST_MESSAGE);
    // Before the upgrade is answered, so that nothing that happens after the answer can be missed.
    let (events, signed_out) = (app.live.subscribe(), app.signed_out.subscribe());
    Ok(upgrade.on_upgrade(move |socket| async move {
        let (sink, stream) = socket.split();
        let watcher = Watcher { app, caller, only: watch.device, sink };
        watcher.run(stream, events, signed_out).await;
        drop(place);
    }))
}

/// Why a watcher is told good-bye.
enum End {
    /// It hung up, or can't be reached.
    Gone,
    /// Its session ended.
    SignedOut,
    /// The server stops.
    Stopping,
}

struct Watcher {
    app: Arc<App>,
    caller: Caller,
    only: Option<DeviceName>,
    sink: SplitSink<WebSocket, Message>,
}

impl Watcher {
    async fn run(
        mut self,
        stream: SplitStream<WebSocket>,
        events: tokio::sync::broadcast::Receiver<Event>,
        signed_out: tokio::sync::broadcast::Receiver<String>,
    ) {
        let (code, reason) = match self.watch(stream, events, signed_out).await {
            End::Gone => return,
            End::SignedOut => (close_code::POLICY, "signed out"),
            End::Stopping => (close_code::AWAY, "the server stops"),
        };
        let _ = self.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
    }

    async fn watch(
        &mut self,
        mut stream: SplitStream<WebSocket>,
        mut events: tokio::sync::broadcast::Receiver<Event>,
        mut signed_out: tokio::sync::broadcast::Receiver<String>,
    ) -> End {
        let mut stopping = self.app.stopping.clone();
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            let told = tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => self.tell(event).await,
                    Err(RecvError::Lagged(_)) => self.say(&LiveEvent::Missed).await,
                    Err(RecvError::Closed) => return End::Stopping,
                },
                ended = signed_out.recv() => match ended {
                    Ok(ended) if self.caller.is_ended_by(&ended) => return End::SignedOut,
                    Ok(_) => Ok(()),
                    // So many signed out that this one may have been missed: look it up.
                    Err(_) => self.check_session().await,
                },
                message = stream.next() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Gone,
                    Some(Ok(_)) => { heard = Instant::now(); Ok(()) }
                },
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE {
                        return End::Gone;
                    }
                    match self.check_session().await {
                        Ok(()) => self.send(Message::Ping(axum::body::Bytes::new())).await,
                        end => end,
                    }
                },
                () = stopped(&mut stopping) => return End::Stopping,
            };
            if let Err(end) = told {
                return end;
            }
        }
    }

    /// Tells of an event, if it is one that is watched.
    async fn tell(&mut self, event: Event) -> Result<(), End> {
        let whose = match &event {
            Event::Readings { device, .. } | Event::Calibration { device, .. } => Some(device.as_str()),
            Event::Device { name } => Some(name.as_str()),
            Event::Alert { news, .. } => news.alert.as_ref().and_then(|alert| alert.device.as_deref()),
            Event::Waiting | Event::SignUps => None,
        };
        if self.only.as_ref().is_some_and(|only| Some(only.as_str()) != whose) {
            return Ok(());
        }
        if matches!(event, Event::SignUps) && !self.caller.may(Permission::ReadAudit) {
            return Ok(());
        }
        let event = match event {
            Event::Readings { device, readings } => {
                let readings = readings.iter().map(Reading::from).collect();
                LiveEvent::Readings { device: device.to_string(), readings }
            }
            Event::Device { name } => match devices::show(&self.app, &name).await {
                Ok(Some(device)) => LiveEvent::Device { device: Box::new(device) },
                Ok(None) => return Ok(()),
                Err(_) => LiveEvent::Missed,
            },
            Event::Waiting => LiveEvent::Waiting,
            Event::SignUps => LiveEvent::SignUps,
            Event::Alert { news, withheld } => LiveEvent::Alert { news, withheld },
            Event::Calibration { device, view } => LiveEvent::Calibration { device: device.to_string(), view },
        };
        self.say(&event).await
    }

    async fn check_session(&self) -> Result<(), End> {
        match self.caller.is_still_let_in(&self.app).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(End::SignedOut),
            // A database that fails for a moment ends no session.
            Err(_) => Ok(()),
        }
    }

    async fn say(&mut self, event: &LiveEvent) -> Result<(), End> {
        let text = serde_json::to_string(event).map_err(|_| End::Gone)?;
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(SEND_TIMEOUT, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}
