//! The authority as one text that can be kept elsewhere: certificates, and their keys under a passphrase, in the
//! forms that `openssl` reads too (PEM; PKCS#8 with PBES2). Knows no command line.

use super::{
    CaError, files,
    held::Folder,
    pair::{Pair, Paths},
    pem_of,
};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument, pkcs5::pbes2::Parameters};
use rcgen::KeyPair;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::path::{Path, PathBuf};

/// Fewest characters of a passphrase: the file will lie where somebody can try for a long time.
pub const MIN_PASSPHRASE: usize = 12;
/// As OWASP advises for PBKDF2 with SHA-256.
const ROUNDS: u32 = 600_000;
const CERTIFICATE: &str = "CERTIFICATE";
const ENCRYPTED_KEY: &str = "ENCRYPTED PRIVATE KEY";

/// Why there is no back-up, or none can be restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The authority itself.
    #[error("{0}")]
    Authority(#[from] CaError),
    /// Nothing to save.
    #[error("{}: there is no authority yet: the first start of the server makes it", dir.display())]
    Nothing {
        /// The data folder.
        dir: PathBuf,
    },
    /// Nothing is overwritten.
    #[error("{} is there: restore into an empty data folder, or move the authority that is there away first", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Too easy to guess.
    #[error("passphrase: it needs at least {MIN_PASSPHRASE} characters")]
    Short,
    /// The passphrase does not open the keys.
    #[error("passphrase: it is not the one that this back-up was made with")]
    Passphrase,
    /// The text is no back-up.
    #[error("the back-up can't be used: {0}")]
    Text(String),
    /// A key that is not its certificate's.
    #[error("the back-up can't be used: its key {number} is not that of the certificate before it")]
    Mismatch {
        /// Counted from 1.
        number: usize,
    },
    /// The encryption failed.
    #[error("encrypting the key: {0}")]
    Encrypt(String),
}

/// The authority in `dir`, and the previous one if it is not retired, as one text. Works beside a running server.
///
/// # Errors
/// When there is none, it can't be read, or the passphrase is short.
pub fn export(dir: &Path, passphrase: &str) -> Result<String, BackupError> {
    if passphrase.chars().count() < MIN_PASSPHRASE {
        return Err(BackupError::Short);
    }
    if !dir.is_dir() {
        return Err(BackupError::Nothing { dir: dir.to_owned() });
    }
    let _alone = files::lock(dir)?;
    let held = Folder::of(dir).load()?.ok_or_else(|| BackupError::Nothing { dir: dir.to_owned() })?;
    let mut text =
        format!("Tirta: the authority {} of a fleet. Its key is under a passphrase.\n", held.newest.sha256());
    for root in held.roots() {
        text.push_str(&pem_of(CERTIFICATE, &root.certificate));
        text.push_str(&encrypt(&root.issuer.key().serialize_der(), passphrase)?);
    }
    Ok(text)
}

/// Puts the authority of a back-up into `dir`, which must have none. Returns the SHA-256 of its certificate.
///
/// # Errors
/// When the passphrase is wrong, the text is no back-up or damaged, an authority is there, or a file can't be written:
/// then the same can be tried again.
pub fn import(dir: &Path, text: &str, passphrase: &str) -> Result<String, BackupError> {
    let mut pairs = read(text, passphrase)?;
    let previous = if pairs.len() > 1 { pairs.pop() } else { None };
    let Some(newest) = pairs.pop().filter(|_| pairs.is_empty()) else {
        return Err(BackupError::Text("it has to hold one authority, or one and the previous one".to_owned()));
    };
    files::make_private_dir(dir)?;
    let _alone = files::lock(dir)?;
    let folder = Folder::of(dir);
    if let Some(path) = folder.in_the_way(&newest, previous.as_ref())? {
        return Err(BackupError::Exists { path });
    }
    folder.restore(&newest, previous.as_ref(), &mut || Ok(()))?;
    Ok(newest.sha256())
}

fn encrypt(key: &[u8], passphrase: &str) -> Result<String, BackupError> {
    let failed = |e: &dyn std::fmt::Display| BackupError::Encrypt(e.to_string());
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    getrandom::fill(&mut salt).and_then(|()| getrandom::fill(&mut iv)).map_err(CaError::from)?;
    let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, iv).map_err(|e| failed(&e))?;
    let key = PrivateKeyInfoRef::try_from(key).map_err(|e| failed(&e))?;
    let encrypted = key.encrypt_with_params(parameters, passphrase).map_err(|e| failed(&e))?;
    Ok(pem_of(ENCRYPTED_KEY, encrypted.as_bytes()))
}

/// Certificates and keys, in turn.
fn read(text: &str, passphrase: &str) -> Result<Vec<Pair>, BackupError> {
    let bad = |why: String| BackupError::Text(why);
    let mut blocks = blocks(text)?.into_iter();
    let mut pairs = Vec::new();
    while let Some((label, certificate)) = blocks.next() {
        let number = pairs.len() + 1;
        if label != CERTIFICATE {
            return Err(bad(format!("a certificate was expected, and {label:?} is there")));
        }
        let Some((ENCRYPTED_KEY, key)) = blocks.next() else {
            return Err(bad(format!("after certificate {number} its encrypted private key is missing")));
        };
        let key = decrypt(key, passphrase)?.serialize_pem();
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|e| bad(format!("certificate {number} can't be read ({e})")))?;
        // The names stand for the parts of the text.
        let parts = Paths { key: format!("key {number}").into(), certificate: format!("certificate {number}").into() };
        pairs.push(Pair::read(&parts, key, pem_of(CERTIFICATE, &der)).map_err(|error| match error {
            CaError::Mismatch { .. } => BackupError::Mismatch { number },
            CaError::Unreadable { path, why } => bad(format!("{}: {why}", path.display())),
            other => other.into(),
        })?);
    }
    Ok(pairs)
}

fn decrypt(pem: &str, passphrase: &str) -> Result<KeyPair, BackupError> {
    let bad = |e: &dyn std::fmt::Display| BackupError::Text(format!("its private key can't be read ({e})"));
    let (_, document) = SecretDocument::from_pem(pem).map_err(|e| bad(&e))?;
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|e| bad(&e))?;
    // A wrong passphrase makes noise of it; now and then noise that looks like something at first.
    let plain = encrypted.decrypt(passphrase).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. }) => bad(&error),
        _ => BackupError::Passphrase,
    })?;
    KeyPair::try_from(plain.as_bytes()).map_err(|_| BackupError::Passphrase)
}

/// The PEM blocks of a text with their labels, whatever stands between them.
fn blocks(text: &str) -> Result<Vec<(&str, &str)>, BackupError> {
    let cut_off = || BackupError::Text("it is cut off".to_owned());
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("-----BEGIN ") {
        let block = &rest[start..];
        let label = block["-----BEGIN ".len()..].split("-----").next().unwrap_or_default();
        let end = format!("-----END {label}-----");
        let length = block.find(&end).ok_or_else(cut_off)? + end.len();
        found.push((label, &block[..length]));
        rest = &block[length..];
    }
    if found.is_empty() {
        return Err(BackupError::Text("it has no certificate and no key in it".to_owned()));
    }
    Ok(found)
}
