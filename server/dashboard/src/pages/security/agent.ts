// Owns what a browser or program that signed in is called in plain words, from what it says of itself. A guess for people,
// never a decision. Pure.

export interface Agent {
  /** "Firefox", "curl"; null if it can't be told. */
  program: string | null;
  /** "Android", "Windows"; null if it can't be told. */
  system: string | null;
  kind: 'phone' | 'computer' | 'program';
}

/** The first that fits: most browsers also say the names of those that they resemble. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:A|iOS)?\//, 'Edge'],
  [/\bOPR\/|\bOpera\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bUCBrowser\//, 'UC Browser'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Headless)?Chrome\/|\bCriOS\//, 'Chrome'],
  [/\bVersion\/\S+ (?:Mobile\/\S+ )?Safari\//, 'Safari'],
];
const SYSTEMS: readonly (readonly [RegExp, string, Agent['kind']])[] = [
  [/\bAndroid\b/, 'Android', 'phone'],
  [/\biPhone\b/, 'iPhone', 'phone'],
  [/\biPad\b/, 'iPad', 'phone'],
  [/\bWindows\b/, 'Windows', 'computer'],
  [/\bCrOS\b/, 'ChromeOS', 'computer'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS', 'computer'],
  [/\bLinux\b|\bX11\b/, 'Linux', 'computer'],
];

export function agentOf(text: string | null): Agent {
  const browser = BROWSERS.find(([sign]) => sign.test(text ?? ''))?.[1] ?? null;
  const [, system = null, kind = 'program' as const] = SYSTEMS.find(([sign]) => sign.test(text ?? '')) ?? [];
  if (browser || system) return { program: browser, system, kind: kind === 'program' ? 'computer' : kind };
  // "curl/8.5.0", "tirta/0.1.0": the word before the first slash.
  const word = /^[\w .-]{1,40}(?=\/|$)/.exec(text ?? '')?.[0] ?? null;
  return { program: word, system: null, kind: 'program' };
}
