//! The lamp on a folder like the kernel's.

use super::led::tests::Board;
use super::*;
use crate::alarm::Alarm;
use crate::identify::Blinker;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Lets the tasks run until the LED shows this.
async fn until(board: &Board, pattern: Pattern) {
    let seen = async {
        while board.shows() != Some(pattern) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(Duration::from_secs(60), seen).await.is_ok(), "{:?}, not {pattern:?}", board.shows());
}

#[test]
fn a_card_in_trouble_comes_before_everything_and_a_person_who_is_needed_before_patience() {
    let all = [Standing::Nameless, Standing::Stuck, Standing::CutOff, Standing::Connected];
    assert_eq!(all.map(|standing| pattern(standing, None)), [WAITING, ALARMED, CUT_OFF, CALM]);
    assert_eq!(all.map(|standing| pattern(standing, Some(Trouble::DiskFull))), [ALARMED; 4]);
}

#[test]
fn no_two_patterns_are_alike_and_none_is_mistaken_for_the_kernels_default() {
    let all = [CALM, CUT_OFF, WAITING, ALARMED, FOUND, DARK];
    for (at, one) in all.iter().enumerate() {
        assert!(one.off_ms > 0 && all[..at].iter().all(|other| other != one), "{one:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_lamp_follows_enrolment_link_refusal_and_card_and_returns_to_them_after_identifying() {
    let board = Board::lent("ACT");
    let lamp = Lamp::new(board.leds(), &config::Lamp::Usual);
    let blinker = Blinker::new(Alarm::start(None).unwrap().handle(), lamp.led());
    let (standings, health) = (watch::Sender::new(Standing::Nameless), watch::Sender::new(Health::default()));
    let showing = tokio::spawn(lamp.clone().run(standings.subscribe(), health.subscribe(), blinker.blinks()));
    until(&board, WAITING).await;
    standings.send_replace(Standing::Stuck);
    until(&board, ALARMED).await;

    let (state, link_state) = watch::channel(LinkState::Down);
    let (refused, refusals) = watch::channel(0);
    let link = Link::new(mpsc::channel(1).0, link_state).with_refusals(refusals);
    let following = tokio::spawn(follow(link, standings.clone()));
    until(&board, CUT_OFF).await;
    state.send_replace(LinkState::Up(1));
    until(&board, CALM).await;

    blinker.blink(Duration::from_secs(30)).unwrap();
    assert_eq!(board.shows(), Some(FOUND), "at once");
    state.send_replace(LinkState::Down);
    sleep(LOOK * 2).await;
    assert_eq!(board.shows(), Some(FOUND), "whatever happens meanwhile");
    until(&board, CUT_OFF).await;

    refused.send_replace(ENOUGH);
    until(&board, ALARMED).await;
    refused.send_replace(0);
    state.send_replace(LinkState::Up(2));
    until(&board, CALM).await;
    health.send_replace(Health { trouble: Some(Trouble::CardError), set_aside: 0 });
    until(&board, ALARMED).await;
    health.send_replace(Health::default());
    until(&board, CALM).await;

    drop((state, refused));
    following.await.unwrap();
    showing.abort();
    lamp.end(true);
    assert_eq!(board.shows(), Some(DARK));
    lamp.end(false);
    assert_eq!(board.shows(), Some(ALARMED));
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_comes_late_and_a_stranger_who_writes_are_noticed() {
    let board = Board::lent("ACT");
    let (there, away) = (board.leds().join("ACT"), board.leds().join("away"));
    std::fs::rename(&there, &away).unwrap();
    let lamp = Lamp::new(board.leds(), &config::Lamp::Usual);
    let (standings, health) = (watch::Sender::new(Standing::Connected), watch::Sender::new(Health::default()));
    let showing = tokio::spawn(lamp.run(standings.subscribe(), health.subscribe(), watch::channel(None).1));
    sleep(LOOK * 2).await;
    std::fs::rename(&away, &there).unwrap();
    until(&board, CALM).await;
    board.led().show(WAITING).unwrap();
    until(&board, CALM).await;
    showing.abort();
}

#[test]
fn one_that_is_switched_off_is_dark_and_taken_from_nobody() {
    let off = |board: &Board| Lamp::new(board.leds(), &config::Lamp::Off).show(ALARMED);
    let lent = Board::lent("ACT");
    off(&lent).unwrap();
    assert_eq!(lent.shows(), Some(DARK));
    let usual = Board::usual("ACT");
    off(&usual).unwrap();
    assert_eq!((usual.shows(), usual.read("trigger").as_str()), (None, "none [mmc0] timer\n"));
}
