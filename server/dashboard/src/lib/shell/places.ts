// Owns the list of places in the navigation, for the side bar and the tab bar alike.
import type { Dictionary } from '$lib/i18n/dictionary';
import { paths, type Route } from '$lib/state/route';
import type { IconName } from '$lib/ui/icons';

export interface Place {
  href: string;
  icon: IconName;
  text: keyof Omit<Dictionary['nav'], 'main'>;
  /** The pages that belong to it. */
  pages: readonly Route['page'][];
}

export const PLACES: readonly Place[] = [
  { href: paths.fleet, icon: 'fleet', text: 'fleet', pages: ['fleet', 'device', 'calibrate', 'history'] },
  { href: paths.enrolment, icon: 'key', text: 'enrolment', pages: ['enrolment'] },
  { href: paths.registry, icon: 'sheet', text: 'registry', pages: ['registry'] },
  { href: paths.settings, icon: 'sliders', text: 'settings', pages: ['settings'] },
];
