// Part of the design aid: accounts, roles, sessions and passwords that are made up. A role's name signs in as that role,
// and any other name as an admin, both with the password "tirta"; accounts made here begin with a password to be changed.
import { randomBytes } from 'node:crypto';
import { MockNewcomers } from './mock-newcomers.mjs';

const ALL =
  'read handle_alerts oversee_alerts calibrate claim_devices configure_devices approve_devices set_thresholds silence manage_fleet read_audit manage_users write_readings manage_server'.split(
    ' ',
  );
export const MAY = {
  admin: ALL,
  supervisor: ALL.filter((each) => !/^manage_|read_audit|write_readings/.test(each)),
  technician: ['read', 'handle_alerts', 'calibrate', 'claim_devices'],
  auditor: ['read', 'read_audit'],
};
/** Enough to see what a refusal looks like. */
const NEEDS = [
  [/^(audit|users|invitations|sign-ups|enrolment-tokens|intake-tokens)/, 'GET', 'read_audit'],
  [/^(users|invitations|sign-ups)/, '', 'manage_users'],
  [/^(enrolment-|intake-|registrations\/|authority)/, 'PUT POST DELETE', 'manage_fleet'],
  [/^thresholds$/, 'PUT', 'set_thresholds'],
  [/^alerts\/act/, 'POST', 'handle_alerts'],
];

const problem = (status, code, detail, field) => ({
  status,
  body: { type: 'about:blank', title: code, status, detail, code, ...(field ? { field } : {}) },
});
const ok = (body, status = 200) => ({ status, body });
const drawn = () => randomBytes(10).toString('hex').match(/.{5}/g).join('-');

export class MockPeople {
  #users = new Map();
  #sessions = new Map();

  /** `end` closes what a session has opened; `tell` sends an event to everybody. */
  constructor(open, end, tell) {
    this.open = open;
    this.end = end;
    this.newcomers = new MockNewcomers((...account) => this.#add(...account), tell);
    for (const [name, role, email] of [
      ['admin', 'admin', null],
      ['rini', 'supervisor', 'rini@kebun.example'],
      ['tono', 'technician', null],
    ])
      this.#add(name, role, email, 'tirta', false);
    this.#users.get('tono').disabled_at = Date.now() - 86_400_000;
  }

  #add(name, role, email, password, must_change) {
    const user = { name, role, email, must_change, created_at: Date.now(), disabled_at: null, password };
    user.display_name = null;
    this.#users.set(name, user);
    return user;
  }

  signedIn(session) {
    return this.#sessions.has(session) || this.open;
  }

  #of(session) {
    return this.#sessions.get(session) ?? (this.open ? this.#users.get('admin') : undefined);
  }

  #endOf(name, except = '') {
    for (const [session, user] of this.#sessions) {
      if (user.name !== name || session === except) continue;
      this.#sessions.delete(session);
      this.end(session);
    }
  }

  /** Answers what is about people, and refuses what a session may not; null for all else. */
  answer(method, path, body, session) {
    const [head, name, verb] = path.split('/');
    if (head === 'session' && method === 'POST' && !name) return this.#signIn(body);
    const open = this.newcomers.open(method, path, body);
    if (open) return open;
    const user = this.#of(session);
    if (!user) return problem(401, 'no_session', 'sign in first');
    const { must_change, role } = user;
    if (head === 'session' && name === 'password') return this.#change(user, body, session);
    if (head === 'session' && method === 'GET')
      return ok({ user: user.name, role, permissions: MAY[role], must_change, time_zone: 'Asia/Jakarta' });
    if (head === 'session') {
      this.#sessions.delete(session);
      this.end(session);
      return ok(undefined, 204);
    }
    if (must_change) return problem(403, 'change_password', 'choose a password first');
    const need = NEEDS.find(([of, methods]) => of.test(path) && (!methods || methods.includes(method)));
    if (need && !MAY[role].includes(need[2]))
      return problem(403, 'forbidden', `this needs the permission ${need[2]}; yours is ${role}`);
    const newcomers = this.newcomers.answer(method, path, body, user);
    if (newcomers) return newcomers;
    return head === 'users' ? this.#accounts(method, name && decodeURIComponent(name), verb, body) : null;
  }

  #signIn({ user: given, password }) {
    const name = given.toLowerCase();
    if (!this.#users.has(name) && password === 'tirta')
      this.#add(name, MAY[name] ? name : 'admin', null, 'tirta', false);
    const user = this.#users.get(name);
    if (user?.password !== password || user.disabled_at) return problem(401, 'bad_credentials', 'wrong');
    const cookie = randomBytes(8).toString('hex');
    this.#sessions.set(cookie, user);
    const { role, must_change } = user;
    return {
      ...ok({ user: name, role, permissions: MAY[role], must_change, time_zone: 'Asia/Jakarta' }),
      cookie,
    };
  }

  #change(user, { old, new: chosen }, session) {
    if (chosen.toLowerCase().replaceAll(user.name, '') === '')
      return problem(400, 'invalid', 'your name', 'new');
    if (old !== user.password) return problem(403, 'wrong_password', 'the old password is wrong', 'old');
    Object.assign(user, { password: chosen, must_change: false });
    this.#endOf(user.name, session);
    return ok(undefined, 204);
  }

  #accounts(method, name, verb, body) {
    const shown = ({ password: _, ...user }) => user;
    if (method === 'GET') {
      const all = [...this.#users.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      return ok({ users: all.map(shown), next: null });
    }
    const first = drawn();
    if (!name) {
      if (this.#users.has(body.name))
        return problem(409, 'taken', 'there is an account of this name', 'name');
      const user = this.#add(body.name, body.role, body.email ?? null, first, true);
      return ok({ user: shown(user), password: first }, 201);
    }
    const user = this.#users.get(name);
    if (!user) return problem(404, 'unknown_user', 'there is no such account');
    if (verb === 'reset-password') {
      Object.assign(user, { password: first, must_change: true });
      this.#endOf(name);
      return ok({ user: shown(user), password: first });
    }
    if (body.disabled !== undefined) user.disabled_at = body.disabled ? Date.now() : null;
    if (body.email !== undefined) user.email = body.email;
    if (body.disabled || (body.role && body.role !== user.role)) this.#endOf(name);
    if (body.role) user.role = body.role;
    return ok(shown(user));
  }
}
