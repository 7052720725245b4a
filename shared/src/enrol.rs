//! What is said over HTTPS when a device asks for its identity, or for a new certificate when its own has expired.
//! Knows no cryptography: PEM is text here.

use crate::{DeviceName, Serial, UtcMillis};
use serde::{Deserialize, Serialize};

/// Where a device asks for an identity, below the server's address.
pub const ENROL_PATH: &str = "/api/v1/enrol";
/// Where a device whose certificate has expired asks for the next one.
pub const RENEW_PATH: &str = "/api/v1/renew";

/// A device's request for an identity. The private key stays on the device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// CPU serial.
    pub serial: Serial,
    /// The enrolment token of the fleet, limited in time and count.
    pub token: String,
    /// PKCS#10 request, PEM, whose common name is the serial and which proves the key.
    pub csr: String,
    /// The board's model as its device tree says, for whoever approves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whose identity was on the card when it was put into this board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<CopiedFrom>,
}

/// The identity of another board that a card held. If the reply gives the same name, the board takes that device's
/// place, and sends what waits in the buffer that came with the card; otherwise those readings are never sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedFrom {
    /// The name on the card.
    pub name: DeviceName,
    /// The serial on the card.
    pub serial: Serial,
}

/// A device's identity: the answer 200 to both requests.
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

/// The answer 202: somebody has to approve this board. It asks again with the same key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Why.
    pub reason: WaitReason,
    /// After how many seconds it may ask again.
    pub retry_s: u32,
}

/// Why a board has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// Neither the registry nor its token lets it in.
    NotExpected,
    /// Another key has enrolled with its serial: it was set up anew, or is not the board that it says.
    SecondKey,
    /// Two boards used one key; neither is believed until somebody looks.
    SharedKey,
    /// A newer server's word.
    #[serde(other)]
    Other,
}

impl WaitReason {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotExpected => "not_expected",
            Self::SecondKey => "second_key",
            Self::SharedKey => "shared_key",
            Self::Other => "other",
        }
    }
}

/// A request for the next certificate by whoever has the key of the last one. Only the key speaks for it: the
/// certificate may have expired. Refused with the code `revoked` (the device was thrown out), `unknown_key` (this key is
/// nobody's any more: make another and enrol) or `too_late` (beyond the grace time: enrol again).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RenewRequest {
    /// The device.
    pub name: DeviceName,
    /// PKCS#10 request, PEM, as for the enrolment, with the same key.
    pub csr: String,
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
