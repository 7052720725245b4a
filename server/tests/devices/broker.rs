//! The embedded broker under attack: by devices with good certificates, by strangers, by silence and by floods.

use crate::fleet::{Fleet, SOON, access::Target, client::Client, raw, tools, until};
use server::audit::Actor;
use server::{
    broker::{Broker, MAX_PACKET},
    tls::{HANDSHAKE_TIMEOUT, TlsListener},
};
use shared::Topic;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

struct Running {
    target: Target,
    broker: Broker,
}

async fn embedded() -> Running {
    let fleet = Fleet::new().await;
    let tls = fleet.authority.server_tls(true).unwrap();
    let listener = TlsListener::bind("127.0.0.1:0".parse().unwrap(), tls, HANDSHAKE_TIMEOUT).await.unwrap();
    let broker = Broker::start(listener, fleet.store.clone()).unwrap();
    let port = broker.local_addr().port();
    Running { target: Target { fleet, port }, broker }
}

crate::access_tests!(embedded);

#[tokio::test]
async fn a_refusal_is_said_and_not_only_done() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let pi_1 = fleet.device().await;
    let client = Client::connect(port, &pi_1).await.unwrap();
    for topic in ["tirta/pi-2/up/readings", "tirta/pi-1/up/other", "tirta/pi-1/down/ack", "$SYS/broker", "x"] {
        let refused = client.publish(topic, "forged", false).await.unwrap_err();
        assert!(refused.contains("NotAuthorized"), "{topic}: {refused}");
    }
    for filter in ["#", "tirta/+/down/ack", "$share/g/tirta/pi-1/down/#", "$SYS/#", "tirta/pi-1/up/#"] {
        let refused = client.subscribe(filter).await.unwrap_err();
        assert!(refused.contains("NotAuthorized"), "{filter}: {refused}");
    }
    client.subscribe("tirta/pi-1/down/#").await.unwrap();
    client.publish("tirta/pi-1/up/readings", "fine", false).await.unwrap();
    let output = tools::publish(port, &pi_1, "pi-1", "tirta/pi-2/up/readings", "forged", &[]).await;
    assert!(tools::said(&output).contains("Not authorized"), "{}", tools::said(&output));
}

#[tokio::test]
async fn a_client_id_other_than_the_certificates_name_is_refused_by_name() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let (pi_1, _pi_2) = (fleet.device().await, fleet.device().await);
    for stolen in ["pi-2", "tirta-server", "PI-1", "pi-1 ", "something"] {
        let Err(refused) = Client::connect_as(port, pi_1.tls(), stolen, None).await else {
            panic!("{stolen:?} was let in");
        };
        assert!(refused.contains("ClientIdentifierNotValid"), "{stolen:?}: {refused}");
    }
}

#[tokio::test]
async fn both_current_versions_of_tls_are_spoken() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let pi_1 = fleet.device().await;
    for version in ["tlsv1.3", "tlsv1.2"] {
        let only = ["--tls-version", version];
        let output = tools::publish(port, &pi_1, "pi-1", "tirta/pi-1/up/readings", "x", &only).await;
        assert!(output.status.success(), "{version}: {}", tools::said(&output));
    }
}

#[tokio::test]
async fn a_device_with_too_many_connections_loses_its_oldest_and_a_service_none() {
    let Running { target: Target { fleet, port }, broker } = embedded().await;
    let (pi_1, service) = (fleet.device().await, fleet.service());
    let mut services = Vec::new();
    for number in 0..20 {
        services.push(Client::connect_as(port, service.tls(), &format!("tirta-{number}"), None).await.unwrap());
    }
    let connector = tokio_rustls::TlsConnector::from(pi_1.tls());
    let mut silent = Vec::new();
    for _ in 0..40 {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        silent.push(connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap());
    }
    until("the oldest are closed", async || broker.connection_count() <= 20 + 16).await;
    assert!(services.iter().all(Client::is_connected));
    Client::connect(port, &pi_1).await.expect("the device itself still gets in");
}

#[tokio::test]
async fn services_may_use_any_client_id_and_topic() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let service = fleet.service();
    let mut one = Client::connect_as(port, service.tls(), "tirta-server-1", None).await.unwrap();
    let two = Client::connect_as(port, service.tls(), "anything", None).await.unwrap();
    one.subscribe("$share/servers/tirta/+/up/readings").await.unwrap();
    two.publish("tirta/pi-9/up/readings", "from a tool", false).await.unwrap();
    assert_eq!(one.next().await.1, "from a tool");
}

