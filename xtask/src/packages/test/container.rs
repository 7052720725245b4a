//! The container image: unpacked by `umoci`, which knows the specification and not us, and run in namespaces of its own.

use super::{Architecture, Tally, VERSION, oci, same, shell, target_folder};
use crate::error::{Error, Tried};
use crate::prepare::root;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Tries the images of all kinds of machine, and runs ours.
pub fn run(out: &Path, tally: &mut Tally) -> Result<(), Error> {
    let again = target_folder().join("packages-again");
    shell::empty_folder(&again)?;
    for architecture in Architecture::ALL.into_iter().filter(|one| one.has_server()) {
        let name = architecture.debian();
        let image = out.join(format!("tirta-server-{VERSION}-{name}.oci.tar"));
        let second = oci::build(architecture, &again)?;
        tally
            .note(&format!("for {name} it is the same to the last byte when it is built again"), same(&image, &second));
        let bundle = unpack(&image, name)?;
        if Some(architecture) == Architecture::ours() {
            tally.note(&format!("for {name} it starts, and says that it is ready"), start(&bundle));
        } else {
            tally.note(&format!("for {name} its server runs under an emulator"), emulate(&bundle));
        }
    }
    Ok(())
}

fn unpack(image: &Path, name: &str) -> Result<PathBuf, Error> {
    let work = target_folder().join("packages-test").join(format!("container-{name}"));
    shell::empty_folder(&work.join("layout"))?;
    shell::output(&work.join("layout"), "tar", &["-x", "-f", &image.to_string_lossy()])?;
    let bundle = work.join("bundle");
    if bundle.exists() {
        fs::remove_dir_all(&bundle).tried(|| format!("remove {}", bundle.display()))?;
    }
    shell::output(&work, "umoci", &["unpack", "--image", &format!("layout:{VERSION}"), "bundle"])?;
    Ok(bundle)
}

fn start(bundle: &Path) -> Result<(), Error> {
    let file = bundle.join("config.json");
    let text = fs::read_to_string(&file).tried(|| format!("read {}", file.display()))?;
    let wrong = |line: &str| Error::Output { program: "umoci".to_owned(), line: line.to_owned() };
    let config: Value = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
    let process = &config["process"];
    let user = format!("{}:{}", process["user"]["uid"], process["user"]["gid"]);
    let command = process["args"].as_array().ok_or_else(|| wrong("config.json has no process.args"))?;
    let script = root().join("images/oci/test.sh").to_string_lossy().into_owned();
    let mut words: Vec<String> = ["--net", "--pid", "--fork", "--kill-child", "--", "sh"].map(str::to_owned).to_vec();
    words.extend([script, bundle.join("rootfs").to_string_lossy().into_owned(), user]);
    words.extend(command.iter().filter_map(|word| word.as_str().map(str::to_owned)));
    shell::output(bundle, "unshare", &words).map(drop)
}

fn emulate(bundle: &Path) -> Result<(), Error> {
    let words = ["-L", "rootfs", "rootfs/usr/bin/tirta-server", "--version"];
    let said = shell::output(bundle, "qemu-aarch64-static", &words)?;
    if said.contains(VERSION) { Ok(()) } else { Err(Error::Output { program: "tirta-server".to_owned(), line: said }) }
}
