// Owns the list of places in the navigation, for side bar, tab bar, the menu of the account and the page behind a phone's last tab.
import type { Dictionary } from '$lib/i18n/dictionary';
import { mayOpen } from '$lib/session/may';
import { paths, type Route } from '$lib/state/route';
import type { IconName } from '$lib/ui/icons';

export interface Place {
  href: string;
  icon: IconName;
  text: Exclude<keyof Dictionary['nav'], 'main' | 'groups'>;
  /** The pages that belong to it, that of the address first. */
  pages: readonly Route['page'][];
}

export interface Group {
  name: keyof Dictionary['nav']['groups'];
  places: readonly Place[];
}

const OVERVIEW: Place = { href: paths.overview, icon: 'home', text: 'overview', pages: ['overview'] };
const FLEET: Place = {
  href: paths.fleet,
  icon: 'chip',
  text: 'fleet',
  pages: ['fleet', 'device', 'calibrate', 'calibrations'],
};
const ALERTS: Place = {
  href: paths.alerts(),
  icon: 'bell',
  text: 'alerts',
  pages: ['alerts', 'alert', 'silences', 'clearances', 'intake', 'channels'],
};
const THRESHOLDS: Place = {
  href: paths.thresholds,
  icon: 'limits',
  text: 'thresholds',
  pages: ['thresholds', 'threshold', 'presets'],
};
const COMPARE: Place = { href: paths.compare(), icon: 'compare', text: 'compare', pages: ['compare'] };
const READINGS: Place = { href: paths.readings(), icon: 'clock', text: 'readings', pages: ['readings'] };
const MAP: Place = { href: paths.map(), icon: 'map', text: 'map', pages: ['map'] };
const OUTAGES: Place = { href: paths.outages(), icon: 'pulse', text: 'outages', pages: ['outages'] };
const REPORTS: Place = { href: paths.reports, icon: 'report', text: 'reports', pages: ['reports'] };
const WAITING: Place = { href: paths.waiting, icon: 'door', text: 'waiting', pages: ['waiting'] };
const CLAIM: Place = { href: paths.claim, icon: 'scan', text: 'claim', pages: ['claim'] };
const ENROLMENT: Place = { href: paths.enrolment, icon: 'key', text: 'enrolment', pages: ['enrolment'] };
const REGISTRY: Place = { href: paths.registry, icon: 'sheet', text: 'registry', pages: ['registry'] };
const AUDIT: Place = { href: paths.audit(), icon: 'log', text: 'audit', pages: ['audit'] };
const USERS: Place = { href: paths.users, icon: 'people', text: 'users', pages: ['users', 'roles'] };
const KEYS: Place = { href: paths.keys, icon: 'key', text: 'keys', pages: ['keys'] };
const SYSTEM: Place = { href: paths.system, icon: 'gauge', text: 'system', pages: ['system'] };
const PROFILE: Place = { href: paths.profile, icon: 'face', text: 'profile', pages: ['profile', 'password'] };
const SECURITY: Place = { href: paths.security, icon: 'shield', text: 'security', pages: ['security'] };

/** What people do here: look, keep the fleet in order, run the installation. */
export const GROUPS: readonly Group[] = [
  { name: 'watch', places: [OVERVIEW, FLEET, MAP, ALERTS, READINGS, COMPARE, OUTAGES, REPORTS] },
  { name: 'fleet', places: [THRESHOLDS, WAITING, CLAIM, REGISTRY, ENROLMENT] },
  { name: 'administration', places: [USERS, KEYS, SYSTEM, AUDIT] },
];

/** What is the person's own. The one list for the menu of the account and for the page of a phone. */
export const ACCOUNT: readonly Place[] = [PROFILE, SECURITY];

/** Where a technician is most of the time; the last tab leads to the rest. */
const TABBED: readonly Place[] = [OVERVIEW, FLEET, ALERTS, CLAIM];

/** What a phone has no tab for, in the same groups. */
export const MORE: readonly Group[] = GROUPS.map(({ name, places }) => ({
  name,
  places: places.filter((place) => !TABBED.includes(place)),
}));

export const TABS: readonly Place[] = [
  ...TABBED,
  {
    href: paths.settings,
    icon: 'more',
    text: 'more',
    pages: [
      'settings',
      ...[...MORE.flatMap(({ places }) => places), ...ACCOUNT].flatMap(({ pages }) => pages),
    ],
  },
];

/** Those that this session may open. */
export const offered = (places: readonly Place[]): Place[] =>
  places.filter(({ pages: [first] }) => first === undefined || mayOpen(first));

/** The groups that have anything for this session. */
export const offeredGroups = (groups: readonly Group[]): Group[] =>
  groups
    .map(({ name, places }) => ({ name, places: offered(places) }))
    .filter(({ places }) => places.length > 0);