#[tokio::test]
async fn only_what_a_device_is_and_measures_with_is_retained() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let pi_1 = fleet.device().await;
    let device = Client::connect(port, &pi_1).await.unwrap();
    for level in ["readings", "calibration", "status", "sensors"] {
        device.publish(&format!("tirta/pi-1/up/{level}"), level, true).await.unwrap();
    }
    let mut server = Client::connect(port, &fleet.service()).await.unwrap();
    for filter in Topic::ALL_UP {
        server.subscribe(filter).await.unwrap();
    }
    assert_eq!([server.next().await.1, server.next().await.1], ["status", "sensors"]);
    device.leave().await;

    let will = Some(("tirta/pi-1/up/readings", "batch", true));
    let Err(refused) = Client::connect_as(port, pi_1.tls(), "pi-1", will).await else {
        panic!("a retained last will for readings was let in");
    };
    assert!(refused.contains("NotAuthorized"), "{refused}");
}

#[tokio::test]
async fn a_revoked_device_is_thrown_out_at_once_and_stays_out_while_others_stay_in() {
    let Running { target: Target { fleet, port }, broker } = embedded().await;
    let (pi_1, pi_2) = (fleet.device().await, fleet.device().await);
    let will = Some(("tirta/pi-1/up/status", "lost", true));
    let mut revoked = Client::connect_as(port, pi_1.tls(), "pi-1", will).await.unwrap();
    let other = Client::connect(port, &pi_2).await.unwrap();
    assert!(fleet.store.revoke_device(&pi_1.device(), &Actor::server(), crate::fleet::now()).await.unwrap());
    timeout(Duration::from_secs(5), broker.kick(&pi_1.device())).await.expect("kicking takes no longer");
    revoked.ended_within(Duration::from_secs(2)).await;
    let Err(refused) = Client::connect(port, &pi_1).await else { panic!("a revoked device was let in") };
    assert!(refused.contains("Banned"), "{refused}");
    assert!(other.is_connected());
    other.publish("tirta/pi-2/up/readings", "still here", false).await.unwrap();
}

#[tokio::test]
async fn a_device_that_nobody_enrolled_stays_out_even_with_a_certificate() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let forged = fleet.forge(&fleet.authority, &"pi-77".parse().unwrap(), crate::fleet::now());
    let Err(refused) = Client::connect_as(port, forged.tls(), "pi-77", None).await else {
        panic!("an unknown device was let in");
    };
    assert!(refused.contains("Banned"), "{refused}");
}

#[tokio::test]
async fn a_device_that_reads_nothing_is_thrown_out_all_the_same() {
    let Running { target: Target { fleet, port }, broker } = embedded().await;
    let pi_1 = fleet.device().await;
    let server = Client::connect(port, &fleet.service()).await.unwrap();
    let mut stalled = raw::connect(port, &pi_1).await;
    stalled.write_all(&raw::subscribe_packet("tirta/pi-1/down/#", 0)).await.unwrap();
    until("the subscription is there", async || {
        server.publish("tirta/pi-1/down/ack", vec![b'x'; 60_000], false).await.unwrap();
        raw::waiting_bytes(&stalled) > 0
    })
    .await;
    // Far more than the kernel's buffers hold, and without acks that the broker would wait for: it is in a write now.
    for _ in 0..200 {
        server.publish("tirta/pi-1/down/ack", vec![b'x'; 60_000], false).await.unwrap();
    }
    assert!(fleet.store.revoke_device(&pi_1.device(), &Actor::server(), crate::fleet::now()).await.unwrap());
    timeout(Duration::from_secs(10), broker.kick(&pi_1.device())).await.expect("it is cut off in the end");
    until("only the server is connected", async || broker.connection_count() == 1).await;
}

#[tokio::test]
async fn a_device_that_reads_nothing_does_not_stop_the_others() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let (pi_1, pi_2) = (fleet.device().await, fleet.device().await);
    let server = Client::connect(port, &fleet.service()).await.unwrap();
    let mut stalled = raw::connect(port, &pi_1).await;
    stalled.write_all(&raw::subscribe_packet("tirta/pi-1/down/#", 1)).await.unwrap();
    let mut healthy = Client::connect(port, &pi_2).await.unwrap();
    healthy.subscribe("tirta/pi-2/down/#").await.unwrap();
    for round in 0..300 {
        server.publish("tirta/pi-1/down/ack", vec![b'x'; 60_000], false).await.unwrap();
        server.publish("tirta/pi-2/down/ack", round.to_string(), false).await.unwrap();
    }
    for round in 0..300 {
        assert_eq!(healthy.next().await.1, round.to_string());
    }
    drop(stalled);
}

