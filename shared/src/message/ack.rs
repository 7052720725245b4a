//! The server's answer to a batch. Only this lets an agent forget readings; PUBACK proves nothing.

use super::{PROTOCOL_VERSION, Received, Refusal, Rejection, Version, json_message};
use crate::{BufferId, Seq};
use serde::{Deserialize, Serialize};

/// An answer: either `through` is set (committed) or `rejected` is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    v: Version,
    /// The buffer meant; absent when a rejected batch could not be read that far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer: Option<BufferId>,
    /// Every reading of the buffer up to here has been committed by the server, or kept aside as refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Seq>,
    /// Rows that the server keeps aside because they are no readings: sequence and reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<(Seq, Refusal)>,
    /// Code of the reason why the whole batch was rejected: the agent keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The versions that the server speaks, when that is the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supported: Vec<u32>,
}

impl Ack {
    /// After the commit: everything of `buffer` up to `through` is safe.
    pub fn committed(buffer: BufferId, through: Seq, refused: Vec<(Seq, Refusal)>) -> Self {
        Self {
            v: Version,
            buffer: Some(buffer),
            through: Some(through),
            refused,
            rejected: None,
            detail: None,
            supported: vec![],
        }
    }

    /// After the commit of what was received; `through` is the highest sequence that the server has of the buffer.
    pub fn of(received: &Received, through: Seq) -> Self {
        Self::committed(received.buffer, through, received.refused.iter().map(|r| (r.seq, r.reason)).collect())
    }

    /// Nothing of the batch was taken.
    pub fn rejected(reason: &Rejection) -> Self {
        let supported = match reason {
            Rejection::UnsupportedVersion(_) => vec![PROTOCOL_VERSION],
            Rejection::TooLarge | Rejection::Malformed(_) => vec![],
        };
        let (rejected, detail) = (Some(reason.code().to_owned()), Some(reason.to_string()));
        Self { v: Version, buffer: None, through: None, refused: vec![], rejected, detail, supported }
    }
}
json_message!(Ack);
