//! Why a connection was not made: because the network is away, or because this device is not wanted.

use rumqttc::{ConnectReturnCode, ConnectionError};
use std::io::ErrorKind;

/// So many refusals in a row are no accident.
pub const ENOUGH: u32 = 3;

/// What an attempt says about the certificate that it was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing: nobody was reached.
    Unreached,
    /// Somebody was reached, and the connection came to nothing.
    Refused,
    /// The broker knows this device and does not let it in.
    Banned,
}

/// Judges an attempt that ended before the broker had welcomed the device.
pub(super) fn judge(error: &ConnectionError) -> Fate {
    match error {
        ConnectionError::ConnectionRefused(ConnectReturnCode::Banned | ConnectReturnCode::NotAuthorized) => {
            Fate::Banned
        }
        // It is there and says that it can't now.
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::ServerUnavailable
            | ConnectReturnCode::ServerBusy
            | ConnectReturnCode::QuotaExceeded
            | ConnectReturnCode::ConnectionRateExceeded,
        )
        | ConnectionError::Timeout(_)
        | ConnectionError::RequestsDone => Fate::Unreached,
        error => match io_kind(error) {
            Some(kind) if is_network(kind) => Fate::Unreached,
            _ => Fate::Refused,
        },
    }
}

/// The kind of the input or output error at the bottom.
fn io_kind(error: &ConnectionError) -> Option<ErrorKind> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            // A name that is not found has no kind of its own.
            let lookup = io.to_string().contains("failed to lookup");
            return Some(if lookup { ErrorKind::HostUnreachable } else { io.kind() });
        }
        cause = error.source();
    }
    None
}

fn is_network(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable
            | ErrorKind::TimedOut
            | ErrorKind::WouldBlock
            | ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn only_who_was_reached_can_refuse() {
        let io = |kind: ErrorKind| judge(&ConnectionError::Io(io::Error::from(kind)));
        for away in [ErrorKind::ConnectionRefused, ErrorKind::NetworkUnreachable, ErrorKind::TimedOut] {
            assert_eq!(io(away), Fate::Unreached, "{away}");
        }
        let unknown = io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(judge(&ConnectionError::Io(unknown)), Fate::Unreached);
        let alert = io::Error::new(ErrorKind::InvalidData, "received fatal alert: CertificateExpired");
        assert_eq!(judge(&ConnectionError::Io(alert)), Fate::Refused);
        assert_eq!(io(ErrorKind::UnexpectedEof), Fate::Refused);
        assert_eq!(judge(&ConnectionError::ConnectionRefused(ConnectReturnCode::Banned)), Fate::Banned);
        assert_eq!(judge(&ConnectionError::ConnectionRefused(ConnectReturnCode::ServerBusy)), Fate::Unreached);
    }
}
