// Part of the design aid: invitations, people who ask for an account, and profiles that are made up. The link of any
// invitation works; `#used`, `#expired` and `#withdrawn` show what a link that does not work looks like.
import { randomBytes } from 'node:crypto';

const HOUR_MS = 3_600_000;
const problem = (status, code, field) => ({
  status,
  body: { type: 'about:blank', title: code, status, detail: code, code, ...(field ? { field } : {}) },
});
const ok = (body, status = 200) => ({ status, body });

export class MockNewcomers {
  #invitations = [];
  #profiles = new Map();
  #asking = [
    { name: 'sari', display_name: 'Bu Sari', email: 'sari@kebun.example', address: '192.168.1.20' },
    { name: 'budi-kolam-utara', display_name: 'Pak Budi dari kolam utara', email: null, address: '10.0.0.7' },
  ].map((each) => ({ ...each, asked_at: Date.now() - 2 * HOUR_MS }));

  /** `add` makes an account: name, role, address, password, whether it must be changed. */
  constructor(add, tell) {
    this.add = add;
    this.tell = tell;
    this.#invite({ role: 'supervisor', name: 'Bu Rini' });
  }

  #invite({ role, name = null, email = null, valid_s = 604_800 }) {
    const now = Date.now();
    const invitation = {
      id: randomBytes(6).toString('hex'),
      state: 'open',
      ...{ role, name, email, invited_by: 'admin', created_at: now, expires_at: now + valid_s * 1000 },
      ...{ used_by: null, ended_at: null },
    };
    this.#invitations.unshift(invitation);
    return { ...invitation, secret: `tirta_iv_${randomBytes(24).toString('base64url')}`, link: null };
  }

  /** What needs no session; null for all else. */
  open(method, path, body) {
    if (path === 'sign-up' && method === 'GET') return ok({ registration: 'approval' });
    if (path === 'sign-up') {
      this.#asking.push({ email: null, ...body, address: '192.168.1.9', asked_at: Date.now() });
      this.tell({ type: 'signups' });
      return ok({ state: 'waiting' }, 202);
    }
    if (!path.startsWith('join')) return null;
    const { secret, name, password } = body;
    if (['used', 'expired', 'withdrawn'].includes(secret)) return problem(410, `invitation_${secret}`);
    const [{ role, name: called, email, invited_by, expires_at }] = this.#invitations;
    if (path === 'join/look') return ok({ role, name: called, email, invited_by, expires_at });
    if (name === 'admin') return problem(409, 'taken', 'name');
    this.add(name, role, email, password, false);
    return ok({ user: name, role, email }, 201);
  }

  /** What a signed-in person asks; null for all else. */
  answer(method, path, body, user) {
    const [head, name, verb] = path.split('/').map(decodeURIComponent);
    if (head === 'profile') return ok(this.#profile(user, method === 'PATCH' ? body : {}));
    if (head === 'invitations' && method === 'POST') return ok(this.#invite(body), 201);
    if (head === 'invitations' && method === 'DELETE') {
      this.#invitations = this.#invitations.filter(({ id }) => id !== name);
      return ok(undefined, 204);
    }
    if (head === 'invitations') return ok({ invitations: this.#invitations });
    if (head !== 'sign-ups') return null;
    if (!verb) return ok({ sign_ups: this.#asking });
    this.#asking = this.#asking.filter((each) => each.name !== name);
    this.tell({ type: 'signups' });
    return verb === 'refuse' ? ok(undefined, 204) : ok(this.add(name, body.role, null, 'tirta', false));
  }

  #profile({ name, role, email }, change) {
    const usual = {
      ...{ name, role, email, display_name: null, language: null, theme: 'system' },
      notifications: { severities: ['warning', 'critical'], sound: false, browser: false, quiet: null },
    };
    const kept = { ...usual, ...this.#profiles.get(name), ...change };
    this.#profiles.set(name, kept);
    return kept;
  }
}
