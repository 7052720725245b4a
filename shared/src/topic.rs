//! Every MQTT topic of Tirta, in both directions, and how it is written and read. Nothing else builds one.
//!
//! `tirta/{device}/up/#` is written only by that device, `tirta/{device}/down/#` only by the server:
//! one pattern each way is the whole access list, on any broker.

use crate::DeviceName;
use std::fmt;

/// What happens to alerts, for whoever else listens: written only by the server, and closed to devices.
pub const ALERTS: &str = "tirta/alerts";

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// Up: a [`crate::Batch`] of readings. QoS 1.
    Readings(DeviceName),
    /// Up: a [`crate::Status`], retained; also the last will. QoS 1.
    Status(DeviceName),
    /// Up: [`crate::message::Sensors`], retained. QoS 1.
    Sensors(DeviceName),
    /// Up: [`crate::message::calibrate::CalibrationUp`]. QoS 1.
    CalibrationUp(DeviceName),
    /// Up: a [`crate::message::Renewal`]: the device asks for its next certificate. QoS 1.
    Renewal(DeviceName),
    /// Down: an [`crate::Ack`]. QoS 1.
    Ack(DeviceName),
    /// Down: [`crate::Settings`], retained. QoS 1.
    Settings(DeviceName),
    /// Down: a [`crate::ServerTime`], for a device whose clock is not synced. QoS 1.
    Time(DeviceName),
    /// Down: [`crate::message::calibrate::CalibrationDown`]. QoS 1.
    CalibrationDown(DeviceName),
    /// Down: a [`crate::message::Certificate`]. QoS 1.
    Certificate(DeviceName),
}

impl Topic {
    /// The server's subscriptions: everything that comes up from all devices.
    pub const ALL_UP: [&str; 5] = [
        "tirta/+/up/readings",
        "tirta/+/up/status",
        "tirta/+/up/sensors",
        "tirta/+/up/calibration",
        "tirta/+/up/renewal",
    ];

    /// What one device subscribes to: each by its name, because a broker finds names at once but
    /// compares every message with every pattern that anybody has subscribed to.
    pub fn down(device: &DeviceName) -> [Topic; 5] {
        [
            Topic::Ack(device.clone()),
            Topic::Settings(device.clone()),
            Topic::Time(device.clone()),
            Topic::CalibrationDown(device.clone()),
            Topic::Certificate(device.clone()),
        ]
    }

    /// The pattern for the same: everything that comes down to one device.
    pub fn all_down(device: &DeviceName) -> String {
        format!("tirta/{device}/down/#")
    }

    /// Reads a topic; `None` if it is none of Tirta's.
    pub fn parse(topic: &str) -> Option<Topic> {
        let mut levels = topic.split('/');
        if levels.next() != Some("tirta") {
            return None;
        }
        let device = levels.next()?.parse().ok()?;
        let parsed = match (levels.next()?, levels.next()?) {
            ("up", "readings") => Topic::Readings(device),
            ("up", "status") => Topic::Status(device),
            ("up", "sensors") => Topic::Sensors(device),
            ("up", "calibration") => Topic::CalibrationUp(device),
            ("up", "renewal") => Topic::Renewal(device),
            ("down", "ack") => Topic::Ack(device),
            ("down", "settings") => Topic::Settings(device),
            ("down", "time") => Topic::Time(device),
            ("down", "calibration") => Topic::CalibrationDown(device),
            ("down", "certificate") => Topic::Certificate(device),
            _ => return None,
        };
        if levels.next().is_none() { Some(parsed) } else { None }
    }

    /// Whose it is.
    pub fn device(&self) -> &DeviceName {
        let (Self::Readings(device)
        | Self::Status(device)
        | Self::Sensors(device)
        | Self::CalibrationUp(device)
        | Self::Renewal(device)
        | Self::Ack(device)
        | Self::Settings(device)
        | Self::Time(device)
        | Self::CalibrationDown(device)
        | Self::Certificate(device)) = self;
        device
    }

    /// Whether it goes up, from the device to the server.
    pub fn is_up(&self) -> bool {
        matches!(
            self,
            Self::Readings(_) | Self::Status(_) | Self::Sensors(_) | Self::CalibrationUp(_) | Self::Renewal(_)
        )
    }

    /// Whether `device` itself may publish to `topic` (also by its last will).
    pub fn may_publish(device: &DeviceName, topic: &str) -> bool {
        Self::parse(topic).is_some_and(|topic| topic.is_up() && topic.device() == device)
    }

    /// Whether `device` itself may subscribe with `filter`: only below its own `down`.
    pub fn may_subscribe(device: &DeviceName, filter: &str) -> bool {
        filter == Self::all_down(device)
            || Self::parse(filter).is_some_and(|topic| !topic.is_up() && topic.device() == device)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self {
            Topic::Readings(_) => "up/readings",
            Topic::Status(_) => "up/status",
            Topic::Sensors(_) => "up/sensors",
            Topic::CalibrationUp(_) => "up/calibration",
            Topic::Renewal(_) => "up/renewal",
            Topic::Ack(_) => "down/ack",
            Topic::Settings(_) => "down/settings",
            Topic::Time(_) => "down/time",
            Topic::CalibrationDown(_) => "down/calibration",
            Topic::Certificate(_) => "down/certificate",
        };
        write!(f, "tirta/{}/{level}", self.device())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pi(n: u32) -> DeviceName {
        DeviceName::numbered(n)
    }

    #[test]
    fn every_topic_reads_back_what_it_wrote() {
        let up = [
            Topic::Readings(pi(7)),
            Topic::Status(pi(7)),
            Topic::Sensors(pi(7)),
            Topic::CalibrationUp(pi(7)),
            Topic::Renewal(pi(7)),
        ];
        for (topic, pattern) in up.iter().zip(Topic::ALL_UP) {
            assert_eq!(topic.to_string(), pattern.replace('+', "pi-7"));
        }
        for topic in up.into_iter().chain(Topic::down(&pi(7))) {
            assert_eq!(Topic::parse(&topic.to_string()), Some(topic));
        }
        for foreign in
            ["tirta/pi-7/up", "tirta/pi-7/up/readings/x", "other/pi-7/up/readings", "tirta/+/up/readings", ""]
        {
            assert_eq!(Topic::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_device_may_write_only_its_own_up_and_read_only_its_own_down() {
        assert!(Topic::may_publish(&pi(7), "tirta/pi-7/up/readings"));
        for denied in [
            "tirta/pi-8/up/readings",
            "tirta/pi-7/down/ack",
            "tirta/pi-7/down/time",
            "tirta/pi-7/up/other",
            ALERTS,
            "$SYS/x",
        ] {
            assert!(!Topic::may_publish(&pi(7), denied), "{denied}");
        }
        assert!(Topic::may_subscribe(&pi(7), "tirta/pi-7/down/#"));
        for topic in Topic::down(&pi(7)) {
            assert!(Topic::may_subscribe(&pi(7), &topic.to_string()));
        }
        for denied in [
            "#",
            ALERTS,
            "tirta/+",
            "+/+/down/#",
            "tirta/+/down/ack",
            "tirta/pi-77/down/#",
            "tirta/pi-7/up/#",
            "$share/g/tirta/pi-7/down/#",
        ] {
            assert!(!Topic::may_subscribe(&pi(7), denied), "{denied}");
        }
    }
}
