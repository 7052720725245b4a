//! The chip: its registers and the voltages at its inputs, as in Texas Instruments SBAS444. Knows no bus and no clock.
//!
//! Played is what the agent uses: single shots of the four single-ended inputs. A differential conversion yields 0, and
//! there is no continuous mode and no comparator.

use std::time::Duration;

const CONVERSION: u8 = 0;
const CONFIG: u8 = 1;
/// Written: start. Read: nothing is being converted.
const OS: u16 = 1 << 15;
const SINGLE_SHOT: u16 = 1 << 8;
/// What the registers hold after power-on: the result, the configuration, and the comparator's two thresholds.
const RESET: [u16; 4] = [0x0000, 0x8583, 0x8000, 0x7fff];
/// Full scale in millivolts, by bits 11:9 of the configuration.
const SCALES: [f64; 8] = [6144.0, 4096.0, 2048.0, 1024.0, 512.0, 256.0, 256.0, 256.0];
/// Conversions in a second, by bits 7:5.
const RATES: [u32; 8] = [8, 16, 32, 64, 128, 250, 475, 860];

/// What one input goes through: `count` voltages, and then again from the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    /// The first voltage, in millivolts.
    pub base: f64,
    /// From one to the next, in millivolts.
    pub step: f64,
    /// How many voltages.
    pub count: u32,
}

impl Steps {
    /// The voltage after so many steps, in millivolts.
    #[must_use]
    pub fn millivolts(&self, steps: u32) -> f64 {
        self.base + self.step * f64::from(steps % self.count.max(1))
    }
}

/// One chip.
#[derive(Debug, Clone)]
pub struct Chip {
    inputs: [Steps; 4],
    quiet: Duration,
    /// For each input: how many steps it has made, and when its last conversion began.
    made: [Option<(u32, Duration)>; 4],
    pointer: u8,
    registers: [u16; 4],
    /// When the conversion that runs ends, and its result.
    running: Option<(Duration, u16)>,
}

impl Chip {
    /// After power-on. An input steps on at the first conversion after it was left alone for `quiet`: all conversions
    /// of one reading then see one voltage, however many there are.
    #[must_use]
    pub fn new(inputs: [Steps; 4], quiet: Duration) -> Self {
        Self { inputs, quiet, made: [None; 4], pointer: CONVERSION, registers: RESET, running: None }
    }

    /// Takes the bytes of a write: the pointer, and the register's two bytes if they follow. The result can't be written.
    pub fn write(&mut self, bytes: &[u8], now: Duration) {
        self.settle(now);
        let Some((pointer, rest)) = bytes.split_first() else { return };
        self.pointer = pointer & 3;
        let [high, low, ..] = rest else { return };
        let value = u16::from_be_bytes([*high, *low]);
        if self.pointer == CONVERSION {
            return;
        }
        if let Some(register) = self.registers.get_mut(usize::from(self.pointer)) {
            *register = value;
        }
        if self.pointer == CONFIG && value & OS != 0 && value & SINGLE_SHOT != 0 && self.running.is_none() {
            self.running = Some((now + Duration::from_secs(1) / rate(value), self.convert(value, now)));
        }
    }

    /// Fills in the bytes of a read: the register at the pointer, again and again.
    pub fn read(&mut self, bytes: &mut [u8], now: Duration) {
        self.settle(now);
        let mut value = self.registers.get(usize::from(self.pointer)).copied().unwrap_or_default();
        if self.pointer == CONFIG {
            value = if self.running.is_some() { value & !OS } else { value | OS };
        }
        for (byte, from) in bytes.iter_mut().zip(value.to_be_bytes().iter().cycle()) {
            *byte = *from;
        }
    }

    fn settle(&mut self, now: Duration) {
        if let Some((_, result)) = self.running.take_if(|(end, _)| *end <= now) {
            self.registers[usize::from(CONVERSION)] = result;
        }
    }

    fn convert(&mut self, config: u16, now: Duration) -> u16 {
        let input = match (config >> 12) & 7 {
            mux @ 4.. => usize::from(mux - 4),
            _ => return 0,
        };
        let (Some(steps), Some(made)) = (self.inputs.get(input), self.made.get_mut(input)) else { return 0 };
        let step = match *made {
            None => 0,
            Some((step, last)) if now.saturating_sub(last) < self.quiet => step,
            Some((step, _)) => step.wrapping_add(1),
        };
        *made = Some((step, now));
        code(steps.millivolts(step), field(config, 9, &SCALES, 2048.0)).cast_unsigned()
    }
}

fn rate(config: u16) -> u32 {
    field(config, 5, &RATES, 128)
}

/// What three bits of the configuration select.
fn field<T: Copy>(config: u16, shift: u16, choices: &[T; 8], usual: T) -> T {
    choices.get(usize::from((config >> shift) & 7)).copied().unwrap_or(usual)
}

