//! `tirta users`: accounts and their roles, and one's own password. What a role may do, the server says.

use super::access::{Access, secret};
use super::error::TirtaError;
use super::people;
use super::words::say;
use clap::{Subcommand, ValueEnum};
use provisioning::instant::minute;
use provisioning::users::{User, UserWithPassword};
use std::io::{self, Write};

/// What can be done with accounts.
#[derive(Subcommand)]
pub enum Command {
    /// Lists the accounts with their roles.
    List,
    /// Makes an account and prints its first password; it is not shown again and must be changed at the first sign-in.
    Add {
        /// Small letters, digits, '-' and '_'.
        name: String,
        /// What it is to be.
        #[arg(long)]
        role: Role,
        /// Its owner's address, to sign in with, too.
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
    },
    /// Gives an account another role. It takes effect at once: its sessions end.
    Role {
        /// As `tirta users list` shows it.
        name: String,
        /// What it is to be.
        role: Role,
    },
    /// Lets nobody sign in with an account; its sessions end. Its name stays in the audit log.
    Disable {
        /// As `tirta users list` shows it.
        name: String,
        /// Let its owner sign in again.
        #[arg(long)]
        undo: bool,
    },
    /// Gives an account another first password and prints it; its sessions end.
    ResetPassword {
        /// As `tirta users list` shows it.
        name: String,
    },
    /// Switches the second factor of an account off, for whoever has lost the telephone and the recovery codes.
    RemoveSecondFactor {
        /// As `tirta users list` shows it.
        name: String,
    },
    /// People who come by a link, or ask for an account.
    #[command(flatten)]
    People(people::Command),
    /// Changes your own password; the new one comes from TIRTA_NEW_PASSWORD, the prompt or the next line of the input.
    Password,
}

/// The words for roles.
#[derive(Clone, Copy, ValueEnum)]
pub enum Role {
    /// Everything.
    Admin,
    /// Thresholds, devices, silences, and what a technician may.
    Supervisor,
    /// Alerts, calibration, where devices stand.
    Technician,
    /// Reads everything, the audit log too; changes nothing.
    Auditor,
}

impl Role {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Supervisor => "supervisor",
            Self::Technician => "technician",
            Self::Auditor => "auditor",
        }
    }
}

impl Command {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        match self {
            Self::List => {
                for user in &access.sign_in().await?.users().await? {
                    say(out, &line(user))?;
                }
            }
            Self::Add { name, role, email } => {
                let client = access.sign_in().await?;
                hand_out(&client.add_user(&name, role.as_str(), email.as_deref()).await?, out)?;
            }
            Self::Role { name, role } => {
                say(out, &line(&access.sign_in().await?.set_role(&name, role.as_str()).await?))?;
            }
            Self::Disable { name, undo } => {
                say(out, &line(&access.sign_in().await?.set_disabled(&name, !undo).await?))?;
            }
            Self::People(command) => command.run(access, out).await?,
            Self::ResetPassword { name } => hand_out(&access.sign_in().await?.reset_password(&name).await?, out)?,
            Self::RemoveSecondFactor { name } => {
                access.sign_in().await?.remove_second_factor(&name).await?;
                writeln!(io::stderr(), "{name} signs in with the password alone now.")?;
            }
            Self::Password => {
                let (client, old) = access.sign_in_with_password().await?;
                let new = match std::env::var("TIRTA_NEW_PASSWORD") {
                    Ok(new) => new,
                    Err(_) => secret("New password").map_err(TirtaError::Password)?,
                };
                client.change_password(&old, &new).await?;
                writeln!(io::stderr(), "Changed. You are signed out everywhere else.")?;
            }
        }
        Ok(())
    }
}

/// The password alone goes to the output, so that a script can take it from there.
fn hand_out(made: &UserWithPassword, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", made.password)?;
    let words = "It is not shown again, and must be changed at the first sign-in";
    writeln!(io::stderr(), "The first password of {}, {}. {words}.", made.user.name, made.user.role)
}

/// One account, for the list of them.
pub fn line(User { name, role, email, must_change, disabled_at }: &User) -> String {
    let state = match disabled_at {
        Some(at) => format!("disabled since {} UTC", minute(*at)),
        None if *must_change => "has not signed in yet".to_owned(),
        None => "active".to_owned(),
    };
    format!("{name:<20} {role:<10}  {state:<21}  {}", email.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_told_with_its_role_and_whether_somebody_uses_it() {
        let user = |must_change, disabled_at| User {
            name: "tono".to_owned(),
            role: "technician".to_owned(),
            email: Some("tono@example.org".to_owned()),
            must_change,
            disabled_at,
        };
        let wanted = "tono                 technician  active                 tono@example.org";
        assert_eq!(line(&user(false, None)), wanted);
        assert!(line(&user(true, None)).contains("has not signed in yet"));
        assert!(line(&user(true, Some(0))).contains("disabled since 1970-01-01"));
    }
}
