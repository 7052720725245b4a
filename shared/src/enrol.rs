//! What is said over HTTPS when a device asks for its identity. Knows no cryptography: PEM is text here.

use crate::{DeviceName, Serial, UtcMillis};
use serde::{Deserialize, Serialize};

/// Where a device asks, below the server's address.
pub const ENROL_PATH: &str = "/api/v1/enrol";

/// A device's request for an identity. The private key stays on the device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// CPU serial.
    pub serial: Serial,
    /// The enrolment token of the fleet, limited in time and count.
    pub token: String,
    /// PKCS#10 request, PEM, whose common name is the serial and which proves the key.
    pub csr: String,
}

/// A device's identity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolReply {
    /// The name that was allocated: common name of the certificate and MQTT client id.
    pub name: DeviceName,
    /// The device's certificate, PEM.
    pub certificate: String,
    /// The certificate of the fleet's authority, PEM.
    pub ca: String,
    /// Where the broker listens.
    pub broker: Broker,
    /// The server's time: a floor for a device whose clock is in the past.
    pub server_time: UtcMillis,
}

/// A broker's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broker {
    /// Host name or address; `None` when it is the host that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// TCP port of MQTT over TLS.
    pub port: u16,
}
