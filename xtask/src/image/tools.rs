//! What the recipe's steps need on this machine: programs, rights, and the emulation of the board's processor.

use crate::check::install_tools;
use crate::error::{Error, Tried};
use crate::packages::Architecture;
use crate::postgres::is_root;
use crate::prepare::{root, run_with};
use ring::digest::{Context, SHA256};
use std::fmt::Write as _;
use std::io::Read;
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
    let dated = [("SOURCE_DATE_EPOCH", epoch)];
    // Programs of administrators are where an ordinary user does not look.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let environment = [dated[0], ("PATH", path.as_str())];
    if is_root() {
        return run_with(&root(), program, arguments, &environment);
    }
    let words =
        [&["--preserve-env=SOURCE_DATE_EPOCH,PATH,TIRTA_MIRROR,TIRTA_SECURITY_MIRROR", program], arguments].concat();
    run_with(&root(), "sudo", &words, &environment)
}

/// SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// When it can't be read.
pub(super) fn sha256(file: &Path) -> Result<String, Error> {
    let read = || format!("read {}", file.display());
    let mut from = std::fs::File::open(file).tried(read)?;
    let (mut digest, mut block) = (Context::new(&SHA256), vec![0; 1 << 20]);
    loop {
        let count = from.read(&mut block).tried(read)?;
        if count == 0 {
            break;
        }
        digest.update(block.get(..count).unwrap_or_default());
    }
    Ok(digest.finish().as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
