//! A fleet's authority, and servers that do what a test tells them.
#![allow(dead_code)] // each test file uses its part

use agent::time::{BootClock, Discipline, SystemClock, Ticks, Time};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use shared::{Clock, UtcMillis};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub const PATIENT: Duration = Duration::from_secs(20);

/// A certificate with its key, PEM.
pub struct Certified {
    pub certificate: String,
    pub key: String,
}

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Tirta test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn sha256(&self) -> [u8; 32] {
        agent::trust::fingerprint(&self.pem()).unwrap()
    }

    /// A certificate for a server of these names, valid in these years.
    pub fn server(&self, name: &str, years: (i32, i32)) -> Certified {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Certified { certificate, key: key.serialize_pem() }
    }

    /// What the enrolment does with a request.
    pub fn sign(&self, csr: &str, name: &str) -> String {
        let mut request = rcgen::CertificateSigningRequestParams::from_pem(csr).unwrap();
        request.params.distinguished_name.push(DnType::CommonName, name);
        request.signed_by(&self.0).unwrap().pem()
    }

    /// The same, valid for these seconds, counted from now.
    pub fn sign_for(&self, csr: &str, name: &str, seconds: (i64, i64)) -> String {
        let mut request = rcgen::CertificateSigningRequestParams::from_pem(csr).unwrap();
        request.params.distinguished_name.push(DnType::CommonName, name);
        let at = |seconds: i64| {
            let since = u64::try_from(SystemClock.now().0 / 1000 + seconds).unwrap();
            rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(since)
        };
        (request.params.not_before, request.params.not_after) = (at(seconds.0), at(seconds.1));
        request.signed_by(&self.0).unwrap().pem()
    }

    /// A device's certificate.
    pub fn device(&self, name: &str) -> Certified {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Certified { certificate, key: key.serialize_pem() }
    }

    /// The TLS set-up of a server: it presents the authority too, as a pinning device needs it.
    pub fn tls(&self, server: &Certified, mutual: bool) -> Arc<ServerConfig> {
        let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let chain = vec![der(&server.certificate), der(&self.pem())];
        let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = builder.unwrap();
        let config = if mutual {
            let mut roots = RootCertStore::empty();
            roots.add(der(&self.pem())).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier).with_single_cert(chain, key)
        } else {
            builder.with_no_client_auth().with_single_cert(chain, key)
        };
        Arc::new(config.unwrap())
    }
}

pub fn synced() -> Time {
    Time::new(Arc::new(SystemClock), Discipline::Assumed)
}

pub fn unsynced() -> Time {
    Time::new(Arc::new(SystemClock), Discipline::File("/nowhere/synchronized".into()))
}

/// A wall clock that lies by so many milliseconds, and that nobody vouches for.
pub fn wrong_by(ms: i64) -> Time {
    struct Wrong(i64);
    impl Clock for Wrong {
        fn now(&self) -> UtcMillis {
            UtcMillis(SystemClock.now().0 + self.0)
        }
    }
    impl BootClock for Wrong {
        fn ticks(&self) -> Ticks {
            SystemClock.ticks()
        }
    }
    Time::new(Arc::new(Wrong(ms)), Discipline::File("/nowhere/synchronized".into()))
}

pub const YEAR_MS: i64 = 31_556_952_000;

/// Years in which a certificate is valid now, but not in 1970 and not in ten years.
pub fn these_years() -> (i32, i32) {
    let year = 1970 + i32::try_from(SystemClock.now().0 / YEAR_MS).unwrap();
    (year - 3, year + 3)
}

/// Clocks that no certificate of today is valid for.
pub fn wrong_clocks() -> [Time; 2] {
    [wrong_by(-SystemClock.now().0), wrong_by(10 * YEAR_MS)]
}

/// A TLS server that accepts one connection after the other.
pub struct Server {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    pub address: SocketAddr,
}

impl Server {
    pub async fn new(tls: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, acceptor: TlsAcceptor::from(tls), address }
    }

    /// From now on with another certificate, or for other devices.
    pub fn become_another(&mut self, tls: Arc<ServerConfig>) {
        self.acceptor = TlsAcceptor::from(tls);
    }

    /// The next question over HTTPS: its path, its content, and where the answer goes.
    pub async fn asked(&self) -> (String, serde_json::Value, Asked) {
        let mut stream = self.accept().await.unwrap();
        let mut bytes = vec![];
        loop {
            assert_ne!(timeout(PATIENT, stream.read_buf(&mut bytes)).await.unwrap().unwrap(), 0);
            let text = String::from_utf8_lossy(&bytes);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            if let Ok(body) = serde_json::from_str(body) {
                let path = head.split(' ').nth(1).unwrap().to_owned();
                return (path, body, Asked(stream));
            }
        }
    }

    /// The next connection; an error if its handshake fails.
    pub async fn accept(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let (tcp, _) = timeout(PATIENT, self.listener.accept()).await.unwrap()?;
        timeout(PATIENT, self.acceptor.accept(tcp)).await.unwrap()
    }
}

