//! What is in an image: a bill of materials in CycloneDX 1.6, for tools, and a list of versions, for people.

use crate::error::{Error, Tried, write as write_file};
use crate::packages::shell;
use crate::prepare::{cargo, root};
use serde::Serialize;
use serde_json::json;
use std::path::Path;

/// A part of the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    version: String,
    /// The package URL.
    purl: String,
}

/// Writes both beside the image: `….cdx.json` and `….manifest`.
///
/// # Errors
/// When the list of Debian's packages can't be read, or the files can't be written.
pub(super) fn write(packages: &Path, image: &Path, epoch: &str) -> Result<(), Error> {
    let text = std::fs::read_to_string(packages).tried(|| format!("read {}", packages.display()))?;
    let mut components: Vec<Component> = text.lines().filter_map(of_debian).collect();
    components.extend(crates()?);
    components.sort();
    components.dedup();
    let name = image.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let bom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": { "type": "operating-system", "name": name, "version": env!("CARGO_PKG_VERSION") } },
        "components": components,
    });
    write_file(&image.with_extension("cdx.json"), &format!("{bom:#}\n"))?;
    let mut lines = format!("image\t{name}\ncommit\t{}\nepoch\t{epoch}\n", commit());
    for part in &components {
        lines.push_str(&format!(
            "{}\t{}\t{}\n",
            if part.kind == "library" { "crate" } else { "debian" },
            part.name,
            part.version
        ));
    }
    write_file(&image.with_extension("manifest"), &lines)
}

/// A line of `dpkg-query`: package, version, architecture, source.
fn of_debian(line: &str) -> Option<Component> {
    let mut words = line.split('\t');
    let (name, version, arch) = (words.next()?, words.next()?, words.next()?);
    let escaped = version.replace('+', "%2B").replace(':', "%3A").replace('~', "%7E");
    let purl = format!("pkg:deb/debian/{name}@{escaped}?arch={arch}&distro=trixie");
    Some(Component { kind: "application", name: name.to_owned(), version: version.to_owned(), purl })
}

/// What the agent is compiled from.
fn crates() -> Result<Vec<Component>, Error> {
    let words = ["tree", "--package", "agent", "--edges", "normal", "--prefix", "none", "--locked", "--format", "{p}"];
    let told = shell::output(&root(), &cargo(), &words)?;
    Ok(told.lines().filter_map(of_cargo).collect())
}

/// A line of `cargo tree`: `name v1.2.3`, maybe with where it is or what it is.
fn of_cargo(line: &str) -> Option<Component> {
    let mut words = line.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    let purl = format!("pkg:cargo/{name}@{version}");
    Some(Component { kind: "library", name: name.to_owned(), version: version.to_owned(), purl })
}

/// The commit that is checked out; "unknown" outside of a repository.
fn commit() -> String {
    let told = shell::output(&root(), "git", &["describe", "--always", "--dirty", "--abbrev=40"]);
    told.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_of_debian_has_its_url_with_the_version_escaped() {
        let part = of_debian("raspi-firmware\t1.20240424+ds-6\tall\traspi-firmware").unwrap();
        assert_eq!(part.purl, "pkg:deb/debian/raspi-firmware@1.20240424%2Bds-6?arch=all&distro=trixie");
        assert_eq!(of_debian("half a line"), None);
    }

    #[test]
    fn a_crate_is_told_from_where_it_lies() {
        let part = of_cargo("serde v1.0.228 (proc-macro)").unwrap();
        assert_eq!((part.name.as_str(), part.version.as_str()), ("serde", "1.0.228"));
        assert_eq!(of_cargo(""), None);
    }
}
