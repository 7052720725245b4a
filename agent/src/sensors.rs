//! What this device measures with: said at each connection, retained, so that the server can compute history
//! again and guide a calibration. It does not change while the agent runs.

use crate::link::{Link, LinkState};
use shared::message::Sensors;
use shared::{DeviceName, Topic};

/// Says it for as long as the link lives.
pub async fn report(device: DeviceName, sensors: Sensors, link: Link) {
    let mut state = link.state();
    let mut said = LinkState::Down;
    let news = |now: &LinkState, said: LinkState| *now != LinkState::Down && *now != said;
    while let Ok(now) = state.wait_for(|now| news(now, said)).await.map(|now| *now) {
        said = now;
        link.publish(Topic::Sensors(device.clone()), sensors.encode(), true).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Request;
    use shared::Metric;
    use shared::message::ProbeReport;
    use std::collections::BTreeMap;
    use tokio::sync::{mpsc, watch};

    #[tokio::test]
    async fn the_sensors_are_said_once_for_each_connection() {
        let (requests, mut published) = mpsc::channel(8);
        let (state, seen) = watch::channel(LinkState::Down);
        let probe = ProbeReport { source: "w1".to_owned(), sensor: None, limits: None };
        let sensors = Sensors::new(BTreeMap::from([(Metric::Temperature, probe)]));
        let task = tokio::spawn(report(DeviceName::numbered(7), sensors.clone(), Link::new(requests, seen)));
        for connection in 1..=2 {
            state.send_replace(LinkState::Up(connection));
            let Some(Request::Publish { topic, payload, retain, .. }) = published.recv().await else { panic!() };
            assert_eq!((topic.to_string().as_str(), retain), ("tirta/pi-7/up/sensors", true));
            assert_eq!(Sensors::decode(payload.as_bytes()).unwrap(), sensors);
            state.send_replace(LinkState::Down);
        }
        drop(state);
        task.await.unwrap();
        assert!(published.recv().await.is_none());
    }
}
