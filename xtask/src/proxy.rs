//! A TCP proxy on loopback that misbehaves when asked: it cuts, goes deaf, or gets slow. Knows nothing of what passes.

use crate::error::{Error, Tried};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::sleep,
};

/// What a connection is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Carry.
    Open,
    /// Half-open: swallow everything and tell nobody.
    Deaf,
    /// Reset both sides.
    Cut,
}

/// What the network is like, for all connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// Each piece of data waits this long.
    pub delay: Duration,
    /// Most bytes a second, each way of each connection; 0 for no limit.
    pub bytes_per_s: u32,
}

impl Weather {
    /// A good network.
    pub const FAIR: Self = Self { delay: Duration::ZERO, bytes_per_s: 0 };

    fn pause(self, bytes: usize) -> Duration {
        match self.bytes_per_s {
            0 => self.delay,
            limit => {
                let millis = (bytes as u64).saturating_mul(1000) / u64::from(limit);
                self.delay + Duration::from_millis(millis)
            }
        }
    }
}

#[derive(Default)]
struct Lines {
    last: u64,
    open: BTreeMap<u64, watch::Sender<Mode>>,
}

struct Shared {
    upstream: u16,
    lines: Mutex<Lines>,
    weather: watch::Sender<Weather>,
}

/// A running proxy; dropping it closes everything.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listening: AbortHandle,
}

