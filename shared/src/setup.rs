//! What a site adds to the one image: Wi-Fi, time zone and SSH keys, in a file on the boot partition. Knows no TOML, no
//! file and no machine; `tirta image customise` writes it and the agent's `apply-setup` applies it.

use serde::{Deserialize, Serialize};

/// The file's name, on the boot partition.
pub const SETUP_FILE: &str = "tirta-setup.toml";

/// The set-up file (TOML). Everything may be absent: then there is no Wi-Fi, no SSH, and times are told in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupFile {
    /// Name of the time zone in the IANA data base, such as `Asia/Jakarta`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Who may sign in as root over SSH: lines as in `authorized_keys`. There is no password, and without a key no SSH.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_authorized_keys: Vec<String>,
    /// The wireless network; absent: cable only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wifi: Option<Wifi>,
}

/// A wireless network (WPA2 or WPA3 with a passphrase, or an open one).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wifi {
    /// Its name: 1 to 32 bytes.
    pub ssid: String,
    /// 8 to 63 printable ASCII characters (IEEE 802.11i, annex H.4.1); absent: the network is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// Where it is: two letters of ISO 3166, such as `ID`. The law of a country says which channels may be used.
    pub country: String,
    /// The network does not tell its name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// A field that makes no sense, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {fix}")]
pub struct SetupError {
    /// Which field, as it stands in the file.
    pub field: &'static str,
    /// What is wrong and how to mend it. Never the value: it may be a passphrase.
    pub fix: String,
}

/// What a parser says of a file that holds a secret, unless its words may repeat a value: a passphrase of digits without
/// quotes is easily written, and would be shown.
pub fn without_values(message: &str) -> String {
    let message = message.trim().replace('\n', ", ");
    match ["unknown field", "missing field", "duplicate key"].iter().any(|word| message.starts_with(word)) {
        true => message,
        false => "a value has the wrong form: text is written between quotes, a list of texts as [\"...\"]".to_owned(),
    }
}

fn wrong(field: &'static str, fix: &str) -> SetupError {
    SetupError { field, fix: fix.to_owned() }
}

impl SetupFile {
    /// Looks at every field. Whether there is such a time zone only the machine knows.
    ///
    /// # Errors
    /// With the first field that makes no sense.
    pub fn check(&self) -> Result<(), SetupError> {
        if let Some(zone) = &self.time_zone {
            let part = |part: &str| {
                part.starts_with(|c: char| c.is_ascii_alphabetic())
                    && part.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c))
            };
            if zone.len() > 64 || !zone.split('/').all(part) {
                return Err(wrong("time_zone", "write a name of the IANA data base, such as Asia/Jakarta"));
            }
        }
        for key in &self.ssh_authorized_keys {
            let mut words = key.split(' ');
            let kind = words.next().is_some_and(|w| ["ssh-", "ecdsa-sha2-", "sk-"].iter().any(|k| w.starts_with(k)));
            if !kind || words.next().is_none_or(|data| data.len() < 40) || key.chars().any(char::is_control) {
                let fix = "write the line of the public key, such as the one in ~/.ssh/id_ed25519.pub, without options";
                return Err(wrong("ssh_authorized_keys", fix));
            }
        }
        self.wifi.as_ref().map_or(Ok(()), Wifi::check)
    }
}

