//! The connection against a broker that is the test itself, over mutual TLS: cuts, silence, refusals.

use crate::support::{Authority, PATIENT, Server, Session, synced, these_years, wrong_clocks};
use agent::backoff::Backoff;
use agent::link::{self, Link, LinkConfig, LinkState, Message};
use agent::time::Time;
use agent::trust;
use shared::{DeviceName, Topic};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

struct Bench {
    authority: Authority,
    server: Server,
    link: Link,
    inbox: mpsc::Receiver<Message>,
    task: JoinHandle<()>,
}

fn pi7() -> DeviceName {
    DeviceName::numbered(7)
}

async fn start() -> Bench {
    start_with((2020, 2200), synced()).await
}

async fn start_with(years: (i32, i32), time: Time) -> Bench {
    let authority = Authority::new();
    // The certificate's name is not the address that is dialled.
    let server = Server::new(authority.tls(&authority.server("tirta.local", years), true)).await;
    let device = authority.device("pi-7");
    let tls = trust::mutual(&authority.pem(), &device.certificate, &device.key, time).unwrap();
    let (link, inbox, task) = link::start(LinkConfig {
        device: pi7(),
        dial: watch::channel(("127.0.0.1".to_owned(), server.address.port())).1,
        tls_name: "tirta.local".to_owned(),
        tls: Arc::new(tls),
        last_will: "the last will".to_owned(),
        backoff: Backoff::new(Duration::from_millis(5), Duration::from_millis(20)),
    });
    Bench { authority, server, link, inbox, task }
}

