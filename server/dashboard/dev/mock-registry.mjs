// The registry of the design aid: takes any CSV without quotes, and refuses a name that stands twice, so that each
// look of the page can be seen.
const EMPTY = { serial: null, enrolled: false, location: '', latitude: null, longitude: null, metrics: [] };
const registrations = [
  { ...EMPTY, name: 'pi-1', serial: '10000000a3c40011', enrolled: true, location: 'Rumah kaca 1' },
  { ...EMPTY, name: 'pi-21', serial: '10000000a3c40021', location: 'Kolam lele, sisi utara' },
  { ...EMPTY, name: 'pi-22', location: 'Kolam lele, sisi utara' },
];

/** Where the device of this name stands. */
export const locationOf = (name) => registrations.find((each) => each.name === name)?.location ?? null;

/** Whether it is expected. */
export const isRegistered = (name, serial) =>
  registrations.some((each) => each.name === name || (serial && each.serial === serial));

/** Says where it stands, whoever it is. */
export function locate(name, serial, location) {
  const known = registrations.find((each) => each.name === name);
  if (known) Object.assign(known, { location: location || known.location, serial: serial ?? known.serial });
  else registrations.push({ ...EMPTY, name, serial: serial ?? null, location: location ?? '' });
}

function plan(text) {
  const [heading = '', ...rows] = text.split(/\r?\n/).filter(Boolean);
  const separator = heading.includes(';') ? ';' : ',';
  const columns = heading.split(separator).map((column) => column.trim().toLowerCase());
  const cells = (row) => Object.fromEntries(row.split(separator).map((cell, i) => [columns[i], cell.trim()]));
  const files = rows.map((row, i) => ({ line: i + 2, serial: '', name: '', location: '', ...cells(row) }));
  const lines = files.map(({ line, serial, name, location }) => {
    const known = registrations.find((each) => each.name === name);
    const twin = files.find((other) => other.name === name && other.line !== line);
    const problem = { field: 'name', code: 'twice', about: String(twin?.line), detail: 'the same name' };
    const changed = known && known.location !== location;
    return {
      line,
      verdict: twin ? 'refused' : !known ? 'created' : changed ? 'changed' : 'unchanged',
      serial,
      name,
      location,
      changes: !twin && changed ? [{ field: 'location', from: known.location, to: location }] : [],
      problems: twin ? [problem] : [],
    };
  });
  const count = (verdict) => lines.filter((line) => line.verdict === verdict).length;
  return {
    imported: false,
    ...Object.fromEntries(['created', 'changed', 'unchanged', 'refused'].map((each) => [each, count(each)])),
    unknown_columns: columns.filter((column) => !(column in EMPTY || ['name', 'notes'].includes(column))),
    lines,
  };
}

/** The body of an answer; `body` is the text of a file, or a range. */
export function answerRegistry(action, query, body) {
  if (action === 'import') {
    const planned = plan(body);
    if (query.get('dry_run') === 'true' || planned.refused > 0) return planned;
    for (const { name, serial, location } of planned.lines) {
      const known = registrations.find((each) => each.name === name);
      if (known) known.location = location;
      else registrations.push({ ...EMPTY, name, serial: serial || null, location });
    }
    return { ...planned, imported: true };
  }
  if (action === 'range') {
    const names = Array.from({ length: body.to - body.from + 1 }, (_, i) => `pi-${body.from + i}`);
    const taken = names.filter((name) => registrations.some((each) => each.name === name));
    const free = names.filter((name) => !taken.includes(name));
    registrations.push(...free.map((name) => ({ ...EMPTY, name, location: body.location })));
    return { reserved: free.length, taken };
  }
  return { registrations };
}
