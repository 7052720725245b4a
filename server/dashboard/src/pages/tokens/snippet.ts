// Owns the lines that an administrator copies into an agent's configuration.

/** The server as this browser reaches it; agents need its HTTPS address, so that is asked for where it is not known. */
export function configLines(token: string, origin: string): string {
  const url = origin.startsWith('https:') ? origin : 'https://tirta.local:8443';
  return `[server]\nurl = "${url}"\ntoken = "${token}"`;
}
