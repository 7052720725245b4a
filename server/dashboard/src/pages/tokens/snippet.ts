// Owns the lines that an administrator copies into an agent's configuration.

/** Complete but for the address where this browser does not know it: agents enrol over HTTPS only. */
export function configLines(token: { token: string; ca_sha256: string }, origin: string): string {
  const url = origin.startsWith('https:') ? origin : 'https://tirta.local:8443';
  return `[server]\nurl = "${url}"\nca_sha256 = "${token.ca_sha256}"\ntoken = "${token.token}"`;
}
