// Owns the made-up reports of the mock: a month in which limits were kept here and exceeded there.

const DAY = 86_400_000;
const PARTS = { day: DAY, week: 7 * DAY, month: 30 * DAY };

/** The answer to a question about reports; null for any other. */
export function answerReports(head, verb, query, devices, metrics) {
  const whole = head === 'availability' && query.get('per') === 'whole';
  if (head !== 'reports' && !whole) return null;
  const [from, to] = ['from', 'to'].map((name) => Number(query.get(name)));
  const wanted = (list, name) => !query.get(list) || query.get(list).split(',').includes(name);
  const meant = [...devices.values()].filter(({ name }) => wanted('device', name));
  const own = Object.keys(metrics).filter((metric) => wanted('metric', metric));
  const head_ = { time_zone: 'Asia/Jakarta', from, to };
  if (whole) return { rows: meant.map((device) => share(device, from, to)) };
  if (verb === 'exceedances')
    return {
      ...head_,
      rows: meant.flatMap((device) => (own.includes('ph') ? exceeded(device, from, to) : [])),
    };
  const step = PARTS[query.get('per')] ?? to - from;
  const starts = [];
  for (let at = from; at < to; at += step) starts.push(at);
  const rows = meant.flatMap((device) =>
    own.flatMap((metric) =>
      starts.map((at) => statistics(device, metric, metrics[metric], at, Math.min(to, at + step))),
    ),
  );
  return { ...head_, rows };
}

function share({ n, name }, from, to) {
  const percent = [100, 99.97, 98.2, 99.5, 100][n % 5];
  const out_ms = Math.round((1 - percent / 100) * (to - from));
  return {
    device: name,
    location: `Greenhouse ${1 + (n % 2)}`,
    from,
    to,
    availability_percent: percent,
    outages: out_ms ? (n % 5) + 1 : 0,
    causes: out_ms ? { power: 1, ...(n % 5 ? { network: n % 5 } : {}) } : {},
    out_ms,
    longest_ms: Math.round(out_ms * 0.6),
    planned_ms: n === 2 ? 3_600_000 : 0,
    unknown_ms: 0,
  };
}

function exceeded({ n, name, simulated }, from, to) {
  const limit = { from, to, warning: 8.7, critical: 9, scope: 'fleet', target: '', version: 2, preset: null };
  const row = (side, episodes) => ({
    device: name,
    location: `Greenhouse ${1 + (n % 2)}`,
    metric: 'ph',
    unit: 'pH',
    side,
    limits: [side === 'high' ? limit : { ...limit, warning: 6.3, critical: 6 }],
    episodes,
    critical_episodes: episodes > 2 ? 1 : 0,
    beyond_ms: episodes * 2_700_000,
    critical_ms: episodes > 2 ? 900_000 : 0,
    unheard_ms: episodes > 3 ? 600_000 : 0,
    longest_ms: episodes ? 3_900_000 : 0,
    longest_from: episodes ? from + (to - from) / 3 : null,
    ongoing: episodes > 3,
    by_hand: 0,
    simulated: simulated ? episodes : 0,
    worst: episodes ? (side === 'high' ? 9.24 : 5.81) : null,
    worst_at: episodes ? from + (to - from) / 3 + 600_000 : null,
  });
  return [row('low', 0), row('high', n % 5)];
}

function statistics({ n, name, simulated }, metric, { unit, base, swing }, from, to) {
  const expected = Math.round((to - from) / 10_000);
  const faults = n === 2 && metric === 'ph' ? Math.round(expected / 8) : Math.round(expected / 900);
  const flagged = n % 3 === 0 ? Math.round(expected / 40) : 0;
  const good = expected - faults - flagged - Math.round((expected * (n % 5)) / 60);
  const near = (share) => base + swing * share;
  return {
    device: name,
    location: `Greenhouse ${1 + (n % 2)}`,
    metric,
    unit,
    from,
    to,
    readings: good + flagged + faults,
    good,
    flagged,
    calibrating: n === 1 ? 42 : 0,
    faults,
    simulated: simulated ? good + flagged + faults : 0,
    unsynced: n === 6 ? 120 : 0,
    expected,
    coverage_percent: (100 * (good + flagged)) / expected,
    min: near(-0.9),
    min_at: from + (to - from) / 5,
    max: near(0.95),
    max_at: from + (to - from) / 2,
    mean: near(0.02),
    deviation: swing / 2.3,
    p5: near(-0.7),
    median: near(0),
    p95: near(0.75),
    percentile_step: 0.001,
  };
}
