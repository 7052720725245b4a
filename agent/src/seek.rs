//! Where the server is, and whom to trust there: from the configuration, then from a fleet file, then from the local
//! network. Knows no MQTT and asks for no identity.
//!
//! An address that nobody typed is used only after a TLS handshake: who answers there must have a certificate of
//! the fleet's authority.

mod follow;

pub use follow::Follower;

use crate::config::{Config, Configured, Token};
use crate::discover::{self, DiscoverError, Networks};
use crate::fleet::{self, Fleet};
use crate::identity::{Identity, Origin};
use crate::repeats::Repeats;
use crate::time::Time;
use crate::trust::{self, TrustError};
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A handshake with a server on the local network takes no longer.
const HANDSHAKE: Duration = Duration::from_secs(6);

/// Where to ask, and whom to trust there.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name: the one that its certificate must have.
    pub host: String,
    /// Its HTTPS port.
    pub port: u16,
    /// The host to dial if it is not its name: an address that was found or remembered.
    pub dial: Option<String>,
    /// SHA-256 of the fleet's authority certificate.
    pub ca_sha256: [u8; 32],
    /// The enrolment token, if there is one.
    pub token: Option<Token>,
}

impl Server {
    /// Connects, without TLS yet.
    ///
    /// # Errors
    /// When it can't be reached.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        TcpStream::connect((self.dial.as_deref().unwrap_or(&self.host), self.port)).await
    }

    /// What is remembered of it.
    pub fn origin(&self) -> Origin {
        let host = self.dial.clone().unwrap_or_else(|| self.host.clone());
        Origin { host, port: self.port, tls_name: self.host.clone() }
    }

    /// Whether the one who answers there has a certificate of the authority.
    ///
    /// # Errors
    /// Why it has not, or can't be reached.
    async fn handshake(&self, time: &Time) -> io::Result<TlsStream<TcpStream>> {
        let tls = trust::pinned(self.ca_sha256, time.clone()).map_err(io::Error::other)?;
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let connected = async { TlsConnector::from(Arc::new(tls)).connect(name, self.connect().await?).await };
        timeout(HANDSHAKE, connected).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}

/// Why no server is known.
#[derive(Debug, thiserror::Error)]
pub enum SeekError {
    /// Nothing says whom to trust.
    #[error(
        "nothing says which fleet this device belongs to: put the fleet file (tirta-fleet.toml) on a USB stick or on \
         the card's boot partition, or set server.ca_sha256; looked for in {0}"
    )]
    NoPin(String),
    /// There are fleet files, and none can be used.
    #[error("nothing says which fleet this device belongs to: {0}")]
    Unusable(String),
    /// No server of the fleet is on the local network.
    #[error(
        "no server of this fleet announces itself on the local network: is it running, on the same network, with UDP \
         port 5353 open? Otherwise name its address: server.url, or `server` in the fleet file"
    )]
    Nobody,
    /// Some say that they are of the fleet, and are not or can't be reached.
    #[error("{0} on the local network announced itself as a server of this fleet, and was not to be used: {1}")]
    NoneGood(String, String),
    /// The local network can't be listened to.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// The authority of the identity can't be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// Looks for the server, each time anew: a stick may be plugged in, an address may change.
pub struct Seeker {
    given: Configured,
    places: Vec<PathBuf>,
    networks: Networks,
    time: Time,
    repeats: Repeats,
}

impl Seeker {
    /// With what this configuration says.
    pub fn new(config: &Config, time: Time) -> Self {
        let (given, places) = (config.server.clone(), config.fleet_files.clone());
        Self { given, places, networks: Networks::All, time, repeats: Repeats::default() }
    }

    /// The same on these networks only.
    pub fn on(self, networks: Networks) -> Self {
        Self { networks, ..self }
    }

    /// Where a device without an identity asks for one: at least one server, to be tried in turn.
    ///
    /// # Errors
    /// With what to do about it.
    pub async fn servers(&self) -> Result<Vec<Server>, SeekError> {
        let given = &self.given;
        if let (Some(address), Some(ca_sha256), Some(token)) = (&given.address, given.ca_sha256, &given.token) {
            return Ok(vec![named(address, ca_sha256, Some(token.clone()))]);
        }
        let (fleet, broken) = self.fleet(given.ca_sha256).await;
        let pin = given.ca_sha256.or(fleet.as_ref().map(|fleet| fleet.ca_sha256));
        let Some(pin) = pin else {
            if let Some(broken) = broken {
                return Err(SeekError::Unusable(broken));
            }
            let places: Vec<_> = self.places.iter().map(|place| place.display().to_string()).collect();
            return Err(SeekError::NoPin(places.join(", ")));
        };
        let token = given.token.clone().or(fleet.as_ref().map(|fleet| Token::Inline(fleet.token.clone())));
        match given.address.as_ref().or(fleet.as_ref().and_then(|fleet| fleet.address.as_ref())) {
            Some(address) => Ok(vec![named(address, pin, token)]),
            None => self.discovered(pin, token).await,
        }
    }

