//! What the guests are started with beside the image: tools of this machine, kernel and device tree, and a small disk with
//! the played chip. Knows no server.

use super::machine::{Board, Machine};
use crate::check::install_tools;
use crate::error::{Error, Tried, make_folder};
use crate::packages::{Architecture, shell, target_folder};
use crate::prepare::{cargo, root, run};
use std::path::{Path, PathBuf};

/// Debian's name of a package, and a program of it.
const WANTED: [(&str, &str); 9] = [
    ("qemu-system-arm", "qemu-system-aarch64"),
    ("qemu-utils", "qemu-img"),
    ("device-tree-compiler", "fdtput"),
    ("mtools", "mcopy"),
    ("e2fsprogs", "mke2fs"),
    ("gcc-aarch64-linux-gnu", "aarch64-linux-gnu-gcc"),
    ("libc6-dev-arm64-cross", "/usr/aarch64-linux-gnu/include/stdio.h"),
    ("gcc-arm-linux-gnueabihf", "arm-linux-gnueabihf-gcc"),
    ("libc6-dev-armhf-cross", "/usr/arm-linux-gnueabihf/include/stdio.h"),
];
/// Where the boot partition begins in the image, as images/genimage.cfg has it.
const BOOT: &str = "4M";

/// Tells the console, from the inside and in the background, how the board is once its agent has a name.
const REPORT: &str = r#"#!/bin/sh
until test -c /dev/i2c-1; do sleep 0.1; done
udevadm settle
systemd-run --quiet --no-block /bin/sh -c '
until test "$(cat /proc/sys/kernel/hostname)" != tirta; do sleep 1; done
say() { echo "tirta-report: $1=$2" >/dev/console; }
say data_mb $(($(stat -f -c "%b * %S / 1048576" /data)))
say bus $(stat -c %G:%a /dev/i2c-1)
say failed "$(systemctl list-units --failed --plain --no-legend | cut -d" " -f1 | tr "
" " ")"
say listeners $(cat /proc/net/tcp /proc/net/tcp6 | grep -c ":0016 .* 0A ")
say damaged $(cat /sys/fs/ext4/*/errors_count | grep -vcx 0)
say year $(date +%Y)
say hostname $(cat /proc/sys/kernel/hostname)'
"#;

/// Plays the chip, once the kit's disk is mounted.
const PLAY: &str = r#"#!/bin/sh
modprobe cuse && exec /run/kit/played-adc --bus 1 --address 0x48 "$@"
"#;

/// Installs what is missing, and says so.
///
/// # Errors
/// When it can't, with the list of what a person has to install.
pub(super) fn install() -> Result<(), Error> {
    install_tools(&WANTED)
}

/// The files.
#[derive(Debug, Clone)]
pub(super) struct Kit {
    pub(super) folder: PathBuf,
    pub(super) kernel: PathBuf,
    pub(super) initrd: PathBuf,
    /// The kernel's command line, as it is on the card.
    pub(super) command_line: String,
    /// What is played.
    pub(super) machine: Machine,
    /// Its device tree, without a serial.
    pub(super) device_tree: PathBuf,
    /// A disk (ext4, labelled tirta-kit) with `played-adc`.
    pub(super) disk: PathBuf,
}

impl Kit {
    /// Takes kernel and start from the image's boot partition, and builds the rest.
    ///
    /// # Errors
    /// When something can't be read or a tool fails.
    pub(super) fn make(folder: &Path, image: &Path, board: Board, architecture: Architecture) -> Result<Self, Error> {
        let boot = format!("{}@@{BOOT}", image.display());
        let [kernel, initrd, words] = ["vmlinuz", "initrd.img", "cmdline.txt"].map(|name| folder.join(name));
        for file in [&kernel, &initrd, &words] {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            run(folder, "mcopy", &["-n", "-i", &boot, &format!("::/{name}"), &file.display().to_string()])?;
        }
        let command_line = std::fs::read_to_string(&words).tried(|| "read cmdline.txt".to_owned())?.trim().to_owned();

        let machine = Machine::new(board, architecture);
        let device_tree = machine.device_tree(folder, &boot)?;

        println!("Building the played ADS1115");
        let target = architecture.triple();
        let _ = run(&root(), "rustup", &["target", "add", target]);
        run(&root(), &cargo(), &["build", "--release", "--package", "played-adc", "--target", target])?;
        let content = folder.join("kit");
        make_folder(&content)?;
        let program = target_folder().join(target).join("release/played-adc");
        shell::install(&program, &content.join("played-adc"), 0o755)?;
        shell::put(PLAY.as_bytes(), &content.join("play"), 0o755)?;
        shell::put(REPORT.as_bytes(), &content.join("report"), 0o755)?;
        let disk = folder.join("kit.ext4");
        let [from, to] = [&content, &disk].map(|path| path.display().to_string());
        run(folder, "mke2fs", &["-q", "-t", "ext4", "-L", "tirta-kit", "-d", &from, &to, "16M"])?;
        Ok(Self { folder: folder.to_owned(), kernel, initrd, command_line, machine, device_tree, disk })
    }

    /// The image as it was made.
    ///
    /// # Errors
    /// When it can't be copied.
    pub(super) fn copy_of(&self, image: &Path, name: &str) -> Result<PathBuf, Error> {
        let copy = self.folder.join(name);
        let [from, to] = [image, &copy].map(|path| path.display().to_string());
        run(&self.folder, "cp", &["--sparse=always", &from, &to])?;
        Ok(copy)
    }

    /// The image with a fleet file on it, as an administrator makes it.
    ///
    /// # Errors
    /// When it can't be copied or written.
    pub(super) fn customised(&self, image: &Path, fleet_file: &Path) -> Result<PathBuf, Error> {
        let copy = self.copy_of(image, "fleet.img")?;
        let [card, file] = [&copy, fleet_file].map(|path| path.display().to_string());
        let words =
            ["run", "--quiet", "--package", "provisioning", "--", "image", "customise", &card, "--fleet-config", &file];
        run(&root(), &cargo(), &words)?;
        Ok(copy)
    }

    /// QEMU's device tree with the serial of a board.
    ///
    /// # Errors
    /// When a tool fails.
    pub(super) fn device_tree_of(&self, serial: &str) -> Result<PathBuf, Error> {
        let tree = self.folder.join(format!("{serial}.dtb"));
        std::fs::copy(&self.device_tree, &tree).tried(|| format!("write {}", tree.display()))?;
        run(&self.folder, "fdtput", &["-t", "s", &tree.display().to_string(), "/", "serial-number", serial])?;
        Ok(tree)
    }

    /// A card of so many GB that begins as the image and remembers what is written.
    ///
    /// # Errors
    /// When a tool fails.
    pub(super) fn card(&self, image: &Path, serial: &str, gigabytes: u32) -> Result<PathBuf, Error> {
        let (card, size) = (self.folder.join(format!("{serial}.qcow2")), format!("{gigabytes}G"));
        let [from, to] = [image, &card].map(|path| path.display().to_string());
        run(&self.folder, "qemu-img", &["create", "-q", "-f", "qcow2", "-F", "raw", "-b", &from, &to, &size])?;
        Ok(card)
    }

    /// Puts a file on a card's boot partition, as a laptop would. The card must be in no board.
    ///
    /// # Errors
    /// When a tool fails.
    pub(super) fn put(&self, card: &Path, file: &Path) -> Result<(), Error> {
        let raw = self.folder.join("laptop.img");
        let [card, file, plain] = [card, file, &raw].map(|path| path.display().to_string());
        run(&self.folder, "qemu-img", &["convert", "-f", "qcow2", "-O", "raw", &card, &plain])?;
        run(&self.folder, "mcopy", &["-o", "-i", &format!("{plain}@@{BOOT}"), &file, "::/"])?;
        run(&self.folder, "qemu-img", &["convert", "-f", "raw", "-O", "qcow2", &plain, &card])?;
        std::fs::remove_file(&raw).tried(|| format!("remove {plain}"))
    }
}
