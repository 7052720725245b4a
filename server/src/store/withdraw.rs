//! What an account made for others to come in by, withdrawn with its right to make it: for good, so that an account that was
//! taken over, disabled and given back brings neither its invitations nor its keys back to life.

use super::key::key_word;
use crate::audit::Entry;

/// All open invitations of an account.
pub(super) const INVITATIONS: &str = "UPDATE invitation SET withdrawn_at = $2
    WHERE invited_by = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2";
/// All keys of an account; those whose time is over, too, for a clock may be set back.
pub(super) const KEYS: &str =
    "UPDATE api_key SET revoked_at = $2 WHERE made_by = $1 AND revoked_at IS NULL RETURNING id";

/// What was withdrawn.
#[derive(Debug)]
pub(super) struct Withdrawn {
    pub invitations: u64,
    /// Their ids.
    pub keys: Vec<String>,
}

/// Withdraws it within a transaction that holds the lock of the audit log: `withdraw_made!(tx, account, now)`; a [`Withdrawn`].
macro_rules! withdraw_made {
    ($tx:expr, $account:expr, $now:expr) => {{
        use $crate::store::withdraw::{INVITATIONS, KEYS, Withdrawn};
        let query = sqlx::query(INVITATIONS).bind($account).bind($now.0);
        let invitations = query.execute(&mut *$tx).await?.rows_affected();
        let keys: Vec<String> = sqlx::query_scalar(KEYS).bind($account).bind($now.0).fetch_all(&mut *$tx).await?;
        Withdrawn { invitations, keys }
    }};
}
pub(super) use withdraw_made;

impl Withdrawn {
    /// The entry of what it was withdrawn by, with its numbers.
    pub fn told(&self, entry: Entry) -> Entry {
        let keys = u64::try_from(self.keys.len()).unwrap_or(u64::MAX);
        let numbers = [("invitations_withdrawn", self.invitations), ("keys_withdrawn", keys)];
        numbers.into_iter().filter(|(_, count)| *count > 0).fold(entry, |entry, (what, count)| entry.with(what, count))
    }

    /// The words by which the connections of the keys end.
    pub fn ended(self) -> impl Iterator<Item = String> {
        self.keys.into_iter().map(|id| key_word(&id))
    }
}
