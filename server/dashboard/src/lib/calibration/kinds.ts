// Owns what a calibration of each metric takes: which solutions or references, how many points, in which unit.
// The device judges them; this is only what the screen has to ask for.
import type { Buffers } from '$lib/api/types';

interface Common {
  /** Fewest and most points that yield a result. */
  least: number;
  most: number;
  /** What a point's known value is given in. */
  unit: string;
  /** Decimals of that value. */
  digits: number;
}

/** `nominal` names the words for a point's value: a key of the dictionary. */
export type Kind = Common &
  (
    | { is: 'ph' | 'cell'; nominal: 'cell' | 'other' }
    | { is: 'linear'; nominal: 'temperature' | 'level' | 'other' }
  );

/** The buffers of each set, as their labels say: pH at 25 °C. */
export const BUFFERS: Record<Buffers, readonly number[]> = {
  technical: [4, 7, 10.01],
  nist: [4.01, 6.86, 9.18],
};

/** The common standard solution for conductivity, µS/cm at 25 °C. */
export const STANDARD_EC = 1413;

const linear = (unit: string, digits: number, nominal: 'temperature' | 'level' | 'other'): Kind => ({
  is: 'linear',
  least: 1,
  most: 2,
  unit,
  digits,
  nominal,
});
const CELL: Kind = { is: 'cell', least: 1, most: 1, unit: 'µS/cm', digits: 0, nominal: 'cell' };

const KINDS: Readonly<Record<string, Kind>> = {
  ph: { is: 'ph', least: 2, most: 3, unit: 'pH', digits: 2, nominal: 'other' },
  tds: CELL,
  ec: CELL,
  temperature: linear('°C', 1, 'temperature'),
  // A volume is calibrated by the level that it is computed from.
  volume: linear('m', 3, 'level'),
  level: linear('m', 3, 'level'),
  pressure: linear('kPa', 2, 'other'),
  flow: linear('L/min', 2, 'other'),
};

/** A metric of a newer server is corrected by a straight line, in a unit that is not known here. */
export function kindOf(metric: string): Kind {
  return KINDS[metric] ?? linear('', 2, 'other');
}

const SIBLINGS: Readonly<Record<string, string>> = { tds: 'ec', ec: 'tds', volume: 'level', level: 'volume' };

/** What is in force for a metric: its own calibration, or that of the metric that is read from the same probe. */
export function inForce<T>(calibrations: Readonly<Record<string, T>>, metric: string): T | undefined {
  return calibrations[metric] ?? calibrations[SIBLINGS[metric] ?? ''];
}
