//! Limits that were passed, as alerts tell: those of a device within a time with the steps of their lives, also those that were
//! cleared out of the lists; and how far beyond a limit its readings went. Judges nothing anew.

use super::{Store, StoreError, alert_row::severity, on_pool};
use crate::outage::Window;
use crate::report::{Episode, Step};
use futures_util::TryStreamExt;
use serde_json::Value;
use shared::rule::Kind;
use shared::{ClockQuality, DeviceName, Flag, Metric, Outcome, UtcMillis};
use std::ops::ControlFlow;

/// What happened, of which alert.
#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    kind: String,
    metric: String,
    since: i64,
    resolved_at: Option<i64>,
    resolved_by: Option<String>,
    simulated: bool,
    at: i64,
    what: String,
    detail: String,
}

impl Store {
    /// The alerts of a device about a limit that was passed within a time, in the order in which the server knew of them.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn episodes(&self, device: &DeviceName, time: Window) -> Result<Vec<Episode>, StoreError> {
        const QUERY: &str =
            "SELECT alert.id AS id, kind, metric, since, resolved_at, resolved_by, simulated, event.at AS at, what,
              event.detail AS detail
            FROM alert JOIN alert_event event ON event.alert = alert.id
            WHERE device = $1 AND source = 'rule' AND kind IN ('low', 'high') AND metric IS NOT NULL
              AND since < $2 AND (resolved_at IS NULL OR resolved_at > $3)
              AND what IN ('raised', 'escalated', 'eased', 'reopened', 'cleared', 'resolved')
            ORDER BY alert.id, event.seq";
        let mut episodes: Vec<Episode> = vec![];
        let mut ends: Vec<Option<i64>> = vec![];
        on_pool!(&self.pool, |pool| {
            let mut rows =
                sqlx::query_as::<_, Row>(QUERY).bind(device.as_str()).bind(time.to).bind(time.from).fetch(pool);
            while let Some(row) = rows.try_next().await? {
                match episodes.last_mut().filter(|last| last.alert == row.id) {
                    Some(last) => last.steps.push(row.step(&last.steps)),
                    None => {
                        ends.push(row.resolved_at);
                        episodes.push(row.begin()?);
                    }
                }
            }
        });
        for (episode, end) in episodes.iter_mut().zip(ends) {
            // The end of one that was cleared out of the lists is no event.
            let goes_on = episode.steps.last().is_some_and(|last| last.severity.is_some());
            episode.steps.extend(end.filter(|_| goes_on).map(|at| Step { at, severity: None }));
        }
        Ok(episodes)
    }

    /// The value furthest on one side within some times, as it was judged, and when it was first measured.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn furthest(
        &self,
        device: &DeviceName,
        metric: Metric,
        side: Kind,
        times: &[Window],
    ) -> Result<Option<(f64, i64)>, StoreError> {
        let mut furthest: Option<(f64, i64)> = None;
        for time in times {
            // What was computed again later was not what the rules saw.
            self.walk(device, metric, (UtcMillis(time.from), UtcMillis(time.to)), Some(0), |revised| {
                let reading = revised.reading;
                let is_judged = reading.stamp.clock != ClockQuality::Unsynced && !reading.flags.has(Flag::Calibrating);
                if let Outcome::Measured(value) = reading.outcome
                    && is_judged
                    && furthest.is_none_or(
                        |(so_far, _)| {
                            if side == Kind::Low { value.get() < so_far } else { value.get() > so_far }
                        },
                    )
                {
                    furthest = Some((value.get(), reading.stamp.at.0));
                }
                ControlFlow::Continue(())
            })
            .await?;
            tokio::task::yield_now().await;
        }
        Ok(furthest)
    }
}

impl Row {
    fn begin(self) -> Result<Episode, StoreError> {
        let corrupt =
            |what: &str| StoreError::Corrupt { what: "alert", why: format!("{}: its {what} is unknown", self.id) };
        // It has been so since before that was decided.
        let first = Step { at: self.since, ..self.step(&[]) };
        Ok(Episode {
            alert: self.id,
            metric: Metric::from_wire(&self.metric).ok_or_else(|| corrupt("metric"))?,
            side: Kind::from_wire(&self.kind).ok_or_else(|| corrupt("kind"))?,
            steps: vec![first],
            simulated: self.simulated,
            by_hand: self.resolved_by.as_deref().is_some_and(|by| !matches!(by, "rule" | "server")),
        })
    }

    /// The step that an event is. Its own time is that of the readings, where it says so, and else when the server knew.
    fn step(&self, before: &[Step]) -> Step {
        let detail: Value = serde_json::from_str(&self.detail).unwrap_or_default();
        let said = detail["severity"].as_str().and_then(severity);
        let is_over = matches!(self.what.as_str(), "cleared" | "resolved");
        let last = before.iter().rev().find_map(|step| step.severity);
        Step {
            at: detail["at"].as_i64().unwrap_or(self.at),
            // Whoever reopens one by hand does not say how bad it is.
            severity: (!is_over).then_some(said.or(last).unwrap_or_default()),
        }
    }
}
