//! Who this device is: its board's serial, and the files that its enrolment left. Knows no network.
//!
//! The key never leaves the device. `identity.toml` is written last, so it is there only when the
//! rest is complete; a power cut in between leaves "not enrolled", with the same key.

use crate::files::write_atomically;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde::{Deserialize, Serialize};
use shared::enrol::Broker;
use shared::{DeviceName, Serial};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Where a Raspberry Pi's serial is found.
#[derive(Debug, Clone)]
pub struct SerialSources {
    /// The device tree's node: digits and a final NUL.
    pub device_tree: PathBuf,
    /// The kernel's text with a line `Serial : ...` (Raspberry Pi OS; Debian's kernel has none).
    pub cpuinfo: PathBuf,
}

impl Default for SerialSources {
    fn default() -> Self {
        Self { device_tree: PathBuf::from("/proc/device-tree/serial-number"), cpuinfo: PathBuf::from("/proc/cpuinfo") }
    }
}

impl SerialSources {
    /// The board's serial.
    ///
    /// # Errors
    /// When neither place has one.
    pub fn read(&self) -> Result<Serial, IdentityError> {
        let device_tree = std::fs::read_to_string(&self.device_tree).ok();
        if let Some(serial) = device_tree.and_then(|text| text.parse().ok()) {
            return Ok(serial);
        }
        let cpuinfo = std::fs::read_to_string(&self.cpuinfo).unwrap_or_default();
        let line = cpuinfo.lines().find_map(|line| line.strip_prefix("Serial")?.trim_start().strip_prefix(':'));
        line.and_then(|digits| digits.parse().ok()).ok_or(IdentityError::NoSerial)
    }
}

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
    /// The card was moved or copied to another board.
    #[error(
        "{path} belongs to the board with serial {enrolled}, this one is {board}: the card was moved or cloned; \
         empty data_dir to enrol this board as a device of its own"
    )]
    OtherBoard {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        enrolled: Serial,
        /// What board this is.
        board: Serial,
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

    /// The identity of the board with this serial; `None` if it has not enrolled.
    ///
    /// # Errors
    /// When a file is broken, or belongs to another board.
    pub fn load(&self, board: Serial) -> Result<Option<Identity>, IdentityError> {
        let path = self.card();
        let Some(text) = read_if_there(&path)? else { return Ok(None) };
        let card: Card = toml::from_str(&text).map_err(|error| broken(&path, error.message()))?;
        if card.serial != board {
            return Err(IdentityError::OtherBoard { path, enrolled: card.serial, board });
        }
        let needed = |name: &str| {
            let path = self.0.join(name);
            read_if_there(&path)?.ok_or_else(|| broken(&card_path(&self.0), &format!("{name} is missing beside it")))
        };
        Ok(Some(Identity {
            name: card.name,
            broker: card.broker,
            server: card.server,
            key: needed("device.key")?,
            certificate: needed("device.pem")?,
            ca: needed("ca.pem")?,
        }))
    }

    /// The device's key: made and saved before anything is asked of a server, so that a request whose
    /// answer was lost is repeated with the same key.
    ///
    /// # Errors
    /// When it can't be made, saved or read.
    pub fn key_pair(&self) -> Result<KeyPair, IdentityError> {
        let path = self.key();
        if let Some(pem) = read_if_there(&path)? {
            return KeyPair::from_pem(&pem).map_err(|error| broken(&path, &error.to_string()));
        }
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        write(&path, &key.serialize_pem(), 0o600)?;
        Ok(key)
    }

    /// Saves what the enrolment gave.
    ///
    /// # Errors
    /// When a file can't be written; the device then counts as not enrolled.
    pub fn save(&self, board: Serial, identity: &Identity) -> Result<(), IdentityError> {
        write(&self.0.join("device.pem"), &identity.certificate, 0o644)?;
        write(&self.0.join("ca.pem"), &identity.ca, 0o644)?;
        let (name, broker) = (identity.name.clone(), identity.broker.clone());
        self.write_card(&Card { name, serial: board, broker, server: identity.server.clone() })
    }

    /// Remembers where the server is now; the rest of the identity stays as it is.
    ///
    /// # Errors
    /// When the file can't be read or written.
    pub fn remember(&self, board: Serial, server: &Origin) -> Result<(), IdentityError> {
        let path = self.card();
        let Some(text) = read_if_there(&path)? else { return Ok(()) };
        let card: Card = toml::from_str(&text).map_err(|error| broken(&path, error.message()))?;
        if card.serial != board {
            return Err(IdentityError::OtherBoard { path, enrolled: card.serial, board });
        }
        self.write_card(&Card { server: Some(server.clone()), ..card })
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

fn card_path(folder: &Path) -> PathBuf {
    folder.join("identity.toml")
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
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    fn serial(text: &str) -> Serial {
        text.parse().unwrap()
    }

    fn sources(device_tree: Option<&str>, cpuinfo: &str) -> (TempDir, SerialSources) {
        let folder = tempfile::tempdir().unwrap();
        let sources =
            SerialSources { device_tree: folder.path().join("serial-number"), cpuinfo: folder.path().join("cpuinfo") };
        if let Some(text) = device_tree {
            std::fs::write(&sources.device_tree, text).unwrap();
        }
        std::fs::write(&sources.cpuinfo, cpuinfo).unwrap();
        (folder, sources)
    }

    const CPUINFO: &str = "Hardware\t: BCM2835\nRevision\t: a02082\nSerial\t\t: 00000000cafebabe\nModel\t\t: Pi\n";

    #[test]
    fn the_serial_comes_from_the_device_tree_then_from_cpuinfo() {
        let (_folder, both) = sources(Some("10000000deadbeef\0"), CPUINFO);
        assert_eq!(both.read().unwrap(), serial("10000000deadbeef"));
        let (_folder, text_only) = sources(None, CPUINFO);
        assert_eq!(text_only.read().unwrap(), serial("00000000cafebabe"));
        let (_folder, none) = sources(Some("\0"), "processor\t: 0\nSerialised: no\n");
        assert!(matches!(none.read(), Err(IdentityError::NoSerial)));
    }

    fn identity() -> Identity {
        Identity {
            name: DeviceName::numbered(7),
            broker: Broker { host: None, port: 8883 },
            server: None,
            key: String::new(),
            certificate: "certificate".to_owned(),
            ca: "ca".to_owned(),
        }
    }

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        let first = home.key_pair().unwrap();
        assert_eq!(home.key_pair().unwrap().serialize_pem(), first.serialize_pem());
        let mode = std::fs::metadata(home.key()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_identity_that_was_saved_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        let board = serial("10000000deadbeef");
        assert!(home.load(board).unwrap().is_none());
        let key = home.key_pair().unwrap();
        assert!(home.load(board).unwrap().is_none(), "a key alone is no identity");
        home.save(board, &identity()).unwrap();
        let loaded = home.load(board).unwrap().unwrap();
        assert_eq!((loaded.name.as_str(), loaded.broker.port), ("pi-7", 8883));
        assert_eq!((loaded.certificate.as_str(), loaded.ca.as_str()), ("certificate", "ca"));
        assert_eq!(loaded.key, key.serialize_pem());
    }

    #[test]
    fn where_the_server_is_now_is_remembered_and_nothing_else_changes() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        let board = serial("10000000deadbeef");
        let origin = Origin { host: "10.0.0.7".to_owned(), port: 8443, tls_name: "tirta.local".to_owned() };
        home.remember(board, &origin).unwrap();
        assert!(home.load(board).unwrap().is_none(), "nobody is enrolled by it");
        home.key_pair().unwrap();
        home.save(board, &identity()).unwrap();
        assert_eq!(home.load(board).unwrap().unwrap().server, None);
        home.remember(board, &origin).unwrap();
        let loaded = home.load(board).unwrap().unwrap();
        assert_eq!(
            (loaded.server, loaded.name, loaded.broker),
            (Some(origin.clone()), identity().name, identity().broker)
        );
        assert!(home.remember(serial("00000000cafebabe"), &origin).is_err(), "it is another board's");
    }

    #[test]
    fn a_card_in_another_board_is_not_silently_the_same_device() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        home.key_pair().unwrap();
        home.save(serial("10000000deadbeef"), &identity()).unwrap();
        let error = home.load(serial("00000000cafebabe")).unwrap_err().to_string();
        assert!(error.contains("moved or cloned") && error.contains("10000000deadbeef"), "{error}");
    }

    #[test]
    fn a_broken_file_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        std::fs::write(home.key(), "-----BEGIN PRIV").unwrap();
        let error = home.key_pair().unwrap_err().to_string();
        assert!(error.contains("device.key") && error.contains("enrol anew"), "{error}");
        std::fs::write(home.card(), "name = \"pi/7\"").unwrap();
        assert!(home.load(serial("10000000deadbeef")).unwrap_err().to_string().contains("identity.toml"));
    }

    #[test]
    fn a_request_carries_the_serial_and_no_private_key() {
        let folder = tempfile::tempdir().unwrap();
        let key = Home::new(folder.path()).key_pair().unwrap();
        let pem = certificate_request(&key, serial("10000000deadbeef")).unwrap();
        let params = rcgen::CertificateSigningRequestParams::from_pem(&pem).unwrap();
        let name = params.params.distinguished_name.get(&DnType::CommonName).unwrap();
        assert_eq!(format!("{name:?}"), "Utf8String(\"10000000deadbeef\")");
        assert!(!pem.contains("PRIVATE"));
    }
}
