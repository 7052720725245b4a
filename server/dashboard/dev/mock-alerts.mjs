// Owns the made-up thresholds, alerts and outages of the mock server: enough of each sort to look at every page.
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NAMES = { ph: 'pH', tds: 'TDS', temperature: ['Suhu', 'Temperature'], volume: ['Volume', 'Volume'] };
const UNITS = { ph: 'pH', tds: 'ppm', temperature: '°C', volume: 'L' };

const PRESETS = [
  {
    id: 'hydroponics-lettuce',
    name: { id: 'Hidroponik: selada', en: 'Hydroponics: lettuce' },
    version: 1,
    effective: '2026-01-01',
    source: 'A made-up source of the mock',
    metrics: {
      ph: {
        low: { warning: 5.5, critical: 5 },
        high: { warning: 6.5, critical: 7 },
        hysteresis: 0.1,
        hold_ms: MINUTE,
        clear_ms: MINUTE,
      },
      temperature: {
        high: { warning: 26, critical: 30 },
        hysteresis: 0.5,
        hold_ms: 5 * MINUTE,
        clear_ms: MINUTE,
      },
    },
  },
];

export class MockAlerts {
  #alerts = [];
  #events = new Map();
  #silences = [];
  #clearances = [];
  #tokens = [];
  #rules = [];
  #next = 1;

