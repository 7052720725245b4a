//! Puts the parts together, starts them, and stops them in order.

mod error;
mod upkeep;

pub use error::RunError;

use crate::backup::Backups;
use crate::broker::Broker;
use crate::ca::Authority;
use crate::config::{BrokerConfig, Config};
use crate::digest::hex;
use crate::export::Exports;
use crate::http::{self, password, rate::Rate, refusals::Refusals, serve::serve, serve::stopped, throttle::Throttle};
use crate::link::{Link, LinkConfig};
use crate::metrics::Metrics;
use crate::notify::{Channel, Mqtt, Webhook, dispatch::Dispatcher};
use crate::store::Store;
use crate::system::pace::Pace;
use crate::tls::{HANDSHAKE_TIMEOUT, TlsListener};
use crate::{discovery, identity, ingest, live::Live, outage};
use shared::{Clock, UtcMillis};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::{Mutex, broadcast, mpsc, watch};
use tokio::{net::TcpListener, task::JoinHandle};

/// The first account.
pub const ADMIN: &str = "admin";
/// Sign-outs that a watcher may be behind before it looks its session up instead.
const SIGNED_OUT_BEHIND: usize = 64;
/// How often another system may report of its alerts, and how often at once.
const REPORTS_PER_SECOND: u16 = 10;
const REPORTS_AT_ONCE: u16 = 100;
/// How often a program may ask by one key, and how often at once.
const ASKED_PER_SECOND: u16 = 20;
const ASKED_AT_ONCE: u16 = 200;
/// How often a channel may be tested, and how often at once.
const TESTS_PER_SECOND: u16 = 1;
const TESTS_AT_ONCE: u16 = 3;

/// What every part of the running server may use.
pub struct App {
    /// The database.
    pub store: Store,
    /// The fleet's authority.
    pub authority: Authority,
    /// Events for whoever watches.
    pub live: Live,
    /// The connection to the broker.
    pub link: Link,
    /// The broker, if it runs in this process.
    pub broker: Option<Broker>,
    /// Where an external broker lets services choose their client id.
    pub services: Option<LinkConfig>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where devices are sent when they enrol.
    pub broker_address: shared::enrol::Broker,
    /// Ids of sessions that have just ended, and `key:` and the ids of keys, for the connections that they opened.
    pub signed_out: broadcast::Sender<String>,
    /// Who guesses passwords.
    pub throttle: Throttle,
    /// Sign-ins that were refused and are not in the audit log yet.
    pub refusals: Refusals,
    /// Who guesses tokens and keys.
    pub token_throttle: Throttle,
    /// Who guesses invitations.
    pub join_throttle: Throttle,
    /// Who asks for accounts, or for another e-mail address of their own: either tells what is taken.
    pub sign_up_throttle: Throttle,
    /// How often the system of an intake token may report.
    pub report_rate: Rate,
    /// How often a program may ask by one key.
    pub key_rate: Rate,
    /// How often a channel may be tested.
    pub test_rate: Rate,
    /// Where news of alerts goes.
    pub channels: Vec<Arc<dyn Channel>>,
    /// Copies of the database.
    pub backups: Backups,
    /// How fast things come in.
    pub pace: Pace,
    /// Since when this server runs.
    pub started_at: UtcMillis,
    /// Where browsers and devices reach this server, if its configuration says so.
    pub public_url: Option<String>,
    /// The configuration in force. It names files with secrets and may hold one: nobody shows it as it is.
    pub config: Config,
    /// What is counted.
    pub metrics: Metrics,
    /// SHA-256 of what a monitoring system has to show; none: nobody is told what is counted.
    pub metrics_token: Option<String>,
    /// Held while history is computed again: one at a time, so that it can't starve what comes in.
    pub recomputing: Mutex<()>,
    /// Files of readings that are under way.
    pub exports: Exports,
    /// Held while the chain of the audit log is looked at, for the same reason.
    pub verifying: Mutex<()>,
    /// When the list of revoked certificates was last written; none when that is due.
    pub listed: Mutex<Option<UtcMillis>>,
    /// Becomes true when the server stops.
    pub stopping: watch::Receiver<bool>,
}

