// Readings of many devices for the mock: a list, a count, and downloads in every state. Nothing can be taken out of it.
const EACH_MS = 10_000;
const DAY_MS = 86_400_000;

/** `reading` makes one of a device, a metric and a time. */
export function answerReadings(what, query, devices, metrics, locationOf, reading) {
  const to = Number(query.get('to') ?? Date.now());
  const from = Number(query.get('from') ?? to - DAY_MS);
  const list = (name) => query.get(name)?.split(',') ?? null;
  const [names, wanted, place] = [list('device'), list('metric'), query.get('location')];
  const meant = devices.filter(
    ({ name }) => (names?.includes(name) ?? true) && (!place || locationOf(name) === place),
  );
  const of = metrics.filter((metric) => wanted?.includes(metric) ?? true);
  if (what === 'exports')
    return {
      exports: [
        {
          id: 3,
          format: 'zip',
          began_at: to,
          rows: 345_000,
          about_rows: 1_234_567,
          bytes: 4_480_000,
          state: 'running',
        },
        {
          id: 2,
          format: 'csv',
          began_at: to,
          rows: 18_200,
          about_rows: 90_000,
          bytes: 2_275_000,
          state: 'broken',
        },
        {
          id: 1,
          format: 'csv',
          began_at: to,
          rows: 34_560,
          about_rows: 34_560,
          bytes: 4_320_000,
          state: 'done',
        },
      ],
    };
  if (what === 'count') {
    const readings = Math.round(((to - from) / EACH_MS) * meant.length * of.length);
    return {
      readings,
      at_most: ['good', 'flagged'].includes(query.get('status')),
      devices: meant.length,
      csv_bytes: readings * 125,
      zip_bytes: readings * 13,
    };
  }
  const readings = [];
  for (let at = to - (to % EACH_MS); at >= from && readings.length < 50; at -= EACH_MS)
    for (const device of meant)
      for (const metric of of) {
        const one = { device: device.name, ...reading(device, metric, at) };
        const status = query.get('status');
        if (!status || (status === 'fault') === (one.fault !== null)) readings.push(one);
      }
  return { readings, next: readings.at(-1)?.time ?? null };
}
