//! The fleet file, with which one image serves every device: found, read and checked. Knows no network, and not what
//! the configuration says.

use crate::config::{parse_sha256, parse_url};
use crate::files::{self, is_absence};
use shared::fleet::FleetFile;
use shared::setup::without_values;
use std::io;
use std::path::{Component, Path, PathBuf};

/// A longer file is none of ours; anything may be on a stick.
const MAX_FILE: u64 = 16 * 1024;

/// What a fleet file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// Which file.
    pub path: PathBuf,
    /// The server's host and HTTPS port; absent: it is looked for on the local network.
    pub address: Option<(String, u16)>,
    /// SHA-256 of the authority's certificate.
    pub ca_sha256: [u8; 32],
    /// The enrolment token.
    pub token: String,
}

/// Why a fleet file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// It, or a folder where one may be, can't be read.
    #[error("fleet file {}: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is no TOML, or a field is missing or unknown.
    #[error("fleet file {}: {problem}; make it anew, the server shows its whole text with an enrolment token", path.display())]
    Syntax {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A field has a value that makes no sense.
    #[error("fleet file {}: {field}: {problem}", path.display())]
    Field {
        /// Which file.
        path: PathBuf,
        /// Which field.
        field: &'static str,
        /// What is wrong and what to do about it.
        problem: String,
    },
}

/// Every fleet file that is there now, in the order of the places, and what can't be used.
pub fn all(places: &[PathBuf]) -> (Vec<Fleet>, Vec<FleetError>) {
    let (mut fleets, mut errors) = (vec![], vec![]);
    for place in places {
        for path in paths(place, &mut errors) {
            match read(&path) {
                Ok(Some(fleet)) => fleets.push(fleet),
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
    }
    (fleets, errors)
}

/// Reads and checks one; `None` if there is no such file.
///
/// # Errors
/// With the file, the field and the fix.
pub fn read(path: &Path) -> Result<Option<Fleet>, FleetError> {
    let text = files::read_text(path, MAX_FILE).map_err(|error| FleetError::Read { path: path.to_owned(), error })?;
    text.map(|text| check(path, &text)).transpose()
}

fn check(path: &Path, text: &str) -> Result<Fleet, FleetError> {
    // Never the library's own picture: it shows the line, which may be the token.
    let syntax =
        |error: toml::de::Error| FleetError::Syntax { path: path.to_owned(), problem: without_values(error.message()) };
    let file: FleetFile = toml::from_str(text).map_err(syntax)?;
    let field = |field| move |problem| FleetError::Field { path: path.to_owned(), field, problem };
    let address = file.server.map(|url| parse_url(&url)).transpose().map_err(field("server"))?;
    let ca_sha256 = parse_sha256(&file.ca_sha256).map_err(field("ca_sha256"))?;
    let token = file.token.trim().to_owned();
    if token.is_empty() {
        return Err(field("token")("it is empty: paste the enrolment token".to_owned()));
    }
    Ok(Fleet { path: path.to_owned(), address, ca_sha256, token })
}

/// The paths that a place stands for, sorted where a `*` leaves the order open.
fn paths(place: &Path, errors: &mut Vec<FleetError>) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::new()];
    for component in place.components() {
        if component != Component::Normal("*".as_ref()) {
            for path in &mut paths {
                path.push(component);
            }
            continue;
        }
        let mut below = vec![];
        for path in paths {
            match std::fs::read_dir(&path) {
                Ok(entries) => below.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir())),
                Err(error) if is_absence(&error) => {}
                Err(error) => errors.push(FleetError::Read { path, error }),
            }
        }
        below.sort();
        paths = below;
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(ca: &str) -> String {
        format!("ca_sha256 = \"{ca}\"\ntoken = \"s3cret\"\n")
    }

    fn good() -> String {
        text(&"ab".repeat(32))
    }

    fn error(text: &str) -> String {
        check(Path::new("/boot/tirta-fleet.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn the_shortest_file_has_a_pin_and_a_token_and_a_longer_one_an_address() {
        let fleet = check(Path::new("/f"), &good()).unwrap();
        assert_eq!((fleet.address, fleet.ca_sha256, fleet.token.as_str()), (None, [0xab; 32], "s3cret"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        let longer = format!("\u{feff}server = \"https://tirta.local:8443\"\r\n{}", good().replace('\n', "\r\n"));
        std::fs::write(&file, longer).unwrap();
        let fleet = read(&file).unwrap().unwrap();
        assert_eq!(fleet.address, Some(("tirta.local".to_owned(), 8443)));
    }

    #[test]
    fn a_mistake_is_named_by_file_field_and_fix_and_shows_no_token() {
        let without = |word: &str| {
            good().lines().filter(|line| !line.contains(word)).map(|line| format!("{line}\n")).collect::<String>()
        };
        for (text, words) in [
            (text("abc"), ["ca_sha256", "64 hexadecimal digits"]),
            (good().replace("s3cret", " "), ["token", "paste"]),
            (format!("server = \"http://tirta.local\"\n{}", good()), ["server", "https://"]),
            (format!("sever = \"x\"\n{}", good()), ["sever", "make it anew"]),
            (without("token"), ["token", "make it anew"]),
            (without("ca_sha256"), ["ca_sha256", "make it anew"]),
            (good().replace("\"s3cret\"", "s3cret"), ["/boot/tirta-fleet.toml", "make it anew"]),
        ] {
            let error = error(&text);
            assert!(words.iter().all(|word| error.contains(word)), "{words:?}: {error}");
            assert!(error.contains("/boot/tirta-fleet.toml") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_token_of_digits_without_quotes_is_not_repeated() {
        let error = error(&good().replace("\"s3cret\"", "5331337"));
        assert!(error.contains("quotes") && !error.contains("5331337"), "{error}");
    }

    #[test]
    fn sticks_come_in_order_and_what_is_not_there_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for stick in ["media/b", "media/a", "media/empty", "boot"] {
            std::fs::create_dir_all(root.join(stick)).unwrap();
        }
        std::fs::write(root.join("media/file"), "").unwrap();
        for (stick, byte) in [("media/b", "0b"), ("media/a", "0a"), ("boot", "0c")] {
            std::fs::write(root.join(stick).join("tirta-fleet.toml"), text(&byte.repeat(32))).unwrap();
        }
        let places = ["nowhere/*/f", "media/*/*/tirta-fleet.toml", "media/*/tirta-fleet.toml", "boot/tirta-fleet.toml"];
        let places = places.map(|place| root.join(place));
        let (fleets, errors) = all(&places);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(fleets.iter().map(|fleet| fleet.ca_sha256[0]).collect::<Vec<_>>(), [0xa, 0xb, 0xc]);
    }

    #[test]
    fn a_broken_file_does_not_hide_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let [broken, long, binary, fine] = ["broken", "long", "binary", "fine"].map(|name| folder.path().join(name));
        std::fs::write(&broken, "token = ").unwrap();
        std::fs::write(&long, "#".repeat(20_000)).unwrap();
        std::fs::write(&binary, [0xff; 9]).unwrap();
        std::fs::write(&fine, good()).unwrap();
        let (fleets, errors) = all(&[broken, long, binary, fine.clone()]);
        assert_eq!((fleets.len(), errors.len(), &fleets[0].path), (1, 3, &fine));
    }
}
