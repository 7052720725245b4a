//! Makes a file piece by piece, each when the one before was taken: a part of the readings is asked of the store, written, sent
//! and forgotten. Whoever takes it sees the end only if all of it was sent.

use super::file::File;
use super::line::{HEADING, MARK, place, put};
use super::logs::{self, Page};
use super::{Order, Running, Source};
use crate::store::{Part, Store, StoreError};
use serde_json::json;
use shared::Metric;
use std::{io, sync::Arc};
use tokio::sync::mpsc::Sender;
use zip::result::ZipError;

/// What is sent.
#[derive(Debug)]
pub enum Piece {
    /// The next bytes.
    Bytes(Vec<u8>),
    /// The file is whole. Who does not get this has not got all of it.
    End,
}

/// Why a file breaks off.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive can't hold it.
    #[error("the archive: {0}")]
    Archive(#[from] ZipError),
    /// Bytes could not be packed.
    #[error("writing: {0}")]
    Io(#[from] io::Error),
    /// A table could not be written.
    #[error("a table: {0}")]
    Table(#[from] csv::Error),
    /// A part could not be written as JSON.
    #[error("a part: {0}")]
    Json(#[from] serde_json::Error),
    /// A text could not be made.
    #[error("a line: {0}")]
    Line(#[from] std::fmt::Error),
    /// What wrote it has ended.
    #[error("what wrote the file has ended: {0}")]
    Ended(#[from] tokio::task::JoinError),
    /// Nobody takes it any more.
    #[error("nobody takes the file any more")]
    NotTaken,
}

/// Makes the file and sends it.
///
/// # Errors
/// When it can't be made to its end, or nobody takes it.
pub async fn make(store: Store, order: Order, to: Sender<Piece>, running: &Running) -> Result<(), Broken> {
    let file = File::new(&order);
    let mut maker = Maker { store, order: Arc::new(order), file, to, running };
    maker.readings().await?;
    let Maker { file, to, .. } = maker.logs().await?;
    let last = tokio::task::spawn_blocking(move || file.finish()).await??;
    send(&to, running, last).await?;
    to.send(Piece::End).await.map_err(|_| Broken::NotTaken)?;
    running.done();
    Ok(())
}

struct Maker<'a> {
    store: Store,
    order: Arc<Order>,
    file: File,
    to: Sender<Piece>,
    running: &'a Running,
}

impl Maker<'_> {
    async fn readings(&mut self) -> Result<(), Broken> {
        if matches!(self.file, File::Archive { .. }) {
            let text = read_me(&self.order);
            self.write(move |file, _| {
                file.begin("README.txt", 0)?;
                file.write(text.as_bytes(), 0)
            })
            .await?;
        } else {
            self.write(|file, _| heading(file)).await?;
        }
        for n in 0..self.order.sources.len() {
            self.device(n).await?;
        }
        Ok(())
    }

    async fn device(&mut self, n: usize) -> Result<(), Broken> {
        let order = Arc::clone(&self.order);
        let Some(source) = order.sources.get(n) else { return Ok(()) };
        if matches!(self.file, File::Archive { .. }) {
            let (name, about) = (format!("readings/{}.csv", source.device), source.about);
            self.write(move |file, _| {
                file.begin(&name, about)?;
                heading(file)
            })
            .await?;
        }
        let mut from = order.from;
        loop {
            let part = self.store.part(&source.device, &source.metrics, (from, order.to)).await?;
            let next = part.next;
            let rows = self.write(move |file, order| lines(file, order, n, &part)).await?;
            self.running.wrote(rows);
            match next {
                Some(next) => from = next,
                None => return Ok(()),
            }
        }
    }

    /// The rest of an archive: what happened meanwhile, and at last what is in it.
    async fn logs(mut self) -> Result<Self, Broken> {
        if !matches!(self.file, File::Archive { .. }) {
            return Ok(self);
        }
        let names = logs::names(&self.order);
        for log in ["alerts", "outages", "calibrations"] {
            self.write(move |file, _| file.begin(&format!("logs/{log}.csv"), 0)).await?;
            let mut behind = None;
            loop {
                let (store, order) = (&self.store, Arc::clone(&self.order));
                let Page { text, rows, next } = match log {
                    "alerts" => logs::alerts(store, &order, &names, behind).await?,
                    "outages" => logs::outages(store, &order, &names, behind).await?,
                    _ => logs::calibrations(store, &order, behind).await?,
                };
                self.write(move |file, _| file.write(&text, rows)).await?;
                if next.is_none() {
                    break;
                }
                behind = next;
            }
        }
        self.write(|file, order| {
            let text = manifest(file, order)?;
            file.begin("manifest.json", 0)?;
            file.write(&text, 0)
        })
        .await?;
        Ok(self)
    }

    /// Writes into the file where that keeps nobody waiting, and sends what is ready.
    async fn write<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut File, &Order) -> Result<T, Broken> + Send + 'static,
    ) -> Result<T, Broken> {
        let (mut file, order) = (std::mem::replace(&mut self.file, File::Table(vec![])), Arc::clone(&self.order));
        let written = tokio::task::spawn_blocking(move || {
            let answer = work(&mut file, &order)?;
            let ready = file.take();
            Ok::<_, Broken>((file, ready, answer))
        });
        let (file, ready, answer) = written.await??;
        self.file = file;
        send(&self.to, self.running, ready).await?;
        Ok(answer)
    }
}

async fn send(to: &Sender<Piece>, running: &Running, bytes: Vec<u8>) -> Result<(), Broken> {
    if bytes.is_empty() {
        // A long search that finds nothing must end, too, when nobody waits for it.
        return if to.is_closed() { Err(Broken::NotTaken) } else { Ok(()) };
    }
    let length = bytes.len() as u64;
    to.send(Piece::Bytes(bytes)).await.map_err(|_| Broken::NotTaken)?;
    running.sent(length);
    Ok(())
}

fn heading(file: &mut File) -> Result<(), Broken> {
    file.write(MARK.as_bytes(), 0)?;
    file.write(HEADING.as_bytes(), 0)
}

fn lines(file: &mut File, order: &Order, n: usize, part: &Part) -> Result<u64, Broken> {
    let Some(Source { device, location, .. }) = order.sources.get(n) else { return Ok(0) };
    let place = place(device, location.as_deref());
    let meant = part.readings.iter().filter(|revised| order.status.takes(&revised.reading));
    let (mut text, mut rows) = (String::new(), 0);
    for revised in meant {
        put(&mut text, &place, revised, &order.zone)?;
        rows += 1;
    }
    file.write(text.as_bytes(), rows)?;
    Ok(rows)
}

/// What is in the archive: whoever misses this has not got all of it.
fn manifest(file: &File, order: &Order) -> Result<Vec<u8>, serde_json::Error> {
    let units: serde_json::Map<_, _> =
        Metric::ALL.iter().map(|metric| (metric.to_string(), metric.unit().symbol().into())).collect();
    let members: Vec<_> = file.members().iter().filter(|member| member.name != "README.txt").collect();
    serde_json::to_vec_pretty(&json!({
        "tirta_export": 1,
        "made_at_utc": super::line::utc(order.at.0),
        "from_utc": super::line::utc(order.from.0),
        "to_utc": super::line::utc(order.to.0),
        "time_zone": order.zone.iana_name(),
        "status": order.status,
        "location": order.location,
        "devices": order.sources.iter().map(|source| source.device.to_string()).collect::<Vec<_>>(),
        "units": units,
        "files": members,
    }))
}

fn read_me(order: &Order) -> String {
    let (from, to, at) = (super::line::utc(order.from.0), super::line::utc(order.to.0), super::line::utc(order.at.0));
    let zone = order.zone.iana_name().unwrap_or("UTC");
    format!(
        "Tirta: {from} - {to}\r\n\r\n\
         Dibuat {at}. Berkas readings/ memuat pembacaan tiap perangkat, logs/ memuat peringatan, hilang kontak dan\r\n\
         kalibrasi pada waktu itu. Waktu dalam UTC dan {zone}. manifest.json menyebut jumlah baris tiap berkas;\r\n\
         bila berkas itu tidak ada, unduhan ini terputus: ulangi.\r\n\r\n\
         Made {at}. The files in readings/ hold the readings of each device, those in logs/ the alerts, outages and\r\n\
         calibrations of that time. Times are in UTC and {zone}. manifest.json says how many lines each file has;\r\n\
         if it is missing, the download was cut off: repeat it.\r\n\r\n\
         signal_mv, spread_mv: mV. A probe that failed has no value but a fault. flags: simulated = not from water.\r\n"
    )
}
