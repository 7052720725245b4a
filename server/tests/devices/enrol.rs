//! A device asks for an identity: who gets one, who does not, and what it is worth. On SQLite and PostgreSQL.

use crate::fleet::{databases::databases, now, p256, params, random_serial, request};
use rcgen::{
    BasicConstraints, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
    SanType,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use server::{
    audit::Actor,
    ca::{Authority, MAX_CSR, PublicKeySha256},
    enrol::{Credentials, EnrolError, Enrolled, Lifetimes, enrol},
    store::{NewToken, Store},
};
use shared::{
    Serial, UtcMillis,
    enrol::{EnrolRequest, WaitReason},
};
use std::{collections::BTreeSet, sync::Arc};
use tempfile::TempDir;
use tokio::task::JoinSet;

const HOUR: i64 = 3_600_000;

fn authority() -> (TempDir, Arc<Authority>) {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::open(dir.path(), &[], now()).unwrap();
    (dir, Arc::new(authority))
}

fn deadbeef() -> Serial {
    "10000000deadbeef".parse().unwrap()
}

async fn token(store: &Store, uses: u32) -> String {
    store.create_token(&NewToken::open(uses, UtcMillis(now().0 + HOUR)), &Actor::server(), now()).await.unwrap().1
}

async fn ask(
    store: &Store,
    ca: &Authority,
    token: &str,
    serial: Serial,
    csr: String,
) -> Result<Credentials, EnrolError> {
    let request = EnrolRequest { serial, token: token.to_owned(), csr, model: None, copied_from: None };
    ask_at(store, ca, &request, now()).await
}

async fn ask_at(
    store: &Store,
    ca: &Authority,
    request: &EnrolRequest,
    now: UtcMillis,
) -> Result<Credentials, EnrolError> {
    match enrol(store, ca, Lifetimes::default(), request, "10.0.0.7", now, async |_| ()).await? {
        Enrolled::As(credentials) => Ok(credentials),
        waits => panic!("{waits:?}"),
    }
}

async fn ask_with(
    store: &Store,
    ca: &Authority,
    token: &str,
    serial: Serial,
    key: &KeyPair,
) -> Result<Credentials, EnrolError> {
    ask(store, ca, token, serial, request(key, &serial.to_string())).await
}

fn code(result: Result<Credentials, EnrolError>) -> &'static str {
    match result {
        Ok(reply) => panic!("enrolled as {}", reply.name),
        Err(error) => error.code().unwrap_or_else(|| panic!("the server's own fault: {error}")),
    }
}

#[tokio::test]
async fn a_device_gets_a_name_and_a_certificate_for_thirty_days() {
    let (_dir, ca) = authority();
    for db in databases().await {
        let token = token(&db.store, 1).await;
        let key = p256();
        let serial = random_serial();
        let reply = ask_with(&db.store, &ca, &token, serial, &key).await.unwrap();
        assert_eq!(reply.name.as_str(), "pi-1", "{}", db.engine);
        assert_eq!(reply.ca, ca.ca_pem());

        let der = CertificateDer::from_pem_slice(reply.certificate.as_bytes()).unwrap();
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
        let names: Vec<_> = certificate.subject().iter_common_name().map(|cn| cn.as_str().unwrap()).collect();
        assert_eq!(names, ["pi-1"]);
        assert_eq!(certificate.public_key().raw, rcgen::PublicKeyData::subject_public_key_info(&key));
        let ca_der = CertificateDer::from_pem_slice(ca.ca_pem().as_bytes()).unwrap();
        let (_, ca_certificate) = x509_parser::parse_x509_certificate(&ca_der).unwrap();
        certificate.verify_signature(Some(ca_certificate.public_key())).unwrap();
        let (from, until) =
            (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
        assert!(from < now().0 / 1000 - 23 * 3600, "a board whose clock is a little late must find it valid");
        assert_eq!((until - now().0 / 1000 + 43_200) / 86_400, 30);
        let device = db.store.device(&reply.name).await.unwrap().unwrap();
        assert_eq!((device.serial, device.revoked_at, device.last_seen), (Some(serial), None, None));
    }
}

#[tokio::test]
async fn whatever_else_a_request_asks_for_is_not_given() {
    let (_dir, ca) = authority();
    let db = databases().await.remove(0);
    let key = p256();
    let mut greedy = params(&deadbeef().to_string());
    greedy.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    greedy.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    greedy.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Any];
    greedy.subject_alt_names = vec![SanType::DnsName("localhost".try_into().unwrap())];
    greedy.distinguished_name.push(rcgen::DnType::OrganizationName, "tirta-server");
    let csr = greedy.serialize_request(&key).unwrap().pem().unwrap();
    let reply = ask(&db.store, &ca, &token(&db.store, 1).await, deadbeef(), csr).await.unwrap();
    let der = CertificateDer::from_pem_slice(reply.certificate.as_bytes()).unwrap();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    assert_eq!(certificate.subject().to_string(), "CN=pi-1");
    assert!(!certificate.is_ca());
    assert!(!certificate.key_usage().unwrap().unwrap().value.key_cert_sign());
    assert!(certificate.subject_alternative_name().unwrap().is_none());
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth && !usage.any);
}

