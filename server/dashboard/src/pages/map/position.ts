// Owns how a position is written and read: two numbers of degrees, as maps and people write them. Pure.
import { formatFixed } from '$lib/format/number';

export interface Position {
  latitude: number;
  longitude: number;
}

/** Five decimals of a degree are a metre. */
const DIGITS = 5;

/** As it is kept: to the metre, and within the world however often the map was pushed around it. */
export function rounded({ latitude, longitude }: Position): Position {
  const around = ((((longitude + 180) % 360) + 360) % 360) - 180;
  const to = (value: number): number => Number(value.toFixed(DIGITS)) + 0;
  return { latitude: to(latitude), longitude: to(around) };
}

/** For people; a semicolon between them, as one language writes decimals with a comma. */
export const shownPosition = ({ latitude, longitude }: Position, locale: string): string =>
  `${formatFixed(latitude, DIGITS, locale)}; ${formatFixed(longitude, DIGITS, locale)}`;

/**
 * Degrees north and east with anything between them: "-6.2, 106.8" as other maps copy it, "−6,2; 106,8", "6.2 S 106.8 E",
 * Indonesian "LS" and "BT". Null where that is no place.
 */
export function parsePosition(text: string): Position | null {
  // A comma with a digit on both sides is a decimal one if there are points nowhere.
  const plain = text.trim().replaceAll('−', '-').replaceAll('°', ' ').toUpperCase();
  const decimal = plain.includes('.') ? plain : plain.replace(/(\d),(?=\d)/g, '$1.');
  const found = /^(-?\d+(?:\.\d+)?)\s*(N|S|LU|LS)?\s*[,;\s]\s*(-?\d+(?:\.\d+)?)\s*(E|W|BT|BB)?$/.exec(
    decimal,
  );
  if (!found) return null;
  const [, north, northWord, east, eastWord] = found;
  const latitude = Number(north) * (northWord === 'S' || northWord === 'LS' ? -1 : 1);
  const longitude = Number(east) * (eastWord === 'W' || eastWord === 'BB' ? -1 : 1);
  // A map of this kind ends before the poles.
  if (Math.abs(latitude) > 85 || Math.abs(longitude) > 180) return null;
  return rounded({ latitude, longitude });
}
