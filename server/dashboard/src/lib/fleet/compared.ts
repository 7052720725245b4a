// Owns which devices are compared: the choice as it stands in the address, and how each is told apart. Pure.

/** More lines than these nobody tells apart. */
export const MOST = 8;

/** Names with commas between them; each once, no more than can be told apart. */
export function namesOf(text: string | null): string[] {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  return [...new Set(names)].slice(0, MOST);
}

export type Marker = 'circle' | 'square' | 'diamond' | 'triangle';

/** One way to draw a line: by colour, by its dashes and by its marker, so that none of them is needed alone. */
export interface Pen {
  /** The custom property that holds the colour. */
  colour: string;
  dash: readonly number[];
  marker: Marker;
}

/** Colours after Okabe and Ito, which people with any sight of colours tell apart; in `tokens.css` for both themes. */
export const PENS: readonly Pen[] = [
  { colour: '--line-1', dash: [], marker: 'circle' },
  { colour: '--line-2', dash: [8, 4], marker: 'square' },
  { colour: '--line-3', dash: [2, 3], marker: 'diamond' },
  { colour: '--line-4', dash: [10, 3, 2, 3], marker: 'triangle' },
  { colour: '--line-5', dash: [], marker: 'square' },
  { colour: '--line-6', dash: [8, 4], marker: 'diamond' },
  { colour: '--line-7', dash: [2, 3], marker: 'triangle' },
  { colour: '--line-8', dash: [10, 3, 2, 3], marker: 'circle' },
];

export const penOf = (place: number): Pen => PENS[place % PENS.length] as Pen;
