//! What the server says to this device: acknowledgements go to the uplink, orders of a calibration to its desk,
//! certificates to whoever looks after them, settings are saved and applied, its time helps a clock that is not synced.
//! A message that can't be read is logged and otherwise ignored.

use crate::calibrate::Desk;
use crate::link::Message;
use crate::repeats::Repeats;
use crate::sampler::Intervals;
use crate::settings::SettingsFile;
use crate::time::Time;
use shared::message::Certificate;
use shared::message::calibrate::CalibrationDown;
use shared::{Ack, DeviceName, ServerTime, Settings, Topic};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

/// How often settings are tried again that could not be saved.
const AGAIN: Duration = Duration::from_secs(60);

/// Where messages go.
pub struct Downlink {
    /// This device: messages to others should not come, and are ignored.
    pub device: DeviceName,
    /// The uplink's inbox.
    pub acks: mpsc::Sender<Ack>,
    /// Who looks after this device's certificate.
    pub certificates: mpsc::Sender<Certificate>,
    /// The settings in force.
    pub settings: std::sync::Arc<SettingsFile>,
    /// The sampler's intervals.
    pub intervals: Intervals,
    /// What was said of messages that can't be read.
    pub repeats: Repeats,
    /// Takes the orders of a calibration, and sees for itself when settings bring another one.
    pub desk: Desk,
    /// The clock.
    pub time: Time,
}

