//! Prints what a buffer holds, for audits and tests: each reading, then the ledger, one JSON a line.

use crate::buffer::{self, FileError};
use serde::Serialize;
use shared::{BufferId, Reading, Seq};
use std::io::{self, Write};
use std::path::Path;

/// Why records can't be printed.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The buffer can't be read.
    #[error("the buffer can't be read: {0}")]
    Buffer(#[from] FileError),
    /// They can't be written.
    #[error("the records can't be written: {0}")]
    Output(#[from] io::Error),
}

#[derive(Serialize)]
struct Record {
    buffer: BufferId,
    reading: Reading,
}

#[derive(Serialize)]
struct Summary {
    buffer: BufferId,
    next_seq: Seq,
    acknowledged: Seq,
    dropped: u64,
    pending: u64,
}

/// Prints the records of a `data_dir`, also while an agent uses it.
///
/// # Errors
/// When the buffer can't be read or the output not written.
pub fn print(data_dir: &Path, output: &mut impl Write) -> Result<(), RecordsError> {
    let mut result = Ok(());
    let ledger = buffer::inspect(&buffer::path(data_dir), |buffer, reading| {
        if result.is_ok() {
            result = line(output, &Record { buffer, reading });
        }
    })?;
    result?;
    let summary = Summary {
        buffer: ledger.id,
        next_seq: ledger.next,
        acknowledged: ledger.acknowledged,
        dropped: ledger.dropped,
        pending: ledger.pending(),
    };
    line(output, &summary)?;
    Ok(output.flush()?)
}

fn line(output: &mut impl Write, record: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, record)?;
    output.write_all(b"\n")
}
