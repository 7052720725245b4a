// Owns the calibrations of the mock server: records made up beforehand, and a guided session whose signal goes to
// the buffer that is named and settles there. Device 2 has a dead electrode (refused), device 3 a worn one.
import { randomBytes } from 'node:crypto';

const DAY = 86_400_000;
const CELSIUS = 24.8;
const NERNST = 0.1984159 * (CELSIUS + 273.15);
const GAIN = 3;
/** How long a signal takes to settle. */
const SETTLE_MS = Number(process.env.SETTLE_MS ?? 2_500);
const id = () => randomBytes(8).toString('hex');

/** What the probe of a device says in something of this value. */
function millivolts(n, metric, nominal) {
  const percent = n === 2 ? 71 : n === 3 ? 87.4 : 96.2;
  const midpoint = n === 3 ? 1500 + 3 * 22.5 : 1500 - 3 * 4.2;
  if (metric === 'ph') return midpoint - GAIN * NERNST * (percent / 100) * (nominal - 7);
  if (metric === 'tds' || metric === 'ec') return nominal * 1.32;
  return 800 + nominal * 10;
}

function fit(metric, points) {
  if (metric === 'ph') {
    if (points.length < 2) return {};
    const sorted = [...points].sort((a, b) => a.nominal - b.nominal);
    const [low, high] = [sorted[0], sorted.at(-1)];
    const slope = (low.millivolts - high.millivolts) / (high.nominal - low.nominal);
    const percent = (slope / GAIN / NERNST) * 100;
    const zero_mv = low.millivolts - slope * (7 - low.nominal);
    if (percent < 85)
      return {
        problem: {
          code: 'slope',
          text: `the slope is ${percent.toFixed(1)} % of theory, 85 to 105 % is usable: the buffer is a wrong or an old one, or the probe is worn`,
        },
      };
    const base = points.length > 2 ? percent - 1.3 : percent;
    return {
      fit: {
        calibration: { kind: 'ph', zero_mv, acid_percent: percent, base_percent: base },
        health: { slope_percent: base, offset_mv: (zero_mv - 1500) / GAIN },
      },
    };
  }
  if (points.length === 0) return {};
  if (metric === 'tds' || metric === 'ec') return { fit: { calibration: { kind: 'cell', k: 1.034 } } };
  const slope = points.length > 1 ? 1.0123 : 1;
  return { fit: { calibration: { kind: 'linear', slope, offset: 0.31 } } };
}

function record(metric, at, by, over) {
  return {
    id: id(),
    metric,
    at,
    clock: 'synced',
    by,
    via: 'dashboard',
    buffers: null,
    lot: null,
    points: [],
    calibration: null,
    health: null,
    undoes: null,
    undone_by: null,
    ...over,
  };
}

function phRecord(at, by, percent, offset, over = {}) {
  const point = (nominal) => ({
    nominal,
    millivolts: 1500 + GAIN * offset - GAIN * NERNST * (percent / 100) * (nominal - 7),
    celsius: CELSIUS,
    spread: 0.31,
  });
  return record('ph', at, by, {
    buffers: 'technical',
    lot: 'A12-2027/03',
    points: [point(7), point(4)],
    calibration: {
      kind: 'ph',
      zero_mv: 1500 + GAIN * offset,
      acid_percent: percent,
      base_percent: percent,
    },
    health: { slope_percent: percent, offset_mv: offset },
    ...over,
  });
}

function history(n) {
  if (n === 2) return [];
  const now = Date.now();
  const wear = n === 3 ? 8.4 : 0;
  const wrong = phRecord(now - 41 * DAY, 'Budi', 102.9, -21, {
    via: 'device',
    clock: 'repaired',
    buffers: 'nist',
    lot: null,
    points: [
      { nominal: 6.86, millivolts: 1461.7, celsius: CELSIUS, spread: 0.4 },
      { nominal: 4.01, millivolts: 1981.9, celsius: CELSIUS, spread: 0.5 },
    ],
  });
  const undo = record('ph', now - 41 * DAY + 900_000, 'Sari', {
    undoes: wrong.id,
    calibration: { kind: 'ph', zero_mv: 1496, acid_percent: 97.4, base_percent: 97.4 },
    health: { slope_percent: 97.4, offset_mv: -2.4 },
  });
  wrong.undone_by = undo.id;
  return [
    phRecord(now - 12 * DAY, 'Sari', 96.2 - wear, -4 - wear * 2),
    record('tds', now - 12 * DAY - 1_200_000, 'Sari', {
      lot: 'KCl 1413-88',
      points: [{ nominal: 1413, millivolts: 1866.2, celsius: CELSIUS, spread: 0.8 }],
      calibration: { kind: 'cell', k: 1.034 },
    }),
    undo,
    wrong,
    record('temperature', now - 70 * DAY, 'Budi', {
      via: 'device',
      clock: 'unsynced',
      points: [{ nominal: 25.4, millivolts: 1640.2, celsius: null, spread: 0.2 }],
      calibration: { kind: 'linear', slope: 1, offset: -0.31 },
    }),
    phRecord(now - 72 * DAY, 'Sari', 97.4, -2.4),
    phRecord(now - 131 * DAY, 'Sari', 98.9, -1.1),
  ];
}