impl Downlink {
    /// Takes messages until the link is gone.
    pub async fn run(self, mut inbox: mpsc::Receiver<Message>) {
        let mut again = interval(AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = inbox.recv() => match message {
                    Some(message) => self.take(&message),
                    None => return,
                },
                _ = again.tick() => if self.settings.try_again() {
                    self.apply_intervals();
                },
            }
        }
    }

    fn apply_intervals(&self) {
        self.intervals.apply(&self.settings.watch().borrow().intervals);
    }

    fn take(&self, message: &Message) {
        let unreadable = |problem: &dyn std::fmt::Display| {
            let problem = problem.to_string();
            if let Some(unsaid) = self.repeats.say(&problem, Instant::now()) {
                tracing::warn!(topic = %message.topic, bytes = message.payload.len(), ?problem, unsaid, "a message of the server can't be read");
            }
        };
        match Topic::parse(&message.topic) {
            Some(Topic::Ack(device)) if device == self.device => match Ack::decode(&message.payload) {
                // A full inbox means that the uplink is far behind: it will send again and be answered again.
                Ok(ack) => drop(self.acks.try_send(ack)),
                Err(problem) => unreadable(&problem),
            },
            Some(Topic::Settings(device)) if device == self.device => match Settings::decode(&message.payload) {
                Ok(settings) => {
                    if self.settings.offer(settings) {
                        self.apply_intervals();
                    }
                }
                Err(problem) => unreadable(&problem),
            },
            Some(Topic::CalibrationDown(device)) if device == self.device => {
                match CalibrationDown::decode(&message.payload) {
                    Ok(down) => self.desk.order(down.order),
                    Err(problem) => unreadable(&problem),
                }
            }
            Some(Topic::Certificate(device)) if device == self.device => match Certificate::decode(&message.payload) {
                // One too many can be asked for again.
                Ok(certificate) => drop(self.certificates.try_send(certificate)),
                Err(problem) => unreadable(&problem),
            },
            Some(Topic::Time(device)) if device == self.device => match ServerTime::decode(&message.payload) {
                Ok(server) => self.time.server_said(server.time),
                Err(problem) => unreadable(&problem),
            },
            _ => unreadable(&"it is none of this device's topics"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::Sampler;
    use crate::time::{Discipline, SystemClock};
    use shared::calibration::RecordId;
    use shared::message::calibrate::Order;
    use shared::{BufferId, ClockQuality};
    use std::sync::Arc;

    struct Bench {
        downlink: Downlink,
        acks: mpsc::Receiver<Ack>,
        offers: mpsc::Receiver<Certificate>,
        orders: Box<dyn FnMut() -> Option<Order>>,
        _folder: tempfile::TempDir,
    }

    fn bench() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let time = Time::new(Arc::new(SystemClock), Discipline::Assumed);
        let sampler = Sampler::start(vec![], &Settings::default(), &time, |_| {}).unwrap();
        let (sender, acks) = mpsc::channel(1);
        let settings = Arc::new(SettingsFile::open(folder.path(), &time));
        let device = DeviceName::numbered(7);
        let time = Time::new(Arc::new(SystemClock), Discipline::File(folder.path().join("never")));
        let (desk, orders, _) = Desk::without_task();
        let (intervals, repeats) = (sampler.intervals(), Repeats::default());
        let (certificates, offers) = mpsc::channel(1);
        let downlink = Downlink { device, acks: sender, certificates, settings, intervals, repeats, desk, time };
        Bench { downlink, acks, offers, orders: Box::new(orders), _folder: folder }
    }

    fn take(bench: &Bench, topic: &str, payload: &str) {
        bench.downlink.take(&Message { topic: topic.to_owned(), payload: payload.as_bytes().to_vec() });
    }

    #[test]
    fn an_acknowledgement_goes_to_the_uplink() {
        let mut bench = bench();
        take(&bench, "tirta/pi-7/down/ack", r#"{"v":1,"buffer":"00c0ffee00c0ffee","through":42}"#);
        let ack = bench.acks.try_recv().unwrap();
        assert_eq!((ack.buffer, ack.through), (Some(BufferId::from_random(0x00c0_ffee_00c0_ffee)), Some(42)));
    }

    #[test]
    fn an_order_of_a_calibration_goes_to_the_desk() {
        let mut bench = bench();
        let order = r#"{"v":1,"order":"recorded","id":"00000000000000aa","settings":4}"#;
        take(&bench, "tirta/pi-7/down/calibration", order);
        take(&bench, "tirta/pi-8/down/calibration", order);
        take(&bench, "tirta/pi-7/down/calibration", r#"{"v":1,"order":"later"}"#);
        assert_eq!((bench.orders)(), Some(Order::Recorded { id: RecordId::from_random(0xaa), settings: 4 }));
        assert_eq!((bench.orders)(), None);
    }

    #[test]
    fn a_certificate_goes_to_whoever_looks_after_it() {
        let mut bench = bench();
        let certificate = r#"{"v":1,"certificate":"the next","ca":"the authority"}"#;
        take(&bench, "tirta/pi-8/down/certificate", certificate);
        take(&bench, "tirta/pi-7/down/certificate", r#"{"v":1,"certificate":"alone"}"#);
        take(&bench, "tirta/pi-7/down/certificate", certificate);
        let offer = bench.offers.try_recv().unwrap();
        assert_eq!((offer.certificate.as_str(), offer.ca.as_str()), ("the next", "the authority"));
        assert!(bench.offers.try_recv().is_err());
    }

    #[test]
    fn settings_are_saved_and_in_force() {
        let bench = bench();
        take(&bench, "tirta/pi-7/down/settings", r#"{"v":1,"version":3,"interval_ms":{"ph":500},"later":true}"#);
        assert_eq!(bench.downlink.settings.watch().borrow().version, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn settings_that_came_while_the_disk_was_full_are_in_force_once_it_has_room() {
        let Bench { downlink, _folder: folder, .. } = bench();
        let in_the_way = folder.path().join(crate::settings::FILE_NAME);
        std::fs::create_dir_all(in_the_way.join("x")).unwrap();
        let mut settings = downlink.settings.watch();
        let (sender, inbox) = mpsc::channel(1);
        tokio::spawn(downlink.run(inbox));
        let payload = br#"{"v":1,"version":3,"interval_ms":{"ph":500}}"#.to_vec();
        sender.send(Message { topic: "tirta/pi-7/down/settings".to_owned(), payload }).await.unwrap();
        tokio::time::sleep(AGAIN * 3).await;
        assert_eq!(settings.borrow().version, 0);
        std::fs::remove_dir_all(in_the_way).unwrap();
        let saved = settings.wait_for(|settings| settings.version == 3);
        tokio::time::timeout(AGAIN * 2, saved).await.unwrap().unwrap();
    }

    #[test]
    fn the_servers_time_gives_a_clock_that_is_not_synced_its_stamps() {
        let bench = bench();
        assert_eq!(bench.downlink.time.stamp().clock, ClockQuality::Unsynced);
        take(&bench, "tirta/pi-7/down/time", r#"{"v":1,"time":1763690400000}"#);
        let stamp = bench.downlink.time.stamp();
        assert_eq!(stamp.clock, ClockQuality::Repaired);
        assert!((1_763_690_400_000..1_763_690_500_000).contains(&stamp.at.0), "{}", stamp.at);
    }

    #[test]
    fn what_can_not_be_read_or_is_for_another_device_changes_nothing() {
        let mut bench = bench();
        for (topic, payload) in [
            ("tirta/pi-7/down/ack", "not json"),
            ("tirta/pi-7/down/ack", r#"{"v":2,"buffer":"00c0ffee00c0ffee","through":42}"#),
            ("tirta/pi-8/down/ack", r#"{"v":1,"buffer":"00c0ffee00c0ffee","through":42}"#),
            ("tirta/pi-7/down/settings", r#"{"v":1,"version":3,"interval_ms":{"ph":1}}"#),
            ("tirta/pi-8/down/settings", r#"{"v":1,"version":3}"#),
            ("tirta/pi-8/down/time", r#"{"v":1,"time":1763690400000}"#),
            ("tirta/pi-7/down/time", r#"{"v":1,"time":5000}"#),
            ("tirta/pi-7/down/time", r#"{"v":1,"time":"noon"}"#),
            ("tirta/pi-7/up/status", r#"{"v":1,"state":"online"}"#),
            ("", ""),
        ] {
            take(&bench, topic, payload);
        }
        assert!(bench.acks.try_recv().is_err());
        assert_eq!(bench.downlink.settings.watch().borrow().version, 0);
        assert_eq!(bench.downlink.time.stamp().clock, ClockQuality::Unsynced);
    }

    #[test]
    fn an_uplink_that_is_behind_does_not_stop_the_settings() {
        let bench = bench();
        for _ in 0..5 {
            take(&bench, "tirta/pi-7/down/ack", r#"{"v":1,"buffer":"00c0ffee00c0ffee","through":42}"#);
        }
        take(&bench, "tirta/pi-7/down/settings", r#"{"v":1,"version":3}"#);
        assert_eq!(bench.downlink.settings.watch().borrow().version, 3);
    }
}
