// Owns how the address's query becomes what the server is asked for. Pure.
import type { AlertQuery } from '$lib/api/alerts';

/** Not resolved is what a person comes for; everything else has to be asked for. */
export const STATES = ['active', 'open', 'acknowledged', 'resolved', 'any'] as const;
export const SEVERITIES = ['critical', 'warning'] as const;
export const SOURCES = ['rule', 'outage', 'intake'] as const;
/** Nobody has said, and no rule, that it is over. */
export const UNRESOLVED = 'open,acknowledged';
/** The names in the address; `state` is absent for 'active'. */
export const NAMES = ['state', 'severity', 'source', 'device', 'location', 'q'] as const;
export type Name = (typeof NAMES)[number];
export type Chosen = Record<Name, string>;

export function chosen(read: (name: string) => string | null): Chosen {
  const one = (name: Name, choices: readonly string[], usual: string): string =>
    choices.find((choice) => choice === read(name)) ?? usual;
  return {
    state: one('state', STATES, 'active'),
    severity: one('severity', SEVERITIES, ''),
    source: one('source', SOURCES, ''),
    device: read('device') ?? '',
    location: read('location') ?? '',
    q: read('q') ?? '',
  };
}

/** What is not chosen is not asked. */
export function asked(filter: Chosen): AlertQuery {
  const { state, ...rest } = filter;
  const wanted = { state: state === 'active' ? UNRESOLVED : state, ...rest };
  const entries = Object.entries(wanted).filter(
    ([name, value]) => value !== '' && !(name === 'state' && value === 'any'),
  );
  return Object.fromEntries(entries);
}

export const isFiltered = (filter: Chosen): boolean =>
  NAMES.some((name) => (name === 'state' ? filter.state !== 'active' : filter[name] !== ''));
