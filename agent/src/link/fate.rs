//! Why a connection was not made: because the network is away, or because this device is not wanted.

use rumqttc::{ConnectReturnCode, ConnectionError};
use std::error::Error;
use std::io::{self, ErrorKind};

/// From this weight on refusals in a row are no accident.
pub const ENOUGH: u32 = 12;
/// So many attempts a certificate gets that is being tried.
pub const TRIES: u32 = 3;

/// What an attempt says about the certificate that it was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing: nobody was reached.
    Unreached,
    /// Somebody was reached who hung up: perhaps a proxy whose broker is away, perhaps a broker whose word was lost.
    Vague,
    /// TLS came to nothing: one side does not believe the other's certificate.
    Refused,
    /// The broker knows this device and does not let it in.
    Banned,
}

impl Fate {
    /// What it adds to [`ENOUGH`].
    pub(super) fn weight(self) -> u32 {
        match self {
            Self::Unreached => 0,
            Self::Vague => 1,
            Self::Refused => ENOUGH / 3,
            Self::Banned => ENOUGH,
        }
    }
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
        error if is_tls(error) => Fate::Refused,
        error => match io_of(error) {
            Some(io) if is_network(io) => Fate::Unreached,
            _ => Fate::Vague,
        },
    }
}

/// The word for what went wrong, see [`shared::message::Cut::why`].
pub(super) fn trouble(error: &ConnectionError) -> &'static str {
    let kind = io_of(error).map(io::Error::kind);
    match (error, kind) {
        (ConnectionError::Timeout(_), _) | (_, Some(ErrorKind::TimedOut)) => "timed_out",
        (error, _) if is_tls(error) => "tls",
        (ConnectionError::ConnectionRefused(_), _) | (_, Some(ErrorKind::ConnectionRefused)) => "refused",
        (_, Some(ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::NetworkDown)) => "no_route",
        (_, Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::UnexpectedEof)) => "closed",
        (_, Some(ErrorKind::BrokenPipe)) => "closed",
        (error, Some(_)) if io_of(error).is_some_and(|io| io.to_string().contains("failed to lookup")) => "dns",
        _ => "other",
    }
}

/// The input or output error at the bottom.
fn io_of(error: &ConnectionError) -> Option<&io::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn is_tls(error: &ConnectionError) -> bool {
    causes(error).any(|cause| {
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>())
    })
}

fn causes(error: &ConnectionError) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let error: &(dyn Error + 'static) = error;
    std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source())
}

fn is_network(error: &io::Error) -> bool {
    // A name that is not found has no kind of its own.
    error.to_string().contains("failed to lookup")
        || matches!(
            error.kind(),
            ErrorKind::ConnectionRefused
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
                | ErrorKind::NetworkDown
                | ErrorKind::AddrNotAvailable
                | ErrorKind::TimedOut
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::AlertDescription;

    #[test]
    fn only_who_was_reached_can_refuse() {
        let io = |kind: ErrorKind| judge(&ConnectionError::Io(io::Error::from(kind)));
        for away in [ErrorKind::ConnectionRefused, ErrorKind::NetworkUnreachable, ErrorKind::TimedOut] {
            assert_eq!(io(away), Fate::Unreached, "{away}");
        }
        let unknown = io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(judge(&ConnectionError::Io(unknown)), Fate::Unreached);
        let alert = rustls::Error::AlertReceived(AlertDescription::CertificateExpired);
        let alert = io::Error::new(ErrorKind::InvalidData, alert);
        assert_eq!(judge(&ConnectionError::Io(alert)), Fate::Refused);
        assert_eq!(io(ErrorKind::UnexpectedEof), Fate::Vague);
        assert_eq!(judge(&ConnectionError::ConnectionRefused(ConnectReturnCode::Banned)), Fate::Banned);
        assert_eq!(judge(&ConnectionError::ConnectionRefused(ConnectReturnCode::ServerBusy)), Fate::Unreached);
    }
}
