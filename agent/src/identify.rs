//! Which of many devices is it? The local alarm blinks, or the board's own lamp. Knows nobody who asks.

use crate::alarm::AlarmHandle;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Where the kernel shows its lamps.
pub const LEDS: &str = "/sys/class/leds";
/// The lamp beside the card slot: its name on newer and older kernels.
const NAMES: [&str; 2] = ["ACT", "led0"];
/// What that lamp shows unless somebody changes it: the card's activity.
const USUAL: &str = "mmc0";

/// Why nothing blinks.
#[derive(Debug, thiserror::Error)]
pub enum LampError {
    /// There is nothing to blink with.
    #[error("nothing here can blink: no alarm pin is configured ([alarm]), and this board has no lamp of its own")]
    None,
    /// The board's lamp can't be used.
    #[error("the board's lamp can't be used ({error}): {path}; try it as root (sudo)")]
    Led {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What blinks.
pub struct Lamp {
    alarm: AlarmHandle,
    trigger: Option<PathBuf>,
    /// Until when it blinks; `None` while it does not.
    until: watch::Sender<Option<Instant>>,
}

impl Lamp {
    /// What there is to blink with on this machine; `leds` is [`LEDS`].
    pub fn new(alarm: AlarmHandle, leds: &Path) -> Self {
        let found = NAMES.iter().map(|name| leds.join(name).join("trigger")).find(|path| path.exists());
        Self { alarm, trigger: found, until: watch::Sender::new(None) }
    }

    /// Begins to blink for a while and returns at once. It needs a runtime.
    ///
    /// # Errors
    /// When nothing can.
    pub fn blink(&self, time: Duration) -> Result<(), LampError> {
        let by_alarm = self.alarm.identify(time);
        let already = self.until.borrow().is_some();
        let led = if by_alarm || already { None } else { Some(self.led_on()?) };
        self.until.send_replace(Some(Instant::now() + time));
        if !already {
            tokio::spawn(end_of_blinking(self.until.clone(), led));
        }
        Ok(())
    }

    /// Lets the board's lamp blink; returns how it was before.
    fn led_on(&self) -> Result<(PathBuf, String), LampError> {
        let path = self.trigger.clone().ok_or(LampError::None)?;
        let former = std::fs::read_to_string(&path).map(|text| former(&text));
        // The kernel blinks by itself, so that nothing has to be done twice a second.
        match former.and_then(|former| std::fs::write(&path, "timer").map(|()| former)) {
            Ok(former) => Ok((path, former)),
            Err(error) => Err(LampError::Led { path, error }),
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

async fn end_of_blinking(until: watch::Sender<Option<Instant>>, led: Option<(PathBuf, String)>) {
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
    if let Some((path, former)) = led
        && let Err(error) = std::fs::write(&path, former)
    {
        tracing::warn!(path = %path.display(), %error, "the board's lamp goes on blinking");
    }
    until.send_replace(None);
}

/// What the lamp showed before, from a line such as `none rc-feedback [mmc0] timer heartbeat`.
fn former(text: &str) -> String {
    let chosen = text.split_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
    // `timer` was left by an agent that was killed while it blinked.
    chosen.filter(|word| *word != "timer").unwrap_or(USUAL).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Alarm;

    fn lamp(leds: &Path) -> Lamp {
        Lamp::new(Alarm::start(None).unwrap().handle(), leds)
    }

    fn board(name: &str, triggers: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(name)).unwrap();
        let path = folder.path().join(name).join("trigger");
        std::fs::write(&path, triggers).unwrap();
        (folder, path)
    }

    #[tokio::test(start_paused = true)]
    async fn the_boards_lamp_blinks_and_shows_then_what_it_showed_before() {
        for name in NAMES {
            let (folder, path) = board(name, "none rc-feedback [heartbeat] timer mmc0\n");
            let lamp = lamp(folder.path());
            let start = Instant::now();
            lamp.blink(Duration::from_secs(10)).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "timer");
            tokio::time::sleep(Duration::from_secs(6)).await;
            lamp.blink(Duration::from_secs(10)).unwrap();
            lamp.done().await;
            assert_eq!(start.elapsed().as_secs(), 16);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "heartbeat");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn blinking_can_be_cut_short() {
        let (folder, path) = board("ACT", "none [mmc0] timer\n");
        let lamp = lamp(folder.path());
        let start = Instant::now();
        lamp.blink(Duration::from_secs(10)).unwrap();
        lamp.stop();
        lamp.done().await;
        assert!(start.elapsed() < Duration::from_secs(1));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mmc0");
    }

    #[test]
    fn a_lamp_that_was_left_blinking_goes_back_to_what_is_usual() {
        assert_eq!(former("none mmc0 [timer]"), "mmc0");
        assert_eq!(former("[none] mmc0 timer"), "none");
    }

    #[tokio::test]
    async fn a_machine_without_a_lamp_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = lamp(folder.path()).blink(Duration::from_secs(1)).unwrap_err();
        assert!(error.to_string().contains("[alarm]"), "{error}");
        let lamp = lamp(folder.path());
        lamp.done().await;
    }
}
