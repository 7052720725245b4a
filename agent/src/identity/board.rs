//! What the board says of itself: its serial and its model. Knows no file of the agent's own.

use super::IdentityError;
use shared::Serial;
use std::path::PathBuf;

/// More of a model's name is of no use to anybody.
const MODEL: usize = 80;

/// Where a Raspberry Pi's serial and model are found.
#[derive(Debug, Clone)]
pub struct SerialSources {
    /// The device tree's node: digits and a final NUL.
    pub device_tree: PathBuf,
    /// The kernel's text with a line `Serial : ...` (Raspberry Pi OS; Debian's kernel has none).
    pub cpuinfo: PathBuf,
    /// The device tree's name of the board.
    pub model: PathBuf,
}

impl Default for SerialSources {
    fn default() -> Self {
        Self {
            device_tree: PathBuf::from("/proc/device-tree/serial-number"),
            cpuinfo: PathBuf::from("/proc/cpuinfo"),
            model: PathBuf::from("/proc/device-tree/model"),
        }
    }
}

impl SerialSources {
    /// The board's serial.
    ///
    /// # Errors
    /// When neither place has one.
    pub fn read(&self) -> Result<Serial, IdentityError> {
        let device_tree = std::fs::read_to_string(&self.device_tree).ok();
        if let Some(serial) = device_tree.and_then(|text| text.parse().ok()) {
            return Ok(serial);
        }
        let cpuinfo = std::fs::read_to_string(&self.cpuinfo).unwrap_or_default();
        let line = cpuinfo.lines().find_map(|line| line.strip_prefix("Serial")?.trim_start().strip_prefix(':'));
        line.and_then(|digits| digits.parse().ok()).ok_or(IdentityError::NoSerial)
    }

    /// The board's model, such as `Raspberry Pi 4 Model B Rev 1.4`; `None` where nobody says it.
    pub fn model(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&std::fs::read(&self.model).ok()?).into_owned();
        let plain: String = text.chars().filter(|c| !c.is_control()).take(MODEL).collect();
        let model = plain.trim();
        (!model.is_empty()).then(|| model.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn serial(text: &str) -> Serial {
        text.parse().unwrap()
    }

    fn sources(device_tree: Option<&str>, cpuinfo: &str) -> (TempDir, SerialSources) {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let sources =
            SerialSources { device_tree: file("serial-number"), cpuinfo: file("cpuinfo"), model: file("model") };
        if let Some(text) = device_tree {
            std::fs::write(&sources.device_tree, text).unwrap();
        }
        std::fs::write(&sources.cpuinfo, cpuinfo).unwrap();
        (folder, sources)
    }

    const CPUINFO: &str = "Hardware\t: BCM2835\nRevision\t: a02082\nSerial\t\t: 00000000cafebabe\nModel\t\t: Pi\n";

    #[test]
    fn the_serial_comes_from_the_device_tree_then_from_cpuinfo() {
        let (_folder, both) = sources(Some("10000000deadbeef\0"), CPUINFO);
        assert_eq!(both.read().unwrap(), serial("10000000deadbeef"));
        let (_folder, text_only) = sources(None, CPUINFO);
        assert_eq!(text_only.read().unwrap(), serial("00000000cafebabe"));
        let (_folder, none) = sources(Some("\0"), "processor\t: 0\nSerialised: no\n");
        assert!(matches!(none.read(), Err(IdentityError::NoSerial)));
    }

    #[test]
    fn the_model_is_what_the_device_tree_says_without_its_nul() {
        let (_folder, sources) = sources(None, "");
        assert_eq!(sources.model(), None);
        std::fs::write(&sources.model, "Raspberry Pi 4 Model B Rev 1.4\0").unwrap();
        assert_eq!(sources.model().as_deref(), Some("Raspberry Pi 4 Model B Rev 1.4"));
        std::fs::write(&sources.model, "\0").unwrap();
        assert_eq!(sources.model(), None);
        std::fs::write(&sources.model, "x".repeat(10_000)).unwrap();
        assert_eq!(sources.model().unwrap().len(), MODEL);
    }
}
