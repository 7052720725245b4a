//! The text of the fleet file: which server it names is changed here, and where it is written. Asks nobody anything.

use shared::fleet::FleetFile;
use shared::setup::without_values;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Which server the file shall name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// Whatever the server says of itself.
    AsGiven,
    /// This address.
    Server(String),
    /// None: devices look for one on the local network.
    Nobody,
}

/// Reads the text as a device does, so that nothing is handed out that no device can read.
///
/// # Errors
/// Which line is wrong.
pub fn read(text: &str) -> Result<FleetFile, String> {
    toml::from_str(text).map_err(|e| e.to_string())
}

/// As [`read`], and looks at every field as a device does.
///
/// # Errors
/// Which line or field is wrong, and what to do about it. Never the token.
pub fn check(text: &str) -> Result<FleetFile, String> {
    // What the parser says shows the line, which may be the token's.
    let file: FleetFile = toml::from_str(text).map_err(|e| {
        format!("{}; make it anew with tirta fleet-config", without_values(e.message()).trim_end_matches('.'))
    })?;
    let digits: String = file.ca_sha256.chars().filter(|c| *c != ':').collect();
    if digits.len() != 64 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err("ca_sha256: 64 hexadecimal digits are needed, as tirta authority show prints them".to_owned());
    }
    let is_address = |server: &String| server.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
    if file.server.as_ref().is_some_and(|server| !is_address(server)) {
        return Err("server: write https://HOST:PORT, such as https://tirta.local:8443".to_owned());
    }
    if file.token.trim().is_empty() {
        return Err("token: it is empty; make the file anew with tirta fleet-config".to_owned());
    }
    Ok(file)
}

/// The same file naming another server. Comments and everything else stay.
///
/// # Errors
/// When the text is none that this can be done to.
pub fn naming(text: &str, names: &Names) -> Result<String, String> {
    let mut wanted = read(text)?;
    let line = match names {
        Names::AsGiven => return Ok(text.to_owned()),
        Names::Server(address) => Some(format!("server = {}", toml::Value::from(address.as_str()))),
        Names::Nobody => None,
    };
    wanted.server = match names {
        Names::Server(address) => Some(address.clone()),
        _ => None,
    };
    let is_server =
        |line: &str| line.trim_start().strip_prefix("server").is_some_and(|rest| rest.trim_start().starts_with('='));
    let is_remark = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let place = lines.iter().position(|line| is_server(line));
    lines.retain(|line| !is_server(line));
    if let Some(line) = line {
        let first = || lines.iter().position(|line| !is_remark(line)).unwrap_or(lines.len());
        lines.insert(place.unwrap_or_else(first), line);
    }
    let changed = lines.join("\n") + "\n";
    // Lines are not TOML: what came out is compared with what was meant.
    if read(&changed)? == wanted { Ok(changed) } else { Err("its line \"server\" is written unusually".to_owned()) }
}

/// Writes it so that only its owner can read it. A file that is there is kept unless `force`.
///
/// # Errors
/// In the words of the system; `AlreadyExists` without `force`.
pub fn write(file: &Path, text: &str, force: bool) -> io::Result<()> {
    let create = |file: &Path| {
        let mut made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        made.write_all(text.as_bytes())?;
        made.sync_all()
    };
    if !force {
        return create(file);
    }
    // Beside it first: the old one is there until the new one is whole. And its mode is not inherited.
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = file.with_file_name(name);
    match std::fs::remove_file(&beside) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => create(&beside)?,
    }
    std::fs::rename(&beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const GIVEN: &str =
        "# A remark\n\nserver = \"https://a:1\"\nca_sha256 = \"00\"\n# the server = this\ntoken = \"t\"\n";

    #[test]
    fn only_the_line_of_the_server_changes() {
        assert_eq!(naming(GIVEN, &Names::AsGiven).unwrap(), GIVEN);
        let named = naming(GIVEN, &Names::Server("https://b:8443".to_owned())).unwrap();
        assert_eq!(named, GIVEN.replace("https://a:1", "https://b:8443"));
        let nobody = naming(GIVEN, &Names::Nobody).unwrap();
        assert_eq!(nobody, GIVEN.replace("server = \"https://a:1\"\n", ""));
        assert_eq!(naming(&nobody, &Names::Server("https://a:1".to_owned())).unwrap(), GIVEN);
    }

    #[test]
    fn what_no_device_could_read_is_not_handed_out() {
        for bad in ["", "token = 5", "ca_sha256 = \"00\"\ntoken = \"t\"\nkey = \"x\"\n"] {
            assert!(naming(bad, &Names::Nobody).is_err(), "{bad:?}");
        }
        let unusual = "\"server\" = \"https://a:1\"\nca_sha256 = \"00\"\ntoken = \"t\"\n";
        assert!(naming(unusual, &Names::Nobody).is_err());
    }

    #[test]
    fn a_field_that_makes_no_sense_is_named_and_the_token_is_not() {
        let good = GIVEN.replace("\"00\"", &format!("\"{}\"", "0f".repeat(32))).replace("\"t\"", "\"s3cret\"");
        assert_eq!(check(&good).unwrap().token, "s3cret");
        for (bad, field) in [
            (good.replace("0f0f", "0f"), "ca_sha256"),
            (good.replace("https://a", "http://a"), "server"),
            (good.replace("s3cret", " "), "token"),
            (good.replace("\"s3cret\"", "s3cret"), "fleet-config"),
            (good.replace("server =", "sever ="), "sever"),
        ] {
            let said = check(&bad).unwrap_err();
            assert!(said.contains(field) && !said.contains("s3cret"), "{said}");
        }
        let said = check(&good.replace("\"s3cret\"", "5331337")).unwrap_err();
        assert!(said.contains("quotes") && !said.contains("5331337"), "{said}");
    }

    #[test]
    fn it_is_its_owners_alone_and_replaced_only_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tirta-fleet.toml");
        std::fs::write(&file, "old").unwrap();
        assert_eq!(write(&file, "new", false).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");
        write(&file, "new", true).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
