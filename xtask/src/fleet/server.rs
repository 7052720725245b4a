//! The server as a process: its configuration, its start until it says that it is ready, its export.

use super::{Programs, child::Child};
use crate::digest::sha256;
use crate::error::{Error, Tried, make_folder, write};
use crate::verify::Stored;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::{
    fmt::Write as _,
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{ChildStdout, Command},
    time::timeout,
};

/// How long a start may take: the first one makes keys and tables, on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Where the server listens, all on loopback.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    /// Enrolment and dashboard over HTTPS.
    pub https: u16,
    /// The same over plain HTTP.
    pub http: u16,
    /// MQTT over TLS: its own broker's, or the external one's.
    pub broker: u16,
}

/// What makes one server differ from another.
#[derive(Debug, Clone, Default)]
pub struct ServerSetup {
    /// Its own folder.
    pub folder: PathBuf,
    /// Where it listens.
    pub ports: Ports,
    /// PostgreSQL; without it, SQLite in the folder.
    pub database_url: Option<String>,
    /// The broker at `ports.broker` is a process of its own.
    pub external_broker: bool,
    /// How long certificates are good, in seconds; without it, as shipped.
    pub certificate_life_s: Option<u64>,
    /// It listens on every network and announces itself there; else on the loopback alone.
    pub announced: bool,
    /// By which name or address devices reach it, if not by the loopback's.
    pub public_host: Option<String>,
    /// The port of a webhook's receiver on this machine.
    pub webhook: Option<u16>,
}

/// A server's process, which can be killed and started again.
pub struct Server {
    setup: ServerSetup,
    programs: Programs,
    child: Option<Child>,
    password: Option<String>,
}

impl Server {
    /// Writes the configuration and starts it.
    ///
    /// # Errors
    /// When it does not get ready.
    pub async fn start(programs: &Programs, setup: ServerSetup) -> Result<Self, Error> {
        setup.configure()?;
        let password = std::fs::read_to_string(setup.folder.join("password")).ok();
        let mut server = Self { setup, programs: programs.clone(), child: None, password };
        if server.setup.webhook.is_some() {
            keep_secret(&server.setup.secret_file(), "a secret of this fleet alone")?;
        }
        server.start_again().await?;
        Ok(server)
    }

    /// Starts the process, and waits until it listens.
    ///
    /// # Errors
    /// When it ends, or does not get ready in time.
    pub async fn start_again(&mut self) -> Result<(), Error> {
        let config = self.config();
        let arguments = ["run".as_ref(), "--config".as_ref(), config.as_os_str()];
        let (child, out) = Child::start_reading("tirta-server", &self.programs.server, &arguments, &self.log())?;
        let child = self.child.insert(child);
        let mut lines = BufReader::new(out).lines();
        let said = timeout(START, until_ready(&mut lines)).await.map_err(|_| Error::TimedOut {
            what: format!("the server is ready (see {})", self.setup.folder.join("server.log").display()),
            seconds: START.as_secs(),
        })?;
        let Some(said) = said else {
            // It ended, or is about to.
            child.stop().await?;
            return Err(Error::Output {
                program: "tirta-server".to_owned(),
                line: "it ended before it was ready".to_owned(),
            });
        };
        if let Some(password) = said {
            keep_secret(&self.setup.folder.join("password"), &password)?;
            self.password = Some(password);
        }
        // It must never wait for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(())
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn kill(&mut self) -> Result<(), Error> {
        match self.child.take() {
            Some(mut child) => child.kill().await,
            None => Ok(()),
        }
    }

    /// Asks it to stop, and waits.
    ///
    /// # Errors
    /// When it does not, or ends with a failure.
    pub async fn stop(&mut self) -> Result<(), Error> {
        match self.child.take() {
            Some(mut child) => child.stop().await,
            None => Ok(()),
        }
    }

    /// An error if it should run and does not.
    ///
    /// # Errors
    /// How it ended.
    pub fn still_runs(&mut self) -> Result<(), Error> {
        self.child.as_mut().map_or(Ok(()), Child::still_runs)
    }

    /// Whether it was started and neither killed nor stopped since.
    pub fn is_up(&self) -> bool {
        self.child.is_some()
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// The administrator's password, which it printed at its first start.
    ///
    /// # Errors
    /// When its first start was not seen.
    pub fn password(&self) -> Result<&str, Error> {
        self.password.as_deref().ok_or_else(|| Error::Output {
            program: "tirta-server".to_owned(),
            line: "it printed no password at its first start".to_owned(),
        })
    }

    /// Where a browser goes.
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.setup.ports.http)
    }

