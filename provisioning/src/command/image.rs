//! `tirta image`: what a site adds to the image before its cards are written. Asks no server.

use super::access::secret;
use super::error::TirtaError;
use clap::{Args, Subcommand};
use provisioning::fleet_file::check;
use provisioning::image::{Boot, is_packed, unpack};
use shared::fleet::FLEET_FILE;
use shared::setup::{SETUP_FILE, SetupFile, Wifi, without_values};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// What to do with an image.
#[derive(Subcommand)]
pub enum Command {
    /// Puts the fleet file, Wi-Fi, time zone and SSH keys on the boot partition of an image, or of a card in a reader.
    ///
    /// What is not given stays as it is on the image. The same can be done by hand: the two files, tirta-fleet.toml and
    /// tirta-setup.toml, lie on the partition that any computer shows when the card is put in.
    Customise(Customise),
}

impl Command {
    /// Does it.
    pub fn run(self, out: &mut impl Write) -> Result<(), TirtaError> {
        let Self::Customise(command) = self;
        command.run(out)
    }
}

/// What to put on which image.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true)
    .args(["fleet_config", "wifi_ssid", "time_zone", "ssh_key", "setup"]))]
pub struct Customise {
    /// The image (.img), the image as downloaded (.img.zst, with --out), or a card in a reader (/dev/sdX, not mounted).
    #[arg(value_name = "IMG")]
    image: PathBuf,
    /// The fleet file, as tirta fleet-config makes it.
    #[arg(long, value_name = "FILE")]
    fleet_config: Option<PathBuf>,
    /// A whole set-up file in place of the one on the image; the options below change it.
    #[arg(long, value_name = "FILE")]
    setup: Option<PathBuf>,
    /// The name of the wireless network. All options of Wi-Fi go together and replace what is there.
    #[arg(long, value_name = "SSID", requires = "wifi_country")]
    wifi_ssid: Option<String>,
    /// A file with its passphrase; - asks for it, or reads the standard input. Without it the network is an open one.
    #[arg(long, value_name = "FILE", requires = "wifi_ssid")]
    wifi_passphrase_file: Option<PathBuf>,
    /// The country that the devices are in, such as ID: its law says which channels may be used.
    #[arg(long, value_name = "CC", requires = "wifi_ssid")]
    wifi_country: Option<String>,
    /// The network does not tell its name.
    #[arg(long, requires = "wifi_ssid")]
    wifi_hidden: bool,
    /// The time zone, such as Asia/Jakarta.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// A public key (a .pub file) that may sign in as root over SSH; may be given several times, and replaces those
    /// that are there. Without any there is no SSH.
    #[arg(long, value_name = "FILE")]
    ssh_key: Vec<PathBuf>,
    /// Leaves IMG as it is and writes to this new file.
    #[arg(long, value_name = "OUT.img")]
    out: Option<PathBuf>,
}

fn refuse(file: &Path) -> impl Fn(&dyn std::fmt::Display) -> TirtaError {
    move |why| TirtaError::File { file: file.to_owned(), why: why.to_string() }
}

fn read(file: &Path) -> Result<String, TirtaError> {
    std::fs::read_to_string(file).map_err(|error| refuse(file)(&error))
}

impl Customise {
    fn run(self, out: &mut impl Write) -> Result<(), TirtaError> {
        // All that can be wrong with what was given is looked at before anything is written.
        let fleet = self.fleet_config.as_deref().map(|file| {
            let text = read(file)?;
            check(&text).map(|_| text).map_err(|why| refuse(file)(&why))
        });
        let fleet = fleet.transpose()?;
        let wanted = self.wanted()?;
        let image = self.unpacked()?;
        let boot = Boot::open(image).map_err(|error| refuse(image)(&error))?;
        let setup = match wanted {
            Some((base, changes)) => {
                let base = base.map_or_else(|| boot.setup(), Ok).map_err(|error| refuse(image)(&error))?;
                let setup = merged(base, changes);
                setup.check().map_err(|error| refuse(image)(&format!("{SETUP_FILE} on it: {error}")))?;
                Some(text(&setup)?)
            }
            None => None,
        };
        boot.write(fleet.as_deref(), setup.as_deref()).map_err(|error| refuse(image)(&error))?;
        let wrote = [(fleet.is_some(), FLEET_FILE), (setup.is_some(), SETUP_FILE)];
        let wrote: Vec<&str> = wrote.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
        Ok(writeln!(out, "Wrote {} to {}.", wrote.join(" and "), image.display())?)
    }

