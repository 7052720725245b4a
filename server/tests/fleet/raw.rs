//! An MQTT client of our own making, which does only what it is told: nonsense, half a packet, or not even read.

use super::{Card, SOON};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

pub type Raw = tokio_rustls::client::TlsStream<TcpStream>;

/// Connects with a long keep-alive and no last will.
pub async fn connect(port: u16, card: &Card) -> Raw {
    connect_with(port, card, 600, None).await
}

/// Connects and reads the CONNACK, which must be good.
pub async fn connect_with(port: u16, card: &Card, keep_alive: u16, will: Option<(&str, &str)>) -> Raw {
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(card.tls());
    let mut stream = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
    let mut body = b"\x00\x04MQTT\x05".to_vec();
    // Clean start; a will of QoS 1, retained.
    body.push(if will.is_some() { 0b0010_1110 } else { 0b0000_0010 });
    body.extend(keep_alive.to_be_bytes());
    body.push(0);
    body.extend(text(&card.name));
    if let Some((topic, message)) = will {
        body.push(0);
        body.extend(text(topic));
        body.extend(text(message));
    }
    stream.write_all(&packet(0x10, &body)).await.unwrap();
    let mut connack = [0; 4];
    timeout(SOON, stream.read_exact(&mut connack)).await.unwrap().unwrap();
    assert_eq!((connack[0], connack[3]), (0x20, 0), "CONNACK {connack:?}");
    let mut rest = vec![0; usize::from(connack[1]) - 2];
    stream.read_exact(&mut rest).await.unwrap();
    stream
}

pub fn text(s: &str) -> Vec<u8> {
    let mut bytes = u16::try_from(s.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(s.as_bytes());
    bytes
}

pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    bytes.extend(variable(body.len()));
    bytes.extend(body);
    bytes
}

pub fn variable(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let more = length >= 128;
        bytes.push(u8::try_from(length % 128).unwrap() | if more { 128 } else { 0 });
        length /= 128;
        if !more {
            return bytes;
        }
    }
}

pub fn subscribe_packet(filter: &str, qos: u8) -> Vec<u8> {
    let mut body = vec![0, 1, 0];
    body.extend(text(filter));
    body.push(qos);
    packet(0x82, &body)
}

/// The beginning of a PUBLISH whose body would have `length` bytes.
pub fn publish_header(topic: &str, length: usize) -> Vec<u8> {
    let mut bytes = vec![0x32];
    bytes.extend(variable(length));
    bytes.extend(text(topic));
    bytes
}

pub async fn read_to_end(stream: &mut Raw) -> usize {
    let mut all = Vec::new();
    // A connection that is reset has ended too.
    let _ = stream.read_to_end(&mut all).await;
    all.len()
}

/// Bytes that wait to be read on the socket.
pub fn waiting_bytes(stream: &Raw) -> usize {
    let mut buffer = [0; 1];
    let peeked = stream.get_ref().0.try_io(tokio::io::Interest::READABLE, || {
        use std::os::fd::AsFd;
        let socket = std::net::TcpStream::from(stream.get_ref().0.as_fd().try_clone_to_owned()?);
        socket.peek(&mut buffer)
    });
    peeked.unwrap_or(0)
}
