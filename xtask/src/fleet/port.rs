//! Free TCP ports on loopback.

use crate::error::{Error, Tried};
use std::net::TcpListener;

/// The preferred port if it is free, else another.
///
/// # Errors
/// When none is free.
pub fn free_port(preferred: Option<u16>) -> Result<u16, Error> {
    if let Some(port) = preferred
        && is_free(port)
    {
        return Ok(port);
    }
    // Below the range from which the system gives ports to outgoing connections: a server that is
    // killed and started again must find its port as it left it.
    let found = std::iter::repeat_with(|| fastrand::u16(18_000..32_000)).take(500).find(|port| is_free(*port));
    match found {
        Some(port) => Ok(port),
        None => Err(std::io::Error::from(std::io::ErrorKind::AddrInUse)).tried(|| "find a free port".to_owned()),
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_replaced_by_a_free_one() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let other = free_port(Some(port)).unwrap();
        assert_ne!(other, port);
        assert!(TcpListener::bind(("127.0.0.1", other)).is_ok());
    }
}
