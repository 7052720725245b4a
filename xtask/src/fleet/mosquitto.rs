//! Mosquitto as a process of the fleet, with the configuration that is documented for it.

use super::{child::Child, port::free_port, wait::until};
use crate::error::{Error, Tried, make_folder, write};
use crate::prepare::root;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::net::TcpStream;

const START: Duration = Duration::from_secs(20);
/// Where the documented configuration looks for its files.
const DOCUMENTED_FOLDER: &str = "/etc/mosquitto/tirta/";
const DOCUMENTED_LISTENER: &str = "listener 8883\n";
/// A second listener, commented out there: services with one certificate and several client ids.
const DOCUMENTED_SERVICES: &str = "# listener 8884 127.0.0.1\n";

/// A running Mosquitto.
pub struct Mosquitto {
    child: Child,
    services_port: u16,
}

impl Mosquitto {
    /// Starts it with the authority and the certificate that the server made in `server_data`.
    ///
    /// # Errors
    /// When it is not installed, the documented configuration is not as expected, or it does not start.
    pub async fn start(folder: &Path, server_data: &Path, port: u16) -> Result<Self, Error> {
        make_folder(folder)?;
        let documented = root().join("server").join("mosquitto");
        for (from, to) in [
            (server_data.join("ca.pem"), "clients.pem"),
            (server_data.join("tirta-server.pem"), "broker.pem"),
            (server_data.join("tirta-server.key"), "broker.key"),
            (documented.join("acl"), "acl"),
        ] {
            fs::copy(&from, folder.join(to)).tried(|| format!("copy {}", from.display()))?;
        }
        let file = documented.join("mosquitto.conf");
        let text = fs::read_to_string(&file).tried(|| format!("read {}", file.display()))?;
        let services_port = free_port(None)?;
        let text = adapt(&text, folder, port, services_port).ok_or_else(|| Error::Output {
            program: "server/mosquitto/mosquitto.conf".to_owned(),
            line: "one of the lines that a fleet adapts is not in it".to_owned(),
        })?;
        let config = folder.join("mosquitto.conf");
        write(&config, &text)?;
        let arguments = ["-c".as_ref(), config.as_os_str()];
        let mut child = Child::start("mosquitto", &program()?, &arguments, &folder.join("mosquitto.log"))?;
        until("Mosquitto listens", START, async || {
            child.still_runs()?;
            Ok(TcpStream::connect(("127.0.0.1", port)).await.ok().map(drop))
        })
        .await?;
        Ok(Self { child, services_port })
    }

    /// Where a client with a service's certificate may choose its client id.
    pub fn services_port(&self) -> u16 {
        self.services_port
    }

    /// An error if it has ended.
    ///
    /// # Errors
    /// How it ended.
    pub fn still_runs(&mut self) -> Result<(), Error> {
        self.child.still_runs()
    }
}

/// The documented configuration with other files and ports, and with the listener for services.
/// `None` if it does not have the lines that this changes.
fn adapt(documented: &str, folder: &Path, port: u16, services_port: u16) -> Option<String> {
    let (before, services) = documented.split_once(DOCUMENTED_SERVICES)?;
    if !before.contains(DOCUMENTED_LISTENER) {
        return None;
    }
    // The comment ends at the first line that is none.
    let end = services.find("\n\n")?;
    let (services, after) = services.split_at(end);
    let services = services.replace("\n# ", "\n").replacen("# ", "", 1);
    let text = format!("{before}listener {services_port} 127.0.0.1\n{services}{after}");
    // It would give up being root, and then could not read a key that is root's.
    Some(
        format!("user root\n{text}")
            .replace(DOCUMENTED_LISTENER, &format!("listener {port} 127.0.0.1\n"))
            .replace(DOCUMENTED_FOLDER, &format!("{}/", folder.display())),
    )
}

fn program() -> Result<PathBuf, Error> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let mut programs = folders.map(|folder| folder.join("mosquitto")).filter(|program| program.is_file());
    programs.next().ok_or_else(|| Error::Missing("mosquitto is not installed; `cargo xtask test` does it".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_configuration_can_be_adapted() {
        let documented = fs::read_to_string(root().join("server/mosquitto/mosquitto.conf")).unwrap();
        let adapted = adapt(&documented, Path::new("/x"), 1883, 1884).unwrap();
        assert!(!adapted.contains(DOCUMENTED_FOLDER));
        let lines: Vec<&str> = adapted.lines().collect();
        for wanted in ["listener 1883 127.0.0.1", "listener 1884 127.0.0.1", "acl_file /x/acl"] {
            assert_eq!(lines.iter().filter(|line| **line == wanted).count(), 1, "{wanted}");
        }
        assert_eq!(lines.iter().filter(|line| **line == "require_certificate true").count(), 2);
        assert_eq!(lines.iter().filter(|line| **line == "use_username_as_clientid true").count(), 1);
    }

    #[test]
    fn a_configuration_of_another_form_is_not_guessed_at() {
        assert_eq!(adapt("listener 1883\n", Path::new("/x"), 1, 2), None);
    }
}