/// A server that runs, until it is stopped.
pub struct Running {
    /// Where HTTPS listens.
    pub https: SocketAddr,
    /// Where plain HTTP listens, if it does.
    pub plain: Option<SocketAddr>,
    /// The first password, if this was the first start: it is not kept anywhere else.
    pub first_password: Option<String>,
    /// What the parts share.
    pub app: Arc<App>,
    announcer: Option<discovery::Announcer>,
    stop_http: watch::Sender<bool>,
    stop_ingest: watch::Sender<bool>,
    http: Vec<JoinHandle<()>>,
    ingest: JoinHandle<()>,
    identity: JoinHandle<()>,
    /// What goes by the clock and is stopped at any moment.
    upkeep: Option<JoinHandle<()>>,
    /// What watches over outages, and what tells.
    alerts: Vec<JoinHandle<()>>,
}

/// Starts everything; returns when everything listens.
///
/// # Errors
/// When a part can't be started; nothing is left running then.
pub async fn start(config: &Config, clock: Arc<dyn Clock>) -> Result<Running, RunError> {
    let mut running = start_still(config, clock).await?;
    running.alerts = watch_and_tell(config, &running.app).into();
    running.upkeep = Some(tokio::spawn(upkeep::run(running.app.clone())));
    Ok(running)
}

/// The same, but nothing happens by itself as time goes by: no outage is looked for, no news is told, nothing is tidied up.
/// For whoever plays the past with a clock of their own, and does that when its time has come.
///
/// # Errors
/// When a part can't be started; nothing is left running then.
pub async fn start_still(config: &Config, clock: Arc<dyn Clock>) -> Result<Running, RunError> {
    let webhooks = config.alerts.webhooks.iter().map(|hook| Webhook::open(hook, Arc::clone(&clock)));
    let webhooks = webhooks.collect::<Result<Vec<_>, _>>()?;
    let authority = Authority::open(&config.data_dir, &names(config), clock.now())?;
    let store = Store::open(&config.database_url)
        .await
        .map_err(|error| RunError::Database { database: config.database(), error })?
        .in_zone(config.alerts.time_zone.clone());
    let head = store.chain_audit(clock.now()).await?;
    // Whoever keeps the log elsewhere can say later what it was (`tirta audit verify --head`).
    tracing::info!(%head, "the end of the audit log");

    let metrics_token = config.http.metrics_token()?;
    let metrics = Metrics::new()?;

    let https = listen_tls("http.https", config.https, &authority, false).await?;
    let plain = match config.plain {
        Some(address) => Some(listen("http.plain", address).await?),
        None => None,
    };
    let broker = match config.broker {
        BrokerConfig::Embedded { listen } => {
            let listener = listen_tls("broker.listen", listen, &authority, true).await?;
            Some(Broker::start(listener, store.clone())?)
        }
        BrokerConfig::External { .. } => None,
    };
    let link_config = link_config(config, broker.as_ref(), &authority)?;
    // Only now, when nothing else can fail: a password that a start made and then failed would be lost.
    let first_password = first_password(&store, clock.now()).await?;
    let (link, messages) = Link::start(&link_config);

    let (stop_http, stopping) = watch::channel(false);
    let (stop_ingest, mut ingest_stopping) = watch::channel(false);
    let services = match config.broker {
        BrokerConfig::External { services_port: Some(port), .. } => Some(LinkConfig { port, ..link_config.clone() }),
        _ => None,
    };
    let live = Live::new();
    let (concerns, concerning) = mpsc::channel(identity::WAITING);
    let ingest = tokio::spawn(ingest::run(
        messages,
        store.clone(),
        link.clone(),
        live.clone(),
        Arc::clone(&clock),
        concerns,
        metrics.clone(),
        async move { stopped(&mut ingest_stopping).await },
    ));
    let broker_address = broker_address(config, broker.as_ref());
    let (signed_out, throttle) = (broadcast::Sender::new(SIGNED_OUT_BEHIND), Throttle::default());
    let mut channels: Vec<Arc<dyn Channel>> = vec![Arc::new(Mqtt(link.clone()))];
    channels.extend(webhooks.into_iter().map(|hook| Arc::new(hook) as Arc<dyn Channel>));
    let started_at = clock.now();
    let app = Arc::new(App {
        channels,
        backups: Backups::new(&config.backups, started_at),
        pace: Pace::default(),
        started_at,
        test_rate: Rate::new(TESTS_PER_SECOND, TESTS_AT_ONCE),
        store,
        authority,
        live,
        link,
        broker,
        services,
        clock,
        broker_address,
        signed_out,
        throttle,
        refusals: Refusals::default(),
        token_throttle: Throttle::default(),
        join_throttle: Throttle::default(),
        sign_up_throttle: Throttle::default(),
        report_rate: Rate::new(REPORTS_PER_SECOND, REPORTS_AT_ONCE),
        key_rate: Rate::new(ASKED_PER_SECOND, ASKED_AT_ONCE),
        public_url: public_url(config, https.local_addr()),
        config: config.clone(),
        metrics,
        metrics_token,
        recomputing: Mutex::new(()),
        exports: Exports::default(),
        verifying: Mutex::new(()),
        listed: Mutex::new(None),
        stopping: stopping.clone(),
    });
    let (https_address, plain_address) = (https.local_addr(), plain.as_ref().map(TcpListener::local_addr));
    let mut http = vec![tokio::spawn(serve(https, http::router(app.clone(), true), stopping.clone()))];
    if let Some(plain) = plain {
        http.push(tokio::spawn(serve(plain, http::router(app.clone(), false), stopping)));
    }
    Ok(Running {
        announcer: discovery::start(config, https_address, authorities(app.clone())),
        https: https_address,
        plain: plain_address.transpose().ok().flatten(),
        first_password,
        upkeep: None,
        identity: tokio::spawn(identity::run(app.clone(), concerning)),
        app,
        stop_http,
        stop_ingest,
        http,
        ingest,
        alerts: Vec::new(),
    })
}

