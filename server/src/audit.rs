//! What is written into the audit log: an act, who did it and to what. Knows no table and no HTTP.

use serde_json::{Map, Value};
use shared::chain::{Head, Row};
use shared::{DeviceName, Serial, UtcMillis};

macro_rules! acts {
    ($($(#[$note:meta])* $act:ident => $word:literal,)*) => {
        /// Something that was done. The words are stored and shown to programs: they only ever grow in number.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)] // the words say it
        pub enum Act {
            $($(#[$note])* $act,)*
        }

        impl Act {
            /// All that there are.
            pub const ALL: &[Self] = &[$(Self::$act),*];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$act => $word,)*
                }
            }
        }
    };
}

acts! {
    TokenCreated => "token.created",
    TokenRevoked => "token.revoked",
    RegistryImported => "registry.imported",
    RegistryReserved => "registry.reserved",
    DeviceEnrolled => "device.enrolled",
    DeviceWaiting => "device.waiting",
    DeviceApproved => "device.approved",
    DeviceRefused => "device.refused",
    /// A re-flashed board came back by policy.
    DeviceReturned => "device.returned",
    /// Somebody uses a serial that another key has.
    DeviceSecondKey => "device.second_key",
    DeviceQuarantined => "device.quarantined",
    /// A card with another board's identity asked for one of its own.
    DeviceCopiedCard => "device.copied_card",
    DeviceRenewed => "device.renewed",
    DeviceRevoked => "device.revoked",
    DeviceReplaced => "device.replaced",
    DeviceClaimed => "device.claimed",
    DeviceSettingsChanged => "device.settings_changed",
    PolicyChanged => "policy.changed",
    AuthorityRotated => "authority.rotated",
    AuthorityRetired => "authority.retired",
    AlertRaised => "alert.raised",
    AlertEscalated => "alert.escalated",
    AlertEased => "alert.eased",
    AlertCleared => "alert.cleared",
    AlertReopened => "alert.reopened",
    /// What late data told of the past.
    AlertDigest => "alert.digest",
    SilenceMade => "silence.made",
    SilenceEnded => "silence.ended",
    IntakeTokenCreated => "intake_token.created",
    IntakeTokenRevoked => "intake_token.revoked",
    CalibrationUndone => "calibration.undone",
    /// History was computed again.
    ReadingsRecomputed => "readings.recomputed",
    /// Somebody took readings out as a file.
    ReadingsExported => "readings.exported",
    ThresholdChanged => "threshold.changed",
    AlertActed => "alert.acted",
    AlertsCleared => "alerts.cleared",
    AlertsRestored => "alerts.restored",
    UserCreated => "user.created",
    UserChanged => "user.changed",
    UserPasswordReset => "user.password_reset",
    UserPasswordChanged => "user.password_changed",
    KeyCreated => "key.created",
    KeyRevoked => "key.revoked",
    /// A device without a board.
    DeviceRegistered => "device.registered",
    DeviceChanged => "device.changed",
    /// An admin's account was made whole by whoever has the machine.
    UserRecovered => "user.recovered",
    UserTotpEnabled => "user.totp_enabled",
    UserTotpDisabled => "user.totp_disabled",
    SessionStarted => "session.started",
    SessionEnded => "session.ended",
    /// A refresh token came from two: its session has ended.
    SessionReused => "session.reused",
    /// Wrong passwords or codes from an address, counted.
    SessionRefused => "session.refused",
    UserInvited => "user.invited",
    UserInvitationWithdrawn => "user.invitation_withdrawn",
    /// Somebody made their account by an invitation.
    UserJoined => "user.joined",
    /// Somebody asked for an account.
    UserAsked => "user.asked",
    UserApproved => "user.approved",
    UserRefused => "user.refused",
    ChannelTested => "channel.tested",
    BackupMade => "backup.made",
    BackupFailed => "backup.failed",
    /// Somebody has all that is kept, on another machine.
    BackupTaken => "backup.taken",
    PresetMade => "preset.made",
    PresetChanged => "preset.changed",
    PresetRemoved => "preset.removed",
    /// The entries of before got their hashes.
    AuditChained => "audit.chained",
}

/// An entry that is to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When.
    pub at: UtcMillis,
    /// Who: an account, `key:` and the name of a key, `device`, `visitor` or `server`.
    pub who: String,
    /// What.
    pub act: Act,
    /// To which device.
    pub device: Option<DeviceName>,
    /// To which board.
    pub serial: Option<Serial>,
    /// From which address.
    pub address: Option<String>,
    /// Whatever else belongs to it.
    pub detail: Map<String, Value>,
}

/// Who acts: an account, a device or the server itself, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    who: String,
    address: Option<String>,
}

impl Actor {
    /// A signed-in person.
    pub fn account(name: &str) -> Self {
        Self { who: name.to_owned(), address: None }
    }

    /// A device that nobody has identified yet, or that shows its certificate.
    pub fn device() -> Self {
        Self { who: "device".to_owned(), address: None }
    }

    /// Somebody who has no account.
    pub fn visitor() -> Self {
        Self { who: "visitor".to_owned(), address: None }
    }

    /// Nobody but the server.
    pub fn server() -> Self {
        Self { who: "server".to_owned(), address: None }
    }

    /// The same, at an address.
    #[must_use]
    pub fn at(self, address: impl ToString) -> Self {
        Self { address: Some(address.to_string()), ..self }
    }

    /// Who it is.
    pub fn name(&self) -> &str {
        &self.who
    }

    /// An entry about an act of this one.
    pub fn did(&self, act: Act, at: UtcMillis) -> Entry {
        let (who, address) = (self.who.clone(), self.address.clone());
        Entry { at, who, act, device: None, serial: None, address, detail: Map::new() }
    }
}

impl Entry {
    /// Names the device.
    #[must_use]
    pub fn to(self, device: &DeviceName) -> Self {
        Self { device: Some(device.clone()), ..self }
    }

    /// Names the board.
    #[must_use]
    pub fn board(self, serial: Serial) -> Self {
        Self { serial: Some(serial), ..self }
    }

    /// The same as the next entry behind `head`, which it becomes.
    #[must_use]
    pub fn behind(self, head: &mut Head) -> Row {
        let Self { at, who, act, device, serial, address, detail } = self;
        let mut row = Row {
            id: head.id + 1,
            at: at.0,
            who,
            act: act.as_str().to_owned(),
            device: device.map(String::from),
            serial: serial.map(String::from),
            address,
            detail: Value::Object(detail).to_string(),
            hash: None,
        };
        let hash = row.hash_after(&head.hash);
        row.hash = Some(hash.clone());
        *head = Head { id: row.id, hash };
        row
    }

    /// Says one more thing about it.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_like_a_sentence() {
        let entry = Actor::account("admin").at("10.0.0.5").did(Act::DeviceRevoked, UtcMillis(5));
        let entry = entry.to(&DeviceName::numbered(7)).with("reason", "stolen");
        assert_eq!((entry.who.as_str(), entry.act.as_str()), ("admin", "device.revoked"));
        assert_eq!((entry.address.as_deref(), entry.device), (Some("10.0.0.5"), Some(DeviceName::numbered(7))));
        assert_eq!(entry.detail["reason"], "stolen");
    }
}
