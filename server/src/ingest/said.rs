//! What devices say besides readings: how they are, what they measure with, and how a calibration goes.
//! Knows no payload but by the types of `shared`.

use super::{Ingest, runs::Runs};
use crate::identity::Concern;
use crate::link::{Link, LinkError};
use crate::live::Event;
use crate::store::{KeptRecord, Recording, Store, StoreError};
use shared::calibration::{Calibration, CalibrationRecord, RecordId};
use shared::message::calibrate::{CalibrationDown, CalibrationUp, News, Order, View};
use shared::message::{LinkState, MessageError, Renewal, Sensors};
use shared::sensor::Sensor;
use shared::{ClockQuality, DeviceName, Metric, ServerTime, Status, Topic, UtcMillis};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Views of a calibration that a device may have shown in a second: it sends about one.
const VIEWS: Rate = Rate { most: 10, period_ms: 1000 };
/// Records and sensors of a device that are taken: a technician makes a few a day. What is more is said again later.
const RECORDS: Rate = Rate { most: 60, period_ms: 3_600_000 };
const SENSORS: Rate = Rate { most: 20, period_ms: 3_600_000 };
/// Renewals of a certificate that are taken: a device needs one a month.
const RENEWALS: Rate = Rate { most: 10, period_ms: 60_000 };
/// Complaints about a device that may be logged: a refused record is said again and again.
const COMPLAINTS: Rate = Rate { most: 1, period_ms: 60_000 };

/// What a device says.
pub(super) enum Said {
    Status(Status),
    Sensors(Sensors),
    View(Box<View>),
    Record(Box<CalibrationRecord>),
    Renewal(Renewal),
}

/// What a device said, on its way.
pub(super) struct Heard {
    pub(super) device: DeviceName,
    pub(super) said: Said,
    /// Held until it is done with: it counts against what the link may queue.
    pub(super) _room: OwnedSemaphorePermit,
}

/// Why something that a device says is not kept.
#[derive(Debug, thiserror::Error)]
enum SaidError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("the device is not registered, or revoked")]
    NoDevice,
    #[error("calibration {id}: {field}: {fix}")]
    Record { id: RecordId, field: &'static str, fix: &'static str },
    #[error("sensor of {metric}: {field}: {fix}")]
    Sensor { metric: Metric, field: &'static str, fix: &'static str },
    #[error("it says more records of calibrations, sensors or renewals than are taken")]
    TooMany,
}

impl Said {
    /// Reads a message; `None` if its topic is one of another kind.
    pub(super) fn decode(topic: &Topic, payload: &[u8]) -> Result<Option<Self>, MessageError> {
        Ok(match topic {
            Topic::Status(_) => Some(Self::Status(Status::decode(payload)?)),
            Topic::Sensors(_) => Some(Self::Sensors(Sensors::decode(payload)?)),
            Topic::CalibrationUp(_) => Some(match CalibrationUp::decode(payload)?.news {
                News::View(view) => Self::View(Box::new(view)),
                News::Record(record) => Self::Record(Box::new(record)),
            }),
            Topic::Renewal(_) => Some(Self::Renewal(Renewal::decode(payload)?)),
            Topic::Readings(_)
            | Topic::Ack(_)
            | Topic::Settings(_)
            | Topic::CalibrationDown(_)
            | Topic::Time(_)
            | Topic::Certificate(_) => None,
        })
    }
}

/// How often something may happen for each device.
struct Rate {
    most: u32,
    period_ms: i64,
}

/// What has happened in the present period of each device.
#[derive(Default)]
struct Happened(HashMap<DeviceName, (i64, u32)>);

impl Happened {
    /// Whether once more is within the rate.
    fn again(&mut self, device: &DeviceName, rate: &Rate, now: UtcMillis) -> bool {
        let (since, times) = self.0.entry(device.clone()).or_insert((now.0, 0));
        // A clock that was set back ends the period too.
        if !(0..rate.period_ms).contains(&(now.0 - *since)) {
            (*since, *times) = (now.0, 0);
        }
        *times += 1;
        *times <= rate.most
    }
}

