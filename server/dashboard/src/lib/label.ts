// Owns how the label on a board, or what somebody typed instead, becomes a name and a serial. Knows no camera.

export interface Label {
  name: string | null;
  serial: string | null;
}

const SERIAL = /^(?!0+$)(?:[0-9a-f]{8}|[0-9a-f]{16})$/;
const NAME = /^(?!tirta)[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
/** How long a serial is when it is written in full. */
const DIGITS = 16;

/** The serial as the server writes it; null when it is none. A Pi of old writes only the lower half. */
export function parseSerial(text: string): string | null {
  const plain = text.trim().toLowerCase().replace(/^0x/, '').replace(/[\s:]/g, '');
  return SERIAL.test(plain) ? plain.padStart(DIGITS, '0') : null;
}

export function parseName(text: string): string | null {
  const plain = text.trim().toLowerCase();
  return NAME.test(plain) ? plain : null;
}

/** The label of a board: the address that its QR code holds, or a name or a serial alone. Null for anything else. */
export function parseLabel(text: string): Label | null {
  const plain = text.trim();
  const serial = parseSerial(plain);
  if (serial) return { name: null, serial };
  const name = parseName(plain);
  if (name) return { name, serial: null };
  let url: URL;
  try {
    url = new URL(plain);
  } catch {
    return null;
  }
  // Which server it names does not matter: one server has several addresses, and labels outlive all of them.
  const path = /^\/claim(?:\/([^/]+))?\/?$/.exec(url.pathname);
  if (!path || !/^https?:$/.test(url.protocol)) return null;
  return labelOf(path[1] ?? null, url.searchParams.get('serial'));
}

/** The label from the parts of an address; null when there is neither a name nor a serial in it. */
export function labelOf(name: string | null, serial: string | null): Label | null {
  const label = {
    name: name === null ? null : parseName(safelyDecoded(name)),
    serial: serial === null ? null : parseSerial(serial),
  };
  return label.name || label.serial ? label : null;
}

function safelyDecoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export interface Serials {
  serials: string[];
  /** What is no serial, as it was typed. */
  wrong: string[];
}

/** A list of serials as it comes out of a spreadsheet or a chat: white space, commas or semicolons between them. */
export function parseSerials(text: string): Serials {
  const found: Serials = { serials: [], wrong: [] };
  for (const part of text.split(/[\s,;]+/).filter(Boolean)) {
    const serial = parseSerial(part);
    if (!serial) found.wrong.push(part);
    else if (!found.serials.includes(serial)) found.serials.push(serial);
  }
  return found;
}
