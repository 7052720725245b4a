// Owns the order of device names: pi-2 comes before pi-10.
const names = new Intl.Collator('en', { numeric: true });

export const byName = (a: string, b: string): number => names.compare(a, b);
