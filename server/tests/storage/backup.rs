//! The authority's way into a file under a passphrase and back, by the functions and by the command line.

use rustls_pki_types::{CertificateDer, pem::PemObject};
use server::ca::{
    Authority,
    backup::{BackupError, export, import},
};
use shared::{Clock, UtcMillis};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

const PASSPHRASE: &str = "correct horse battery";

fn now() -> UtcMillis {
    server::clock::SystemClock.now()
}

fn open(dir: &Path) -> Authority {
    Authority::open(dir, &[], now()).unwrap()
}

#[test]
fn a_restored_authority_is_the_same_with_its_previous_one() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let authority = open(from.path());
    authority.rotate(now()).unwrap();
    let text = export(from.path(), PASSPHRASE).unwrap();
    assert!(!text.contains("-----BEGIN PRIVATE KEY-----") && text.contains(&authority.ca_sha256()));
    let to = &to.path().join("data");
    assert_eq!(import(to, &text, PASSPHRASE).unwrap(), authority.ca_sha256());
    assert_eq!(fs::metadata(to.join("ca.key")).unwrap().permissions().mode() & 0o777, 0o600);
    let restored = open(to);
    assert_eq!(restored.status().unwrap(), authority.status().unwrap());
    for key in ["ca.key", "ca-previous.key"] {
        assert_eq!(fs::read(to.join(key)).unwrap(), fs::read(from.path().join(key)).unwrap(), "{key}");
    }
    // Who knows only the previous one finds its way here too: the cross certificate is made again.
    assert_eq!(CertificateDer::pem_file_iter(to.join("tirta-server.pem")).unwrap().count(), 4);

    let before = fs::read(to.join("ca.key")).unwrap();
    assert!(matches!(import(to, &text, PASSPHRASE), Err(BackupError::Exists { .. })), "nothing is overwritten");
    assert_eq!(fs::read(to.join("ca.key")).unwrap(), before);
}

#[test]
fn a_wrong_passphrase_and_a_damaged_text_say_so_and_leave_nothing_behind() {
    let from = tempfile::tempdir().unwrap();
    open(from.path());
    assert!(matches!(export(from.path(), "too short"), Err(BackupError::Short)));
    let text = export(from.path(), PASSPHRASE).unwrap();
    let to = tempfile::tempdir().unwrap();
    let to = &to.path().join("data");
    let refused = |text: &str, passphrase: &str| import(to, text, passphrase).expect_err("restored");
    assert!(matches!(refused(&text, "correct horse batterie"), BackupError::Passphrase));
    assert!(matches!(refused("nothing", PASSPHRASE), BackupError::Text(_)));
    assert!(matches!(refused(&text[..text.len() - 40], PASSPHRASE), BackupError::Text(_)));
    let key_at = text.find("-----BEGIN ENCRYPTED").unwrap();
    assert!(matches!(refused(&text[..key_at], PASSPHRASE), BackupError::Text(_)));
    assert!(matches!(refused(&text[key_at..], PASSPHRASE), BackupError::Text(_)));

    let other = tempfile::tempdir().unwrap();
    open(other.path());
    let others = export(other.path(), PASSPHRASE).unwrap();
    let mixed = text[..key_at].to_owned() + &others[others.find("-----BEGIN ENCRYPTED").unwrap()..];
    assert!(matches!(refused(&mixed, PASSPHRASE), BackupError::Mismatch { number: 1 }));
    assert!(!to.join("ca.key").exists() && !to.join("ca.pem").exists());
    import(to, &text, PASSPHRASE).unwrap();
}

#[test]
fn a_restoration_that_was_cut_is_finished_by_another_and_starts_nothing_anew() {
    let from = tempfile::tempdir().unwrap();
    let authority = open(from.path());
    authority.rotate(now()).unwrap();
    let text = export(from.path(), PASSPHRASE).unwrap();
    let to = tempfile::tempdir().unwrap();
    // Only the previous one came as far as its place.
    for file in ["ca-previous.key", "ca-previous.pem"] {
        fs::copy(from.path().join(file), to.path().join(file)).unwrap();
    }
    let error = Authority::open(to.path(), &[], now()).expect_err("began anew");
    assert!(error.to_string().contains("ca.key"), "{error}");
    import(to.path(), &text, PASSPHRASE).unwrap();
    assert_eq!(open(to.path()).status().unwrap(), authority.status().unwrap());

    // Another authority's remains are not the same.
    let (to, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(other.path());
    fs::copy(other.path().join("ca.key"), to.path().join("ca.key")).unwrap();
    assert!(matches!(import(to.path(), &text, PASSPHRASE), Err(BackupError::Exists { .. })));
}

#[test]
fn openssl_opens_the_key_of_a_back_up() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path());
    let file = dir.path().join("backup.pem");
    fs::write(&file, export(dir.path(), PASSPHRASE).unwrap()).unwrap();
    let pass = format!("pass:{PASSPHRASE}");
    let output = Command::new("openssl").args(["pkcs8", "-passin", &pass, "-in"]).arg(&file).output();
    let output = output.unwrap_or_else(|e| panic!("openssl: {e}: apt install openssl"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let key = rcgen::KeyPair::from_pem(&String::from_utf8(output.stdout).unwrap()).unwrap();
    let ours = rcgen::KeyPair::from_pem(&fs::read_to_string(dir.path().join("ca.key")).unwrap()).unwrap();
    use rcgen::PublicKeyData;
    assert_eq!(key.subject_public_key_info(), ours.subject_public_key_info());
}

/// Runs `tirta-server authority` with a passphrase on standard input.
fn authority(folder: &Path, arguments: &[&str], passphrase: &str) -> Output {
    use std::io::Write;
    let config = folder.join("server.toml");
    let local = "https = \"127.0.0.1:0\"\n[broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:0\"";
    fs::write(&config, format!("data_dir = {:?}\n[http]\n{local}\n", folder.join("data"))).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tirta-server"))
        .args(["authority", arguments[0], "--config"])
        .arg(&config)
        .args(&arguments[1..])
        .env_remove("TIRTA_PASSPHRASE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails before it asks has closed it.
    let _ = writeln!(child.stdin.take().unwrap(), "{passphrase}");
    child.wait_with_output().unwrap()
}

#[test]
fn the_commands_save_to_a_private_new_file_and_restore_from_it() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = one.path().join("backup.pem");
    let to = file.to_str().unwrap();
    let failed = |output: Output| {
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(failed(authority(one.path(), &["backup", "--to", to], PASSPHRASE)).contains("no authority yet"));
    let sha256 = open(&one.path().join("data")).ca_sha256();
    assert!(failed(authority(one.path(), &["backup", "--to", to], "short")).contains("12 characters"));
    assert!(!file.exists());
    let saved = authority(one.path(), &["backup", "--to", to], PASSPHRASE);
    assert!(saved.status.success(), "{saved:?}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(failed(authority(one.path(), &["backup", "--to", to], PASSPHRASE)).contains("there already"));

    assert!(failed(authority(other.path(), &["restore", "--from", to], "another passphrase")).contains("passphrase"));
    let restored = authority(other.path(), &["restore", "--from", to], PASSPHRASE);
    assert!(String::from_utf8(restored.stdout).unwrap().contains(&sha256));
    assert_eq!(open(&other.path().join("data")).ca_sha256(), sha256);
    assert!(failed(authority(other.path(), &["restore", "--from", to], PASSPHRASE)).contains("is there"));
}
