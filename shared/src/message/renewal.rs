//! How a device gets its next certificate over the connection that its present one opened.

use super::{Version, json_message};
use serde::{Deserialize, Serialize};

/// Up: a device asks for its next certificate, with the key that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    v: Version,
    /// PKCS#10 request, PEM, whose common name is the CPU serial.
    pub csr: String,
}

/// Down: the certificate. A device keeps its old one until it has connected with this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    v: Version,
    /// The device's certificate, PEM.
    pub certificate: String,
    /// The certificate of the authority to trust from now on, PEM.
    pub ca: String,
}

impl Renewal {
    /// A request.
    pub fn new(csr: String) -> Self {
        Self { v: Version, csr }
    }
}

impl Certificate {
    /// A certificate.
    pub fn new(certificate: String, ca: String) -> Self {
        Self { v: Version, certificate, ca }
    }
}
json_message!(Renewal);
json_message!(Certificate);
