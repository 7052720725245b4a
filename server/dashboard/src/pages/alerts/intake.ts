// Owns what a third-party system is told to send. Pure.

/** A name that the server takes, so that it can stand in an alert's key. */
export const validName = (name: string): boolean => /^[a-z0-9-]{1,40}$/.test(name);

/** A whole command, to be tried as it stands. */
export function curlExample(token: string, origin: string): string {
  const body = JSON.stringify({
    key: 'pump-7-dry-run',
    state: 'firing',
    severity: 'warning',
    title: 'Pump 7 runs dry',
    text: 'No flow for 30 s',
  });
  return [
    `curl -X POST ${origin}/api/v1/webhooks/alerts`,
    `  -H 'Authorization: Bearer ${token}'`,
    `  -H 'Content-Type: application/json'`,
    `  -d '${body}'`,
  ].join(' \\\n');
}
