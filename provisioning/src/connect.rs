//! One HTTP exchange with a server, over TLS or over loopback. Knows nothing of what is said.

use crate::client::ClientError;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, Uri, body::Bytes, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

/// A server that does not answer a usual question within this time is down.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Longer answers are not for a command line.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Where the server is, and how to reach it.
#[derive(Clone)]
pub struct Address {
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
}

impl Address {
    /// Reads an address such as `https://tirta.local:8443` or `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When it is none, when it is plain HTTP to another machine, or when HTTPS has no authority to trust.
    pub fn parse(server: &str, ca: Option<&Path>) -> Result<Self, ClientError> {
        let refuse = |why: &str| ClientError::Address { server: server.to_owned(), why: why.to_owned() };
        let uri: Uri = server.parse().map_err(|_| refuse("write it as https://HOST:PORT or http://127.0.0.1:PORT"))?;
        let host = uri.host().ok_or_else(|| refuse("it names no host"))?.trim_matches(['[', ']']).to_owned();
        match uri.scheme_str() {
            Some("http") if is_loopback(&host) => Ok(Self { host, port: uri.port_u16().unwrap_or(80), tls: None }),
            Some("http") => Err(refuse("plain HTTP would show the password to the network: use https:// and --ca")),
            Some("https") => {
                let ca = ca.ok_or_else(|| refuse("https needs --ca FILE, the server's own ca.pem"))?;
                Ok(Self { host, port: uri.port_u16().unwrap_or(443), tls: Some(trust_only(ca)?) })
            }
            _ => Err(refuse("it must begin with https:// or http://")),
        }
    }

    /// The value of the header `Host`.
    pub fn authority(&self) -> String {
        let bracketed = self.host.contains(':');
        if bracketed { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }

    /// Sends one request on a connection of its own; the answer must be there within `patience`.
    ///
    /// # Errors
    /// When the server can't be reached, is not trusted, or answers too late or too much.
    pub async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        patience: Duration,
    ) -> Result<Response<Bytes>, ClientError> {
        timeout(patience, self.exchange_patiently(request)).await.map_err(|_| self.unreachable("it does not answer"))?
    }

    /// The same for an answer of any length: what is in a good one goes to `sink` as it comes, and each part of it must come
    /// within `patience`. `false` from the sink ends it. Only the body of a refusal is in what is returned.
    ///
    /// # Errors
    /// As [`Address::exchange`], and when the server breaks off.
    pub async fn download(
        &self,
        request: Request<Full<Bytes>>,
        patience: Duration,
        mut sink: impl FnMut(&[u8]) -> bool,
    ) -> Result<Response<Bytes>, ClientError> {
        let late = |_| self.unreachable("it does not answer");
        let answer = timeout(patience, self.begin(request)).await.map_err(late)??;
        let (head, mut body) = answer.into_parts();
        if !head.status.is_success() {
            let bytes = timeout(patience, Limited::new(body, MAX_ANSWER).collect()).await.map_err(late)?;
            return Ok(Response::from_parts(head, bytes.map_err(|e| self.unreachable(e))?.to_bytes()));
        }
        while let Some(part) = timeout(patience, body.frame()).await.map_err(late)? {
            let part = part.map_err(|e| self.unreachable(format!("it broke off: {e}")))?;
            if part.data_ref().is_some_and(|bytes| !sink(bytes)) {
                break;
            }
        }
        Ok(Response::from_parts(head, Bytes::new()))
    }

    async fn exchange_patiently(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, ClientError> {
        let (head, body) = self.begin(request).await?.into_parts();
        let bytes = Limited::new(body, MAX_ANSWER).collect().await.map_err(|e| self.unreachable(e))?.to_bytes();
        Ok(Response::from_parts(head, bytes))
    }

    async fn begin(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ClientError> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|e| self.unreachable(e))?;
        match &self.tls {
            None => self.send(tcp, request).await,
            Some(connector) => {
                let name = ServerName::try_from(self.host.clone()).map_err(|e| self.unreachable(e))?;
                let tls = connector.connect(name, tcp).await.map_err(|e| self.unreachable(e))?;
                self.send(tls, request).await
            }
        }
    }

    async fn send<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| self.unreachable(e))?;
        // It ends with the answer, because the sender is dropped then.
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(|e| self.unreachable(e))
    }

    fn unreachable(&self, why: impl ToString) -> ClientError {
        ClientError::Unreachable { server: self.authority(), why: why.to_string() }
    }
}

/// Whether only this machine finds something at this host.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Trusts what this one authority has signed and nothing else.
fn trust_only(ca: &Path) -> Result<TlsConnector, ClientError> {
    let refuse = |why: String| ClientError::Ca { file: ca.to_owned(), why };
    let pem = std::fs::read(ca).map_err(|e| refuse(e.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.map_err(|e| refuse(e.to_string()))?).map_err(|e| refuse(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refuse("it holds no certificate".to_owned()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| refuse(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080"] {
            assert!(Address::parse(good, None).is_ok(), "{good}");
        }
        for bad in ["http://tirta.local:8080", "http://10.0.0.1", "ftp://127.0.0.1", "127.0.0.1:8080", ""] {
            assert!(Address::parse(bad, None).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn https_wants_the_authority_and_says_so() {
        let why = Address::parse("https://tirta.local:8443", None).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(why.contains("--ca FILE"), "{why}");
        let missing = Address::parse("https://tirta.local:8443", Some(Path::new("/nowhere/ca.pem")));
        assert!(matches!(missing, Err(ClientError::Ca { .. })));
    }

    #[test]
    fn an_address_of_six_groups_is_bracketed_again() {
        assert_eq!(Address::parse("http://[::1]:8080", None).unwrap().authority(), "[::1]:8080");
    }
}
