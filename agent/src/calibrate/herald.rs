//! Tells the server: how a session stands, while the link is up, and each record again and again until the
//! server has it. Knows nothing of what a calibration is.

use crate::link::{Delivery, Link, LinkState};
use crate::uplink::HOLD;
use shared::calibration::CalibrationRecord;
use shared::message::calibrate::{CalibrationUp, News, View};
use shared::{ClockQuality, DeviceName, Topic};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// How often records that are not confirmed are said again.
const AGAIN: Duration = Duration::from_secs(60);
/// How long the broker may take for one.
const PATIENCE: Duration = Duration::from_secs(10);

/// The task.
pub struct Herald {
    /// Who speaks.
    pub device: DeviceName,
    /// The way up.
    pub link: Link,
    /// How the session stands.
    pub views: broadcast::Receiver<View>,
    /// What the server does not know yet.
    pub waiting: watch::Receiver<Vec<CalibrationRecord>>,
}

impl Herald {
    /// Speaks for as long as the link lives.
    pub async fn run(mut self) {
        let mut state = self.link.state();
        let (mut connection, mut next, mut hold_until) = (LinkState::Down, Instant::now(), Instant::now());
        loop {
            // It may have changed while records were said.
            let present = *state.borrow_and_update();
            if present != connection {
                (connection, next, hold_until) = (present, Instant::now(), Instant::now() + HOLD);
            }
            let (up, any) = (connection != LinkState::Down, !self.waiting.borrow().is_empty());
            tokio::select! {
                changed = state.changed() => if changed.is_err() {
                    return;
                },
                view = self.views.recv() => match view {
                    Ok(view) => drop(self.say(News::View(view)).await),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                Ok(()) = self.waiting.changed() => next = Instant::now(),
                () = sleep_until(next), if up && any => next = self.say_records(hold_until).await,
            }
        }
    }

    /// Says what waits, up to the first whose time may yet be repaired. Returns when to do so again.
    async fn say_records(&mut self, hold_until: Instant) -> Instant {
        let records = self.waiting.borrow_and_update().clone();
        for record in records {
            if record.stamp.clock == ClockQuality::Unsynced && Instant::now() < hold_until {
                // The server keeps what it hears first.
                return hold_until;
            }
            // One after the other: the link takes only a few at a time.
            let delivery = self.say(News::Record(record)).await;
            if !matches!(timeout(PATIENCE, delivery).await, Ok(Ok(()))) {
                break;
            }
        }
        Instant::now() + AGAIN
    }

    async fn say(&self, news: News) -> Delivery {
        let topic = Topic::CalibrationUp(self.device.clone());
        self.link.publish(topic, CalibrationUp::new(news).encode(), false).await
    }
}

#[cfg(test)]
mod tests;
