//! One board that QEMU plays: its card, its serial, its power. Knows no server.

use super::kit::Kit;
use super::values::{Channels, Steps};
use crate::error::Error;
use crate::fleet::{Child, until};
use base64::prelude::{BASE64_STANDARD as STANDARD, Engine};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// By this address guests reach what listens on this machine's loopback.
pub(super) const HOST: &str = "10.0.2.2";

/// A played input steps on once it was left alone for so long: longer than an emulated board stalls within a reading, shorter
/// than the ten seconds between two.
const QUIET_MS: u32 = 5000;

const USES_PLAYED_ADC: &str = "[Unit]\nAfter=played-adc.service\n[Service]\nDeviceAllow=/dev/i2c-1 rw\n";

/// A board.
pub(super) struct Guest {
    serial: String,
    channels: Channels,
    arguments: Vec<String>,
    card: PathBuf,
    console: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Guest {
    /// A board with a card made from the image. Each has voltages of its own.
    pub(super) fn new(kit: &Kit, image: &Path, number: u32) -> Result<Self, Error> {
        let serial = format!("10000000deadbee{number:x}");
        let own = 2.0 * f64::from(number);
        let channels = [1500.0, 900.0, 1600.0, 1200.0].map(|base| Steps { base: base + own, step: 20.0, count: 5 });
        let card = kit.card(image, &serial)?;
        let tree = kit.device_tree_of(&serial)?;
        let file = |what: &str| kit.folder.join(format!("{serial}.{what}"));
        let (console, log) = (file("console"), file("log"));
        let path = |path: &Path| path.display().to_string();
        // The journal is shown on the console, for whoever looks for a fault and for `wait_for`.
        let shown = "console=ttyAMA0 systemd.journald.forward_to_console=1 systemd.wants=played-adc.service";
        let credentials = [
            ("systemd.extra-unit.played-adc.service", played_adc(&channels)),
            // The played bus has a number that the shipped unit's list of devices can't know.
            ("systemd.unit-dropin.tirta-agent.service", USES_PLAYED_ADC.to_owned()),
        ];
        let mut words = format!("{} {shown}", kit.command_line.replace(" quiet", ""));
        for (name, text) in credentials {
            words.push_str(&format!(" systemd.set_credential_binary={name}:{}", STANDARD.encode(text)));
        }
        let arguments = [
            ["-M", "virt"].map(str::to_owned).to_vec(),
            "-cpu cortex-a53 -smp 2 -m 512 -display none -no-reboot".split(' ').map(str::to_owned).collect(),
            // What a board without a battery believes.
            vec!["-rtc".to_owned(), "base=1970-01-01".to_owned()],
            vec!["-kernel".to_owned(), path(&kit.kernel), "-initrd".to_owned(), path(&kit.initrd)],
            vec!["-dtb".to_owned(), path(&tree), "-append".to_owned(), words],
            vec!["-drive".to_owned(), format!("if=none,id=card,format=qcow2,file={}", path(&card))],
            vec!["-device".to_owned(), "virtio-blk-pci,drive=card".to_owned()],
            vec!["-drive".to_owned(), format!("if=none,id=kit,format=raw,readonly=on,file={}", path(&kit.disk))],
            vec!["-device".to_owned(), "virtio-blk-pci,drive=kit".to_owned()],
            vec!["-netdev".to_owned(), "user,id=net".to_owned()],
            vec!["-device".to_owned(), "virtio-net-pci,netdev=net,romfile=".to_owned()],
            vec!["-serial".to_owned(), format!("file:{}", path(&console))],
        ];
        Ok(Self { serial, channels, arguments: arguments.concat(), card, console, log, child: None })
    }

    /// The serial that its device tree names.
    pub(super) fn serial(&self) -> &str {
        &self.serial
    }

    /// What its chip can give.
    pub(super) fn channels(&self) -> Channels {
        self.channels
    }

    /// Switches it on.
    pub(super) fn start(&mut self) -> Result<(), Error> {
        let arguments: Vec<&OsStr> = self.arguments.iter().map(OsStr::new).collect();
        let program = Path::new("qemu-system-aarch64");
        self.child = Some(Child::start(&format!("the board {}", self.serial), program, &arguments, &self.log)?);
        Ok(())
    }

    /// Cuts its power. What it wrote and did not flush is lost or not, as the host likes.
    pub(super) async fn cut(&mut self) -> Result<(), Error> {
        match self.child.take() {
            Some(mut child) => child.kill().await,
            None => Ok(()),
        }
    }

    /// Waits until its console says something.
    pub(super) async fn wait_for(&mut self, what: &str, text: &str, patience: Duration) -> Result<(), Error> {
        until(what, patience, async || {
            self.still_runs()?;
            let console = std::fs::read(&self.console).unwrap_or_default();
            Ok(String::from_utf8_lossy(&console).contains(text).then_some(()))
        })
        .await
    }

    /// What its last report said: name and value.
    pub(super) fn report(&self) -> BTreeMap<String, String> {
        let console = std::fs::read(&self.console).unwrap_or_default();
        let text = String::from_utf8_lossy(&console).into_owned();
        let lines = text.lines().filter_map(|line| line.split_once("tirta-report: "));
        lines
            .filter_map(|(_, said)| said.trim_end().split_once('='))
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .collect()
    }

    /// Puts the fleet file on its card. It must be off.
    pub(super) fn put_fleet_file(&self, kit: &Kit, file: &Path) -> Result<(), Error> {
        kit.put(&self.card, file)
    }

    /// An error if it is on and has stopped.
    pub(super) fn still_runs(&mut self) -> Result<(), Error> {
        self.child.as_mut().map_or(Ok(()), Child::still_runs)
    }
}

/// The unit that plays the chip, from the kit's disk.
fn played_adc(channels: &Channels) -> String {
    let inputs: String = channels
        .iter()
        .enumerate()
        .map(|(input, Steps { base, step, count })| format!(" --input {input}={base}:{step}:{count}"))
        .collect();
    format!(
        "[Unit]\nDescription=An ADS1115 that is played\nBefore=tirta-agent.service\n\n[Service]\n\
         ExecStartPre=/bin/sh -c \"modprobe cuse && mkdir -p /run/kit && mount -o ro LABEL=tirta-kit /run/kit\"\n\
         ExecStart=/run/kit/played-adc --bus 1 --address 0x48 --quiet {QUIET_MS}{inputs}\n\
         ExecStartPost=/bin/sh -c \"until test -c /dev/i2c-1; do sleep 0.1; done; udevadm settle\"\n\
         ExecStartPost=/run/kit/report\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_the_played_chip_names_its_four_inputs() {
        let unit = played_adc(&[1.0, 2.5, 3.0, 4.0].map(|base| Steps { base, step: 20.0, count: 5 }));
        assert!(unit.contains(" --input 0=1:20:5 --input 1=2.5:20:5 --input 2=3:20:5 --input 3=4:20:5\n"), "{unit}");
    }
}
