//! What a site wrote into the set-up file is put where the machine's services look: Wi-Fi, SSH keys, time zone. Each
//! part by itself: a mistyped time zone must not cost the network. Knows no service, and nothing of the fleet.

use crate::files::{self, link_atomically, make_folder, read_text, write_atomically};
use ring::pbkdf2;
use shared::setup::{SetupError, SetupFile, Wifi, without_values};
use std::fs::Permissions;
use std::io;
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A longer file is none of ours.
const MAX_FILE: u64 = 64 * 1024;
/// Where `wpa_supplicant@wlan0.service` looks.
const WPA: &str = "etc/wpa_supplicant/wpa_supplicant-wlan0.conf";
/// Where sshd looks in the image.
const KEYS: &str = "run/tirta/authorized_keys";
/// Where the time zones are.
const ZONES: &str = "usr/share/zoneinfo";

/// A part of the file, and what applies it. The network first: through it all the rest can be mended.
type Part = (&'static str, fn(&SetupFile, &Path) -> Result<String, Wrong>);
const PARTS: [Part; 3] = [("wifi", wifi), ("ssh_authorized_keys", keys), ("time_zone", time_zone)];

/// Why a part, or all of it, can't be applied. Says the file and the field, never a value that may be a passphrase.
#[derive(Debug, thiserror::Error)]
#[error("set-up file {}: {wrong}", path.display())]
pub struct ApplyError {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// It can't be read.
    #[error(transparent)]
    Read(io::Error),
    /// It is no TOML, so that nothing of it can be applied.
    #[error("line {0} is no TOML, nothing is applied: a field is written as name = \"text\"")]
    Syntax(usize),
    /// A part is not built as it should be.
    #[error("{0}: {1}")]
    Form(String, String),
    /// A field makes no sense.
    #[error(transparent)]
    Field(#[from] SetupError),
    /// This machine does not know the time zone.
    #[error("time_zone: there is no /{ZONES}/{0}; `timedatectl list-timezones` lists those that there are")]
    NoZone(String),
    /// A file of the machine can't be written.
    #[error("{}: {error}; this needs root (sudo)", path.display())]
    Write {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What has been done and what has not.
#[derive(Debug, Default)]
pub struct Applied {
    /// In words, one for each part.
    pub done: Vec<String>,
    /// What could not be applied, and why.
    pub problems: Vec<ApplyError>,
}

/// Applies the file to the machine whose root is `root`. Without the file there is nothing to do; a part that is not in
/// it is undone, but for the time zone, which stays.
pub fn apply(path: &Path, root: &Path) -> Applied {
    let mut applied = Applied::default();
    let failed = |wrong| ApplyError { path: path.to_owned(), wrong };
    let text = match read_text(path, MAX_FILE) {
        Ok(Some(text)) => text,
        Ok(None) => return applied,
        Err(error) => {
            applied.problems.push(failed(Wrong::Read(error)));
            return applied;
        }
    };
    let mut table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            applied.problems.push(failed(Wrong::Syntax(line_of(&text, &error))));
            return applied;
        }
    };
    for (name, part) in PARTS {
        let only = table.remove(name).map(|value| toml::Table::from_iter([(name.to_owned(), value)]));
        match read(name, only.unwrap_or_default()).and_then(|setup| part(&setup, root)) {
            Ok(done) => applied.done.push(done),
            Err(wrong) => applied.problems.push(failed(wrong)),
        }
    }
    for name in table.keys() {
        let known = PARTS.map(|(name, _)| name).join(", ");
        applied.problems.push(failed(Wrong::Form(name.clone(), format!("there is no such field; there are {known}"))));
    }
    applied
}

/// A set-up file of which all is good, with this part only.
fn read(name: &str, only: toml::Table) -> Result<SetupFile, Wrong> {
    let setup: SetupFile =
        only.try_into().map_err(|error| Wrong::Form(name.to_owned(), without_values(error.message())))?;
    setup.check()?;
    Ok(setup)
}

fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let at = error.span().map_or(0, |span| span.start);
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn wifi(setup: &SetupFile, root: &Path) -> Result<String, Wrong> {
    let path = root.join(WPA);
    let Some(wifi) = &setup.wifi else {
        files::remove(&path).map_err(write(&path))?;
        return Ok("Wi-Fi: none, cable only".to_owned());
    };
    put(&path, &supplicant(wifi), 0o600)?;
    Ok(format!("Wi-Fi: {:?}", wifi.ssid))
}

/// The configuration of wpa_supplicant. Name and passphrase in hexadecimal digits: it knows no escapes, and in its quotes
/// a passphrase with `"` and `#` is cut off.
fn supplicant(wifi: &Wifi) -> String {
    let ssid = hex(wifi.ssid.as_bytes());
    // WPA3 with whatever the access point has: newer ones insist on hash-to-element, which is not the default.
    let mut text = format!("country={}\nsae_pwe=2\nnetwork={{\n    ssid={ssid}\n", wifi.country);
    if wifi.hidden {
        text += "    scan_ssid=1\n";
    }
    text += &match &wifi.passphrase {
        Some(passphrase) => {
            let (key, sae) = (hex(&psk(passphrase, &wifi.ssid)), hex(passphrase.as_bytes()));
            format!("    key_mgmt=WPA-PSK SAE\n    ieee80211w=1\n    psk={key}\n    sae_password={sae}\n")
        }
        None => "    key_mgmt=NONE\n".to_owned(),
    };
    text + "}\n"
}

/// The key of WPA2 (IEEE 802.11, annex J.4).
fn psk(passphrase: &str, ssid: &str) -> [u8; 32] {
    const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(4095);
    let mut key = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, ROUNDS, ssid.as_bytes(), passphrase.as_bytes(), &mut key);
    key
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn keys(setup: &SetupFile, root: &Path) -> Result<String, Wrong> {
    let (path, keys) = (root.join(KEYS), &setup.ssh_authorized_keys);
    if keys.is_empty() {
        files::remove(&path).map_err(write(&path))?;
        return Ok("SSH: nobody".to_owned());
    }
    put(&path, &(keys.join("\n") + "\n"), 0o600)?;
    if let Some(folder) = path.parent() {
        // sshd believes no file in a folder that others can write.
        std::fs::set_permissions(folder, Permissions::from_mode(0o755)).map_err(write(folder))?;
    }
    Ok(format!("SSH: {} key(s)", keys.len()))
}

fn time_zone(setup: &SetupFile, root: &Path) -> Result<String, Wrong> {
    let Some(zone) = &setup.time_zone else { return Ok("time zone: as it was".to_owned()) };
    if !root.join(ZONES).join(zone).is_file() {
        return Err(Wrong::NoZone(zone.clone()));
    }
    let path = root.join("etc/localtime");
    link_atomically(&path, &Path::new("/").join(ZONES).join(zone)).map_err(write(&path))?;
    put(&root.join("etc/timezone"), &format!("{zone}\n"), 0o644)?;
    Ok(format!("time zone: {zone}"))
}

fn put(path: &Path, text: &str, mode: u32) -> Result<(), Wrong> {
    if let Some(folder) = path.parent() {
        make_folder(folder).map_err(write(folder))?;
    }
    write_atomically(path, text.as_bytes(), mode).map_err(write(path))
}

fn write(path: &Path) -> impl FnOnce(io::Error) -> Wrong {
    let path = path.to_owned();
    move |error| Wrong::Write { path, error }
}

#[cfg(test)]
mod tests;
