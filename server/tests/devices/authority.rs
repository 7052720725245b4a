//! The authority's files: made once, private, never replaced, whatever a crash or a hand did to them.

use rustls_pki_types::{CertificateDer, pem::PemObject};
use server::ca::{Authority, CaError};
use shared::{Clock, UtcMillis};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const DAY: i64 = 86_400_000;

fn now() -> UtcMillis {
    server::clock::SystemClock.now()
}

fn open(dir: &Path) -> Result<Authority, CaError> {
    Authority::open(dir, &[], now())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn read(dir: &Path, file: &str) -> Vec<u8> {
    fs::read(dir.join(file)).unwrap()
}

#[test]
fn it_is_made_once_private_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("data");
    let first = open(dir).unwrap();
    assert_eq!(mode(dir), 0o700);
    for file in ["ca.key", "tirta-server.key"] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
    let files = ["ca.key", "ca.pem", "tirta-server.key", "tirta-server.pem"];
    let before = files.map(|file| read(dir, file));
    let again = open(dir).unwrap();
    assert_eq!(files.map(|file| read(dir, file)), before);
    assert_eq!(first.ca_sha256(), again.ca_sha256());
    assert_eq!(first.ca_pem().as_bytes(), before[1]);
    let left: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

#[test]
fn a_damaged_or_half_written_file_is_an_error_that_names_it_and_nothing_is_replaced() {
    for file in ["ca.key", "ca.pem"] {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).unwrap();
        let whole = read(dir.path(), file);
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] = if flipped[whole.len() / 2] == b'A' { b'B' } else { b'A' };
        let damages =
            [vec![], whole[..1].to_vec(), whole[..whole.len() / 2].to_vec(), vec![0; 500], vec![0xff; 9], flipped];
        for damage in damages {
            fs::write(dir.path().join(file), &damage).unwrap();
            let error = open(dir.path()).expect_err("opened").to_string();
            assert!(error.contains(file), "{error}");
            assert_eq!(read(dir.path(), file), damage, "it was replaced");
        }
    }
}

#[test]
fn a_missing_half_is_an_error_and_not_a_reason_for_a_new_authority() {
    for (missing, present) in [("ca.key", "ca.pem"), ("ca.pem", "ca.key")] {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).unwrap();
        fs::remove_file(dir.path().join(missing)).unwrap();
        let error = open(dir.path()).expect_err("opened");
        assert!(matches!(error, CaError::Half { .. }), "{error}");
        assert!(error.to_string().contains(missing), "{error}");
        assert!(!dir.path().join(missing).exists() && dir.path().join(present).exists());
    }
}

#[test]
fn halves_of_two_authorities_are_no_authority() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(one.path()).unwrap();
    open(other.path()).unwrap();
    fs::copy(other.path().join("ca.key"), one.path().join("ca.key")).unwrap();
    let error = open(one.path()).expect_err("opened");
    assert!(matches!(error, CaError::Mismatch { .. }), "{error}");
}

#[test]
fn a_certificate_that_is_no_authoritys_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).unwrap();
    fs::copy(dir.path().join("tirta-server.pem"), dir.path().join("ca.pem")).unwrap();
    let error = open(dir.path()).expect_err("opened").to_string();
    assert!(error.contains("not the certificate of an authority"), "{error}");
}

#[test]
fn a_first_start_that_was_interrupted_is_finished_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    // Between its two renames: the key is in place, the certificate still waits.
    fs::rename(dir.path().join("ca.pem"), dir.path().join("ca.pem.new")).unwrap();
    assert_eq!(open(dir.path()).unwrap().ca_sha256(), first.ca_sha256());

    // Before them: nothing was ever signed, so it begins anew, over whatever lies about.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("ca.pem.new"), "half a certifi").unwrap();
    fs::write(dir.path().join("ca.key.new"), "half a k").unwrap();
    fs::set_permissions(dir.path().join("ca.key.new"), fs::Permissions::from_mode(0o644)).unwrap();
    open(dir.path()).unwrap();
    assert_eq!(mode(&dir.path().join("ca.key")), 0o600);
}

