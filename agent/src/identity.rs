//! Who this device is: the files that its enrolment left, and what becomes of them. Knows no network.
//!
//! The key never leaves the device, and its file says for which board it was made. `identity.toml` is written last,
//! so it is there only when the rest is complete; a power cut in between leaves "not enrolled", with the same key.
//! A renewed certificate and its authority are first written together into one file, which counts from then on.

mod board;
mod copied;

pub use board::SerialSources;

use crate::files::write_atomically;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde::{Deserialize, Serialize};
use shared::enrol::Broker;
use shared::{DeviceName, Serial};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a device has no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It is no Raspberry Pi, or its kernel hides the serial.
    #[error("this board has no serial; set `serial` in the configuration if all its probes are simulated")]
    NoSerial,
    /// A file can't be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file was changed by hand or by a broken card.
    #[error("{path}: {problem}; move the file away to let the device enrol anew")]
    Broken {
        /// Which one.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The key can't be made or used.
    #[error("the device's key: {0}")]
    Key(#[from] rcgen::Error),
}

/// The server that this device enrolled at, or has followed since: how a device that was told no address finds it
/// again where multicast DNS is silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The host to dial.
    pub host: String,
    /// Its HTTPS port.
    pub port: u16,
    /// The name that its certificate has.
    pub tls_name: String,
}

/// What the enrolment gave this device.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its name.
    pub name: DeviceName,
    /// Where the broker listens.
    pub broker: Broker,
    /// The server; absent in the files of older agents.
    pub server: Option<Origin>,
    /// Its private key, PEM.
    pub key: String,
    /// Its certificate, PEM.
    pub certificate: String,
    /// The fleet's authority, PEM.
    pub ca: String,
}

/// `identity.toml`.
#[derive(Debug, Serialize, Deserialize)]
struct Card {
    name: DeviceName,
    serial: Serial,
    broker: Broker,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<Origin>,
}

/// A certificate with the authority that it is used with: `renewed.toml`.
#[derive(Debug, Serialize, Deserialize)]
struct Renewed {
    certificate: String,
    ca: String,
}

/// The key's file.
struct StoredKey {
    /// For whom it was made; older agents did not say it.
    board: Option<Serial>,
    pem: String,
}

/// Before the key in its file, on a line of its own: PEM allows such text.
const MADE_FOR: &str = "Board: ";

/// The folder that holds a device's identity.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

impl Home {
    /// The files below `data_dir`.
    pub fn new(data_dir: &Path) -> Self {
        Self(data_dir.to_owned())
    }

    fn card(&self) -> PathBuf {
        self.0.join("identity.toml")
    }

    fn key(&self) -> PathBuf {
        self.0.join("device.key")
    }

    fn renewed(&self) -> PathBuf {
        self.0.join("renewed.toml")
    }

    /// The identity of the board with this serial; `None` if it has not enrolled, or if what lies here is another
    /// board's. Changes nothing.
    ///
    /// # Errors
    /// When a file is broken.
    pub fn load(&self, board: Serial) -> Result<Option<Identity>, IdentityError> {
        let path = self.card();
        let Some(card) = self.read_card()? else { return Ok(None) };
        // Without its key it is nobody's: the key is the first thing that goes when an identity ends.
        let Some(key) = self.read_key()? else { return Ok(None) };
        if card.serial != board || key.board.is_some_and(|made_for| made_for != board) {
            return Ok(None);
        }
        let needed = |name: &str| {
            read_if_there(&self.0.join(name))?.ok_or_else(|| broken(&path, &format!("{name} is missing beside it")))
        };
        let Renewed { certificate, ca } = match self.read_renewed()? {
            Some(renewed) => renewed,
            None => Renewed { certificate: needed("device.pem")?, ca: needed("ca.pem")? },
        };
        let Card { name, broker, server, .. } = card;
        Ok(Some(Identity { name, broker, server, key: key.pem, certificate, ca }))
    }

