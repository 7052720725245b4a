// A design aid, not a test double: speaks the dashboard's API with made-up values, so that the look can be
// worked on without the Rust server, and rare things (faults, outages, many devices) can be seen at will.
// Serves dist/ with the server's content security policy. Any user with the password "tirta" may sign in; a role's name signs in as that role.
//   DEVICES=5 PORT=8090 node dev/mock-server.mjs
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';
import { MockAlerts } from './mock-alerts.mjs';
import { MockCalibrations } from './mock-calibration.mjs';
import { identityOf, MockIdentity } from './mock-identity.mjs';
import { mapConfig, standing } from './mock-map.mjs';
import { MAY, MockPeople } from './mock-people.mjs';
import { answerReadings } from './mock-readings.mjs';
import { MockSecurity } from './mock-security.mjs';
import { answerReports } from './mock-reports.mjs';
import { answerSystem } from './mock-system.mjs';
import { answerRegistry, locate, locationOf } from './mock-registry.mjs';

const DEVICES = Number(process.env.DEVICES ?? 5);
const PORT = Number(process.env.PORT ?? 8090);
const dist = new URL('../dist/', import.meta.url).pathname;
const CSP =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const METRICS = {
  ph: { unit: 'pH', base: 6.9, swing: 0.5, noise: 0.02, digits: 2 },
  tds: { unit: 'mg/L', base: 840, swing: 160, noise: 4, digits: 0 },
  temperature: { unit: '°C', base: 27.4, swing: 2.6, noise: 0.05, digits: 2 },
  volume: { unit: 'L', base: 940, swing: 90, noise: 0.8, digits: 1 },
};
const started = Date.now();

/** The same instant always gives the same value, so that series and live readings agree. */
function valueAt(n, metric, time) {
  const { base, swing, noise, digits } = METRICS[metric];
  const day = Math.sin((time / 86_400_000) * 2 * Math.PI + n);
  const hour = Math.sin(time / 780_000 + n * 2.1) * 0.25 + Math.sin(time / 95_000 + n) * 0.06;
  const random = Math.sin(time * 12.9898 + n * 78.233) * 43758.5453;
  return Number(
    (base + swing * (day * 0.6 + hour) + noise * (2 * (random - Math.floor(random)) - 1)).toFixed(digits),
  );
}

const stateOf = (n) =>
  n === 4 ? 'offline' : n === 7 ? 'never' : n === 9 ? 'revoked' : n === 6 ? 'quarantined' : 'online';
const faultOf = (n, metric, time) =>
  (n === 2 && metric === 'ph' && 'no_answer') ||
  (n === 5 && metric === 'volume' && 'rail_high') ||
  (n === 1 && metric === 'tds' && time % 97_000 < 2_000 && 'not_ready') ||
  null;

/** Device 8 has an old agent, which says nothing of its probes; the volume of device 3 comes without a voltage. */
const sensorsOf = (n) =>
  n === 8
    ? {}
    : Object.fromEntries(
        Object.keys(METRICS).map((metric, i) => [
          metric,
          {
            source: n % 5 === 3 ? `ads1115 0x48 A${i}` : 'simulated',
            sensor: n === 3 && metric === 'volume' ? null : { [metric]: {} },
            limits: null,
          },
        ]),
      );

const devices = new Map(
  Array.from({ length: DEVICES }, (_, i) => {
    const n = i + 1;
    const state = stateOf(n);
    const name = n === 12 ? 'kolam-lele-belakang-gudang-utara' : `pi-${n}`;
    const probes = Object.fromEntries(Object.keys(METRICS).map((m) => [m, faultOf(n, m, 1) ?? 'ok']));
    return [
      name,
      {
        n,
        name,
        ...standing(n),
        serial: (0x10000000a3c4n * BigInt(n + 16)).toString(16).padStart(16, '0'),
        state,
        last_seen: state === 'never' ? null : state === 'online' ? Date.now() : started - 47 * 60_000,
        enrolled_at: started - 9 * 86_400_000,
        simulated: n % 5 !== 3,
        agent: state === 'never' ? null : '0.1.0',
        clock: state === 'never' ? null : n === 6 ? 'unsynced' : 'synced',
        buffer:
          state === 'never'
            ? null
            : {
                id: `${n}`.padStart(16, 'c0'),
                pending: n === 4 ? 18_422 : 0,
                dropped: n === 6 ? 1_204 : 0,
                set_aside: n === 6 ? 1 : 0,
                trouble: n === 5 ? 'disk_full' : n === 6 ? 'eaten_by_fish' : null,
              },
        probes: state === 'never' ? {} : probes,
        sensors: state === 'never' ? {} : sensorsOf(n),
        calibrations: {},
        ...identityOf(n, state, started),
        alarm: n === 6 ? 'no_gpio' : null,
        settings: {
          version: n === 4 ? 3 : 0,
          applied: n === 4 ? 2 : 0,
          interval_ms: n === 4 ? { ph: 5_000 } : {},
        },
      },
    ];
  }),
);