/** Keeps the calibrations of one device. `tell` sends an event, `changed` says that the device has changed. */
export class MockCalibrations {
  #records;
  #session = null;
  #revisions;

  constructor(device, tell, changed) {
    Object.assign(this, { device, tell, changed });
    this.#records = device.state === 'never' ? [] : history(device.n);
    this.#publish();
    const now = Date.now();
    this.#revisions =
      device.n === 1
        ? [
            {
              revision: 1,
              metric: 'ph',
              from: now - 13 * DAY,
              to: now - 12 * DAY,
              made_at: now - 11 * DAY,
              made_by: 'Sari',
              calibration: this.#records[0].id,
              readings: 8_640,
              changed: 8_512,
              digest: 'c0ffee'.repeat(10) + 'c0de',
            },
          ]
        : [];
    setInterval(() => this.#beat(), 1_000).unref();
  }

  #active() {
    const active = {};
    for (const each of [...this.#records].reverse()) active[each.metric] = each.id;
    return active;
  }

  #publish() {
    const inForce = Object.entries(this.#active()).map(([metric, recordId]) => {
      const { at, by, health, calibration } = this.#records.find((each) => each.id === recordId);
      return [metric, calibration && { id: recordId, at, by, health }];
    });
    this.device.calibrations = Object.fromEntries(inForce.filter(([, calibrated]) => calibrated));
  }

  list = () => ({ calibrations: this.#records, active: this.#active() });
  recomputations = () => ({ recomputations: this.#revisions });

  undo(recordId) {
    const taken = this.#records.find((each) => each.id === recordId);
    if (!taken || this.#active()[taken.metric] !== recordId) return null;
    const before = this.#records.find(
      (each) => each.metric === taken.metric && each !== taken && !each.undone_by,
    );
    const made = record(taken.metric, Date.now(), 'admin', {
      undoes: recordId,
      calibration: before?.calibration ?? null,
      health: before?.health ?? null,
    });
    taken.undone_by = made.id;
    this.#records = [made, ...this.#records];
    this.#publish();
    this.changed();
    return made;
  }

  order({ order, session, metric, nominal, buffers, lot }) {
    const s = this.#session;
    if (order === 'begin') {
      const mv = millivolts(this.device.n, metric, metric === 'ph' ? 6.9 : 20);
      this.#session = {
        id: id(),
        metric,
        buffers: metric === 'ph' ? (buffers ?? 'technical') : undefined,
        lot: lot ?? null,
        mv,
        target: mv,
        since: Date.now(),
        points: [],
        step: { is: 'waiting' },
      };
    } else if (!s || s.id !== session) {
      this.#tell({ session, metric: 'ph', step: { is: 'ended' }, points: [] });
      return session;
    } else if (order === 'take') {
      Object.assign(s, {
        step: { is: 'settling', nominal },
        target: millivolts(this.device.n, s.metric, nominal),
        since: Date.now(),
      });
    } else if (order === 'drop') {
      s.step = { is: 'waiting' };
      s.points = s.points.filter((point) => point.nominal !== nominal);
    } else if (order === 'cancel') {
      s.step = { is: 'ended' };
    } else if (order === 'finish') {
      const { fit: done } = fit(s.metric, s.points);
      if (done) {
        const made = record(s.metric, Date.now(), 'admin', {
          buffers: s.buffers ?? null,
          lot: s.lot,
          points: s.points,
          calibration: done.calibration,
          health: done.health ?? null,
        });
        s.step = { is: 'finished', record: made.id };
        setTimeout(() => {
          this.#records = [made, ...this.#records];
          this.#publish();
          this.changed();
        }, 800);
      }
    }
    this.#show();
    return this.#session?.id ?? session;
  }

  #tell(view) {
    this.tell({ type: 'calibration', device: this.device.name, view });
  }

  #beat() {
    const s = this.#session;
    if (!s) return;
    const settled = Date.now() - s.since > SETTLE_MS;
    s.mv += (s.target - s.mv) * (settled ? 1 : 0.45) + Math.random() * 0.6 - 0.3;
    s.settled = settled;
    if (settled && s.step.is === 'settling') {
      const { nominal } = s.step;
      const point = {
        nominal,
        millivolts: s.mv,
        celsius: s.metric === 'temperature' ? null : CELSIUS,
        spread: 0.3,
      };
      s.points = [...s.points.filter((each) => each.nominal !== nominal), point];
      s.step = { is: 'waiting' };
    }
    this.#show();
  }

  #show() {
    const s = this.#session;
    if (!s) return;
    const isOver = s.step.is === 'ended' || s.step.is === 'finished';
    this.#tell({
      session: s.id,
      metric: s.metric,
      step: s.step,
      ...(s.buffers ? { buffers: s.buffers } : {}),
      live: {
        millivolts: s.mv,
        spread: s.settled ? 0.31 : 6.4,
        settled: s.settled ?? false,
        value: s.metric === 'ph' ? 7 - (s.mv - 1490) / (GAIN * NERNST * 0.97) : s.mv / 1.9,
        ...(s.metric === 'temperature' ? {} : { celsius: CELSIUS }),
        flags: this.device.simulated ? 'simulated' : '',
      },
      points: s.points,
      ...fit(s.metric, s.points),
    });
    if (isOver) this.#session = null;
  }
}
