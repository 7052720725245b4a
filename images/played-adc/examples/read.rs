//! Reads the four inputs of a chip with the agent's driver, as a proof in a guest: `read /dev/i2c-1`. With
//! a second argument it asks at 0x49 instead of 0x48.

use ads1x1x::{Ads1x1x, FullScaleRange, TargetAddr, channel};
use linux_embedded_hal::{I2cdev, nb};
use std::error::Error;
use std::io::Write;

fn main() -> Result<(), Box<dyn Error>> {
    let bus = std::env::args().nth(1).unwrap_or_else(|| "/dev/i2c-1".to_owned());
    let address = if std::env::args().len() > 2 { TargetAddr::Vdd } else { TargetAddr::Gnd };
    let mut chip = Ads1x1x::new_ads1115(I2cdev::new(&bus)?, address);
    let scale = chip.set_full_scale_range(FullScaleRange::Within4_096V);
    scale.map_err(|error| format!("{bus}: {error:?}"))?;
    let codes = [
        nb::block!(chip.read(channel::SingleA0)),
        nb::block!(chip.read(channel::SingleA1)),
        nb::block!(chip.read(channel::SingleA2)),
        nb::block!(chip.read(channel::SingleA3)),
    ];
    for (input, code) in codes.into_iter().enumerate() {
        let millivolts = f64::from(code.map_err(|error| format!("{bus}: {error:?}"))?) / 8.0;
        writeln!(std::io::stdout(), "A{input} {millivolts} mV")?;
    }
    Ok(())
}
