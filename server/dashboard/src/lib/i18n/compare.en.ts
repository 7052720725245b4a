// Owns the English text of the page that compares devices on one chart.

export const compareEn = {
  title: 'Compare',
  lead: 'One metric of several devices on one chart. The address holds the choice: share it.',
  devices: 'Devices',
  add: 'Add a device',
  adding: 'Type a name or location',
  remove: (name: string) => `Remove ${name}`,
  full: (text: string) => `${text} devices are as many as one can tell apart.`,
  restored: 'Undo',
  removed: (name: string) => `${name} was removed`,
  metric: 'Metric',
  empty: 'Choose devices to compare',
  emptyHint: 'Add them here, or select them in the list of devices.',
  emptyAction: 'To the devices',
  unknown: 'No such device',
  link: 'Compare with others',
  legend: 'Values',
  now: 'Now',
  at: (when: string) => `At ${when}`,
  gap: 'no value',
  chartLabel: (metric: string, devices: string, range: string) => `${metric} of ${devices}, ${range}`,
};
