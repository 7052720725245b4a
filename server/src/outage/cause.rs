//! Why a device was gone, from what it said before and after. Only what can be known is said: all else is unknown.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::RunId;
use shared::message::Status;
use utoipa::ToSchema;

/// Why a device was not there. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OutageCause)]
pub enum Cause {
    /// It has booted anew without having said good-bye.
    Power,
    /// It ran on and lost its connection.
    Network,
    /// It said good-bye: somebody stopped or restarted it.
    Stopped,
    /// Its program ended and began again while the machine ran on.
    Agent,
    /// The server, or the server's broker, was not there.
    Server,
    /// It has not come back yet, or what it says does not tell.
    Unknown,
}

impl Cause {
    /// All of them.
    pub const ALL: [Cause; 6] =
        [Cause::Power, Cause::Network, Cause::Stopped, Cause::Agent, Cause::Server, Cause::Unknown];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Network => "network",
            Self::Stopped => "stopped",
            Self::Agent => "agent",
            Self::Server => "server",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

/// How it was noticed that a device is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// The broker lost it.
    Lost,
    /// It said good-bye.
    Stopped,
    /// Nothing came for too long.
    Silent,
}

/// What was known of a device when it went: kept with its outage, for the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// How it was noticed.
    pub gone: Gone,
    /// Its boot; empty if it never said.
    #[serde(default)]
    pub boot: String,
    /// The run of its agent.
    #[serde(default)]
    pub run: Option<RunId>,
}

impl Before {
    /// Why it was gone, now that it has said `back`; `deaf`: the server heard nothing for a part of that time. With what it was
    /// concluded from.
    pub fn cause(&self, back: &Status, deaf: bool) -> (Cause, Map<String, Value>) {
        let mut detail = Map::new();
        let same_boot = !self.boot.is_empty() && self.boot == back.boot;
        let new_boot = !self.boot.is_empty() && !back.boot.is_empty() && self.boot != back.boot;
        let new_run = self.run.is_some() && back.run.is_some() && self.run != back.run;
        let cause = if self.gone == Gone::Stopped {
            Cause::Stopped
        } else if new_boot {
            Cause::Power
        } else if same_boot && new_run {
            Cause::Agent
        } else if deaf {
            Cause::Server
        } else if same_boot && back.cut.is_some() {
            Cause::Network
        } else {
            Cause::Unknown
        };
        if let Some(up_s) = back.up_s.filter(|_| new_boot) {
            detail.insert("up_s".to_owned(), up_s.into());
        }
        if let Some(cut) = back.cut.as_ref().filter(|_| !new_boot && !new_run) {
            detail.insert("why".to_owned(), cut.why.clone().into());
            detail.insert("cut_ago_s".to_owned(), cut.ago_s.into());
        }
        (cause, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::message::{Cut, LinkState};

    fn back(boot: &str, run: u64, cut: bool) -> Status {
        let mut status = Status::new(LinkState::Online);
        (status.boot, status.run, status.up_s) = (boot.to_owned(), Some(RunId::from_random(run)), Some(31));
        status.cut = cut.then(|| Cut { ago_s: 240, why: "no_route".to_owned() });
        status
    }

    fn before(gone: Gone) -> Before {
        Before { gone, boot: "a".to_owned(), run: Some(RunId::from_random(1)) }
    }

    #[test]
    fn the_cause_is_what_boot_run_and_link_show_and_nothing_is_guessed() {
        for (gone, status, deaf, cause) in [
            (Gone::Lost, back("b", 2, false), false, Cause::Power),
            (Gone::Silent, back("b", 2, false), true, Cause::Power),
            (Gone::Lost, back("a", 1, true), false, Cause::Network),
            (Gone::Lost, back("a", 2, false), false, Cause::Agent),
            (Gone::Stopped, back("b", 2, false), false, Cause::Stopped),
            (Gone::Stopped, back("a", 2, false), false, Cause::Stopped),
            (Gone::Silent, back("a", 1, true), true, Cause::Server),
            (Gone::Silent, back("a", 1, false), false, Cause::Unknown),
            (Gone::Lost, back("", 1, true), false, Cause::Unknown),
        ] {
            assert_eq!(before(gone).cause(&status, deaf).0, cause, "{gone:?} {status:?} {deaf}");
        }
        let nothing_known = Before { gone: Gone::Lost, boot: String::new(), run: None };
        assert_eq!(nothing_known.cause(&back("b", 2, false), false).0, Cause::Unknown);
    }

    #[test]
    fn what_it_was_concluded_from_is_kept() {
        let (_, power) = before(Gone::Lost).cause(&back("b", 2, true), false);
        assert_eq!(Value::Object(power), serde_json::json!({"up_s": 31}));
        let (_, network) = before(Gone::Lost).cause(&back("a", 1, true), false);
        assert_eq!(Value::Object(network), serde_json::json!({"why": "no_route", "cut_ago_s": 240}));
    }
}
