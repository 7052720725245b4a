//! Enrolment against a server that does what the test says, over real TLS.

use crate::support::{Authority, PATIENT, Server, synced, these_years, unsynced, wrong_clocks};
use agent::backoff::Backoff;
use agent::config::Token;
use agent::enrol::{self, Board, EnrolError, Outcome};
use agent::https::AskError;
use agent::identity::{Home, Identity};
use agent::lamp::Standing;
use agent::seek;
use agent::time::Time;
use rcgen::CertificateSigningRequestParams;
use serde_json::json;
use shared::enrol::EnrolRequest;
use shared::{ClockQuality, Serial};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;

const SERVER_TIME: i64 = 1_763_690_400_000;
const FOR_YEARS: (i32, i32) = (2020, 2200);

struct Bench {
    authority: Authority,
    server: Server,
    config: seek::Server,
    folder: TempDir,
    time: Time,
}

fn serial() -> Serial {
    "10000000deadbeef".parse().unwrap()
}

fn board() -> Board {
    Board { serial: serial(), model: Some("Raspberry Pi 4 Model B Rev 1.4".to_owned()) }
}

impl Bench {
    async fn new() -> Self {
        Self::with("localhost", FOR_YEARS, synced()).await
    }

    /// With a server of this name, whose certificate is valid in these years.
    async fn with(name: &str, years: (i32, i32), time: Time) -> Self {
        let authority = Authority::new();
        let server = Server::new(authority.tls(&authority.server(name, years), false)).await;
        let config = seek::Server {
            host: "localhost".to_owned(),
            port: server.address.port(),
            dial: None,
            ca_sha256: authority.sha256(),
            token: Some(Token::Inline(" s3cret\n".to_owned())),
        };
        Self { authority, server, config, folder: tempfile::tempdir().unwrap(), time }
    }

    fn home(&self) -> Home {
        Home::new(self.folder.path())
    }

    async fn once(&self) -> Result<Outcome, EnrolError> {
        enrol::once(&self.config, &self.home(), &board(), &self.time).await
    }

    /// An attempt that nobody lets wait.
    async fn attempt(&self) -> Result<Identity, EnrolError> {
        match self.once().await? {
            Outcome::Enrolled(identity) => Ok(*identity),
            Outcome::Waiting(waiting) => panic!("{waiting:?}"),
        }
    }