/// Starts the watch over outages, and whatever tells of alerts; both end when the server stops.
fn watch_and_tell(config: &Config, app: &Arc<App>) -> [JoinHandle<()>; 2] {
    let grace_ms = i64::try_from(config.alerts.offline_after.as_millis()).unwrap_or(i64::MAX);
    let watch = outage::task::Watch::new(app.store.clone(), app.clock.now(), grace_ms);
    let watch = outage::task::run(watch, app.link.clone(), Arc::clone(&app.clock), app.stopping.clone());
    let channels = app.channels.clone();
    let dispatcher = Dispatcher::new(app.store.clone(), app.live.clone(), Arc::clone(&app.clock), channels);
    let mut stopping = app.stopping.clone();
    [tokio::spawn(watch), tokio::spawn(dispatcher.run(async move { stopped(&mut stopping).await }))]
}

impl Running {
    /// Stops in order: first no new requests, then what has arrived is committed and acknowledged, then the
    /// broker lets the devices go, and the database is closed last.
    pub async fn stop(self) {
        if let Some(announcer) = self.announcer {
            announcer.stop().await;
        }
        let _ = self.stop_http.send(true);
        for listener in self.http {
            let _ = listener.await;
        }
        if let Some(upkeep) = self.upkeep {
            upkeep.abort();
            let _ = upkeep.await;
        }
        if let Err(error) = self.app.refusals.write_all(&self.app.store, self.app.clock.now()).await {
            tracing::warn!(%error, "sign-ins that were refused are not in the audit log");
        }
        let _ = self.stop_ingest.send(true);
        let _ = self.ingest.await;
        // Ingest has ended, so nothing more concerns it.
        let _ = self.identity.await;
        for task in self.alerts {
            let _ = task.await;
        }
        self.app.link.stop().await;
        if let Some(broker) = &self.app.broker {
            broker.stop().await;
        }
        self.app.store.close().await;
    }
}