    /// Whether a server is pinned to the authority of this identity, or by the configuration: not merely by a file that
    /// somebody put here.
    pub fn is_own(&self, server: &Server, identity: &Identity) -> bool {
        let own = trust::fingerprint(&identity.ca).is_ok_and(|own| own == server.ca_sha256);
        own || self.given.ca_sha256 == Some(server.ca_sha256)
    }

    /// Where a device with an identity finds its server: it trusts the authority that it enrolled with.
    ///
    /// # Errors
    /// With what to do about it.
    pub async fn servers_of(&self, identity: &Identity) -> Result<Vec<Server>, SeekError> {
        let pin = trust::fingerprint(&identity.ca)?;
        let token = self.given.token.clone();
        if let Some(address) = &self.given.address {
            return Ok(vec![named(address, pin, token)]);
        }
        if let Some(address) = self.fleet(Some(pin)).await.0.and_then(|fleet| fleet.address) {
            return Ok(vec![named(&address, pin, token)]);
        }
        let remembered = identity.server.as_ref().map(|origin| Server {
            host: origin.tls_name.clone(),
            port: origin.port,
            dial: (origin.host != origin.tls_name).then(|| origin.host.clone()),
            ca_sha256: pin,
            token: token.clone(),
        });
        match remembered {
            Some(server) if server.handshake(&self.time).await.is_ok() => Ok(vec![server]),
            _ => self.discovered(pin, token).await,
        }
    }

    /// Where the server of this device is now, if it is found; if not, it is said why.
    pub async fn located(&self, identity: &Identity) -> Option<Origin> {
        match self.servers_of(identity).await {
            Ok(servers) => servers.first().map(Server::origin),
            Err(error) => {
                let error = error.to_string();
                if let Some(unsaid) = self.repeats.say(&error, Instant::now()) {
                    tracing::warn!(%error, unsaid, "the server is not found; readings are kept meanwhile");
                }
                None
            }
        }
    }

    /// The first fleet file that can be used, and is of this fleet if one is named; and why another can't be used, which
    /// is said once.
    async fn fleet(&self, pin: Option<[u8; 32]>) -> (Option<Fleet>, Option<String>) {
        let places = self.places.clone();
        // A broken stick may answer late, and nothing else may wait for it.
        let read = tokio::task::spawn_blocking(move || fleet::all(&places)).await;
        let (fleets, errors) = read.unwrap_or_default();
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        for error in &errors {
            if let Some(unsaid) = self.repeats.say(error, Instant::now()) {
                tracing::warn!(%error, unsaid, "a fleet file can't be used; the next place is tried");
            }
        }
        let (ours, others) =
            fleets.into_iter().partition::<Vec<_>, _>(|fleet| pin.is_none_or(|pin| pin == fleet.ca_sha256));
        for other in others {
            let file = other.path.display().to_string();
            if let Some(unsaid) = self.repeats.say(&file, Instant::now()) {
                tracing::warn!(%file, unsaid, "a fleet file is passed over: it names another authority (ca_sha256) than this device trusts");
            }
        }
        (ours.into_iter().next(), errors.into_iter().next())
    }

    /// The servers on the local network that have proved that they are of the fleet.
    async fn discovered(&self, pin: [u8; 32], token: Option<Token>) -> Result<Vec<Server>, SeekError> {
        let found = discover::browse(&pin, self.networks).await?;
        if found.is_empty() {
            return Err(SeekError::Nobody);
        }
        // All at once: what is announced falsely must not hold the right one up.
        let mut attempts = JoinSet::new();
        for (order, (name, address)) in
            found.iter().flat_map(|found| found.addresses.iter().map(|address| (&found.name, *address))).enumerate()
        {
            let (server, time) = (at(name, address, pin, token.clone()), self.time.clone());
            attempts.spawn(async move { (order, address, server.handshake(&time).await.map(|_| server)) });
        }
        let (mut good, mut bad) = (vec![], vec![]);
        for (order, address, outcome) in attempts.join_all().await {
            match outcome {
                Ok(server) => good.push((order, server)),
                Err(error) => bad.push((address, error)),
            }
        }
        good.sort_by_key(|(order, _)| *order);
        match (good.is_empty(), bad.into_iter().min_by_key(|(address, _)| *address)) {
            (true, Some((address, error))) => Err(SeekError::NoneGood(address.to_string(), error.to_string())),
            _ => Ok(good.into_iter().map(|(_, server)| server).collect()),
        }
    }
}

fn named((host, port): &(String, u16), ca_sha256: [u8; 32], token: Option<Token>) -> Server {
    Server { host: host.clone(), port: *port, dial: None, ca_sha256, token }
}

fn at(name: &str, address: SocketAddr, ca_sha256: [u8; 32], token: Option<Token>) -> Server {
    Server { host: name.to_owned(), port: address.port(), dial: Some(address.ip().to_string()), ca_sha256, token }
}
