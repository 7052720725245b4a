//! What an external broker needs to know whom it may let in: the authorities of clients, and which certificates are
//! revoked. Two files in the data folder, each replaced in one moment. Knows no broker.

use super::{Authority, CaError, after, date, files};
use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use shared::UtcMillis;
use std::collections::BTreeMap;

/// Days until a list has to be replaced: a broker lets nobody in any more by one that is older.
const LIST_DAYS: i64 = 7;
/// Most bytes that a serial number may have (RFC 5280).
const MAX_SERIAL: usize = 20;

impl Authority {
    /// Writes `clients.pem`, the authorities that a client's certificate may be of, and then `crl.pem`, the revoked
    /// certificates by their serial numbers (as [`super::Signed::serial_number`]) with the time of their revocation:
    /// a list of each authority. To be called at each revocation, after a rotation and a retirement, and every day,
    /// for a list ends after a week.
    ///
    /// # Errors
    /// When a serial number is none or a file can't be written; the files are then what they were, or `clients.pem`
    /// alone is new.
    pub fn write_crl(&self, revoked: &[(String, UtcMillis)], now: UtcMillis) -> Result<(), CaError> {
        let _alone = self.change();
        let mut by_number = BTreeMap::new();
        for (number, at) in revoked {
            let bytes = from_hex(number).ok_or_else(|| CaError::SerialNumber(number.clone()))?;
            by_number.entry(bytes).or_insert(*at);
        }
        let revoked_certs = by_number.into_iter().map(|(number, at)| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&number),
            revocation_time: date(at),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            // From yesterday on, as certificates: the broker's clock may be a little behind.
            this_update: date(after(now, -1)),
            next_update: date(after(now, LIST_DAYS)),
            crl_number: SerialNumber::from(u64::try_from(now.0).unwrap_or(0)),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let held = self.held();
        let (mut clients, mut lists) = (String::new(), String::new());
        for root in held.roots() {
            clients.push_str(&super::pem_of("CERTIFICATE", &root.certificate));
            // A number that an authority never gave harms nobody in its list.
            lists.push_str(&super::pem_of("X509 CRL", list.signed_by(&root.issuer)?.der()));
        }
        for (file, text) in [("clients.pem", clients), ("crl.pem", lists)] {
            let path = self.dir.join(file);
            files::write_aside(&path, &text)?;
            files::put_in_place(&path)?;
        }
        Ok(())
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.is_empty() || !text.len().is_multiple_of(2) || text.len() > 2 * MAX_SERIAL {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| {
            let digits = str::from_utf8(pair).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
            u8::from_str_radix(digits, 16).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::from_hex;

    #[test]
    fn a_serial_number_is_whole_bytes_of_hexadecimal() {
        assert_eq!(from_hex("4a00ff"), Some(vec![0x4a, 0, 0xff]));
        for wrong in ["", "4", "4g", "+4", " 4", "4a:0", "ä1", &"4a".repeat(21)] {
            assert_eq!(from_hex(wrong), None, "{wrong:?}");
        }
    }
}