#[tokio::test]
async fn a_device_that_lost_the_answer_asks_again_and_is_the_same() {
    let (_dir, ca) = authority();
    for db in databases().await {
        let token = token(&db.store, 1).await;
        let (serial, key) = (random_serial(), p256());
        let first = ask_with(&db.store, &ca, &token, serial, &key).await.unwrap();
        let again = ask_with(&db.store, &ca, &token, serial, &key).await.unwrap();
        assert_eq!(first.name, again.name, "{}", db.engine);
        assert_eq!(
            first.certificate, again.certificate,
            "a request that comes again, or is replayed, makes no second one"
        );
        assert_eq!(db.store.tokens().await.unwrap()[0].uses_left, 0);
        assert_eq!(code(ask_with(&db.store, &ca, &token, random_serial(), &p256()).await), "token_used_up");
    }
}

#[tokio::test]
async fn a_serial_with_another_key_waits_and_changes_nothing() {
    let (_dir, ca) = authority();
    for db in databases().await {
        let token = token(&db.store, 5).await;
        let serial = random_serial();
        let reply = ask_with(&db.store, &ca, &token, serial, &p256()).await.unwrap();
        let before = db.store.device(&reply.name).await.unwrap();
        let csr = request(&p256(), &serial.to_string());
        let other = EnrolRequest { serial, token: token.clone(), csr, model: None, copied_from: None };
        let waits = enrol(&db.store, &ca, Lifetimes::default(), &other, "10.0.0.7", now(), async |_| ()).await.unwrap();
        assert_eq!(waits, Enrolled::Waits { reason: WaitReason::SecondKey, news: true }, "{}", db.engine);
        assert_eq!(db.store.device(&reply.name).await.unwrap(), before);
        assert_eq!(db.store.tokens().await.unwrap()[0].uses_left, 4);
    }
}

#[tokio::test]
async fn a_revoked_device_stays_out_and_its_name_is_never_given_again() {
    let (_dir, ca) = authority();
    for db in databases().await {
        let token = token(&db.store, 5).await;
        let (serial, key) = (random_serial(), p256());
        let reply = ask_with(&db.store, &ca, &token, serial, &key).await.unwrap();
        let fingerprint = ca.check_csr(&request(&key, &serial.to_string()), serial).unwrap();
        assert!(db.store.may_connect(&reply.name, &fingerprint).await.unwrap());
        assert!(!db.store.may_connect(&reply.name, &PublicKeySha256::of(b"another")).await.unwrap());
        assert!(db.store.revoke_device(&reply.name, &Actor::server(), UtcMillis(5)).await.unwrap());
        assert!(db.store.revoke_device(&reply.name, &Actor::server(), UtcMillis(9)).await.unwrap());
        assert_eq!(
            db.store.device(&reply.name).await.unwrap().unwrap().revoked_at,
            Some(UtcMillis(5)),
            "{}",
            db.engine
        );
        assert!(!db.store.may_connect(&reply.name, &fingerprint).await.unwrap());
        assert_eq!(code(ask_with(&db.store, &ca, &token, serial, &key).await), "revoked");
        assert_eq!(code(ask_with(&db.store, &ca, &token, serial, &p256()).await), "revoked");
        let next = ask_with(&db.store, &ca, &token, random_serial(), &p256()).await.unwrap();
        assert_eq!(next.name.as_str(), "pi-2");
    }
}

