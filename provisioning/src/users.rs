//! What the server's API says of accounts and of one's own password. Knows no terminal.

use crate::client::{Client, ClientError, plain};
use crate::connect::PATIENCE;
use hyper::Method;
use serde::Deserialize;
use serde_json::json;

/// Most accounts of one answer; the list is read in pages of it.
const PAGE: usize = 200;

/// An account.
#[derive(Debug, Clone, Deserialize)]
pub struct User {
    /// Its name.
    pub name: String,
    /// `admin`, `supervisor`, `technician` or `auditor`.
    pub role: String,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Its owner has not yet chosen a password.
    pub must_change: bool,
    /// Since when nobody signs in with it, UTC milliseconds.
    pub disabled_at: Option<i64>,
}

/// An account and the password that was made for it.
#[derive(Debug, Clone, Deserialize)]
pub struct UserWithPassword {
    /// The account.
    pub user: User,
    /// Shown this once.
    pub password: String,
}

impl Client {
    /// All accounts, by name.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn users(&self) -> Result<Vec<User>, ClientError> {
        #[derive(Deserialize)]
        struct Page {
            users: Vec<User>,
            next: Option<String>,
        }
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let mut path = format!("/api/v1/users?limit={PAGE}");
            if let Some(after) = &after {
                path += &format!("&after={}", plain("user", after)?);
            }
            let page: Page = self.json(Method::GET, &path, None).await?;
            found.extend(page.users);
            // A server that gives the same page again must not keep anybody here for ever.
            match page.next {
                Some(next) if after.as_ref().is_none_or(|after| *after < next) => after = Some(next),
                _ => return Ok(found),
            }
        }
    }

    /// Makes an account.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn add_user(&self, name: &str, role: &str, email: Option<&str>) -> Result<UserWithPassword, ClientError> {
        let body = json!({ "name": name, "role": role, "email": email }).to_string();
        self.json(Method::POST, "/api/v1/users", Some(body)).await
    }

    /// Gives an account another role.
    ///
    /// # Errors
    /// When there is none of this name, the server refuses or does not answer.
    pub async fn set_role(&self, name: &str, role: &str) -> Result<User, ClientError> {
        self.change_user(name, json!({ "role": role })).await
    }

    /// Says whether nobody signs in with an account.
    ///
    /// # Errors
    /// When there is none of this name, the server refuses or does not answer.
    pub async fn set_disabled(&self, name: &str, disabled: bool) -> Result<User, ClientError> {
        self.change_user(name, json!({ "disabled": disabled })).await
    }

    async fn change_user(&self, name: &str, change: serde_json::Value) -> Result<User, ClientError> {
        let path = format!("/api/v1/users/{}", plain("user", name)?);
        self.json(Method::PATCH, &path, Some(change.to_string())).await
    }

    /// Gives an account another first password.
    ///
    /// # Errors
    /// When there is none of this name, the server refuses or does not answer.
    pub async fn reset_password(&self, name: &str) -> Result<UserWithPassword, ClientError> {
        let path = format!("/api/v1/users/{}/reset-password", plain("user", name)?);
        self.json(Method::POST, &path, None).await
    }

    /// Switches the second factor of an account off.
    ///
    /// # Errors
    /// When there is none of this name, it has none, the server refuses or does not answer.
    pub async fn remove_second_factor(&self, name: &str) -> Result<(), ClientError> {
        let path = format!("/api/v1/users/{}/second-factor", plain("user", name)?);
        self.ask(Method::DELETE, &path, None, PATIENCE).await.map(|_| ())
    }

    /// Changes the password of whoever has signed in.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn change_password(&self, old: &str, new: &str) -> Result<(), ClientError> {
        let body = json!({ "old": old, "new": new }).to_string();
        self.ask(Method::POST, "/api/v1/session/password", Some(body), PATIENCE).await.map(|_| ())
    }
}
