//! The board's own LED, as the kernel shows it below `/sys/class/leds`. The kernel's `timer` trigger blinks by itself:
//! it goes on however busy the agent is, and nothing has to be done twice a second. Knows nobody's state.
//!
//! A udev rule chooses that trigger at the start and lends its two files to the agent, who is not root. So they are all
//! that is written here: they vanish when another trigger is chosen, or the brightness is set to 0.

use crate::config;
use std::io;
use std::path::{Path, PathBuf};

/// Where the kernel shows its LEDs.
pub const LEDS: &str = "/sys/class/leds";
/// The LED beside the card slot: its name on newer and older kernels.
const NAMES: [&str; 2] = ["ACT", "led0"];
/// What it shows unless somebody changes it: the card's activity.
const USUAL: &str = "mmc0";

/// How an LED blinks: so many milliseconds on, so many off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// 0: never on.
    pub on_ms: u32,
    /// Never 0: two zeros mean half a second each.
    pub off_ms: u32,
}

/// Never on. The trigger stays, and with it the right to write.
pub const DARK: Pattern = Pattern { on_ms: 0, off_ms: 1000 };

/// Why an LED shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum LedError {
    /// There is none of its name.
    #[error("this board has no lamp of its own")]
    None,
    /// It can't be used.
    #[error("the board's lamp can't be used ({error}): {}; try it as root (sudo)", path.display())]
    Use {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// How an LED was before somebody borrowed it.
#[derive(Debug)]
pub enum Before {
    /// It blinked, or was dark.
    Blinked(Pattern),
    /// It had this trigger.
    Trigger(String),
}

/// One LED. It is looked up each time: its driver may be loaded late.
#[derive(Debug, Clone)]
pub struct Led {
    leds: PathBuf,
    names: Vec<String>,
}

impl Led {
    /// The configured LED of those below `leds`, which is [`LEDS`].
    pub fn new(leds: &Path, lamp: &config::Lamp) -> Self {
        let names = match lamp {
            config::Lamp::Led(name) => vec![name.clone()],
            config::Lamp::Usual | config::Lamp::Off => NAMES.map(str::to_owned).into(),
        };
        Self { leds: leds.to_owned(), names }
    }

    fn folder(&self) -> Option<PathBuf> {
        self.names.iter().map(|name| self.leds.join(name)).find(|folder| folder.is_dir())
    }

    /// Whether its trigger is `timer`: somebody lends it, or has taken it.
    pub fn is_lent(&self) -> bool {
        self.folder().is_some_and(|folder| folder.join("delay_on").exists())
    }

    /// Lets it blink like this, if it does not yet. Takes it from another trigger, which only root may.
    ///
    /// # Errors
    /// When there is none, or it may not be used.
    pub fn show(&self, pattern: Pattern) -> Result<(), LedError> {
        let folder = self.folder().ok_or(LedError::None)?;
        if !folder.join("delay_on").exists() {
            write(&folder.join("trigger"), "timer")?;
        }
        if blinking(&folder) == Some(pattern) {
            return Ok(());
        }
        // In this order the two are never 0 together.
        write(&folder.join("delay_off"), &pattern.off_ms.to_string())?;
        write(&folder.join("delay_on"), &pattern.on_ms.to_string())
    }

    /// The same, and says how it was before.
    ///
    /// # Errors
    /// As [`Self::show`].
    pub fn borrow(&self, pattern: Pattern) -> Result<Before, LedError> {
        let folder = self.folder().ok_or(LedError::None)?;
        let before = match blinking(&folder) {
            // It was left so by a process that was killed while it blinked.
            Some(same) if same == pattern => Before::Blinked(DARK),
            Some(other) => Before::Blinked(other),
            None => Before::Trigger(trigger(&folder)),
        };
        self.show(pattern).map(|()| before)
    }

    /// Gives it back.
    ///
    /// # Errors
    /// As [`Self::show`].
    pub fn give_back(&self, before: &Before) -> Result<(), LedError> {
        match before {
            Before::Blinked(pattern) => self.show(*pattern),
            Before::Trigger(word) => write(&self.folder().ok_or(LedError::None)?.join("trigger"), word),
        }
    }
}

/// How it blinks, if its trigger is `timer`.
fn blinking(folder: &Path) -> Option<Pattern> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok()?.trim().parse().ok();
    Some(Pattern { on_ms: read("delay_on")?, off_ms: read("delay_off")? })
}