#[test]
fn what_waits_beside_a_lone_key_is_taken_only_if_it_is_its_certificate() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(one.path()).unwrap();
    open(other.path()).unwrap();
    fs::remove_file(one.path().join("ca.pem")).unwrap();
    fs::copy(other.path().join("ca.pem"), one.path().join("ca.pem.new")).unwrap();
    assert!(matches!(open(one.path()), Err(CaError::Half { .. })));
}

#[test]
fn a_key_that_others_could_read_is_made_private_again() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).unwrap();
    for file in ["ca.key", "tirta-server.key"] {
        fs::set_permissions(dir.path().join(file), fs::Permissions::from_mode(0o644)).unwrap();
    }
    open(dir.path()).unwrap();
    for file in ["ca.key", "tirta-server.key"] {
        assert_eq!(mode(&dir.path().join(file)), 0o600, "{file}");
    }
}

#[test]
fn servers_that_start_at_once_on_one_folder_have_one_authority() {
    let dir = tempfile::tempdir().unwrap();
    let starts: Vec<_> = (0..6)
        .map(|_| {
            let dir = dir.path().to_owned();
            std::thread::spawn(move || open(&dir).unwrap().ca_sha256())
        })
        .collect();
    let mut found: Vec<_> = starts.into_iter().map(|start| start.join().unwrap()).collect();
    found.push(open(dir.path()).unwrap().ca_sha256());
    found.dedup();
    assert_eq!(found.len(), 1, "{found:?}");
}

fn service_names(dir: &Path) -> Vec<String> {
    let der = CertificateDer::from_pem_slice(&read(dir, "tirta-server.pem")).unwrap();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap().value.general_names.clone();
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn the_servers_certificate_follows_its_hosts() {
    let dir = tempfile::tempdir().unwrap();
    let open_for = |hosts: &[&str]| {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        Authority::open(dir.path(), &hosts, now()).unwrap();
        read(dir.path(), "tirta-server.pem")
    };
    let plain = open_for(&[]);
    assert_eq!(service_names(dir.path()).len(), 3);
    let named = open_for(&["tirta.local", "192.168.1.5", "fd00::5"]);
    assert_ne!(named, plain);
    let names = service_names(dir.path()).join(" ");
    assert!(names.contains("localhost") && names.contains("tirta.local"), "{names}");
    assert_eq!(service_names(dir.path()).len(), 6);
    assert_eq!(open_for(&["tirta.local", "192.168.1.5", "fd00::5"]), named, "nothing changed: it stays");
    assert_ne!(open_for(&["tirta.local"]), named, "a name that is gone is given up");
}

#[test]
fn a_host_that_is_none_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    for host in ["https://tirta.local", "tirta local", "", "tirta.local:8443", "*"] {
        let error = Authority::open(dir.path(), &[host.to_owned()], now()).expect_err(host);
        assert!(error.to_string().contains(&format!("{host:?}")), "{error}");
    }
}

#[test]
fn the_servers_certificate_is_made_again_when_it_gets_old_or_was_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let authority = open(dir.path()).unwrap();
    let first = read(dir.path(), "tirta-server.pem");
    assert!(!authority.renew_service(now()).unwrap());
    let in_a_year = UtcMillis(now().0 + 365 * DAY);
    assert!(authority.renew_service(in_a_year).unwrap());
    assert!(!authority.renew_service(in_a_year).unwrap());
    let second = read(dir.path(), "tirta-server.pem");
    assert_ne!(first, second);

    for file in ["tirta-server.pem", "tirta-server.key"] {
        fs::write(dir.path().join(file), "half").unwrap();
        let fresh = open(dir.path()).unwrap();
        fresh.server_tls(true).unwrap();
        assert_ne!(read(dir.path(), file), b"half");
    }
    let other = tempfile::tempdir().unwrap();
    open(other.path()).unwrap();
    for file in ["tirta-server.pem", "tirta-server.key"] {
        fs::copy(other.path().join(file), dir.path().join(file)).unwrap();
    }
    open(dir.path()).unwrap();
    assert_ne!(read(dir.path(), "tirta-server.pem"), read(other.path(), "tirta-server.pem"), "another authority's");
}

#[test]
fn browsers_and_late_clocks_accept_the_servers_certificate() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).unwrap();
    let der = CertificateDer::from_pem_slice(&read(dir.path(), "tirta-server.pem")).unwrap();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    let validity = certificate.validity();
    let days = (validity.not_after.timestamp() - validity.not_before.timestamp()) / 86_400;
    assert!(days <= 825, "{days} days");
    assert!(validity.not_before.timestamp() * 1000 < now().0 - 300 * DAY);
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && usage.client_auth);
}

