//! The local alarm: a relay, a buzzer or a lamp on a pin. It is on, off or blinks; who decides that is
//! elsewhere. Knows no rules and no board: a pin is whatever can be high or low.
//!
//! When the agent ends, also by SIGTERM, the pin is left in its fail-safe state. An agent that is killed
//! outright leaves it as it was, until systemd has started the next one.

use crate::config;
use embedded_hal::digital::{OutputPin, PinState};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Half a period of blinking.
const BLINK: Duration = Duration::from_millis(250);
/// Longest time to blink: whoever asked for it has gone home.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug)]
pub(crate) enum Order {
    Set(bool),
    Identify(Duration),
    Stop,
}

/// Drives the alarm. Clones drive the same.
#[derive(Clone)]
pub struct AlarmHandle(Option<Sender<Order>>);

impl AlarmHandle {
    /// Switches the alarm on or off. Returns whether there is one.
    pub fn set(&self, on: bool) -> bool {
        self.send(Order::Set(on))
    }

    /// Blinks for a while, so that somebody finds the device; an alarm that is on stays on. Returns whether
    /// there is anything to blink with.
    pub fn identify(&self, time: Duration) -> bool {
        self.send(Order::Identify(time.min(LONGEST)))
    }

    /// One whose orders a test takes.
    #[cfg(test)]
    pub(crate) fn observed() -> (Self, Receiver<Order>) {
        let (sender, orders) = channel();
        (Self(Some(sender)), orders)
    }

    fn send(&self, order: Order) -> bool {
        self.0.as_ref().is_some_and(|orders| orders.send(order).is_ok())
    }
}

/// The alarm of an agent; it is left in its fail-safe state on drop.
pub struct Alarm {
    handle: AlarmHandle,
    thread: Option<JoinHandle<()>>,
    /// For the status: `ok`, or `no_gpio`; `None` if none is configured.
    pub state: Option<&'static str>,
}

impl Alarm {
    /// The configured alarm, off. A machine without pins runs without it, and says so.
    ///
    /// # Errors
    /// When a thread can't be started.
    pub fn start(config: Option<&config::Alarm>) -> io::Result<Self> {
        let Some(config) = config else {
            return Ok(Self { handle: AlarmHandle(None), thread: None, state: None });
        };
        match crate::gpio::output(config.pin, config.active_low) {
            Ok(pin) => Self::on(pin, config),
            Err(error) => {
                tracing::warn!(pin = config.pin, %error, "the local alarm can't be used; the agent goes on without it");
                Ok(Self { handle: AlarmHandle(None), thread: None, state: Some("no_gpio") })
            }
        }
    }

    fn on<P: OutputPin + Send + 'static>(pin: P, config: &config::Alarm) -> io::Result<Self> {
        let (handle, orders) = channel();
        let (output, fail_safe) = (Output::new(pin, config.active_low), config.fail_safe == config::FailSafe::On);
        let thread = std::thread::Builder::new().name("alarm".to_owned());
        let thread = thread.spawn(move || drive(output, &orders, fail_safe))?;
        Ok(Self { handle: AlarmHandle(Some(handle)), thread: Some(thread), state: Some("ok") })
    }

    /// A handle to drive it.
    pub fn handle(&self) -> AlarmHandle {
        self.handle.clone()
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.handle.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn drive<P: OutputPin>(mut output: Output<P>, orders: &Receiver<Order>, fail_safe: bool) {
    loop {
        let now = Instant::now();
        let order = match output.show(now) {
            Some(next) => orders.recv_timeout(next.saturating_duration_since(now)),
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match order {
            Ok(Order::Set(on)) => output.on = on,
            Ok(Order::Identify(time)) => output.identify(Instant::now(), time),
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => {
                output.write(fail_safe);
                return;
            }
        }
    }
}

/// A pin with what it should show.
struct Output<P> {
    pin: P,
    active_low: bool,
    on: bool,
    /// From when until when it blinks.
    blinking: Option<(Instant, Instant)>,
    complained: bool,
}

impl<P: OutputPin> Output<P> {
    fn new(pin: P, active_low: bool) -> Self {
        Self { pin, active_low, on: false, blinking: None, complained: false }
    }

    fn identify(&mut self, now: Instant, time: Duration) {
        self.blinking = Some((now, now + time));
    }

    /// Writes what is to be seen now, and says when that changes.
    fn show(&mut self, now: Instant) -> Option<Instant> {
        self.blinking = self.blinking.filter(|(_, until)| now < *until);
        let Some((since, until)) = self.blinking else {
            self.write(self.on);
            return None;
        };
        let halves = now.saturating_duration_since(since).as_millis() / BLINK.as_millis();
        // An alarm wins: nobody must take it for a friendly blinking.
        self.write(self.on || halves.is_multiple_of(2));
        let next = since + BLINK * u32::try_from(halves + 1).unwrap_or(u32::MAX);
        Some(next.min(until))
    }

    fn write(&mut self, on: bool) {
        let written = self.pin.set_state(PinState::from(on != self.active_low));
        if let Err(error) = written
            && !std::mem::replace(&mut self.complained, true)
        {
            tracing::error!(?error, "the local alarm can't be switched");
        }
    }
}

#[cfg(test)]
mod tests;