    /// Takes one request and answers it, or hangs up without an answer.
    async fn answer(&self, answer: impl FnOnce(&EnrolRequest) -> Option<(u16, String)>) -> Option<EnrolRequest> {
        let mut stream = self.server.accept().await.ok()?;
        let mut bytes = vec![];
        let (head, length) = loop {
            bytes.push(stream.read_u8().await.ok()?);
            if bytes.ends_with(b"\r\n\r\n") {
                let head = String::from_utf8(bytes).unwrap();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                let length: usize = length.parse().unwrap();
                break (head, length);
            }
        };
        assert!(head.starts_with("POST /api/v1/enrol HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: application/json\r\n"), "{head}");
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let request: EnrolRequest = serde_json::from_slice(&body).unwrap();
        if let Some((status, body)) = answer(&request) {
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
        Some(request)
    }

    /// The answer of a server that agrees.
    fn welcome(&self, request: &EnrolRequest) -> Option<(u16, String)> {
        let reply = json!({
            "name": "pi-7",
            "certificate": self.authority.sign(&request.csr, "pi-7"),
            "ca": self.authority.pem(),
            "broker": { "port": 8883 },
            "server_time": SERVER_TIME,
            "of_a_later_version": true,
        });
        Some((200, reply.to_string()))
    }

    /// An attempt against one answer.
    async fn tell(&self, status: u16, body: String) -> EnrolError {
        let (result, _) = tokio::join!(self.attempt(), self.answer(|_| Some((status, body))));
        result.unwrap_err()
    }
}

fn public_key(request: &EnrolRequest) -> Vec<u8> {
    use rcgen::PublicKeyData;
    CertificateSigningRequestParams::from_pem(&request.csr).unwrap().public_key.der_bytes().to_vec()
}

#[tokio::test]
async fn a_device_gets_its_identity_and_keeps_it() {
    let bench = Bench::new().await;
    let (identity, request) = tokio::join!(bench.attempt(), bench.answer(|request| bench.welcome(request)));
    let (identity, request) = (identity.unwrap(), request.unwrap());
    assert_eq!((identity.name.as_str(), identity.broker.port), ("pi-7", 8883));
    assert_eq!((request.serial, request.token.as_str()), (serial(), "s3cret"));
    assert!(!request.csr.contains("PRIVATE"));
    let kept = bench.home().load(serial()).unwrap().unwrap();
    assert_eq!((kept.name, kept.certificate, kept.key), (identity.name, identity.certificate, identity.key));
}

#[tokio::test]
async fn a_request_whose_answer_was_lost_is_repeated_with_the_same_key() {
    let bench = Bench::new().await;
    let (lost, first) = tokio::join!(bench.attempt(), bench.answer(|_| None));
    assert!(matches!(lost, Err(EnrolError::Ask(AskError::Connection { .. }))));
    let (identity, second) = tokio::join!(bench.attempt(), bench.answer(|request| bench.welcome(request)));
    identity.unwrap();
    assert_eq!(public_key(&first.unwrap()), public_key(&second.unwrap()));
}

#[tokio::test]
async fn a_server_of_another_authority_never_sees_the_token() {
    let mut bench = Bench::new().await;
    bench.config.ca_sha256 = [7; 32];
    let (result, request) = tokio::join!(bench.attempt(), bench.answer(|request| bench.welcome(request)));
    let error = result.unwrap_err().to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
    assert!(request.is_none());
}

#[tokio::test]
async fn a_server_of_another_name_never_sees_the_token() {
    let bench = Bench::with("elsewhere.example", FOR_YEARS, synced()).await;
    let (result, request) = tokio::join!(bench.attempt(), bench.answer(|request| bench.welcome(request)));
    assert!(result.unwrap_err().to_string().contains("not valid for name"));
    assert!(request.is_none());
}

#[tokio::test]
async fn a_device_whose_clock_is_behind_is_not_locked_out_but_a_synced_one_insists() {
    let future = (2150, 2200);
    let behind = Bench::with("localhost", future, unsynced()).await;
    let (result, _) = tokio::join!(behind.attempt(), behind.answer(|request| behind.welcome(request)));
    result.unwrap();
    let synced = Bench::with("localhost", future, synced()).await;
    let (result, _) = tokio::join!(synced.attempt(), synced.answer(|request| synced.welcome(request)));
    assert!(result.unwrap_err().to_string().contains("not valid yet"));
}

#[tokio::test]
async fn a_clock_of_1970_and_one_ten_years_ahead_enrol_and_learn_the_time() {
    for time in wrong_clocks() {
        let bench = Bench::with("localhost", these_years(), time).await;
        let (result, _) = tokio::join!(bench.attempt(), bench.answer(|request| bench.welcome(request)));
        result.unwrap();
        let stamp = bench.time.stamp();
        assert_eq!(stamp.clock, ClockQuality::Repaired);
        assert!((SERVER_TIME..SERVER_TIME + 60_000).contains(&stamp.at.0), "{stamp:?}");
    }
}

#[tokio::test]
async fn an_expired_certificate_is_refused_by_any_clock() {
    for time in wrong_clocks().into_iter().chain([synced(), unsynced()]) {
        let bench = Bench::with("localhost", (2001, 2002), time).await;
        let (result, _) = tokio::join!(bench.attempt(), bench.answer(|request| bench.welcome(request)));
        assert!(result.unwrap_err().to_string().contains("expired"));
    }
}

#[tokio::test]
async fn a_refusal_says_why() {
    let bench = Bench::new().await;
    let problem = json!({ "title": "Conflict", "status": 409, "code": "serial_in_use", "detail": "pi-7 has it" });
    let error = bench.tell(409, problem.to_string()).await.to_string();
    assert_eq!(error, "the server refused (409, serial_in_use): pi-7 has it");
    let error = bench.tell(403, "<html>".to_owned()).await.to_string();
    assert_eq!(error, "the server refused (403, no code): Forbidden");
}

#[tokio::test]
async fn an_answer_that_can_not_be_used_is_not_kept() {
    let bench = Bench::new().await;
    assert!(matches!(bench.tell(500, String::new()).await, EnrolError::Ask(AskError::Failed(500))));
    assert!(matches!(bench.tell(429, String::new()).await, EnrolError::Ask(AskError::Failed(429))));
    assert!(matches!(bench.tell(200, "{\"name\":\"pi-7\"}".to_owned()).await, EnrolError::Ask(AskError::Answer(_))));
    assert!(matches!(bench.tell(200, "x".repeat(100_000)).await, EnrolError::Ask(AskError::Connection { .. })));
    assert!(bench.home().load(serial()).unwrap().is_none());
}

#[tokio::test]
async fn a_server_whose_authority_was_replaced_gives_the_new_one() {
    let (bench, other) = (Bench::new().await, Authority::new());
    let answer = |request: &EnrolRequest, ca: &str| {
        let (status, body) = bench.welcome(request)?;
        let mut reply: serde_json::Value = serde_json::from_str(&body).unwrap();
        reply["ca"] = ca.into();
        reply["certificate"] = other.sign(&request.csr, "pi-7").into();
        Some((status, reply.to_string()))
    };
    let (result, _) = tokio::join!(bench.attempt(), bench.answer(|request| answer(request, "no certificate")));
    assert!(matches!(result, Err(EnrolError::Trust(_))), "{result:?}");
    assert!(bench.home().load(serial()).unwrap().is_none());
    let (result, _) = tokio::join!(bench.attempt(), bench.answer(|request| answer(request, &other.pem())));
    assert_eq!(result.unwrap().ca, other.pem());
    assert_eq!(bench.home().load(serial()).unwrap().unwrap().ca, other.pem());
}

#[tokio::test]
async fn a_board_that_has_to_wait_says_what_it_is_and_asks_again_with_the_same_key() {
    let bench = Bench::new().await;
    let wait = |_: &EnrolRequest| Some((202, json!({ "reason": "not_expected", "retry_s": 30 }).to_string()));
    let (outcome, first) = tokio::join!(bench.once(), bench.answer(wait));
    assert!(matches!(outcome, Ok(Outcome::Waiting(ref waiting)) if waiting.retry_s == 30), "{outcome:?}");
    let first = first.unwrap();
    assert_eq!((first.model.as_deref(), first.copied_from.is_none()), (Some("Raspberry Pi 4 Model B Rev 1.4"), true));
    assert!(bench.home().load(serial()).unwrap().is_none());
    let (identity, second) = tokio::join!(bench.attempt(), bench.answer(|request| bench.welcome(request)));
    identity.unwrap();
    assert_eq!(public_key(&first), public_key(&second.unwrap()));
}

#[tokio::test]
async fn the_board_of_a_copied_card_says_whose_it_was_with_a_key_of_its_own() {
    let bench = Bench::new().await;
    let (identity, first) = tokio::join!(bench.attempt(), bench.answer(|request| bench.welcome(request)));
    identity.unwrap();
    let other = Board { serial: "10000000cafebabe".parse().unwrap(), model: None };
    let home = bench.home();
    home.settle(other.serial).unwrap();
    let attempt = enrol::once(&bench.config, &home, &other, &bench.time);
    let (outcome, second) = tokio::join!(attempt, bench.answer(|request| bench.welcome(request)));
    assert!(matches!(outcome, Ok(Outcome::Enrolled(_))), "{outcome:?}");
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(public_key(&first), public_key(&second));
    let from = second.copied_from.unwrap();
    assert_eq!((from.name.as_str(), from.serial), ("pi-7", serial()));
}

#[tokio::test]
async fn a_certificate_for_another_key_is_not_kept() {
    let bench = Bench::new().await;
    let wrong = |request: &EnrolRequest| {
        let (status, body) = bench.welcome(request)?;
        let mut reply: serde_json::Value = serde_json::from_str(&body).unwrap();
        reply["certificate"] = bench.authority.device("pi-7").certificate.into();
        Some((status, reply.to_string()))
    };
    let (result, _) = tokio::join!(bench.attempt(), bench.answer(wrong));
    assert!(matches!(result, Err(EnrolError::Trust(_))), "{result:?}");
    assert!(bench.home().load(serial()).unwrap().is_none());
}

#[tokio::test]
async fn a_missing_token_is_said_before_anything_is_sent() {
    let mut bench = Bench::new().await;
    bench.config.token = None;
    assert!(bench.attempt().await.unwrap_err().to_string().contains("server.token_file"));
    bench.config.token = Some(Token::File("/nowhere/token".into()));
    assert!(bench.attempt().await.unwrap_err().to_string().contains("/nowhere/token"));
}

#[tokio::test]
async fn a_device_tries_until_it_is_let_in() {
    let bench = Bench::new().await;
    let (home, board) = (bench.home(), board());
    let backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(10));
    let config = format!(
        "data_dir = \"/nowhere\"\n[server]\nurl = \"https://localhost:{}\"\nca_sha256 = \"{}\"\ntoken = \"s3cret\"\n",
        bench.config.port,
        bench.config.ca_sha256.map(|byte| format!("{byte:02x}")).concat(),
    );
    let seeker = seek::Seeker::new(&config.parse().unwrap(), bench.time.clone());
    let standing = watch::Sender::new(Standing::Nameless);
    let enrolled = enrol::until_enrolled(&seeker, &home, &board, &bench.time, backoff, &standing);
    let server = async {
        bench.answer(|_| Some((503, String::new()))).await.unwrap();
        bench.answer(|_| None).await.unwrap();
        bench.answer(|_| Some((401, "{\"code\":\"bad_token\"}".to_owned()))).await.unwrap();
        bench.answer(|request| bench.welcome(request)).await.unwrap();
    };
    let (identity, ()) = tokio::join!(enrolled, server);
    assert_eq!((identity.name.as_str(), *standing.borrow()), ("pi-7", Standing::CutOff));
}

