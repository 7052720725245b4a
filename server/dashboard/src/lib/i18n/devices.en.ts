// Owns the English text of the list of devices: filters, orders, views, and what is selected.

const one = (count: number, single: string, many: string): string => (count === 1 ? single : many);

export const devicesEn = {
  shown: (text: string, of: string) => `${text} of ${of} devices`,
  status: 'Status',
  anyStatus: 'Every status',
  shows: {
    online: 'Online',
    offline: 'Offline',
    faults: 'Failing probe',
    alerts: 'With an alert',
    stale: 'Old value',
    never: 'Not seen yet',
    quarantined: 'Shut out',
    revoked: 'Decommissioned',
  },
  location: 'Location',
  anyLocation: 'All locations',
  metric: 'Metric',
  anyMetric: 'All metrics',
  more: 'More filters',
  sorts: { name: 'Name', attention: 'Problems first', seen: 'Longest silent', location: 'Location' },
  lowest: (metric: string) => `${metric}, lowest`,
  highest: (metric: string) => `${metric}, highest`,
  view: 'View',
  views: { table: 'Table', cards: 'Cards' },
  select: (name: string) => `Select ${name} to compare`,
  selected: (count: number, text: string) =>
    one(count, `${text} device selected`, `${text} devices selected`),
  compare: 'Compare',
  compareMost: (text: string) => `At most ${text} at once`,
  unselect: 'Remove selection',
  keys: 'Press / to search, arrow keys to move, Enter to open, space to select.',
};
