//! The supply: a Pi that gets too little voltage crashes and spoils its card.

use super::{Finding, Machine};
use std::path::Path;

/// Where the firmware says what it had to do; the folder's name differs by model.
const PLATFORM: &str = "sys/devices/platform";
/// Of the kernel's voltage monitor.
const MONITOR: &str = "rpi_volt";
const ADVICE: &str =
    "use the original supply and a short, thick cable; a weak supply makes the device crash and spoils the card";

pub(super) fn power(machine: &Machine) -> Vec<Finding> {
    let finding = match (throttled(&machine.root), alarm(&machine.root)) {
        (Some(bits), _) => judge(bits),
        (None, Some(true)) => Finding::bad("power", "the voltage is too low or was since the start", ADVICE),
        (None, Some(false)) => Finding::ok("power", "the voltage is high enough"),
        (None, None) => Finding::ok("power", "this machine does not say"),
    };
    vec![finding]
}

/// See the firmware's documentation of `vcgencmd get_throttled`: the lower bits are now, the upper since the start.
fn judge(bits: u32) -> Finding {
    const UNDER_VOLTAGE: u32 = 1;
    const TOO_HOT: u32 = 1 << 3;
    const WAS_UNDER_VOLTAGE: u32 = 1 << 16;
    if bits & UNDER_VOLTAGE != 0 {
        Finding::bad("power", "the voltage is too low now", ADVICE)
    } else if bits & WAS_UNDER_VOLTAGE != 0 {
        Finding::warning("power", "the voltage was too low since the start", ADVICE)
    } else if bits & TOO_HOT != 0 {
        Finding::warning("power", "the processor is too hot", "give the box more air, or put it into the shade")
    } else {
        Finding::ok("power", "the voltage is high enough")
    }
}

fn throttled(root: &Path) -> Option<u32> {
    let platform = root.join(PLATFORM);
    let socs =
        std::fs::read_dir(platform).ok()?.flatten().filter(|e| e.file_name().to_string_lossy().starts_with("soc"));
    let firmware = socs.flat_map(|soc| std::fs::read_dir(soc.path()).into_iter().flatten().flatten());
    let text =
        firmware.filter_map(|folder| std::fs::read_to_string(folder.path().join("get_throttled")).ok()).next()?;
    u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
}

fn alarm(root: &Path) -> Option<bool> {
    let monitors = std::fs::read_dir(root.join("sys/class/hwmon")).ok()?.flatten().map(|entry| entry.path());
    let is_it = |path: &Path| std::fs::read_to_string(path.join("name")).is_ok_and(|name| name.trim() == MONITOR);
    let folder = monitors.into_iter().find(|path| is_it(path))?;
    let text = std::fs::read_to_string(folder.join("in0_lcrit_alarm")).ok()?;
    Some(text.trim() != "0")
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::tests::machine;
    use super::*;

    #[test]
    fn the_firmwares_bits_are_read_where_they_are() {
        let (folder, machine) = machine();
        assert_eq!(power(&machine)[0].text, "this machine does not say");
        let firmware = folder.path().join("sys/devices/platform/soc/soc:firmware");
        std::fs::create_dir_all(&firmware).unwrap();
        for (text, verdict) in [
            ("0\n", Verdict::Ok),
            ("0x50005\n", Verdict::Bad),
            ("50000\n", Verdict::Warning),
            ("8\n", Verdict::Warning),
        ] {
            std::fs::write(firmware.join("get_throttled"), text).unwrap();
            assert_eq!(power(&machine)[0].verdict, verdict, "{text}");
        }
    }

    #[test]
    fn the_kernels_monitor_is_the_second_source() {
        let (folder, machine) = machine();
        for (n, name) in ["cpu_thermal", "rpi_volt"].iter().enumerate() {
            let path = folder.path().join(format!("sys/class/hwmon/hwmon{n}"));
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("name"), format!("{name}\n")).unwrap();
        }
        let alarm = folder.path().join("sys/class/hwmon/hwmon1/in0_lcrit_alarm");
        for (text, verdict) in [("0\n", Verdict::Ok), ("1\n", Verdict::Bad)] {
            std::fs::write(&alarm, text).unwrap();
            assert_eq!(power(&machine)[0].verdict, verdict);
        }
    }
}
