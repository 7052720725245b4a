//! News on the topic `tirta/alerts`, for whatever else listens to the broker: a siren, a plant's control system.

use super::{Answer, Channel, Problem};
use crate::alert::{News, What};
use crate::link::Link;
use std::time::Duration;

/// A broker that has not said in this time that it has a message may have it or not: it is sent again.
const ATTEMPT: Duration = Duration::from_secs(10);

/// The broker.
pub struct Mqtt(pub Link);

impl Channel for Mqtt {
    fn name(&self) -> &str {
        "mqtt"
    }

    fn wants(&self, _: What) -> bool {
        true
    }

    fn deliver<'a>(&'a self, news: &'a News) -> Answer<'a> {
        Box::pin(async move {
            let body = serde_json::to_string(news).map_err(|error| Problem(error.to_string()))?;
            match tokio::time::timeout(ATTEMPT, self.0.publish_alert(body)).await {
                Ok(done) => done.map_err(|error| Problem(error.to_string())),
                Err(_) => Err(Problem("the broker has not said that it has it".to_owned())),
            }
        })
    }
}
