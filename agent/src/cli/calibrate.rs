//! `tirta-agent calibrate`: the dialogue over the socket of a running agent.

use super::dialogue::{Dialogue, Move};
use super::screen::Screen;
use super::texts;
use crate::local::{Answer, Client, ClientError, Request};
use shared::Metric;
use shared::calibration::{Buffers, By, RecordId};
use shared::message::calibrate::Order;
use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// What is to be calibrated, and how.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Drawn for this session.
    pub session: RecordId,
    /// Which probe.
    pub metric: Metric,
    /// Who.
    pub by: String,
    /// The set of buffers, for pH.
    pub buffers: Buffers,
    /// Lot or expiry date of the solutions.
    pub lot: Option<String>,
    /// What to take without being told; empty: whatever is typed.
    pub points: Vec<f64>,
    /// Whether nobody is asked.
    pub yes: bool,
}

/// Why it failed, other than that the points were no good.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    /// The agent can't be asked.
    #[error(transparent)]
    Agent(#[from] ClientError),
    /// The terminal is gone.
    #[error("the terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Guides through a calibration until it is in force (`true`) or ended. `stop` is Ctrl-C.
///
/// # Errors
/// When no agent runs, or terminal or agent go away.
pub async fn calibrate(
    data_dir: &Path,
    wish: Wish,
    input: impl AsyncBufRead + Unpin,
    output: (impl Write, bool),
    stop: impl Future<Output = ()>,
) -> Result<bool, CalibrateError> {
    let buffers = (wish.metric == Metric::Ph).then_some(wish.buffers);
    let nominal = |value: f64| super::dialogue::parse(&value.to_string(), wish.metric, buffers).unwrap_or(value);
    let script = wish.points.iter().map(|value| nominal(*value)).collect();
    let by = By::Device { name: wish.by };
    let order = Order::Begin { session: wish.session, metric: wish.metric, by, buffers, lot: wish.lot };
    let mut agent = Client::ask(data_dir, &Request::Calibrate { order }).await?;
    let mut table = Table {
        data_dir,
        dialogue: Dialogue::new(wish.session, script, wish.yes),
        screen: Screen::new(output.0, output.1),
    };
    let mut lines = input.lines();
    tokio::pin!(stop);
    loop {
        let listens = table.dialogue.listens();
        let (moves, live) = tokio::select! {
            answer = agent.next() => match answer? {
                Some(Answer::View { view }) => (table.dialogue.view(view.clone()), Some(texts::live(&view))),
                Some(_) => continue,
                None => return Err(ClientError::Broken(io::ErrorKind::UnexpectedEof.into()).into()),
            },
            line = lines.next_line(), if listens => {
                table.screen.entered();
                let moves = match line? {
                    Some(line) => table.dialogue.line(&line),
                    None => table.dialogue.cancel(),
                };
                (moves, None)
            }
            () = &mut stop => (table.dialogue.cancel(), None),
        };
        if let Some(in_force) = table.follow(moves).await? {
            return Ok(in_force);
        }
        if let Some(live) = live {
            table.screen.live(&live)?;
        }
    }
}

struct Table<'a, W> {
    data_dir: &'a Path,
    dialogue: Dialogue,
    screen: Screen<W>,
}

impl<W: Write> Table<'_, W> {
    /// Does what follows; `Some` at the end.
    async fn follow(&mut self, moves: Vec<Move>) -> Result<Option<bool>, CalibrateError> {
        for next in moves {
            match next {
                Move::Say(text) => self.screen.say(&text)?,
                Move::Order(order) => {
                    Client::once(self.data_dir, &Request::Calibrate { order }).await?;
                }
                Move::End(in_force) => return Ok(Some(in_force)),
            }
        }
        Ok(None)
    }
}
