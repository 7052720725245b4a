//! One board that QEMU plays: its card, its serial, its power. Knows no server.

use super::kit::Kit;
use super::machine::Machine;
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
    gigabytes: u32,
    channels: Channels,
    program: &'static str,
    arguments: Vec<String>,
    card: PathBuf,
    console: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Guest {
    /// A board with a card made from the image: of 128 GB for the first, of 4 GB for the others. Each has voltages of its own.
    pub(super) fn new(kit: &Kit, image: &Path, number: u32) -> Result<Self, Error> {
        let serial = format!("10000000deadbee{number:x}");
        let own = 2.0 * f64::from(number);
        let channels = [1500.0, 900.0, 1600.0, 1200.0].map(|base| Steps { base: base + own, step: 20.0, count: 5 });
        let gigabytes = if number == 1 { 128 } else { 4 };
        let card = kit.card(image, &serial, gigabytes)?;
        let tree = kit.device_tree_of(&serial)?;
        let file = |what: &str| kit.folder.join(format!("{serial}.{what}"));
        let (console, log) = (file("console"), file("log"));
        let path = |path: &Path| path.display().to_string();
        let machine = kit.machine;
        let words = command_line(&kit.command_line, machine, &channels);
        let arguments = [
            machine.arguments(&card, &kit.disk, &console),
            vec!["-kernel".to_owned(), path(&kit.kernel), "-initrd".to_owned(), path(&kit.initrd)],
            vec!["-dtb".to_owned(), path(&tree), "-append".to_owned(), words],
        ];
        let arguments = arguments.concat();
        Ok(Self { serial, gigabytes, channels, program: machine.program(), arguments, card, console, log, child: None })
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
        let program = Path::new(self.program);
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
            Ok(self.has_said(text).then_some(()))
        })
        .await
    }

    /// Whether a report is what such a board has to say, whose clock began in 1970.
    pub(super) fn is_sound(&self, report: &BTreeMap<String, String>) -> bool {
        let said = |name: &str| report.get(name).map(String::as_str).unwrap_or_default();
        let number = |name: &str| said(name).parse::<u32>().unwrap_or_default();
        // The file system itself needs a few hundredths.
        number("data_mb") > self.gigabytes * 900
            && said("bus") == "i2c:660"
            && said("failed").trim().is_empty()
            && said("listeners") == "0"
            && said("damaged") == "0"
            && number("year") >= 2026
    }

    /// Whether its console has said something since it was switched on.
    pub(super) fn has_said(&self, text: &str) -> bool {
        String::from_utf8_lossy(&std::fs::read(&self.console).unwrap_or_default()).contains(text)
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

    /// An error if it is on and has stopped, or goes on without a kernel or its data partition: nothing that is waited for comes then.
    pub(super) fn still_runs(&mut self) -> Result<(), Error> {
        // QEMU's Raspberry Pi can't reset itself: it would stand still until the patience of whoever waits is over.
        if self.has_said("Kernel panic") {
            return Err(Error::Verdict(format!(
                "the kernel of the board {} has given up: see {}",
                self.serial,
                self.console.display()
            )));
        }
        if self.has_said("Starting tirta-trouble.service") {
            return Err(Error::Verdict(format!(
                "the board {} can't use its data partition; if this machine does much else, its patience of 5 minutes was over: see {}",
                self.serial,
                self.console.display()
            )));
        }
        self.child.as_mut().map_or(Ok(()), Child::still_runs)
    }
}

/// What the kernel is told: what stands on the card, and what only a test needs.
fn command_line(on_card: &str, machine: Machine, channels: &Channels) -> String {
    // The journal is shown on the console, for whoever looks for a fault and for `wait_for`.
    let shown = "systemd.journald.forward_to_console=1 systemd.wants=played-adc.service";
    let mut words = on_card.replace(" quiet", "");
    words.push_str(&format!(" console={} {shown}{}", machine.console(), machine.kernel_words()));
    let credentials = [
        ("systemd.extra-unit.played-adc.service", played_adc(channels)),
        // The played bus has a number that the shipped unit's list of devices can't know.
        ("systemd.unit-dropin.tirta-agent.service", USES_PLAYED_ADC.to_owned()),
    ];
    for (name, text) in credentials {
        words.push_str(&format!(" systemd.set_credential_binary={name}:{}", STANDARD.encode(text)));
    }
    words
}

/// The unit that plays the chip, from the kit's disk.
fn played_adc(channels: &Channels) -> String {
    let inputs: String = channels
        .iter()
        .enumerate()
        .map(|(input, Steps { base, step, count })| format!(" --input {input}={base}:{step}:{count}"))
        .collect();
    format!(
        "[Unit]\nBefore=tirta-agent.service\n[Service]\n\
         ExecStartPre=sh -c \"mkdir -p /run/kit;until mount -o ro LABEL=tirta-kit /run/kit;do sleep 1;done\"\n\
         ExecStart=/run/kit/play --quiet {QUIET_MS}{inputs}\n\
         ExecStartPost=/run/kit/report\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image_test::machine::Board;
    use crate::packages::Architecture;

    #[test]
    fn a_kernel_of_32_bits_takes_the_whole_command_line() {
        let card = include_str!("../../../images/boot/cmdline.txt").trim();
        let channels = [15018.5; 4].map(|base| Steps { base, step: 20.0, count: 5 });
        let words = command_line(card, Machine::new(Board::Pi, Architecture::Armhf), &channels);
        // COMMAND_LINE_SIZE of arch/arm; the rest would be cut off without a word.
        assert!(words.len() < 1024, "{} bytes: {words}", words.len());
    }

    #[test]
    fn the_unit_of_the_played_chip_names_its_four_inputs() {
        let unit = played_adc(&[1.0, 2.5, 3.0, 4.0].map(|base| Steps { base, step: 20.0, count: 5 }));
        assert!(unit.contains(" --input 0=1:20:5 --input 1=2.5:20:5 --input 2=3:20:5 --input 3=4:20:5\n"), "{unit}");
    }
}
