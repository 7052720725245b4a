// Owns the time zone of the site, which the server says: a phone that travels must not move a reading into another day.
// Until the server has said it, it is the browser's own.

let site: string | undefined;

/** Takes the name that the server says; one that this browser does not know leaves it at its own. */
export function noteZone(name: string | undefined): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    site = name;
  } catch {
    site = undefined;
  }
}

/** For `Intl`: undefined is the browser's own. */
export const siteZone = (): string | undefined => site;

/** What a clock on the wall of the site shows. */
export interface Wall {
  year: number;
  /** 1 is January. */
  month: number;
  day: number;
  hour: number;
  minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Of the site's zone. One takes long to make, and each reading on the screen asks for it. */
function formatOf(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${site ?? ''} ${options.timeZoneName ?? ''}`;
  let format = formats.get(key);
  if (!format) {
    const zoned = { ...options, ...(site ? { timeZone: site } : {}) };
    formats.set(key, (format = new Intl.DateTimeFormat(locale, zoned)));
  }
  return format;
}

const CLOCK = {
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
} as const;

export function wallOf(time: number): Wall {
  const parts = new Map(
    formatOf('en-US-u-ca-gregory-nu-latn', CLOCK)
      .formatToParts(time)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  return {
    year: part('year'),
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
  };
}

const asUtc = ({ year, month, day, hour, minute }: Wall): number =>
  Date.UTC(year, month - 1, day, hour, minute);

const DAY_MS = 86_400_000;

/** How far the wall is ahead of UTC then. */
const ahead = (time: number): number => {
  const minute = Math.floor(time / 60_000) * 60_000;
  return asUtc(wallOf(minute)) - minute;
};

/**
 * When the wall shows this; the first time, if it does so twice, and the moment of the leap if clocks leap over it. Parts
 * beyond their range run over, so that the month after is `month + 1`.
 */
export function instantOf(wall: Wall): number {
  const wanted = asUtc(wall);
  const [before, after] = [wanted - ahead(wanted - DAY_MS), wanted - ahead(wanted + DAY_MS)];
  return [before, after].find((time) => asUtc(wallOf(time)) === wanted) ?? before;
}

/** When the day begins at the site. */
export const dayOf = (year: number, month: number, day: number): number =>
  instantOf({ year, month, day, hour: 0, minute: 0 });

/** "WIB", "WITA", "WIT", "UTC", "GMT+1": the name by which people call the zone at that time. */
export function zoneName(time: number, locale: string): string {
  const name = (tag: string): string =>
    formatOf(tag, { timeZoneName: 'short' })
      .formatToParts(time)
      .find(({ type }) => type === 'timeZoneName')?.value ?? '';
  // The Indonesian ones are used in every language there, and known to Indonesian only.
  const own = name('id-ID');
  return /^WI(B|TA|T)$/.test(own) ? own : name(locale);
}
