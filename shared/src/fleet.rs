//! What makes one image belong to a fleet: the file on its boot partition or a USB stick, and how the server is found
//! on the local network. Knows no TOML and no network; both sides agree here on names and fields.

use serde::{Deserialize, Serialize};

/// The file's name, on the boot partition or in the root of a USB stick.
pub const FLEET_FILE: &str = "tirta-fleet.toml";

/// The service under which a server announces itself by multicast DNS.
pub const MDNS_SERVICE: &str = "_tirta._tcp.local.";
/// TXT key: SHA-256 of the authority's certificate, 64 hexadecimal digits. It tells fleets apart and proves nothing.
pub const MDNS_CA: &str = "ca";
/// TXT key: a name that is in the server's certificate.
pub const MDNS_NAME: &str = "name";

/// The fleet file (TOML). It holds no key: the token is limited in time and count, and can be withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetFile {
    /// The server's address, such as `https://tirta.local:8443`; absent: the one that announces itself on the local network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// SHA-256 of the authority's certificate, 64 hexadecimal digits: whom the device trusts.
    pub ca_sha256: String,
    /// The enrolment token.
    pub token: String,
}
