//! How a person may be called and reached: the rules for user names, names to show and e-mail addresses. Knows no account.

use super::error::Problem;
use serde::{Deserialize, Deserializer};

/// Longest name, in characters.
const LONGEST_NAME: usize = 32;
/// Longest name to show, in characters.
const LONGEST_DISPLAY_NAME: usize = 80;
/// Longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3 without its brackets).
const LONGEST_EMAIL: usize = 254;
/// What the audit log and alerts call those who have no account.
const RESERVED: [&str; 5] = ["device", "intake", "rule", "server", "visitor"];

/// A field that is there, be it null: null takes away, nothing leaves as it is.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Whether what a token or a key is for may be called so.
///
/// # Errors
/// Names the field.
pub fn valid_label(name: &str) -> Result<(), Problem> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 40 || !name.chars().all(letter) {
        return Err(Problem::invalid("name", "use 1 to 40 of a-z, 0-9 and -"));
    }
    Ok(())
}

/// Whether an account may be called so.
///
/// # Errors
/// Names the field and what to write.
pub fn valid_name(name: &str) -> Result<&str, Problem> {
    let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    let good =
        letters && (2..=LONGEST_NAME).contains(&name.len()) && name.starts_with(|c: char| c.is_ascii_lowercase());
    if !good {
        let detail = format!("use 2 to {LONGEST_NAME} of a-z, 0-9, '-' and '_', a letter first");
        return Err(Problem::invalid("name", detail));
    }
    if RESERVED.contains(&name) {
        return Err(Problem::invalid("name", "the audit log calls others so: choose another"));
    }
    Ok(name)
}

/// What others call a person, on one line; nothing if only blanks are left.
///
/// # Errors
/// Names the field and what to write.
pub fn valid_display_name(field: &'static str, name: &str) -> Result<Option<String>, Problem> {
    let name = name.trim();
    if name.chars().count() > LONGEST_DISPLAY_NAME {
        return Err(Problem::invalid(field, format!("at most {LONGEST_DISPLAY_NAME} characters")));
    }
    if name.chars().any(char::is_control) {
        return Err(Problem::invalid(field, "write it on one line"));
    }
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

/// An address in small letters. Whether anybody reads it, only a message to it would show.
///
/// # Errors
/// Names the field and what to write.
pub fn valid_email(email: &str) -> Result<String, Problem> {
    let email = email.trim().to_lowercase();
    let plain = email.chars().all(|c| !c.is_whitespace() && !c.is_control());
    let parts = email.split_once('@').filter(|(of, at)| !of.is_empty() && !at.is_empty() && !at.contains('@'));
    if plain && parts.is_some() && email.len() <= LONGEST_EMAIL {
        Ok(email)
    } else {
        Err(Problem::invalid("email", "write it as name@example.org"))
    }
}

/// What is to become of an address; null takes it away.
///
/// # Errors
/// As [`valid_email`].
pub fn changed_email(email: Option<Option<String>>) -> Result<Option<Option<String>>, Problem> {
    Ok(match email {
        Some(Some(email)) => Some(Some(valid_email(&email)?)),
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_to_show_is_one_line_of_any_letters_and_blanks_are_none() {
        let show = |name: &str| valid_display_name("display_name", name).ok();
        assert_eq!(show("  Pak Tono 💧 "), Some(Some("Pak Tono 💧".to_owned())));
        assert_eq!(show("   "), Some(None));
        assert_eq!(show("two\nlines"), None);
        assert_eq!(show(&"é".repeat(80)), Some(Some("é".repeat(80))));
        assert_eq!(show(&"é".repeat(81)), None);
    }
}