impl Wifi {
    fn check(&self) -> Result<(), SetupError> {
        if !(1..=32).contains(&self.ssid.len()) || self.ssid.chars().any(char::is_control) {
            return Err(wrong("wifi.ssid", "write the network's name: 1 to 32 bytes, no control characters"));
        }
        let printable = |text: &String| text.chars().all(|c| (' '..='~').contains(&c));
        if self.passphrase.as_ref().is_some_and(|text| !(8..=63).contains(&text.len()) || !printable(text)) {
            let fix =
                "a WPA passphrase has 8 to 63 printable ASCII characters; leave the field out for an open network";
            return Err(wrong("wifi.passphrase", fix));
        }
        if self.country.len() != 2 || !self.country.chars().all(|c| c.is_ascii_uppercase()) {
            return Err(wrong("wifi.country", "write the two capital letters of ISO 3166, such as ID"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wifi(ssid: &str, passphrase: Option<&str>, country: &str) -> SetupFile {
        let wifi = Wifi {
            ssid: ssid.to_owned(),
            passphrase: passphrase.map(str::to_owned),
            country: country.to_owned(),
            hidden: false,
        };
        SetupFile { wifi: Some(wifi), ..SetupFile::default() }
    }

    fn field(setup: &SetupFile) -> Option<&'static str> {
        setup.check().err().map(|error| error.field)
    }

    #[test]
    fn every_field_is_optional_and_an_unknown_one_is_refused() {
        let nothing: SetupFile = serde_json::from_str("{}").unwrap();
        assert_eq!((nothing.check(), &nothing), (Ok(()), &SetupFile::default()));
        assert!(serde_json::from_str::<SetupFile>(r#"{"timezone":"Asia/Jakarta"}"#).is_err());
    }

    #[test]
    fn a_network_has_a_name_a_passphrase_of_the_right_length_and_a_country() {
        assert_eq!(field(&wifi("Kolam 3", Some("air bersih"), "ID")), None);
        assert_eq!(field(&wifi("Kolam 3", None, "ID")), None, "an open network");
        assert_eq!(field(&wifi("", None, "ID")), Some("wifi.ssid"));
        assert_eq!(field(&wifi(&"é".repeat(17), None, "ID")), Some("wifi.ssid"), "bytes count, not letters");
        assert_eq!(field(&wifi("a\nb", None, "ID")), Some("wifi.ssid"));
        for passphrase in ["seven77", &"x".repeat(64), "kata sandi…", "12345678\n"] {
            assert_eq!(field(&wifi("Kolam", Some(passphrase), "ID")), Some("wifi.passphrase"), "{passphrase:?}");
        }
        for country in ["id", "IDN", "", "1D"] {
            assert_eq!(field(&wifi("Kolam", None, country)), Some("wifi.country"), "{country:?}");
        }
    }

    #[test]
    fn a_refusal_never_repeats_a_passphrase() {
        let refused = wifi("Kolam", Some("rahasia"), "ID").check().unwrap_err().to_string();
        assert!(refused.starts_with("wifi.passphrase: ") && !refused.contains("rahasia"), "{refused}");
    }

    #[test]
    fn what_a_parser_says_is_repeated_only_if_it_names_a_field_and_not_a_value() {
        assert!(without_values("invalid type: integer `12345678`, expected a string").starts_with("a value has"));
        assert_eq!(
            without_values("unknown field `ssidd`,\nexpected `ssid`"),
            "unknown field `ssidd`,, expected `ssid`"
        );
    }

    #[test]
    fn a_time_zone_is_a_name_and_never_a_way_out_of_its_folder() {
        let zone = |zone: &str| SetupFile { time_zone: Some(zone.to_owned()), ..SetupFile::default() };
        for good in ["UTC", "Asia/Jakarta", "America/Argentina/Buenos_Aires", "Etc/GMT+7"] {
            assert_eq!(field(&zone(good)), None, "{good}");
        }
        for bad in ["", "/etc/passwd", "../../etc/passwd", "Asia/", "Asia//Jakarta", "WIB; rm", "7"] {
            assert_eq!(field(&zone(bad)), Some("time_zone"), "{bad}");
        }
    }

    #[test]
    fn a_key_is_one_line_without_options() {
        let key = |key: &str| SetupFile { ssh_authorized_keys: vec![key.to_owned()], ..SetupFile::default() };
        let data = "A".repeat(68);
        assert_eq!(field(&key(&format!("ssh-ed25519 {data} sari@laptop"))), None);
        assert_eq!(field(&key(&format!("sk-ssh-ed25519@openssh.com {data}"))), None);
        for bad in [
            String::new(),
            data.clone(),
            format!("command=\"x\" ssh-ed25519 {data}"),
            format!("ssh-rsa {data}\nssh-rsa {data}"),
        ] {
            assert_eq!(field(&key(&bad)), Some("ssh_authorized_keys"), "{bad}");
        }
    }
}
