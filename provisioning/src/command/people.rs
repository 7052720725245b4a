//! `tirta users invite`, `pending` and what follows from them: people who come by a link, or ask for an account.

use super::access::Access;
use super::error::TirtaError;
use super::users::{Role, line as account_line};
use super::words::{say, seconds};
use clap::{Args, Subcommand};
use provisioning::instant::minute;
use provisioning::people::{CreatedInvitation, Invitation, NewInvitation, SignUp};
use std::io::{self, Write};

/// What can be done about people who come.
#[derive(Subcommand)]
pub enum Command {
    /// Invites somebody and prints the link; it works once and is not shown again.
    Invite(Invite),
    /// Lists the invitations, without their secrets.
    Invitations,
    /// Withdraws an invitation: nobody joins by it any more.
    Withdraw {
        /// As `tirta users invitations` shows it.
        id: String,
    },
    /// Lists who asks for an account and waits for approval.
    Pending,
    /// Gives somebody the account that they asked for.
    Approve {
        /// As `tirta users pending` shows it.
        name: String,
        /// What the person is to be.
        #[arg(long)]
        role: Role,
        /// Without the e-mail address that they gave: another account has it.
        #[arg(long)]
        without_email: bool,
    },
    /// Turns a wish for an account down.
    Refuse {
        /// As `tirta users pending` shows it.
        name: String,
    },
}

/// Whom to invite.
#[derive(Args)]
pub struct Invite {
    /// What the person is to be.
    #[arg(long)]
    role: Role,
    /// What others call the person.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The person's e-mail address.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// For how long the link works: 1h to 30d.
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = seconds)]
    valid: u64,
}

impl Command {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        match self {
            Self::Invite(Invite { role, name, email, valid }) => {
                let wanted = NewInvitation { role: role.as_str().to_owned(), name, email, valid_s: valid };
                hand_out(&access.sign_in().await?.invite(&wanted).await?, &access.server, out)?;
            }
            Self::Invitations => {
                for invitation in &access.sign_in().await?.invitations().await? {
                    say(out, &line(invitation))?;
                }
            }
            Self::Withdraw { id } => access.sign_in().await?.withdraw_invitation(&id).await?,
            Self::Pending => {
                let waiting = access.sign_in().await?.sign_ups().await?;
                if waiting.is_empty() {
                    writeln!(io::stderr(), "Nobody asks for an account.")?;
                }
                for one in &waiting {
                    say(out, &waiting_line(one))?;
                }
            }
            Self::Approve { name, role, without_email } => {
                let client = access.sign_in().await?;
                say(out, &account_line(&client.approve_sign_up(&name, role.as_str(), without_email).await?))?;
            }
            Self::Refuse { name } => access.sign_in().await?.refuse_sign_up(&name).await?,
        }
        Ok(())
    }
}

/// The link alone goes to the output, so that a script can take it from there.
fn hand_out(made: &CreatedInvitation, server: &str, out: &mut impl Write) -> io::Result<()> {
    let link = link(made, server);
    say(out, &link)?;
    let until = minute(made.about.expires_at);
    writeln!(
        io::stderr(),
        "Whoever opens it first joins as {}, until {until} UTC. It is not shown again.",
        made.about.role
    )
}

/// The server may not know how people reach it: then as it was reached from here.
fn link(made: &CreatedInvitation, server: &str) -> String {
    let here = || format!("{}/join#{}", server.trim_end_matches('/'), made.secret);
    made.link.clone().unwrap_or_else(here)
}

fn line(Invitation { id, state, role, name, email, invited_by, expires_at, used_by }: &Invitation) -> String {
    let standing = match used_by {
        Some(user) => format!("used by {user}"),
        None if state == "open" => format!("open until {} UTC", minute(*expires_at)),
        None => state.clone(),
    };
    let who = [name.as_deref(), email.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    format!("{id}  {role:<10}  {standing:<31}  by {invited_by}  {who}")
}

fn waiting_line(SignUp { name, display_name, email, address, asked_at }: &SignUp) -> String {
    let who = [display_name.as_deref(), email.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    format!("{name:<20} since {} UTC  from {address:<15}  {who}", minute(*asked_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation(state: &str, used_by: Option<&str>) -> Invitation {
        let text = format!(
            r#"{{"id":"a1","state":"{state}","role":"technician","name":"Pak Tono","email":null,"invited_by":"admin",
            "expires_at":0,"used_by":null}}"#
        );
        Invitation { used_by: used_by.map(str::to_owned), ..serde_json::from_str(&text).unwrap() }
    }

    #[test]
    fn an_invitation_is_told_with_how_it_stands() {
        let open = "a1  technician  open until 1970-01-01 00:00 UTC  by admin  Pak Tono";
        assert_eq!(line(&invitation("open", None)), open);
        assert!(line(&invitation("used", Some("tono"))).contains("used by tono"));
        assert!(line(&invitation("withdrawn", None)).contains("withdrawn"));
    }

    #[test]
    fn a_link_is_the_servers_or_leads_to_where_it_was_reached() {
        let about = invitation("open", None);
        let made = |link: Option<&str>| CreatedInvitation {
            secret: "tirta_iv_x".to_owned(),
            link: link.map(str::to_owned),
            about: about.clone(),
        };
        let public = "https://tirta.local:8443/join#tirta_iv_x";
        assert_eq!(link(&made(Some(public)), "http://127.0.0.1:8080"), public);
        assert_eq!(link(&made(None), "http://127.0.0.1:8080/"), "http://127.0.0.1:8080/join#tirta_iv_x");
    }

    #[test]
    fn somebody_who_waits_is_told_with_whence_they_asked() {
        let one = SignUp {
            name: "tono".to_owned(),
            display_name: Some("Pak Tono".to_owned()),
            email: Some("tono@kebun.example".to_owned()),
            address: "10.0.0.5".to_owned(),
            asked_at: 0,
        };
        let wanted =
            "tono                 since 1970-01-01 00:00 UTC  from 10.0.0.5         Pak Tono, tono@kebun.example";
        assert_eq!(waiting_line(&one), wanted);
    }
}