impl Proxy {
    /// Listens on a free port, and carries to `upstream` on loopback.
    ///
    /// # Errors
    /// When it can't listen.
    pub async fn start(upstream: u16) -> Result<Self, Error> {
        let port = crate::fleet::free_port(None)?;
        let listener = TcpListener::bind(("127.0.0.1", port)).await.tried(|| "start the proxy".to_owned())?;
        let shared = Arc::new(Shared { upstream, lines: Mutex::default(), weather: watch::Sender::new(Weather::FAIR) });
        let listening = tokio::spawn(listen(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { port, shared, listening })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connections that carry.
    pub fn carrying(&self) -> usize {
        let lines = self.shared.lines();
        lines.open.values().filter(|line| *line.borrow() == Mode::Open).count()
    }

    /// Resets one carrying connection (any number names one), or all. How many there were.
    pub fn cut(&self, which: Option<usize>) -> usize {
        self.ask(which, Mode::Cut)
    }

    /// Makes one carrying connection (any number names one) or all half-open, for good. How many there were.
    pub fn deafen(&self, which: Option<usize>) -> usize {
        self.ask(which, Mode::Deaf)
    }

    /// Changes the network for everybody.
    pub fn set_weather(&self, weather: Weather) {
        self.shared.weather.send_replace(weather);
    }

    fn ask(&self, which: Option<usize>, mode: Mode) -> usize {
        let lines = self.shared.lines();
        let carrying: Vec<_> = lines.open.values().filter(|line| *line.borrow() == Mode::Open).collect();
        let chosen = match which {
            Some(any) if !carrying.is_empty() => &carrying[any % carrying.len()..=any % carrying.len()],
            Some(_) => &[],
            None => &carrying[..],
        };
        for line in chosen {
            line.send_replace(mode);
        }
        chosen.len()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    // The set ends its tasks when it is dropped.
    let mut carried = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while carried.try_join_next().is_some() {}
        carried.spawn(serve(client, Arc::clone(&shared)));
    }
}

async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let Ok(upstream) = TcpStream::connect(("127.0.0.1", shared.upstream)).await else {
        return;
    };
    let (ask, asked) = watch::channel(Mode::Open);
    let number = {
        let mut lines = shared.lines();
        lines.last += 1;
        let number = lines.last;
        lines.open.insert(number, ask);
        number
    };
    carry(client, upstream, asked, shared.weather.subscribe()).await;
    shared.lines().open.remove(&number);
}

async fn carry(
    mut client: TcpStream,
    mut upstream: TcpStream,
    mut asked: watch::Receiver<Mode>,
    weather: watch::Receiver<Weather>,
) {
    let misbehaves = {
        let ((from_client, to_client), (from_upstream, to_upstream)) = (client.split(), upstream.split());
        tokio::select! {
            () = pump(from_client, to_upstream, weather.clone()) => false,
            () = pump(from_upstream, to_client, weather) => false,
            _ = asked.changed() => true,
        }
    };
    if misbehaves && *asked.borrow_and_update() == Mode::Deaf {
        swallow(&mut client, &mut upstream, &mut asked).await;
    }
    if misbehaves {
        // A reset, not a good-bye.
        let _ = client.set_zero_linger();
        let _ = upstream.set_zero_linger();
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, weather: watch::Receiver<Weather>) {
    let mut piece = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut piece).await {
        let pause = weather.borrow().pause(n);
        if !pause.is_zero() {
            sleep(pause).await;
        }
        if to.write_all(&piece[..n]).await.is_err() {
            break;
        }
    }
}

/// Neither side learns anything, not even that the other has gone.
async fn swallow(client: &mut TcpStream, upstream: &mut TcpStream, asked: &mut watch::Receiver<Mode>) {
    let (mut client_is_there, mut upstream_is_there) = (true, true);
    let (mut a, mut b) = ([0; 4096], [0; 4096]);
    while client_is_there || upstream_is_there {
        tokio::select! {
            read = client.read(&mut a), if client_is_there => client_is_there = matches!(read, Ok(1..)),
            read = upstream.read(&mut b), if upstream_is_there => upstream_is_there = matches!(read, Ok(1..)),
            _ = asked.changed() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use tokio::time::timeout;

    /// A server that sends back what it gets, and a proxy before it.
    async fn echo() -> (Proxy, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        let proxy = Proxy::start(port).await.unwrap();
        let client = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        (proxy, client)
    }

    async fn soon<T>(what: impl Future<Output = T>) -> T {
        timeout(Duration::from_secs(10), what).await.unwrap()
    }

    async fn says_back(client: &mut TcpStream) -> std::io::Result<[u8; 4]> {
        client.write_all(b"ping").await?;
        let mut back = [0; 4];
        client.read_exact(&mut back).await?;
        Ok(back)
    }

    #[tokio::test]
    async fn it_carries_both_ways_until_it_is_cut() {
        let (proxy, mut client) = echo().await;
        assert_eq!(&soon(says_back(&mut client)).await.unwrap(), b"ping");
        assert_eq!(proxy.carrying(), 1);
        assert_eq!(proxy.cut(Some(7)), 1);
        assert!(soon(client.read_u8()).await.is_err());
        let mut next = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        assert_eq!(&soon(says_back(&mut next)).await.unwrap(), b"ping");
    }

    #[tokio::test]
    async fn a_deaf_connection_swallows_and_stays_open_but_a_new_one_carries() {
        let (proxy, mut client) = echo().await;
        soon(says_back(&mut client)).await.unwrap();
        assert_eq!(proxy.deafen(None), 1);
        assert_eq!((proxy.carrying(), proxy.deafen(None), proxy.cut(Some(0))), (0, 0, 0));
        let answer = timeout(Duration::from_millis(300), says_back(&mut client)).await;
        assert!(answer.is_err(), "neither an answer nor an end was to come, but: {answer:?}");
        let mut next = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        assert_eq!(&soon(says_back(&mut next)).await.unwrap(), b"ping");
    }

    #[tokio::test]
    async fn bad_weather_costs_time_and_loses_nothing() {
        let (proxy, mut client) = echo().await;
        proxy.set_weather(Weather { delay: Duration::from_millis(60), bytes_per_s: 1000 });
        let before = tokio::time::Instant::now();
        assert_eq!(&soon(says_back(&mut client)).await.unwrap(), b"ping");
        assert!(before.elapsed() >= Duration::from_millis(120), "there and back");
    }
}
