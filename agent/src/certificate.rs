//! What a certificate says of itself: whose it is, for how long, and when it is time for the next one.
//! Knows no file and no network.
//!
//! When this device obtained it is kept before it in its PEM text, which allows that. The beginning of its validity
//! says less: a server dates it back, since clocks differ.

use shared::{DeviceName, UtcMillis};
use x509_parser::pem::parse_x509_pem;

/// On a line of its own, before the certificate.
const OBTAINED: &str = "Obtained: ";
/// A fleet that was set up in one hour must not come back in one: each device is late by up to this part of the life.
const SPREAD: f64 = 1.0 / 12.0;

/// Why a text can't be used as this device's certificate.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CertificateError {
    /// It is none.
    #[error("it can't be read as a certificate: {0}")]
    Unreadable(String),
    /// It is for somebody else.
    #[error("it is that of {found:?}, and this device is {expected}")]
    Name {
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
}

/// What is of use here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From when on it was of use to this device.
    pub from: UtcMillis,
    /// The end.
    pub until: UtcMillis,
    /// The beginning that is written in it.
    pub not_before: UtcMillis,
}

/// Writes down when a certificate was obtained.
pub fn obtained(pem: &str, at: UtcMillis) -> String {
    let plain = &pem[pem.find("-----BEGIN").unwrap_or(0)..];
    format!("{OBTAINED}{}\n{plain}", at.0)
}

/// Reads the validity of a device's certificate.
///
/// # Errors
/// When it is none, or another's.
pub fn read(pem: &str, device: &DeviceName) -> Result<Validity, CertificateError> {
    let unreadable = |error: &dyn std::fmt::Display| CertificateError::Unreadable(error.to_string());
    let (_, der) = parse_x509_pem(pem.as_bytes()).map_err(|error| unreadable(&error))?;
    let parsed = der.parse_x509().map_err(|error| unreadable(&error))?;
    let found = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).unwrap_or_default();
    if found != device.as_str() {
        return Err(CertificateError::Name { found: found.to_owned(), expected: device.to_string() });
    }
    let millis = |seconds: i64| UtcMillis(seconds.saturating_mul(1000));
    let not_before = millis(parsed.validity().not_before.timestamp());
    let until = millis(parsed.validity().not_after.timestamp());
    let noted = pem.lines().find_map(|line| line.strip_prefix(OBTAINED)?.trim().parse().ok()).map(UtcMillis);
    // A clock that was wrong then must not keep the certificate from being renewed.
    let from = noted.filter(|at| (not_before..until).contains(at)).unwrap_or(not_before);
    Ok(Validity { from, until, not_before })
}

impl Validity {
    /// How long it is of use, in milliseconds.
    pub fn life(&self) -> i64 {
        self.until.0.saturating_sub(self.from.0).max(0)
    }

    /// When to ask for the next one: after two thirds of its life, and a little later by `chance` (0 to 1).
    pub fn due(&self, chance: f64) -> UtcMillis {
        let life = self.life();
        // Far below the 2^53 up to which this is exact.
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        let late = (life as f64 * SPREAD * chance.clamp(0.0, 1.0)) as i64;
        UtcMillis(self.from.0.saturating_add(life / 3 * 2).saturating_add(late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    fn pem(name: &str) -> String {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(2025, 1, 1);
        params.not_after = rcgen::date_time_ymd(2025, 1, 31);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    const DAY: i64 = 86_400_000;
    /// 2025-01-01.
    const BEGIN: i64 = 1_735_689_600_000;

    #[test]
    fn it_is_due_after_two_thirds_and_each_device_a_little_later() {
        let validity = read(&pem("pi-7"), &DeviceName::numbered(7)).unwrap();
        assert_eq!((validity.from, validity.life()), (UtcMillis(BEGIN), 30 * DAY));
        assert_eq!(validity.due(0.0), UtcMillis(BEGIN + 20 * DAY));
        assert_eq!(validity.due(0.5), UtcMillis(BEGIN + 20 * DAY + 30 * DAY / 24));
        assert!(validity.due(1.0) < validity.until);
    }

    #[test]
    fn its_life_begins_when_it_was_obtained() {
        let name = DeviceName::numbered(7);
        let noted = |at| read(&obtained(&pem("pi-7"), UtcMillis(at)), &name).unwrap();
        let late = noted(BEGIN + 29 * DAY);
        assert_eq!((late.life(), late.due(0.0)), (DAY, UtcMillis(BEGIN + 29 * DAY + DAY / 3 * 2)));
        for impossible in [0, BEGIN - 1, BEGIN + 30 * DAY] {
            assert_eq!(noted(impossible).from, UtcMillis(BEGIN), "{impossible}");
        }
        let again = obtained(&obtained(&pem("pi-7"), UtcMillis(BEGIN)), UtcMillis(BEGIN + DAY));
        assert_eq!(again.matches(OBTAINED).count(), 1);
        assert_eq!(read(&again, &name).unwrap().from, UtcMillis(BEGIN + DAY));
    }

    #[test]
    fn what_is_none_or_anothers_is_named() {
        let name = DeviceName::numbered(7);
        assert!(matches!(read("nonsense", &name), Err(CertificateError::Unreadable(_))));
        assert!(read(&pem("pi-8"), &name).unwrap_err().to_string().contains("pi-8"));
    }
}
