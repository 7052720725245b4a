//! The machines that QEMU plays: what each is called there, and what hangs on it. Knows no server and starts nothing.

use crate::error::{Error, Tried};
use crate::packages::Architecture;
use crate::prepare::run;
use std::path::{Path, PathBuf};

/// Which board is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Board {
    /// QEMU's own, without firmware and quick: disks and network are virtio's.
    Virt,
    /// A Raspberry Pi 3 B (of 32 bits: 2 B), with the device tree, SD card and USB that it has.
    Pi,
}

/// A board of an architecture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Machine {
    board: Board,
    architecture: Architecture,
}

impl Machine {
    pub(super) fn new(board: Board, architecture: Architecture) -> Self {
        Self { board, architecture }
    }

    fn is_armhf(self) -> bool {
        self.architecture == Architecture::Armhf
    }

    /// The emulator.
    pub(super) fn program(self) -> &'static str {
        if self.is_armhf() { "qemu-system-arm" } else { "qemu-system-aarch64" }
    }

    /// Where the kernel's messages can be read.
    pub(super) fn console(self) -> &'static str {
        if self.board == Board::Virt { "ttyAMA0" } else { "ttyS1" }
    }

    /// What the kernel must be told beside what stands on the card.
    pub(super) fn kernel_words(self) -> &'static str {
        match self.board {
            Board::Virt => "",
            // Its real bus would have the played one's name; QEMU resets the board as soon as the watchdog is set; and it
            // plays no video processor, so the driver that talks to it fails and sometimes takes the kernel with it.
            Board::Pi => " modprobe.blacklist=i2c_bcm2835,bcm2835_wdt,vchiq",
        }
    }

    /// QEMU's arguments for the bare board.
    fn bare(self, more: &str) -> Vec<String> {
        let (machine, rest) = match (self.board, self.is_armhf()) {
            (Board::Virt, false) => ("virt", "-cpu cortex-a53 -smp 2 -m 512"),
            // A kernel of 32 bits sees nothing beyond 4 GB.
            (Board::Virt, true) => ("virt,highmem=off", "-cpu cortex-a15 -smp 2 -m 512"),
            (Board::Pi, false) => ("raspi3b", ""),
            (Board::Pi, true) => ("raspi2b", ""),
        };
        let mut words = vec!["-M".to_owned(), format!("{machine}{more}")];
        words.extend(rest.split_whitespace().chain(["-display", "none"]).map(str::to_owned));
        words
    }

    /// QEMU's arguments for the board with a card, a second disk and a network behind which this machine is.
    pub(super) fn arguments(self, card: &Path, kit: &Path, serial: &Path) -> Vec<String> {
        let mut words = self.bare("");
        let card = format!("format=qcow2,file={}", card.display());
        let kit = format!("if=none,id=kit,format=raw,readonly=on,file={}", kit.display());
        let serial = format!("file:{}", serial.display());
        let mut add = |all: &[&str]| words.extend(all.iter().map(|word| (*word).to_owned()));
        // What a board without a battery believes.
        add(&["-no-reboot", "-rtc", "base=1970-01-01", "-netdev", "user,id=net", "-drive", &kit]);
        match self.board {
            Board::Virt => add(&[
                "-drive",
                &format!("if=none,id=card,{card}"),
                "-device",
                "virtio-blk-pci,drive=card",
                "-device",
                "virtio-blk-pci,drive=kit",
                "-device",
                "virtio-net-pci,netdev=net,romfile=",
                "-serial",
                &serial,
            ]),
            // Its second serial port is the one that a kernel of today can speak on.
            Board::Pi => add(&[
                "-drive",
                &format!("if=sd,{card}"),
                "-device",
                "usb-storage,drive=kit",
                "-device",
                "usb-net,netdev=net",
                "-serial",
                "null",
                "-serial",
                &serial,
            ]),
        }
        words
    }

    /// The board's device tree, without a serial: QEMU's own, or the one that is on the card for it.
    ///
    /// # Errors
    /// When it can't be had.
    pub(super) fn device_tree(self, folder: &Path, boot: &str) -> Result<PathBuf, Error> {
        let tree = folder.join("board.dtb");
        let to = tree.display().to_string();
        match (self.board, self.is_armhf()) {
            (Board::Virt, _) => {
                let mut words = self.bare(&format!(",dumpdtb={to}"));
                words.extend(["-nic".to_owned(), "none".to_owned()]);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                run(folder, self.program(), &words)?;
            }
            (Board::Pi, of_32_bits) => {
                let name = if of_32_bits { "bcm2836-rpi-2-b.dtb" } else { "bcm2837-rpi-3-b.dtb" };
                run(folder, "mcopy", &["-n", "-i", boot, &format!("::/{name}"), &to])?;
            }
        }
        std::fs::metadata(&tree).map(|_| tree).tried(|| format!("look at {to}"))
    }
}