    /// The name on the card, whosever it is: for whoever may not read the key.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn name(&self, board: Serial) -> Result<Option<DeviceName>, IdentityError> {
        Ok(self.read_card()?.filter(|card| card.serial == board).map(|card| card.name))
    }

    /// The key of this board: made and saved before anything is asked of a server, so that a request whose
    /// answer was lost is repeated with the same key.
    ///
    /// # Errors
    /// When it can't be made, saved or read, or is another board's.
    pub fn key_pair(&self, board: Serial) -> Result<KeyPair, IdentityError> {
        let path = self.key();
        if let Some(StoredKey { board: made_for, pem }) = self.read_key()? {
            let key = KeyPair::from_pem(&pem).map_err(|error| broken(&path, &error.to_string()))?;
            match made_for {
                Some(made_for) if made_for != board => {
                    return Err(broken(&path, &format!("it was made for the board {made_for}, this is {board}")));
                }
                Some(_) => {}
                None => self.write_key(board, &pem)?,
            }
            return Ok(key);
        }
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        self.write_key(board, &key.serialize_pem())?;
        Ok(key)
    }

    /// Saves what the enrolment gave.
    ///
    /// # Errors
    /// When a file can't be written; the device then counts as not enrolled.
    pub fn save(&self, board: Serial, identity: &Identity) -> Result<(), IdentityError> {
        copied::remove(&self.renewed())?;
        write(&self.0.join("device.pem"), &identity.certificate, 0o644)?;
        write(&self.0.join("ca.pem"), &identity.ca, 0o644)?;
        let (name, broker) = (identity.name.clone(), identity.broker.clone());
        self.write_card(&Card { name, serial: board, broker, server: identity.server.clone() })?;
        self.named(&identity.name)
    }

    /// Remembers where the server is now; the rest of the identity stays as it is.
    ///
    /// # Errors
    /// When the file can't be read or written.
    pub fn remember(&self, board: Serial, server: &Origin) -> Result<(), IdentityError> {
        // It may have been put away meanwhile.
        match self.read_card()?.filter(|card| card.serial == board) {
            Some(card) => self.write_card(&Card { server: Some(server.clone()), ..card }),
            None => Ok(()),
        }
    }

    /// Replaces the certificate and the authority, together: at any power cut either both are old or both are new.
    ///
    /// # Errors
    /// When a file can't be written; the next start completes what was begun.
    pub fn renew(&self, certificate: &str, ca: &str) -> Result<(), IdentityError> {
        let path = self.renewed();
        let renewed = Renewed { certificate: certificate.to_owned(), ca: ca.to_owned() };
        let text = toml::to_string(&renewed).map_err(|error| broken(&path, &error.to_string()))?;
        write(&path, &text, 0o644)?;
        self.complete_renewal()
    }

    fn complete_renewal(&self) -> Result<(), IdentityError> {
        if let Some(Renewed { certificate, ca }) = self.read_renewed()? {
            write(&self.0.join("device.pem"), &certificate, 0o644)?;
            write(&self.0.join("ca.pem"), &ca, 0o644)?;
            copied::remove(&self.renewed())?;
        }
        Ok(())
    }

    /// The server no longer knows this key: wipes it, and the identity that it stood for.
    ///
    /// # Errors
    /// When a file can't be removed. Once the key is gone the device counts as not enrolled.
    pub fn put_away(&self) -> Result<(), IdentityError> {
        copied::remove(&self.key())?;
        self.let_go()
    }

    /// Its certificate can't be renewed any more: gives the identity up, but not the key, with which the server knows
    /// this device when it enrols again.
    ///
    /// # Errors
    /// When a file can't be removed.
    pub fn let_go(&self) -> Result<(), IdentityError> {
        copied::remove(&self.card())?;
        copied::remove(&self.renewed())
    }

    fn read_card(&self) -> Result<Option<Card>, IdentityError> {
        let path = self.card();
        let Some(text) = read_if_there(&path)? else { return Ok(None) };
        toml::from_str(&text).map(Some).map_err(|error| broken(&path, error.message()))
    }

    fn read_renewed(&self) -> Result<Option<Renewed>, IdentityError> {
        let path = self.renewed();
        let Some(text) = read_if_there(&path)? else { return Ok(None) };
        toml::from_str(&text).map(Some).map_err(|error| broken(&path, error.message()))
    }

    fn read_key(&self) -> Result<Option<StoredKey>, IdentityError> {
        let Some(text) = read_if_there(&self.key())? else { return Ok(None) };
        let begin = text.find("-----BEGIN").unwrap_or(0);
        let (before, pem) = text.split_at(begin);
        let board = before.lines().find_map(|line| line.strip_prefix(MADE_FOR)?.parse().ok());
        Ok(Some(StoredKey { board, pem: pem.to_owned() }))
    }

    fn write_key(&self, board: Serial, pem: &str) -> Result<(), IdentityError> {
        write(&self.key(), &format!("{MADE_FOR}{board}\n{pem}"), 0o600)
    }

    fn write_card(&self, card: &Card) -> Result<(), IdentityError> {
        let path = self.card();
        let text = toml::to_string(card).map_err(|error| broken(&path, &error.to_string()))?;
        write(&path, &text, 0o644)
    }
}

/// A request to certify this key for this serial, PEM.
///
/// # Errors
/// When it can't be signed.
pub fn certificate_request(key: &KeyPair, serial: Serial) -> Result<String, IdentityError> {
    let mut params = CertificateParams::new(vec![])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, serial.to_string());
    Ok(params.serialize_request(key)?.pem()?)
}

fn broken(path: &Path, problem: &str) -> IdentityError {
    IdentityError::Broken { path: path.to_owned(), problem: problem.to_owned() }
}

fn read_if_there(path: &Path) -> Result<Option<String>, IdentityError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(IdentityError::File { path: path.to_owned(), error }),
    }
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), IdentityError> {
    write_atomically(path, text.as_bytes(), mode).map_err(|error| IdentityError::File { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests;
