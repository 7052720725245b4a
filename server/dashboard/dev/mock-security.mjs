// Part of the design aid: one's own sessions and the code at sign-in, made up. The password is "tirta", and the code "123456".
const problem = (status, code, detail, field) => ({
  status,
  body: { title: code, status, detail, code, field },
});
const ok = (body, status = 200) => ({ status, body });
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36',
  'Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36',
  'tirta/0.1.0',
  null,
];

export class MockSecurity {
  #enabled_at = null;
  #sessions = AGENTS.map((agent, n) => ({
    id: `${n}`.repeat(16),
    created_at: Date.now() - n * 86_400_000 - 3_600_000,
    used_at: Date.now() - n * 5_000_000,
    expires_at: Date.now() + 86_400_000,
    address: n === 1 ? '2001:db8:4af0:12::7' : `192.168.1.${20 + n}`,
    agent,
    current: n === 0,
  }));

  /** Null for all that is about something else. */
  answer(method, path, body) {
    if (path === 'session/refresh') return problem(401, 'bad_refresh_token', 'sign in again');
    if (path === 'session/second-factor' && method === 'GET')
      return ok({ enabled_at: this.#enabled_at, recovery_codes: this.#enabled_at ? 10 : 0 });
    if (path === 'session/second-factor/confirm') {
      if (body.code !== '123456') return problem(400, 'invalid', 'wrong', 'code');
      this.#enabled_at = Date.now();
      return ok({ recovery_codes: Array.from({ length: 10 }, (_, n) => `abcde-fgh${n}k-mnpqr`) });
    }
    if (path.startsWith('session/second-factor')) {
      if (body.password !== 'tirta') return problem(403, 'wrong_password', 'wrong', 'password');
      if (path.endsWith('/disable')) this.#enabled_at = null;
      const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
      return path.endsWith('/disable')
        ? ok(undefined, 204)
        : ok({ secret, uri: `otpauth://totp/Tirta:admin?secret=${secret}&issuer=Tirta` });
    }
    if (path === 'sessions' && method === 'GET') return ok({ sessions: this.#sessions });
    if (path.startsWith('sessions')) {
      this.#sessions = this.#sessions.filter(({ id }) => !path.endsWith(id));
      return ok(undefined, 204);
    }
    return null;
  }
}
