//! Which of many devices is it? The local alarm blinks, or the board's own lamp. Knows nobody who asks.

use crate::alarm::AlarmHandle;
use crate::lamp::FOUND;
use crate::lamp::led::{Before, Led, LedError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Why nothing blinks.
#[derive(Debug, thiserror::Error)]
pub enum BlinkError {
    /// There is nothing to blink with.
    #[error("nothing here can blink: no alarm pin is configured ([alarm]), and this board has no lamp of its own")]
    None,
    /// The board's lamp can't be used.
    #[error(transparent)]
    Led(LedError),
}

/// What blinks.
pub struct Blinker {
    alarm: AlarmHandle,
    led: Led,
    /// Until when it blinks; `None` while it does not.
    until: watch::Sender<Option<Instant>>,
}

impl Blinker {
    /// What there is to blink with on this machine.
    pub fn new(alarm: AlarmHandle, led: Led) -> Self {
        Self { alarm, led, until: watch::Sender::new(None) }
    }

    /// Until when it blinks: meanwhile the lamp shows nothing else. `None` while it does not.
    pub fn blinks(&self) -> watch::Receiver<Option<Instant>> {
        self.until.subscribe()
    }

    /// Begins to blink for a while and returns at once. It needs a runtime.
    ///
    /// # Errors
    /// When nothing can.
    pub fn blink(&self, time: Duration) -> Result<(), BlinkError> {
        let by_alarm = self.alarm.identify(time);
        let already = self.until.borrow().is_some();
        let led = if by_alarm || already { None } else { Some(self.led_on()?) };
        self.until.send_replace(Some(Instant::now() + time));
        if !already {
            tokio::spawn(end_of_blinking(self.until.clone(), led));
        }
        Ok(())
    }

    /// Lets the board's lamp blink; returns it with how it was before.
    fn led_on(&self) -> Result<(Led, Before), BlinkError> {
        match self.led.borrow(FOUND) {
            Ok(before) => Ok((self.led.clone(), before)),
            Err(LedError::None) => Err(BlinkError::None),
            Err(error) => Err(BlinkError::Led(error)),
        }
    }

    /// Lets it be dark again before the time. The alarm is not for this to switch off.
    pub fn stop(&self) {
        self.until.send_if_modified(|until| until.replace(Instant::now()).is_some());
    }

    /// Waits until it no longer blinks.
    pub async fn done(&self) {
        let _ = self.until.subscribe().wait_for(Option::is_none).await;
    }
}

async fn end_of_blinking(until: watch::Sender<Option<Instant>>, led: Option<(Led, Before)>) {
    let mut changes = until.subscribe();
    loop {
        let end = *changes.borrow_and_update();
        let Some(end) = end.filter(|end| *end > Instant::now()) else { break };
        tokio::select! {
            () = sleep_until(end) => {}
            // It may be prolonged or cut short meanwhile.
            _ = changes.changed() => {}
        }
    }
    if let Some((led, before)) = led
        && let Err(error) = led.give_back(&before)
    {
        tracing::warn!(%error, "the board's lamp goes on blinking");
    }
    until.send_replace(None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Alarm;
    use crate::lamp::led::DARK;
    use crate::lamp::led::tests::Board;

    fn blinker(led: Led) -> Blinker {
        Blinker::new(Alarm::start(None).unwrap().handle(), led)
    }

    #[tokio::test(start_paused = true)]
    async fn the_boards_lamp_blinks_and_shows_then_what_it_showed_before() {
        let board = Board::usual("led0");
        let blinker = blinker(board.led());
        let start = Instant::now();
        blinker.blink(Duration::from_secs(10)).unwrap();
        assert_eq!((board.read("trigger").as_str(), board.shows()), ("timer", Some(FOUND)));
        tokio::time::sleep(Duration::from_secs(6)).await;
        blinker.blink(Duration::from_secs(10)).unwrap();
        blinker.done().await;
        assert_eq!(start.elapsed().as_secs(), 16);
        assert_eq!(board.read("trigger"), "mmc0");
    }

    #[tokio::test(start_paused = true)]
    async fn blinking_can_be_cut_short() {
        let board = Board::lent("ACT");
        board.led().show(DARK).unwrap();
        let blinker = blinker(board.led());
        let start = Instant::now();
        blinker.blink(Duration::from_secs(10)).unwrap();
        assert_eq!(board.shows(), Some(FOUND));
        blinker.stop();
        blinker.done().await;
        assert!(start.elapsed() < Duration::from_secs(1));
        assert_eq!(board.shows(), Some(DARK));
    }

    #[tokio::test]
    async fn a_machine_without_a_lamp_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let blinker = blinker(Led::new(folder.path(), &crate::config::Lamp::Usual));
        let error = blinker.blink(Duration::from_secs(1)).unwrap_err();
        assert!(error.to_string().contains("[alarm]"), "{error}");
        blinker.done().await;
    }
}
