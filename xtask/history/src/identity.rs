//! How a board gets its identity: by the server's own rules, and kept as the agent keeps it. The board that goes on as a
//! process finds it in its folder.

use crate::error::{PlayError, impossible};
use agent::certificate;
use agent::identity::{Home, Identity, certificate_request};
use server::enrol::{self, Enrolled};
use server::http::thresholds::follow;
use server::run::App;
use shared::enrol::EnrolRequest;
use shared::{DeviceName, Serial};
use std::path::{Path, PathBuf};

/// A board with an identity.
pub struct Identified {
    home: Home,
    folder: PathBuf,
    name: DeviceName,
    csr: String,
    /// When its next certificate is due (UTC milliseconds).
    due: i64,
}

impl Identified {
    /// Asks for an identity, as a board does that is switched on for the first time.
    ///
    /// # Errors
    /// When it does not get one.
    pub async fn enrol(
        app: &App,
        folder: PathBuf,
        serial: Serial,
        token: &str,
        address: &str,
    ) -> Result<Self, PlayError> {
        std::fs::create_dir_all(&folder).map_err(|error| PlayError::File { path: folder.clone(), error })?;
        let home = Home::new(&folder);
        let key = home.key_pair(serial)?;
        let csr = certificate_request(&key, serial)?;
        let model = Some("Raspberry Pi 4 Model B Rev 1.5".to_owned());
        let request = EnrolRequest { serial, token: token.to_owned(), csr: csr.clone(), model, copied_from: None };
        let now = app.clock.now();
        let nobody = async |_: &DeviceName| {};
        let enrolled =
            enrol::enrol(&app.store, &app.authority, app.config.lifetimes, &request, address, now, nobody).await?;
        let Enrolled::As(credentials) = enrolled else { return Err(impossible(format!("{serial} has to wait"))) };
        follow(app).await;
        let identity = Identity {
            name: credentials.name.clone(),
            broker: app.broker_address.clone(),
            server: None,
            key: key.serialize_pem(),
            certificate: certificate::obtained(&credentials.certificate, now),
            ca: credentials.ca,
        };
        home.save(serial, &identity)?;
        let due = due(&identity.certificate, &credentials.name)?;
        Ok(Self { home, folder, name: credentials.name, csr, due })
    }

    /// Gets its next certificate if that is due.
    ///
    /// # Errors
    /// When it does not get one.
    pub async fn renew(&mut self, app: &App) -> Result<(), PlayError> {
        let now = app.clock.now();
        if now.0 < self.due {
            return Ok(());
        }
        let csr = (&self.name, self.csr.as_str());
        let credentials = enrol::renew(&app.store, &app.authority, app.config.lifetimes, csr, None, now).await?;
        let certificate = certificate::obtained(&credentials.certificate, now);
        self.home.renew(&certificate, &credentials.ca)?;
        self.due = due(&certificate, &self.name)?;
        Ok(())
    }

    /// Saves what the server has told it to do, so that it goes on so before it is connected.
    ///
    /// # Errors
    /// When that can't be read or written.
    pub async fn save_settings(&self, app: &App) -> Result<(), PlayError> {
        for (_, settings) in app.store.settings(Some(&self.name)).await? {
            write(&self.folder.join(agent::settings::FILE_NAME), &settings.encode())?;
        }
        Ok(())
    }
}

fn due(certificate: &str, name: &DeviceName) -> Result<i64, PlayError> {
    Ok(certificate::read(certificate, name).map_err(impossible)?.due(0.5).0)
}

/// Writes a file; the error names it.
///
/// # Errors
/// When it can't be written.
pub fn write(path: &Path, text: &str) -> Result<(), PlayError> {
    std::fs::write(path, text).map_err(|error| PlayError::File { path: path.to_owned(), error })
}
