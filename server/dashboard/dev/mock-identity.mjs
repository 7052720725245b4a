// The identity part of the design aid: tokens, boards that wait, the return window, certificates, claims and an audit
// log, each with one of every look. A real request to enrol is taken, so that the browser tests can run against it.
import { createHash, randomBytes } from 'node:crypto';
import { isRegistered } from './mock-registry.mjs';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const CA = createHash('sha256').update('authority').digest('hex');
const digest = (text) => createHash('sha256').update(text).digest('hex');
const id = () => randomBytes(4).toString('hex');

/** What a device has besides its values: device 4's certificate has run out, device 6's is about to. */
export function identityOf(n, state, started) {
  const expires_at = started + (n === 4 ? -0.2 : n === 6 ? 3 : 19) * DAY;
  const certificate = {
    serial_number: digest(`certificate ${n}`).slice(0, 32),
    issued_at: expires_at - 30 * DAY,
    expires_at,
    ca_sha256: CA,
  };
  return {
    model: n % 2 ? 'Raspberry Pi 4 Model B Rev 1.5' : 'Raspberry Pi Zero 2 W Rev 1.0',
    key_sha256: state === 'quarantined' ? '' : digest(`key ${n}`),
    certificate: state === 'never' || state === 'quarantined' ? null : certificate,
  };
}

export class MockIdentity {
  #devices;
  #changed;
  #locate;
  #tell;
  #started = Date.now();
  #returns = null;
  #waiting;
  #tokens;
  #entries = [];

