//! The lamp on the board tells who stands before it how the device is: what it shows, and when. Knows the link only by
//! whether it is up; the LED itself is in [`led`].

pub mod led;

use crate::buffer::Health;
use crate::config;
use crate::link::{ENOUGH, Link, LinkState};
use crate::repeats::Repeats;
use led::{DARK, Led, LedError, Pattern};
use shared::message::Trouble;
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// A short flash every two seconds: all is well.
pub const CALM: Pattern = Pattern { on_ms: 100, off_ms: 1900 };
/// Lit, with a short gap every two seconds: this device has its name, and its server is not reached.
pub const CUT_OFF: Pattern = Pattern { on_ms: 1900, off_ms: 100 };
/// Evenly, once a second: it has no name yet, and goes on asking. The kernel shows the same before the agent runs.
pub const WAITING: Pattern = Pattern { on_ms: 500, off_ms: 500 };
/// Hectically: somebody has to do something.
pub const ALARMED: Pattern = Pattern { on_ms: 100, off_ms: 100 };
/// This is the one that somebody looks for: unlike all the others.
pub const FOUND: Pattern = Pattern { on_ms: 400, off_ms: 100 };

/// So often it is looked whether the LED still shows what it should: its driver may come late, or somebody else use it.
const LOOK: Duration = Duration::from_secs(10);

/// How this device stands with its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has no name yet: it looks for a fleet file or a server, or waits for approval.
    Nameless,
    /// It does not get on without a person: it was refused, or its fleet file is broken.
    Stuck,
    /// It has a name; its server is not reached now.
    CutOff,
    /// It is connected.
    Connected,
}

/// What is to be seen. A card that can't be written comes first: readings will be lost.
pub fn pattern(standing: Standing, trouble: Option<Trouble>) -> Pattern {
    match standing {
        _ if trouble.is_some() => ALARMED,
        Standing::Stuck => ALARMED,
        Standing::Nameless => WAITING,
        Standing::CutOff => CUT_OFF,
        Standing::Connected => CALM,
    }
}

fn standing(link: LinkState, refused: u32) -> Standing {
    match link {
        LinkState::Up(_) => Standing::Connected,
        LinkState::Down if refused >= ENOUGH => Standing::Stuck,
        LinkState::Down => Standing::CutOff,
    }
}

/// Says how the device stands for as long as the link lives.
pub async fn follow(link: Link, standings: watch::Sender<Standing>) {
    let (mut state, mut refused) = (link.state(), link.refused());
    loop {
        standings.send_replace(standing(*state.borrow_and_update(), *refused.borrow_and_update()));
        tokio::select! {
            Ok(()) = state.changed() => {}
            Ok(()) = refused.changed() => {}
            else => return,
        }
    }
}

/// The lamp of a running agent.
#[derive(Clone)]
pub struct Lamp {
    led: Led,
    is_off: bool,
}

impl Lamp {
    /// As configured; `leds` is [`led::LEDS`].
    pub fn new(leds: &Path, config: &config::Lamp) -> Self {
        Self { led: Led::new(leds, config), is_off: *config == config::Lamp::Off }
    }

    /// The LED, for whoever lets it blink.
    pub fn led(&self) -> Led {
        self.led.clone()
    }

    /// Shows a pattern. One that is switched off is dark, and taken from nobody.
    ///
    /// # Errors
    /// When there is no LED, or it may not be used.
    pub fn show(&self, pattern: Pattern) -> Result<(), LedError> {
        match self.is_off {
            true if self.led.is_lent() => self.led.show(DARK),
            true => Ok(()),
            false => self.led.show(pattern),
        }
    }

    /// What is left behind: darkness after an orderly end, an alarm if the agent can't run.
    pub fn end(&self, well: bool) {
        if let Err(error) = self.show(if well { DARK } else { ALARMED }) {
            tracing::debug!(%error, "the lamp shows nothing");
        }
    }

    /// Shows for ever how the device is, except while it blinks because somebody looks for it.
    pub async fn run(
        self,
        mut standing: watch::Receiver<Standing>,
        mut health: watch::Receiver<Health>,
        mut blinks: watch::Receiver<Option<Instant>>,
    ) {
        let repeats = Repeats::default();
        loop {
            let (standing_now, trouble) = (*standing.borrow_and_update(), health.borrow_and_update().trouble);
            if blinks.borrow_and_update().is_none()
                && let Err(error) = self.show(pattern(standing_now, trouble))
                && repeats.say(&error.to_string(), Instant::now().into_std()).is_some()
            {
                tracing::debug!(%error, "the lamp shows nothing");
            }
            tokio::select! {
                Ok(()) = standing.changed() => {}
                Ok(()) = health.changed() => {}
                Ok(()) = blinks.changed() => {}
                () = sleep(LOOK) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
