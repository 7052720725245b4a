//! Thresholds with real processes: from the form to the device and back as an alert, whoever is away or killed meanwhile.

use provisioning::thresholds::{Alert, NewThreshold, Target};
use std::time::Duration;
use xtask::error::Error;
use xtask::fleet::{Agent, Fleet, FleetSetup, Folder, Programs, until};

const PATIENCE: Duration = Duration::from_secs(90);

/// Every simulated tank is warmer than this, and none is warmer than that.
const FREEZING: &str = r#"{"high":{"warning":1},"hysteresis":0.5}"#;
const BOILING: &str = r#"{"high":{"warning":99},"hysteresis":0.5}"#;

async fn fleet(devices: u32, purpose: &str) -> (Folder, Fleet) {
    let folder = Folder::open(None, purpose).unwrap();
    let setup = FleetSetup::new(&folder.path, devices).unwrap();
    let fleet = Fleet::start(&Programs::beside_us().unwrap(), &setup).await.unwrap();
    (folder, fleet)
}

/// Somebody presses "save" on the form.
async fn set(fleet: &Fleet, scope: &str, target: &str, threshold: &str) {
    let target = Target { scope: scope.to_owned(), target: target.to_owned() };
    let threshold = Some(serde_json::from_str(threshold).unwrap());
    let new = NewThreshold { targets: vec![target], metric: "temperature".to_owned(), threshold };
    fleet.client().set_threshold(&new).await.unwrap();
}

/// Waits until a device says that it runs its thresholds.
async fn applied(fleet: &Fleet, name: &str) {
    let all = async || Ok::<_, Error>(fleet.client().device_thresholds(name).await?);
    let runs = async || Ok(all().await?.get("temperature").is_some_and(|rule| rule.applied).then_some(()));
    until("the device says that it runs the threshold", PATIENCE, runs).await.unwrap();
}

async fn alerts_of(fleet: &Fleet, name: &str) -> Result<Vec<Alert>, Error> {
    let alerts = fleet.client().alerts().await?;
    let of_rule = |alert: &Alert| alert.device.as_deref() == Some(name) && alert.kind == "high";
    Ok(alerts.into_iter().filter(of_rule).collect())
}

/// Waits until a device has this many alerts, the newest of them in this state.
async fn wait_for(fleet: &mut Fleet, name: &str, count: usize, state: &str) {
    until(&format!("{name} has {count} alerts, the newest {state}"), PATIENCE, async || {
        fleet.still_runs()?;
        let alerts = alerts_of(fleet, name).await?;
        Ok((alerts.len() == count && alerts.first().is_some_and(|alert| alert.state == state)).then_some(()))
    })
    .await
    .unwrap();
}

/// What a device has been told, from its own card.
fn on_card(agent: &Agent) -> String {
    std::fs::read_to_string(agent.data_dir().join("settings.json")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_threshold_reaches_a_running_device_at_once_and_one_that_was_away_at_its_return() {
    let (_folder, mut fleet) = fleet(2, "thresholds").await;
    let names = [fleet.name(0).unwrap().to_owned(), fleet.name(1).unwrap().to_owned()];
    fleet.agents[1].stop().await.unwrap();
    set(&fleet, "fleet", "", BOILING).await;
    applied(&fleet, &names[0]).await;
    assert!(on_card(&fleet.agents[0]).contains("\"warning\":99"));
    let waiting = fleet.client().device_thresholds(&names[1]).await.unwrap();
    assert!(!waiting["temperature"].applied && waiting["temperature"].scope == "fleet");
    fleet.agents[1].start().unwrap();
    applied(&fleet, &names[1]).await;
    assert!(on_card(&fleet.agents[1]).contains("\"warning\":99"));
    set(&fleet, "device", &names[1], FREEZING).await;
    wait_for(&mut fleet, &names[1], 1, "open").await;
    assert!(alerts_of(&fleet, &names[1]).await.unwrap()[0].simulated, "and it says that it is simulated");
    assert!(alerts_of(&fleet, &names[0]).await.unwrap().is_empty(), "the other has the fleet's");
    fleet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_a_limit_is_one_alert_although_agent_and_server_are_killed_and_its_end_ends_it() {
    let (_folder, mut fleet) = fleet(1, "alert").await;
    let name = fleet.name(0).unwrap().to_owned();
    set(&fleet, "device", &name, FREEZING).await;
    wait_for(&mut fleet, &name, 1, "open").await;
    for _ in 0..2 {
        fleet.agents[0].kill().await.unwrap();
        fleet.server.kill().await.unwrap();
        fleet.server.start_again().await.unwrap();
        fleet.agents[0].start().unwrap();
        fleet.wait_until_all_are_online().await.unwrap();
        let before = fleet.client().latest().await.unwrap();
        until("a reading has come since", PATIENCE, async || {
            let now = fleet.client().latest().await?;
            Ok((now.iter().zip(&before).all(|(now, before)| now.time > before.time)).then_some(()))
        })
        .await
        .unwrap();
    }
    wait_for(&mut fleet, &name, 1, "open").await;
    // What a rule raised is on the device's own card, too: its alarm needs nobody.
    until("the device has saved what it raised", PATIENCE, async || {
        let saved = std::fs::read_to_string(fleet.agents[0].data_dir().join("watches.json")).unwrap_or_default();
        Ok(saved.contains("\"high\"").then_some(()))
    })
    .await
    .unwrap();
    set(&fleet, "device", &name, BOILING).await;
    wait_for(&mut fleet, &name, 1, "resolved").await;
    fleet.drain(PATIENCE).await.unwrap();
    fleet.stop().await.unwrap();
    let verdict = fleet.verdict().await.unwrap();
    assert!(verdict.is_good(), "{verdict} {:?}", verdict.examples);
}