/// Tells a device its settings, with all calibrations in force. The message is retained, so it also reaches one that
/// connects later; when the broker may have forgotten it, it is published again.
///
/// # Errors
/// When the database fails, or the link takes nothing now.
pub async fn publish_settings(link: &Link, store: &Store, device: &DeviceName) -> Result<(), PublishError> {
    for (device, settings) in store.settings(Some(device)).await? {
        link.try_publish(&Topic::Settings(device), settings.encode(), true)?;
    }
    Ok(())
}

/// Why settings are not sent now.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// They can't be read.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// They can't be sent.
    #[error("{0}")]
    Link(#[from] LinkError),
}

impl Ingest {
    /// Records what devices say until no more comes.
    pub(super) async fn record_all(self: Arc<Self>, mut heard: mpsc::Receiver<Heard>) {
        let (mut views, mut complaints) = (Happened::default(), Happened::default());
        let (mut records, mut sensors_said) = (Happened::default(), Happened::default());
        let (mut renewals, mut runs) = (Happened::default(), Runs::default());
        while let Some(Heard { device, said, _room }) = heard.recv().await {
            let now = self.clock.now();
            let done = match said {
                Said::Status(status) => {
                    // Only a live word counts: the broker says the last will, perhaps after a newer run has begun.
                    let run = status.run.filter(|_| status.state == LinkState::Online);
                    if run.is_some_and(|run| runs.are_two(&device, run)) {
                        self.concerned(Concern::SharedKey { device: device.clone() });
                    }
                    self.record_status(&device, &status, now).await
                }
                Said::Renewal(_) if !renewals.again(&device, &RENEWALS, now) => Err(SaidError::TooMany),
                Said::Renewal(renewal) => {
                    self.concerned(Concern::Renewal { device: device.clone(), csr: renewal.csr });
                    Ok(())
                }
                Said::Sensors(_) if !sensors_said.again(&device, &SENSORS, now) => Err(SaidError::TooMany),
                Said::Record(_) if !records.again(&device, &RECORDS, now) => Err(SaidError::TooMany),
                Said::Sensors(sensors) => self.record_sensors(&device, &sensors, now).await,
                Said::Record(record) => self.record_calibration(&device, &record, now).await,
                Said::View(view) => {
                    if self.live.is_watched() && views.again(&device, &VIEWS, now) {
                        self.live.publish(Event::Calibration { device: device.clone(), view: Arc::from(view) });
                    }
                    Ok(())
                }
            };
            if let Err(error) = done
                && complaints.again(&device, &COMPLAINTS, now)
            {
                tracing::warn!(%device, %error, "what a device says is not kept");
            }
        }
    }

    /// What is dropped here is noticed, or asked for, again.
    fn concerned(&self, concern: Concern) {
        if let Err(error) = self.concerns.try_send(concern) {
            tracing::warn!(%error, "too much concerns identities at once: one is passed over");
        }
    }

    async fn record_status(&self, device: &DeviceName, status: &Status, now: UtcMillis) -> Result<(), SaidError> {
        if !self.store.record_status(device, status, now).await? {
            return Err(SaidError::NoDevice);
        }
        self.help_clock(device, status);
        self.live.publish(Event::Device { name: device.clone() });
        Ok(())
    }

    /// Tells a device the time whose own clock is not synced. One that says nothing of its clock knows no such message.
    fn help_clock(&self, device: &DeviceName, status: &Status) {
        let needs = status.clock.is_some_and(|clock| clock != ClockQuality::Synced);
        if !needs || status.state != LinkState::Online {
            return;
        }
        let time = ServerTime::new(self.clock.now());
        if let Err(error) = self.link.try_publish(&Topic::Time(device.clone()), time.encode(), false) {
            tracing::debug!(%error, "the time is not sent; the device's next status asks again");
        }
    }