/// Gives the first admin a new password, the role and the right to sign in, takes their second factor away, ends their
/// sessions and withdraws their invitations and keys: for whoever has lost it but can log in on this machine.
///
/// # Errors
/// When the database can't be opened or there is no account yet.
pub async fn new_password(config: &Config, now: UtcMillis) -> Result<String, RunError> {
    let store = Store::open(&config.database_url)
        .await
        .map_err(|error| RunError::Database { database: config.database(), error })?;
    store.chain_audit(now).await?;
    let password = password::make()?;
    let hash = password::hash(password.clone()).await?;
    if !store.recover_admin(ADMIN, &hash, now).await? {
        return Err(RunError::NoAccount);
    }
    store.close().await;
    Ok(password)
}

/// Makes the first account when there is none; only its hash is kept.
async fn first_password(store: &Store, now: UtcMillis) -> Result<Option<String>, RunError> {
    if store.has_account().await? {
        return Ok(None);
    }
    let password = password::make()?;
    let hash = password::hash(password.clone()).await?;
    // Another instance on the same database may have been faster.
    Ok(store.add_first_admin(ADMIN, &hash, now).await?.then_some(password))
}

/// SHA-256 of every authority that devices may trust now, the newest first.
fn authorities(app: Arc<App>) -> impl Fn() -> Option<Vec<String>> + Send + 'static {
    move || {
        let status = app.authority.status().ok()?;
        Some([Some(status.newest), status.previous].into_iter().flatten().map(|root| root.sha256).collect())
    }
}

/// The names in the server's certificate: those of the configuration, and addresses that it listens on by name.
fn names(config: &Config) -> Vec<String> {
    let mut names = config.public_hosts.clone();
    names.extend(discovery::own_name(config).filter(|own| !config.public_hosts.contains(own)));
    let broker = match config.broker {
        BrokerConfig::Embedded { listen } => Some(listen),
        BrokerConfig::External { .. } => None,
    };
    for address in [Some(config.https), broker].into_iter().flatten() {
        if !address.ip().is_unspecified() {
            names.push(address.ip().to_string());
        }
    }
    names
}

fn link_config(config: &Config, broker: Option<&Broker>, authority: &Authority) -> Result<LinkConfig, RunError> {
    let (host, port, share) = match (&config.broker, broker) {
        (BrokerConfig::External { host, port, .. }, _) => (host.clone(), *port, Some("tirta-server".to_owned())),
        (BrokerConfig::Embedded { listen }, broker) => {
            let listens = broker.map_or(*listen, Broker::local_addr);
            (reachable(listens.ip()).to_string(), listens.port(), None)
        }
    };
    let client_id = format!("tirta-server-{}", hex(&password::random::<8>()?));
    Ok(LinkConfig { host, port, tls: authority.client_tls(), client_id, share })
}

/// Where others reach this server by HTTPS: under its first public name, or the address that it listens on by name.
fn public_url(config: &Config, listens: SocketAddr) -> Option<String> {
    let own = (!listens.ip().is_unspecified()).then(|| listens.ip().to_string());
    let host = config.public_hosts.first().cloned().or(own)?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(format!("https://{host}:{}", listens.port()))
}

/// Where this machine itself reaches what listens on `ip`.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

fn broker_address(config: &Config, broker: Option<&Broker>) -> shared::enrol::Broker {
    let (host, port) = match &config.broker {
        BrokerConfig::External { host, port, .. } => (Some(host.clone()), *port),
        BrokerConfig::Embedded { listen } => (None, broker.map_or(listen.port(), |b| b.local_addr().port())),
    };
    let advertise = &config.advertise;
    shared::enrol::Broker { host: advertise.host.clone().or(host), port: advertise.port.unwrap_or(port) }
}

async fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|error| RunError::Listen { key, address, error })
}

async fn listen_tls(
    key: &'static str,
    address: SocketAddr,
    authority: &Authority,
    client_auth: bool,
) -> Result<TlsListener, RunError> {
    let tls = authority.server_tls(client_auth)?;
    TlsListener::bind(address, tls, HANDSHAKE_TIMEOUT).await.map_err(|error| RunError::Listen { key, address, error })
}