function reading(device, metric, time) {
  const fault = faultOf(device.n, metric, time);
  const flags = device.simulated ? ['simulated'] : [];
  if (device.n === 3 && metric === 'tds') flags.push('uncalibrated', 'no_temperature');
  const value = fault
    ? null
    : device.n === 8 && metric === 'volume'
      ? 1_234_567.8
      : valueAt(device.n, metric, time);
  const clock = device.clock ?? 'synced';
  return {
    metric,
    unit: METRICS[metric].unit,
    time,
    clock,
    value,
    fault,
    millivolts: fault ? null : 1497.25,
    flags,
    spread: fault ? null : 0.42,
    revision: device.n === 3 && metric === 'tds' ? 1 : 0,
  };
}

function series(device, metric, from, to, points) {
  const bucket_ms = Math.max(1_000, Math.ceil((to - from) / points / 1_000) * 1_000);
  const columns = { time: [], min: [], avg: [], max: [], count: [], faults: [] };
  const end = device.state === 'online' ? to : (device.last_seen ?? 0);
  for (let at = Math.floor(from / bucket_ms) * bucket_ms; at < end && device.last_seen; at += bucket_ms) {
    const outage = (at / 60_000 + device.n * 7) % 1_700 < 90 || (at / 60_000) % 47 < (device.n === 1 ? 3 : 0);
    if (outage) continue;
    const values = [0, 0.3, 0.6, 0.9].map((part) =>
      valueAt(device.n, metric, Math.round(at + part * bucket_ms)),
    );
    const fault = faultOf(device.n, metric, at) && !(device.n === 5 && at < started - 300_000);
    columns.time.push(at);
    columns.min.push(fault ? null : Math.min(...values));
    columns.max.push(fault ? null : Math.max(...values));
    columns.avg.push(fault ? null : values.reduce((a, b) => a + b) / values.length);
    columns.count.push(fault ? 0 : 4);
    columns.faults.push(fault ? 2 : 0);
  }
  return { device: device.name, metric, unit: METRICS[metric].unit, bucket_ms, ...columns };
}

const shown = ({ n: _, ...device }) => ({ ...device, location: locationOf(device.name) });
const open = process.env.SIGNED_IN === '1';
const sessionOf = (request) => /tirta_session=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
const sockets = new Set();
const security = new MockSecurity();
const tell = (event) => sockets.forEach((socket) => socket.send(JSON.stringify(event)));
const end = (session) => {
  for (const socket of sockets) if (socket.session === session) socket.close();
};
const people = new MockPeople(open, end, tell);

const identity = new MockIdentity(
  devices,
  (device) => tell({ type: 'device', device: shown(device) }),
  locate,
  () => tell({ type: 'waiting' }),
);
const alerts = new MockAlerts(devices, tell);
const calibrations = new Map();
function calibrationsOf(device) {
  const known = calibrations.get(device.name);
  if (known) return known;
  const made = new MockCalibrations(device, tell, () => tell({ type: 'device', device: shown(device) }));
  calibrations.set(device.name, made);
  return made;
}
for (const device of devices.values()) calibrationsOf(device);

const problem = (status, code, detail) => ({
  status,
  body: { type: 'about:blank', title: code, status, detail, code },
});
const ok = (body, status = 200) => ({ status, body });

