//! Follows the outbox for the browsers of this instance: what any instance wrote becomes an event of `live`, once.

use crate::live::{Event, Live};
use crate::store::{Store, StoreError, Told};
use shared::UtcMillis;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// So far back is looked: news of a transaction that took long has an older id than what was seen meanwhile.
const BACK_MS: i64 = 60_000;
/// So many are remembered as told.
const REMEMBERED: usize = 10_000;

/// What has been seen of the outbox.
#[derive(Default)]
pub struct Tail {
    seen: HashSet<i64>,
    order: VecDeque<i64>,
    /// When it was last looked at; `None`: never, and what is there then is old.
    looked: Option<UtcMillis>,
}

impl Tail {
    /// Tells all watchers what is new.
    ///
    /// # Errors
    /// When the database fails: the next look finds the same.
    pub async fn look(&mut self, store: &Store, live: &Live, now: UtcMillis) -> Result<(), StoreError> {
        // A clock that was set back, or a look that was long ago, must hide nothing.
        let since = self.looked.map_or(now.0, |at| at.0.min(now.0)) - BACK_MS;
        let told = store.told_since(UtcMillis(since)).await?;
        let first = self.looked.replace(now).is_none();
        for Told { id, news, withheld } in told {
            if !self.seen.insert(id) {
                continue;
            }
            self.order.push_back(id);
            if self.order.len() > REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.seen.remove(&oldest);
            }
            if !first {
                live.publish(Event::Alert { news: Arc::new(news), withheld });
            }
        }
        Ok(())
    }
}
