// Owns what the palette finds: pages and devices by what is typed, the likeliest first. Pure.
import type { IconName } from '$lib/ui/icons';

export interface Aim {
  href: string;
  text: string;
  /** Found, too, but later: a location, a serial. */
  about: string;
  icon: IconName;
}

/** Names that begin so, then those that hold it, then those about which it is said; each in the order given. */
export function found(aims: readonly Aim[], typed: string, most: number): Aim[] {
  const wanted = typed.trim().toLowerCase();
  const rank = ({ text, about }: Aim): number => {
    const at = text.toLowerCase().indexOf(wanted);
    if (at >= 0) return Math.min(at, 1);
    return about.toLowerCase().includes(wanted) ? 2 : 3;
  };
  return aims
    .map((aim) => ({ aim, rank: rank(aim) }))
    .filter((each) => each.rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ aim }) => aim);
}
