//! What the configuration says of the server, and where it looks for the rest. All of it may be absent: then the
//! fleet file says it, and the local network.

use super::ConfigError;
use serde::Deserialize;
use std::path::PathBuf;

/// Where a fleet file is looked for: on a USB stick first, because whoever plugs one in means it, then on the card's
/// boot partition, which any computer can write.
const FLEET_FILES: [&str; 5] = [
    "/media/*/tirta-fleet.toml",
    "/media/*/*/tirta-fleet.toml",
    "/run/media/*/*/tirta-fleet.toml",
    "/boot/firmware/tirta-fleet.toml",
    "/boot/tirta-fleet.toml",
];

/// The server, as far as the configuration names it. What is given wins over a fleet file.
#[derive(Debug, Clone, Default)]
pub struct Configured {
    /// Host name or address, and HTTPS port.
    pub address: Option<(String, u16)>,
    /// SHA-256 of the fleet's authority certificate.
    pub ca_sha256: Option<[u8; 32]>,
    /// The enrolment token.
    pub token: Option<Token>,
    /// Host and port to dial instead of what the enrolment answered.
    pub broker: Option<(String, u16)>,
}

/// Where the enrolment token comes from.
#[derive(Debug, Clone)]
pub enum Token {
    /// It stands in the configuration or in a fleet file.
    Inline(String),
    /// It is read from a file when it is needed.
    File(PathBuf),
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawServer {
    url: Option<String>,
    ca_sha256: Option<String>,
    token: Option<String>,
    token_file: Option<PathBuf>,
    broker: Option<String>,
}

impl RawServer {
    pub(super) fn check(self) -> Result<Configured, ConfigError> {
        let address = self.url.map(|url| parse_url(&url)).transpose();
        let address = address.map_err(|problem| ConfigError::field("server.url", problem))?;
        let ca_sha256 = self.ca_sha256.map(|text| parse_sha256(&text)).transpose();
        let ca_sha256 = ca_sha256.map_err(|problem| ConfigError::field("server.ca_sha256", problem))?;
        let token = match (self.token, self.token_file) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::field("server.token", "give token or token_file, not both"));
            }
            (Some(text), None) => Some(Token::Inline(text)),
            (None, Some(file)) => Some(Token::File(file)),
            (None, None) => None,
        };
        let broker = self.broker.map(|text| parse_address(&text)).transpose()?;
        Ok(Configured { address, ca_sha256, token, broker })
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawFleet {
    files: Option<Vec<PathBuf>>,
}

impl RawFleet {
    pub(super) fn check(self) -> Result<Vec<PathBuf>, ConfigError> {
        let Some(files) = self.files else { return Ok(FLEET_FILES.map(PathBuf::from).into()) };
        match files.iter().find(|file| !file.is_absolute() || file.file_name().is_none_or(|name| name == "*")) {
            Some(file) => {
                let problem = format!(
                    "{file:?}: give the whole path of a file, such as \"/boot/tirta-fleet.toml\"; \"*\" may stand for a folder"
                );
                Err(ConfigError::field("fleet.files", problem))
            }
            None => Ok(files),
        }
    }
}

/// Host and port of an address, or what is wrong with it.
pub(crate) fn parse_url(url: &str) -> Result<(String, u16), String> {
    let bad = |problem: &str| format!("{url:?}: {problem}");
    let uri: hyper::Uri = url.parse().map_err(|_| bad("use a form such as https://tirta.local:8443"))?;
    if uri.scheme_str() != Some("https") {
        return Err(bad("it must begin with https://, a token is never sent in the clear"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(bad("give only host and port, no path"));
    }
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| bad("the host is missing"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((host.to_owned(), uri.port_u16().unwrap_or(443)))
}

fn parse_address(address: &str) -> Result<(String, u16), ConfigError> {
    let parsed = address.rsplit_once(':').and_then(|(host, port)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().ok().filter(|port| *port != 0)?;
        (!host.is_empty()).then(|| (host.to_owned(), port))
    });
    parsed.ok_or_else(|| ConfigError::field("server.broker", format!("{address:?}: use host:port")))
}

/// A certificate's SHA-256, or what is wrong with it.
pub(crate) fn parse_sha256(text: &str) -> Result<[u8; 32], String> {
    let bad = || {
        "64 hexadecimal digits are needed: the SHA-256 of the authority's certificate (DER), as the server prints it"
            .to_owned()
    };
    // openssl prints it with colons.
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    if digits.len() != 64 {
        return Err(bad());
    }
    let mut sum = [0; 32];
    for (byte, pair) in sum.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
        *byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(bad)?;
    }
    Ok(sum)
}