async fn until(link: &Link, wanted: LinkState) {
    timeout(PATIENT, link.state().wait_for(|state| *state == wanted)).await.unwrap().unwrap();
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_device_connects_under_its_name_with_its_will_and_is_up_once_subscribed() {
    let bench = start().await;
    let mut session = Session::accept(&bench.server).await;
    for text in ["pi-7", "tirta/pi-7/up/status", "the last will"] {
        assert!(contains(&session.connect, text), "{text}");
    }
    // Flags: clean start, and a will that is retained and has QoS 1; keep-alive of 20 s.
    assert_eq!(session.connect[6..10], [5, 0b0010_1110, 0, 20]);
    session.send(&[0x20, 3, 0, 0, 0]).await;
    assert_eq!(*bench.link.state().borrow(), LinkState::Down);
    session.subscribed(1).await;
    until(&bench.link, LinkState::Up(1)).await;
}

#[tokio::test]
async fn a_clock_of_1970_and_one_ten_years_ahead_connect() {
    for time in wrong_clocks() {
        let bench = start_with(these_years(), time).await;
        let _session = Session::ready(&bench.server).await;
        until(&bench.link, LinkState::Up(1)).await;
    }
}

#[tokio::test]
async fn what_is_published_arrives_and_its_delivery_is_known_only_after_the_brokers_word() {
    let bench = start().await;
    let mut session = Session::ready(&bench.server).await;
    until(&bench.link, LinkState::Up(1)).await;
    let mut delivery = bench.link.publish(Topic::Status(pi7()), "hello".to_owned(), true).await;
    let published = session.published().await.unwrap();
    assert_eq!((published.topic.as_str(), published.payload.as_str()), ("tirta/pi-7/up/status", "hello"));
    assert!(published.retain);
    assert!(delivery.try_recv().is_err());
    session.acknowledge(published.id).await;
    timeout(PATIENT, delivery).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_the_server_says_reaches_the_inbox() {
    let mut bench = start().await;
    let mut session = Session::ready(&bench.server).await;
    session.publish("tirta/pi-7/down/ack", &"x".repeat(1000)).await;
    let message = timeout(PATIENT, bench.inbox.recv()).await.unwrap().unwrap();
    assert_eq!((message.topic.as_str(), message.payload.len()), ("tirta/pi-7/down/ack", 1000));
}

#[tokio::test]
async fn after_a_cut_it_connects_and_subscribes_again_and_sends_nothing_old() {
    let bench = start().await;
    let mut session = Session::ready(&bench.server).await;
    until(&bench.link, LinkState::Up(1)).await;
    let lost = bench.link.publish(Topic::Readings(pi7()), "in flight".to_owned(), false).await;
    session.published().await.unwrap();
    drop(session);
    // Whoever waits for it learns that it is unknown.
    assert!(timeout(PATIENT, lost).await.unwrap().is_err());
    let mut session = Session::ready(&bench.server).await;
    until(&bench.link, LinkState::Up(2)).await;
    bench.link.publish(Topic::Readings(pi7()), "anew".to_owned(), false).await;
    assert_eq!(session.published().await.unwrap().payload, "anew");
}

#[tokio::test]
async fn a_half_open_connection_is_given_up_on_request() {
    let bench = start().await;
    let mut silent = Session::ready(&bench.server).await;
    until(&bench.link, LinkState::Up(1)).await;
    // The broker reads nothing and says nothing; the client's buffers fill up.
    for _ in 0..20 {
        bench.link.publish(Topic::Readings(pi7()), "x".repeat(200_000), false).await;
    }
    bench.link.reconnect("a test").await;
    until(&bench.link, LinkState::Down).await;
    let _second = Session::ready(&bench.server).await;
    until(&bench.link, LinkState::Up(2)).await;
    while silent.published().await.is_some() {}
}

#[tokio::test]
async fn a_broker_that_refuses_is_asked_again() {
    let bench = start().await;
    let mut refused = Session::accept(&bench.server).await;
    // Not authorised.
    refused.send(&[0x20, 3, 0, 0x87, 0]).await;
    let mut not_subscribed = Session::accept(&bench.server).await;
    not_subscribed.send(&[0x20, 3, 0, 0, 0]).await;
    not_subscribed.subscribed(0x87).await;
    let _third = Session::ready(&bench.server).await;
    until(&bench.link, LinkState::Up(1)).await;
}

#[tokio::test]
async fn what_is_published_while_it_is_down_is_not_sent_later() {
    let bench = start().await;
    let too_early = bench.link.publish(Topic::Readings(pi7()), "too early".to_owned(), false).await;
    assert!(timeout(PATIENT, too_early).await.unwrap().is_err());
    let mut session = Session::ready(&bench.server).await;
    until(&bench.link, LinkState::Up(1)).await;
    bench.link.publish(Topic::Readings(pi7()), "now".to_owned(), false).await;
    assert_eq!(session.published().await.unwrap().payload, "now");
}

#[tokio::test]
async fn a_good_bye_is_said() {
    let bench = start().await;
    let mut session = Session::ready(&bench.server).await;
    until(&bench.link, LinkState::Up(1)).await;
    bench.link.close().await;
    assert_eq!(session.published().await, None);
    timeout(PATIENT, bench.task).await.unwrap().unwrap();
}

/// Another certificate of the same device.
fn next(bench: &Bench) -> (Vec<u8>, Arc<rustls::ClientConfig>) {
    use rustls::pki_types::pem::PemObject;
    let device = bench.authority.device("pi-7");
    let der = rustls::pki_types::CertificateDer::from_pem_slice(device.certificate.as_bytes()).unwrap();
    let tls = trust::mutual(&bench.authority.pem(), &device.certificate, &device.key, synced()).unwrap();
    (der.to_vec(), Arc::new(tls))
}

#[tokio::test]
async fn another_certificate_is_proven_only_once_the_link_is_up_with_it() {
    let bench = start().await;
    let _first = Session::ready(&bench.server).await;
    until(&bench.link, LinkState::Up(1)).await;
    let (der, tls) = next(&bench);
    let mut verdict = bench.link.try_with(tls).await;
    let mut second = Session::accept(&bench.server).await;
    assert_eq!(second.shown(), der);
    second.send(&[0x20, 3, 0, 0, 0]).await;
    assert!(verdict.try_recv().is_err(), "not before the subscription");
    second.subscribed(1).await;
    assert_eq!(timeout(PATIENT, verdict).await.unwrap().unwrap(), Ok(()));
    drop(second);
    let third = Session::ready(&bench.server).await;
    assert_eq!(third.shown(), der, "it stays with it");
}

#[tokio::test]
async fn a_certificate_that_is_refused_several_times_gives_way_to_the_former() {
    let bench = start().await;
    let first = Session::ready(&bench.server).await;
    until(&bench.link, LinkState::Up(1)).await;
    let (der, tls) = next(&bench);
    let mut verdict = bench.link.try_with(tls).await;
    for _ in 0..link::TRIES {
        assert!(verdict.try_recv().is_err());
        let refused = Session::accept(&bench.server).await;
        assert_eq!(refused.shown(), der);
        // It hangs up without a word.
        drop(refused);
    }
    assert!(timeout(PATIENT, verdict).await.unwrap().unwrap().is_err());
    let again = Session::ready(&bench.server).await;
    assert_eq!(again.shown(), first.shown());
    until(&bench.link, LinkState::Up(2)).await;
    assert_eq!(*bench.link.refused().borrow(), 0, "the link itself was never refused");
}

#[tokio::test]
async fn a_device_that_is_not_wanted_learns_it() {
    let bench = start().await;
    let mut refused = bench.link.refused();
    // Banned: it says so, and once is enough.
    let mut session = Session::accept(&bench.server).await;
    session.send(&[0x20, 3, 0, 0x8a, 0]).await;
    timeout(PATIENT, refused.wait_for(|refused| *refused >= link::ENOUGH)).await.unwrap().unwrap();
    let _second = Session::ready(&bench.server).await;
    until(&bench.link, LinkState::Up(1)).await;
    assert_eq!(*refused.borrow(), 0);
}
