//! Requests that nobody of good will makes: each is refused in words or does nothing, and the server goes on.

mod bodies;
mod forged;
mod texts;
mod wire;

use crate::contract::DOCUMENT;
use crate::site::Site;
use serde_json::Value;

/// An operation with what the document gives as an example for it.
pub struct Operation {
    pub method: String,
    /// With the example's parameters in their places.
    pub path: String,
    pub id: &'static str,
    pub said: &'static Value,
}

impl Operation {
    /// The example of the body.
    pub fn example(&self) -> Option<&'static Value> {
        let content = self.said["requestBody"]["content"].as_object()?;
        content.values().next().map(|media| &media["example"])
    }

    pub fn is_open(&self) -> bool {
        self.said["x-permission"] == "open"
    }
}

/// Every operation but those that end what the tests go on with.
pub fn operations() -> Vec<Operation> {
    let mut all = vec![];
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, said) in item.as_object().unwrap() {
            let id = said["operationId"].as_str().unwrap();
            let mut path = path.clone();
            for parameter in said["parameters"].as_array().into_iter().flatten() {
                let example = &parameter["example"];
                let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
                path = path.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), &example);
            }
            let ends = ["signOut", "endAllSessions", "rotateAuthority", "retireAuthority", "watchLive"].contains(&id);
            if !ends {
                all.push(Operation { method: method.to_uppercase(), path, id, said });
            }
        }
    }
    assert!(all.len() > 50);
    all
}

/// A site with an admin who is signed in, as a header.
pub async fn site() -> (Site, String) {
    let site = Site::start().await;
    let cookie = format!("cookie: {}", site.sign_in().await);
    (site, cookie)
}