#[tokio::test]
async fn two_hundred_silent_connections_do_not_stop_a_new_agent() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let pi_1 = fleet.device().await;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let client = timeout(Duration::from_secs(5), Client::connect(port, &pi_1)).await.expect("without waiting").unwrap();
    client.publish("tirta/pi-1/up/readings", "here I am", false).await.unwrap();
    assert_eq!(silent.len(), 300);
}

#[tokio::test]
async fn a_connection_that_never_shakes_hands_is_closed() {
    let fleet = Fleet::new().await;
    let tls = fleet.authority.server_tls(true).unwrap();
    let short = Duration::from_millis(100);
    let listener = TlsListener::bind("127.0.0.1:0".parse().unwrap(), tls, short).await.unwrap();
    let mut silent = TcpStream::connect(listener.local_addr()).await.unwrap();
    // One that says a little and then nothing is no better.
    silent.write_all(&[22, 3, 1]).await.unwrap();
    let end = timeout(SOON, silent.read(&mut [0; 64])).await.expect("closed by the listener");
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}

#[tokio::test]
async fn an_oversized_packet_ends_only_its_own_connection_and_the_largest_batch_passes() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let (pi_1, pi_2) = (fleet.device().await, fleet.device().await);
    let mut server = Client::connect_as(port, fleet.service().tls(), "tirta-server", None).await.unwrap();
    server.subscribe("tirta/+/up/readings").await.unwrap();
    let other = Client::connect(port, &pi_2).await.unwrap();

    let largest = vec![b'x'; shared::message::MAX_PAYLOAD];
    other.publish("tirta/pi-2/up/readings", largest.clone(), false).await.unwrap();
    assert_eq!(server.next().await.1.len(), largest.len());

    let mut hostile = raw::connect(port, &pi_1).await;
    let header = raw::publish_header("tirta/pi-1/up/readings", MAX_PACKET + 1);
    hostile.write_all(&header).await.unwrap();
    let end = timeout(SOON, raw::read_to_end(&mut hostile)).await.expect("closed before the packet is there");
    assert!(end < 100, "{end} bytes came back");
    assert!(other.is_connected() && server.is_connected());
    let back = Client::connect(port, &pi_1).await.unwrap();
    back.publish("tirta/pi-1/up/readings", "small", false).await.unwrap();
    assert_eq!(server.next().await.1, "small");
}

#[tokio::test]
async fn garbage_after_a_good_hand_shake_ends_only_its_own_connection() {
    let Running { target: Target { fleet, port }, broker } = embedded().await;
    let (pi_1, pi_2) = (fleet.device().await, fleet.device().await);
    let other = Client::connect(port, &pi_2).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(pi_1.tls());
    let starts: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: somebody who took the wrong port\r\n\r\n",
        &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0; 100],
        &[0x30, 2, 0, 0],
        &[0x10, 0],
    ];
    for start in starts {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut stream = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
        stream.write_all(start).await.unwrap();
        timeout(SOON, raw::read_to_end(&mut stream)).await.expect("closed by the broker");
    }
    until("they are all gone", async || broker.connection_count() == 1).await;
    other.publish("tirta/pi-2/up/readings", "still here", false).await.unwrap();
}