#[tokio::test]
async fn a_wrong_expired_withdrawn_or_used_up_token_gets_nothing() {
    let (_dir, ca) = authority();
    for db in databases().await {
        let good = token(&db.store, 1).await;
        let (id, deleted) = db
            .store
            .create_token(&NewToken::open(1, UtcMillis(now().0 + HOUR)), &Actor::server(), now())
            .await
            .unwrap();
        assert!(db.store.revoke_token(&id, &Actor::server(), now()).await.unwrap());
        assert!(!db.store.revoke_token("nobody", &Actor::server(), now()).await.unwrap());
        let (_, expired) =
            db.store.create_token(&NewToken::open(1, UtcMillis(now().0 - 1)), &Actor::server(), now()).await.unwrap();
        let (_, without_uses) = db
            .store
            .create_token(&NewToken::open(0, UtcMillis(now().0 + HOUR)), &Actor::server(), now())
            .await
            .unwrap();
        let cases = [
            ("", "bad_token"),
            ("tirta_", "bad_token"),
            ("' OR 1=1 --", "bad_token"),
            (&good.to_uppercase(), "bad_token"),
            (&good[..good.len() - 1], "bad_token"),
            (deleted.as_str(), "token_revoked"),
            (expired.as_str(), "token_expired"),
            (without_uses.as_str(), "token_used_up"),
        ];
        for (token, expected) in cases {
            let got = code(ask_with(&db.store, &ca, token, random_serial(), &p256()).await);
            assert_eq!(got, expected, "{token:?} on {}", db.engine);
        }
        assert_eq!(db.store.devices().await.unwrap(), []);
        assert_eq!(ask_with(&db.store, &ca, &good, random_serial(), &p256()).await.unwrap().name.as_str(), "pi-1");
    }
}

