//! Readings that look like those of a tank, and the rate at which a bare table takes them.

use rusqlite::{Connection, params};
use shared::{ClockQuality, Flag, Flags, Metric, Outcome, Reading, Stamp, UtcMillis, Value};
use std::{path::Path, time::Instant};

const METRICS: [(Metric, f64, f64); 4] = [
    (Metric::Ph, 7.0, 0.01),
    (Metric::Tds, 400.0, 0.1),
    (Metric::Temperature, 27.0, 0.01),
    (Metric::Volume, 800.0, 0.1),
];

/// A seeded walk of four probes.
pub struct Water {
    state: u64,
    walk: [i32; 4],
}

impl Water {
    pub fn new(seed: u64) -> Self {
        Self { state: seed | 1, walk: [0; 4] }
    }

    fn random(&mut self, below: u64) -> u64 {
        // xorshift64*
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below
    }

    /// The reading with this sequence: one metric after the other.
    pub fn reading(&mut self, seq: u64, at: i64) -> Reading {
        let which = (seq % 4) as usize;
        let (metric, middle, step) = METRICS[which];
        self.walk[which] += self.random(7) as i32 - 3;
        let walked = f64::from(self.walk[which].clamp(-300, 300));
        let value = ((middle / step).round() + walked) / (1.0 / step).round();
        let millivolts = (1500.0 * 8.0 + walked * 3.0 + self.random(5) as f64).round() / 8.0;
        Reading {
            seq,
            stamp: Stamp { at: UtcMillis(at + self.random(4) as i64), clock: ClockQuality::Synced },
            metric,
            outcome: Value::new(value).map_or(Outcome::Fault(shared::Fault::Other), Outcome::Measured),
            millivolts: Value::new(millivolts).ok(),
            flags: Flags::NONE.with(Flag::Simulated),
            spread: Value::new(self.random(400) as f64 / 1000.0).ok(),
        }
    }
}

/// Rows a second that a bare table takes, 500 a transaction, as durable as the server's database.
pub fn raw_rate(folder: &Path, rows: u64) -> rusqlite::Result<f64> {
    let mut database = Connection::open(folder.join("raw.db"))?;
    database.pragma_update(None, "journal_mode", "wal")?;
    database.pragma_update(None, "synchronous", "full")?;
    database.execute_batch(
        "CREATE TABLE reading (device INTEGER, seq INTEGER, at INTEGER, clock INTEGER, metric INTEGER,
         value REAL, millivolts REAL, flags INTEGER)",
    )?;
    let mut water = Water::new(1);
    let readings: Vec<_> = (1..=rows).map(|seq| water.reading(seq, 1_763_690_400_000 + seq as i64 * 2500)).collect();
    let begin = Instant::now();
    for (n, batch) in readings.chunks(500).enumerate() {
        let transaction = database.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?;
            for r in batch {
                let Outcome::Measured(value) = r.outcome else { continue };
                let (clock, metric, millivolts) = (r.stamp.clock as u8, r.metric as u8, r.millivolts.map(Value::get));
                let row = params![
                    (n % 200) as i64,
                    r.seq.cast_signed(),
                    r.stamp.at.0,
                    clock,
                    metric,
                    value.get(),
                    millivolts,
                    r.flags.bits()
                ];
                insert.execute(row)?;
            }
        }
        transaction.commit()?;
    }
    Ok(rows as f64 / begin.elapsed().as_secs_f64())
}
