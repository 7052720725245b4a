//! What systemd is told: that the agent measures, that it still does, that it ends. Knows no probe.
//!
//! The protocol is a datagram with lines (sd_notify(3)); without `NOTIFY_SOCKET` nothing is said. The word
//! that keeps systemd from restarting the agent depends on the sampling threads, so that a bus that hangs ends
//! in a restart, which opens the bus anew.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Of the time that systemd allows: so many words, so that one may come late.
const WORDS_IN_TIME: u32 = 3;
/// Without a watchdog, the line for `systemctl status` is renewed this often.
const STATUS_EVERY: Duration = Duration::from_secs(30);

/// The way to systemd, if there is one.
pub struct Notifier {
    to: Option<(UnixDatagram, SocketAddr)>,
    /// The watchdog bites when it hears nothing for so long.
    timeout: Option<Duration>,
}

impl Notifier {
    /// As systemd has set it up for this process.
    pub fn from_environment() -> Self {
        let usec = std::env::var("WATCHDOG_USEC").ok();
        // With `NotifyAccess` for a whole group the watchdog may be meant for another process.
        let ours = std::env::var("WATCHDOG_PID").map_or(true, |id| id.parse() == Ok(std::process::id()));
        Self::new(std::env::var_os("NOTIFY_SOCKET").as_deref(), usec.as_deref().filter(|_| ours))
    }

    /// `socket`: a path, or `@` and an abstract name. `watchdog_usec`: microseconds.
    pub fn new(socket: Option<&OsStr>, watchdog_usec: Option<&str>) -> Self {
        let to = socket.and_then(|socket| {
            connect(socket).inspect_err(|error| tracing::warn!(%error, ?socket, "systemd can't be told anything")).ok()
        });
        let usec = watchdog_usec.and_then(|text| text.parse().ok()).filter(|usec| *usec > 0);
        Self { to, timeout: usec.map(Duration::from_micros) }
    }

    /// The agent measures.
    pub fn ready(&self) {
        self.say("READY=1");
    }

    /// The agent ends, in order.
    pub fn stopping(&self) {
        self.say("STOPPING=1\nSTATUS=stopping");
    }

    /// Says that all is well for as long as it is, and how it is, for ever. While it is not, `save` has to bring
    /// to the card what the other probes measure: the watchdog's bite leaves no time for it.
    pub async fn feed<S: Future<Output = ()>>(
        &self,
        beats: impl Fn() -> bool,
        status: impl Fn() -> String,
        save: impl Fn() -> S,
    ) {
        if self.to.is_none() {
            return;
        }
        let every = self.timeout.map_or(STATUS_EVERY, |timeout| timeout / WORDS_IN_TIME);
        let mut alive = true;
        loop {
            let beating = beats();
            if beating {
                self.say(&format!("WATCHDOG=1\nSTATUS={}", status()));
            } else if alive {
                tracing::error!("a probe's bus hangs: the watchdog is not fed until it goes on");
                self.say("STATUS=a probe's bus hangs");
            }
            alive = beating;
            let saved = async {
                if !beating {
                    // A card that stalls must not keep a bus that goes on from being reported.
                    let _ = timeout(every, save()).await;
                }
            };
            tokio::join!(saved, sleep(every));
        }
    }

    fn say(&self, words: &str) {
        let Some((socket, address)) = &self.to else { return };
        if let Err(error) = socket.send_to_addr(words.as_bytes(), address) {
            tracing::debug!(%error, "systemd does not listen");
        }
    }
}

fn connect(socket: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let from = UnixDatagram::unbound()?;
    // A systemd that is busy must not stop the network's thread.
    from.set_nonblocking(true)?;
    Ok((from, address))
}

#[cfg(test)]
mod tests;