    /// Where a device enrols.
    pub fn https_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.setup.ports.https)
    }

    /// Where it listens.
    pub fn ports(&self) -> Ports {
        self.setup.ports
    }

    /// Its keys, certificates and database.
    pub fn data_dir(&self) -> PathBuf {
        self.setup.folder.join("data")
    }

    /// What a new device is told so that it trusts this server: SHA-256 of the authority's certificate.
    ///
    /// # Errors
    /// When the certificate can't be read.
    pub fn ca_sha256(&self) -> Result<String, Error> {
        let file = self.data_dir().join("ca.pem");
        let der = CertificateDer::from_pem_file(&file).map_err(|e| Error::Output {
            program: "tirta-server".to_owned(),
            line: format!("{}: {e}", file.display()),
        })?;
        Ok(sha256(&der))
    }

    /// Everything that the database holds, straight from it.
    ///
    /// # Errors
    /// When it can't be exported or read.
    pub async fn export(&self) -> Result<Vec<Stored>, Error> {
        let config = self.config();
        let text = super::output_of(
            Command::new(&self.programs.server).arg("export").arg("--config").arg(config),
            "tirta-server export",
        )
        .await?;
        text.lines().map(Stored::parse).collect()
    }

    fn config(&self) -> PathBuf {
        self.setup.folder.join("server.toml")
    }

    fn log(&self) -> PathBuf {
        self.setup.folder.join("server.log")
    }
}

impl ServerSetup {
    /// Writes the configuration; starts nothing.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn configure(&self) -> Result<(), Error> {
        make_folder(&self.folder.join("data"))?;
        write(&self.folder.join("server.toml"), &self.toml())
    }

    fn toml(&self) -> String {
        let Ports { https, http, broker } = self.ports;
        let ip = if self.announced { "0.0.0.0" } else { "127.0.0.1" };
        let mut text = format!("data_dir = {:?}\n", self.folder.join("data"));
        if let Some(url) = &self.database_url {
            let _ = writeln!(text, "database_url = {url:?}");
        }
        if let Some(host) = &self.public_host {
            let _ = writeln!(text, "public_hosts = [{host:?}]");
        }
        let _ = write!(text, "log = \"info\"\n\n[http]\nhttps = \"{ip}:{https}\"\nplain = \"127.0.0.1:{http}\"\n");
        let _ = if self.external_broker {
            write!(text, "\n[broker]\nkind = \"external\"\nhost = \"127.0.0.1\"\nport = {broker}\n")
        } else {
            write!(text, "\n[broker]\nkind = \"embedded\"\nlisten = \"{ip}:{broker}\"\n")
        };
        // What only some servers do is here to be tried and tested, too.
        text.push_str("\n[accounts]\nregistration = \"approval\"\n");
        if let Some(life_s) = self.certificate_life_s {
            let _ = write!(text, "\n[certificates]\nlife_s = {life_s}\n");
        }
        if let Some(port) = self.webhook {
            let (url, secret) = (format!("http://127.0.0.1:{port}/"), self.secret_file());
            let _ = write!(text, "\n[[alerts.webhook]]\nname = \"local\"\nurl = {url:?}\nsecret_file = {secret:?}\n");
        }
        text
    }

    fn secret_file(&self) -> PathBuf {
        self.folder.join("webhook.secret")
    }
}

/// `None`: it ended. `Some(password)`: it is ready, and this was its first start.
async fn until_ready(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<Option<String>> {
    let mut password = None;
    while let Ok(Some(line)) = lines.next_line().await {
        if line.starts_with("Ready:") {
            return Some(password);
        }
        password = password.or_else(|| password_in(&line));
    }
    None
}

fn password_in(line: &str) -> Option<String> {
    let (_, rest) = line.strip_prefix("First start:")?.split_once("with the password \"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The password of a fleet that can be continued: for its owner's eyes.
pub(super) fn keep_secret(file: &Path, secret: &str) -> Result<(), Error> {
    let opened = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(file);
    opened.and_then(|mut file| file.write_all(secret.as_bytes())).tried(|| format!("write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_read_from_the_line_of_the_first_start() {
        let line = r#"First start: sign in as "admin" with the password "kolam-7-air" (it is not shown again)."#;
        assert_eq!(password_in(line).as_deref(), Some("kolam-7-air"));
        assert_eq!(password_in("Ready: https://127.0.0.1:8443"), None);
    }
}
