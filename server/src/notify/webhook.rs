//! News as a signed HTTP request to somebody else's address. Follows no redirect: what is signed for one goes to nobody else.

use super::{Answer, Channel, Problem, WEBHOOK};
use crate::alert::{News, What};
use crate::config;
use crate::digest::hex;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Uri, body::Bytes, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use ring::hmac;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use shared::Clock;
use std::{error::Error, path::PathBuf, sync::Arc, time::Duration};

/// From the name's look-up to the end of the answer.
const ATTEMPT: Duration = Duration::from_secs(10);
/// What an answer says is not read, only drained, so that the connection can be used again.
const LONGEST_ANSWER: usize = 64 * 1024;
/// A shorter secret can be guessed.
const SHORTEST_SECRET: usize = 16;

/// Why a webhook of the configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// A file can't be read.
    #[error("alerts.webhook {name}: {}: {error}", path.display())]
    File {
        /// Which webhook.
        name: String,
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The secret is too short.
    #[error("alerts.webhook {name}: the secret in secret_file has less than {SHORTEST_SECRET} bytes")]
    Secret {
        /// Which webhook.
        name: String,
    },
    /// The authorities can't be used.
    #[error("alerts.webhook {name}: ca_file: {why}")]
    Authorities {
        /// Which webhook.
        name: String,
        /// Why.
        why: String,
    },
}

/// One receiver.
pub struct Webhook {
    channel: String,
    url: Uri,
    key: hmac::Key,
    events: Option<Vec<What>>,
    clock: Arc<dyn Clock>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Webhook {
    /// Reads the secret; connects to nobody yet.
    ///
    /// # Errors
    /// When a file can't be read or used.
    pub fn open(config: &config::Webhook, clock: Arc<dyn Clock>) -> Result<Self, WebhookError> {
        let read = |path: &PathBuf| {
            let (name, path) = (config.name.clone(), path.clone());
            std::fs::read(&path).map_err(|error| WebhookError::File { name, path, error })
        };
        let secret = read(&config.secret_file)?;
        // The line feed at the end is the editor's.
        let secret = secret.trim_ascii();
        if secret.len() < SHORTEST_SECRET {
            return Err(WebhookError::Secret { name: config.name.clone() });
        }
        let extra = config.ca_file.as_ref().map(read).transpose()?;
        let tls = tls(extra.as_deref()).map_err(|why| WebhookError::Authorities { name: config.name.clone(), why })?;
        // Which schemes may be used was decided when the configuration was read.
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        Ok(Self {
            channel: format!("{WEBHOOK}{}", config.name),
            url: config.url.clone(),
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
            events: config.events.clone(),
            clock,
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    async fn post(&self, news: &News) -> Result<(), Problem> {
        let body = serde_json::to_string(news).map_err(|error| Problem(error.to_string()))?;
        let timestamp = (self.clock.now().0 / 1000).to_string();
        let request = Request::post(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("tirta-server/", env!("CARGO_PKG_VERSION")))
            .header("idempotency-key", &news.key)
            .header("tirta-signature", format!("v1={}", sign(&self.key, &timestamp, &body)))
            .header("tirta-timestamp", timestamp)
            .body(Full::from(body))
            .map_err(|error| Problem(error.to_string()))?;
        let answer = self.client.request(request).await.map_err(|error| Problem(in_full(&error)))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(Problem(format!("it answered {status}")));
        }
        // It has been taken: whatever goes wrong now is no reason to send it again.
        let _ = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
        Ok(())
    }
}

impl Channel for Webhook {
    fn name(&self) -> &str {
        &self.channel
    }

    fn host(&self) -> Option<String> {
        self.url.host().map(str::to_owned)
    }

    fn wants(&self, what: What) -> bool {
        self.events.as_ref().is_none_or(|events| events.contains(&what))
    }

    fn deliver<'a>(&'a self, news: &'a News) -> Answer<'a> {
        Box::pin(async move {
            match tokio::time::timeout(ATTEMPT, self.post(news)).await {
                Ok(done) => done,
                Err(_) => Err(Problem(format!("no answer within {} s", ATTEMPT.as_secs()))),
            }
        })
    }
}

/// Hexadecimal HMAC-SHA256 of `timestamp.body`: whoever has the secret knows that nobody changed it on its way, and when it left.
fn sign(key: &hmac::Key, timestamp: &str, body: &str) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(timestamp.as_bytes());
    context.update(b".");
    context.update(body.as_bytes());
    hex(context.sign().as_ref())
}

/// The public authorities, and those in a PEM file.
fn tls(extra: Option<&[u8]>) -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in extra.map(CertificateDer::pem_slice_iter).into_iter().flatten() {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

/// An error and its causes: the client's own words say only that it could not connect.
fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_that_any_other_program_computes() {
        // printf '1763690400.{"v":1}' | openssl dgst -sha256 -hmac 'not so secret as that'
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"not so secret as that");
        let expected = "821686591142f5ff771641e89334defbef98346115ca6075eb1f3b823be95bfb";
        assert_eq!(sign(&key, "1763690400", "{\"v\":1}"), expected);
    }
}