#[tokio::test]
async fn an_expired_token_is_worth_nothing_even_to_a_device_that_enrolled_with_it() {
    let (_dir, ca) = authority();
    for db in databases().await {
        let (_, token) = db
            .store
            .create_token(&NewToken::open(1, UtcMillis(now().0 + HOUR)), &Actor::server(), now())
            .await
            .unwrap();
        let (serial, key) = (random_serial(), p256());
        ask_with(&db.store, &ca, &token, serial, &key).await.unwrap();
        let later = UtcMillis(now().0 + 2 * HOUR);
        let request =
            EnrolRequest { serial, token, csr: request(&key, &serial.to_string()), model: None, copied_from: None };
        let answer = ask_at(&db.store, &ca, &request, later).await;
        assert_eq!(code(answer), "token_expired", "{}", db.engine);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_that_enrol_together_get_a_name_each_and_no_use_of_the_token_is_spent_twice() {
    let (_dir, ca) = authority();
    for db in databases().await {
        // Two tokens, so that not even their rows make the devices wait for each other.
        let tokens = [token(&db.store, 8).await, token(&db.store, 7).await];
        let mut asking = JoinSet::new();
        for n in 0..20 {
            let (store, ca, token) = (db.store.clone(), Arc::clone(&ca), tokens[n % 2].clone());
            asking.spawn(async move { ask_with(&store, &ca, &token, random_serial(), &p256()).await });
        }
        let (given, refused): (Vec<_>, Vec<_>) = asking.join_all().await.into_iter().partition(Result::is_ok);
        let names: BTreeSet<u32> = given.into_iter().map(|reply| reply.unwrap().name.number().unwrap()).collect();
        assert_eq!(names, (1..=15).collect(), "{}", db.engine);
        assert!(refused.into_iter().all(|refusal| code(refusal) == "token_used_up"));
        assert!(db.store.tokens().await.unwrap().iter().all(|token| token.uses_left == 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_device_that_asks_many_times_at_once_is_one_device() {
    let (_dir, ca) = authority();
    for db in databases().await {
        let token = token(&db.store, 10).await;
        let (serial, key) = (random_serial(), p256());
        let csr = request(&key, &serial.to_string());
        let mut asking = JoinSet::new();
        for _ in 0..10 {
            let (store, ca, token, csr) = (db.store.clone(), Arc::clone(&ca), token.clone(), csr.clone());
            asking.spawn(async move { ask(&store, &ca, &token, serial, csr).await });
        }
        for reply in asking.join_all().await {
            assert_eq!(reply.unwrap().name.as_str(), "pi-1", "{}", db.engine);
        }
        assert_eq!(db.store.devices().await.unwrap().len(), 1);
        assert_eq!(db.store.tokens().await.unwrap()[0].uses_left, 9);
    }
}

#[tokio::test]
async fn a_request_for_another_name_is_refused() {
    let (_dir, ca) = authority();
    let db = databases().await.remove(0);
    let token = token(&db.store, 1).await;
    let key = p256();
    for name in ["pi-1", "tirta-server", "20000000deadbeef", "10000000DEADBEEF", "10000000deadbeef ", ""] {
        let answer = ask(&db.store, &ca, &token, deadbeef(), request(&key, name)).await;
        assert_eq!(code(answer), "csr_mismatch", "{name:?}");
    }
    let mut nameless = params("x");
    nameless.distinguished_name = rcgen::DistinguishedName::new();
    let csr = nameless.serialize_request(&key).unwrap().pem().unwrap();
    assert_eq!(code(ask(&db.store, &ca, &token, deadbeef(), csr).await), "csr_mismatch");
    assert_eq!(db.store.devices().await.unwrap(), []);
}

#[tokio::test]
async fn a_request_that_proves_no_key_is_refused() {
    let (_dir, ca) = authority();
    let db = databases().await.remove(0);
    let token = token(&db.store, 1).await;
    let good = request(&p256(), &deadbeef().to_string());
    let bodies: Vec<&str> = good.lines().collect();
    let cases = [
        String::new(),
        "garbage".to_owned(),
        "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n".to_owned(),
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n".to_owned(),
        good[..good.len() / 2].to_owned(),
        good.replace("CERTIFICATE REQUEST", "PRIVATE KEY"),
        ca.ca_pem(),
        // Half of another request's signature.
        bodies[..bodies.len() - 2].join("\n") + "\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        format!("{}{}", " ".repeat(MAX_CSR), good),
    ];
    for csr in cases {
        let answer = ask(&db.store, &ca, &token, deadbeef(), csr.clone()).await;
        assert_eq!(code(answer), "csr_malformed", "{csr}");
    }
    assert_eq!(db.store.devices().await.unwrap(), []);
}

#[test]
fn no_flipped_bit_and_no_cut_makes_another_good_request() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let (_dir, ca) = authority();
    let serial = deadbeef();
    let good = params(&serial.to_string()).serialize_request(&p256()).unwrap().der().to_vec();
    let pem = |der: &[u8]| {
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n", STANDARD.encode(der))
    };
    let key = ca.check_csr(&pem(&good), serial).unwrap();
    // A flip in the outermost wrapping may go unnoticed: what counts is that it names no other key.
    let another = |der: &[u8]| ca.check_csr(&pem(der), serial).is_ok_and(|found| found != key);
    for bit in 0..good.len() * 8 {
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!another(&flipped), "bit {bit}");
    }
    for length in 0..good.len() {
        assert!(ca.check_csr(&pem(&good[..length]), serial).is_err(), "cut at {length}");
    }
    let mut longer = good;
    longer.push(0);
    assert!(ca.check_csr(&pem(&longer), serial).is_err());
}

#[tokio::test]
async fn only_keys_that_last_are_accepted() {
    let (_dir, ca) = authority();
    let db = databases().await.remove(0);
    let token = token(&db.store, 2).await;
    let weak = [
        include_str!("../requests/rsa-1024.pem"),
        include_str!("../requests/rsa-2048.pem"),
        include_str!("../requests/secp256k1.pem"),
        include_str!("../requests/p521.pem"),
        include_str!("../requests/p256-explicit.pem"),
    ];
    for csr in weak {
        assert_eq!(code(ask(&db.store, &ca, &token, deadbeef(), csr.to_owned()).await), "weak_key", "{csr}");
    }
    for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        ask_with(&db.store, &ca, &token, random_serial(), &crate::fleet::key_of(algorithm)).await.unwrap();
    }
}

#[tokio::test]
async fn the_text_of_a_token_is_nowhere_in_the_database() {
    let db = databases().await.remove(0);
    let text = token(&db.store, 1).await;
    assert!(text.starts_with("tirta_") && text.len() >= 6 + 22, "128 bits at least: {text}");
    db.store.close().await;
    let secret = &text.as_bytes()["tirta_".len()..];
    for entry in std::fs::read_dir(db.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}
