//! Alerts as everybody sees them: the interface, the webhooks and the dashboard. Knows no table and no channel.

pub mod table;
pub mod words;

use crate::http::words as schema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::rule::Severity;
use shared::{Metric, Unit};
use utoipa::ToSchema;

macro_rules! stored_words {
    ($(#[$doc:meta])* $name:ident as $what:ident { $( $(#[$about:meta])* $variant:ident = $word:tt, )* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[schema(as = $what)]
        pub enum $name {
            $( $(#[$about])* #[serde(rename = $word)] $variant, )*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[ $( $name::$variant, )* ];

            /// The word that is stored and sent.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }

            /// Reads the word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }
    };
}

stored_words! {
    /// Who found out.
    Source as AlertSource {
        /// A threshold.
        Rule = "rule",
        /// The watch over connections.
        Outage = "outage",
        /// A third-party system.
        Intake = "intake",
    }
}

stored_words! {
    /// What is wrong.
    Kind as AlertKind {
        /// A value is below a limit.
        Low = "low",
        /// A value is above a limit.
        High = "high",
        /// A value changes too fast.
        Rate = "rate",
        /// No reading of a metric comes although the device measures.
        Missing = "missing",
        /// A probe fails.
        Fault = "fault",
        /// A device is not there.
        Offline = "offline",
        /// Most devices of a location are not there.
        LocationOffline = "location_offline",
        /// Most devices of the fleet are not there.
        FleetOffline = "fleet_offline",
        /// A device is gone again and again.
        RepeatedOutages = "repeated_outages",
        /// What a third-party system says.
        External = "external",
    }
}

stored_words! {
    /// How far an alert has been dealt with.
    State as AlertState {
        /// Nobody has said that he takes care of it.
        Open = "open",
        /// Somebody knows.
        Acknowledged = "acknowledged",
        /// It is over, or somebody says so.
        Resolved = "resolved",
    }
}

stored_words! {
    /// What happened to an alert that is told to others.
    What as AlertNews {
        /// It began.
        Raised = "raised",
        /// It became critical.
        Escalated = "escalated",
        /// It is a warning only.
        Eased = "eased",
        /// It is over.
        Cleared = "cleared",
        /// Somebody takes care of it.
        Acknowledged = "acknowledged",
        /// Somebody says that it is over.
        Resolved = "resolved",
        /// It is not over after all.
        Reopened = "reopened",
        /// What late data tells of the past, all in one.
        Digest = "digest",
        /// Nothing: somebody wants to know whether a channel works. Sent only when somebody asks for it.
        Test = "test",
    }
}

impl From<shared::rule::Kind> for Kind {
    fn from(kind: shared::rule::Kind) -> Self {
        match kind {
            shared::rule::Kind::Low => Self::Low,
            shared::rule::Kind::High => Self::High,
            shared::rule::Kind::Rate => Self::Rate,
            shared::rule::Kind::Missing => Self::Missing,
            shared::rule::Kind::Fault => Self::Fault,
        }
    }
}

/// The same in both languages of the people who read it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = AlertText)]
pub struct Text {
    /// Indonesian.
    pub id: String,
    /// English.
    pub en: String,
}

/// Something that somebody should know. Times are UTC milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Rises with the time at which the server knew.
    pub id: i64,
    /// Who found out.
    pub source: Source,
    /// What is wrong.
    pub kind: Kind,
    /// At which device.
    #[schema(required)]
    pub device: Option<String>,
    /// At which location.
    #[schema(required)]
    pub location: Option<String>,
    /// Of which metric.
    #[schema(required, value_type = Option<schema::Metric>)]
    pub metric: Option<Metric>,
    /// The unit of the values.
    #[schema(required, value_type = Option<schema::Unit>)]
    pub unit: Option<Unit>,
    /// How bad it is.
    #[schema(value_type = schema::Severity)]
    pub severity: Severity,
    /// How bad it was at its worst.
    #[schema(value_type = schema::Severity)]
    pub worst: Severity,
    /// How far it has been dealt with.
    pub state: State,
    /// Since when it has been so.
    pub since: i64,
    /// When that was decided: `since` and the hold time.
    pub raised_at: i64,
    /// When the server got to know: much later if its device had no network.
    pub known_at: i64,
    /// When anything about it last changed.
    pub changed_at: i64,
    /// Since when it has been over.
    #[schema(required)]
    pub resolved_at: Option<i64>,
    /// Who says that it is over: an account, or `rule`.
    #[schema(required)]
    pub resolved_by: Option<String>,
    /// Why it is over, if somebody said.
    #[schema(required)]
    pub reason: Option<String>,
    /// The value that decided it.
    #[schema(required)]
    pub value: Option<f64>,
    /// The limit that it passed; of a rate the greatest change that is allowed.
    #[schema(required)]
    pub limit: Option<f64>,
    /// The value furthest beyond the limit.
    #[schema(required)]
    pub extreme: Option<f64>,
    /// Whether what decided it is simulated.
    pub simulated: bool,
    /// It began and ended before the server knew of it.
    pub historical: bool,
    /// How often it was reopened.
    pub reopened: i64,
    /// Whether anybody has read it.
    pub read: bool,
    /// Who takes care of it.
    #[schema(required)]
    pub acknowledged_by: Option<String>,
    /// Since when.
    #[schema(required)]
    pub acknowledged_at: Option<i64>,
    /// Whose it is.
    #[schema(required)]
    pub assignee: Option<String>,
    /// Until when nobody is told of it.
    #[schema(required)]
    pub snoozed_until: Option<i64>,
    /// The alert of the location or fleet that this one belongs to.
    #[schema(required)]
    pub parent: Option<i64>,
    /// How many belong to this one.
    pub children: i64,
    /// Whether a silence or maintenance holds for it now.
    pub silenced: bool,
    /// Whatever else is known: `fault` of a probe; `title` and `text` of an intake alert.
    #[schema(value_type = Object)]
    pub detail: Map<String, Value>,
    /// All of it as a sentence.
    pub text: Text,
}

/// What is told to others: webhooks, MQTT and browsers get the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AlertMessage)]
pub struct News {
    /// Version of this form: 1.
    pub v: u32,
    /// The same for the same news, however often it is sent.
    pub key: String,
    /// What happened.
    pub what: What,
    /// When the server decided that (UTC milliseconds).
    pub at: i64,
    /// The news as a sentence.
    pub text: Text,
    /// The alert as it was then; null in a digest.
    #[schema(required)]
    pub alert: Option<Alert>,
    /// The alerts of a digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub alerts: Vec<Alert>,
}
