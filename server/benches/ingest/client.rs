//! A device as lean as can be: MQTT 5 by hand over TLS, because it shares the machine with what it measures.

use rustls_pki_types::ServerName;
use shared::{Ack, BufferId, DeviceName, Topic};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

const CONNECT: u8 = 0x10;
const PUBLISH: u8 = 0x30;
const PUBLISH_QOS1: u8 = 0x32;
const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;

/// As long as an agent waits for an ack before it sends again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connected device.
pub struct Client {
    stream: TlsStream<TcpStream>,
    topic: String,
    input: Vec<u8>,
    output: Vec<u8>,
    packet: u16,
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

impl Client {
    /// Connects and subscribes to what comes down.
    pub async fn connect(name: &DeviceName, port: u16, tls: Arc<rustls::ClientConfig>) -> io::Result<Self> {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
        tcp.set_nodelay(true)?;
        let host = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let stream = TlsConnector::from(tls).connect(host, tcp).await?;
        let topic = Topic::Readings(name.clone()).to_string();
        let mut client = Self { stream, topic, input: vec![], output: vec![], packet: 0 };
        // MQTT 5, clean start, keep alive 0, no properties.
        let mut body = b"\0\x04MQTT\x05\x02\0\0\0".to_vec();
        put_text(&mut body, name.as_str());
        client.put(CONNECT, &[&body]);
        let mut body = vec![0, 1, 0];
        for topic in Topic::down(name) {
            put_text(&mut body, &topic.to_string());
            body.push(1);
        }
        client.put(SUBSCRIBE, &[&body]);
        client.flush().await?;
        let (kind, connected) = client.packet().await?;
        if kind >> 4 != 2 || connected.get(1) != Some(&0) {
            return Err(broken("no CONNACK"));
        }
        while client.packet().await?.0 >> 4 != 9 {}
        Ok(client)
    }

    /// Publishes a batch and waits until the server says that it is committed through `last`.
    pub async fn deliver(&mut self, payload: &[u8], buffer: BufferId, last: u64) -> io::Result<()> {
        loop {
            self.publish(payload).await?;
            match tokio::time::timeout(PATIENCE, self.committed(buffer, last)).await {
                Ok(done) => return done,
                Err(_) => eprintln!("  {}: sent again", self.topic),
            }
        }
    }

    async fn publish(&mut self, payload: &[u8]) -> io::Result<()> {
        self.packet = self.packet.checked_add(1).unwrap_or(1);
        let (topic, packet) = (std::mem::take(&mut self.topic), self.packet.to_be_bytes());
        let length = u16::try_from(topic.len()).unwrap_or_default().to_be_bytes();
        self.put(PUBLISH_QOS1, &[&length, topic.as_bytes(), &packet, &[0], payload]);
        self.topic = topic;
        self.flush().await
    }

    async fn committed(&mut self, buffer: BufferId, last: u64) -> io::Result<()> {
        loop {
            let (kind, body) = self.packet().await?;
            if kind & 0xf0 != PUBLISH {
                continue;
            }
            let ack = self.take_publish(kind, &body)?;
            if ack.rejected.is_some() {
                return Err(broken("the server rejects the batch"));
            }
            if ack.buffer == Some(buffer) && ack.through >= Some(last) {
                // The PUBACK goes with the next batch.
                return Ok(());
            }
        }
    }

    /// Sends what is still to be sent and says good-bye.
    pub async fn close(mut self) -> io::Result<()> {
        self.put(0xe0, &[]);
        self.flush().await?;
        self.stream.shutdown().await
    }

    fn take_publish(&mut self, kind: u8, body: &[u8]) -> io::Result<Ack> {
        let short = || broken("a PUBLISH is too short");
        let (length, rest) = body.split_first_chunk::<2>().ok_or_else(short)?;
        let mut rest = rest.get(usize::from(u16::from_be_bytes(*length))..).ok_or_else(short)?;
        if kind & 0x06 != 0 {
            let (packet, after) = rest.split_first_chunk::<2>().ok_or_else(short)?;
            self.put(PUBACK, &[packet]);
            rest = after;
        }
        // Fewer than 128 bytes of properties, so that their length is one byte.
        let (&properties, after) = rest.split_first().ok_or_else(short)?;
        let payload = after.get(usize::from(properties)..).ok_or_else(short)?;
        Ack::decode(payload).map_err(io::Error::other)
    }

    fn put(&mut self, kind: u8, parts: &[&[u8]]) {
        self.output.push(kind);
        let mut length: usize = parts.iter().map(|part| part.len()).sum();
        while length >= 0x80 {
            self.output.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        self.output.push(length as u8);
        parts.iter().for_each(|part| self.output.extend_from_slice(part));
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.output).await?;
        self.stream.flush().await?;
        self.output.clear();
        Ok(())
    }

    async fn packet(&mut self) -> io::Result<(u8, Vec<u8>)> {
        loop {
            if let Some(packet) = take_packet(&mut self.input) {
                return Ok(packet);
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

fn take_packet(input: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (mut length, mut at) = (0_usize, 1);
    loop {
        let byte = *input.get(at)?;
        length |= usize::from(byte & 0x7f) << (7 * (at - 1));
        at += 1;
        if byte < 0x80 {
            break;
        }
    }
    let body = input.get(at..at + length)?.to_vec();
    let kind = input[0];
    input.drain(..at + length);
    Some((kind, body))
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or_default().to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}