  constructor(devices, tell) {
    this.devices = devices;
    this.tell = tell;
    const names = [...devices.keys()];
    const [a, b, c] = [names[1] ?? 'pi-1', names[2] ?? 'pi-1', names[3] ?? 'pi-1'];
    this.#rules.push(this.#rule('fleet', '', 'ph', PRESETS[0].metrics.ph, PRESETS[0].id));
    this.#rules.push(this.#rule('fleet', '', 'temperature', PRESETS[0].metrics.temperature, null));
    this.#rules.push(
      this.#rule(
        'device',
        a,
        'tds',
        { high: { warning: 900 }, fault: { after_ms: MINUTE, severity: 'critical' } },
        null,
      ),
    );
    this.#raise(c, 'temperature', 'high', 'warning', 31 * HOUR, {
      value: 26.4,
      limit: 26,
      state: 'resolved',
      resolved_by: 'rule',
      read: true,
    });
    this.#raise(b, 'ph', 'low', 'warning', 9 * HOUR, {
      value: 5.3,
      limit: 5.5,
      state: 'resolved',
      resolved_by: 'rule',
      historical: true,
    });
    const place = this.#raise(null, null, 'location_offline', 'critical', 5 * HOUR, {
      location: 'Greenhouse 1',
      children: 2,
      state: 'acknowledged',
      acknowledged_by: 'admin',
      read: true,
    });
    for (const name of [b, c]) this.#raise(name, null, 'offline', 'critical', 5 * HOUR, { parent: place.id });
    this.#raise(a, 'tds', 'fault', 'critical', 40 * MINUTE, {
      detail: { fault: 'no_answer' },
      silenced: true,
    });
    this.#raise(b, 'ph', 'high', 'warning', 20 * MINUTE, {
      value: 6.8,
      limit: 6.5,
      extreme: 6.9,
      assignee: 'siti',
      simulated: true,
    });
    this.#raise(a, 'ph', 'high', 'critical', 4 * MINUTE, {
      value: 7.43,
      limit: 7,
      extreme: 7.6,
      simulated: true,
    });
    if (process.env.ALERT_EVERY_MS) setInterval(() => this.#news(a), Number(process.env.ALERT_EVERY_MS));
  }

  #news(device) {
    const alert = this.#raise(
      device,
      'temperature',
      'high',
      Math.random() < 0.5 ? 'critical' : 'warning',
      0,
      { value: 30.2, limit: 30 },
    );
    this.tell({
      type: 'alert',
      news: { v: 1, key: `alert-${alert.id}-1`, what: 'raised', at: Date.now(), text: alert.text, alert },
    });
  }

  #rule(scope, target, metric, threshold, preset) {
    return {
      scope,
      target,
      metric,
      version: 1,
      threshold,
      preset,
      changed_at: Date.now() - DAY,
      changed_by: 'admin',
    };
  }

  #raise(device, metric, kind, severity, ago, more) {
    const since = Date.now() - ago;
    const id = this.#next++;
    const name = [NAMES[metric] ?? kind].flat();
    const value = more.value === undefined ? '' : ` ${more.value} (${more.limit})`;
    const alert = {
      id,
      source: metric ? 'rule' : 'outage',
      kind,
      device,
      location: this.devices.get(device)?.location ?? null,
      metric,
      unit: UNITS[metric] ?? null,
      severity,
      worst: severity,
      state: 'open',
      since,
      raised_at: since + MINUTE,
      known_at: since + MINUTE,
      resolved_at: more.state === 'resolved' ? since + HOUR : null,
      resolved_by: null,
      reason: null,
      value: null,
      limit: null,
      extreme: null,
      simulated: false,
      historical: false,
      reopened: 0,
      read: false,
      acknowledged_by: null,
      acknowledged_at: null,
      assignee: null,
      snoozed_until: null,
      parent: null,
      children: 0,
      silenced: false,
      detail: {},
      text: {
        id: `${name[0]} ${device ?? more.location} ${kind}${value}`.replace('.', ','),
        en: `${name.at(-1)} ${device ?? more.location} ${kind}${value}`,
      },
      ...more,
    };
    this.#alerts.unshift(alert);
    this.#events.set(id, [
      { seq: 1, at: alert.raised_at, who: 'rule', what: 'raised', detail: { value: alert.value } },
    ]);
    return alert;
  }

  #list(query) {
    const [state, q] = [query.get('state'), query.get('q')?.toLowerCase()];
    const fits = (alert) =>
      !alert.cleared &&
      (!state || state.split(',').includes(alert.state)) &&
      ['severity', 'source', 'device', 'location', 'metric'].every(
        (key) => !query.get(key) || alert[key] === query.get(key),
      ) &&
      (!q || `${alert.text.id} ${alert.device} ${alert.location}`.toLowerCase().includes(q));
    return this.#alerts.filter(fits);
  }

  #act({ ids, act, reason, assignee, until, text }) {
    for (const alert of this.#alerts.filter(({ id }) => ids.includes(id))) {
      const at = Date.now();
      alert.read = true;
      if (act === 'acknowledge')
        Object.assign(alert, { state: 'acknowledged', acknowledged_by: 'admin', acknowledged_at: at });
      if (act === 'resolve')
        Object.assign(alert, { state: 'resolved', resolved_at: at, resolved_by: 'admin', reason });
      if (act === 'reopen')
        Object.assign(alert, { state: 'open', resolved_at: null, reopened: alert.reopened + 1 });
      if (act === 'assign') alert.assignee = assignee;
      if (act === 'snooze') alert.snoozed_until = until;
      const what = {
        read: 'read',
        acknowledge: 'acknowledged',
        resolve: 'resolved',
        reopen: 'reopened',
        assign: 'assigned',
        snooze: 'snoozed',
        note: 'noted',
      }[act];
      const events = this.#events.get(alert.id);
      events.push({
        seq: events.length + 1,
        at,
        who: 'admin',
        what,
        detail: { reason, assignee, until, text },
      });
    }
    return [200, { alerts: [] }];
  }

  #availability(query) {
    const step = { day: DAY, week: 7 * DAY, month: 30 * DAY }[query.get('per')];
    const of = query.get('by');
    const subjects = of === 'location' ? ['Greenhouse 1', 'Greenhouse 2'] : [...this.devices.keys()];
    const now = Date.now();
    return subjects
      .filter((name) => !query.get('device') || name === query.get('device'))
      .flatMap((name, n) =>
        Array.from({ length: 7 }, (_, i) => {
          const percent = (i * 7 + n * 3) % 5 === 0 ? 97.2 : (i + n) % 4 === 0 ? 99.4 : 100;
          const [from, to] = [now - (7 - i) * step, now - (6 - i) * step];
          return {
            device: of === 'location' ? null : name,
            location: of === 'location' ? name : null,
            from,
            to,
            availability_percent: i === 0 ? null : percent,
            outages: percent < 100 ? 1 : 0,
            out_ms: ((100 - percent) / 100) * step,
            unknown_ms: 0,
            planned_ms: 0,
          };
        }),
      );
  }

  #outages(query) {
    const names = [...this.devices.keys()];
    const all = ['power', 'network', 'stopped', 'network', 'network', 'server'].map((cause, i) => ({
      id: 100 - i,
      device: cause === 'server' ? null : names[i % 3 === 0 ? 0 : 1],
      location: 'Greenhouse 1',
      started_at: Date.now() - (i + 1) * 3 * HOUR,
      ended_at: i === 0 ? null : Date.now() - (i + 1) * 3 * HOUR + (i + 1) * 7 * MINUTE,
      cause: i === 0 ? 'unknown' : cause,
      detail: {},
      alert: null,
    }));
    return all.filter(({ device }) => !query.get('device') || device === query.get('device'));
  }

  #holding(name) {
    const found = {};
    for (const rule of this.#rules)
      if (rule.scope === 'fleet' || rule.target === name)
        found[rule.metric] = {
          ...rule,
          applied: rule.scope === 'fleet',
          waiting_since: rule.scope === 'fleet' ? null : Date.now() - MINUTE,
          beyond_probe: rule.metric === 'tds' ? ['high.warning'] : [],
        };
    return found;
  }

  #put({ targets, metric, threshold, preset }) {
    for (const { scope, target } of targets) {
      const old = this.#rules.find(
        (each) => each.scope === scope && each.target === target && each.metric === metric,
      );
      this.#rules = this.#rules.filter((each) => each !== old);
      if (threshold)
        this.#rules.push({
          ...this.#rule(scope, target, metric, threshold, preset ?? null),
          version: (old?.version ?? 0) + 1,
          changed_at: Date.now(),
        });
    }
    return [200, {}];
  }

  /** Status and body, or null for what is none of its business. */
  answer(method, path, query, body) {
    const [head, second, third, fourth] = path.split('/');
    if (path === 'alerts') {
      const alerts = this.#list(query);
      const open = this.#alerts.filter(({ state }) => state === 'open');
      return [
        200,
        {
          alerts,
          next: null,
          counts: {
            open: open.length,
            acknowledged: this.#alerts.filter(({ state }) => state === 'acknowledged').length,
            critical: open.filter(({ severity }) => severity === 'critical').length,
            unread: open.filter(({ read }) => !read).length,
          },
        },
      ];
    }
    if (path === 'alerts/act') return this.#act(body);
    if (path === 'alerts/clear') {
      const clearance = { id: this.#next++, at: Date.now(), who: 'admin', alerts: 0, restored_at: null };
      for (const alert of this.#list(new URLSearchParams(body)))
        [alert.cleared, clearance.alerts] = [clearance.id, clearance.alerts + 1];
      this.#clearances.unshift(clearance);
      return [200, { clearance: clearance.alerts > 0 ? clearance : null }];
    }
    if (path === 'alerts/clearances') return [200, { clearances: this.#clearances }];
    if (head === 'alerts' && fourth === 'restore') {
      for (const alert of this.#alerts) if (alert.cleared === Number(third)) alert.cleared = null;
      this.#clearances.find(({ id }) => id === Number(third)).restored_at = Date.now();
      return [200, {}];
    }
    if (head === 'alerts') {
      const alert = this.#alerts.find(({ id }) => id === Number(second));
      if (!alert) return [404, { code: 'not_found', detail: 'no such alert' }];
      const deliveries = [
        {
          key: `alert-${alert.id}-1`,
          what: 'raised',
          at: alert.known_at,
          withheld: null,
          channel: 'webhook:siren',
          state: 'sent',
          tries: 1,
          next_at: 0,
          done_at: alert.known_at + 40,
          problem: null,
        },
        {
          key: `alert-${alert.id}-1`,
          what: 'raised',
          at: alert.known_at,
          withheld: null,
          channel: 'webhook:office',
          state: 'failed',
          tries: 3,
          next_at: 0,
          done_at: null,
          problem: 'connection refused',
        },
      ];
      return [
        200,
        {
          alert,
          events: this.#events.get(alert.id),
          deliveries,
          children: this.#alerts.filter(({ parent }) => parent === alert.id),
        },
      ];
    }
    if (path === 'thresholds') return method === 'PUT' ? this.#put(body) : [200, { thresholds: this.#rules }];
    if (path === 'thresholds/presets')
      return [200, { presets: PRESETS.map((preset) => ({ changed_by: null, ...preset })) }];
    if (path === 'thresholds/history')
      return [
        200,
        {
          thresholds: this.#rules.filter((rule) =>
            ['scope', 'target', 'metric'].every((key) => rule[key] === query.get(key)),
          ),
        },
      ];
    if (path === 'thresholds/preview') {
      const alerts = [1, 2, 3].map((n) => ({
        kind: 'high',
        severity: n === 2 ? 'critical' : 'warning',
        since: Date.now() - n * DAY,
        raised_at: Date.now() - n * DAY,
        resolved_at: Date.now() - n * DAY + 23 * MINUTE,
        extreme: 6.9,
      }));
      return [
        200,
        { alerts, count: 3, readings: 120_345, from: Date.now() - 7 * DAY, to: Date.now(), truncated: false },
      ];
    }
    if (head === 'devices' && third === 'thresholds') return [200, { thresholds: this.#holding(second) }];
    if (path === 'silences' && method === 'GET') return [200, { silences: this.#silences }];
    if (path === 'silences') {
      const { from, to, ...rest } = body;
      this.#silences.push({
        id: this.#next++,
        ...rest,
        from,
        to,
        made_by: 'admin',
        made_at: Date.now(),
        ended_at: null,
        ended_by: null,
      });
      return [201, this.#silences.at(-1)];
    }
    if (head === 'silences') {
      Object.assign(
        this.#silences.find(({ id }) => id === Number(second)),
        { ended_at: Date.now(), ended_by: 'admin' },
      );
      return [200, {}];
    }
    if (head === 'outages') return [200, { outages: this.#outages(query), next: null }];
    if (head === 'availability') return [200, { rows: this.#availability(query) }];
    if (head === 'intake-tokens' && method === 'GET') return [200, { tokens: this.#tokens }];
    if (head === 'intake-tokens' && method === 'POST') {
      const token = {
        id: String(this.#next++),
        name: body.name,
        made_by: 'admin',
        made_at: Date.now(),
        used_at: null,
        revoked_at: null,
      };
      this.#tokens.unshift(token);
      return [201, { ...token, token: 'a-token-of-the-mock' }];
    }
    if (head === 'intake-tokens') {
      this.#tokens.find(({ id }) => id === second).revoked_at = Date.now();
      return [204, undefined];
    }
    return null;
  }
}