#[tokio::test]
async fn a_fleet_file_that_is_changed_while_the_device_waits_counts_at_the_next_attempt() {
    let (former, bench) = (Bench::new().await, Bench::new().await);
    let (home, board) = (bench.home(), board());
    let file = bench.folder.path().join("tirta-fleet.toml");
    let write = |of: &Bench, token: &str| {
        let (port, sum) = (of.config.port, of.config.ca_sha256.map(|byte| format!("{byte:02x}")).concat());
        let text = format!("server = \"https://localhost:{port}\"\nca_sha256 = \"{sum}\"\ntoken = \"{token}\"\n");
        std::fs::write(&file, text).unwrap();
    };
    let config = format!("data_dir = \"/nowhere\"\n[fleet]\nfiles = [{file:?}]\n");
    let seeker = seek::Seeker::new(&config.parse().unwrap(), bench.time.clone());
    let backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(10));
    let standing = watch::Sender::new(Standing::Nameless);
    let enrolled = enrol::until_enrolled(&seeker, &home, &board, &bench.time, backoff, &standing);
    let stands = async |wanted: Standing| {
        timeout(PATIENT, standing.subscribe().wait_for(|now| *now == wanted)).await.unwrap().unwrap();
    };
    let server = async {
        std::fs::write(&file, "token = ").unwrap();
        stands(Standing::Stuck).await;
        write(&former, "old");
        let asked = former.answer(|_| Some((401, "{\"code\":\"bad_token\"}".to_owned()))).await.unwrap();
        // Another server with another authority: nothing of the former is believed any more.
        write(&bench, "new");
        let asked_again = bench.answer(|request| bench.welcome(request)).await.unwrap();
        (asked.token, asked_again.token)
    };
    let (identity, tokens) = tokio::join!(enrolled, server);
    assert_eq!(tokens, ("old".to_owned(), "new".to_owned()));
    assert_eq!((identity.ca, home.load(serial()).unwrap().is_some()), (bench.authority.pem(), true));
}