#[tokio::test]
async fn nothing_that_a_device_sends_after_its_connect_stops_the_broker() {
    let Running { target: Target { fleet, port }, broker } = embedded().await;
    let (pi_1, pi_2) = (fleet.device().await, fleet.device().await);
    let mut server = Client::connect(port, &fleet.service()).await.unwrap();
    server.subscribe("tirta/pi-2/up/readings").await.unwrap();
    let other = Client::connect(port, &pi_2).await.unwrap();
    let mut random = fastrand::Rng::with_seed(2);
    let mut publish = raw::publish_header("tirta/pi-1/up/readings", 30);
    publish.extend([0, 7, 0, b'a', b'b', b'c']);
    let honest = [
        publish,
        raw::subscribe_packet("tirta/pi-1/down/#", 1),
        raw::packet(0x10, b"\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x04pi-1"),
        raw::packet(0x40, &[0, 1]),
        raw::packet(0x62, &[0, 1]),
        raw::packet(0xa2, &[0, 1, 0, 0, 1, b'#']),
        raw::packet(0xe0, &[0x04, 5, 0x11, 0, 0, 1, 0]),
        raw::packet(0xf0, &[0x18, 0]),
    ];
    for _ in 0..80 {
        let mut hostile = raw::connect(port, &pi_1).await;
        for _ in 0..random.usize(1..6) {
            let mut bytes = random.choice(&honest).unwrap().clone();
            for _ in 0..random.usize(0..4) {
                let at = random.usize(0..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes.truncate(random.usize(1..=bytes.len()));
            // It may have been thrown out already.
            let _ = hostile.write_all(&bytes).await;
        }
    }
    other.publish("tirta/pi-2/up/readings", "still here", false).await.unwrap();
    assert_eq!(server.next().await.1, "still here");
    until("the others are gone", async || broker.connection_count() == 2).await;
}

#[tokio::test]
async fn a_silent_client_is_declared_lost_when_its_keep_alive_is_over() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let pi_1 = fleet.device().await;
    let mut server = Client::connect(port, &fleet.service()).await.unwrap();
    server.subscribe("tirta/+/up/status").await.unwrap();
    let mut silent = raw::connect_with(port, &pi_1, 1, Some(("tirta/pi-1/up/status", "lost"))).await;
    assert_eq!(server.next().await, ("tirta/pi-1/up/status".to_owned(), "lost".to_owned()));
    timeout(SOON, raw::read_to_end(&mut silent)).await.expect("closed by the broker");
}

#[tokio::test]
async fn a_device_that_is_back_is_not_declared_lost_by_its_old_connection() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let pi_1 = fleet.device().await;
    let mut server = Client::connect(port, &fleet.service()).await.unwrap();
    server.subscribe("tirta/+/up/status").await.unwrap();
    let mut old = raw::connect_with(port, &pi_1, 30, Some(("tirta/pi-1/up/status", "lost"))).await;
    let back = Client::connect(port, &pi_1).await.unwrap();
    // The old connection's end is over, and with it the moment for its last will.
    timeout(SOON, raw::read_to_end(&mut old)).await.expect("the broker lets the old connection go");
    back.publish("tirta/pi-1/up/status", "online", true).await.unwrap();
    assert_eq!(server.next().await.1, "online");
    back.publish("tirta/pi-1/up/status", "still online", true).await.unwrap();
    assert_eq!(server.next().await.1, "still online");
}

#[tokio::test]
async fn a_flood_is_slowed_down_and_hurts_nobody_else() {
    let Running { target: Target { fleet, port }, broker: _broker } = embedded().await;
    let (pi_1, pi_2) = (fleet.device().await, fleet.device().await);
    let mut server = Client::connect(port, &fleet.service()).await.unwrap();
    server.subscribe("tirta/pi-2/up/readings").await.unwrap();
    let flooder = Client::connect(port, &pi_1).await.unwrap();
    let flood = tokio::spawn(async move {
        let begin = tokio::time::Instant::now();
        for _ in 0..499 {
            flooder.throw("tirta/pi-1/up/readings", "x").await;
        }
        flooder.publish("tirta/pi-1/up/readings", "last", false).await.unwrap();
        begin.elapsed()
    });
    let polite = Client::connect(port, &pi_2).await.unwrap();
    for round in 0..50 {
        polite.publish("tirta/pi-2/up/readings", round.to_string(), false).await.unwrap();
        assert_eq!(server.next().await.1, round.to_string());
    }
    // 300 at once, the rest at 100 a second; a slow machine only makes it longer.
    let took = flood.await.unwrap();
    assert!(took > Duration::from_millis(1900), "500 messages took {took:?}");
}

#[tokio::test]
async fn stopping_lets_everybody_go_and_frees_the_port() {
    let Running { target: Target { fleet, port }, broker } = embedded().await;
    let pi_1 = fleet.device().await;
    let mut client = Client::connect(port, &pi_1).await.unwrap();
    timeout(SOON, broker.stop()).await.unwrap();
    client.ended().await;
    assert_eq!(broker.connection_count(), 0);
    until("the port is free", async || std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()).await;
}
