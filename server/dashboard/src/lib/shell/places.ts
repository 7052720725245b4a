// Owns the list of places in the navigation, for the side bar and the tab bar alike.
import type { Dictionary } from '$lib/i18n/dictionary';
import { mayOpen } from '$lib/session/may';
import { paths, type Route } from '$lib/state/route';
import type { IconName } from '$lib/ui/icons';

export interface Place {
  href: string;
  icon: IconName;
  text: keyof Omit<Dictionary['nav'], 'main'>;
  /** The pages that belong to it, that of the address first. */
  pages: readonly Route['page'][];
}

const FLEET: Place = {
  href: paths.fleet,
  icon: 'fleet',
  text: 'fleet',
  pages: ['fleet', 'device', 'calibrate', 'history'],
};
const ALERTS: Place = {
  href: paths.alerts(),
  icon: 'bell',
  text: 'alerts',
  pages: ['alerts', 'alert', 'silences', 'clearances', 'intake'],
};
const THRESHOLDS: Place = {
  href: paths.thresholds,
  icon: 'limits',
  text: 'thresholds',
  pages: ['thresholds', 'threshold'],
};
const OUTAGES: Place = { href: paths.outages(), icon: 'pulse', text: 'outages', pages: ['outages'] };
const WAITING: Place = { href: paths.waiting, icon: 'door', text: 'waiting', pages: ['waiting'] };
const CLAIM: Place = { href: paths.claim, icon: 'scan', text: 'claim', pages: ['claim'] };
const ENROLMENT: Place = { href: paths.enrolment, icon: 'key', text: 'enrolment', pages: ['enrolment'] };
const REGISTRY: Place = { href: paths.registry, icon: 'sheet', text: 'registry', pages: ['registry'] };
const AUDIT: Place = { href: paths.audit(), icon: 'log', text: 'audit', pages: ['audit'] };
const USERS: Place = { href: paths.users, icon: 'person', text: 'users', pages: ['users'] };
const KEYS: Place = { href: paths.keys, icon: 'key', text: 'keys', pages: ['keys'] };
const SETTINGS: Place = {
  href: paths.settings,
  icon: 'sliders',
  text: 'settings',
  pages: ['settings'],
};
const PROFILE: Place = {
  href: paths.profile,
  icon: 'face',
  text: 'profile',
  pages: ['profile', 'password', 'security', 'settings'],
};

export const PLACES: readonly Place[] = [
  FLEET,
  ALERTS,
  THRESHOLDS,
  OUTAGES,
  WAITING,
  CLAIM,
  ENROLMENT,
  REGISTRY,
  AUDIT,
  USERS,
  KEYS,
  PROFILE,
];

/** What a phone has no tab for: its last tab leads to the settings, which begin with them. */
export const MORE: readonly Place[] = [THRESHOLDS, OUTAGES, ENROLMENT, REGISTRY, AUDIT, USERS, KEYS, PROFILE];
export const TABS: readonly Place[] = [
  FLEET,
  ALERTS,
  WAITING,
  CLAIM,
  {
    ...SETTINGS,
    icon: 'more',
    text: 'more',
    pages: ['settings', ...MORE.flatMap(({ pages }) => pages)],
  },
];

/** Those that this session may open. */
export const offered = (places: readonly Place[]): Place[] =>
  places.filter(({ pages: [first] }) => first === undefined || mayOpen(first));
