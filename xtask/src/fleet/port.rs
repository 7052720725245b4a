//! Free TCP ports on loopback, which no other fleet takes while this process lives.

use crate::error::{Error, Tried};
use std::{
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
    sync::{Mutex, PoisonError},
};

/// What keeps our ports from other fleets until this process ends: between the look at a port and the
/// server's start another demo may look at it, too.
static RESERVED: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());

/// The preferred port if it is free, else another.
///
/// # Errors
/// When none is free.
pub fn free_port(preferred: Option<u16>) -> Result<u16, Error> {
    // Below the range from which the system gives ports to outgoing connections: a server that is
    // killed and started again must find its port as it left it.
    let others = std::iter::repeat_with(|| fastrand::u16(18_000..32_000)).take(500);
    match preferred.into_iter().chain(others).find(|port| reserve(*port)) {
        Some(port) => Ok(port),
        None => Err(std::io::Error::from(std::io::ErrorKind::AddrInUse)).tried(|| "find a free port".to_owned()),
    }
}

/// Whether the port is free and now ours. The mark is a socket without a file: it goes with the process.
fn reserve(port: u16) -> bool {
    let mark =
        SocketAddr::from_abstract_name(format!("tirta-port-{port}")).and_then(|name| UnixListener::bind_addr(&name));
    let Ok(mark) = mark else { return false };
    let free = TcpListener::bind(("127.0.0.1", port)).is_ok();
    if free {
        RESERVED.lock().unwrap_or_else(PoisonError::into_inner).push(mark);
    }
    free
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

    #[test]
    fn a_port_is_given_once_though_nobody_listens_yet() {
        let port = free_port(None).unwrap();
        assert_ne!(free_port(Some(port)).unwrap(), port);
    }
}
