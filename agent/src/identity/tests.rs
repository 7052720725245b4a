//! The files of an identity, whole and cut off.

use super::*;
use std::os::unix::fs::PermissionsExt;

fn serial(text: &str) -> Serial {
    text.parse().unwrap()
}

fn board() -> Serial {
    "10000000deadbeef".parse().unwrap()
}

fn identity() -> Identity {
    Identity {
        name: DeviceName::numbered(7),
        broker: Broker { host: None, port: 8883 },
        server: None,
        key: String::new(),
        certificate: "certificate".to_owned(),
        ca: "ca".to_owned(),
    }
}

#[test]
fn a_key_is_made_once_and_only_its_owner_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let first = home.key_pair(board()).unwrap();
    assert_eq!(home.key_pair(board()).unwrap().serialize_pem(), first.serialize_pem());
    let mode = std::fs::metadata(home.key()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_identity_that_was_saved_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    assert!(home.load(board()).unwrap().is_none());
    let key = home.key_pair(board()).unwrap();
    assert!(home.load(board()).unwrap().is_none(), "a key alone is no identity");
    home.save(board(), &identity()).unwrap();
    let loaded = home.load(board()).unwrap().unwrap();
    assert_eq!((loaded.name.as_str(), loaded.broker.port), ("pi-7", 8883));
    assert_eq!((loaded.certificate.as_str(), loaded.ca.as_str()), ("certificate", "ca"));
    assert_eq!(loaded.key, key.serialize_pem());
}

#[test]
fn where_the_server_is_now_is_remembered_and_nothing_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let origin = Origin { host: "10.0.0.7".to_owned(), port: 8443, tls_name: "tirta.local".to_owned() };
    home.remember(board(), &origin).unwrap();
    assert!(home.load(board()).unwrap().is_none(), "nobody is enrolled by it");
    home.key_pair(board()).unwrap();
    home.save(board(), &identity()).unwrap();
    assert_eq!(home.load(board()).unwrap().unwrap().server, None);
    home.remember(serial("00000000cafebabe"), &origin).unwrap();
    assert_eq!(home.load(board()).unwrap().unwrap().server, None, "it is another board's");
    home.remember(board(), &origin).unwrap();
    let loaded = home.load(board()).unwrap().unwrap();
    assert_eq!((loaded.server, loaded.name, loaded.broker), (Some(origin), identity().name, identity().broker));
}

#[test]
fn what_belongs_to_another_board_is_never_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    home.key_pair(board()).unwrap();
    home.save(board(), &identity()).unwrap();
    let other = serial("00000000cafebabe");
    assert!(home.load(other).unwrap().is_none());
    assert_eq!(home.other(other).unwrap(), Some((board(), Some(identity().name))));
    assert_eq!(home.other(board()).unwrap(), None);
    assert!(home.key_pair(other).unwrap_err().to_string().contains("made for the board 10000000deadbeef"));
}

#[test]
fn a_key_of_an_older_agent_gets_its_board() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let pem = KeyPair::generate().unwrap().serialize_pem();
    std::fs::write(home.key(), &pem).unwrap();
    home.save(board(), &identity()).unwrap();
    assert_eq!(home.load(board()).unwrap().unwrap().key, pem);
    assert_eq!(home.key_pair(board()).unwrap().serialize_pem(), pem);
    assert_eq!(home.read_key().unwrap().unwrap().board, Some(board()));
    assert_eq!(home.load(board()).unwrap().unwrap().key, pem);
}

#[test]
fn a_renewed_pair_counts_as_a_whole_wherever_the_power_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    home.key_pair(board()).unwrap();
    home.save(board(), &identity()).unwrap();
    // The folder in the way keeps the authority from being replaced: as far as a cut there would come.
    std::fs::create_dir_all(folder.path().join("ca.pem.new/x")).unwrap();
    assert!(home.renew("certificate 2", "ca 2").is_err());
    let loaded = home.load(board()).unwrap().unwrap();
    assert_eq!((loaded.certificate.as_str(), loaded.ca.as_str()), ("certificate 2", "ca 2"));
    std::fs::remove_dir_all(folder.path().join("ca.pem.new")).unwrap();
    home.settle(board()).unwrap();
    assert!(!home.renewed().exists());
    let loaded = home.load(board()).unwrap().unwrap();
    assert_eq!((loaded.certificate.as_str(), loaded.ca.as_str()), ("certificate 2", "ca 2"));
    home.renew("certificate 3", "ca 3").unwrap();
    home.save(board(), &identity()).unwrap();
    assert_eq!(home.load(board()).unwrap().unwrap().ca, "ca", "an enrolment outranks every renewal before it");
}

#[test]
fn an_identity_that_ends_takes_its_key_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let first = home.key_pair(board()).unwrap().serialize_pem();
    home.save(board(), &identity()).unwrap();
    std::fs::remove_file(home.key()).unwrap();
    assert!(home.load(board()).unwrap().is_none(), "a cut after the key was wiped");
    home.put_away().unwrap();
    assert!(!home.card().exists());
    assert_ne!(home.key_pair(board()).unwrap().serialize_pem(), first);
    assert!(home.load(board()).unwrap().is_none());
}

#[test]
fn a_cut_while_an_identity_is_put_away_leaves_nobody_and_never_a_certificate_with_another_key() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    home.key_pair(board()).unwrap();
    home.save(board(), &identity()).unwrap();
    std::fs::remove_file(home.key()).unwrap();
    // As the next start does it: settle, then a key, then the identity.
    home.settle(board()).unwrap();
    home.key_pair(board()).unwrap();
    assert!(home.load(board()).unwrap().is_none());
}

#[test]
fn an_identity_that_slept_too_long_keeps_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let key = home.key_pair(board()).unwrap().serialize_pem();
    home.save(board(), &identity()).unwrap();
    home.let_go().unwrap();
    home.settle(board()).unwrap();
    assert!(home.load(board()).unwrap().is_none());
    assert_eq!(home.key_pair(board()).unwrap().serialize_pem(), key, "the server knows it by that");
}

#[test]
fn a_broken_file_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    std::fs::write(home.key(), "-----BEGIN PRIV").unwrap();
    let error = home.key_pair(board()).unwrap_err().to_string();
    assert!(error.contains("device.key") && error.contains("enrol anew"), "{error}");
    std::fs::write(home.card(), "name = \"pi/7\"").unwrap();
    assert!(home.load(board()).unwrap_err().to_string().contains("identity.toml"));
}

#[test]
fn a_request_carries_the_serial_and_no_private_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = Home::new(folder.path()).key_pair(board()).unwrap();
    let pem = certificate_request(&key, board()).unwrap();
    let params = rcgen::CertificateSigningRequestParams::from_pem(&pem).unwrap();
    let name = params.params.distinguished_name.get(&DnType::CommonName).unwrap();
    assert_eq!(format!("{name:?}"), "Utf8String(\"10000000deadbeef\")");
    assert!(!pem.contains("PRIVATE"));
}
