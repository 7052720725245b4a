//! How the server is reached, and in whose name: the arguments that every command has, and the password.

use super::error::TirtaError;
use clap::Args;
use provisioning::client::{Client, ClientError};
use std::{
    io::{BufRead, IsTerminal, Write},
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Server")]
pub struct Access {
    /// The server's address; plain http only on this machine.
    #[arg(long, global = true, value_name = "URL", env = "TIRTA_SERVER", default_value = "http://127.0.0.1:8080")]
    pub server: String,
    /// The server's ca.pem, for https.
    #[arg(long, global = true, value_name = "FILE", env = "TIRTA_CA")]
    ca: Option<PathBuf>,
    /// Whose password TIRTA_PASSWORD, the prompt or the first line of the input gives; TIRTA_CODE or the next line holds the
    /// code of an account with a second factor.
    #[arg(long, global = true, value_name = "NAME", env = "TIRTA_USER", default_value = "admin")]
    user: String,
    /// Whoever has signed in.
    #[arg(skip)]
    client: OnceLock<Client>,
}

impl Access {
    /// Asks for the password and signs in. What can be wrong without a server is looked at before.
    pub async fn sign_in(&self) -> Result<Client, TirtaError> {
        Ok(self.sign_in_with_password().await?.0)
    }

    /// The same, for whoever needs the password once more.
    pub async fn sign_in_with_password(&self) -> Result<(Client, String), TirtaError> {
        let mut client = Client::new(&self.server, self.ca.as_deref())?;
        let password = password(&self.user)?;
        match client.sign_in(&self.user, &password).await {
            Err(ClientError::Refused { code, .. }) if code == "code_needed" => {
                client.sign_in_with_code(&self.user, &password, &code_of(&self.user)?).await?;
            }
            other => other?,
        }
        let _ = self.client.set(client.clone());
        Ok((client, password))
    }

    /// Ends the session of this command: nobody needs it any more. One that can't be ended now ends by itself.
    pub async fn sign_out(&self) {
        if let Some(client) = self.client.get() {
            let _ = client.sign_out().await;
        }
    }
}

/// A password is never an argument: every user of the machine could read it in the list of processes.
fn password(user: &str) -> Result<String, TirtaError> {
    if let Ok(password) = std::env::var("TIRTA_PASSWORD") {
        return Ok(password);
    }
    let password = secret(&format!("Password of {user}")).map_err(TirtaError::Password)?;
    if password.is_empty() { Err(TirtaError::NoPassword) } else { Ok(password) }
}

/// The code of the telephone, where the account has a second factor.
fn code_of(user: &str) -> Result<String, TirtaError> {
    match std::env::var("TIRTA_CODE") {
        Ok(code) => Ok(code),
        Err(_) => secret(&format!("Code of {user}")).map_err(TirtaError::Password),
    }
}

/// The first line of the input; asked for if somebody sits there, and not shown.
pub fn secret(what: &str) -> std::io::Result<String> {
    let terminal = std::io::stdin().is_terminal();
    if terminal {
        write!(std::io::stderr(), "{what}: ")?;
        echo(false);
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if terminal {
        echo(true);
        writeln!(std::io::stderr())?;
    }
    read.map(|_| line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Where there is no `stty` the password is seen while it is typed, which is no reason to stop.
fn echo(on: bool) {
    let _ = Command::new("stty").arg(if on { "echo" } else { "-echo" }).stdin(Stdio::inherit()).status();
}
