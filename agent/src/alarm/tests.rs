//! The alarm on scripted pins.

use super::*;
use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};
use shared::rule::Severity;
use std::convert::Infallible;

fn levels(levels: &[u8]) -> Mock {
    let state = |level: &u8| Transaction::set(if *level == 1 { State::High } else { State::Low });
    Mock::new(&levels.iter().map(state).collect::<Vec<_>>())
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn on_is_high_or_low_as_the_relay_wants_it() {
    for (active_low, expected) in [(false, [0, 1, 0]), (true, [1, 0, 1])] {
        let mut pin = levels(&expected);
        let mut output = Output::new(pin.clone(), active_low);
        let now = Instant::now();
        for on in [false, true, false] {
            output.on = on;
            assert_eq!(output.show(now), None);
        }
        pin.done();
    }
}

#[test]
fn identifying_blinks_and_ends_as_it_was() {
    let mut pin = levels(&[1, 0, 1, 0, 0]);
    let mut output = Output::new(pin.clone(), false);
    let start = Instant::now();
    output.identify(start, ms(900));
    let mut now = start;
    for next in [250, 500, 750, 900] {
        now = output.show(now).unwrap();
        assert_eq!(now, start + ms(next));
    }
    assert_eq!(output.show(now), None, "it is off again");
    pin.done();
}

#[test]
fn an_alarm_wins_over_blinking_and_is_still_on_afterwards() {
    let mut pin = levels(&[1, 0, 1, 1, 1]);
    let mut output = Output::new(pin.clone(), false);
    let start = Instant::now();
    output.identify(start, ms(700));
    output.show(start);
    output.show(start + ms(250));
    output.on = true;
    output.show(start + ms(260));
    output.show(start + ms(600));
    assert_eq!(output.show(start + ms(700)), None);
    pin.done();
}

/// A pin that tells what it is set to.
struct Told(Sender<bool>);
impl embedded_hal::digital::ErrorType for Told {
    type Error = Infallible;
}
impl OutputPin for Told {
    fn set_low(&mut self) -> Result<(), Infallible> {
        let _ = self.0.send(false);
        Ok(())
    }
    fn set_high(&mut self) -> Result<(), Infallible> {
        let _ = self.0.send(true);
        Ok(())
    }
}

fn running(fail_safe: config::FailSafe) -> (Alarm, Receiver<bool>) {
    let (pin, seen) = channel();
    let config = config::Alarm {
        pin: 17,
        active_low: false,
        fail_safe,
        severity: Severity::Critical,
        kind: config::AlarmKind::Relay,
    };
    (Alarm::on(Told(pin), &config).unwrap(), seen)
}

#[test]
fn the_handle_switches_it_and_the_end_leaves_the_fail_safe_state() {
    for (fail_safe, last) in [(config::FailSafe::On, true), (config::FailSafe::Off, false)] {
        let (alarm, seen) = running(fail_safe);
        assert_eq!(alarm.state, Some("ok"));
        assert!(!seen.recv().unwrap(), "it begins off");
        assert!(alarm.handle().set(true));
        assert!(seen.recv().unwrap());
        drop(alarm);
        assert_eq!(seen.iter().last(), Some(last));
    }
}

#[test]
fn the_handle_blinks_and_a_handle_that_outlives_the_alarm_says_that_there_is_none() {
    let (alarm, seen) = running(config::FailSafe::Off);
    let handle = alarm.handle();
    assert!(handle.identify(ms(600)));
    let blinks: Vec<bool> = seen.iter().take(5).collect();
    assert_eq!(blinks, [false, true, false, true, false]);
    drop(alarm);
    assert!(!handle.set(true) && !handle.identify(ms(1)));
}

#[test]
fn a_machine_without_pins_goes_on_and_says_so() {
    let config = config::Alarm {
        // No Raspberry Pi has it, so that the test drives nothing on one either.
        pin: 99,
        active_low: false,
        fail_safe: config::FailSafe::Off,
        severity: Severity::Critical,
        kind: config::AlarmKind::Led,
    };
    let alarm = Alarm::start(Some(&config)).unwrap();
    assert_eq!(alarm.state, Some("no_gpio"));
    assert!(!alarm.handle().set(true));
    let none = Alarm::start(None).unwrap();
    assert_eq!((none.state, none.handle().identify(ms(1))), (None, false));
}