    /// The set-up file that was given, and what shall be changed; `None` if the one that is there stays as it is.
    fn wanted(&self) -> Result<Option<(Option<SetupFile>, SetupFile)>, TirtaError> {
        let base = self.setup.as_deref().map(|file| {
            let text = read(file)?;
            let parsed: Result<SetupFile, toml::de::Error> = toml::from_str(text.trim_start_matches('\u{feff}'));
            // The parser's own words would show the line, which may hold the passphrase.
            let setup = parsed.map_err(|error| refuse(file)(&without_values(error.message())))?;
            setup.check().map(|()| setup).map_err(|error| refuse(file)(&error))
        });
        let changes = self.changes()?;
        changes.check().map_err(|error| TirtaError::Arguments(error.to_string()))?;
        let base = base.transpose()?;
        Ok((base.is_some() || changes != SetupFile::default()).then_some((base, changes)))
    }

    fn changes(&self) -> Result<SetupFile, TirtaError> {
        let mut keys = vec![];
        for file in &self.ssh_key {
            let text = read(file)?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            let found: Vec<String> = lines.map(str::to_owned).collect();
            let alone = SetupFile { ssh_authorized_keys: found.clone(), ..SetupFile::default() };
            alone.check().map_err(|error| refuse(file)(&error))?;
            if found.is_empty() {
                return Err(refuse(file)(&"it holds no key: name the .pub file"));
            }
            keys.extend(found);
        }
        let wifi = match (&self.wifi_ssid, &self.wifi_country) {
            (Some(ssid), Some(country)) => Some(Wifi {
                ssid: ssid.clone(),
                passphrase: self.wifi_passphrase_file.as_deref().map(passphrase).transpose()?,
                country: country.clone(),
                hidden: self.wifi_hidden,
            }),
            _ => None,
        };
        Ok(SetupFile { time_zone: self.time_zone.clone(), ssh_authorized_keys: keys, wifi })
    }

    /// The image to work on, which is unpacked or copied first if it has to be.
    fn unpacked(&self) -> Result<&Path, TirtaError> {
        let Some(to) = self.out.as_deref() else {
            let packed = is_packed(&self.image).map_err(|error| refuse(&self.image)(&error))?;
            let why = "it is packed: name the unpacked image to be made with --out OUT.img";
            return if packed { Err(refuse(&self.image)(&why)) } else { Ok(&self.image) };
        };
        if to.symlink_metadata().is_ok() {
            return Err(refuse(to)(&"it is there already: take another --out, or leave --out away to change it"));
        }
        let (terminal, mut told) = (io::stderr().is_terminal(), None);
        unpack(&self.image, to, |done, all| {
            let percent = done.saturating_mul(100) / all.max(1);
            if terminal && told.replace(percent) != Some(percent) {
                let _ = write!(io::stderr(), "\rWriting {}: {percent} % ", to.display());
            }
        })
        .map_err(|error| refuse(&self.image)(&error))?;
        if terminal {
            writeln!(io::stderr())?;
        }
        Ok(to)
    }
}

/// A passphrase is never an argument: every user of the machine could read it in the list of processes.
fn passphrase(file: &Path) -> Result<String, TirtaError> {
    if file == Path::new("-") {
        return secret("Passphrase of the network").map_err(|error| refuse(file)(&error));
    }
    Ok(read(file)?.trim_end_matches(['\r', '\n']).to_owned())
}

/// What is given replaces a field, and what is not stays.
fn merged(base: SetupFile, changes: SetupFile) -> SetupFile {
    let keys =
        if changes.ssh_authorized_keys.is_empty() { base.ssh_authorized_keys } else { changes.ssh_authorized_keys };
    SetupFile {
        time_zone: changes.time_zone.or(base.time_zone),
        ssh_authorized_keys: keys,
        wifi: changes.wifi.or(base.wifi),
    }
}

fn text(setup: &SetupFile) -> Result<String, TirtaError> {
    toml::to_string(setup).map_err(|error| TirtaError::Arguments(error.to_string()))
}