#[test]
fn a_clock_that_is_wildly_wrong_is_survived() {
    for at in [i64::MIN, -1, 0, i64::MAX] {
        let dir = tempfile::tempdir().unwrap();
        Authority::open(dir.path(), &[], UtcMillis(at)).unwrap();
    }
}

/// A client's certificate of this authority, and its serial number.
fn client(authority: &Authority, serial: &str) -> (CertificateDer<'static>, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, serial);
    let csr = params.serialize_request(&key).unwrap().pem().unwrap();
    let name = "pi-1".parse().unwrap();
    let signed = authority
        .sign_device(&csr, serial.parse().unwrap(), &name, std::time::Duration::from_secs(30 * 86_400), now())
        .unwrap();
    (CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap(), signed.serial_number)
}

/// As a broker judges that was given `clients.pem` and `crl.pem`, at a time of one's choice.
fn judge(dir: &Path, client: &CertificateDer<'_>, at: UtcMillis) -> Result<(), String> {
    use rustls_pki_types::{CertificateRevocationListDer, UnixTime};
    let mut roots = rustls::RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(dir.join("clients.pem")).unwrap() {
        roots.add(root.unwrap()).unwrap();
    }
    let lists = CertificateRevocationListDer::pem_file_iter(dir.join("crl.pem")).unwrap().map(Result::unwrap);
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
        .with_crls(lists)
        .enforce_revocation_expiration()
        .build()
        .unwrap();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_millis(u64::try_from(at.0).unwrap()));
    verifier.verify_client_cert(client, &[], at).map(drop).map_err(|e| format!("{e:?}"))
}

#[test]
fn a_broker_that_is_given_the_lists_refuses_who_is_revoked_of_both_authorities() {
    let dir = tempfile::tempdir().unwrap();
    let (authority, dir) = (open(dir.path()).unwrap(), dir.path());
    let (kept, _) = client(&authority, "00000000000000a1");
    let (gone, gone_number) = client(&authority, "00000000000000a2");
    authority.write_crl(&[], now()).unwrap();
    judge(dir, &kept, now()).unwrap();
    judge(dir, &gone, now()).unwrap();

    authority.rotate(now()).unwrap();
    let (new, _) = client(&authority, "00000000000000a3");
    let (new_gone, new_number) = client(&authority, "00000000000000a4");
    // Twice is once, and upper-case is the same.
    let revoked = [(gone_number.clone(), now()), (new_number, now()), (gone_number.to_uppercase(), now())];
    authority.write_crl(&revoked, now()).unwrap();
    judge(dir, &kept, now()).unwrap();
    judge(dir, &new, now()).unwrap();
    for gone in [&gone, &new_gone] {
        let why = judge(dir, gone, now()).unwrap_err();
        assert!(why.contains("Revoked"), "{why}");
    }
    judge(dir, &new, UtcMillis(now().0 + 6 * DAY)).unwrap();
    let why = judge(dir, &new, UtcMillis(now().0 + 8 * DAY)).unwrap_err();
    assert!(why.contains("ExpiredRevocationList"), "{why}");

    authority.retire(now()).unwrap();
    authority.write_crl(&revoked, now()).unwrap();
    judge(dir, &new, now()).unwrap();
    let why = judge(dir, &kept, now()).unwrap_err();
    assert!(why.contains("UnknownIssuer"), "{why}");
    for file in ["clients.pem", "crl.pem"] {
        assert!(!dir.join(format!("{file}.new")).exists());
    }
}

#[test]
fn a_serial_number_that_is_none_is_named_and_the_list_stays() {
    let dir = tempfile::tempdir().unwrap();
    let authority = open(dir.path()).unwrap();
    authority.write_crl(&[], now()).unwrap();
    let before = read(dir.path(), "crl.pem");
    let error = authority.write_crl(&[("4a:00".to_owned(), now())], now()).unwrap_err();
    assert!(error.to_string().contains("4a:00"), "{error}");
    assert_eq!(read(dir.path(), "crl.pem"), before);
}
