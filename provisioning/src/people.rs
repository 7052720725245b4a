//! What the server's API says of people who come: invitations, and accounts that somebody asks for. Knows no terminal.

use crate::client::{Client, ClientError, plain};
use crate::connect::PATIENCE;
use crate::users::User;
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The invitation that is wanted.
#[derive(Debug, Clone, Serialize)]
pub struct NewInvitation {
    /// `admin`, `supervisor`, `technician` or `auditor`.
    pub role: String,
    /// What others call the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The person's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// For how many seconds it is open.
    pub valid_s: u64,
}

/// An invitation.
#[derive(Debug, Clone, Deserialize)]
pub struct Invitation {
    /// Names it.
    pub id: String,
    /// `open`, `used`, `withdrawn` or `expired`.
    pub state: String,
    /// What the person will be.
    pub role: String,
    /// What others call the person.
    pub name: Option<String>,
    /// The person's e-mail address.
    pub email: Option<String>,
    /// By whom.
    pub invited_by: String,
    /// Until when it is open, UTC milliseconds.
    pub expires_at: i64,
    /// The account that came of it.
    pub used_by: Option<String>,
}

/// An invitation with its secret.
#[derive(Debug, Clone, Deserialize)]
pub struct CreatedInvitation {
    /// What stands behind `#` in the link.
    pub secret: String,
    /// The link, if the server knows where people reach it.
    pub link: Option<String>,
    /// The invitation.
    #[serde(flatten)]
    pub about: Invitation,
}

/// An account that somebody asks for.
#[derive(Debug, Clone, Deserialize)]
pub struct SignUp {
    /// The user name.
    pub name: String,
    /// What others call the person.
    pub display_name: Option<String>,
    /// The person's e-mail address.
    pub email: Option<String>,
    /// From which address they asked.
    pub address: String,
    /// When, UTC milliseconds.
    pub asked_at: i64,
}

impl Client {
    /// Invites somebody.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn invite(&self, wanted: &NewInvitation) -> Result<CreatedInvitation, ClientError> {
        self.json(Method::POST, "/api/v1/invitations", Some(json!(wanted).to_string())).await
    }

    /// The invitations that are known yet, the newest first.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn invitations(&self) -> Result<Vec<Invitation>, ClientError> {
        #[derive(Deserialize)]
        struct All {
            invitations: Vec<Invitation>,
        }
        Ok(self.json::<All>(Method::GET, "/api/v1/invitations", None).await?.invitations)
    }

    /// Withdraws an invitation.
    ///
    /// # Errors
    /// When there is none of this id, the server refuses or does not answer.
    pub async fn withdraw_invitation(&self, id: &str) -> Result<(), ClientError> {
        let path = format!("/api/v1/invitations/{}", plain("invitation", id)?);
        self.ask(Method::DELETE, &path, None, PATIENCE).await.map(|_| ())
    }

    /// Who asks for an account and waits, the longest first.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn sign_ups(&self) -> Result<Vec<SignUp>, ClientError> {
        #[derive(Deserialize)]
        struct All {
            sign_ups: Vec<SignUp>,
        }
        Ok(self.json::<All>(Method::GET, "/api/v1/sign-ups", None).await?.sign_ups)
    }

    /// Gives somebody the account that they asked for; without the e-mail address that they gave, if that is said.
    ///
    /// # Errors
    /// When nobody asks for this name, the server refuses or does not answer.
    pub async fn approve_sign_up(&self, name: &str, role: &str, without_email: bool) -> Result<User, ClientError> {
        let path = format!("/api/v1/sign-ups/{}/approve", plain("user", name)?);
        let terms = if without_email { json!({ "role": role, "email": null }) } else { json!({ "role": role }) };
        self.json(Method::POST, &path, Some(terms.to_string())).await
    }

    /// Turns a wish for an account down.
    ///
    /// # Errors
    /// When nobody asks for this name, the server refuses or does not answer.
    pub async fn refuse_sign_up(&self, name: &str) -> Result<(), ClientError> {
        let path = format!("/api/v1/sign-ups/{}/refuse", plain("user", name)?);
        self.ask(Method::POST, &path, None, PATIENCE).await.map(|_| ())
    }
}
