// Owns the wish of people who want no motion: every transition asks here.

const reduced = matchMedia('(prefers-reduced-motion: reduce)');

export function motion<T extends { duration: number }>(options: T): T {
  return reduced.matches ? { ...options, duration: 0 } : options;
}