  constructor(devices, changed, locate, tell) {
    this.#tell = tell;
    this.#devices = devices;
    this.#changed = changed;
    this.#locate = locate;
    const now = this.#started;
    const token = (over) => ({
      id: id(),
      uses: 100,
      uses_left: 84,
      expires_at: now + 6 * DAY,
      created_at: now - DAY,
      created_by: 'admin',
      note: '',
      admits: 'registered',
      location: null,
      serials: [],
      revoked_at: null,
      ...over,
    });
    this.#tokens = [
      token({ note: 'Rumah kaca 2', location: 'Rumah kaca 2' }),
      token({ uses: 10, uses_left: 0, created_at: now - 2 * DAY, admits: 'any' }),
      token({ uses: 5, uses_left: 5, expires_at: now - HOUR, created_at: now - 9 * DAY, note: 'Kolam lele' }),
      token({
        uses: 3,
        uses_left: 2,
        revoked_at: now - 3 * HOUR,
        note: 'Stik USB yang hilang',
        serials: ['10000000a3c40021', '10000000a3c40022', '10000000a3c40023'],
      }),
    ];
    const board = (serial, over) => ({
      id: id(),
      serial,
      key_sha256: digest(`key of ${serial}`),
      model: 'Raspberry Pi 4 Model B Rev 1.5',
      address: '192.168.1.57',
      reason: 'not_expected',
      copied_from: null,
      device: null,
      token_id: this.#tokens[0].id,
      since: now - 47 * 60_000,
      last_asked: now - 8_000,
      ...over,
    });
    const first = [...devices.values()];
    this.#waiting =
      process.env.WAITING === '0'
        ? []
        : [
            board('10000000c0ffee01', { since: now - 2 * HOUR }),
            board('10000000c0ffee02', {
              model: 'Raspberry Pi Zero 2 W Rev 1.0',
              address: 'fe80::ba27:ebff:fe3c:4011',
              copied_from: { name: first[3]?.name ?? 'pi-4', serial: first[3]?.serial ?? '' },
            }),
            board(first[2]?.serial ?? '10000000c0ffee03', {
              reason: 'second_key',
              device: first[2]?.name ?? 'pi-3',
            }),
            board(first[5]?.serial ?? '10000000c0ffee04', {
              reason: 'shared_key',
              device: first[5]?.name ?? null,
              model: null,
            }),
          ];
    this.#write(
      'admin',
      'token.created',
      { detail: { note: 'Rumah kaca 2', uses: 100, admits: 'registered' } },
      9,
    );
    for (const device of first) {
      const of = { device: device.name, serial: device.serial, address: '192.168.1.50' };
      this.#write('device', 'device.enrolled', { ...of, detail: { token: this.#tokens[0].id } }, 8.9);
      if (device.n !== 4)
        this.#write('device', 'device.renewed', { ...of, detail: { expires_at: now + 19 * DAY } }, 2);
    }
    this.#write('admin', 'policy.changed', { detail: { returns_until: now - DAY } }, 1.5);
    if (first[0]) {
      const of = { device: first[0].name, serial: first[0].serial };
      this.#write('server', 'device.quarantined', { ...of, detail: { reason: 'shared_key' } }, 1.2);
      this.#write('device', 'device.second_key', { ...of, address: '192.168.1.50', detail: {} }, 1.1);
      this.#write(
        'admin',
        'device.approved',
        { ...of, detail: { key: digest('key 1'), reason: 'shared_key' } },
        1,
      );
    }
    this.#write('admin', 'device.eaten_by_fish', { detail: { fish: 'lele', weight: { kg: 2 } } }, 0.5);
  }

  #write(who, act, over, daysAgo = 0) {
    this.#entries.push({
      id: this.#entries.length + 1,
      at: Date.now() - daysAgo * DAY,
      who,
      act,
      device: null,
      serial: null,
      address: who === 'admin' ? '192.168.1.20' : null,
      detail: {},
      ...over,
    });
  }

  /** Status and body, or null if it is nobody's business here. */
  answer(method, path, query, body) {
    const [head, name, tail] = path.split('/');
    if (head === 'enrolment-tokens') return this.#token(method, name, body);
    if (head === 'waiting') return this.#wait(method, name, tail, body);
    if (head === 'enrolment-policy') {
      if (method === 'PUT') {
        this.#returns = body.returns_for_s > 0 ? Date.now() + body.returns_for_s * 1_000 : null;
        this.#write('admin', 'policy.changed', { detail: { returns_until: this.#returns ?? Date.now() } });
      }
      return [200, { returns_until: this.#returns }];
    }
    if (head === 'devices' && tail === 'replace') {
      const board = this.#waiting.find((each) => each.serial === body.serial);
      if (board) this.#let(board, { replaces: name });
      else this.#write('admin', 'device.replaced', { device: name, serial: body.serial });
      return [200, { name, waiting: !board }];
    }
    if (head === 'claim') return this.#claim(body);
    if (head === 'audit' && (name === 'head' || name === 'verify')) {
      const entries = this.#entries.length;
      const end = { id: entries, hash: digest(String(entries)) };
      return [200, name === 'head' ? end : { intact: true, entries, head: end, broken: null }];
    }
    if (head === 'audit') {
      const before = Number(query.get('before') ?? Infinity);
      const device = query.get('device');
      const fitting = this.#entries.filter((each) => each.id < before && (!device || each.device === device));
      const entries = fitting.reverse().slice(0, Number(query.get('limit') ?? 50));
      return [200, { entries, next: fitting.length > entries.length ? entries.at(-1).id : null }];
    }
    return null;
  }

  #gone(board) {
    this.#waiting = this.#waiting.filter((each) => each !== board);
    this.#tell();
  }

  /** A board's own request: it always waits here. */
  enrol({ serial, csr, model }) {
    const key_sha256 = digest(csr);
    const owner = [...this.#devices.values()].find((each) => each.serial === serial);
    const reason = owner ? 'second_key' : 'not_expected';
    const known = this.#waiting.find((each) => each.key_sha256 === key_sha256);
    if (!known) {
      this.#waiting.push({
        id: id(),
        serial,
        key_sha256,
        model: model ?? null,
        address: '127.0.0.1',
        reason,
        copied_from: null,
        device: owner?.name ?? null,
        token_id: 'a1',
        since: Date.now(),
        last_asked: Date.now(),
      });
      this.#write('device', 'device.waiting', {
        serial,
        address: '127.0.0.1',
        detail: { reason },
      });
      this.#tell();
    } else known.last_asked = Date.now();
    return [202, { reason, retry_s: 30 }];
  }

  #token(method, name, body) {
    if (method === 'POST') {
      const token = {
        id: id(),
        uses: body.uses,
        uses_left: body.uses,
        expires_at: Date.now() + body.valid_s * 1_000,
        created_at: Date.now(),
        created_by: 'admin',
        note: body.note ?? '',
        admits: body.admits ?? 'registered',
        location: body.location ?? null,
        serials: body.serials ?? [],
        revoked_at: null,
      };
      this.#tokens.push(token);
      const { note, uses, admits } = token;
      this.#write('admin', 'token.created', { detail: { note, uses, admits } });
      const secret = randomBytes(20).toString('base64url');
      const fleet_file = `server = "https://tirta.local:8443"\nca_sha256 = "${CA}"\ntoken = "${secret}"\n`;
      return [201, { ...token, token: secret, ca_sha256: CA, fleet_file }];
    }
    if (method === 'DELETE') {
      const token = this.#tokens.find((each) => each.id === name);
      if (token) token.revoked_at = Date.now();
      this.#write('admin', 'token.revoked', { detail: { note: token?.note ?? '' } });
      return [204, undefined];
    }
    return [200, { tokens: this.#tokens }];
  }

  #wait(method, name, verb, body) {
    if (method === 'GET') return [200, { waiting: this.#waiting }];
    if (name === 'approve-all') {
      const unexpected = this.#waiting.filter(({ reason }) => reason === 'not_expected');
      return [200, { approved: unexpected.map((board) => this.#let(board, {})) }];
    }
    const board = this.#waiting.find((each) => each.id === name);
    if (!board) return null;
    if (verb === 'refuse') {
      this.#gone(board);
      this.#write('admin', 'device.refused', { serial: board.serial });
      return [204, undefined];
    }
    return [200, { name: this.#let(board, body) }];
  }

  #free() {
    let n = 20;
    while (this.#devices.has(`pi-${n}`)) n += 1;
    return `pi-${n}`;
  }

  #let(board, { name, replaces, location }) {
    this.#gone(board);
    const given = replaces ?? board.device ?? name ?? this.#free();
    const n = Number(given.replace(/\D/g, '')) || 50;
    const device = this.#devices.get(given) ?? {
      ...[...this.#devices.values()][0],
      n,
      name: given,
      last_seen: null,
      enrolled_at: Date.now(),
      agent: null,
      buffer: null,
      calibrations: {},
      ...identityOf(n, 'online', Date.now()),
    };
    Object.assign(device, {
      serial: board.serial,
      model: board.model,
      state: device.last_seen ? 'online' : 'never',
    });
    this.#devices.set(given, device);
    this.#locate(given, board.serial, location);
    const act = replaces ? 'device.replaced' : 'device.approved';
    this.#write('admin', act, {
      device: given,
      serial: board.serial,
      detail: { key: board.key_sha256, reason: board.reason },
    });
    this.#changed(device);
    return given;
  }

  #claim({ name, serial, location, latitude }) {
    const board = this.#waiting.find((each) => each.serial === serial);
    if (!board && !this.#devices.has(name) && !isRegistered(name, serial))
      return [404, { title: 'unknown', status: 404, code: 'unknown_label', detail: 'it is not registered' }];
    const owner = [...this.#devices.values()].find((each) => each.serial === serial)?.name;
    const given = board
      ? this.#let(board, { name: name ?? owner, location })
      : (name ?? owner ?? this.#free());
    this.#locate(given, serial, location);
    const device = this.#devices.get(given);
    if (device) this.#changed(device);
    const detail = { location, ...(latitude === undefined ? {} : { latitude }) };
    this.#write('admin', 'device.claimed', { device: given, serial: serial ?? null, detail });
    return [
      200,
      { name: given, serial: serial ?? device?.serial ?? null, location, approved: board !== undefined },
    ];
  }
}
