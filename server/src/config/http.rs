//! The table `[http]` of the configuration: where it listens, which other sites may ask, and who may read what is counted.

use super::ConfigError;
use crate::digest::sha256_hex;
use hyper::Uri;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// A shorter token can be guessed.
const SHORTEST_TOKEN: usize = 16;

/// Who else may ask over HTTP, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Http {
    /// Pages of these origins may ask the interface, with a token of their own; nobody else's page.
    pub cors_origins: Vec<String>,
    /// A file with the token that Prometheus shows; without one there is nothing to read.
    pub metrics_token_file: Option<PathBuf>,
}

impl Http {
    /// SHA-256 of the token that a monitoring system has to show.
    ///
    /// # Errors
    /// When its file can't be read, or holds none.
    pub fn metrics_token(&self) -> Result<Option<String>, ConfigError> {
        const KEY: &str = "http.metrics_token_file";
        let Some(path) = &self.metrics_token_file else { return Ok(None) };
        let token = std::fs::read(path)
            .map_err(|error| ConfigError::Value { key: KEY, why: format!("{}: {error}", path.display()) })?;
        // The line feed at the end is the editor's.
        let token = token.trim_ascii();
        if token.len() < SHORTEST_TOKEN {
            let why =
                format!("the token in it has less than {SHORTEST_TOKEN} bytes: make one with openssl rand -hex 24");
            return Err(ConfigError::Value { key: KEY, why });
        }
        Ok(Some(sha256_hex(token)))
    }
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) https: SocketAddr,
    pub(super) plain: Option<SocketAddr>,
    #[serde(default)]
    cors_origins: Vec<String>,
    metrics_token_file: Option<PathBuf>,
}

impl Table {
    pub(super) fn check(self) -> Result<Http, ConfigError> {
        for origin in &self.cors_origins {
            if !is_origin(origin) {
                let why = format!(
                    "{origin:?}: write each as browsers send it, https://HOST or https://HOST:PORT in small letters without \
                     a path; http:// only for this machine, and never \"*\""
                );
                return Err(ConfigError::Value { key: "http.cors_origins", why });
            }
        }
        Ok(Http { cors_origins: self.cors_origins, metrics_token_file: self.metrics_token_file })
    }
}

fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(scheme), Some(host), Some(authority)) = (uri.scheme_str(), uri.host(), uri.authority()) else {
        return false;
    };
    let near = host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    // What is left out is the port that the scheme has anyway: no browser sends it.
    let usual = if scheme == "https" { ":443" } else { ":80" };
    (scheme == "https" || (scheme == "http" && near))
        && text == format!("{scheme}://{authority}")
        && text == text.to_lowercase()
        && !authority.as_str().contains(['@', '*'])
        && !authority.as_str().ends_with(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(more: &str) -> Result<Http, String> {
        let text = format!("https = \"0.0.0.0:8443\"\n{more}");
        toml::from_str::<Table>(&text).map_err(|e| e.to_string())?.check().map_err(|e| e.to_string())
    }

    #[test]
    fn nobody_else_may_ask_unless_it_is_said() {
        assert_eq!(table("").unwrap(), Http::default());
        assert_eq!(Http::default().metrics_token().unwrap(), None);
    }

    #[test]
    fn an_origin_is_what_a_browser_sends_and_nothing_looser() {
        for good in ["https://maps.example", "https://maps.example:8443", "http://localhost:5173", "http://[::1]:3000"]
        {
            assert_eq!(table(&format!("cors_origins = [\"{good}\"]")).unwrap().cors_origins, [good]);
        }
        for bad in [
            "*",
            "null",
            "",
            "maps.example",
            "http://maps.example",
            "https://*.example",
            "https://maps.example/",
            "https://maps.example/page",
            "https://Maps.example",
            "https://maps.example:443",
            "https://me@maps.example",
        ] {
            let why = table(&format!("cors_origins = [\"{bad}\"]")).unwrap_err();
            assert!(why.contains("http.cors_origins: ") && why.contains("https://HOST"), "{bad}: {why}");
        }
    }

    #[test]
    fn a_token_is_read_from_its_file_and_one_that_can_be_guessed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("metrics.token");
        let http = Http { metrics_token_file: Some(file.clone()), ..Http::default() };
        assert!(http.metrics_token().unwrap_err().to_string().contains("http.metrics_token_file: "));
        std::fs::write(&file, "short\n").unwrap();
        let why = http.metrics_token().unwrap_err().to_string();
        assert!(why.contains("less than 16 bytes") && !why.contains("short"), "{why}");
        std::fs::write(&file, "0123456789abcdef\n").unwrap();
        assert_eq!(http.metrics_token().unwrap(), Some(sha256_hex(b"0123456789abcdef")));
    }
}
