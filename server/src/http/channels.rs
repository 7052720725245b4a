//! Where news of alerts goes: which channels there are, how each has fared, and a test. What they are is the configuration's to
//! say, and so are their secrets: neither is shown here, and of an address only the host.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::Id;
use crate::alert::{News, Text, What};
use crate::audit::Act;
use crate::notify;
use crate::run::App;
use crate::store::ChannelRecord;
use axum::{Json, extract::State};
use serde::Serialize;
use shared::UtcMillis;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Counts are of so long.
const COUNTED_MS: i64 = 86_400_000;

/// What a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// The topic `tirta/alerts` of the broker: always there.
    Mqtt,
    /// A program elsewhere, set up in the configuration.
    Webhook,
}

/// A channel, and how it has fared.
#[derive(Debug, Serialize, ToSchema)]
pub struct Channel {
    /// The name that deliveries are kept under: `mqtt` or `webhook:siren`.
    name: String,
    /// What it is.
    kind: ChannelKind,
    /// Whether it is set up now; one that was taken out of the configuration may still have something to tell.
    configured: bool,
    /// Where it leads: the host alone.
    #[schema(required)]
    host: Option<String>,
    /// What it is told of; nothing if it is not set up any more.
    events: Vec<What>,
    /// News that wait for it, or are tried again.
    pending: i64,
    /// When the oldest of them happened (UTC milliseconds).
    #[schema(required)]
    oldest_at: Option<i64>,
    /// News that arrived in the last day.
    sent: i64,
    /// News that were given up in the last day, after three tries each.
    failed: i64,
    /// When one last arrived, as far back as it is kept (UTC milliseconds).
    #[schema(required)]
    sent_at: Option<i64>,
    /// When one was last given up, as far back as it is kept (UTC milliseconds).
    #[schema(required)]
    failed_at: Option<i64>,
    /// What went wrong last, if nothing has arrived since.
    #[schema(required)]
    problem: Option<String>,
}

/// Channels.
#[derive(Debug, Serialize, ToSchema)]
pub struct Channels {
    /// Those that are set up, then those that were.
    channels: Vec<Channel>,
}

/// How a test went.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelTest {
    /// Whether whoever listens has it.
    delivered: bool,
    /// What went wrong, if it has not.
    #[schema(required)]
    problem: Option<String>,
}

fn shown(name: &str, channel: Option<&Arc<dyn notify::Channel>>, record: Option<ChannelRecord>) -> Channel {
    let told = What::ALL.iter().copied().filter(|what| *what != What::Test);
    let events = |channel: &Arc<dyn notify::Channel>| told.filter(|what| channel.wants(*what)).collect::<Vec<_>>();
    let record = record.as_ref();
    Channel {
        name: name.to_owned(),
        kind: if name.starts_with(notify::WEBHOOK) { ChannelKind::Webhook } else { ChannelKind::Mqtt },
        configured: channel.is_some(),
        host: channel.and_then(|channel| channel.host()),
        events: channel.map(events).unwrap_or_default(),
        pending: record.map_or(0, |record| record.pending),
        oldest_at: record.and_then(|record| record.oldest_at),
        sent: record.map_or(0, |record| record.sent),
        failed: record.map_or(0, |record| record.failed),
        sent_at: record.and_then(|record| record.sent_at),
        failed_at: record.and_then(|record| record.failed_at),
        problem: record.and_then(|record| record.problem.clone()),
    }
}

/// Where news of alerts goes, and how it fared on each way.
#[utoipa::path(get, path = "/api/v1/channels", operation_id = "listChannels", tag = "alerts",
    responses((status = 200, body = Channels), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Channels>, Problem> {
    let records = app.store.channel_records(UtcMillis(app.clock.now().0 - COUNTED_MS)).await?;
    let mut records: HashMap<String, ChannelRecord> =
        records.into_iter().map(|record| (record.channel.clone(), record)).collect();
    let mut channels: Vec<Channel> = app
        .channels
        .iter()
        .map(|channel| shown(channel.name(), Some(channel), records.remove(channel.name())))
        .collect();
    let mut gone: Vec<Channel> = records.into_iter().map(|(name, record)| shown(&name, None, Some(record))).collect();
    gone.sort_by(|a, b| a.name.cmp(&b.name));
    channels.extend(gone);
    Ok(Json(Channels { channels }))
}

/// Sends a test to a channel at once, past the queue: news with `what` = `test` and without an alert.
#[utoipa::path(post, path = "/api/v1/channels/{id}/test", operation_id = "testChannel", tag = "alerts",
    params(("id" = String, Path, description = "the channel's name")),
    responses((status = 200, body = ChannelTest), Problems))]
pub async fn test(State(app): State<Arc<App>>, caller: Caller, Id(name): Id) -> Result<Json<ChannelTest>, Problem> {
    let unknown = || Problem::not_found("unknown_channel", "no channel of this name is set up");
    let channel = app.channels.iter().find(|channel| channel.name() == name).ok_or_else(unknown)?;
    let now = app.clock.now();
    let too_fast = |wait_ms| Problem::too_often("too_fast", "this channel was tested a moment ago", wait_ms);
    app.test_rate.take(&name, now).map_err(too_fast)?;
    let answer = channel.deliver(&news(&name, &caller.account, now)).await;
    let problem = answer.err().map(|problem| problem.to_string());
    let entry = caller.actor().did(Act::ChannelTested, now).with("channel", name.as_str());
    let entry = entry.with("delivered", problem.is_none());
    app.store.note(entry).await?;
    tracing::info!(channel = name, delivered = problem.is_none(), user = caller.account, "a channel was tested");
    Ok(Json(ChannelTest { delivered: problem.is_none(), problem }))
}

fn news(channel: &str, who: &str, now: UtcMillis) -> News {
    let text = Text {
        id: format!("Uji coba saluran dari {who}: tidak ada yang perlu dilakukan."),
        en: format!("A test of this channel by {who}: nothing needs to be done."),
    };
    let key = format!("test-{channel}-{}", now.0);
    News { v: 1, key, what: What::Test, at: now.0, text, alert: None, alerts: vec![] }
}