function answer(method, path, query, body, session) {
  const [head, name, tail, id, verb] = path.split('/');
  if (head === 'enrol') return { status: 202, body: identity.enrol(body)[1] };
  const person = security.answer(method, path, body) ?? people.answer(method, path, body, session);
  if (person) return person;
  const [metric, from, to, points] = ['metric', 'from', 'to', 'points'].map((key) => query.get(key));
  const span = [metric, Number(from), Number(to), Number(points)];
  const device = devices.get(name);
  const report = answerReports(head, name, query, devices, METRICS);
  if (report) return ok(report);
  const known = identity.answer(method, path, query, body) ?? alerts.answer(method, path, query, body);
  if (known) return ok(known[1], known[0]);
  if (head === 'latest') {
    const at = Date.now();
    const seen = [...devices.values()].filter((each) => each.last_seen);
    return ok({
      latest: seen.flatMap((each) =>
        Object.keys(METRICS).map((m) => ({
          device: each.name,
          ...reading(each, m, each.state === 'online' ? at - (at % 1_000) : each.last_seen),
        })),
      ),
    });
  }
  if (head === 'map') return ok(mapConfig());
  if (head === 'series') return ok({ series: [...devices.values()].map((each) => series(each, ...span)) });
  if (head === 'readings')
    return ok(answerReadings(name, query, [...devices.values()], Object.keys(METRICS), locationOf, reading));
  if (head === 'devices' && !name) return ok({ devices: [...devices.values()].map(shown) });
  if (head === 'devices' && !device) return problem(404, 'unknown_device', 'no such device');
  if (head === 'devices' && tail === 'series') return ok(series(device, ...span));
  if (head === 'devices' && tail === 'settings') {
    device.settings = {
      ...device.settings,
      version: device.settings.version + 1,
      interval_ms: body.interval_ms,
    };
    setTimeout(() => {
      if (device.state !== 'online') return;
      device.settings = { ...device.settings, applied: device.settings.version };
      tell({ type: 'device', device: shown(device) });
    }, 1_500);
    return ok(device.settings);
  }
  const calibrating = device && calibrationsOf(device);
  if (head === 'devices' && tail === 'calibrations' && verb === 'undo') {
    const made = calibrating.undo(id);
    return made ? ok(made, 201) : problem(409, 'not_in_force', 'another calibration is in force');
  }
  if (head === 'devices' && tail === 'calibrations') return ok(calibrating.list());
  if (head === 'devices' && tail === 'recomputations') return ok(calibrating.recomputations());
  if (head === 'devices' && tail === 'calibration') {
    if (device.state !== 'online') return problem(409, 'offline', 'the device is not connected');
    return ok({ session: calibrating.order(body) }, 202);
  }
  if (head === 'devices' && tail === 'revoke') {
    device.state = 'revoked';
    tell({ type: 'device', device: shown(device) });
    return ok(undefined, 204);
  }
  if (head === 'devices' && method === 'PATCH') {
    Object.assign(device, body);
    tell({ type: 'device', device: shown(device) });
  }
  if (head === 'devices') return ok(shown(device));
  const [status, about] = answerSystem(method, path, MAY) ?? [];
  if (status) return ok(about, status);
  if (head === 'registrations') return ok(answerRegistry(name, query, body));
  return problem(404, 'not_found', 'nothing here');
}

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://mock');
  if (url.pathname.startsWith('/api/v1/')) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const sent = Buffer.concat(chunks).toString();
    const csv = request.headers['content-type'] === 'text/csv';
    const body = csv ? sent : sent ? JSON.parse(sent) : {};
    const result = answer(
      request.method,
      url.pathname.slice('/api/v1/'.length),
      url.searchParams,
      body,
      sessionOf(request),
    );
    const cookie = result.cookie ? { 'set-cookie': `tirta_session=${result.cookie}; Path=/; HttpOnly` } : {};
    response.writeHead(result.status, { 'content-type': 'application/json', ...cookie });
    return response.end(result.body === undefined ? undefined : JSON.stringify(result.body));
  }
  const file = extname(url.pathname) ? normalize(url.pathname) : '/index.html';
  const content = await readFile(join(dist, file)).catch(() => null);
  response.writeHead(content ? 200 : 404, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': CSP,
    'permissions-policy': 'camera=(self), geolocation=(self), microphone=()',
  });
  return response.end(content ?? 'not found');
});

const live = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  const session = sessionOf(request);
  if (!people.signedIn(session)) return socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
  return live.handleUpgrade(request, socket, head, (client) => {
    client.session = session;
    sockets.add(client);
    client.on('close', () => sockets.delete(client));
  });
});

/** So many devices speak each second, in turn: what ten thousand say at once no browser is sent by a real server either. */
const SPEAKING = 400;
let turn = 0;
setInterval(() => {
  const time = Date.now() - (Date.now() % 1_000);
  const all = [...devices.values()];
  const speaking = all.length <= SPEAKING ? all : all.slice(turn, turn + SPEAKING);
  turn = turn + SPEAKING >= all.length ? 0 : turn + SPEAKING;
  for (const device of speaking) {
    if (device.state !== 'online') continue;
    device.last_seen = time;
    tell({
      type: 'readings',
      device: device.name,
      readings: Object.keys(METRICS).map((metric) => reading(device, metric, time)),
    });
  }
}, 1_000);

server.listen(PORT, '127.0.0.1', () => process.stdout.write(`Mock: http://127.0.0.1:${PORT}\n`));
