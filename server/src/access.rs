//! Who may do what: the roles, the permissions, and which of them each operation of the interface needs. The one place
//! where that is decided. Knows no HTTP library and no SQL.

mod table;

pub use table::TABLE;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody is in the fleet. The words are stored and shown to programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May do everything.
    Admin,
    /// Decides on thresholds, devices and whose an alert is.
    Supervisor,
    /// Works at the tanks: alerts, calibration, putting devices in their places.
    Technician,
    /// Reads everything, and changes nothing.
    Auditor,
}

impl Role {
    /// All of them, who may most first.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Supervisor, Self::Technician, Self::Auditor];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Supervisor => "supervisor",
            Self::Technician => "technician",
            Self::Auditor => "auditor",
        }
    }

    /// The role of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Whether this role has a permission.
    pub fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Admin => true,
            Self::Supervisor => {
                use P::{ManageFleet, ManageServer, ManageUsers, ReadAudit, WriteReadings};
                !matches!(permission, ManageFleet | ManageServer | ReadAudit | ManageUsers | WriteReadings)
            }
            Self::Technician => matches!(permission, P::Read | P::HandleAlerts | P::Calibrate | P::ClaimDevices),
            Self::Auditor => matches!(permission, P::Read | P::ReadAudit),
        }
    }

    /// The permissions of this role.
    pub fn permissions(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.may(*permission))
    }
}

/// Something that may be allowed. The words are shown to programs: they only ever grow in number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// See devices, readings, alerts, outages and reports, and take them out as files.
    Read,
    /// Acknowledge, resolve, snooze and annotate alerts.
    HandleAlerts,
    /// Say whose an alert is; clear the lists and put them back.
    OverseeAlerts,
    /// Guide a calibration, undo one, compute history again.
    Calibrate,
    /// Say where a device stands.
    ClaimDevices,
    /// Change how often a device measures.
    ConfigureDevices,
    /// Let boards in or refuse them, exchange and decommission devices.
    ApproveDevices,
    /// Change thresholds.
    SetThresholds,
    /// Silence alerts for a while.
    Silence,
    /// Registry, tokens, the policy of enrolment and the authority.
    ManageFleet,
    /// See the audit log, tokens and accounts.
    ReadAudit,
    /// Make accounts and API keys, change and disable them.
    ManageUsers,
    /// Hand in readings of devices without a board.
    WriteReadings,
    /// Back the server up and take its back-ups away.
    ManageServer,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Read,
        Self::HandleAlerts,
        Self::OverseeAlerts,
        Self::Calibrate,
        Self::ClaimDevices,
        Self::ConfigureDevices,
        Self::ApproveDevices,
        Self::SetThresholds,
        Self::Silence,
        Self::ManageFleet,
        Self::ReadAudit,
        Self::ManageUsers,
        Self::WriteReadings,
        Self::ManageServer,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::HandleAlerts => "handle_alerts",
            Self::OverseeAlerts => "oversee_alerts",
            Self::Calibrate => "calibrate",
            Self::ClaimDevices => "claim_devices",
            Self::ConfigureDevices => "configure_devices",
            Self::ApproveDevices => "approve_devices",
            Self::SetThresholds => "set_thresholds",
            Self::Silence => "silence",
            Self::ManageFleet => "manage_fleet",
            Self::ReadAudit => "read_audit",
            Self::ManageUsers => "manage_users",
            Self::WriteReadings => "write_readings",
            Self::ManageServer => "manage_server",
        }
    }

    /// The permission of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == word)
    }

    /// Whether only somebody who is signed in may do it, and no program: who makes accounts and keys, who answers for a
    /// calibration, and who takes all that is kept away, is a person.
    pub fn is_for_people(self) -> bool {
        matches!(self, Self::ManageUsers | Self::Calibrate | Self::ManageServer)
    }

    /// The roles that have it, by their words.
    pub fn roles(self) -> Vec<&'static str> {
        Role::ALL.into_iter().filter(|role| role.may(self)).map(Role::as_str).collect()
    }
}

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing, or a secret of its own.
    Open,
    /// A session, even one whose owner has not yet chosen a password.
    Session,
    /// A session: it is about one's own things.
    SignedIn,
    /// A session or a key that has this permission.
    May(Permission),
}

impl Need {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Session => "session",
            Self::SignedIn => "signed_in",
            Self::May(permission) => permission.as_str(),
        }
    }
}

/// What an operation needs, by its method and the template of its path.
///
/// # Errors
/// An operation without a line is for nobody: whether its path has lines for other methods.
pub fn need(method: &str, path: &str) -> Result<Need, bool> {
    // Whoever may read a thing may ask whether it is there.
    let method = if method == "HEAD" { "GET" } else { method };
    let mut lines = TABLE.iter().filter(|(_, template, _)| *template == path).peekable();
    let is_known = lines.peek().is_some();
    lines.find(|(of, ..)| *of == method).map(|(.., need)| *need).ok_or(is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_may_everything_an_auditor_changes_nothing_and_a_supervisor_does_what_a_technician_does() {
        assert!(Permission::ALL.into_iter().all(|permission| Role::Admin.may(permission)));
        assert!(Role::Technician.permissions().all(|permission| Role::Supervisor.may(permission)));
        // The one POST looks at the past with a threshold that is not set.
        let changes = TABLE.iter().filter(|(method, path, _)| *method != "GET" && !path.ends_with("/preview"));
        let mut of_permissions = 0;
        for (method, path, need) in changes {
            if let Need::May(permission) = need {
                assert!(!Role::Auditor.may(*permission), "{method} {path}");
                of_permissions += 1;
            }
        }
        assert!(of_permissions > 20, "{of_permissions}");
        let reads = TABLE.iter().filter(|(method, ..)| *method == "GET");
        assert!(reads.clone().count() > 20);
        // The one that takes everything away, hashes of passwords too, is no reading.
        for (_, path, need) in reads.filter(|(_, path, _)| *path != "/api/v1/backups/{id}") {
            assert!(!matches!(need, Need::May(permission) if !Role::Auditor.may(*permission)), "{path}");
        }
    }

    #[test]
    fn words_lead_back_and_an_operation_without_a_line_is_for_nobody() {
        for role in Role::ALL {
            assert_eq!(Role::from_word(role.as_str()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert!(Permission::ALL.into_iter().all(|p| serde_json::to_value(p).unwrap() == p.as_str()));
        assert!(Permission::ALL.into_iter().all(|p| Permission::from_word(p.as_str()) == Some(p)));
        assert_eq!(need("HEAD", "/api/v1/devices"), Ok(Need::May(Permission::Read)));
        assert_eq!(need("PATCH", "/api/v1/devices"), Err(true));
        assert_eq!(need("GET", "/api/v1/secrets"), Err(false));
    }

    #[test]
    fn no_operation_has_two_lines() {
        for (n, (method, path, _)) in TABLE.iter().enumerate() {
            assert!(!TABLE[n + 1..].iter().any(|(m, p, _)| (m, p) == (method, path)), "{method} {path}");
        }
    }

    #[test]
    fn the_document_about_security_shows_the_same_roles() {
        let document = include_str!("../../docs/security.md");
        for permission in Permission::ALL {
            let marks: Vec<_> = Role::ALL.iter().map(|role| if role.may(permission) { "yes" } else { "-" }).collect();
            let line = format!("| `{}` | {} |", permission.as_str(), marks.join(" | "));
            assert!(document.contains(&line), "docs/security.md needs the line {line}");
        }
    }
}
