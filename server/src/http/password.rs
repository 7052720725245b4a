//! Passwords: made, hashed and checked (argon2id). Knows no account and no request.

use super::error::Problem;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Argon2, PasswordHash};
use tokio::sync::Semaphore;

/// No letter or digit that is easily taken for another.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Letters of a password that is made: four groups of five, 99 bits.
const LENGTH: usize = 20;
/// Longest password that is looked at, in bytes.
const LONGEST: usize = 256;
/// Shortest password that somebody may choose, in characters.
const SHORTEST: usize = 12;
/// Hashing takes 19 MiB and a core for a while: more at once would take the machine from the readings.
static HASHING: Semaphore = Semaphore::const_new(2);

/// Why nothing could be hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The system gave no random bytes.
    #[error("no random bytes from the system: {0}")]
    Random(getrandom::Error),
    /// Hashing failed, or a stored hash can't be read.
    #[error("password hash: {0}")]
    Hash(argon2::password_hash::Error),
    /// The process is stopping.
    #[error("stopping")]
    Stopping,
}

/// Bytes that nobody can guess.
///
/// # Errors
/// When the system has none.
pub fn random<const N: usize>() -> Result<[u8; N], PasswordError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(PasswordError::Random)?;
    Ok(bytes)
}

/// A password that can be read aloud: `xxxxx-xxxxx-xxxxx-xxxxx`.
///
/// # Errors
/// When the system has no random bytes.
pub fn make() -> Result<String, PasswordError> {
    make_of(LENGTH)
}

/// The same of so many letters, five of which have 25 bits.
///
/// # Errors
/// When the system has no random bytes.
pub fn make_of(length: usize) -> Result<String, PasswordError> {
    let mut letters = Vec::with_capacity(length);
    while letters.len() < length {
        for byte in random::<32>()? {
            // The 31 letters divide 248: what lies above would favour the first ones.
            if byte < 248 && letters.len() < length {
                letters.extend(ALPHABET.get(usize::from(byte) % ALPHABET.len()));
            }
        }
    }
    Ok(letters.chunks(5).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-"))
}

/// Refuses what would only cost time to look at.
///
/// # Errors
/// Names the field.
pub fn not_too_long(field: &'static str, password: &str) -> Result<(), Problem> {
    if password.len() > LONGEST {
        return Err(Problem::invalid(field, format!("at most {LONGEST} bytes")));
    }
    Ok(())
}

/// Whether somebody of this name may choose this password.
///
/// # Errors
/// Names the field and what to do.
pub fn acceptable(field: &'static str, password: &str, name: &str) -> Result<(), Problem> {
    not_too_long(field, password)?;
    if password.chars().count() < SHORTEST {
        return Err(Problem::invalid(field, format!("at least {SHORTEST} characters")));
    }
    // However often: "adminadminadmin" is as easily guessed.
    if password.to_lowercase().replace(name, "").trim().is_empty() {
        return Err(Problem::invalid(field, "it is your name: choose something that nobody would try"));
    }
    Ok(())
}

/// Hashes a password (PHC string, argon2id).
///
/// # Errors
/// When the system has no random bytes or is stopping.
pub async fn hash(password: String) -> Result<String, PasswordError> {
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(PasswordError::Hash)?;
    hashing(move || {
        Argon2::default().hash_password(password.as_bytes(), &salt).map(|h| h.to_string()).map_err(PasswordError::Hash)
    })
    .await
}

/// Whether `password` is the one behind `stored`. Without a stored hash the same work is done for nothing, so that
/// the time does not tell which accounts exist.
///
/// # Errors
/// When the stored hash can't be read.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool, PasswordError> {
    hashing(move || {
        let Some(stored) = stored else {
            let salt = SaltString::encode_b64(&[0; 16]).map_err(PasswordError::Hash)?;
            let _ = Argon2::default().hash_password(password.as_bytes(), &salt);
            return Ok(false);
        };
        let stored = PasswordHash::new(&stored).map_err(PasswordError::Hash)?;
        match Argon2::default().verify_password(password.as_bytes(), &stored) {
            Ok(()) => Ok(true),
            Err(argon2::password_hash::Error::Password) => Ok(false),
            Err(error) => Err(PasswordError::Hash(error)),
        }
    })
    .await
}

/// Runs hashing beside the async threads, a few at a time.
async fn hashing<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
) -> Result<T, PasswordError> {
    let _turn = HASHING.acquire().await.map_err(|_| PasswordError::Stopping)?;
    tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Stopping)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_four_readable_groups_and_never_comes_twice() {
        let (one, two) = (make().unwrap(), make().unwrap());
        assert_ne!(one, two);
        for password in [one, two] {
            let groups: Vec<_> = password.split('-').collect();
            assert_eq!(groups.len(), 4);
            assert!(groups.iter().all(|g| g.len() == 5 && g.bytes().all(|b| ALPHABET.contains(&b))), "{password}");
        }
        assert!(LENGTH as f64 * (ALPHABET.len() as f64).log2() > 80.0);
    }

    #[tokio::test]
    async fn only_the_same_password_verifies_and_the_hash_is_argon2id() {
        let stored = hash("correct horse".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"), "{stored}");
        assert!(verify("correct horse".to_owned(), Some(stored.clone())).await.unwrap());
        assert!(!verify("correct horse ".to_owned(), Some(stored)).await.unwrap());
        assert!(!verify("anything".to_owned(), None).await.unwrap());
        assert!(verify("anything".to_owned(), Some("rubbish".to_owned())).await.is_err());
    }
}
