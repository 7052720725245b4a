//! What the recipe's steps need on this machine: programs, rights, and the emulation of the board's processor.

use crate::check::install_tools;
use crate::error::Error;
use crate::packages::Architecture;
use crate::postgres::is_root;
use crate::prepare::{root, run_with};
use std::path::Path;

/// Debian's name of a package, and a program of it.
const WANTED: [(&str, &str); 15] = [
    ("mmdebstrap", "mmdebstrap"),
    ("arch-test", "arch-test"),
    ("qemu-user-static", "qemu-aarch64-static"),
    ("genimage", "genimage"),
    ("squashfs-tools", "mksquashfs"),
    ("mtools", "mcopy"),
    ("dosfstools", "mkfs.vfat"),
    ("e2fsprogs", "mke2fs"),
    ("device-tree-compiler", "dtc"),
    ("kmod", "depmod"),
    ("zstd", "zstd"),
    ("gcc-aarch64-linux-gnu", "aarch64-linux-gnu-gcc"),
    ("libc6-dev-arm64-cross", "/usr/aarch64-linux-gnu/include/stdio.h"),
    ("udev", "udevadm"),
    ("debian-archive-keyring", "gpgv"),
];

const BINFMT: &str = "/proc/sys/fs/binfmt_misc";

/// Installs what is missing, and says so.
///
/// # Errors
/// When it can't, with the list of what a person has to install.
pub(super) fn install() -> Result<(), Error> {
    install_tools(&WANTED)
}

/// Lets this machine run the board's programs: Debian's packages inside the image set themselves up.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn emulate(architecture: Architecture) -> Result<(), Error> {
    let name = format!("qemu-{}", if architecture == Architecture::Armhf { "arm" } else { "aarch64" });
    if Path::new(BINFMT).join(&name).exists() {
        return Ok(());
    }
    println!("Telling the kernel to run the board's programs by {name}");
    if !Path::new(BINFMT).join("register").exists() {
        as_root("mount", &["-t", "binfmt_misc", "binfmt_misc", BINFMT], "0")?;
    }
    let script = format!("cat /usr/lib/binfmt.d/{name}.conf > {BINFMT}/register");
    as_root("sh", &["-c", &script], "0")
}

/// Runs a program with every right; by `sudo` if we have not got them.
///
/// # Errors
/// When it fails.
pub(super) fn as_root(program: &str, arguments: &[&str], epoch: &str) -> Result<(), Error> {
    // Programs of administrators are where an ordinary user does not look.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let environment = [("SOURCE_DATE_EPOCH", epoch), ("PATH", path.as_str())];
    if is_root() {
        return run_with(&root(), program, arguments, &environment);
    }
    let kept = format!("--preserve-env=SOURCE_DATE_EPOCH,PATH,{}", super::base::SOURCES.join(","));
    let words = [&[kept.as_str(), program], arguments].concat();
    run_with(&root(), "sudo", &words, &environment)
}