    async fn record_sensors(&self, device: &DeviceName, sensors: &Sensors, now: UtcMillis) -> Result<(), SaidError> {
        for (&metric, report) in &sensors.probes {
            report.check().map_err(|(field, fix)| SaidError::Sensor { metric, field, fix })?;
        }
        if self.store.record_sensors(device, sensors, now).await? {
            self.live.publish(Event::Device { name: device.clone() });
        }
        Ok(())
    }

    /// After the commit: the settings that contain it, then the answer that ends its being said.
    async fn record_calibration(
        &self,
        device: &DeviceName,
        record: &CalibrationRecord,
        now: UtcMillis,
    ) -> Result<(), SaidError> {
        let refuse = |(field, fix)| SaidError::Record { id: record.id, field, fix };
        check(record).map_err(refuse)?;
        let reported = self.store.device(device).await?.and_then(|device| device.status).map_or(0, |s| s.settings);
        let kept = match self.store.add_calibration(device, record, reported, now).await? {
            Recording::Stored(kept) => {
                tracing::info!(%device, record = %record.id, metric = %record.metric, "calibrated");
                self.live.publish(Event::Device { name: device.clone() });
                kept
            }
            Recording::Known(kept) => kept,
            Recording::NoDevice => return Err(SaidError::NoDevice),
            Recording::OfAnother | Recording::NotInForce | Recording::Unknown => {
                return Err(refuse(("id", "another device has a record of this id")));
            }
        };
        self.answer_record(device, &kept).await;
        Ok(())
    }

    /// What does not get through is no harm: the device says the record again.
    async fn answer_record(&self, device: &DeviceName, kept: &KeptRecord) {
        let order = Order::Recorded { id: kept.record.id, settings: kept.settings };
        let answer = CalibrationDown::new(order).encode();
        let told = match publish_settings(&self.link, &self.store, device).await {
            Ok(()) => self.link.try_publish(&Topic::CalibrationDown(device.clone()), answer, false).map_err(Into::into),
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::debug!(%device, %error, "a calibration is kept, but not answered yet");
        }
    }

    /// A broker that was restarted may have forgotten what it retained.
    pub(super) async fn publish_all_settings(self: Arc<Self>) {
        let all = match self.store.settings(None).await {
            Ok(all) => all,
            Err(error) => return tracing::warn!(%error, "the devices' settings are not published"),
        };
        for (device, settings) in all {
            if self.link.publish(&Topic::Settings(device), settings.encode(), true).await.is_err() {
                return;
            }
        }
    }
}

/// Checks a record from outside; the field that is wrong, and what to do about it.
fn check(record: &CalibrationRecord) -> Result<(), (&'static str, &'static str)> {
    record.check()?;
    if record.undoes.is_some() {
        return Err(("undoes", "a calibration is taken back at the dashboard or with `tirta calibrations undo`"));
    }
    let takes =
        |calibration: &Calibration| Sensor::usual(record.metric).is_none_or(|sensor| sensor.law().takes(calibration));
    if record.calibration.as_ref().is_none_or(takes) {
        Ok(())
    } else {
        Err(("calibration", "it is one of another kind of probe"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_device_says_too_often_is_passed_over_until_its_period_ends_and_others_are_heard() {
        let mut happened = Happened::default();
        let (one, other) = (DeviceName::numbered(1), DeviceName::numbered(2));
        let mut at = |device: &DeviceName, ms| happened.again(device, &VIEWS, UtcMillis(ms));
        assert_eq!((0..12).filter(|n| at(&one, 5000 + n)).count(), 10);
        assert!(at(&other, 5020));
        assert!(!at(&one, 5999));
        assert!(at(&one, 6000));
        assert!(at(&one, 10), "a clock that was set back silences nobody");
    }
}
