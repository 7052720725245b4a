//! The connections that there are, by the name in their certificate, and how one is ended. Knows no MQTT.

use super::bucket::Bucket;
use super::limits;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::broadcast, task::JoinHandle};

/// How long a client may take to hear that it is thrown out before it is cut off.
const GRACE: Duration = Duration::from_secs(2);

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Connections(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    stopped: bool,
    last: u64,
    /// By name; the numbers of one name rise, so the first is its oldest connection.
    by_name: HashMap<String, BTreeMap<u64, Open>>,
    /// Lives as long as any connection of the name.
    accounts: HashMap<String, Weak<Account>>,
}

#[derive(Debug)]
struct Open {
    close: broadcast::Sender<()>,
    closed: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// What the connections of one name have in common.
#[derive(Debug)]
pub(super) struct Account {
    pub messages: Bucket,
    pub bytes: Bucket,
    /// Number of the newest connection that was let in: it displaces the older ones.
    pub newest: AtomicU64,
}

impl Account {
    pub fn new(messages: Bucket, bytes: Bucket) -> Self {
        Self { messages, bytes, newest: AtomicU64::new(0) }
    }
}

/// What a connection gets to know of its own end.
pub(super) struct Line {
    /// Tells the client's handler to say good-bye.
    pub close: broadcast::Receiver<()>,
    /// Set before that: from then on nothing that the client says counts.
    pub closed: Arc<AtomicBool>,
    pub account: Arc<Account>,
    /// Rises from connection to connection; never 0.
    pub number: u64,
}

impl Connections {
    /// Runs a connection in a task of its own. It is known before it runs, so that whoever ends all connections
    /// of a name ends this one too, however early it is.
    /// Beyond `most` of one name, its oldest is ended.
    pub fn open<F>(self: &Arc<Self>, name: &str, most: usize, run: impl FnOnce(Line) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut table = self.lock();
        if table.stopped {
            return;
        }
        table.last += 1;
        let number = table.last;
        let (close, receiver) = broadcast::channel(1);
        let closed = Arc::new(AtomicBool::new(false));
        let account = table.account_of(name);
        let connection = run(Line { close: receiver, closed: Arc::clone(&closed), account, number });
        let entry = Entry { connections: Arc::clone(self), name: name.to_owned(), number };
        let task = tokio::spawn(async move {
            connection.await;
            drop(entry);
        });
        let of_name = table.by_name.entry(name.to_owned()).or_default();
        of_name.insert(number, Open { close, closed, task });
        if of_name.len() > most
            && let Some((_, oldest)) = of_name.pop_first()
        {
            tracing::warn!(client = name, "too many connections with one certificate: the oldest is closed");
            oldest.begin_close();
            tokio::spawn(oldest.finish_close());
        }
    }

    /// Ends all connections of a name and waits until they are gone.
    pub async fn close_all_of(&self, name: &str) {
        let ending = self.lock().by_name.remove(name).unwrap_or_default();
        close(ending.into_values().collect()).await;
    }

    /// Ends all connections, lets no new one begin, and waits until they are gone.
    pub async fn close_all(&self) {
        let ending = {
            let mut table = self.lock();
            table.stopped = true;
            std::mem::take(&mut table.by_name)
        };
        close(ending.into_values().flat_map(BTreeMap::into_values).collect()).await;
    }

    pub fn len(&self) -> usize {
        self.lock().by_name.values().map(BTreeMap::len).sum()
    }

    fn forget(&self, name: &str, number: u64) {
        let mut table = self.lock();
        if let Some(of_name) = table.by_name.get_mut(name) {
            of_name.remove(&number);
            if of_name.is_empty() {
                table.by_name.remove(name);
            }
        }
        table.accounts.retain(|_, account| account.strong_count() > 0);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn account_of(&mut self, name: &str) -> Arc<Account> {
        if let Some(account) = self.accounts.get(name).and_then(Weak::upgrade) {
            return account;
        }
        let account = Arc::new(limits::account());
        self.accounts.insert(name.to_owned(), Arc::downgrade(&account));
        account
    }
}

/// Takes a connection out of the table when it ends, even by a panic.
struct Entry {
    connections: Arc<Connections>,
    name: String,
    number: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.connections.forget(&self.name, self.number);
    }
}

impl Open {
    fn begin_close(&self) {
        self.closed.store(true, Ordering::Release);
        // Nobody listens any more: then it is already at its end.
        let _ = self.close.send(());
    }

    /// A client that does not read, or waits for its turn, does not hear: it is cut off.
    async fn finish_close(mut self) {
        if tokio::time::timeout(GRACE, &mut self.task).await.is_err() {
            self.task.abort();
            let _ = self.task.await;
        }
    }
}

async fn close(ending: Vec<Open>) {
    for open in &ending {
        open.begin_close();
    }
    let mut closing = tokio::task::JoinSet::new();
    for open in ending {
        closing.spawn(open.finish_close());
    }
    closing.join_all().await;
}
