//! The walk along the chain: takes one entry after the other and keeps none. Knows not where they come from.

use super::{Broken, Head, Row};

/// How far somebody has come along the chain.
#[derive(Debug, Clone)]
pub struct Walk {
    /// The number of the first entry that is looked at.
    first: i64,
    last: Head,
    /// Ends that are known from elsewhere.
    known: Vec<Head>,
    entries: u64,
}

impl Walk {
    /// Begins behind an entry; behind [`Head::of_nothing`] to see all of the log.
    pub fn after(last: Head) -> Self {
        Self { first: last.id.saturating_add(1), last, known: vec![], entries: 0 }
    }

    /// Insists on an entry that is known from elsewhere: that it is there, and has this hash.
    ///
    /// # Errors
    /// When it lies before the beginning, so that nothing can be said.
    pub fn insist_on(&mut self, head: Head) -> Result<(), Broken> {
        if head.id.saturating_add(1) < self.first {
            return Err(Broken::NotCovered { id: head.id, first: self.first });
        }
        if head.id == self.last.id && head.hash != self.last.hash {
            return Err(Broken::Rewritten(head.id));
        }
        self.known.push(head);
        Ok(())
    }

    /// The next entry.
    ///
    /// # Errors
    /// When it does not follow from the one before.
    pub fn take(&mut self, row: &Row) -> Result<(), Broken> {
        let due = self.last.id.saturating_add(1);
        if row.id < due {
            return Err(Broken::Reordered { id: row.id, after: self.last.id });
        }
        if row.id > due {
            return Err(Broken::Removed { from: due, to: row.id - 1 });
        }
        let hash = row.hash.as_deref().filter(|hash| !hash.is_empty()).ok_or(Broken::Unhashed(row.id))?;
        if row.hash_after(&self.last.hash) != hash {
            return Err(Broken::Changed(row.id));
        }
        if self.known.iter().any(|known| known.id == row.id && known.hash != hash) {
            return Err(Broken::Rewritten(row.id));
        }
        self.last = Head { id: row.id, hash: hash.to_owned() };
        self.entries += 1;
        Ok(())
    }

    /// The last entry that was taken.
    pub fn last(&self) -> &Head {
        &self.last
    }

    /// How many were taken.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// There are no more: the last entry.
    ///
    /// # Errors
    /// When one that must be there has not come.
    pub fn end(self) -> Result<Head, Broken> {
        match self.known.into_iter().find(|known| known.id > self.last.id) {
            Some(head) => Err(Broken::Truncated { last: self.last.id, head }),
            None => Ok(self.last),
        }
    }
}
