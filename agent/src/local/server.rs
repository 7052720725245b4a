//! Answers at the socket. A client that hangs, floods or goes away is no harm to the others or to measuring.

use super::{Answer, FILE_NAME, Request, Row, State};
use crate::buffer::Ledger;
use crate::calibrate::Desk;
use crate::files::beside;
use crate::identify::Blinker;
use crate::link::LinkState;
use crate::sampler::Latest;
use crate::time::Time;
use shared::calibration::By;
use shared::message::calibrate::{Order, Step, View};
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// Clients at a time; the next one waits.
const CLIENTS: usize = 8;
/// The longest request in bytes.
const LONGEST: u64 = 4096;
/// How long a client may take to ask, and to read an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest that it blinks.
const LONGEST_BLINK: Duration = Duration::from_secs(600);

/// Everything that can be asked for.
pub struct Local {
    /// Takes orders.
    pub desk: Desk,
    /// The last readings.
    pub latest: watch::Receiver<Latest>,
    /// For their age.
    pub time: Time,
    /// The buffer.
    pub buffer: watch::Receiver<Option<Ledger>>,
    /// The device's name and its link, once it has them.
    pub voice: watch::Receiver<Option<(String, watch::Receiver<LinkState>)>>,
    /// What blinks.
    pub blinker: Blinker,
}

impl Local {
    /// Makes the socket and answers from now on.
    ///
    /// # Errors
    /// When the socket can't be made.
    pub fn listen(self, data_dir: &Path) -> io::Result<()> {
        let path = data_dir.join(FILE_NAME);
        // Made beside it and renamed: nobody finds it before its permissions are right, and one that a killed
        // agent left is replaced.
        let aside = beside(&path, ".new");
        match std::fs::remove_file(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&aside)?;
        std::fs::set_permissions(&aside, Permissions::from_mode(0o660))?;
        std::fs::rename(&aside, &path)?;
        tokio::spawn(Arc::new(self).accept(listener));
        Ok(())
    }

    async fn accept(self: Arc<Self>, listener: UnixListener) {
        let places = Arc::new(Semaphore::new(CLIENTS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let local = Arc::clone(&self);
                    tokio::spawn(async move {
                        if let Err(error) = local.serve(stream).await {
                            tracing::debug!(%error, "a client of the local socket has gone");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the local socket accepts nobody");
                    tokio::time::sleep(PATIENCE).await;
                }
            }
        }
    }

    async fn serve(&self, stream: UnixStream) -> io::Result<()> {
        let (reads, mut writes) = stream.into_split();
        let mut reads = BufReader::new(reads.take(LONGEST));
        let mut line = String::new();
        timeout(PATIENCE, reads.read_line(&mut line)).await??;
        let refused = |problem: String| Answer::Refused { problem };
        let answer = match serde_json::from_str(&line) {
            Ok(Request::Calibrate { order }) => match at_the_device(order) {
                Some(order) => return self.calibrate(order, reads, &mut writes).await,
                None => refused("only the server may say that".to_owned()),
            },
            Ok(Request::Latest) => {
                let now = self.time.moment();
                Answer::Latest { readings: self.latest.borrow().values().map(|one| Row::new(one, now)).collect() }
            }
            Ok(Request::Identify { seconds }) => {
                match self.blinker.blink(Duration::from_secs(seconds).min(LONGEST_BLINK)) {
                    Ok(()) => Answer::Taken,
                    Err(error) => refused(error.to_string()),
                }
            }
            Ok(Request::State) => Answer::State { state: self.state() },
            Err(error) => refused(format!("not understood: {error}")),
        };
        say(&mut writes, &answer).await
    }

    async fn calibrate(
        &self,
        order: Order,
        mut reads: BufReader<tokio::io::Take<OwnedReadHalf>>,
        writes: &mut OwnedWriteHalf,
    ) -> io::Result<()> {
        let Some(session) = session_of(&order) else { return Ok(()) };
        // Before the order, so that nothing of what follows is missed.
        let mut views = self.desk.views();
        self.desk.order(order);
        say(writes, &Answer::Taken).await?;
        loop {
            let mut nothing = String::new();
            tokio::select! {
                // There is nothing more to ask: whatever comes means that the client goes.
                _ = reads.read_line(&mut nothing) => return Ok(()),
                view = views.recv() => match view {
                    Ok(view) if view.session == session => {
                        let over = is_over(&view);
                        say(writes, &Answer::View { view }).await?;
                        if over {
                            return Ok(());
                        }
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Ok(()),
                },
            }
        }
    }

    fn state(&self) -> State {
        let ledger = *self.buffer.borrow();
        let voice = self.voice.borrow();
        State {
            agent: env!("CARGO_PKG_VERSION").to_owned(),
            device: voice.as_ref().map(|(device, _)| device.clone()),
            connected: voice.as_ref().is_some_and(|(_, link)| *link.borrow() != LinkState::Down),
            pending: ledger.map(|ledger| ledger.pending()),
            dropped: ledger.map(|ledger| ledger.dropped),
            calibrations: self.desk.waiting().borrow().len(),
        }
    }
}

/// The order as one of somebody who stands at the device; `None` for what only the server can know.
fn at_the_device(order: Order) -> Option<Order> {
    match order {
        Order::Begin { session, metric, by: By::Device { name } | By::Dashboard { name }, buffers, lot } => {
            Some(Order::Begin { session, metric, by: By::Device { name }, buffers, lot })
        }
        Order::Recorded { .. } => None,
        other => Some(other),
    }
}

fn session_of(order: &Order) -> Option<shared::calibration::RecordId> {
    match order {
        Order::Begin { session, .. }
        | Order::Take { session, .. }
        | Order::Drop { session, .. }
        | Order::Finish { session }
        | Order::Cancel { session } => Some(*session),
        Order::Recorded { .. } => None,
    }
}

fn is_over(view: &View) -> bool {
    matches!(view.step, Step::Finished { .. } | Step::Ended)
}

async fn say(writes: &mut OwnedWriteHalf, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    timeout(PATIENCE, writes.write_all(&line)).await?
}

#[cfg(test)]
mod tests;