/// Its trigger, from a line such as `none rc-feedback [mmc0] timer heartbeat`.
fn trigger(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("trigger")).unwrap_or_default();
    let chosen = text.split_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
    chosen.unwrap_or(USUAL).to_owned()
}

fn write(path: &Path, text: &str) -> Result<(), LedError> {
    std::fs::write(path, text).map_err(|error| LedError::Use { path: path.to_owned(), error })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A folder like the kernel's, with one LED.
    pub(crate) struct Board(tempfile::TempDir, &'static str);

    impl Board {
        /// Its LED has its usual trigger.
        pub(crate) fn usual(name: &'static str) -> Self {
            let board = Self(tempfile::tempdir().unwrap(), name);
            std::fs::create_dir(board.leds().join(name)).unwrap();
            std::fs::write(board.leds().join(name).join("trigger"), "none [mmc0] timer\n").unwrap();
            board
        }

        /// Its LED is lent to the agent by the rule for udev.
        pub(crate) fn lent(name: &'static str) -> Self {
            let board = Self::usual(name);
            for (file, text) in [("trigger", "none mmc0 [timer]\n"), ("delay_on", "500\n"), ("delay_off", "500\n")] {
                std::fs::write(board.leds().join(name).join(file), text).unwrap();
            }
            board
        }

        pub(crate) fn leds(&self) -> &Path {
            self.0.path()
        }

        pub(crate) fn led(&self) -> Led {
            Led::new(self.leds(), &config::Lamp::Usual)
        }

        pub(crate) fn shows(&self) -> Option<Pattern> {
            blinking(&self.leds().join(self.1))
        }

        pub(crate) fn read(&self, file: &str) -> String {
            std::fs::read_to_string(self.leds().join(self.1).join(file)).unwrap()
        }
    }

    const QUICK: Pattern = Pattern { on_ms: 100, off_ms: 100 };

    #[test]
    fn a_lent_led_blinks_and_its_trigger_is_left_alone() {
        for name in NAMES {
            let board = Board::lent(name);
            for pattern in [QUICK, DARK, QUICK] {
                board.led().show(pattern).unwrap();
                assert_eq!(board.shows(), Some(pattern));
            }
            assert_eq!(board.read("trigger"), "none mmc0 [timer]\n");
        }
    }

    #[test]
    fn another_trigger_is_taken_over_and_given_back() {
        let board = Board::usual("ACT");
        assert!(!board.led().is_lent());
        let before = board.led().borrow(QUICK).unwrap();
        assert_eq!((board.read("trigger").as_str(), board.shows()), ("timer", Some(QUICK)));
        board.led().give_back(&before).unwrap();
        assert_eq!(board.read("trigger"), "mmc0");
    }

    #[test]
    fn one_that_was_left_blinking_is_dark_afterwards() {
        let board = Board::lent("ACT");
        board.led().show(QUICK).unwrap();
        let before = board.led().borrow(QUICK).unwrap();
        board.led().give_back(&before).unwrap();
        assert_eq!(board.shows(), Some(DARK));
    }

    #[test]
    fn only_the_configured_led_is_used() {
        let board = Board::lent("ACT");
        let other = Led::new(board.leds(), &config::Lamp::Led("green:user".to_owned()));
        assert!(matches!(other.show(QUICK), Err(LedError::None)));
    }

    #[test]
    fn what_can_not_be_written_says_who_may() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("ACT/trigger")).unwrap();
        let error = Led::new(folder.path(), &config::Lamp::Usual).show(QUICK).unwrap_err().to_string();
        assert!(error.contains("ACT/trigger") && error.contains("sudo"), "{error}");
    }
}
