//! Words of the command line that mean something: durations, addresses, serials. And lines that are safe to print.

use super::error::TirtaError;
use shared::Serial;
use std::{io, io::Write, path::Path};

/// Reads `90s`, `30m`, `12h` or `7d`.
pub fn seconds(text: &str) -> Result<u64, String> {
    let why = || format!("{text:?} is no duration: write a number with s, m, h or d, such as 7d");
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(why)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(why()),
    };
    match digits.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)) {
        Some(seconds) if seconds > 0 => Ok(seconds),
        _ => Err(why()),
    }
}

/// Reads the address at which devices and people find the server: `https://HOST` or `https://HOST:PORT`.
pub fn address(text: &str) -> Result<String, String> {
    let why = || format!("{text:?} is no address: write https://HOST:PORT, such as https://tirta.local:8443");
    let plain = text.trim_end_matches('/');
    let uri: hyper::Uri = plain.parse().map_err(|_| why())?;
    let is_bare = uri.path() == "/" && uri.query().is_none() && !plain.contains(['@', '#', '?']);
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    if uri.scheme_str() == Some("https") && has_host && is_bare { Ok(plain.to_owned()) } else { Err(why()) }
}

/// Reads a list of serials: one a line or several, commas between, remarks after `#`.
pub fn serials_in(file: &Path) -> Result<Vec<Serial>, TirtaError> {
    let refuse = |why: String| TirtaError::File { file: file.to_owned(), why };
    let text = std::fs::read_to_string(file).map_err(|e| refuse(e.to_string()))?;
    let mut found = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let said = line.split('#').next().unwrap_or_default();
        for word in said.split([',', ';', ' ', '\t', '\r']).filter(|word| !word.is_empty()) {
            found.push(word.parse().map_err(|e| refuse(format!("line {}: {e}", number + 1)))?);
        }
    }
    if found.is_empty() { Err(refuse("it holds no serial".to_owned())) } else { Ok(found) }
}

/// Prints a line. What boards say of themselves is in it, and must not move anybody's cursor.
pub fn say(out: &mut impl Write, line: &str) -> io::Result<()> {
    let safe: String = line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    writeln!(out, "{}", safe.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit_and_is_not_nothing() {
        assert_eq!(seconds("7d"), Ok(604_800));
        assert_eq!(seconds("90s"), Ok(90));
        for bad in ["", "d", "7", "7w", "0h", "-1d", "99999999999999999d", "7é"] {
            assert!(seconds(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_is_https_and_nothing_but_host_and_port() {
        assert_eq!(address("https://tirta.local:8443/").unwrap(), "https://tirta.local:8443");
        assert_eq!(address("https://[fd00::1]:8443").unwrap(), "https://[fd00::1]:8443");
        for bad in ["", "tirta.local", "http://tirta.local", "https://", "https://a/b", "https://a?b", "https://u@a"] {
            assert!(address(bad).unwrap_err().contains("such as https://tirta.local:8443"), "{bad:?}");
        }
    }

    #[test]
    fn a_list_of_serials_may_have_remarks_and_says_where_it_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("serials.txt");
        std::fs::write(&file, "# harbour\n10000000a3c40011, 10000000a3c40012 # two\r\n\na3c40013\n").unwrap();
        let serials: Vec<String> = serials_in(&file).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(serials, ["10000000a3c40011", "10000000a3c40012", "00000000a3c40013"]);
        std::fs::write(&file, "10000000a3c40011\nxyz\n").unwrap();
        assert!(serials_in(&file).unwrap_err().to_string().contains("line 2: serial \"xyz\""));
        std::fs::write(&file, "# none\n").unwrap();
        assert!(serials_in(&file).unwrap_err().to_string().ends_with("holds no serial"));
    }

    #[test]
    fn nothing_that_is_printed_moves_the_cursor() {
        let mut said = Vec::new();
        say(&mut said, "a\u{1b}[2Jb\nc\u{9b}d  ").unwrap();
        assert_eq!(String::from_utf8(said).unwrap(), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\n");
    }
}
