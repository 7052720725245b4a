// Owns the English text of the channels that news of alerts leaves by. See `admin.en.ts`.
import type { Channel } from '$lib/api/system';

export const channelsEn = {
  title: 'Channels',
  lead: 'Where alerts go besides this page, and whether they arrive there.',
  empty: 'No channel is set up',
  failed: 'The channels could not be loaded',
  mqtt: 'MQTT topic tirta/alerts',
  health: { well: 'Delivers', idle: 'Nothing sent yet', waits: 'News wait', fails: 'Fails' },
  neverSent: 'nothing has arrived yet',
  lastSent: (ago: string) => `last arrived ${ago}`,
  lastDay: (sent: string, failed: string) => `last day: ${sent} arrived, ${failed} given up`,
  pending: (count: string) => `${count} wait`,
  told: (events: string) => `Is told: ${events}`,
  gone: 'Not in the configuration any more',
  events: {
    raised: 'raised',
    escalated: 'got critical',
    eased: 'eased',
    cleared: 'over',
    acknowledged: 'acknowledged',
    resolved: 'resolved',
    reopened: 'reopened',
    digest: 'digests of late data',
    test: 'tests',
  } satisfies Record<Channel['events'][number], string>,
  problem: (why: string) => `Last problem: ${why}`,
  test: 'Send a test',
  testNamed: (name: string) => `Send a test: ${name}`,
  testing: 'Sending…',
  arrived: 'The test has arrived.',
  notArrived: (why: string) => `The test did not arrive: ${why}`,
  whereSet:
    'Channels stand in the server’s configuration (tables [[alerts.webhook]]), so that nobody can send alerts elsewhere from a browser. Their secrets and whole addresses are never shown.',
};
