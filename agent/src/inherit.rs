//! Sends what a copied card brought along, for a device that has taken the place of the board it came from: that
//! buffer keeps its id and its sequences, so that the server absorbs what it knows already. Once it is empty it goes.

use crate::buffer::{self, Buffer, Ledger, Worker};
use crate::config::Config;
use crate::identity::Home;
use crate::link::Link;
use crate::time::Time;
use crate::uplink::Uplink;
use shared::{Ack, DeviceName};
use std::io;
use std::path::PathBuf;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// An inherited buffer that is being sent.
pub struct Inheritance {
    home: Home,
    folder: PathBuf,
    buffer: Buffer,
    worker: Worker,
    uplink: Uplink,
}

impl Inheritance {
    /// Opens the buffer. Returns also what shares the acknowledgements out: what comes in for the inherited buffer goes
    /// to it, and the rest to `own`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn open(
        (home, folder): (Home, PathBuf),
        device: DeviceName,
        (link, own): (Link, mpsc::Sender<Ack>),
        config: &Config,
        time: &Time,
    ) -> io::Result<(Self, impl Future<Output = ()> + use<>, mpsc::Sender<Ack>)> {
        // Nothing is added, and nothing may be dropped.
        let settings =
            crate::config::Buffer { keep_acknowledged: false, max_readings: u64::MAX, ..config.buffer.clone() };
        let (buffer, worker) = Buffer::start(&folder, &settings, time.clone())?;
        let (other, acks) = mpsc::channel(16);
        let (all, incoming) = mpsc::channel(16);
        let sharing = share_out(incoming, own, other, buffer.state());
        let uplink = Uplink::new(device, link, buffer.clone(), acks, time.quality(), &config.uplink);
        Ok((Self { home, folder, buffer, worker, uplink }, sharing, all))
    }

    /// Sends until the server has everything, then removes the buffer. May be cut off at any time.
    pub async fn run(self) {
        let Self { home, folder, buffer, worker, uplink } = self;
        let mut state = buffer.state();
        let mut sending = JoinSet::new(); // ends with this function
        sending.spawn(uplink.run());
        if state.wait_for(|ledger| ledger.is_some_and(|ledger| ledger.pending() == 0)).await.is_err() {
            return;
        }
        sending.shutdown().await;
        let path = buffer::path(&folder);
        // The thread commits what was acknowledged and closes the file.
        let empty = tokio::task::spawn_blocking(move || {
            worker.stop();
            buffer::inspect(&path, |_, _| {}).is_ok_and(|ledger| ledger.pending() == 0)
        });
        if !empty.await.unwrap_or(false) {
            tracing::warn!(folder = %folder.display(), "the readings that came with the card are not all sent; the rest is at the next start");
            return;
        }
        match home.end_inheritance(&folder) {
            Ok(()) => tracing::info!("the server has all readings that came with the card"),
            Err(error) => tracing::error!(%error, "the buffer that came with the card is sent and can't be removed"),
        }
    }
}

/// An answer to a batch that could not be read names no buffer: either may be meant, and a batch too many that is
/// sent again does no harm.
async fn share_out(
    mut incoming: mpsc::Receiver<Ack>,
    own: mpsc::Sender<Ack>,
    other: mpsc::Sender<Ack>,
    state: watch::Receiver<Option<Ledger>>,
) {
    while let Some(ack) = incoming.recv().await {
        let inherited = state.borrow().map(|ledger| ledger.id);
        let (to_other, to_own) = match ack.buffer {
            Some(buffer) => (Some(buffer) == inherited, Some(buffer) != inherited),
            None => (true, true),
        };
        // A full inbox means that an uplink is far behind: it will send again and be answered again.
        if to_other {
            let _ = other.try_send(ack.clone());
        }
        if to_own {
            let _ = own.try_send(ack);
        }
    }
}

#[cfg(test)]
mod tests;
