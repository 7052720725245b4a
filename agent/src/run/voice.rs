//! Everything that speaks with the server, for as long as this device has one identity: connects it, and takes it
//! apart again. Knows nothing of how the device got its name.

use super::{Device, Parts, RunError, rig};
use crate::buffer::Buffer;
use crate::calibrate::Herald;
use crate::config::Config;
use crate::downlink::Downlink;
use crate::identity::Identity;
use crate::inherit::Inheritance;
use crate::lamp;
use crate::link::{self, Dial, Link, LinkConfig, LinkState};
use crate::renew::Renewer;
use crate::repeats::Repeats;
use crate::seek::Follower;
use crate::sensors;
use crate::status::Reporter;
use crate::trust;
use crate::uplink::Uplink;
use shared::Ack;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// How long an agent that is told to stop goes on sending.
const LAST_DELIVERY: Duration = Duration::from_secs(3);

/// Where the broker is: what to dial, and the name that its certificate must have.
pub(crate) type Address = (Dial, String);

/// The tasks that speak with the server.
pub(super) struct Voice {
    pub(super) link: Link,
    reporter: Reporter,
    tasks: JoinSet<()>,
    /// Looks after the certificate; ends when the server no longer knows the key.
    renewing: JoinHandle<String>,
    connection: JoinHandle<()>,
}

pub(super) fn connect(
    config: &Config,
    device: &Device,
    (identity, (dial, tls_name)): (Identity, Address),
    parts: &Parts<'_>,
) -> Result<Voice, RunError> {
    let Parts { settings, buffer, sampler, desk, alarm } = *parts;
    let Device { board, home, seeker, time, run, standing } = device;
    let name = identity.name.clone();
    let reporter = Reporter {
        device: name.clone(),
        boot: time.boot().to_owned(),
        run: *run,
        time: time.clone(),
        settings: settings.watch(),
        buffer: buffer.state(),
        health: buffer.health(),
        kept_for_others: home.kept_for_others(Some(&name)),
        vitals: sampler.vitals(),
        alarm: alarm.state,
        cut: None,
    };
    let tls = trust::mutual(&identity.ca, &identity.certificate, &identity.key, time.clone())?;
    tracing::info!(device = %name, host = %dial.0, port = dial.1, "connecting");
    let (move_to, dial) = watch::channel(dial);
    let (link, inbox, connection) = link::start(LinkConfig {
        device: name.clone(),
        dial,
        tls_name,
        tls: Arc::new(tls),
        last_will: reporter.status(shared::message::LinkState::Online).last_will().encode(),
        backoff: config.uplink.backoff(),
    });
    let mut tasks = JoinSet::new();
    if config.server.address.is_none() && config.server.broker.is_none() && identity.broker.host.is_none() {
        let (seeker, home, patience) = (Arc::clone(seeker), home.clone(), Follower::usual_patience());
        let follower = Follower { seeker, home, serial: board.serial, link: link.state(), dial: move_to, patience };
        tasks.spawn(follower.run());
    }
    let (own, acks) = mpsc::channel(16);
    let acks_sender = inherit(config, device, &identity, (&link, own), &mut tasks)?;
    let (certificates, offers) = mpsc::channel(1);
    let downlink = Downlink {
        device: name.clone(),
        acks: acks_sender,
        certificates,
        settings: Arc::clone(settings),
        intervals: sampler.intervals(),
        repeats: Repeats::default(),
        desk: desk.clone(),
        time: time.clone(),
    };
    let renewer = Renewer {
        serial: board.serial,
        seeker: Arc::clone(seeker),
        home: home.clone(),
        identity,
        link: link.clone(),
        offers,
        time: time.clone(),
        backoff: config.uplink.backoff(),
    };
    let herald = Herald { device: name.clone(), link: link.clone(), views: desk.views(), waiting: desk.waiting() };
    tasks.spawn(sensors::report(name.clone(), rig::sensors(&config.probes), link.clone()));
    tasks.spawn(Uplink::new(name, link.clone(), buffer.clone(), acks, time.quality(), &config.uplink).run());
    tasks.spawn(downlink.run(inbox));
    tasks.spawn(herald.run());
    tasks.spawn(lamp::follow(link.clone(), standing.clone()));
    tasks.spawn(reporter.clone().run(link.clone()));
    Ok(Voice { link, reporter, tasks, renewing: tokio::spawn(renewer.run()), connection })
}

/// Begins to send what a copied card brought along, if this device may. Returns where acknowledgements go.
fn inherit(
    config: &Config,
    device: &Device,
    identity: &Identity,
    (link, own): (&Link, mpsc::Sender<Ack>),
    tasks: &mut JoinSet<()>,
) -> Result<mpsc::Sender<Ack>, RunError> {
    let Some(folder) = device.home.inherited(&identity.name)? else { return Ok(own) };
    tracing::info!(device = %identity.name, "sending what came with the card");
    let from = (device.home.clone(), folder);
    let opened = Inheritance::open(from, identity.name.clone(), (link.clone(), own), config, &device.time);
    let (inheritance, sharing, acks) = opened.map_err(RunError::Thread)?;
    tasks.spawn(sharing);
    tasks.spawn(inheritance.run());
    Ok(acks)
}

/// What to dial, and the name that the certificate must have: the broker that the enrolment named, else the host of
/// the configuration, else the one that the device enrolled at. An address for the broker in the configuration changes
/// only where to dial: the name stays that of the server. `None`: nothing says it.
pub(crate) fn broker_address(config: &Config, identity: &Identity) -> Option<Address> {
    let given = config.server.address.as_ref().map(|(host, _)| (host.clone(), host.clone()));
    let remembered = || identity.server.clone().map(|origin| (origin.host, origin.tls_name));
    let server = given.or_else(remembered);
    let named = identity.broker.host.clone().map(|host| (host.clone(), host));
    match &config.server.broker {
        Some(dial) => server.or(named).map(|(_, name)| (dial.clone(), name)),
        None => named.or(server).map(|(host, name)| ((host, identity.broker.port), name)),
    }
}

impl Voice {
    /// Resolves when this identity has ended, with the server's word for why.
    pub(super) async fn ended(&mut self) -> String {
        match (&mut self.renewing).await {
            Ok(why) => why,
            // It can't have: without it the device goes on until its certificate ends.
            Err(_) => std::future::pending().await,
        }
    }

    /// Ends at once, without a word: the broker has thrown this device out.
    pub(super) fn hang_up(self) {
        self.connection.abort();
    }

    /// Gives the server a moment to take the last readings. What it does not take stays in the buffer
    /// for the next start.
    pub(super) async fn deliver_the_rest(&self, buffer: &Buffer) {
        let (mut state, mut link) = (buffer.state(), self.link.state());
        let delivered = state.wait_for(|state| state.is_none_or(|ledger| ledger.pending() == 0));
        let cut = link.wait_for(|link| *link == LinkState::Down);
        tokio::select! {
            _ = delivered => {}
            _ = cut => {}
            () = sleep(LAST_DELIVERY) => {}
        }
    }

    /// The last words, and the good-bye that keeps the broker from publishing the last will.
    pub(super) async fn say_good_bye(mut self) {
        self.renewing.abort();
        self.tasks.abort_all();
        if *self.link.state().borrow() == LinkState::Down {
            return;
        }
        self.reporter.say_stopped(&self.link, Duration::from_secs(2)).await;
        self.link.close().await;
        let _ = timeout(Duration::from_secs(2), self.connection).await;
    }
}
