// Owns how the locations of many lists become one.

/** Each once, in the order that people look for them. */
export function distinct(locations: Iterable<string | null | undefined>): string[] {
  const found = new Set<string>();
  for (const location of locations) if (location?.trim()) found.add(location.trim());
  return [...found].sort(new Intl.Collator(undefined, { numeric: true }).compare);
}