/// Somebody who waits for an answer over HTTPS.
pub struct Asked(TlsStream<TcpStream>);

impl Asked {
    pub async fn answer(mut self, status: u16, body: &serde_json::Value) {
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        self.0.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        self.0.shutdown().await.unwrap();
    }
}

/// A client of a broker that is a test, spoken with in bytes.
pub struct Session {
    stream: TlsStream<TcpStream>,
    /// The body of its CONNECT.
    pub connect: Vec<u8>,
}

/// A message that a client published.
#[derive(Debug, PartialEq)]
pub struct Published {
    pub topic: String,
    pub payload: String,
    pub retain: bool,
    pub id: [u8; 2],
}

impl Session {
    /// Accepts a client and reads its CONNECT.
    pub async fn accept(server: &Server) -> Self {
        let mut stream = server.accept().await.unwrap();
        let (kind, connect) = packet(&mut stream).await.unwrap();
        assert_eq!(kind & 0xf0, 0x10, "CONNECT");
        Self { stream, connect }
    }

    /// The same as [`Self::ready`], or `None` if its handshake fails.
    pub async fn try_ready(server: &Server) -> Option<Self> {
        let mut stream = server.accept().await.ok()?;
        let (_, connect) = packet(&mut stream).await?;
        let mut session = Self { stream, connect };
        session.send(&[0x20, 3, 0, 0, 0]).await;
        session.subscribed(1).await;
        Some(session)
    }

    /// Accepts a client and lets it connect and subscribe.
    pub async fn ready(server: &Server) -> Self {
        let mut session = Self::accept(server).await;
        session.send(&[0x20, 3, 0, 0, 0]).await;
        let filter = session.subscribed(1).await;
        assert_eq!(filter, "tirta/pi-7/down/#");
        session
    }

    /// The certificate that the client showed.
    pub fn shown(&self) -> Vec<u8> {
        self.stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Reads a SUBSCRIBE and answers it with a code.
    pub async fn subscribed(&mut self, code: u8) -> String {
        let (kind, body) = packet(&mut self.stream).await.unwrap();
        assert_eq!(kind, 0x82, "SUBSCRIBE");
        self.send(&[0x90, 4, body[0], body[1], 0, code]).await;
        let length = usize::from(u16::from_be_bytes([body[3], body[4]]));
        String::from_utf8(body[5..5 + length].to_vec()).unwrap()
    }

    /// The next message that the client publishes; `None` once it is gone.
    pub async fn published(&mut self) -> Option<Published> {
        loop {
            let (kind, body) = packet(&mut self.stream).await?;
            match kind & 0xf0 {
                0x30 => {
                    let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
                    let (topic, rest) = body[2..].split_at(length);
                    assert_eq!(rest[2], 0, "no properties");
                    return Some(Published {
                        topic: String::from_utf8(topic.to_vec()).unwrap(),
                        payload: String::from_utf8(rest[3..].to_vec()).unwrap(),
                        retain: kind & 1 == 1,
                        id: [rest[0], rest[1]],
                    });
                }
                // It says good-bye.
                0xe0 => return None,
                0x40 => {}
                _ => self.send(&[0xd0, 0]).await,
            }
        }
    }

    pub async fn acknowledge(&mut self, id: [u8; 2]) {
        self.send(&[0x40, 2, id[0], id[1]]).await;
    }

    /// Publishes to the client with QoS 0.
    pub async fn publish(&mut self, topic: &str, payload: &str) {
        let body = [&(topic.len() as u16).to_be_bytes()[..], topic.as_bytes(), &[0], payload.as_bytes()].concat();
        let mut bytes = vec![0x30];
        let mut length = body.len();
        while length >= 128 {
            bytes.push((length % 128) as u8 | 0x80);
            length /= 128;
        }
        bytes.push(length as u8);
        bytes.extend(body);
        self.send(&bytes).await;
    }
}

async fn packet(stream: &mut TlsStream<TcpStream>) -> Option<(u8, Vec<u8>)> {
    let read = async {
        let kind = stream.read_u8().await?;
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let byte = stream.read_u8().await?;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        std::io::Result::Ok((kind, body))
    };
    timeout(PATIENT, read).await.unwrap().ok()
}
