//! Follows the outbox for the browsers of this instance: what any instance wrote becomes an event of `live`, once.

use crate::live::{Event, Live};
use crate::store::{Store, StoreError, Told, first_news_of};
use shared::UtcMillis;
use std::collections::BTreeSet;
use std::sync::Arc;

/// So far back is looked: news of a transaction that took long has an older id than what was seen meanwhile.
const BACK_MS: i64 = 60_000;
/// So long it is remembered what was seen: far longer than it is looked at, because a clock may be set back.
const REMEMBERED_MS: i64 = 86_400_000;

/// What has been seen of the outbox.
#[derive(Default)]
pub struct Tail {
    /// Ids, which rise with time.
    seen: BTreeSet<i64>,
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
        let mut new = store.told_since(UtcMillis(since)).await?;
        new.retain(|id| !self.seen.contains(id));
        if self.looked.is_some() {
            for Told { news, withheld, .. } in store.told(&new).await? {
                live.publish(Event::Alert { news: Arc::new(news), withheld });
            }
        }
        self.looked = Some(now);
        self.seen.extend(new);
        self.seen = self.seen.split_off(&first_news_of(UtcMillis(since.min(now.0 - REMEMBERED_MS))));
        Ok(())
    }
}
