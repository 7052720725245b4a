//! Waiting for a condition with a deadline: nothing here waits for a fixed time and hopes.

use crate::error::Error;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FIRST_LOOK: Duration = Duration::from_millis(50);
const LAZIEST_LOOK: Duration = Duration::from_millis(500);

/// Looks until `look` gives something, or an error, or the time is over.
///
/// # Errors
/// The error of `look`, or that the time is over.
pub async fn until<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let deadline = Instant::now() + patience;
    let mut pause = FIRST_LOOK;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            return Err(Error::TimedOut { what: what.to_owned(), seconds: patience.as_secs() });
        }
        sleep(pause).await;
        pause = (pause * 2).min(LAZIEST_LOOK);
    }
}
