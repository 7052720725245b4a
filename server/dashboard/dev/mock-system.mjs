// Part of the design aid: the server's health, back-ups, channels and roles, made up. TROUBLE=1 shows what is wrong.
const DAY = 86_400_000;
const started = Date.now() - 12 * DAY;
const copies = [1, 2, 3].map((days) => copy(Date.now() - days * DAY));
const ROLES = ['admin', 'supervisor', 'technician', 'auditor'];
let running = null;

function copy(made_at) {
  const digits = new Date(made_at).toISOString().replace(/\D/g, '');
  const name = `tirta-${digits.slice(0, 8)}-${digits.slice(8, 14)}-${digits.slice(14, 17)}.db`;
  return { name, made_at, bytes: 184_000_000 };
}

function system() {
  const now = Date.now();
  const finding = (level, about, trouble) => ({ level, about, trouble });
  return {
    version: '0.1.0',
    now,
    started_at: started,
    time_zone: 'Asia/Jakarta',
    clock: 'synced',
    database: { engine: 'sqlite', bytes: 192_000_000, recent_errors: 0 },
    disk: { free: process.env.TROUBLE ? 400_000_000 : 21_000_000_000, total: 32_000_000_000 },
    intake: { readings_per_minute: 1180 + (now % 40), lag_ms: 11, recent_dropped: 0 },
    broker: { kind: 'embedded', connected: true },
    devices: { online: 4, offline: 1, never: 0, revoked: 0, quarantined: 0 },
    watchers: 2,
    deliveries: { pending: 0, oldest_at: null, failed: process.env.TROUBLE ? 2 : 0 },
    backup: { possible: true, every_s: 86_400, running: running !== null, last: copies[0], failed: null },
    certificates: { server_until: now + 400 * DAY, authority_until: now + 7000 * DAY },
    findings: process.env.TROUBLE
      ? [
          finding('critical', 'disk', 'disk_full'),
          finding('warning', 'deliveries', 'deliveries_failed'),
          finding('warning', 'clock', 'clock_unsynced'),
        ]
      : [],
  };
}

function backUp() {
  if (running) return;
  running = { started_at: Date.now(), written: 0, of: 192_000_000, checking: false };
  const timer = setInterval(() => {
    if (running.checking) {
      clearInterval(timer);
      running = null;
      copies.unshift(copy(Date.now()));
    } else if ((running.written += 40_000_000) > running.of) running.checking = true;
  }, 500);
}

const channel = (name, kind, host, more) => ({
  name,
  kind,
  configured: true,
  host,
  events: ['raised', 'escalated', 'cleared'],
  pending: 0,
  oldest_at: null,
  sent: 0,
  failed: 0,
  sent_at: null,
  failed_at: null,
  problem: null,
  ...more,
});
const CHANNELS = [
  channel('mqtt', 'mqtt', null, { sent: 14, sent_at: Date.now() - 600_000 }),
  channel('webhook:piket', 'webhook', 'hooks.kebun.example', {
    sent: 3,
    failed: 2,
    sent_at: Date.now() - 2 * DAY,
    failed_at: Date.now() - 3_600_000,
    problem: 'it answered 502 Bad Gateway',
  }),
  channel('webhook:sirene', 'webhook', '192.168.1.40', {}),
];

/** `may`: the permissions of each role. Null for all that is about something else. */
export function answerSystem(method, path, may) {
  if (path === 'system') return [200, system()];
  if (path === 'backups' && method === 'POST') backUp();
  if (path === 'backups')
    return [
      method === 'POST' ? 202 : 200,
      { possible: true, every_s: 86_400, keep: 7, running, failed: null, backups: copies },
    ];
  if (path === 'channels') return [200, { channels: CHANNELS }];
  if (path.startsWith('channels/')) {
    const delivered = !path.includes('piket');
    return [200, { delivered, problem: delivered ? null : 'it answered 502 Bad Gateway' }];
  }
  if (path !== 'roles') return null;
  const permissions = may.admin.map((permission) => ({
    permission,
    roles: ROLES.filter((role) => may[role].includes(permission)),
    people_only: ['manage_users', 'calibrate', 'manage_server'].includes(permission),
    operations: ['GET /api/v1/example'],
  }));
  return [200, { roles: ROLES, permissions }];
}
