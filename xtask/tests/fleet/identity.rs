//! Identity with the binaries that are shipped, as processes of their own: certificates that end, keys that are copied, and
//! many boards from one configuration.

use std::{fs, time::Duration};
use xtask::boards::{self, BoardsOptions};
use xtask::fleet::{Agent, Fleet, FleetSetup, Folder, Programs, now_ms, until};

const PATIENCE: Duration = Duration::from_secs(90);
/// Seconds that a certificate is good.
const LIFE_S: u64 = 60;

async fn certificate_ends_at(fleet: &Fleet, name: &str) -> i64 {
    let devices = fleet.devices().await.unwrap();
    devices.into_iter().find(|device| device.name == name).unwrap().certificate.unwrap().expires_at
}

async fn acts(fleet: &Fleet, name: &str) -> Vec<String> {
    fleet.client().audit(Some(name), 200).await.unwrap().into_iter().map(|entry| entry.act).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_a_minute_is_renewed_in_time_and_one_that_slept_past_it_comes_back_without_a_human() {
    let folder = Folder::open(None, "life").unwrap();
    let setup = FleetSetup { certificate_life_s: Some(LIFE_S), ..FleetSetup::new(&folder.path, 2).unwrap() };
    let mut fleet = Fleet::start(&Programs::beside_us().unwrap(), &setup).await.unwrap();
    let names = [fleet.name(0).unwrap().to_owned(), fleet.name(1).unwrap().to_owned()];
    let first_end = certificate_ends_at(&fleet, &names[0]).await;
    fleet.agents[1].stop().await.unwrap();
    let slept_until = certificate_ends_at(&fleet, &names[1]).await;
    // Nobody enrols any more: what brings it back is its key alone.
    for token in fleet.client().tokens().await.unwrap() {
        fleet.client().revoke_token(&token.id).await.unwrap();
    }
    let both_over = first_end.max(slept_until);
    until("both first certificates have ended", PATIENCE, async || Ok((now_ms() > both_over).then_some(())))
        .await
        .unwrap();
    assert!(certificate_ends_at(&fleet, &names[0]).await > both_over, "the one that was awake has its next");
    assert_eq!(certificate_ends_at(&fleet, &names[1]).await, slept_until, "the other slept");
    fleet.agents[1].start().unwrap();
    fleet.wait_until_all_are_online().await.unwrap();
    assert_eq!([fleet.name(0).unwrap(), fleet.name(1).unwrap()], [&names[0], &names[1]]);
    for name in &names {
        assert!(acts(&fleet, name).await.contains(&"device.renewed".to_owned()), "{name}");
    }
    fleet.drain(PATIENCE).await.unwrap();
    fleet.stop().await.unwrap();
    let verdict = fleet.verdict().await.unwrap();
    assert!(verdict.is_good(), "{verdict} {:?}", verdict.examples);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_changes_over_to_another_authority_while_it_measures_and_the_old_one_is_retired() {
    let folder = Folder::open(None, "rotation").unwrap();
    let setup = FleetSetup { certificate_life_s: Some(30), ..FleetSetup::new(&folder.path, 2).unwrap() };
    let mut fleet = Fleet::start(&Programs::beside_us().unwrap(), &setup).await.unwrap();
    let before = fleet.client().authority().await.unwrap();
    let after = fleet.client().rotate_authority().await.unwrap();
    assert_ne!(after.ca_sha256, before.ca_sha256);
    assert_eq!(after.previous.as_ref().map(|previous| previous.devices), Some(2));
    assert!(fleet.client().rotate_authority().await.is_err(), "one at a time");
    until("every device has changed over with its next renewal", PATIENCE, async || {
        let authority = fleet.client().authority().await?;
        Ok(authority.previous.is_some_and(|previous| previous.devices == 0).then_some(()))
    })
    .await
    .unwrap();
    // Each has the new certificate on its card once it has connected with it.
    until("each device has connected with it", PATIENCE, async || {
        let has =
            |agent: &Agent| fs::read_to_string(agent.identity().ca).is_ok_and(|text| text.trim() == newest(&fleet));
        Ok(fleet.agents.iter().all(has).then_some(()))
    })
    .await
    .unwrap();
    fleet.client().retire_authority().await.unwrap();
    assert!(fleet.client().authority().await.unwrap().previous.is_none());
    for agent in &mut fleet.agents {
        agent.stop().await.unwrap();
        agent.start().unwrap();
    }
    fleet.drain(PATIENCE).await.unwrap();
    fleet.stop().await.unwrap();
    let verdict = fleet.verdict().await.unwrap();
    assert!(verdict.is_good(), "{verdict} {:?}", verdict.examples);
}

/// The certificate of the authority that signs now.
fn newest(fleet: &Fleet) -> String {
    fs::read_to_string(fleet.server.data_dir().join("ca.pem")).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_boards_with_one_key_are_both_shut_out_until_one_is_approved_with_a_new_key() {
    let folder = Folder::open(None, "shared").unwrap();
    let programs = Programs::beside_us().unwrap();
    let setup = FleetSetup::new(&folder.path, 1).unwrap();
    let mut fleet = Fleet::start(&programs, &setup).await.unwrap();
    let name = fleet.name(0).unwrap().to_owned();
    fleet.agents[0].stop().await.unwrap();
    let mut twin = Agent::new(&programs, fleet.agents[0].twin(folder.path.join("twin"))).unwrap();
    fs::create_dir_all(twin.data_dir()).unwrap();
    for entry in fs::read_dir(fleet.agents[0].data_dir()).unwrap() {
        let from = entry.unwrap().path();
        if from.is_file() {
            fs::copy(&from, twin.data_dir().join(from.file_name().unwrap())).unwrap();
        }
    }
    fleet.agents[0].start().unwrap();
    twin.start().unwrap();
    // Each of them learns that its key is dead, makes another and asks to be let in.
    let waiting = until("both wait with keys of their own", PATIENCE, async || {
        let waiting = fleet.client().waiting().await?;
        Ok((waiting.iter().filter(|board| board.reason == "shared_key").count() == 2).then_some(waiting))
    })
    .await
    .unwrap();
    assert_eq!(fleet.devices().await.unwrap()[0].state, "quarantined");
    assert!(acts(&fleet, &name).await.contains(&"device.quarantined".to_owned()));
    let approved = fleet.client().approve(&waiting[0].id, &Default::default()).await.unwrap();
    assert_eq!(approved, name);
    fleet.wait_until_all_are_online().await.unwrap();
    twin.stop().await.unwrap();
    fleet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_with_one_configuration_get_names_of_their_own_and_neither_clone_nor_reflash_confuses_them() {
    let options = BoardsOptions { devices: 6, clones: 2, reflash: 2, no_build: true };
    boards::run(&options).await.unwrap();
}
