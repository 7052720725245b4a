//! The people: each signs in with a password that was drawn for them alone, and asks the server by its interface, as the
//! dashboard does.

use crate::cast::PEOPLE;
use crate::error::{PlayError, impossible};
use crate::span::HOUR;
use hyper::Method;
use provisioning::client::{Client, ClientError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use server::http::password;
use server::run::ADMIN;
use shared::UtcMillis;
use std::collections::BTreeMap;

/// Whoever has done nothing for so long signs in again.
const SHIFT: i64 = 8 * HOUR;

/// An account of the demo, for whoever looks at it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What it is.
    pub role: String,
    /// Its password.
    pub password: String,
}

struct Person {
    role: String,
    password: String,
    client: Client,
    /// Since when they are signed in.
    since: Option<i64>,
}

/// Everybody.
pub struct Crew {
    server: String,
    people: BTreeMap<String, Person>,
}

impl Crew {
    /// The first admin alone.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(server: &str, password: String) -> Result<Self, PlayError> {
        let mut crew = Self { server: server.to_owned(), people: BTreeMap::new() };
        crew.add(ADMIN, "admin", password)?;
        Ok(crew)
    }

    fn add(&mut self, name: &str, role: &str, password: String) -> Result<(), PlayError> {
        let client = Client::new(&self.server, None).map_err(impossible)?;
        self.people.insert(name.to_owned(), Person { role: role.to_owned(), password, client, since: None });
        Ok(())
    }

    /// The admin makes an account for somebody.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn make_account(
        &mut self,
        (name, role, email): (&str, &str, &str),
        now: UtcMillis,
    ) -> Result<(), PlayError> {
        let admin = self.signed_in(ADMIN, now).await?;
        let made = admin.add_user(name, role, Some(email)).await.map_err(|error| refused(ADMIN, name, error))?;
        self.add(name, role, made.password)
    }

    /// Somebody signs in for the first time and chooses a password.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn choose_password(&mut self, name: &str, now: UtcMillis) -> Result<(), PlayError> {
        let new = password::make()?;
        let client = self.signed_in(name, now).await?;
        let person = self.person(name)?;
        client.change_password(&person.password, &new).await.map_err(|error| refused(name, "a password", error))?;
        person.password = new;
        Ok(())
    }

    /// Somebody asks the server for something.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn ask(
        &mut self,
        who: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
        now: UtcMillis,
    ) -> Result<Value, PlayError> {
        let body = body.map(|body| body.to_string());
        let client = self.signed_in(who, now).await?;
        let mut answer = client.call(method.clone(), path, body.clone()).await;
        if matches!(answer, Err(ClientError::Refused { status: 401, .. })) {
            self.person(who)?.since = None;
            answer = self.signed_in(who, now).await?.call(method, path, body).await;
        }
        let answer = answer.map_err(|error| refused(who, path, error))?;
        if answer.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&answer).map_err(impossible) }
    }

    /// Somebody who is signed in now.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn signed_in(&mut self, who: &str, now: UtcMillis) -> Result<Client, PlayError> {
        let person = self.person(who)?;
        let fresh = person.since.is_some_and(|since| now.0 - since < SHIFT);
        if !fresh {
            person.sign_out().await;
            let Person { client, password, .. } = person;
            client.sign_in(who, password).await.map_err(|error| refused(who, "a session", error))?;
            person.since = Some(now.0);
        }
        Ok(person.client.clone())
    }

    /// Everybody goes home.
    pub async fn sign_out(&mut self) {
        for person in self.people.values_mut() {
            person.sign_out().await;
        }
    }

    /// The accounts: the admin first, then the others by what they may do.
    pub fn accounts(&self) -> Vec<Account> {
        let names = [ADMIN].into_iter().chain(PEOPLE.iter().map(|(name, ..)| *name));
        let account = |name: &str| {
            let Person { role, password, .. } = self.people.get(name)?;
            Some(Account { name: name.to_owned(), role: role.clone(), password: password.clone() })
        };
        names.filter_map(account).collect()
    }

    fn person(&mut self, name: &str) -> Result<&mut Person, PlayError> {
        self.people.get_mut(name).ok_or_else(|| impossible(format!("nobody is called {name}")))
    }
}

impl Person {
    /// A session that has ended by itself needs no end.
    async fn sign_out(&mut self) {
        if self.since.take().is_some() {
            let _ = self.client.call(Method::DELETE, "/api/v1/session", None).await;
        }
    }
}

fn refused(who: &str, what: &str, error: ClientError) -> PlayError {
    PlayError::Refused { who: who.to_owned(), what: what.to_owned(), error }
}
