//! Packages for machines of another kind: what is in them, and their programs under an emulator.

use super::{Architecture, Package, file, shell, target_folder};
use crate::error::Error;
use std::{collections::BTreeSet, path::Path};

/// Unpacks one and starts its program with the C library that the cross-compiler came with.
pub fn runs(package: Package, architecture: Architecture, out: &Path) -> Result<(), Error> {
    let name = package.name();
    let deb = file(package, architecture, out);
    let (theirs, ours) = (names(&deb)?, names(&file(package, Architecture::Amd64, out))?);
    if theirs != ours {
        let differing = theirs.symmetric_difference(&ours).cloned().collect::<Vec<_>>().join(", ");
        return Err(Error::Verdict(format!("not the same files as for amd64: {differing}")));
    }
    let root = target_folder().join("packages-test").join(format!("{name}-{}", architecture.debian()));
    shell::empty_folder(&root)?;
    shell::output(&root, "dpkg-deb", &["-x", &deb.to_string_lossy(), "."])?;
    let emulator = match architecture {
        Architecture::Amd64 => "qemu-x86_64-static",
        Architecture::Arm64 => "qemu-aarch64-static",
        Architecture::Armhf => "qemu-arm-static",
    };
    let (library, program) = (format!("/usr/{}", architecture.libraries()), format!("usr/bin/{name}"));
    let said = shell::output(&root, emulator, &["-L", &library, &program, "--version"])?;
    if said.trim() == format!("{name} {}", super::VERSION) {
        return Ok(());
    }
    Err(Error::Output { program: name.to_owned(), line: said })
}

fn names(deb: &Path) -> Result<BTreeSet<String>, Error> {
    let listed = shell::output(Path::new("/"), "dpkg-deb", &["-c".as_ref(), deb.as_os_str()])?;
    // Mode, owner and name; not the size and the time.
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        format!("{} {} {}", words.first().unwrap_or(&""), words.get(1).unwrap_or(&""), words.last().unwrap_or(&""))
    };
    Ok(listed.lines().map(line).collect())
}
