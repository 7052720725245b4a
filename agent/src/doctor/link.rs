//! The way to the server: name, network, TLS. Nothing is said over MQTT, because a second client of the same
//! name would throw the running agent out.

use super::Finding;
use crate::config::Config;
use crate::identity::Identity;
use crate::run::broker_address;
use crate::seek::{Seeker, Server};
use crate::time::Time;
use crate::trust;
use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{DATE, HOST};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use shared::UtcMillis;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a broker may take to throw out a client whose certificate it does not like.
const REFUSAL: Duration = Duration::from_secs(1);

/// Where a connection failed, why, and what to do about it.
struct Failed {
    text: String,
    advice: &'static str,
}

/// The server's HTTPS: its time and this machine's when that came, and what there is to say.
pub(super) async fn server(
    config: &Config,
    identity: Option<&Identity>,
    time: &Time,
) -> (Option<(UtcMillis, UtcMillis)>, Vec<Finding>) {
    let seeker = Seeker::new(config, time.clone());
    let servers = match identity {
        Some(identity) => seeker.servers_of(identity).await,
        None => seeker.servers().await,
    };
    let servers = match servers {
        Ok(servers) => servers,
        Err(error) => return (None, vec![Finding::bad("server", error.to_string(), NOWHERE)]),
    };
    let (mut there, mut findings) = (None, vec![]);
    for server in &servers {
        let found = server.dial.as_ref().map(|host| format!(" (found at {host})")).unwrap_or_default();
        let about = format!("server {}:{}{found}", server.host, server.port);
        let reached = async {
            let tls = trust::pinned(server.ca_sha256, time.clone()).map_err(|error| tls_failed(&error.to_string()))?;
            connect((server.dial.as_ref().unwrap_or(&server.host), server.port), &server.host, tls).await
        };
        findings.push(match reached.await {
            Ok(stream) => {
                there = there.or(date(server, stream).await.map(|there| (there, time.now())));
                Finding::ok(about, "it answers, and it is the right one")
            }
            Err(Failed { text, advice }) => Finding::bad(about, text, advice),
        });
    }
    (there, findings)
}

/// The broker, with this device's certificate.
pub(super) async fn broker(config: &Config, identity: &Identity, time: &Time) -> Vec<Finding> {
    let Some(((host, port), name)) = broker_address(config, identity) else {
        let text =
            "nothing says where it is: the device enrolled with an older agent, and the configuration has no address";
        return vec![Finding::warning("broker", text, "start the agent: it remembers the server once it has found it")];
    };
    let about = format!("broker {host}:{port}");
    let reached = async {
        let tls = trust::mutual(&identity.ca, &identity.certificate, &identity.key, time.clone())
            .map_err(|error| tls_failed(&error.to_string()))?;
        let mut stream = connect((&host, port), &name, tls).await?;
        // In TLS 1.3 the broker judges the device's certificate only after the handshake.
        match timeout(REFUSAL, stream.read_u8()).await {
            Ok(Err(error)) => Err(tls_failed(&error.to_string())),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    };
    vec![match reached.await {
        Ok(()) => Finding::ok(about, "it answers and takes this device's certificate"),
        Err(Failed { text, advice }) => Finding::bad(about, text, advice),
    }]
}

async fn connect(address: (&str, u16), name: &str, tls: ClientConfig) -> Result<TlsStream<TcpStream>, Failed> {
    let failed = |text: String, advice| Failed { text, advice };
    let late = "no answer in time";
    let found = timeout(PATIENCE, lookup_host(address)).await;
    let found: Vec<_> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(failed(format!("its name is not found: {error}"), NAME)),
        Err(_) => return Err(failed(format!("its name is not found: {late}"), NAME)),
    };
    let tcp = match timeout(PATIENCE, TcpStream::connect(found.as_slice())).await {
        Ok(Ok(tcp)) => tcp,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            return Err(failed("it is there, and nothing listens at this port".to_owned(), PORT));
        }
        Ok(Err(error)) => return Err(failed(format!("it can't be reached: {error}"), NETWORK)),
        Err(_) => return Err(failed(format!("it can't be reached: {late}"), NETWORK)),
    };
    let name = ServerName::try_from(name.to_owned()).map_err(|error| failed(error.to_string(), NAME))?;
    match timeout(PATIENCE, TlsConnector::from(Arc::new(tls)).connect(name, tcp)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(tls_failed(&error.to_string())),
        Err(_) => Err(failed("it takes the connection and says nothing".to_owned(), SILENT)),
    }
}

const NOWHERE: &str = "see \"Where a device finds its server\" in docs/provisioning.md";
const NAME: &str = "check server.url and server.broker in the configuration (or `server` in the fleet file), and the network's name service (DNS)";
const PORT: &str = "check the port in the configuration, and whether the server runs";
const SILENT: &str = "check that the port is the right one; otherwise the server hangs: restart it";
const NETWORK: &str = "check the cable or the Wi-Fi, the address, and the firewalls between";

fn tls_failed(problem: &str) -> Failed {
    let lower = problem.to_lowercase();
    let advice = if lower.contains("revoked") || lower.contains("accessdenied") {
        "the server has revoked this device: ask whoever runs it"
    } else if lower.contains("expired") {
        "a certificate has expired: see the lines about the certificate and the time"
    } else if lower.contains("notvalidforname") || lower.contains("not valid for name") {
        "the server's certificate is for another name: use in server.url the name that the server calls itself"
    } else if lower.contains("unknownissuer") || lower.contains("issuer") || lower.contains("pinned") {
        "it is another server than the configuration pins: compare ca_sha256 (in the configuration or the fleet file) with what the server shows"
    } else {
        "compare ca_sha256 (in the configuration or the fleet file) with what the server shows, and see the line about the time"
    };
    Failed { text: format!("the secure connection fails: {problem}"), advice }
}

/// The time that the server writes on its answers.
async fn date(server: &Server, stream: TlsStream<TcpStream>) -> Option<UtcMillis> {
    let (mut sender, http) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let host = format!("{}:{}", server.host, server.port);
    let request = Request::get("/health/live").header(HOST, host).body(Empty::<Bytes>::new()).ok()?;
    let answer = async {
        tokio::select! {
            answer = sender.send_request(request) => answer.ok(),
            _ = http => None,
        }
    };
    let answer = timeout(PATIENCE, answer).await.ok()??;
    let at = httpdate::parse_http_date(answer.headers().get(DATE)?.to_str().ok()?).ok()?;
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(UtcMillis)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::tests::config;
    use super::*;
    use crate::time::SystemClock;

    #[tokio::test]
    async fn a_server_that_can_not_be_reached_says_where_it_fails() {
        let mut config = config("");
        let time = Time::new(Arc::new(SystemClock), config.discipline.clone());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        config.server.address = Some(("127.0.0.1".to_owned(), listener.local_addr().unwrap().port()));
        config.fleet_files = vec![];
        drop(listener);
        let (date, findings) = server(&config, None, &time).await;
        assert_eq!((date, findings[0].verdict), (None, Verdict::Bad));
        assert!(findings[0].text.contains("nothing listens"), "{findings:?}");
    }

    #[test]
    fn the_advice_follows_the_reason() {
        for (problem, word) in [
            ("received fatal alert: CertificateRevoked", "revoked"),
            ("invalid peer certificate: Expired", "expired"),
            ("invalid peer certificate: UnknownIssuer", "pins"),
            ("invalid peer certificate: certificate not valid for name \"x\"", "another name"),
        ] {
            assert!(tls_failed(problem).advice.contains(word), "{problem}");
        }
    }
}