/// The code of a voltage; what is beyond the scale is at its end.
#[allow(clippy::cast_possible_truncation)] // a cast of a float stays within the type
fn code(millivolts: f64, scale: f64) -> i16 {
    (millivolts / scale * 32_768.0).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAT: Steps = Steps { base: 0.0, step: 0.0, count: 1 };
    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn chip() -> Chip {
        let ramp = Steps { base: 1000.0, step: 250.0, count: 3 };
        Chip::new([ramp, Steps { base: 3000.0, ..FLAT }, Steps { base: -1.0, ..FLAT }, FLAT], MS(500))
    }

    fn register(chip: &mut Chip, pointer: u8, now: Duration) -> [u8; 2] {
        let mut bytes = [0; 2];
        chip.write(&[pointer], now);
        chip.read(&mut bytes, now);
        bytes
    }

    /// Writes a configuration that starts a conversion, and reads its result.
    fn convert(chip: &mut Chip, config: [u8; 2], now: Duration) -> [u8; 2] {
        chip.write(&[CONFIG, config[0], config[1]], now);
        register(chip, CONVERSION, now + MS(200))
    }

    #[test]
    fn after_power_on_the_registers_hold_what_the_data_sheet_says() {
        let mut chip = chip();
        // SBAS444, tables 7 to 9; the pointer itself is 0.
        let mut bytes = [9; 4];
        chip.read(&mut bytes, MS(0));
        assert_eq!(bytes, [0; 4]);
        let held = [1, 2, 3].map(|pointer| register(&mut chip, pointer, MS(0)));
        assert_eq!(held, [[0x85, 0x83], [0x80, 0x00], [0x7f, 0xff]]);
    }

    #[test]
    fn a_single_shot_is_busy_for_one_period_of_its_rate_and_then_holds_its_code() {
        let mut chip = chip();
        // AIN1, 4.096 V, 128 samples a second, single shot: 3000 mV are 24000 steps of 125 microvolts.
        chip.write(&[CONFIG, 0xd3, 0x83], MS(10));
        assert_eq!(register(&mut chip, CONFIG, MS(17)), [0x53, 0x83], "OS is 0 while it converts");
        assert_eq!(register(&mut chip, CONVERSION, MS(17)), [0, 0]);
        assert_eq!(register(&mut chip, CONFIG, MS(18)), [0xd3, 0x83]);
        assert_eq!(register(&mut chip, CONVERSION, MS(18)), 24_000_i16.to_be_bytes());
    }

    #[test]
    fn the_scale_is_the_gains_and_beyond_it_the_code_is_at_its_end() {
        // 3000 mV in each full scale, as in table 3 of SBAS444: 187.5 microvolts a step, 125, and then too much.
        let codes = [0xd1, 0xd3, 0xd5, 0xdb].map(|high| convert(&mut chip(), [high, 0x83], MS(0)));
        assert_eq!(codes, [[0x3e, 0x80], [0x5d, 0xc0], [0x7f, 0xff], [0x7f, 0xff]]);
        assert_eq!(convert(&mut chip(), [0xe3, 0x83], MS(0)), [0xff, 0xf8], "-1 mV are -8 steps");
        assert_eq!(convert(&mut chip(), [0x83, 0x83], MS(0)), [0, 0], "between two inputs there is nothing");
    }

    #[test]
    fn an_input_steps_on_after_a_pause_and_not_within_a_burst() {
        let mut chip = chip();
        let mut at = |ms| i16::from_be_bytes(convert(&mut chip, [0xc3, 0xe3], MS(ms)));
        assert_eq!([at(0), at(100), at(500)], [8000; 3], "each within half a second of the one before");
        assert_eq!([at(1000), at(1499)], [10_000; 2]);
        assert_eq!([at(2000), at(3000), at(4000)], [12_000, 8000, 10_000], "after the last comes the first");
    }

    #[test]
    fn what_can_not_be_written_is_ignored_and_a_start_while_it_converts_is_none() {
        let mut chip = chip();
        chip.write(&[CONVERSION, 0x12, 0x34], MS(0));
        assert_eq!(register(&mut chip, CONVERSION, MS(0)), [0, 0]);
        chip.write(&[CONFIG, 0xd3, 0x83], MS(0));
        chip.write(&[CONFIG, 0xf3, 0x83], MS(1));
        assert_eq!(register(&mut chip, CONVERSION, MS(8)), 24_000_i16.to_be_bytes());
        chip.write(&[CONFIG, 0x53, 0x83], MS(20));
        assert_eq!(register(&mut chip, CONFIG, MS(20)), [0xd3, 0x83], "without OS nothing starts");
    }
}
