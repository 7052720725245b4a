//! The second factor: codes of a telephone (RFC 6238) and the recovery codes for whoever has lost it. Knows no account, no
//! table and no request.

use crate::digest::sha256_hex;
use shared::UtcMillis;
use totp_rs::{Builder, Secret, Totp};

/// How many recovery codes somebody gets.
pub const RECOVERY_CODES: usize = 10;
/// Bytes of a secret (RFC 4226, section 4).
pub const SECRET_BYTES: usize = 20;
/// What the telephone shows beside the code.
const ISSUER: &str = "Tirta";

/// A secret as it is stored and typed: base32.
pub fn secret(random: [u8; SECRET_BYTES]) -> String {
    Secret::from(random).to_base32()
}

/// What a telephone reads out of the picture. A name of an account needs no escape.
pub fn uri(secret: &str, account: &str) -> String {
    format!("otpauth://totp/{ISSUER}:{account}?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits=6&period=30")
}

/// The step whose code this is: that of now, the one before or the one after, since clocks differ. `None` if it is none.
pub fn step(secret: &str, code: &str, now: UtcMillis) -> Option<i64> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let step = generator(secret)?.check(&digits, u64::try_from(now.0 / 1000).ok()?)?;
    i64::try_from(step).ok()
}

fn generator(secret: &str) -> Option<Totp> {
    Builder::new().with_secret(Secret::try_from_base32(secret).ok()?).with_skew(1).build().ok()
}

/// What is stored of a recovery code, however it was typed.
pub fn recovery_hash(code: &str) -> String {
    let plain: String = code.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    sha256_hex(plain.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base32 of "12345678901234567890", the secret of RFC 6238, appendix B.
    const OF_THE_RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_codes_are_those_of_the_standard() {
        assert_eq!(secret(*b"12345678901234567890"), OF_THE_RFC);
        // The last six digits of those in the appendix.
        for (second, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(step(OF_THE_RFC, code, UtcMillis(second * 1000)), Some(second / 30), "{second}");
        }
    }

    #[test]
    fn a_code_holds_half_a_minute_before_and_after_and_no_longer() {
        let at = |second: i64| step(OF_THE_RFC, "005924", UtcMillis(second * 1000));
        let step = 1_234_567_890 / 30;
        assert_eq!([at((step - 1) * 30), at(step * 30), at((step + 2) * 30 - 1)], [Some(step); 3]);
        assert_eq!([at((step - 1) * 30 - 1), at((step + 2) * 30)], [None; 2]);
    }

    #[test]
    fn what_is_no_code_is_refused_and_spaces_do_not_matter() {
        let now = UtcMillis(1_234_567_890_000);
        assert!(step(OF_THE_RFC, " 005 924 ", now).is_some());
        for bad in ["", "05924", "0005924", "00592a", "００５９２４", "-05924", "005925"] {
            assert_eq!(step(OF_THE_RFC, bad, now), None, "{bad}");
        }
    }

    #[test]
    fn a_recovery_code_is_the_same_however_it_is_typed() {
        assert_eq!(recovery_hash("abcde-fgh23-45678"), recovery_hash(" ABCDE FGH2345678 "));
        assert_ne!(recovery_hash("abcde-fgh23-45678"), recovery_hash("abcde-fgh23-45679"));
    }
}
